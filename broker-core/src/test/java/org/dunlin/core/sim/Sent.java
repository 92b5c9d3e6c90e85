package org.dunlin.core.sim;

import org.dunlin.mqtt.Qos;

/** The test's thread only. One application message of a scripted client, known by its payload. */
final class Sent {
    static final long NOT_YET = -1;

    final String id;
    final String publisher;
    /** Which of the publisher's sessions; what a lost session has not got acknowledged is given up. */
    final int epoch;

    final String topic;
    /** Rises within (publisher, epoch, topic). */
    final int seq;

    final Qos qos;
    final boolean retain;
    /** Clears the retained message; it has no payload and so no identity. */
    final boolean clears;

    final boolean expires;
    /** Exceeds the Maximum Packet Size of clients that have one. */
    boolean large;
    /** Published by way of $delayed: it comes when it is due, in no order with others. */
    boolean delayed;

    final long sentAtMicros;
    long ackedAtMicros = NOT_YET;
    boolean refused;
    int times = 1;

    Sent(
            String id,
            String publisher,
            int epoch,
            String topic,
            int seq,
            Qos qos,
            boolean retain,
            boolean clears,
            boolean expires,
            long sentAtMicros) {
        this.id = id;
        this.publisher = publisher;
        this.epoch = epoch;
        this.topic = topic;
        this.seq = seq;
        this.qos = qos;
        this.retain = retain;
        this.clears = clears;
        this.expires = expires;
        this.sentAtMicros = sentAtMicros;
    }

    /** How long it is delayed, the same at each repetition. */
    int seconds() {
        return Math.floorMod(id.hashCode(), 3);
    }

    @Override
    public String toString() {
        return id + " (" + topic + " #" + seq + " " + qos + (retain ? " retain" : "") + (large ? " large" : "")
                + (delayed ? " delayed" : "") + ", sent " + times + " times)";
    }
}
