package org.dunlin.server.metrics;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.dunlin.server.net.Traffic;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How much came and went in each few seconds of the last ten minutes. Any thread; looks by that of a clock. */
public final class Rates {
    public static final int INTERVAL_SECONDS = 5;
    private static final int KEPT = 120;

    private static final Logger LOG = LoggerFactory.getLogger("dunlin.metrics");

    private final Supplier<Totals> totals;
    private final ArrayDeque<Sample> samples = new ArrayDeque<>(KEPT);
    private @Nullable Totals former;
    private boolean failing;

    /**
     * What happened in the time up to a moment.
     *
     * @param atMillis time of day
     * @param messagesIn in that time, as all but {@code connections}, which is how many there were
     */
    public record Sample(
            long atMillis,
            long messagesIn,
            long messagesOut,
            long bytesIn,
            long bytesOut,
            int connections,
            long dropped) {}

    /** Since the start, but for {@code connections}, which is how many there are. */
    record Totals(long in, long out, long bytesIn, long bytesOut, int connections, long dropped) {
        private static Totals of(Sources sources) {
            Traffic.Reading traffic = sources.loops().traffic();
            return new Totals(
                    traffic.messagesReceived(),
                    traffic.messagesSent(),
                    traffic.bytesReceived(),
                    traffic.bytesSent(),
                    sources.broker().status().connections(),
                    sources.drops().total());
        }
    }

    public Rates(Sources sources) {
        this(() -> Totals.of(sources));
    }

    Rates(Supplier<Totals> totals) {
        this.totals = totals;
    }

    /** Begins to look, by a thread of this executor, until it is shut down. */
    public void start(ScheduledExecutorService clock) {
        clock.scheduleAtFixedRate(this::lookSafely, 0, INTERVAL_SECONDS, TimeUnit.SECONDS);
    }

    /** What a periodic task throws would end it without a word. A fault that stays is told once, and leaves a gap. */
    private synchronized void lookSafely() {
        try {
            look();
            failing = false;
        } catch (RuntimeException | Error fault) {
            former = null; // else the next sample would have what came in a longer time
            if (!failing) {
                failing = true;
                LOG.error(
                        "Reading the figures for the rates of the last ten minutes failed; it is tried again every {}"
                                + " seconds, and told again when it has worked in between",
                        INTERVAL_SECONDS,
                        fault);
            }
        }
    }

    private void look() {
        Totals now = totals.get();
        Totals before = former;
        former = now;
        if (before == null) {
            return;
        }
        if (samples.size() == KEPT) {
            samples.remove();
        }
        samples.add(new Sample(
                System.currentTimeMillis(),
                now.in - before.in,
                now.out - before.out,
                now.bytesIn - before.bytesIn,
                now.bytesOut - before.bytesOut,
                now.connections,
                now.dropped - before.dropped));
    }

    /** Oldest first. */
    public synchronized List<Sample> samples() {
        return new ArrayList<>(samples);
    }
}
