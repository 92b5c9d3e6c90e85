package org.dunlin.it.soak;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;

/**
 * Sets, changes and clears retained messages on some topics, which a new subscriber has to get as they are, and on topics that
 * nobody has seen before, where they are cleared at once or expire.
 */
record Retainer(int changesASecond) implements Party {
    private static final int TOPICS = 500;
    private static final int CHANGES_BETWEEN_LOOKS = 1000;

    @Override
    public String name() {
        return "retainer";
    }

    @Override
    public void play(Scene scene) throws InterruptedException {
        Random random = scene.random(name());
        Map<String, Long> expected = new HashMap<>();
        try (MqttSocket publisher = scene.socket().connect(ProtocolVersion.MQTT_5, name())) {
            for (long number = 1; scene.goesOn(); number++) {
                String topic = "retained/usual/" + random.nextInt(TOPICS);
                boolean clear = random.nextInt(3) == 0;
                publisher.publish(retained(topic, number, clear, Message.NEVER));
                if (clear) {
                    expected.remove(topic);
                } else {
                    expected.put(topic, number);
                }
                String fresh = "retained/fresh/" + Long.toHexString(random.nextLong());
                publisher.publish(retained(fresh, number, false, System.currentTimeMillis() + 5_000));
                if (random.nextBoolean()) {
                    publisher.publish(retained(fresh, number, true, Message.NEVER));
                }
                if (number % CHANGES_BETWEEN_LOOKS == 0) {
                    look(scene, publisher, expected);
                }
                scene.pause(1000 / changesASecond);
            }
            look(scene, publisher, expected);
            scene.leaves(expected.size());
        }
    }

    private static Message retained(String topic, long number, boolean clear, long expiresAtMillis) {
        byte[] payload = clear ? Message.NO_BYTES : Numbered.payload(number, 100);
        Qos qos = Qos.of((int) (number % 3));
        return new Message(0, "", TopicName.of(topic), payload, qos, true, expiresAtMillis, Message.NO_BYTES);
    }

    private static void look(Scene scene, MqttSocket publisher, Map<String, Long> expected) {
        publisher.expectNothing(); // what went with QoS 0 has arrived, too
        Map<String, Long> missing = new HashMap<>(expected);
        try (MqttSocket reader = scene.socket().connect(ProtocolVersion.MQTT_3_1_1, "retained-reader")) {
            reader.subscribe("retained/usual/+", Qos.AT_LEAST_ONCE);
            for (Packet packet = reader.poll(2000);
                    packet != null;
                    packet = reader.poll(missing.isEmpty() ? 50 : 2000)) {
                Exchange.answer(reader, packet);
                if (packet instanceof Publish publish) {
                    Message message = publish.message();
                    if (!Long.valueOf(Numbered.of(message))
                                    .equals(missing.remove(message.topic().text()))
                            || !message.retain()) {
                        scene.fault(
                                "a new subscriber got a retained message that was replaced or cleared, got it twice, or got it"
                                        + " without the mark of one: " + message.topic());
                    }
                    scene.count("retained messages, checked", 1);
                }
            }
        }
        if (!missing.isEmpty()) {
            scene.fault(
                    "a new subscriber did not get " + missing.size() + " of " + expected.size() + " retained messages");
        }
    }
}
