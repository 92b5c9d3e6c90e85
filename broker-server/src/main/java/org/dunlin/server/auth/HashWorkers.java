package org.dunlin.server.auth;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.dunlin.core.spi.Authenticator.Credentials;
import org.dunlin.server.share.AddressBlock;
import org.dunlin.server.share.FairQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Threads for work that takes a processor for a while, with a queue that is bounded by number and by the time that the last in it
 * would wait, and in which the addresses that work comes from take turns. Any thread may give work; that waits for nothing.
 */
public final class HashWorkers implements LoginQueue, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("dunlin.auth");
    /** Of a task in the average: each new one counts for an eighth. */
    private static final int WEIGHT = 8;

    private final int mostWaiting;
    private volatile long mostWaitNanos;
    private final AtomicLong usualNanos = new AtomicLong();
    private final Semaphore ready = new Semaphore(0);
    private final FairQueue<Task> queue = new FairQueue<>(Task::atOnce, ready::release);
    private final Thread[] threads;
    private volatile boolean closed;

    /**
     * @param name of its threads, which are numbered
     * @param taskNanos that one task takes, until it is known better
     * @param mostWaitNanos by what the last tasks have taken; who would wait longer is refused at once instead
     */
    public HashWorkers(String name, int count, int mostWaiting, long taskNanos, long mostWaitNanos) {
        this.mostWaiting = mostWaiting;
        this.mostWaitNanos = mostWaitNanos;
        usualNanos.set(taskNanos);
        this.threads = new Thread[count];
        for (int i = 0; i < count; i++) {
            threads[i] = new Thread(this::work, name + "-" + (i + 1));
            threads[i].setDaemon(true);
            threads[i].start();
        }
    }

    /** As for new ones: counts for who comes from now on. */
    public void mostWait(long nanos) {
        mostWaitNanos = nanos;
    }

    /** @throws RejectedExecutionException if too many wait already, in all or from there, or it is closed */
    @Override
    public void add(Credentials of, Task task) {
        if (closed) {
            throw new RejectedExecutionException("closed");
        }
        AddressBlock source = AddressBlock.sourceOf(of.peer());
        long inTime = mostWaitNanos / Math.max(1, usualNanos.get()) * threads.length;
        int turns = (int) Math.min(Integer.MAX_VALUE, Math.max(threads.length, inTime));
        if (!queue.offer(source == null ? of.peer() : source, task, mostWaiting, turns)) {
            throw new RejectedExecutionException("full");
        }
    }

    private void work() {
        while (!closed) {
            ready.acquireUninterruptibly();
            FairQueue.Taken<Task> next = queue.take();
            if (next == null) {
                continue; // woken by close, or the others of its address have to be done first
            }
            long began = System.nanoTime();
            try {
                next.work().run();
            } catch (RuntimeException | OutOfMemoryError e) {
                LOG.atError().setCause(e).log("A login could not be checked");
            } finally {
                queue.done(next);
            }
            long taken = System.nanoTime() - began;
            usualNanos.updateAndGet(usual -> usual + (taken - usual) / WEIGHT);
        }
    }

    /** How many tasks nobody works on yet. */
    int waiting() {
        return queue.waiting();
    }

    /** What waits is forgotten; returns at once. */
    @Override
    public void close() {
        closed = true;
        queue.clear();
        ready.release(threads.length);
    }
}
