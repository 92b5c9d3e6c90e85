package org.dunlin.core.limits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicInteger;
import org.dunlin.core.spi.Loop;
import org.junit.jupiter.api.Test;

class BacklogTest {
    private static final int HIGH = 100;

    private final FakeLoop loop = new FakeLoop();
    private final Backlog backlog = new Backlog(loop, HIGH);
    private final AtomicInteger told = new AtomicInteger();

    @Test
    void isTooMuch_firstForThoseWhoMakeMuchOfIt_thenForAll() {
        backlog.add(HIGH, 0);
        assertFalse(backlog.isTooMuch(true));
        backlog.add(1, 0);
        assertTrue(backlog.isTooMuch(true));
        assertFalse(backlog.isTooMuch(false));
        backlog.add(HIGH, 0);
        assertTrue(backlog.isTooMuch(false));
        backlog.done(2 * HIGH + 1, 0);
        assertFalse(backlog.isTooMuch(true));
        assertTrue(backlog.isEmpty());
    }

    @Test
    void isTooMuch_byTheWeightOfFewMessages() {
        backlog.add(1, 33L << 20);
        assertTrue(backlog.isTooMuch(true));
        assertFalse(backlog.isTooMuch(false));
        backlog.add(1, 33L << 20);
        assertTrue(backlog.isTooMuch(false));
    }

    @Test
    void lateLoop_slowsThoseWhoMakeMuch_andNobodyElse() {
        loop.late = true;
        assertTrue(backlog.isTooMuch(true));
        assertFalse(backlog.isTooMuch(false));
    }

    @Test
    void whenCalm_runsAtOnce_orWhenAQuarterIsLeft() {
        backlog.whenCalm(told::incrementAndGet);
        assertEquals(1, told.get());
        backlog.add(HIGH + 1, 0);
        backlog.whenCalm(told::incrementAndGet);
        backlog.done(HIGH - HIGH / 4, 0);
        backlog.tell();
        assertEquals(1, told.get(), "there is more than a quarter");
        backlog.done(2, 0);
        backlog.tell();
        assertEquals(2, told.get());
        backlog.tell();
        assertEquals(2, told.get(), "once");
    }

    @Test
    void whenCalm_ofALateLoop_runsSoonAfterItIsPunctual_thoughNothingTellsOfThat() {
        loop.late = true;
        backlog.whenCalm(told::incrementAndGet);
        backlog.whenCalm(told::incrementAndGet);
        assertEquals(1, loop.timers.size(), "one look for all");
        loop.fire();
        assertEquals(0, told.get());
        assertEquals(1, loop.timers.size(), "looks again");
        loop.late = false;
        loop.fire();
        assertEquals(2, told.get());
        assertEquals(0, loop.timers.size());
    }

    private static final class FakeLoop implements Loop {
        private final ArrayDeque<Runnable> timers = new ArrayDeque<>();
        private boolean late;

        void fire() {
            timers.remove().run();
        }

        @Override
        public boolean inLoop() {
            return true;
        }

        @Override
        public void execute(Runnable task) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void atEndOfTurn(Runnable task) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean isTurnLong() {
            return false;
        }

        @Override
        public boolean isLate() {
            return late;
        }

        @Override
        public Timer schedule(Runnable task, long delayMillis) {
            timers.add(task);
            return () -> timers.remove(task);
        }

        @Override
        public long nowMillis() {
            return 0;
        }
    }
}
