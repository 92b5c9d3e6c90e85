package org.dunlin.core.routing;

import java.util.Random;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/** Random topics and filters over few levels, so that they meet often. One thread. */
final class Topics {
    private static final String[] LEVELS = {"a", "b", "ab", "", "$x", "\u00e9", "\uD83D\uDE00", "a b", "\u0001", "z"};

    private final Random random;

    /** The seed is printed, and can be set with -Ddunlin.seed. */
    Topics() {
        this(Long.getLong("dunlin.seed", System.nanoTime()));
    }

    Topics(long seed) {
        System.out.println("dunlin.seed=" + seed);
        random = new Random(seed);
    }

    Random random() {
        return random;
    }

    TopicName topic() {
        StringBuilder text = new StringBuilder(random.nextInt(6) == 0 ? "$SYS/" : "");
        int depth = 1 + random.nextInt(5);
        for (int i = 0; i < depth; i++) {
            text.append(i == 0 ? "" : "/").append(LEVELS[random.nextInt(LEVELS.length)]);
        }
        return TopicName.of(text.isEmpty() ? "/" : text.toString());
    }

    TopicFilter filter() {
        StringBuilder text = new StringBuilder(random.nextInt(8) == 0 ? "$share/g" + random.nextInt(3) + "/" : "");
        if (random.nextInt(8) == 0) {
            text.append("$SYS/");
        }
        int depth = 1 + random.nextInt(5);
        int start = text.length();
        for (int i = 0; i < depth; i++) {
            text.append(i == 0 ? "" : "/");
            boolean last = i == depth - 1;
            int kind = random.nextInt(10);
            text.append(kind < 3 ? "+" : last && kind < 6 ? "#" : LEVELS[random.nextInt(LEVELS.length)]);
        }
        return TopicFilter.of(text.length() == start ? text + "/" : text.toString());
    }

    static Message retained(TopicName topic, long id, int payloadBytes) {
        return new Message(
                id, "c", topic, new byte[payloadBytes], Qos.AT_LEAST_ONCE, true, Message.NEVER, Message.NO_BYTES);
    }

    static Message retained(String topic, long id) {
        return retained(TopicName.of(topic), id, 1);
    }

    static Subscription subscription(Receiver receiver, String filter) {
        return subscription(receiver, TopicFilter.of(filter));
    }

    static Subscription subscription(Receiver receiver, TopicFilter filter) {
        return new Subscription(receiver, filter, Qos.AT_LEAST_ONCE, false, false, Subscription.NO_IDS);
    }

    static final class Someone implements Receiver {
        private final boolean durable;

        Someone(boolean durable) {
            this.durable = durable;
        }

        @Override
        public boolean durable() {
            return durable;
        }

        @Override
        public String clientId() {
            return "";
        }

        @Override
        public void take(Message message, Qos qos, boolean retain, int[] subscriptionIds, @Nullable Answer answer) {
            throw new AssertionError("A tree delivers nothing");
        }

        @Override
        public Gathering gathering() {
            throw new AssertionError("A tree gathers nothing");
        }
    }
}
