package org.dunlin.server.trace;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Packets that were seen and wait for one reader. Loops add, one thread takes; nobody waits for anybody. What does not fit is
 * counted, and costs its loop no more than that.
 */
public final class Trace {
    static final int PACKETS_MOST = 1024;
    static final long BYTES_MOST = 4 << 20;

    private final Target target;
    private final Payload payload;
    private final boolean showsUserNames;
    private final ConcurrentLinkedQueue<TracedPacket> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger packets = new AtomicInteger();
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicInteger leftOut = new AtomicInteger();

    /** How much of a payload is shown. */
    public enum Payload {
        NONE(0),
        HEAD(64),
        /** Up to a bound that keeps a few large ones from filling the ring. */
        FULL(64 << 10);

        private final int bytes;

        Payload(int bytes) {
            this.bytes = bytes;
        }

        int bytes() {
            return bytes;
        }
    }

    Trace(Target target, Payload payload, boolean showsUserNames) {
        this.target = target;
        this.payload = payload;
        this.showsUserNames = showsUserNames;
    }

    Target target() {
        return target;
    }

    /** Adds a packet if there is room, and only then describes it. On a loop. */
    void add(Description seen) {
        if (packets.get() >= PACKETS_MOST || bytes.get() >= BYTES_MOST) {
            leftOut.incrementAndGet();
            return;
        }
        TracedPacket packet = seen.describe(payload.bytes(), showsUserNames);
        packets.incrementAndGet();
        bytes.addAndGet(packet.weight());
        int missing = leftOut.get() == 0 ? 0 : leftOut.getAndSet(0);
        waiting.add(missing == 0 ? packet : packet.behind(missing));
    }

    /** What is next, or null; it stays. Reader's thread. */
    public @Nullable TracedPacket peek() {
        return waiting.peek();
    }

    /** Lets go of what is next. Reader's thread. */
    public void remove() {
        TracedPacket gone = waiting.poll();
        if (gone != null) {
            packets.decrementAndGet();
            bytes.addAndGet(-gone.weight());
        }
    }

    /** Packets left out behind the last one. */
    public int leftOut() {
        return leftOut.get();
    }

    /** Packets that wait for the reader. */
    public int waiting() {
        return packets.get();
    }

    /** What can be said of a packet, if somebody has room for it. */
    interface Description {
        /** @param payloadBytes of the payload to show at most */
        TracedPacket describe(int payloadBytes, boolean showsUserNames);
    }
}
