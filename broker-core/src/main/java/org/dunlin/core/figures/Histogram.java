package org.dunlin.core.figures;

import java.util.concurrent.atomic.AtomicLongArray;

/** How often something took how long, or had what size. One thread records, any thread reads. */
public final class Histogram {
    private static final long MICRO = 1_000;
    private static final long MILLI = 1_000_000;
    private static final long SECOND = 1_000_000_000;

    private final long[] bounds;
    private final AtomicLongArray counts;
    private final Tally sum = new Tally();

    /** @param bounds of its buckets, inclusive and rising; what is above the last is counted, too */
    public Histogram(long... bounds) {
        this.bounds = bounds.clone();
        this.counts = new AtomicLongArray(bounds.length + 1);
    }

    /** One for nanoseconds, from 100 µs to 10 s. */
    public static Histogram ofNanos() {
        return new Histogram(
                100 * MICRO,
                250 * MICRO,
                500 * MICRO,
                MILLI,
                5 * MILLI / 2,
                5 * MILLI,
                10 * MILLI,
                25 * MILLI,
                50 * MILLI,
                100 * MILLI,
                250 * MILLI,
                500 * MILLI,
                SECOND,
                5 * SECOND / 2,
                5 * SECOND,
                10 * SECOND);
    }

    /** By its one thread only. */
    public void record(long value) {
        int bucket = 0;
        while (bucket < bounds.length && value > bounds[bucket]) {
            bucket++;
        }
        counts.setOpaque(bucket, counts.getPlain(bucket) + 1);
        sum.add(value);
    }

    /** Any thread. */
    public Reading read() {
        long[] read = new long[counts.length()];
        for (int i = 0; i < read.length; i++) {
            read[i] = counts.getOpaque(i);
        }
        return new Reading(bounds.clone(), read, sum.get());
    }

    /**
     * What it had at a moment, about.
     *
     * @param counts of each bucket alone, one more than there are bounds
     */
    public record Reading(long[] bounds, long[] counts, long sum) {
        /** Nothing was recorded, and nothing will be. */
        public static final Reading NONE = new Reading(new long[0], new long[1], 0);

        public long count() {
            long count = 0;
            for (long each : counts) {
                count += each;
            }
            return count;
        }
    }
}
