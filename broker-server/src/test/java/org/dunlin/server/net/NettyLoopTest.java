package org.dunlin.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
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
        try (NettyLoops loops = new NettyLoops(transport, 1, System::currentTimeMillis)) {
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
        try (NettyLoops loops = new NettyLoops(transport, 1, System::currentTimeMillis)) {
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
        try (NettyLoops loops = new NettyLoops(transport, 1, System::currentTimeMillis)) {
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
        try (NettyLoops loops = new NettyLoops(transport, 1, System::currentTimeMillis)) {
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
        try (NettyLoops loops = new NettyLoops(transport, 2, System::currentTimeMillis)) {
            long before = loops.all().get(0).nowMillis();
            long after = loops.all().get(1).nowMillis();
            assertTrue(after >= before);
            assertTrue(Math.abs(System.currentTimeMillis() - after) < 60_000);
            assertFalse(loops.all().get(0).inLoop());
        }
    }

    /** All ways to a loop: a failure of the JVM is not that of a task. */
    @ParameterizedTest
    @MethodSource("transports")
    void virtualMachineError_inATaskOfAnyKind_endsTheProcess(Transport transport) throws Exception {
        BiConsumer<NettyLoop, Runnable> execute = NettyLoop::execute;
        BiConsumer<NettyLoop, Runnable> schedule = (loop, task) -> loop.schedule(task, 1);
        BiConsumer<NettyLoop, Runnable> atEndOfTurn = (loop, task) -> loop.execute(() -> loop.atEndOfTurn(task));
        for (var way : List.of(execute, schedule, atEndOfTurn)) {
            for (Throwable failure : List.of(
                    new OutOfMemoryError("meant by this test"),
                    new InternalError("meant by this test"),
                    new IllegalStateException("wraps", new OutOfMemoryError("meant by this test")))) {
                assertEquals(Failures.HALT_STATUS, statusAfter(transport, way, failure));
            }
            assertEquals(-1, statusAfter(transport, way, new AssertionError("meant by this test")));
        }
    }

    /** What the process would have ended with; -1 if it went on. */
    private static int statusAfter(Transport transport, BiConsumer<NettyLoop, Runnable> way, Throwable failure)
            throws InterruptedException {
        AtomicInteger status = new AtomicInteger(-1);
        AtomicReference<Throwable> seen = new AtomicReference<>();
        CountDownLatch reported = new CountDownLatch(1);
        Failures failures = new Failures(
                each -> {
                    seen.set(each);
                    reported.countDown();
                },
                status::set);
        try (NettyLoops loops =
                new NettyLoops(transport, 1, System::currentTimeMillis, failures, TurnClock.LONG_NANOS)) {
            NettyLoop loop = loops.all().get(0);
            way.accept(loop, () -> NettyLoopTest.<RuntimeException>sneak(failure));
            assertTrue(reported.await(Rig.WAIT_MILLIS, TimeUnit.MILLISECONDS), "nobody was told");
            assertSame(failure, seen.get());
            CountDownLatch done = new CountDownLatch(1);
            on(loop, () -> loop.atEndOfTurn(done::countDown), done);
        }
        return status.get();
    }

    @SuppressWarnings("unchecked")
    private static <E extends Throwable> void sneak(Throwable failure) throws E {
        throw (E) failure;
    }

    @ParameterizedTest
    @MethodSource("transports")
    void atEndOfTurn_afterAnErrorThere_runsEachOfTheOthersOnce(Transport transport) throws Exception {
        try (NettyLoops loops = new NettyLoops(transport, 1, System::currentTimeMillis)) {
            NettyLoop loop = loops.all().get(0);
            AtomicInteger ran = new AtomicInteger();
            CountDownLatch done = new CountDownLatch(1);
            on(
                    loop,
                    () -> {
                        loop.atEndOfTurn(ran::incrementAndGet);
                        loop.atEndOfTurn(() -> {
                            throw new AssertionError("meant by this test");
                        });
                        loop.atEndOfTurn(() ->
                                loop.atEndOfTurn(() -> loop.atEndOfTurn(() -> loop.atEndOfTurn(done::countDown))));
                    },
                    done);
            assertEquals(1, ran.get());
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void loop_thatEndsByItself_endsTheProcess_andOneThatIsClosedDoesNot(Transport transport) throws Exception {
        CountDownLatch halted = new CountDownLatch(1);
        Failures failures = new Failures(failure -> {}, status -> halted.countDown());
        try (NettyLoops loops =
                new NettyLoops(transport, 1, System::currentTimeMillis, failures, TurnClock.LONG_NANOS)) {
            loops.group().shutdownGracefully(0, 0, TimeUnit.MILLISECONDS);
            assertTrue(halted.await(Rig.WAIT_MILLIS, TimeUnit.MILLISECONDS), "a dead loop goes unnoticed");
        }
        AtomicInteger status = new AtomicInteger(-1);
        try (NettyLoops loops = new NettyLoops(
                transport,
                1,
                System::currentTimeMillis,
                new Failures(failure -> {}, status::set),
                TurnClock.LONG_NANOS)) {
            loops.all().get(0).execute(() -> {});
        }
        assertEquals(-1, status.get());
    }
}
