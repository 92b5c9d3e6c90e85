package org.dunlin.it.soak;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;

/**
 * A publisher and a subscriber that are well. Messages go in bursts of 1 to 31, each of which has to be there, once and in order,
 * before the next one goes.
 *
 * @param freshTopics whether each burst has a topic that nobody has seen before
 * @param rate messages a second, on average
 */
record Pair(int number, ProtocolVersion version, Qos qos, boolean freshTopics, double rate) implements Party {
    private static final int BURST_MAX = 31;
    private static final int PAYLOAD_MAX = 1024;
    private static final int ALIASES = 8;

    @Override
    public String name() {
        return "pair-" + number;
    }

    @Override
    public void play(Scene scene) throws InterruptedException {
        Random random = scene.random(name());
        try (MqttSocket publisher = scene.socket();
                MqttSocket subscriber = scene.socket()) {
            publisher.connect(Connect.builder(version, name() + "-out").build());
            subscriber.connect(Connect.builder(version, name() + "-in")
                    .topicAliasMaximum(version.isV5() ? ALIASES : 0)
                    .build());
            subscriber.subscribe("pair/" + number + "/#", qos);
            Order order = new Order(scene, name(), qos, false);
            long due = System.nanoTime();
            while (scene.goesOn()) {
                int burst = 1 + random.nextInt(BURST_MAX);
                int alias = version.isV5() && !freshTopics ? 1 : 0;
                String topic = "pair/" + number + "/" + (freshTopics ? Long.toHexString(random.nextLong()) : "usual");
                Exchange.publish(publisher, messages(random, topic, order.last(), burst), alias);
                Exchange.receive(subscriber, burst, message -> order.take(message, topic));
                scene.count("messages at QoS " + qos.value() + ", checked", burst);
                due = Math.max(due + (long) (burst / rate * 1e9), System.nanoTime() - 1_000_000_000L);
                scene.pause((due - System.nanoTime()) / 1_000_000);
            }
            subscriber.expectNothing();
        }
    }

    private List<Message> messages(Random random, String topic, long last, int burst) {
        List<Message> messages = new ArrayList<>(burst);
        for (int i = 1; i <= burst; i++) {
            int size = Numbered.LEAST + (int) (PAYLOAD_MAX * Math.pow(random.nextDouble(), 4)); // most are small
            messages.add(Numbered.message(topic, last + i, size, qos));
        }
        return messages;
    }
}
