package org.dunlin.it.soak;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;

/**
 * Messages whose payload says which one of their publisher they are, from 1, and how long it is; the rest of it follows from the
 * number, so that a payload that was cut off or mixed up is known. Any thread.
 */
final class Numbered {
    /** Bytes that a payload has at least. */
    static final int LEAST = Long.BYTES + Integer.BYTES;

    private Numbered() {}

    /** @param size of the payload, at least {@link #LEAST} */
    static Message message(String topic, long number, int size, Qos qos) {
        return new Message(
                0, "", TopicName.of(topic), payload(number, size), qos, false, Message.NEVER, Message.NO_BYTES);
    }

    static byte[] payload(long number, int size) {
        byte[] payload = ByteBuffer.allocate(size).putLong(number).putInt(size).array();
        for (int i = LEAST; i < size; i++) {
            payload[i] = (byte) (number + i);
        }
        return payload;
    }

    /**
     * The number of a message.
     *
     * @throws AssertionError if its payload is not what was published
     */
    static long of(Message message) {
        byte[] payload = message.payload();
        long number = payload.length < LEAST ? 0 : ByteBuffer.wrap(payload).getLong();
        if (payload.length < LEAST || !Arrays.equals(payload, payload(number, payload.length))) {
            throw new AssertionError(
                    "a payload came altered, on " + message.topic().text());
        }
        return number;
    }
}
