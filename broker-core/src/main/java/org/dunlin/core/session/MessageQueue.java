package org.dunlin.core.session;

import org.dunlin.core.limits.QueueLimits;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.dunlin.core.limits.QueueLimits.Overflow;
import org.dunlin.core.spi.DropReason;
import org.jspecify.annotations.Nullable;

/**
 * Messages of one session or shared group that wait for its window, oldest first; bounded by number and bytes, with the
 * policies for a full queue. Shard thread only. Whatever it loses it reports.
 */
final class MessageQueue {
    private final QueueLimits limits;
    private final Drops drops;
    private final ArrayDeque<Outgoing> waiting = new ArrayDeque<>(4);
    private long bytes;
    /** Places promised to messages that are on their way through the store. */
    private int reserved;
    /** Publishers that wait for room, in their order. */
    private @Nullable ArrayDeque<Held> held;

    MessageQueue(QueueLimits limits, Drops drops) {
        this.limits = limits;
        this.drops = drops;
    }

    int size() {
        return waiting.size();
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    private boolean isFull(int weight) {
        return (long) waiting.size() + reserved >= limits.maxMessages()
                || !waiting.isEmpty() && bytes + weight > limits.maxBytes();
    }

    /** Whether a message may come in under a policy that refuses at a full queue; those that wait already are first. */
    boolean admits(int weight) {
        return !isFull(weight) && (held == null || held.isEmpty());
    }

    void reserve() {
        reserved++;
    }

    void unreserve() {
        reserved--;
    }

    /**
     * Adds one; at a full queue drops the oldest or, by {@link Overflow#DROP_NEWEST}, this one.
     *
     * @return false if this one was dropped
     */
    boolean add(Outgoing message, Overflow overflow) {
        int weight = message.message().weight();
        if (isFull(weight)) {
            if (overflow == Overflow.DROP_NEWEST) {
                drops.dropped(message, DropReason.QUEUE_FULL);
                return false;
            }
            while (isFull(weight) && !waiting.isEmpty()) {
                drops.dropped(remove(), DropReason.QUEUE_FULL);
            }
        }
        waiting.addLast(message);
        bytes += weight;
        return true;
    }

    /** Puts one back where {@link #poll} has taken it from. */
    void putBack(Outgoing message) {
        waiting.addFirst(message);
        bytes += message.message().weight();
    }

    private Outgoing remove() {
        Outgoing message = waiting.removeFirst();
        bytes -= message.message().weight();
        return message;
    }

    /** The oldest that has not expired [MQTT-3.3.2-5], or null; those who wait for room get it. */
    @Nullable
    Outgoing poll(long nowMillis) {
        while (!waiting.isEmpty()) {
            Outgoing message = remove();
            admitHeld();
            if (!message.message().isExpired(nowMillis)) {
                return message;
            }
            drops.dropped(message, DropReason.EXPIRED);
        }
        return null;
    }

    /** Lets a publisher wait for room. */
    void hold(Held publisher) {
        if (held == null) {
            held = new ArrayDeque<>(4);
        }
        held.add(publisher);
    }

    private void admitHeld() {
        while (held != null && !held.isEmpty() && !isFull(held.getFirst().weight())) {
            held.removeFirst().admitted();
        }
    }

    /** Ends the waiting of one publisher, or of all. */
    void giveUpHeld(Predicate<Held> which) {
        if (held == null) {
            return;
        }
        held.removeIf(publisher -> {
            boolean ends = which.test(publisher);
            if (ends) {
                publisher.gaveUp();
            }
            return ends;
        });
    }

    /** Takes out all that the test accepts, oldest first, and hands them over. */
    void takeOut(Predicate<Outgoing> which, Consumer<Outgoing> to) {
        List<Outgoing> taken = new ArrayList<>();
        waiting.removeIf(message -> {
            if (!which.test(message)) {
                return false;
            }
            bytes -= message.message().weight();
            taken.add(message);
            return true;
        });
        taken.forEach(to); // afterwards, since it may lead to another message for this queue
    }

    /** Told of each message that the queue loses. */
    interface Drops {
        void dropped(Outgoing message, DropReason reason);
    }

    /** A publisher whose acknowledgement waits for room; one of the two is called, once. */
    interface Held {
        int weight();

        void admitted();

        void gaveUp();
    }
}
