package org.dunlin.core.session;

import java.util.Arrays;
import org.dunlin.core.routing.Match;
import org.dunlin.mqtt.Message;
import org.jspecify.annotations.Nullable;

/**
 * What one shard has for another, in order: messages to fan out there, and tasks. Filled on the sender's thread, emptied once
 * on the receiver's.
 */
final class Outbox {
    private final Shard from;
    /** A {@link Message} or a {@link Runnable}. */
    private @Nullable Object[] items = new @Nullable Object[16];

    private @Nullable Match[] matches = new @Nullable Match[16];
    private @Nullable Ticket[] tickets = new @Nullable Ticket[16];
    private int size;
    private long bytes;

    Outbox(Shard from) {
        this.from = from;
    }

    Shard from() {
        return from;
    }

    int size() {
        return size;
    }

    /** Weight of the messages. */
    long bytes() {
        return bytes;
    }

    void add(Object item, @Nullable Match match, @Nullable Ticket ticket) {
        if (size == items.length) {
            items = Arrays.copyOf(items, size * 2);
            matches = Arrays.copyOf(matches, size * 2);
            tickets = Arrays.copyOf(tickets, size * 2);
        }
        if (item instanceof Message message) {
            bytes += message.weight();
        }
        items[size] = item;
        matches[size] = match;
        tickets[size++] = ticket;
    }

    Object item(int i) {
        Object item = items[i];
        assert item != null;
        return item;
    }

    Match match(int i) {
        Match match = matches[i];
        assert match != null;
        return match;
    }

    @Nullable
    Ticket ticket(int i) {
        return tickets[i];
    }
}
