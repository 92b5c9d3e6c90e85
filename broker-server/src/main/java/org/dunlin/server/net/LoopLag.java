package org.dunlin.server.net;

import io.netty.channel.EventLoop;
import java.util.concurrent.TimeUnit;
import org.dunlin.core.figures.Histogram;

/**
 * How late an event loop gets to what is due: a timer that looks how late it fires. What is late is late for every client of the
 * loop, and whoever makes much work for it is slowed until it is not ({@link #isLate}). Its thread measures, any thread reads.
 */
public final class LoopLag {
    static final long PERIOD_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long WINDOW_NANOS = TimeUnit.SECONDS.toNanos(30);

    /** A lag from which on it is late, and one below which it no longer is. */
    static final long LATE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private static final long PUNCTUAL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final EventLoop loop;
    private final Histogram lags = Histogram.ofNanos();
    private volatile long due;
    private volatile long windowBegan;
    /** The longest of this window, and of the one before. */
    private volatile long longest;

    private volatile long longestBefore;
    private volatile boolean late;

    LoopLag(EventLoop loop) {
        this.loop = loop;
    }

    void start() {
        windowBegan = System.nanoTime();
        next(windowBegan);
    }

    private void next(long now) {
        due = now + PERIOD_NANOS;
        loop.schedule(this::fired, PERIOD_NANOS, TimeUnit.NANOSECONDS);
    }

    private void fired() {
        long now = System.nanoTime();
        long lag = Math.max(now - due, 0);
        lags.record(lag);
        if (late ? lag < PUNCTUAL_NANOS : lag > LATE_NANOS) {
            late = !late;
        }
        if (now - windowBegan > WINDOW_NANOS) {
            longestBefore = longest;
            longest = lag;
            windowBegan = now;
        } else if (lag > longest) {
            longest = lag;
        }
        next(now);
    }

    boolean isLate() {
        return late;
    }

    Reading read() {
        long standing = System.nanoTime() - due; // of a loop that stands still now
        return new Reading(lags.read(), Math.max(standing, Math.max(longest, longestBefore)));
    }

    /**
     * How late it was.
     *
     * @param nanos ten measures a second
     * @param longestNanos in the last half to one minute
     */
    public record Reading(Histogram.Reading nanos, long longestNanos) {}
}
