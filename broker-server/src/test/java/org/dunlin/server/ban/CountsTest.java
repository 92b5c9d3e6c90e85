package org.dunlin.server.ban;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class CountsTest {
    private final Counts<String> counts = new Counts<>(100, 1000, 0);

    @Test
    void whatHappensWithinAWindow_isCountedTogether_andForgottenAfterTwo() {
        for (int i = 1; i <= 10; i++) {
            assertEquals(i, counts.add("a", 100 * i));
        }
        assertEquals(10, counts.get("a", 1999));
        assertEquals(0, counts.get("a", 5000));
        assertEquals(1, counts.add("a", 5000));
    }

    @Test
    void otherWindow_countsAtOnce() {
        counts.add("a", 0);
        counts.window(10_000);
        assertEquals(2, counts.add("a", 5000));
        counts.window(100);
        assertEquals(0, counts.get("a", 5300));
    }

    @Test
    void reset_beginsAnew() {
        counts.add("a", 0);
        counts.add("a", 1000); // old and young
        counts.reset("a", 1001);
        assertEquals(0, counts.get("a", 1001));
        assertEquals(1, counts.add("a", 1002));
    }

    @Test
    void memory_isBounded() {
        for (int i = 0; i < 100_000; i++) {
            counts.add("key-" + i, 0);
        }
        assertTrue(counts.size() <= 102, counts.size() + " keys");
    }
}
