package org.dunlin.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.dunlin.core.spi.Loop;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(value = 1, unit = TimeUnit.MINUTES)
class NettyLoopTest {
    static Stream<Transport> transports() {
        return Transport.available().stream();
    }

    private static void on(NettyLoop loop, Runnable first, CountDownLatch done) throws InterruptedException {
        loop.execute(first);
        assertTrue(done.await(Rig.WAIT_MILLIS, TimeUnit.MILLISECONDS), "the loop did not get to it");
    }

    @ParameterizedTest
    @MethodSource("transports")
    void atEndOfTurn_comesAfterTheTasksOfTheTurn(Transport transport) throws Exception {
        try (NettyLoops loops = new NettyLoops(transport, 1)) {
            NettyLoop loop = loops.all().get(0);
            List<String> order = new ArrayList<>();
            CountDownLatch done = new CountDownLatch(1);
            on(
                    loop,
                    () -> {
                        loop.atEndOfTurn(() -> {
                            order.add("end");
                            done.countDown();
                        });
                        loop.execute(() -> order.add("task"));
                        order.add("first");
                    },
                    done);
            assertEquals(List.of("first", "task", "end"), order);
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void atEndOfTurn_givenAtTheEndOfATurn_comesAtTheEndOfTheNextWithoutAnythingElseToWakeTheLoop(Transport transport)
            throws Exception {
        try (NettyLoops loops = new NettyLoops(transport, 1)) {
            NettyLoop loop = loops.all().get(0);
            List<String> order = new ArrayList<>();
            CountDownLatch done = new CountDownLatch(1);
            on(
                    loop,
                    () -> loop.atEndOfTurn(() -> {
                        order.add("end 1");
                        loop.atEndOfTurn(() -> {
                            order.add("end 2");
                            loop.atEndOfTurn(done::countDown);
                        });
                        loop.execute(() -> order.add("task of turn 2"));
                    }),
                    done);
            assertEquals(List.of("end 1", "task of turn 2", "end 2"), order);
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void atEndOfTurn_afterOneThatThrows_stillRuns(Transport transport) throws Exception {
        try (NettyLoops loops = new NettyLoops(transport, 1)) {
            NettyLoop loop = loops.all().get(0);
            CountDownLatch done = new CountDownLatch(1);
            on(
                    loop,
                    () -> {
                        loop.atEndOfTurn(() -> {
                            throw new IllegalStateException("a fault that this test means");
                        });
                        loop.atEndOfTurn(done::countDown);
                    },
                    done);
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void schedule_thatWasCancelled_neverRuns(Transport transport) throws Exception {
        try (NettyLoops loops = new NettyLoops(transport, 1)) {
            NettyLoop loop = loops.all().get(0);
            AtomicInteger ran = new AtomicInteger();
            CountDownLatch done = new CountDownLatch(1);
            on(
                    loop,
                    () -> {
                        Loop.Timer timer = loop.schedule(ran::incrementAndGet, 20);
                        timer.cancel();
                        timer.cancel();
                        loop.schedule(done::countDown, 40);
                    },
                    done);
            assertEquals(0, ran.get());
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void nowMillis_isTheWallClockOnAllLoops(Transport transport) {
        try (NettyLoops loops = new NettyLoops(transport, 2)) {
            long before = loops.all().get(0).nowMillis();
            long after = loops.all().get(1).nowMillis();
            assertTrue(after >= before);
            assertTrue(Math.abs(System.currentTimeMillis() - after) < 60_000);
            assertFalse(loops.all().get(0).inLoop());
        }
    }
}
