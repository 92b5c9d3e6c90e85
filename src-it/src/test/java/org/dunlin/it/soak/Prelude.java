package org.dunlin.it.soak;

import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;

/**
 * Fills what the broker remembers of so many topics and so many clients and no more: the stamps of 65,536 topics that were retained
 * and the losses of 10,000 clients. The few new ones of a soak would take an hour for that, and look like a leak meanwhile; for the
 * same reason names are as long as theirs. One thread.
 */
final class Prelude {
    private static final int TOPICS = 70_000;
    private static final int TOPICS_AT_ONCE = 500;
    private static final int CLIENTS = 11_000;
    private static final int PAYLOAD = 100;

    private Prelude() {}

    static void play(Scene scene) {
        try (MqttSocket publisher = scene.socket().connect(ProtocolVersion.MQTT_5, "prelude")) {
            for (int from = 0; from < TOPICS; from += TOPICS_AT_ONCE) {
                Exchange.publish(publisher, retained(from, PAYLOAD), 0);
                Exchange.publish(publisher, retained(from, 0), 0);
            }
        }
        for (int i = 0; i < CLIENTS; i++) {
            try (MqttSocket loser = scene.socket().connect(ProtocolVersion.MQTT_3_1_1, "loser-%014d".formatted(i))) {
                loser.send(new Publish(
                        Numbered.message("$SYS/not-for-clients", 1, Numbered.LEAST, Qos.AT_MOST_ONCE), 0, false));
                loser.expectNothing();
            }
        }
    }

    private static List<Message> retained(int from, int size) {
        List<Message> messages = new ArrayList<>(TOPICS_AT_ONCE);
        for (int i = from; i < from + TOPICS_AT_ONCE; i++) {
            TopicName topic = TopicName.of("retained/past/%016d".formatted(i));
            messages.add(new Message(
                    0, "", topic, new byte[size], Qos.AT_LEAST_ONCE, true, Message.NEVER, Message.NO_BYTES));
        }
        return messages;
    }
}
