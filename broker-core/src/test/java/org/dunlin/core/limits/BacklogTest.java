package org.dunlin.core.limits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class BacklogTest {
    private static final int HIGH = 100;

    private final ArrayDeque<Runnable> looks = new ArrayDeque<>();
    private boolean late;
    private final Backlog backlog = new Backlog(HIGH, () -> late, looks::add);
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
        late = true;
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
        late = true;
        backlog.whenCalm(told::incrementAndGet);
        backlog.whenCalm(told::incrementAndGet);
        assertEquals(1, looks.size(), "one look for all");
        looks.remove().run();
        assertEquals(0, told.get());
        assertEquals(1, looks.size(), "looks again");
        late = false;
        looks.remove().run();
        assertEquals(2, told.get());
        assertEquals(0, looks.size());
    }
}
