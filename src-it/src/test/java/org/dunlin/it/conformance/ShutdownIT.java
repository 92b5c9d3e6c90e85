package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.unique;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.Test;

/** What clients are told when the broker stops. */
class ShutdownIT {
    @Test
    @Clause(edge = {"E054"})
    void stop_tellsV5ClientsAndClosesTheOthers() {
        List<MqttSocket> sockets = new ArrayList<>();
        try (RunningBroker broker = RunningBroker.start(List.of("limits.max-qos=2"))) {
            for (ProtocolVersion version : ProtocolVersion.values()) {
                sockets.add(broker.socket().connect(version, unique("stop")));
            }
            CompletableFuture<Integer> stopped = CompletableFuture.supplyAsync(broker::stop);
            for (MqttSocket socket : sockets) {
                socket.expectDisconnect(ReasonCode.SERVER_SHUTTING_DOWN);
                socket.close();
            }
            assertEquals(0, stopped.join());
        }
    }
}
