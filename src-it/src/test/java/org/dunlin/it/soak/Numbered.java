package org.dunlin.it.soak;

import java.nio.ByteBuffer;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;

/** Messages that say in their first eight bytes which one of their publisher they are, from 1. Any thread. */
final class Numbered {
    private Numbered() {}

    /** @param size of the payload, at least 8 */
    static Message message(String topic, long number, int size, Qos qos) {
        return new Message(
                0, "", TopicName.of(topic), payload(number, size), qos, false, Message.NEVER, Message.NO_BYTES);
    }

    static byte[] payload(long number, int size) {
        return ByteBuffer.allocate(size).putLong(number).array();
    }

    static long of(Message message) {
        return ByteBuffer.wrap(message.payload()).getLong();
    }
}
