package org.dunlin.bench;

import org.dunlin.core.routing.Answer;
import org.dunlin.core.routing.Gathering;
import org.dunlin.core.routing.Receiver;
import org.dunlin.core.routing.Subscription;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/** What the benchmarks of the trees are filled with. Any thread. */
final class TreeData {
    private TreeData() {}

    static Subscription subscription(String filter) {
        return new Subscription(
                new Silent(), TopicFilter.of(filter), Qos.AT_LEAST_ONCE, false, false, Subscription.NO_IDS);
    }

    static Message retained(String topic, long id) {
        return new Message(
                id, "c", TopicName.of(topic), new byte[16], Qos.AT_LEAST_ONCE, true, Message.NEVER, Message.NO_BYTES);
    }

    private static final class Silent implements Receiver {
        @Override
        public boolean durable() {
            return false;
        }

        @Override
        public String clientId() {
            return "";
        }

        @Override
        public void take(
                Message message, Qos qos, boolean retain, int[] subscriptionIds, @Nullable Answer answer) {
            throw new UnsupportedOperationException("A tree delivers nothing");
        }

        @Override
        public Gathering gathering() {
            throw new UnsupportedOperationException("A tree gathers nothing");
        }
    }
}
