package org.dunlin.server.ban;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;

/**
 * Who is kept out for a while, and longer each time. Any thread. Bounded: if it is full of those who are out, nobody is added, and
 * nobody goes either; who has been out is forgotten first.
 */
final class Penalties<K> {
    /** Between two looks through a full table. */
    private static final long SWEPT_FULL_MILLIS = 1000;

    private final int most;
    private volatile Times times;
    private final Map<K, Penalty> penalties = new ConcurrentHashMap<>();
    /** When it was last looked through; of two threads at once each may do so. */
    private volatile long sweptMillis = Long.MIN_VALUE / 2;

    private record Times(long firstMillis, long mostMillis) {}

    /** @param times it has been out, this one included */
    private record Penalty(long untilMillis, int times) {}

    Penalties(int most, long firstMillis, long mostMillis) {
        this.most = most;
        this.times = new Times(firstMillis, mostMillis);
    }

    /** Other times count for whoever is kept out from now on; who is out already stays so for as long as it was told. */
    void times(long firstMillis, long mostMillis) {
        times = new Times(firstMillis, mostMillis);
    }

    /**
     * Keeps it out: for the first time for the first time, then for twice as long each time, unless it has kept quiet for the
     * longest time.
     *
     * @return until when, or 0 if there is no room; the same if it is out already
     */
    long add(K key, long nowMillis) {
        if (!hasRoom(key, nowMillis)) {
            return 0;
        }
        Times now = times;
        long firstMillis = now.firstMillis;
        long mostMillis = now.mostMillis;
        return penalties.compute(key, (same, former) -> {
                    if (former != null && former.untilMillis > nowMillis) {
                        return former;
                    }
                    boolean again = former != null && former.untilMillis + mostMillis > nowMillis;
                    int turn = again ? Math.min(former.times + 1, 60) : 1;
                    long grown = turn > 40 ? mostMillis : firstMillis << Math.min(turn - 1, 20);
                    return new Penalty(nowMillis + Math.min(Math.max(grown, firstMillis), mostMillis), turn);
                })
                .untilMillis;
    }

    /** Keeps it out until then, whatever it has been before. @return false if there is no room */
    boolean put(K key, long untilMillis, long nowMillis) {
        if (!hasRoom(key, nowMillis)) {
            return false;
        }
        penalties.put(key, new Penalty(untilMillis, 1));
        return true;
    }

    private boolean hasRoom(K key, long nowMillis) {
        boolean full = penalties.size() >= most;
        long mostMillis = times.mostMillis;
        if (nowMillis - sweptMillis >= (full ? SWEPT_FULL_MILLIS : mostMillis)) {
            sweptMillis = nowMillis;
            // those who would be out longer the next time are forgotten only for want of room
            long grace = full ? 0 : mostMillis;
            penalties.values().removeIf(penalty -> penalty.untilMillis + grace <= nowMillis);
        }
        return penalties.size() < most || penalties.containsKey(key);
    }

    /** Until when it is out; 0 if it is not. */
    long until(K key, long nowMillis) {
        if (penalties.isEmpty()) {
            return 0;
        }
        Penalty penalty = penalties.get(key);
        return penalty == null || penalty.untilMillis <= nowMillis ? 0 : penalty.untilMillis;
    }

    /** Lets it in, and forgets that it was out. @return false if it was not out */
    boolean remove(K key, long nowMillis) {
        Penalty penalty = penalties.remove(key);
        return penalty != null && penalty.untilMillis > nowMillis;
    }

    void forEach(long nowMillis, BiConsumer<K, Long> to) {
        List<Map.Entry<K, Penalty>> all = new ArrayList<>(penalties.entrySet());
        for (Map.Entry<K, Penalty> entry : all) {
            if (entry.getValue().untilMillis > nowMillis) {
                to.accept(entry.getKey(), entry.getValue().untilMillis);
            }
        }
    }

    int size() {
        return penalties.size();
    }
}
