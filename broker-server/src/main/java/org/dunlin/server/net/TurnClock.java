package org.dunlin.server.net;

import java.util.concurrent.TimeUnit;

/**
 * One event loop's thread only. How long what it is doing has lasted, to be asked after each step of it: the time is read only as
 * often as steps of that size need.
 */
final class TurnClock {
    /** How long a turn goes on with what could wait for the next one. */
    static final long LONG_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    private static final int LONGEST_STRIDE = 64;
    private static final int MOST_OF_A_LONG_TURN = 16;

    private final long longNanos;
    /** About how long steps last together before the time is read again. */
    private final long strideNanos;

    private long began;
    private long looked;
    private int stride = 1;
    private int left;
    private boolean runs;
    private boolean isLong;

    /** @param longNanos {@link #LONG_NANOS} as a rule; with 0 each step is long enough */
    TurnClock(long longNanos) {
        this.longNanos = longNanos;
        this.strideNanos = longNanos / 10;
    }

    boolean runs() {
        return runs;
    }

    void begin() {
        runs = true;
        isLong = false;
        began = System.nanoTime();
        looked = began;
        left = stride;
    }

    void end() {
        runs = false;
        isLong = false;
    }

    /** A step has been made. @return whether it has been long enough */
    boolean step() {
        if (isLong || --left > 0) {
            return isLong;
        }
        long now = System.nanoTime();
        long took = now - looked;
        if (took > strideNanos) {
            stride = Math.max(1, stride / 4);
        } else if (took < strideNanos / 4) {
            stride = Math.min(LONGEST_STRIDE, stride * 2);
        }
        looked = now;
        left = stride;
        isLong = now - began >= longNanos;
        return isLong;
    }

    /** Steps that somebody may make although it has been long enough: some hundred microseconds at most. */
    int least() {
        return Math.min(stride, MOST_OF_A_LONG_TURN);
    }
}
