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

    @Test
    void queue_isBounded_andServedAgainWhenThereIsRoom() throws Exception {
        CountDownLatch busy = new CountDownLatch(2);
        CountDownLatch end = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(5);
        AtomicInteger refused = new AtomicInteger();
        try (HashWorkers workers = new HashWorkers(2, 3)) {
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
        try (HashWorkers workers = new HashWorkers(1, 3)) {
            workers.execute(() -> {
                throw new IllegalStateException("for the test");
            });
            CountDownLatch after = new CountDownLatch(1);
            workers.execute(after::countDown);
            await(after);
        }
    }

    @Test
    void closed_takesNothing() {
        HashWorkers workers = new HashWorkers(1, 3);
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
