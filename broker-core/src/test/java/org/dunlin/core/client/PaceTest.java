package org.dunlin.core.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PaceTest {
    private static final long NOW = 1_700_000_000_000L;

    /** Messages until it has to wait. */
    private static int until(Pace pace, long bytes, long now) {
        for (int i = 1; i <= 1000; i++) {
            if (pace.spend(bytes) && pace.waitMillis(now) > 0) {
                return i;
            }
        }
        return -1;
    }

    @Test
    void messages_areCounted_fromSecondToSecond() {
        Pace pace = new Pace(10, 0);
        assertEquals(11, until(pace, 1 << 20, NOW)); // the first one begins the second
        assertEquals(700, pace.waitMillis(NOW + 300));
        assertEquals(0, pace.waitMillis(NOW + 1000));
        assertEquals(10, until(pace, 1, NOW + 1000));
    }

    @Test
    void bytes_areOwed_whenOneMessageIsLargerThanASecondsWorth() {
        Pace pace = new Pace(0, 100);
        assertTrue(pace.spend(1));
        assertEquals(0, pace.waitMillis(NOW));

        assertTrue(pace.spend(350));

        assertEquals(1000, pace.waitMillis(NOW));
        assertTrue(pace.waitMillis(NOW + 1000) > 0);
        assertTrue(pace.waitMillis(NOW + 2000) > 0);
        assertEquals(0, pace.waitMillis(NOW + 3000));
    }

    @Test
    void whatWasNotUsed_isNotSavedUp() {
        Pace pace = new Pace(10, 1000);
        until(pace, 1, NOW);
        assertEquals(0, pace.waitMillis(NOW + 3_600_000));
        assertEquals(10, until(pace, 1, NOW + 3_600_000));
    }

    @Test
    void withoutBounds_nothingWaits_andTheClockIsNotAskedAgain() {
        Pace pace = new Pace(0, 0);
        assertTrue(pace.spend(1));
        assertEquals(0, pace.waitMillis(NOW));
        for (int i = 0; i < 1000; i++) {
            assertFalse(pace.spend(Integer.MAX_VALUE));
        }
    }
}
