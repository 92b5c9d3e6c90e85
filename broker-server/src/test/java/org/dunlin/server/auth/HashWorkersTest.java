package org.dunlin.server.auth;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class HashWorkersTest {
    private static final int SECONDS = 20;
    private static final long NO_BOUND = TimeUnit.DAYS.toNanos(1);

    @Test
    void queue_isBounded_andServedAgainWhenThereIsRoom() throws Exception {
        CountDownLatch busy = new CountDownLatch(2);
        CountDownLatch end = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(5);
        AtomicInteger refused = new AtomicInteger();
        try (HashWorkers workers = new HashWorkers("test", 2, 3, 1, NO_BOUND)) {
            for (int i = 0; i < 2; i++) {
                workers.execute(() -> {
                    busy.countDown();
                    await(end);
                    done.countDown();
                });
            }
            await(busy);
            for (int i = 0; i < 10; i++) {
                try {
                    workers.execute(done::countDown);
                } catch (RejectedExecutionException full) {
                    refused.incrementAndGet();
                }
            }
            assertEquals(7, refused.get());
            end.countDown();
            await(done);

            CountDownLatch after = new CountDownLatch(1);
            workers.execute(after::countDown);
            await(after);
        }
    }

    @Test
    void failingTask_doesNotEndItsThread() {
        try (HashWorkers workers = new HashWorkers("test", 1, 3, 1, NO_BOUND)) {
            workers.execute(() -> {
                throw new IllegalStateException("for the test");
            });
            CountDownLatch after = new CountDownLatch(1);
            workers.execute(after::countDown);
            await(after);
        }
    }

    /** Each task has taken longer than anybody wants to wait: one may work, and who comes next would wait for it. */
    @Test
    void whoWouldWaitTooLong_isRefusedAtOnce() throws Exception {
        try (HashWorkers workers = new HashWorkers("test", 1, 1000, 1, 1)) {
            CountDownLatch first = new CountDownLatch(1);
            for (int i = 0; i < 20; i++) {
                CountDownLatch done = new CountDownLatch(1);
                workers.execute(done::countDown);
                await(done);
            }
            workers.execute(() -> await(first)); // as long as it works
            awaitIdle(workers);
            workers.execute(() -> {}); // the one that waits
            assertThrows(RejectedExecutionException.class, () -> workers.execute(() -> {}));
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

        assertThrows(RejectedExecutionException.class, () -> workers.execute(() -> {}));
    }

    private static void await(CountDownLatch latch) {
        try {
            assertTrue(latch.await(SECONDS, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
