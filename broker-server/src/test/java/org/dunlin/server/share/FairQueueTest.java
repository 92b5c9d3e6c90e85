package org.dunlin.server.share;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;

class FairQueueTest {
    private int atOnce = Integer.MAX_VALUE;
    private final AtomicInteger ready = new AtomicInteger();
    private final FairQueue<String> queue = new FairQueue<>(work -> atOnce, ready::incrementAndGet);

    private String take() {
        FairQueue.Taken<String> taken = queue.take();
        assertNotNull(taken);
        queue.done(taken);
        return taken.work();
    }

    @Test
    void sources_takeTurns() {
        for (String work : List.of("a1", "a2", "a3", "b1", "b2", "c1")) {
            assertTrue(queue.offer(work.charAt(0), work, 100));
        }
        List<String> order = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            order.add(take());
        }
        assertEquals(List.of("a1", "b1", "c1", "a2", "b2", "a3"), order);
        assertEquals(6, ready.get());
        assertNull(queue.take());
        assertEquals(0, queue.lanes());
        assertEquals(0, queue.waiting());
    }

    @Test
    void oneAlone_mayHaveHalf_moreMayHaveLessEach_andThereIsRoomForNewcomers() {
        int mine = 0;
        while (queue.offer("a", "", 100)) {
            mine++;
        }
        assertEquals(50, mine);
        int second = 0;
        while (queue.offer("b", "", 100)) {
            second++;
        }
        assertEquals(25, second);
        for (int i = 0; i < 25; i++) {
            assertTrue(queue.offer("other-" + i, "", 100), "newcomer " + i);
        }
        assertFalse(queue.offer("one too many", "", 100));
        assertEquals(100, queue.waiting());
        assertEquals(27, queue.lanes());
    }

    @Test
    void whoWouldWaitForTooManyTurns_isRefused_aNewcomerIsNot() {
        for (int i = 0; i < 10; i++) {
            assertTrue(queue.offer("a", "", 1000, 10));
        }
        assertFalse(queue.offer("a", "", 1000, 10));
        for (int i = 0; i < 5; i++) {
            assertTrue(queue.offer("b", "", 1000, 10), "two lanes, five turns of each");
        }
        assertFalse(queue.offer("b", "", 1000, 10));
        assertTrue(queue.offer("c", "", 1000, 3), "even if it goes slower by now");
        assertFalse(queue.offer("d", "", 1000, 3));
    }

    @Test
    void laneThatMayNotBeginMore_goesOnWhenItIsDone_andHoldsUpNobody() {
        atOnce = 1;
        queue.offer("a", "a1", 100);
        queue.offer("a", "a2", 100);
        queue.offer("b", "b1", 100);
        FairQueue.Taken<String> first = queue.take();
        assertNotNull(first);
        assertEquals("b1", take());
        assertNull(queue.take());
        int before = ready.get();
        queue.done(first);
        assertEquals(before + 1, ready.get());
        assertEquals("a2", take());
        assertEquals(0, queue.lanes());
    }

    @Test
    void zeroAtOnce_isTakenAllTheSame_oneByOne() {
        atOnce = 0;
        queue.offer("a", "a1", 100);
        queue.offer("a", "a2", 100);
        assertEquals("a1", take());
        assertEquals("a2", take());
    }

    @Test
    void underManyThreads_nothingIsLostOrDoneTwice_andNoSourceHasMoreUnderWayThanItMay() throws Exception {
        int pieces = 40_000;
        AtomicIntegerArray done = new AtomicIntegerArray(pieces);
        AtomicIntegerArray running = new AtomicIntegerArray(4);
        AtomicInteger most = new AtomicInteger();
        Semaphore permits = new Semaphore(0);
        Semaphore finished = new Semaphore(0);
        FairQueue<Integer> shared = new FairQueue<>(work -> 2, permits::release);
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < 4; t++) {
            threads.add(new Thread(() -> {
                while (true) {
                    permits.acquireUninterruptibly();
                    FairQueue.Taken<Integer> taken = shared.take();
                    if (taken == null) {
                        if (done.get(0) < 0) {
                            return;
                        }
                        continue;
                    }
                    int source = taken.work() % 4;
                    most.accumulateAndGet(running.incrementAndGet(source), Math::max);
                    done.incrementAndGet(taken.work());
                    running.decrementAndGet(source);
                    shared.done(taken);
                    finished.release();
                }
            }));
        }
        threads.forEach(Thread::start);
        for (int i = 0; i < pieces; i++) {
            while (!shared.offer(i % 4, i, 1000)) {
                Thread.onSpinWait();
            }
        }
        assertTrue(finished.tryAcquire(pieces, 60, TimeUnit.SECONDS), finished + " " + shared.waiting());
        for (int i = 0; i < pieces; i++) {
            assertEquals(1, done.get(i));
        }
        assertTrue(most.get() <= 2, "at once " + most);
        assertEquals(0, shared.waiting());
        done.set(0, -1);
        permits.release(4);
        for (Thread thread : threads) {
            thread.join(20_000);
            assertFalse(thread.isAlive());
        }
        assertEquals(0, shared.lanes());
    }
}
