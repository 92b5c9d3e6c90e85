package org.dunlin.core.limits;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class TakeoversTest {
    private static final long NOW = 1_700_000_000_000L;
    private final Takeovers takeovers = new Takeovers();

    @Test
    void fiveWithinAMinute_areALoop() {
        for (int i = 0; i < Takeovers.LOOP; i++) {
            assertFalse(takeovers.areALoop());
            takeovers.add(NOW + 2000 * i);
        }
        assertTrue(takeovers.areALoop());
    }

    @Test
    void aClientThatComesBackNowAndThen_isNone() {
        for (int i = 0; i < 1000; i++) {
            takeovers.add(NOW + 15_000L * i);
            assertFalse(takeovers.areALoop());
        }
    }

    @Test
    void delay_grows_isBounded_andEndsWithTheLoop() {
        long before = 0;
        for (int i = 0; i < 1000; i++) {
            takeovers.add(NOW);
            long delay = takeovers.delayMillis(NOW);
            assertTrue(delay >= before && delay <= Takeovers.DELAY_MOST_MILLIS, delay + " after " + before);
            before = delay;
        }
        assertEquals(Takeovers.DELAY_MOST_MILLIS, before);
        assertEquals(0, takeovers.delayMillis(NOW + 600_000));
        takeovers.add(NOW + 600_000);
        assertFalse(takeovers.areALoop());
    }
}
