package org.dunlin.core.limits;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Any thread. What one event loop has still to do for others, and how late it is: who makes work for it is slowed while that is
 * too much, and hears when it is not any more.
 */
public final class Backlog {
    /** Weight of messages from which on it is too much, until a quarter is left. */
    private static final long BYTES_HIGH = 32L << 20;

    /** How many times as much it takes to slow clients that make little of it. */
    private static final int PATIENCE = 2;

    private final int high;
    private final BooleanSupplier late;
    private final Consumer<Runnable> soon;
    private final AtomicLong work = new AtomicLong();
    private final AtomicLong bytes = new AtomicLong();
    private final Queue<Runnable> waiters = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean looks = new AtomicBoolean();

    /**
     * @param high deliveries and tasks from which on it is too much, until a quarter is left
     * @param late whether the loop is late
     * @param soon has the loop run a task some hundredths of a second later
     */
    public Backlog(int high, BooleanSupplier late, Consumer<Runnable> soon) {
        this.high = high;
        this.late = late;
        this.soon = soon;
    }

    public void add(long deliveries, long weight) {
        work.addAndGet(deliveries);
        bytes.addAndGet(weight);
    }

    public void done(long deliveries, long weight) {
        work.addAndGet(-deliveries);
        bytes.addAndGet(-weight);
    }

    /** Deliveries and tasks that have not been done. */
    public long work() {
        return work.get();
    }

    public boolean isEmpty() {
        return work.get() == 0 && bytes.get() == 0;
    }

    /** @param much whether the client that asks makes much of it; one that makes little is slowed only when that does not help */
    public boolean isTooMuch(boolean much) {
        int times = much ? 1 : PATIENCE;
        return work.get() > (long) times * high || bytes.get() > times * BYTES_HIGH || much && late.getAsBoolean();
    }

    public boolean isCalm() {
        return work.get() < high / 4 && bytes.get() < BYTES_HIGH / 4 && !late.getAsBoolean();
    }

    /** Runs a short task, on any thread, when it is calm. */
    public void whenCalm(Runnable task) {
        waiters.add(task);
        if (!isCalm()) {
            lookLater();
        } else if (waiters.remove(task)) {
            task.run();
        }
    }

    /** Some of it is done: tells those who wait, if it is calm. */
    public void tell() {
        if (isCalm()) {
            for (Runnable waiter = waiters.poll(); waiter != null; waiter = waiters.poll()) {
                waiter.run();
            }
        }
    }

    /** Nothing tells of the end of a lag, so it is looked for. */
    private void lookLater() {
        if (looks.compareAndSet(false, true)) {
            soon.accept(this::look);
        }
    }

    private void look() {
        looks.set(false);
        tell();
        if (!waiters.isEmpty()) {
            lookLater();
        }
    }
}
