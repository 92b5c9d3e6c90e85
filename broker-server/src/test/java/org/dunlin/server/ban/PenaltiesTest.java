package org.dunlin.server.ban;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PenaltiesTest {
    private final Penalties<String> penalties = new Penalties<>(3, 1000, 10_000);

    @Test
    void eachTime_isTwiceAsLong_upToTheLongest_untilItKeepsQuiet() {
        long now = 5;
        for (long expected : new long[] {1000, 2000, 4000, 8000, 10_000, 10_000}) {
            long until = penalties.add("a", now);
            assertEquals(expected, until - now);
            assertEquals(until, penalties.add("a", now + 1), "it is out already");
            assertEquals(until, penalties.until("a", until - 1));
            assertEquals(0, penalties.until("a", until));
            now = until;
        }
        assertEquals(1000, penalties.add("a", now + 10_000) - now - 10_000);
    }

    @Test
    void otherTimes_countForTheNext_andWhoIsOutStaysAsLongAsItWasTold() {
        assertEquals(1000, penalties.add("a", 0));
        penalties.times(10, 100);
        assertEquals(1000, penalties.until("a", 999));
        assertEquals(1000 + 20, penalties.add("a", 1000), "the second time");
        assertEquals(10, penalties.add("b", 0));
    }

    @Test
    void whenFull_nobodyGoesWhoIsOut_andWhoHasBeenOutGoesFirst() {
        penalties.add("short", 0);
        assertTrue(penalties.put("a", 50_000, 0));
        assertTrue(penalties.put("b", 50_000, 0));
        for (int i = 0; i < 1000; i++) {
            assertEquals(0, penalties.add("another-" + i, 500));
            assertFalse(penalties.put("another-" + i, 90_000, 500));
        }
        assertEquals(1000, penalties.until("short", 500));
        assertEquals(50_000, penalties.until("a", 500));

        assertEquals(3000, penalties.add("later", 2000));
        assertEquals(50_000, penalties.until("b", 2000));
        assertEquals(3, penalties.size());
    }

    @Test
    void removed_isLetIn_andForgotten() {
        penalties.add("a", 0);
        assertTrue(penalties.remove("a", 1));
        assertFalse(penalties.remove("a", 1));
        assertEquals(1002, penalties.add("a", 2));
        List<String> out = new ArrayList<>();
        penalties.forEach(1001, (key, until) -> out.add(key + until));
        penalties.forEach(1002, (key, until) -> out.add("ended"));
        assertEquals(List.of("a1002"), out);
    }
}
