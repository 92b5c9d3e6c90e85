package org.dunlin.server.metrics;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.dunlin.server.net.Traffic;
import org.jspecify.annotations.Nullable;

/** How much came and went in each few seconds of the last ten minutes. Any thread; looks by that of a clock. */
public final class Rates {
    public static final int INTERVAL_SECONDS = 5;
    private static final int KEPT = 120;

    private final Sources sources;
    private final ArrayDeque<Sample> samples = new ArrayDeque<>(KEPT);
    private @Nullable Totals former;

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

    private record Totals(long in, long out, long bytesIn, long bytesOut, long dropped) {}

    public Rates(Sources sources) {
        this.sources = sources;
    }

    /** Begins to look, by a thread of this executor, until it is shut down. */
    public void start(ScheduledExecutorService clock) {
        clock.scheduleAtFixedRate(this::look, 0, INTERVAL_SECONDS, TimeUnit.SECONDS);
    }

    private synchronized void look() {
        Traffic.Reading traffic = sources.loops().traffic();
        Totals now = new Totals(
                traffic.messagesReceived(),
                traffic.messagesSent(),
                traffic.bytesReceived(),
                traffic.bytesSent(),
                sources.drops().total());
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
                sources.broker().status().connections(),
                now.dropped - before.dropped));
    }

    /** Oldest first. */
    public synchronized List<Sample> samples() {
        return new ArrayList<>(samples);
    }
}
