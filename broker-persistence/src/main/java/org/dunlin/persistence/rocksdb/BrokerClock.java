package org.dunlin.persistence.rocksdb;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The broker's time: steady while the process lives, by the wall clock over the time between two. Any thread. */
final class BrokerClock {
    private static final Logger LOG = LoggerFactory.getLogger(BrokerClock.class);
    /** A wall clock that is further ahead was set wrong, then or now: nothing must expire because of it. */
    private static final long LONGEST_PAUSE = TimeUnit.DAYS.toMillis(366);

    private static final long WORTH_A_WORD = 1000;

    private final LongSupplier wallMillis;
    private final LongSupplier nanos;
    private final long startMillis;
    private final long startNanos;

    /** @param last what was noted last; null for a new store */
    BrokerClock(LongSupplier wallMillis, LongSupplier nanos, Mark.@Nullable State last) {
        this.wallMillis = wallMillis;
        this.nanos = nanos;
        this.startNanos = nanos.getAsLong();
        long wall = wallMillis.getAsLong();
        this.startMillis = last == null ? wall : last.brokerMillis() + pause(last.wallMillis(), wall);
    }

    private static long pause(long from, long to) {
        long pause = to - from;
        if (pause < 0) {
            if (pause < -WORTH_A_WORD) {
                LOG.warn(
                        "The wall clock is {} s behind the one of the last run: no time is counted between",
                        -pause / 1000);
            }
            return 0;
        }
        if (pause > LONGEST_PAUSE) {
            LOG.warn(
                    "The wall clock is {} days ahead of the one of the last run, which is taken for a wrong clock, then or"
                            + " now: no time is counted between",
                    TimeUnit.MILLISECONDS.toDays(pause));
            return 0;
        }
        return pause;
    }

    long nowMillis() {
        return startMillis + (nanos.getAsLong() - startNanos) / 1_000_000;
    }

    Mark.State mark(long sequence, boolean clean) {
        return new Mark.State(sequence, nowMillis(), wallMillis.getAsLong(), clean);
    }
}
