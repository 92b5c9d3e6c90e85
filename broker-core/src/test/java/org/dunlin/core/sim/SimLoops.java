package org.dunlin.core.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Random;
import org.dunlin.core.spi.Loop;
import org.jspecify.annotations.Nullable;

/**
 * The test's thread only. Several loops and the world around them on one thread, in an order that a seed decides and by a
 * clock that only moves when nothing is left to do. Loops take turns task by task; now and then one of them lags behind.
 *
 * <p>A task enters a loop's queue the moment that it is given, as with any queue that threads share: what a loop is given
 * is in one order that all agree on, which is more than "by one thread" of {@link Loop#execute}.
 */
final class SimLoops {
    private final Random random;
    private final List<SimLoop> loops = new ArrayList<>();
    private final PriorityQueue<Due> due =
            new PriorityQueue<>(Comparator.<Due>comparingLong(d -> d.at).thenComparingLong(d -> d.number));
    private final int lagPercent;
    private long nowMicros = 1_000_000_000L;
    private long lastNumber;
    private @Nullable SimLoop running;
    private long steps;
    private int stepsToInterrupt;
    private Runnable interrupt = () -> {};
    private boolean booting;

    SimLoops(Random random, int count) {
        this.random = random;
        this.lagPercent = random.nextInt(3) == 0 ? 0 : random.nextInt(20);
        for (int i = 0; i < count; i++) {
            loops.add(new SimLoop());
        }
    }

    List<Loop> all() {
        return List.copyOf(loops);
    }

    Loop any() {
        return loops.get(random.nextInt(loops.size()));
    }

    long nowMillis() {
        return nowMicros / 1000;
    }

    long nowMicros() {
        return nowMicros;
    }

    /** Something in the world around: the network, a client, the disk. */
    void later(long micros, Runnable task) {
        due.add(new Due(nowMicros + micros, ++lastNumber, null, task));
    }

    /** Timers of the broker that have neither run nor been cancelled. */
    long pendingTimers() {
        return due.stream()
                .filter(d -> d.loop != null && !d.wake && !d.cancelled)
                .count();
    }

    /** Runs something of the world around when so many tasks of the loops have been run. */
    void interruptAfter(int tasks, Runnable task) {
        stepsToInterrupt = tasks;
        interrupt = task;
    }

    /** The process is gone, and its loops with all they had to do; another one has so many loops. */
    void restart(int count) {
        loops.forEach(SimLoop::die);
        due.removeIf(d -> d.loop != null);
        loops.clear();
        for (int i = 0; i < count; i++) {
            loops.add(new SimLoop());
        }
    }

    /** Runs what the loops are ready for, while no time passes. */
    void runReady() {
        booting = true;
        for (SimLoop loop = pick(); loop != null; loop = pick()) {
            loop.step();
        }
        booting = false;
    }

    /** Runs everything up to a moment. */
    void runFor(long millis) {
        long end = nowMicros + millis * 1000;
        while (true) {
            SimLoop loop = pick();
            if (loop != null) {
                loop.step();
                if (stepsToInterrupt > 0 && --stepsToInterrupt == 0) {
                    interrupt.run();
                }
                if (++steps % 5_000_000 == 0) {
                    throw new AssertionError("no end of tasks at " + nowMicros);
                }
                continue;
            }
            Due next = due.peek();
            if (next == null || next.at > end) {
                nowMicros = end;
                return;
            }
            due.remove();
            if (next.cancelled) {
                continue;
            }
            nowMicros = Math.max(nowMicros, next.at);
            next.ran = true;
            if (next.loop == null) {
                next.task.run();
            } else {
                next.loop.ready.add(next.task);
            }
        }
    }

    /** Runs so many tasks, ends of turns counted, or fewer if there are no more, while no time passes. */
    void runTasks(int count) {
        for (int i = 0; i < count; i++) {
            SimLoop loop = pick();
            if (loop != null) {
                loop.step();
            }
        }
    }

    /** Runs a task on a loop before all that it has to do. */
    void runNow(Loop on, Runnable task) {
        running = (SimLoop) on;
        task.run();
        running = null;
    }

    private @Nullable SimLoop pick() {
        int from = random.nextInt(loops.size());
        for (int i = 0; i < loops.size(); i++) {
            SimLoop loop = loops.get((from + i) % loops.size());
            if (loop.isReady()) {
                return loop;
            }
        }
        return null;
    }

    private static final class Due implements Loop.Timer {
        private final long at;
        private final long number;
        private final @Nullable SimLoop loop;
        private final Runnable task;
        private boolean wake;
        private boolean cancelled;
        private boolean ran;

        private Due(long at, long number, @Nullable SimLoop loop, Runnable task) {
            this.at = at;
            this.number = number;
            this.loop = loop;
            this.task = task;
        }

        @Override
        public void cancel() {
            SimLoop of = loop;
            assert of != null && of.inLoop() : "a timer is cancelled on its loop only";
            cancelled = !ran;
        }
    }

    /** One loop. */
    private final class SimLoop implements Loop {
        private final ArrayDeque<Runnable> ready = new ArrayDeque<>();
        private List<Runnable> atEnd = new ArrayList<>();
        /** Tasks that still belong to this turn; -1 between turns. */
        private int left = -1;

        private long lagsUntil;
        private boolean dead;

        void die() {
            dead = true;
        }

        boolean isReady() {
            return lagsUntil <= nowMicros && (!ready.isEmpty() || !atEnd.isEmpty() || left >= 0);
        }

        void step() {
            running = this;
            try {
                if (left < 0) {
                    left = ready.size();
                }
                if (left > 0) {
                    left--;
                    ready.remove().run();
                    return;
                }
                left = -1;
                List<Runnable> now = atEnd;
                atEnd = new ArrayList<>();
                now.forEach(Runnable::run);
            } finally {
                running = null;
            }
            if (!booting && random.nextInt(100) < lagPercent) {
                lagsUntil = nowMicros + random.nextInt(4000);
                Due wake = new Due(lagsUntil, ++lastNumber, this, () -> {});
                wake.wake = true;
                due.add(wake);
            }
        }

        @Override
        public boolean inLoop() {
            return running == this;
        }

        @Override
        public void execute(Runnable task) {
            if (!dead) {
                ready.add(task);
            }
        }

        @Override
        public void atEndOfTurn(Runnable task) {
            assert inLoop();
            atEnd.add(task);
        }

        @Override
        public boolean isTurnLong() {
            assert inLoop();
            return lagPercent > 0 && random.nextInt(8) == 0;
        }

        @Override
        public boolean isLate() {
            return lagsUntil > nowMicros;
        }

        @Override
        public Timer schedule(Runnable task, long delayMillis) {
            Due timer = new Due(nowMicros + Math.max(0, delayMillis) * 1000, ++lastNumber, this, task);
            due.add(timer);
            return timer;
        }

        @Override
        public long nowMillis() {
            return SimLoops.this.nowMillis();
        }
    }
}
