package org.dunlin.server.auth;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Threads for work that takes a processor for a while, with a bounded queue. Any thread may give work; that takes no lock. */
final class HashWorkers implements Executor, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("dunlin.auth");

    private final int mostWaiting;
    private final Queue<Runnable> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger waiting = new AtomicInteger();
    private final Semaphore ready = new Semaphore(0);
    private final Thread[] threads;
    private volatile boolean closed;

    HashWorkers(int count, int mostWaiting) {
        this.mostWaiting = mostWaiting;
        this.threads = new Thread[count];
        for (int i = 0; i < count; i++) {
            threads[i] = new Thread(this::work, "auth-hash-" + (i + 1));
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
        if (waiting.incrementAndGet() > mostWaiting) {
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
            try {
                task.run();
            } catch (RuntimeException e) {
                LOG.atError().setCause(e).log("A login could not be checked");
            }
        }
    }

    /** What waits is forgotten; returns at once. */
    @Override
    public void close() {
        closed = true;
        queue.clear();
        ready.release(threads.length);
    }
}
