package org.dunlin.persistence.rocksdb;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LongCountsTest {
    @Test
    void counts_areThoseOfAMap() {
        long seed = Long.getLong("dunlin.seed", System.nanoTime());
        Random random = new Random(seed);
        LongCounts counts = new LongCounts();
        Map<Long, Integer> expected = new HashMap<>();
        for (int i = 0; i < 400_000; i++) {
            // Few enough to meet again, and in runs, as identifiers come
            long key = 1 + random.nextInt(i < 200_000 ? 20_000 : 300) * (random.nextInt(4) == 0 ? 4096L : 1L);
            if (random.nextInt(5) < 2) {
                int more = 1 + random.nextInt(3);
                counts.add(key, more);
                expected.merge(key, more, Integer::sum);
            } else {
                Integer before = expected.get(key);
                int left = counts.release(key);
                assertEquals(before == null ? -1 : before - 1, left, "-Ddunlin.seed=" + seed);
                if (before != null) {
                    expected.put(key, left);
                    expected.remove(key, 0);
                }
            }
            assertEquals(expected.size(), counts.size(), "-Ddunlin.seed=" + seed);
        }
        for (Map.Entry<Long, Integer> entry : expected.entrySet()) {
            assertEquals(entry.getValue() - 1, counts.release(entry.getKey()), "-Ddunlin.seed=" + seed);
        }
        counts.clear();
        assertEquals(-1, counts.release(1));
    }
}
