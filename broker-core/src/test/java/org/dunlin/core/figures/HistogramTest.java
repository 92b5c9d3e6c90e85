package org.dunlin.core.figures;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class HistogramTest {
    @Test
    void record_ofAValueAtABound_countsItBelow() {
        Histogram histogram = new Histogram(10, 100);
        for (long value : new long[] {0, 10, 11, 100, 101, 5000}) {
            histogram.record(value);
        }
        Histogram.Reading reading = histogram.read();
        assertArrayEquals(new long[] {2, 2, 2}, reading.counts());
        assertEquals(5222, reading.sum());
        assertEquals(6, reading.count());
    }

    @Test
    void read_whileAnotherThreadRecords_neverGoesBack() throws InterruptedException {
        Histogram histogram = Histogram.ofNanos();
        Thread writer = new Thread(() -> {
            for (int i = 0; i < 1_000_000; i++) {
                histogram.record(i);
            }
        });
        writer.start();
        long before = 0;
        while (writer.isAlive()) {
            long now = histogram.read().count();
            assertTrue(now >= before, () -> "fewer than before: " + now);
            before = now;
        }
        writer.join();
        assertEquals(1_000_000, histogram.read().count());
    }
}
