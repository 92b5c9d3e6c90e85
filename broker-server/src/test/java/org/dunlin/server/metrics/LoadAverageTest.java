package org.dunlin.server.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class LoadAverageTest {
    @Test
    void steadyRate_becomesTheAverage_soonerOfTheShorterWindow() {
        LoadAverage load = new LoadAverage();
        long total = 0;
        for (int tens = 1; tens <= 6; tens++) {
            total += 100;
            load.update(total, 10);
        }
        assertEquals(600 * (1 - Math.exp(-1)), load.perMinute(0), 0.01);
        assertEquals(600 * (1 - Math.exp(-1 / 5.0)), load.perMinute(1), 0.01);
        assertTrue(load.perMinute(2) < load.perMinute(1), load.perMinute(2) + " of 15 minutes");
        for (int tens = 0; tens < 1000; tens++) {
            total += 100;
            load.update(total, 10);
        }
        assertEquals(600, load.perMinute(2), 0.01);
    }
}
