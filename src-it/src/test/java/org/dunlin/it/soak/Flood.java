package org.dunlin.it.soak;

import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;

/**
 * Publishes more than slow readers can take, on a topic for each QoS.
 *
 * @param rate messages a second
 */
record Flood(double rate) implements Party {
    static final String FILTER = "flood/+";

    private static final int SIZE = 1000;
    private static final int ROUNDS_A_SECOND = 5;

    static String topic(int qos) {
        return "flood/" + qos;
    }

    @Override
    public String name() {
        return "flood";
    }

    @Override
    public void play(Scene scene) throws InterruptedException {
        int each = Math.max(1, (int) (rate / ROUNDS_A_SECOND / 2));
        try (MqttSocket publisher = scene.socket().connect(ProtocolVersion.MQTT_5, name())) {
            for (long sent = 0; scene.goesOn(); sent += each) {
                for (Qos qos : List.of(Qos.AT_MOST_ONCE, Qos.AT_LEAST_ONCE)) {
                    List<Message> messages = new ArrayList<>();
                    for (int i = 1; i <= each; i++) {
                        messages.add(Numbered.message(topic(qos.value()), sent + i, SIZE, qos));
                    }
                    Exchange.publish(publisher, messages, 0);
                }
                scene.count("messages to slow readers, published", 2L * each);
                scene.pause(1000 / ROUNDS_A_SECOND);
            }
        }
    }
}
