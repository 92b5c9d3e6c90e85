package org.dunlin.mqtt;

import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;

/**
 * An application message, immutable for life: the same object travels from the publisher's socket to every
 * subscriber's buffer, queue, retained tree and store. What differs per transmission (packet identifier, DUP, granted
 * QoS, topic alias, subscription identifiers) is not in here. The arrays are shared and must not be written to. Any
 * thread.
 */
public final class Message {
    /** {@link #expiresAtMillis()} of a message without Message Expiry Interval. */
    public static final long NEVER = Long.MAX_VALUE;

    public static final byte[] NO_BYTES = new byte[0];

    private static final AtomicIntegerFieldUpdater<Message> HOLDERS =
            AtomicIntegerFieldUpdater.newUpdater(Message.class, "holders");

    private final long id;
    private final String publisher;
    private final TopicName topic;
    private final byte[] payload;
    private final Qos qos;
    private final boolean retain;
    private final long expiresAtMillis;
    private final byte[] properties;
    /** No part of the message: how many keep it, for whoever counts memory. */
    private volatile int holders;

    /**
     * @param id identity given at ingress, unique within one run of one broker
     * @param publisher client identifier of the client that published it; empty if the broker did
     * @param expiresAtMillis moment on the clock of the {@link Ingress} from which it is dropped, or {@link #NEVER}
     * @param properties the MQTT 5 properties that go to every receiver unaltered and in this order (Payload Format
     *     Indicator, Content Type, Response Topic, Correlation Data, User Property), in wire form without the length
     */
    public Message(
            long id,
            String publisher,
            TopicName topic,
            byte[] payload,
            Qos qos,
            boolean retain,
            long expiresAtMillis,
            byte[] properties) {
        this.id = id;
        this.publisher = publisher;
        this.topic = topic;
        this.payload = payload;
        this.qos = qos;
        this.retain = retain;
        this.expiresAtMillis = expiresAtMillis;
        this.properties = properties;
    }

    public long id() {
        return id;
    }

    public String publisher() {
        return publisher;
    }

    public TopicName topic() {
        return topic;
    }

    public byte[] payload() {
        return payload;
    }

    public Qos qos() {
        return qos;
    }

    /** The RETAIN flag as the publisher set it. */
    public boolean retain() {
        return retain;
    }

    public long expiresAtMillis() {
        return expiresAtMillis;
    }

    public boolean hasExpiry() {
        return expiresAtMillis != NEVER;
    }

    public boolean isExpired(long nowMillis) {
        return nowMillis >= expiresAtMillis;
    }

    /**
     * What is left of the Message Expiry Interval, rounded up so that a live message never says 0 [MQTT-3.3.2-6]; 0
     * once it is expired. Without an interval it is some large number.
     */
    public long remainingExpirySeconds(long nowMillis) {
        long left = Math.max(expiresAtMillis - nowMillis, 0);
        return left / 1000 + (left % 1000 == 0 ? 0 : 1);
    }

    public byte[] properties() {
        return properties;
    }

    /** Bytes that a queue or the retained tree is charged for it. */
    public int weight() {
        return payload.length + properties.length + topic.utf8().length + 64;
    }

    /** Notes one more who keeps it. @return whether nobody did */
    public boolean hold() {
        return HOLDERS.getAndIncrement(this) == 0;
    }

    /** Notes one fewer who keeps it. @return whether nobody does any more */
    public boolean letGo() {
        return HOLDERS.decrementAndGet(this) == 0;
    }

    @Override
    public String toString() {
        return "Message[" + topic + " qos" + qos.value() + (retain ? " retain " : " ") + payload.length + " bytes]";
    }
}
