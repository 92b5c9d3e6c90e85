package org.dunlin.server.ban;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How often something has happened lately, for each of many. Any thread. What is older than a window, and at most two, is forgotten,
 * or sooner if there are too many.
 */
final class Counts<K> {
    private final int most;
    private volatile long windowMillis;
    private volatile Halves<K> halves;

    private record Halves<K>(Map<K, Integer> young, Map<K, Integer> old, long sinceMillis) {}

    /** @param most of them that are counted, about; at least 2 */
    Counts(int most, long windowMillis, long nowMillis) {
        this.most = most;
        this.windowMillis = windowMillis;
        this.halves = new Halves<>(new ConcurrentHashMap<>(), new ConcurrentHashMap<>(), nowMillis);
    }

    /** Another window counts from now on. */
    void window(long millis) {
        windowMillis = millis;
    }

    /** It has happened again. @return how often by now, 1 or more */
    int add(K key, long nowMillis) {
        Halves<K> now = current(nowMillis);
        Map<K, Integer> old = now.old;
        return now.young.compute(key, (same, count) -> (count == null ? old.getOrDefault(key, 0) : count) + 1);
    }

    int get(K key, long nowMillis) {
        Halves<K> now = current(nowMillis);
        Integer young = now.young.get(key);
        return young != null ? young : now.old.getOrDefault(key, 0);
    }

    void reset(K key, long nowMillis) {
        if (get(key, nowMillis) > 0) {
            current(nowMillis).young.put(key, 0);
        }
    }

    /** Of two threads that turn it at once one forgets a few. */
    private Halves<K> current(long nowMillis) {
        Halves<K> now = halves;
        long age = nowMillis - now.sinceMillis;
        long window = windowMillis;
        if (age >= 2 * window) {
            now = new Halves<>(new ConcurrentHashMap<>(), new ConcurrentHashMap<>(), nowMillis);
            halves = now;
        } else if (age >= window || now.young.size() >= most / 2) {
            now = new Halves<>(new ConcurrentHashMap<>(), now.young, nowMillis);
            halves = now;
        }
        return now;
    }

    int size() {
        Halves<K> now = halves;
        return now.young.size() + now.old.size();
    }
}
