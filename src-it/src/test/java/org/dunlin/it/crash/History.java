package org.dunlin.it.crash;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** All that happened in a run, in one order. Any thread. */
final class History {
    /** @param nanos on the clock of {@link System#nanoTime()} */
    record Entry(long nanos, Event event) {}

    private final List<Entry> entries = new ArrayList<>();
    private final Map<MessageKey, MessageKey> keys = new ConcurrentHashMap<>();
    private int acknowledged;
    private int delivered;

    synchronized void add(Event event) {
        entries.add(new Entry(System.nanoTime(), event));
        if (event instanceof Event.Acknowledged) {
            acknowledged++;
        } else if (event instanceof Event.Delivered) {
            delivered++;
        }
    }

    /** One object for keys that are equal: long runs have millions. */
    MessageKey shared(MessageKey key) {
        MessageKey known = keys.putIfAbsent(key, key);
        return known == null ? key : known;
    }

    synchronized List<Entry> entries() {
        return List.copyOf(entries);
    }

    synchronized int size() {
        return entries.size();
    }

    synchronized int acknowledged() {
        return acknowledged;
    }

    synchronized int delivered() {
        return delivered;
    }
}
