package org.dunlin.bench;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import org.dunlin.core.routing.Answer;
import org.dunlin.core.routing.Gathering;
import org.dunlin.core.routing.Receiver;
import org.dunlin.core.routing.Subscription;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/** What the benchmarks are filled with. Any thread. */
final class Samples {
    private Samples() {}

    static Subscription subscription(String filter) {
        return new Subscription(
                new Silent(), TopicFilter.of(filter), Qos.AT_LEAST_ONCE, false, false, Subscription.NO_IDS);
    }

    static Message retained(String topic, long id) {
        return new Message(
                id, "c", TopicName.of(topic), new byte[16], Qos.AT_LEAST_ONCE, true, Message.NEVER, Message.NO_BYTES);
    }

    /** Content Type "application/json" and one User Property, as they stand in a PUBLISH. */
    static byte[] properties() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(3);
        text(out, "application/json");
        out.write(38);
        text(out, "unit");
        text(out, "celsius");
        return out.toByteArray();
    }

    private static void text(ByteArrayOutputStream out, String text) {
        out.write(0);
        out.write(text.length());
        out.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
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
        public void take(Message message, Qos qos, boolean retain, int[] subscriptionIds, @Nullable Answer answer) {
            throw new UnsupportedOperationException("A tree delivers nothing");
        }

        @Override
        public Gathering gathering() {
            throw new UnsupportedOperationException("A tree gathers nothing");
        }
    }
}
