package org.dunlin.server.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.dunlin.core.spi.Authenticator;
import org.junit.jupiter.api.Test;

class HashWorkersTest {
    private static final int SECONDS = 20;
    private static final long NO_BOUND = TimeUnit.DAYS.toNanos(1);

    @Test
    void queue_isBounded_andServedAgainWhenThereIsRoom() throws Exception {
        CountDownLatch busy = new CountDownLatch(2);
        CountDownLatch end = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(4);
        AtomicInteger refused = new AtomicInteger();
        try (HashWorkers workers = new HashWorkers("test", 2, 3, 1, NO_BOUND)) {
            for (int i = 0; i < 2; i++) {
                execute(workers, () -> {
                    busy.countDown();
                    await(end);
                    done.countDown();
                });
            }
            await(busy);
            for (int i = 0; i < 10; i++) {
                try {
                    execute(workers, done::countDown);
                } catch (RejectedExecutionException full) {
                    refused.incrementAndGet();
                }
            }
            assertEquals(8, refused.get()); // one place is left for others
            end.countDown();
            await(done);

            CountDownLatch after = new CountDownLatch(1);
            execute(workers, after::countDown);
            await(after);
        }
    }

    @Test
    void moreMayWait_whenTheyMayWaitLonger() {
        CountDownLatch end = new CountDownLatch(1);
        long second = TimeUnit.SECONDS.toNanos(1);
        try (HashWorkers workers = new HashWorkers("test", 1, 1000, second, 5 * second)) {
            execute(workers, () -> await(end));
            awaitIdle(workers);
            assertEquals(5, waiting(workers));
            workers.mostWait(9 * second);
            assertEquals(4, waiting(workers), "beside the five");
            end.countDown();
        }
    }

    private static int waiting(HashWorkers workers) {
        int taken = 0;
        while (true) {
            try {
                execute(workers, () -> {});
                taken++;
            } catch (RejectedExecutionException full) {
                return taken;
            }
        }
    }

    @Test
    void failingTask_doesNotEndItsThread() {
        try (HashWorkers workers = new HashWorkers("test", 1, 3, 1, NO_BOUND)) {
            execute(workers, () -> {
                throw new IllegalStateException("for the test");
            });
            CountDownLatch after = new CountDownLatch(1);
            execute(workers, after::countDown);
            await(after);
        }
    }

    private static void execute(HashWorkers workers, Runnable task) {
        execute(workers, "127.0.0.1", Integer.MAX_VALUE, task);
    }

    private static void execute(HashWorkers workers, String address, int atOnce, Runnable task) {
        workers.add(
                new Authenticator.Credentials("id", null, null, address + ":5", "tcp", null), new LoginQueue.Task() {
                    @Override
                    public int atOnce() {
                        return atOnce;
                    }

                    @Override
                    public void run() {
                        task.run();
                    }
                });
    }

    @Test
    void addressesTakeTurns_andAFullOneLeavesRoom() {
        List<String> order = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch end = new CountDownLatch(1);
        try (HashWorkers workers = new HashWorkers("test", 1, 100, 1, NO_BOUND)) {
            execute(workers, () -> await(end));
            awaitIdle(workers);
            int crowd = 0;
            while (crowd < 100) {
                try {
                    execute(workers, "10.0.0.1", 99, () -> order.add("crowd"));
                    crowd++;
                } catch (RejectedExecutionException full) {
                    break;
                }
            }
            assertEquals(50, crowd);
            CountDownLatch done = new CountDownLatch(2);
            for (String address : List.of("10.0.0.2", "10.0.0.3")) {
                execute(workers, address, 99, () -> {
                    order.add(address);
                    done.countDown();
                });
            }
            end.countDown();
            await(done);
            assertTrue(order.indexOf("10.0.0.3") <= 2, order.toString());
        }
    }

    @Test
    void addressWithFewGuessesLeft_isCheckedOneByOne_othersAreNot() {
        CountDownLatch busy = new CountDownLatch(1);
        CountDownLatch end = new CountDownLatch(1);
        CountDownLatch others = new CountDownLatch(3);
        CountDownLatch done = new CountDownLatch(3);
        try (HashWorkers workers = new HashWorkers("test", 2, 100, 1, NO_BOUND)) {
            execute(workers, "10.0.0.1", 1, () -> {
                busy.countDown();
                await(end);
                done.countDown();
            });
            await(busy);
            execute(workers, "10.0.0.1", 1, done::countDown);
            execute(workers, "10.0.0.1", 0, done::countDown);
            for (int i = 0; i < 3; i++) {
                execute(workers, "10.0.0.2", 9, others::countDown);
            }
            await(others);
            assertEquals(3, done.getCount());
            assertEquals(2, workers.waiting());
            end.countDown();
            await(done);
        }
    }

    /** Each task has taken longer than anybody wants to wait: one may work, and who comes next would wait for it. */
    @Test
    void whoWouldWaitTooLong_isRefusedAtOnce() throws Exception {
        try (HashWorkers workers = new HashWorkers("test", 1, 1000, 1, 1)) {
            CountDownLatch first = new CountDownLatch(1);
            for (int i = 0; i < 20; i++) {
                CountDownLatch done = new CountDownLatch(1);
                execute(workers, done::countDown);
                await(done);
            }
            execute(workers, () -> await(first)); // as long as it works
            awaitIdle(workers);
            execute(workers, () -> {}); // the one that waits
            assertThrows(RejectedExecutionException.class, () -> execute(workers, () -> {}));
            first.countDown();
        }
    }

    /** Until what was given is being worked on. */
    private static void awaitIdle(HashWorkers workers) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (workers.waiting() > 0) {
            assertTrue(System.nanoTime() < deadline);
            Thread.onSpinWait();
        }
    }

    @Test
    void closed_takesNothing() {
        HashWorkers workers = new HashWorkers("test", 1, 3, 1, NO_BOUND);
        workers.close();

        assertThrows(RejectedExecutionException.class, () -> execute(workers, () -> {}));
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(SECONDS, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
