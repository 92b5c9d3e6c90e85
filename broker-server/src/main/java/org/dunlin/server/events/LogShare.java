package org.dunlin.server.events;

import java.time.Duration;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.dunlin.server.share.Rates;

/**
 * Any thread; takes no lock. How much of the log one kind of event may take: so much for each that causes it, and so much in all, so
 * that nobody can fill it. What is left out is counted.
 */
final class LogShare {
    /** Causes that are told apart: 64 KB. */
    private static final int PLACES = 4096;

    private final LongSupplier nanoTime;
    private final Rates each;
    private final Rates all;
    private final LongAdder leftOut = new LongAdder();

    /**
     * @param interval between two lines about the same, once the first are used up
     * @param first lines about the same that are always written
     * @param allPerSecond lines in all; ten times as many at once
     */
    LogShare(Duration interval, int first, int allPerSecond, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.each = new Rates(interval, first, PLACES);
        this.all = new Rates(allPerSecond, 10 * allPerSecond, 8);
    }

    /**
     * It has happened.
     *
     * @param cause the address or client, with the reason
     * @return how many times it was not logged since the last line, whoever caused it, if this time is; else -1
     */
    long leftOut(Object cause, long times) {
        return leftOut(cause, times, nanoTime.getAsLong());
    }

    /** As above, by a clock that the caller has read already. */
    long leftOut(Object cause, long times, long now) {
        if (each.take(cause, now) && all.take("", now)) {
            return leftOut.sumThenReset();
        }
        leftOut.add(times);
        return -1;
    }
}
