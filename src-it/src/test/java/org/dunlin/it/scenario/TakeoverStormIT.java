package org.dunlin.it.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.dunlin.it.Await;
import org.dunlin.it.Broker;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.Test;

/** Many connections want one client identifier. */
@Broker
class TakeoverStormIT {
    private static final int CONNECTIONS = 200;

    @Test
    void connectionsWithOneClientIdentifier_oneRemains_theOthersAreToldWhy(RunningBroker broker) {
        List<MqttSocket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < CONNECTIONS; i++) {
                sockets.add(broker.socket());
            }
            AtomicInteger ended = new AtomicInteger();
            Queue<String> faults = new ConcurrentLinkedQueue<>();
            Queue<MqttSocket> answering = new ConcurrentLinkedQueue<>();
            Connect connect = Connect.builder(ProtocolVersion.MQTT_5, "storm")
                    .cleanStart(false)
                    .sessionExpirySeconds(60)
                    .build();
            sockets.forEach(socket -> socket.send(connect));
            List<MqttSocket> left = new ArrayList<>(sockets);
            for (MqttSocket socket : sockets) {
                Thread thread = new Thread(
                        () -> {
                            String fault = follow(socket, answering);
                            if (fault == null) {
                                ended.incrementAndGet();
                            } else {
                                faults.add(fault);
                            }
                        },
                        "storm");
                thread.setDaemon(true);
                thread.start();
            }
            Await.until("all but one connection have ended", () -> ended.get() == CONNECTIONS - 1 || !faults.isEmpty());
            assertEquals(List.of(), List.copyOf(faults));
            for (MqttSocket socket : left) {
                try {
                    socket.send(Ping.REQUEST);
                } catch (UncheckedIOException e) {
                    // one of those that ended
                }
            }
            Await.until("the one that remains answers", () -> !answering.isEmpty());
            assertEquals(CONNECTIONS - 1, ended.get());
            assertTrue(faults.isEmpty(), faults.toString());
        } finally {
            sockets.forEach(MqttSocket::close);
        }
    }

    /** @return what was wrong, or null when it has ended as it should */
    private static String follow(MqttSocket socket, Queue<MqttSocket> answering) {
        boolean accepted = false;
        boolean told = false;
        try {
            for (Packet packet = socket.receiveOrEnd(); packet != null; packet = socket.receiveOrEnd()) {
                if (packet instanceof ConnAck connAck) {
                    accepted = connAck.reason() == ReasonCode.SUCCESS;
                    told = !accepted;
                } else if (packet == Ping.RESPONSE) {
                    answering.add(socket);
                } else if (packet instanceof Disconnect disconnect) {
                    told = disconnect.reason() == ReasonCode.SESSION_TAKEN_OVER;
                    if (!told) {
                        return "wrong reason: " + disconnect;
                    }
                }
            }
            return accepted && !told ? "ended without DISCONNECT" : null;
        } catch (AssertionError e) {
            return e.getMessage();
        }
    }
}
