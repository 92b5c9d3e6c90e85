package org.dunlin.it.crash;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Subscribe;

/** Collects the retained messages by a new subscription of a new client. One thread. */
final class RetainedReader {
    private static final long GIVE_UP_NANOS = TimeUnit.SECONDS.toNanos(6);
    private static final long GLANCE_NANOS = TimeUnit.MILLISECONDS.toNanos(300);
    private static final int QUIET_MILLIS = 150;
    private static final String FILTER = "r/#";

    private RetainedReader() {}

    /**
     * Reads and notes it.
     *
     * @param complete wait for all that has to be there, and for a while without any more
     */
    static void read(Stage stage, Victim.Promises promises, String name, boolean complete) {
        History history = stage.history();
        Set<String> expected = complete ? Checker.retainedForCertain(history.entries(), promises) : Set.of();
        Map<String, MessageKey> values = new HashMap<>();
        try (MqttSocket socket = MqttSocket.open(stage.port())) {
            socket.connect(ProtocolVersion.MQTT_5, name);
            history.add(new Event.ReadingRetained(name));
            Subscribe.Entry entry =
                    new Subscribe.Entry(FILTER, Qos.AT_LEAST_ONCE, false, true, Subscribe.RetainHandling.SEND);
            socket.send(new Subscribe(1, 0, List.of(entry), List.of()));
            long begun = System.nanoTime();
            long latest = begun;
            while (true) {
                Packet packet = socket.poll(QUIET_MILLIS);
                if (packet instanceof Publish publish) {
                    take(publish, values);
                    latest = System.nanoTime();
                    socket.send(new Ack(PacketType.PUBACK, publish.packetId()));
                }
                long now = System.nanoTime();
                boolean all = packet == null && values.keySet().containsAll(expected);
                if (complete ? all || now - latest > GIVE_UP_NANOS : now - begun > GLANCE_NANOS) {
                    break;
                }
            }
            history.add(new Event.RetainedRead(name, complete, Map.copyOf(values)));
            socket.send(new Disconnect(ReasonCode.SUCCESS));
        }
    }

    private static void take(Publish publish, Map<String, MessageKey> values) {
        String topic = publish.message().topic().text();
        byte[] payload = publish.message().payload();
        MessageKey key = payload.length == 0 ? null : MessageKey.read(topic, payload);
        if (payload.length == 0) {
            values.remove(topic);
        } else {
            values.put(topic, key == null ? new MessageKey("altered", topic, 0) : key);
        }
    }
}
