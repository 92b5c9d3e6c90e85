package org.dunlin.it.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

class FlatnessTest {
    private static final double SECONDS = 2100;

    /** Read every five seconds, with noise around it. */
    private static Flatness of(double noise, DoubleUnaryOperator value) {
        Random random = new Random(7);
        List<Samples.Point> points = new ArrayList<>();
        for (double seconds = 0; seconds <= SECONDS; seconds += 5) {
            points.add(new Samples.Point(seconds, value.applyAsDouble(seconds) + noise * random.nextGaussian()));
        }
        return Flatness.of(points);
    }

    @Test
    void noiseAroundALevel_isFlat() {
        Flatness flatness = of(3, seconds -> 100);
        assertTrue(flatness.isFlat(), flatness.toString());
        assertEquals(0, flatness.slope(), 4 * flatness.error());
    }

    @Test
    void aWarmUpInTheFirstThird_isFlat() {
        Flatness flatness = of(1, seconds -> Math.min(seconds, SECONDS / 4));
        assertTrue(flatness.isFlat(), flatness.toString());
    }

    @Test
    void aSawTooth_isFlat() {
        Flatness flatness = of(1, seconds -> 50 + seconds % 60 * 3);
        assertTrue(flatness.isFlat(), flatness.toString());
    }

    @Test
    void aSlowLeak_isNot() {
        Flatness flatness = of(1, seconds -> 100 + 5 * seconds / SECONDS); // 5 MB in 35 minutes, 200 MB a day
        assertFalse(flatness.isFlat(), flatness.toString());
        assertEquals(5 / SECONDS, flatness.slope(), 4 * flatness.error());
    }

    @Test
    void aStepInTheLastThird_isNot() {
        Flatness flatness = of(1, seconds -> seconds < SECONDS * 0.9 ? 100 : 140);
        assertFalse(flatness.isFlat(), flatness.toString());
    }

    @Test
    void oneFileMore_isFlat() {
        Flatness flatness = of(0, seconds -> seconds < SECONDS * 0.9 ? 5 : 6);
        assertTrue(flatness.isFlat(), flatness.toString());
    }
}
