package org.dunlin.server.share;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class RatesTest {
    private static final long SECOND = 1_000_000_000L;

    private static int taken(Rates rates, Object key, int tries, long now) {
        int taken = 0;
        for (int i = 0; i < tries; i++) {
            taken += rates.take(key, now) ? 1 : 0;
        }
        return taken;
    }

    @Test
    void burst_isTakenAtOnce_andComesBackWithTime() {
        Rates rates = new Rates(10, 5, 64);
        long start = Long.MAX_VALUE - SECOND; // a clock may wrap

        assertEquals(5, taken(rates, "a", 100, start));
        assertEquals(1, taken(rates, "a", 100, start + SECOND / 10));
        assertEquals(5, taken(rates, "a", 100, start + 10 * SECOND));
    }

    @Test
    void bucketOfOne_isRefilledAfterItsInterval() {
        Rates rates = new Rates(1, 1, 8);

        assertTrue(rates.take("a", 0));
        assertFalse(rates.take("a", SECOND - 1));
        assertTrue(rates.take("a", SECOND));
    }

    @Test
    void keys_haveBucketsOfTheirOwn() {
        Rates rates = new Rates(10, 5, 4096);
        for (int key = 0; key < 50; key++) {
            assertEquals(5, taken(rates, key, 6, 0));
        }
    }

    @Test
    void moreKeysThanPlaces_areStillServed_andBoundedWhileTheyCome() {
        Rates rates = new Rates(1, 2, 1024);
        for (int key = 0; key < 1_000_000; key++) {
            assertTrue(rates.take(key, key * 1000L), "a new key has a full bucket");
        }
        assertEquals(2, taken(rates, "late", 100, SECOND));
    }

    @Test
    void manyThreads_takeNoMoreThanThereIs() throws Exception {
        Rates rates = new Rates(1000, 1000, 64);
        assertTrue(rates.take(
                "key", 42)); // its place is settled: two that come for it first may each begin with a full bucket
        AtomicInteger taken = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Thread thread = new Thread(() -> taken.addAndGet(taken(rates, "key", 5000, 42)));
            threads.add(thread);
            thread.start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(999, taken.get());
    }
}
