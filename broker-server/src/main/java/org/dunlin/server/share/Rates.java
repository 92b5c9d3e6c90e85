package org.dunlin.server.share;

import java.time.Duration;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * How often each of many may do something: a token bucket for each, in memory that is bounded however many there are. Any thread;
 * takes no lock. Each key has a few places where it may be; if others have them all, the one goes that is nearest to a full
 * bucket, which begins with a full one when it comes again: many keys can loosen each other's bound, but never tighten it. Where
 * two threads meet, a token may be counted for the wrong key.
 */
public final class Rates {
    private static final int WAYS = 8;
    private static final long SECOND_NANOS = 1_000_000_000L;

    private final long intervalNanos;
    private final long burstNanos;
    private final int mask;
    private final long salt = new SplittableRandom().nextLong();
    /** 0 for a free place. */
    private final AtomicLongArray keys;
    /** When the bucket of the key in this place will be full. */
    private final AtomicLongArray full;

    /**
     * @param perSecond 1 or more
     * @param burst how many may come at once, 1 or more
     * @param places for keys, a power of two, 8 or more; each takes 16 bytes
     */
    public Rates(int perSecond, int burst, int places) {
        this(Duration.ofNanos(Math.max(1, SECOND_NANOS / perSecond)), burst, places);
    }

    /** @param interval after which there is one more */
    public Rates(Duration interval, int burst, int places) {
        if (burst < 1 || places < WAYS || Integer.bitCount(places) != 1) {
            throw new IllegalArgumentException(burst + " at once, " + places + " places");
        }
        this.intervalNanos = interval.toNanos();
        this.burstNanos = intervalNanos * (burst - 1);
        this.mask = places / WAYS - 1;
        this.keys = new AtomicLongArray(places);
        this.full = new AtomicLongArray(places);
    }

    /**
     * Takes a token.
     *
     * @param nowNanos by {@link System#nanoTime}, or another clock that is always the same
     * @return false if there is none
     */
    public boolean take(Object key, long nowNanos) {
        int place = place(key, nowNanos);
        while (true) {
            long before = full.get(place);
            long from = before - nowNanos > 0 ? before : nowNanos;
            if (from - nowNanos > burstNanos) {
                return false;
            }
            if (full.compareAndSet(place, before, from + intervalNanos)) {
                return true;
            }
        }
    }

    private int place(Object key, long nowNanos) {
        long hash = mix(key.hashCode() * 0x9E37_79B9_7F4A_7C15L ^ salt);
        long id = hash == 0 ? 1 : hash;
        int first = ((int) (hash >>> 40) & mask) * WAYS;
        while (true) {
            int spare = first;
            for (int i = first; i < first + WAYS; i++) {
                long there = keys.get(i);
                if (there == id) {
                    return i;
                }
                if (keys.get(spare) != 0 && (there == 0 || full.get(i) - full.get(spare) < 0)) {
                    spare = i;
                }
            }
            long there = keys.get(spare);
            if (keys.compareAndSet(spare, there, id)) {
                full.set(spare, nowNanos);
                return spare;
            }
        }
    }

    private static long mix(long z) {
        long a = (z ^ z >>> 30) * 0xBF58_476D_1CE4_E5B9L;
        long b = (a ^ a >>> 27) * 0x94D0_49BB_1331_11EBL;
        return b ^ b >>> 31;
    }
}
