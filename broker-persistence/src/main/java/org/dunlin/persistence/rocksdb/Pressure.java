package org.dunlin.persistence.rocksdb;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Counts what waits to be written, and says when that is too much. Any thread. */
final class Pressure {
    private static final Logger LOG = LoggerFactory.getLogger(Pressure.class);
    private static final long BYTES_FULL = 64L << 20;
    private static final int CHANGES_FULL = 100_000;

    private final AtomicLong bytes = new AtomicLong();
    private final AtomicInteger changes = new AtomicInteger();
    private final Queue<Runnable> waiting = new ConcurrentLinkedQueue<>();
    private volatile boolean writable = true;

    boolean isWritable() {
        return writable;
    }

    int changes() {
        return changes.get();
    }

    long bytes() {
        return bytes.get();
    }

    /** Whether so much waits that nobody can have asked {@link #isWritable} for long. */
    boolean isBeyondAll() {
        return bytes.get() > 4 * BYTES_FULL;
    }

    void add(long size, int count) {
        long nowBytes = bytes.addAndGet(size);
        int nowChanges = changes.addAndGet(count);
        if (writable && (nowBytes > BYTES_FULL / 4 * 3 || nowChanges > CHANGES_FULL / 4 * 3)) {
            writable = false;
            openIfLow(); // it may have been taken off before this was set
        }
    }

    void takeOff(long size, int count) {
        bytes.addAndGet(-size);
        changes.addAndGet(-count);
        if (!writable) {
            openIfLow();
        }
    }

    void whenWritable(Runnable task) {
        if (writable) {
            task.run();
            return;
        }
        waiting.add(task);
        if (writable) {
            runWaiting();
        }
    }

    private void openIfLow() {
        if (bytes.get() <= BYTES_FULL / 2 && changes.get() <= CHANGES_FULL / 2) {
            writable = true;
            runWaiting();
        }
    }

    private void runWaiting() {
        for (Runnable task = waiting.poll(); task != null; task = waiting.poll()) {
            try {
                task.run();
            } catch (RuntimeException e) { // such as of a loop that has ended; the others and the writer go on
                LOG.debug("Nobody wants to know any more that the store is writable", e);
            }
        }
    }
}
