package org.dunlin.server.auth;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Threads for work that takes a processor for a while, with a queue that is bounded by number and by the time that the last in it
 * would wait. Any thread may give work; that takes no lock.
 */
public final class HashWorkers implements Executor, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("dunlin.auth");
    /** Of a task in the average: each new one counts for an eighth. */
    private static final int WEIGHT = 8;

    private final int mostWaiting;
    private final long mostWaitNanos;
    private final Queue<Runnable> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final AtomicLong usualNanos = new AtomicLong();
    private final Semaphore ready = new Semaphore(0);
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

    /** @throws RejectedExecutionException if too many wait already, or it is closed */
    @Override
    public void execute(Runnable task) {
        if (closed) {
            throw new RejectedExecutionException("closed");
        }
        int rank = waiting.incrementAndGet();
        boolean late = rank > threads.length && usualNanos.get() * rank / threads.length > mostWaitNanos;
        if (rank > mostWaiting || late) {
            waiting.decrementAndGet();
            throw new RejectedExecutionException("full");
        }
        queue.add(task);
        ready.release();
    }

    private void work() {
        while (!closed) {
            ready.acquireUninterruptibly();
            Runnable task = queue.poll();
            if (task == null) {
                continue; // woken by close
            }
            waiting.decrementAndGet();
            long began = System.nanoTime();
            try {
                task.run();
            } catch (RuntimeException | OutOfMemoryError e) {
                LOG.atError().setCause(e).log("A login could not be checked");
            }
            long taken = System.nanoTime() - began;
            usualNanos.updateAndGet(usual -> usual + (taken - usual) / WEIGHT);
        }
    }

    /** How many tasks nobody works on yet. */
    int waiting() {
        return waiting.get();
    }

    /** What waits is forgotten; returns at once. */
    @Override
    public void close() {
        closed = true;
        queue.clear();
        ready.release(threads.length);
    }
}
