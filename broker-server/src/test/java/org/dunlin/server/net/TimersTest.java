package org.dunlin.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.dunlin.core.spi.Loop;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(value = 1, unit = TimeUnit.MINUTES)
class TimersTest {
    private final NettyLoops loops = new NettyLoops(Transport.best(), 1, System::currentTimeMillis);
    private final NettyLoop loop = loops.all().get(0);
    private final Timers timers = new Timers(loop, loop.eventLoop());

    @AfterEach
    void stop() {
        loops.close();
    }

    private void onLoop(Runnable task) throws Exception {
        CompletableFuture<Void> done = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                task.run();
                done.complete(null);
            } catch (Throwable e) {
                done.completeExceptionally(e);
            }
        });
        done.get(Rig.WAIT_MILLIS, TimeUnit.MILLISECONDS);
    }

    @Test
    void schedule_manyAndSomeCancelled_runsTheOthersOnceInTheirOrderAndNotTooEarly() throws Exception {
        long seed = Long.getLong("dunlin.seed", System.nanoTime());
        System.out.println("dunlin.seed=" + seed);
        Random random = new Random(seed);
        int count = 2000;
        long[] due = new long[count]; // the timer's own time lies between these two
        long[] dueAtMost = new long[count];
        boolean[] cancelled = new boolean[count];
        List<Integer> ran = new ArrayList<>();
        List<String> early = new ArrayList<>();
        List<Loop.Timer> made = new ArrayList<>();
        CountDownLatch open = new CountDownLatch(1);
        onLoop(() -> {
            for (int i = 0; i < count; i++) {
                int number = i;
                int delay = random.nextInt(60);
                due[i] = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(delay);
                made.add(timers.schedule(
                        () -> {
                            ran.add(number);
                            if (System.nanoTime() - due[number] < 0) {
                                early.add(number + " of " + delay + " ms");
                            }
                        },
                        delay));
                dueAtMost[i] = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(delay);
                int victim = random.nextInt(i + 1);
                if (random.nextInt(3) == 0) {
                    made.get(victim).cancel(); // twice, as it happens
                    cancelled[victim] = true;
                }
            }
            timers.schedule(open::countDown, 100);
        });
        assertTrue(open.await(Rig.WAIT_MILLIS, TimeUnit.MILLISECONDS));
        List<Integer> expected = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            if (!cancelled[i]) {
                expected.add(i);
            }
        }
        onLoop(() -> {
            assertEquals(0, timers.size());
            assertEquals(List.of(), early);
            List<Integer> sorted = new ArrayList<>(ran);
            Collections.sort(sorted);
            assertEquals(expected, sorted);
            for (int i = 1; i < ran.size(); i++) {
                assertTrue(due[ran.get(i - 1)] - dueAtMost[ran.get(i)] <= 0, "not in the order of their times");
            }
        });
    }

    @Test
    void schedule_earlierThanWhatWaits_runsFirst() throws Exception {
        List<String> order = new ArrayList<>();
        CountDownLatch done = new CountDownLatch(2);
        onLoop(() -> {
            timers.schedule(
                    () -> {
                        order.add("later");
                        done.countDown();
                    },
                    200);
            timers.schedule(
                    () -> {
                        order.add("sooner");
                        done.countDown();
                    },
                    10);
        });
        assertTrue(done.await(Rig.WAIT_MILLIS, TimeUnit.MILLISECONDS));
        onLoop(() -> assertEquals(List.of("sooner", "later"), order));
    }

    @Test
    void schedule_fromAnotherThreadAndCancelledBeforeItArrives_doesNotRun() throws Exception {
        CountDownLatch go = new CountDownLatch(1);
        AtomicBoolean ran = new AtomicBoolean();
        CompletableFuture<Loop.Timer> made = new CompletableFuture<>();
        loop.execute(() -> {
            try {
                made.get(Rig.WAIT_MILLIS, TimeUnit.MILLISECONDS).cancel(); // before the loop has been told of it
            } catch (Exception e) {
                throw new AssertionError(e);
            }
            go.countDown();
        });
        made.complete(timers.schedule(() -> ran.set(true), 0));
        assertTrue(go.await(Rig.WAIT_MILLIS, TimeUnit.MILLISECONDS));
        CountDownLatch later = new CountDownLatch(1);
        timers.schedule(later::countDown, 5);
        assertTrue(later.await(Rig.WAIT_MILLIS, TimeUnit.MILLISECONDS));
        onLoop(() -> {
            assertEquals(0, timers.size());
            assertEquals(false, ran.get());
        });
    }

    @Test
    void schedule_withinATask_runsInItsTurn() throws Exception {
        CountDownLatch third = new CountDownLatch(1);
        timers.schedule(() -> timers.schedule(() -> timers.schedule(third::countDown, 5), 0), 5);
        assertTrue(third.await(Rig.WAIT_MILLIS, TimeUnit.MILLISECONDS));
    }

    @Test
    void schedule_forVeryLong_waits() throws Exception {
        AtomicBoolean ran = new AtomicBoolean();
        CountDownLatch later = new CountDownLatch(1);
        timers.schedule(() -> ran.set(true), Long.MAX_VALUE);
        timers.schedule(later::countDown, 20);
        assertTrue(later.await(Rig.WAIT_MILLIS, TimeUnit.MILLISECONDS));
        onLoop(() -> {
            assertEquals(1, timers.size());
            assertEquals(false, ran.get());
        });
    }
}
