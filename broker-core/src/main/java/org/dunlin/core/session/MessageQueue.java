package org.dunlin.core.session;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Predicate;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.limits.QueueLimits.Overflow;
import org.dunlin.core.spi.DropReason;
import org.dunlin.mqtt.Message;
import org.jspecify.annotations.Nullable;

/**
 * Messages of one session or shared group that wait for its window, oldest first; bounded by number and bytes, with the
 * policies for a full queue. Shard thread only. Whatever it loses it reports.
 */
final class MessageQueue {
    private final QueueLimits limits;
    private final Predicate<Message> expired;
    private final Drops drops;
    private final ArrayDeque<Outgoing> waiting = new ArrayDeque<>(4);
    /** Of those that are not lent. */
    private long bytes;

    private int lent;
    /** Messages on their way through the store. */
    private int reserved;
    /** Those of them that must not be dropped any more, since their publishers have been promised as much. */
    private int promised;

    private long promisedBytes;
    /** Publishers that wait for room, in their order. */
    private @Nullable ArrayDeque<HeldBack> held;

    /** @param expired whether a message's time is up now */
    MessageQueue(QueueLimits limits, Predicate<Message> expired, Drops drops) {
        this.limits = limits;
        this.expired = expired;
        this.drops = drops;
    }

    int size() {
        return waiting.size();
    }

    /** How many of them a shared group has lent; they are bounded by its credits and not by this queue's limits. */
    int lent() {
        return lent;
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    /** Whether nothing waits, nothing is promised and nobody waits for room. */
    boolean isIdle() {
        return waiting.isEmpty() && reserved == 0 && !hasHeld();
    }

    boolean hasHeld() {
        return held != null && !held.isEmpty();
    }

    private boolean isFull(int weight) {
        int count = waiting.size() - lent + promised;
        return count >= limits.maxMessages() || count > 0 && bytes + promisedBytes + weight > limits.maxBytes();
    }

    /** Whether a message may come in under a policy that refuses at a full queue; those that wait for room are first. */
    boolean admits(int weight) {
        return !hasHeld() && !isFull(weight);
    }

    /** A message goes through the store first; under a policy that answers its place is kept. */
    void reserve(int weight, Overflow overflow) {
        reserved++;
        if (overflow.answers()) {
            promised++;
            promisedBytes += weight;
        }
    }

    void unreserve(int weight, Overflow overflow) {
        reserved--;
        if (overflow.answers()) {
            promised--;
            promisedBytes -= weight;
        }
    }

    /**
     * Adds one; at a full queue drops the oldest or, by {@link Overflow#DROP_NEWEST}, this one. Under a policy that answers
     * it has been admitted before and is never dropped.
     */
    void add(Outgoing message, Overflow overflow) {
        int weight = message.message().weight();
        if (!overflow.answers() && isFull(weight)) {
            if (overflow == Overflow.DROP_NEWEST) {
                drops.dropped(message, DropReason.QUEUE_FULL);
                return;
            }
            for (Iterator<Outgoing> oldest = waiting.iterator(); isFull(weight) && oldest.hasNext(); ) {
                Outgoing oldestMessage = oldest.next();
                if (oldestMessage.loan == null) {
                    oldest.remove();
                    bytes -= oldestMessage.message().weight();
                    drops.dropped(oldestMessage, DropReason.QUEUE_FULL);
                }
            }
        }
        waiting.addLast(message);
        bytes += weight;
    }

    /** Adds one that its lender has bounded already. */
    void addLent(Outgoing message) {
        waiting.addLast(message);
        lent++;
    }

    private void left(Outgoing message) {
        if (message.loan == null) {
            bytes -= message.message().weight();
        } else {
            lent--;
        }
    }

    /** The oldest that has not expired [MQTT-3.3.2-5], or null. */
    @Nullable
    Outgoing poll() {
        while (!waiting.isEmpty()) {
            Outgoing message = waiting.removeFirst();
            left(message);
            if (!expired.test(message.message())) {
                return message;
            }
            drops.dropped(message, DropReason.EXPIRED);
        }
        return null;
    }

    /** Lets a publisher wait for room. */
    void hold(HeldBack publisher) {
        if (held == null) {
            held = new ArrayDeque<>(4);
        }
        held.add(publisher);
    }

    /** Gives publishers that wait the room there is now. @return whether there were any */
    boolean admitHeld() {
        boolean any = false;
        while (held != null && !held.isEmpty() && !isFull(held.getFirst().weight())) {
            held.removeFirst().admitted();
            any = true;
        }
        return any;
    }

    /** Ends the waiting of one publisher, if it still waits. */
    void giveUpHeld(HeldBack publisher) {
        if (held != null && held.remove(publisher)) {
            publisher.gaveUp();
        }
    }

    /** Ends the waiting of all. */
    void giveUpAllHeld() {
        while (held != null && !held.isEmpty()) {
            held.removeFirst().gaveUp();
        }
    }

    /** Takes out all that the test accepts, oldest first. */
    List<Outgoing> takeOut(Predicate<Outgoing> which) {
        List<Outgoing> taken = new ArrayList<>();
        waiting.removeIf(message -> {
            if (!which.test(message)) {
                return false;
            }
            left(message);
            taken.add(message);
            return true;
        });
        return taken;
    }

    /** Told of each message that the queue loses; must not add to it. */
    interface Drops {
        void dropped(Outgoing message, DropReason reason);
    }
}
