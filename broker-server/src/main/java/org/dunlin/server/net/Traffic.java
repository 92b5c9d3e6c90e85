package org.dunlin.server.net;

import java.util.concurrent.atomic.AtomicLongArray;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;

/**
 * What one event loop has read from clients and written for them, in MQTT's own bytes. The loop's thread counts, by plain
 * additions; any thread reads.
 */
public final class Traffic {
    private static final int TYPES = PacketType.values().length;
    private static final int LEVELS = Qos.values().length;
    /** Fields of a loop's neighbour in memory must not share a line of the cache with it. */
    private static final int PAD = 16;

    private static final int PACKETS_IN = PAD;
    private static final int PACKETS_OUT = PACKETS_IN + TYPES;
    private static final int MESSAGES_IN = PACKETS_OUT + TYPES;
    private static final int MESSAGES_OUT = MESSAGES_IN + LEVELS;
    private static final int PAYLOAD_IN = MESSAGES_OUT + LEVELS;
    private static final int PAYLOAD_OUT = PAYLOAD_IN + LEVELS;
    private static final int BYTES_IN = PAYLOAD_OUT + LEVELS;
    private static final int BYTES_OUT = BYTES_IN + 1;
    private static final int OPENED = BYTES_OUT + 1;
    private static final int END = OPENED + 1;

    private final AtomicLongArray counts = new AtomicLongArray(END + PAD);

    Traffic() {}

    private void add(int at, long more) {
        counts.setOpaque(at, counts.getPlain(at) + more);
    }

    /** A connection was accepted. */
    void opened() {
        add(OPENED, 1);
    }

    void received(PacketType type, Packet packet) {
        add(PACKETS_IN + type.ordinal(), 1);
        if (packet instanceof Publish publish) {
            int qos = publish.message().qos().ordinal();
            add(MESSAGES_IN + qos, 1);
            add(PAYLOAD_IN + qos, publish.message().payload().length);
        }
    }

    void receivedBytes(int bytes) {
        add(BYTES_IN, bytes);
    }

    /** @param bytes of the packet; 0 if it was not written after all */
    void sent(PacketType type, int bytes) {
        if (bytes > 0) {
            add(PACKETS_OUT + type.ordinal(), 1);
            add(BYTES_OUT, bytes);
        }
    }

    /** Beside {@link #sent}. */
    void delivered(Qos qos, int payload, int bytes) {
        if (bytes > 0) {
            add(MESSAGES_OUT + qos.ordinal(), 1);
            add(PAYLOAD_OUT + qos.ordinal(), payload);
        }
    }

    /** Any thread. */
    public Reading read() {
        long[] read = new long[END];
        for (int i = PAD; i < END; i++) {
            read[i] = counts.getOpaque(i);
        }
        return new Reading(read);
    }

    /** What was counted up to a moment, by one loop or by several together. */
    public static final class Reading {
        private final long[] counts;

        private Reading(long[] counts) {
            this.counts = counts;
        }

        /** What loops have counted together. */
        static Reading sum(Iterable<NettyLoop> loops) {
            long[] sum = new long[END];
            for (NettyLoop loop : loops) {
                long[] one = loop.traffic().read().counts;
                for (int i = 0; i < END; i++) {
                    sum[i] += one[i];
                }
            }
            return new Reading(sum);
        }

        public long packetsReceived(PacketType type) {
            return counts[PACKETS_IN + type.ordinal()];
        }

        public long packetsReceived() {
            return over(PACKETS_IN, TYPES);
        }

        public long packetsSent(PacketType type) {
            return counts[PACKETS_OUT + type.ordinal()];
        }

        public long packetsSent() {
            return over(PACKETS_OUT, TYPES);
        }

        /** PUBLISH packets, those sent again included. */
        public long messagesReceived(Qos qos) {
            return counts[MESSAGES_IN + qos.ordinal()];
        }

        public long messagesReceived() {
            return over(MESSAGES_IN, LEVELS);
        }

        /** PUBLISH packets, by the QoS they were sent with. */
        public long messagesSent(Qos qos) {
            return counts[MESSAGES_OUT + qos.ordinal()];
        }

        public long messagesSent() {
            return over(MESSAGES_OUT, LEVELS);
        }

        public long payloadReceived(Qos qos) {
            return counts[PAYLOAD_IN + qos.ordinal()];
        }

        public long payloadReceived() {
            return over(PAYLOAD_IN, LEVELS);
        }

        public long payloadSent(Qos qos) {
            return counts[PAYLOAD_OUT + qos.ordinal()];
        }

        public long payloadSent() {
            return over(PAYLOAD_OUT, LEVELS);
        }

        /** Of whole packets, without what TLS and WebSocket add. */
        public long bytesReceived() {
            return counts[BYTES_IN];
        }

        public long bytesSent() {
            return counts[BYTES_OUT];
        }

        /** Connections accepted, whether CONNECT came or not. */
        public long opened() {
            return counts[OPENED];
        }

        private long over(int from, int count) {
            long sum = 0;
            for (int i = from; i < from + count; i++) {
                sum += counts[i];
            }
            return sum;
        }
    }
}
