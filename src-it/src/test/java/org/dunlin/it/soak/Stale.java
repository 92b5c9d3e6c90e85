package org.dunlin.it.soak;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;

/**
 * Messages that expire after some seconds in the queues of sessions that come once a minute, each on a topic of its own: what comes
 * has not expired, and what has not expired comes, once.
 */
record Stale(int sessions) implements Party {
    private static final int LIFE_MAX_MILLIS = 5_000;
    private static final int MESSAGES_A_SECOND = 10;
    private static final int SECONDS_A_ROUND = 60;
    /** By which the clocks of two processes and the reader may be late. */
    private static final int LATE_MILLIS = 3_000;
    /** An expiry interval has whole seconds, and what it takes to come. */
    private static final int EARLY_MILLIS = 2_000;

    @Override
    public String name() {
        return "stale";
    }

    @Override
    public void play(Scene scene) throws InterruptedException {
        Random random = scene.random(name());
        try (MqttSocket publisher = scene.socket().connect(ProtocolVersion.MQTT_5, name())) {
            for (int i = 0; i < sessions; i++) {
                try (MqttSocket socket = enter(scene, i, false)) {
                    socket.subscribe("stale/#", Qos.EXACTLY_ONCE);
                    socket.disconnect();
                }
            }
            Map<String, Long> lives = new HashMap<>();
            for (int round = 0; scene.goesOn(); round++) {
                if (round % SECONDS_A_ROUND == SECONDS_A_ROUND - 1) {
                    for (int i = 0; i < sessions; i++) {
                        takeWhatIsLeft(scene, i, lives);
                    }
                }
                for (int i = 0; i < MESSAGES_A_SECOND; i++) {
                    long expiresAt = System.currentTimeMillis() + 1000 + random.nextInt(LIFE_MAX_MILLIS - 1000);
                    String topic = "stale/" + Long.toHexString(random.nextLong());
                    lives.put(topic, expiresAt);
                    publisher.publish(new Message(
                            0,
                            "",
                            TopicName.of(topic),
                            Numbered.payload(expiresAt, 200),
                            Qos.of(1 + i % 2),
                            false,
                            expiresAt,
                            Message.NO_BYTES));
                }
                lives.values().removeIf(expiresAt -> expiresAt < System.currentTimeMillis());
                scene.pause(1000);
            }
        }
    }

    private static MqttSocket enter(Scene scene, int number, boolean known) {
        MqttSocket socket = scene.socket();
        ConnAck connAck = socket.connect(Connect.builder(ProtocolVersion.MQTT_5, "stale-" + number)
                .cleanStart(false)
                .sessionExpirySeconds(3600)
                .build());
        if (connAck.sessionPresent() != known) {
            scene.fault("stale-" + number + " came, and its session " + (known ? "was gone" : "was there already"));
        }
        return socket;
    }

    /** @param lives when which message expires, by topic */
    private static void takeWhatIsLeft(Scene scene, int number, Map<String, Long> lives) {
        Map<String, Long> missing = new HashMap<>(lives);
        Set<String> came = new HashSet<>();
        try (MqttSocket socket = enter(scene, number, true)) {
            for (Packet packet = socket.poll(300); packet != null; packet = socket.poll(300)) {
                Exchange.answer(socket, packet);
                if (packet instanceof Publish publish) {
                    long late = System.currentTimeMillis() - Numbered.of(publish.message());
                    if (late > LATE_MILLIS) {
                        scene.fault("a message came " + late + " ms after it had expired");
                    }
                    missing.remove(publish.message().topic().text());
                    if (!came.add(publish.message().topic().text())) {
                        scene.fault("a message that expires came twice to stale-" + number);
                    }
                    scene.count("messages that expire, received in time", 1);
                }
            }
            socket.disconnect();
        }
        long expired = System.currentTimeMillis() + EARLY_MILLIS;
        missing.values().removeIf(expiresAt -> expiresAt < expired);
        if (!missing.isEmpty()) {
            scene.fault(missing.size() + " messages that have not expired did not come to stale-" + number);
        }
    }
}
