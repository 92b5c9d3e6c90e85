package org.dunlin.it.soak;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;

/**
 * What a broker keeps when nobody is there: of those who were, nothing but the retained messages that they left for good. One thread.
 */
final class AtRest {
    /** What the soak's sessions outlive their connections by, and what a sweep for retained messages may come after its time. */
    private static final long SECONDS = TimeUnit.MINUTES.toSeconds(Soak.MINUTES_SESSIONS_LAST) + 120;

    private static final String RETAINED = "retained";
    private static final List<String> NOTHING = List.of(
            "connections",
            "sessions",
            "subscriptions",
            "filters",
            Gauges.QUEUED,
            "inflight_messages",
            "delayed_messages",
            "backlog");

    private AtRest() {}

    private static List<String> left(Map<String, Double> read, Scene scene) {
        List<String> left = new ArrayList<>();
        for (String column : NOTHING) {
            if (read.get(column) != 0) {
                left.add("%.0f %s".formatted(read.get(column), column));
            }
        }
        if (left.isEmpty()) {
            int expected = scene.left() + systemTopics(scene);
            if (read.get(RETAINED) != expected) {
                left.add("%.0f %s instead of %d".formatted(read.get(RETAINED), RETAINED, expected));
            }
        }
        return left;
    }

    /** Topics below $SYS: the broker's own retained messages, which the gauge counts, too. */
    private static int systemTopics(Scene scene) {
        int topics = 0;
        try (MqttSocket reader = scene.socket().connect(ProtocolVersion.MQTT_3_1_1, "system-topics")) {
            reader.subscribe("$SYS/#", Qos.AT_MOST_ONCE);
            for (Packet packet = reader.poll(500); packet != null; packet = reader.poll(500)) {
                topics += packet instanceof Publish publish && publish.message().retain() ? 1 : 0;
            }
            reader.disconnect();
        }
        return topics;
    }

    /**
     * Waits until that is so, as long as it may take; what is still there then is a fault.
     *
     * @param when for what is said of a fault
     * @return all that was read then, and the live heap
     */
    static Map<String, Double> await(Gauges gauges, Scene scene, String when) throws IOException, InterruptedException {
        long start = System.nanoTime();
        Map<String, Double> read = new LinkedHashMap<>();
        List<String> left;
        double waited;
        do {
            waited = (System.nanoTime() - start) / 1e9;
            gauges.read(waited, read);
            left = left(read, scene);
            if (!left.isEmpty()) {
                TimeUnit.SECONDS.sleep(1);
            }
        } while (!left.isEmpty() && waited < SECONDS);
        for (String what : left) {
            scene.fault("%d s %s there are still %s".formatted(SECONDS, when, what));
        }
        read.put(Gauges.LIVE_HEAP, gauges.liveHeap("heap-" + when.replace(' ', '-') + ".txt") / Gauges.MB);
        return read;
    }
}
