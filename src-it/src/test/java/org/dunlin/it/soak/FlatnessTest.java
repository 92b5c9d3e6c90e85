package org.dunlin.it.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FlatnessTest {
    private static final long SEED = Long.getLong("dunlin.seed", 7);
    private static final double SECONDS = 2100;
    private static final int SERIES = 5000;

    /** Read every five seconds, with noise around it. */
    private static Flatness of(double noise, DoubleUnaryOperator value) {
        return of(SECONDS, 5, new Slow(new Random(SEED), noise, 0), value);
    }

    private static Flatness of(double end, double every, Slow noise, DoubleUnaryOperator value) {
        List<Samples.Point> points = new ArrayList<>();
        for (double seconds = 0; seconds <= end; seconds += every) {
            points.add(new Samples.Point(seconds, value.applyAsDouble(seconds) + noise.next()));
        }
        return Flatness.of(points);
    }

    /** Noise in which a reading is so much the one before (an autoregressive process of the first order). */
    private static final class Slow {
        private final Random random;
        private final double deviation;
        private final double kept;
        private double now;

        Slow(Random random, double deviation, double kept) {
            this.random = random;
            this.deviation = deviation;
            this.kept = kept;
            now = deviation * random.nextGaussian();
        }

        double next() {
            double value = now;
            now = kept * now + Math.sqrt(1 - kept * kept) * deviation * random.nextGaussian();
            return value;
        }
    }

    /** How many of so many series, each with chances of its own, are not flat. */
    private static int growing(
            double end, double every, double deviation, double kept, double little, DoubleUnaryOperator value) {
        int growing = 0;
        for (int i = 0; i < SERIES; i++) {
            Slow noise = new Slow(new Random(SEED + i), deviation, kept);
            if (!of(end, every, noise, value).isFlat(little)) {
                growing++;
            }
        }
        System.out.printf("seed %d: %d of %d series are not flat%n", SEED, growing, SERIES);
        return growing;
    }

    @ParameterizedTest(name = "{0}, {1} minutes")
    @CsvSource({
        // as seen in recorded runs: mean, standard deviation, and how much of a reading is in the next
        "live heap, 17, 43, 30, 0.13, 0.3, 0.5",
        "live heap, 35, 43, 32, 0.1, 0.3, 0.5",
        "process, 17, 5, 688, 2.4, 0.95, 0.5",
        "process without Java, 17, 5, 140, 2.5, 0.95, 0.5",
        "process without Java, 35, 5, 140, 1, 0.93, 0.5",
        "buffers, 17, 5, 5.7, 1.35, 0.91, 0.5",
        "buffers, 35, 5, 5.3, 1.15, 0.88, 0.5",
        "the same of a larger load, 17, 5, 57, 13.5, 0.91, 0.5",
        "counted, 17, 5, 10.4, 1.36, 0.91, 0.5",
        "files of the store, 17, 5, 8.2, 1.9, 0.66, 0.5",
        "open files, 17, 5, 162, 3.9, 0.64, 2",
        "open files, 35, 5, 163, 4.2, 0.8, 2",
        "sessions of three minutes, 17, 5, 538, 13, 0.87, 2",
        "sessions of three minutes, 35, 5, 515, 13.5, 0.9, 2"
    })
    void slowNoiseAroundALevel_isFlatButForOneInFiveHundred(
            String what, double minutes, double every, double mean, double deviation, double kept, double little) {
        int growing = growing(minutes * 60, every, deviation, kept, little, seconds -> mean);
        assertTrue(growing <= SERIES / 500, what + ": " + growing);
    }

    @Test
    void asManyAsCameInTheLastMinute_isFlatButForOneInFiveHundred() {
        int growing = 0;
        for (int i = 0; i < SERIES; i++) {
            Random random = new Random(SEED + i);
            double[] came = random.ints((int) (SECONDS / 5) + 12, 0, 20)
                    .asDoubleStream()
                    .toArray();
            List<Samples.Point> points = new ArrayList<>();
            for (int at = 12; at < came.length; at++) {
                double here = 0;
                for (int back = 0; back < 12; back++) {
                    here += came[at - back];
                }
                points.add(new Samples.Point(5 * (at - 12), here));
            }
            growing += Flatness.of(points).isFlat(2) ? 0 : 1;
        }
        assertTrue(growing <= SERIES / 500, "of " + SERIES + ": " + growing);
    }

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        // found at least in so many of a hundred
        "live heap 5 % more in 35 minutes, 43, 32, 0.1, 0.3, 0.05, 99",
        "live heap 4 % more in 35 minutes, 43, 32, 0.1, 0.3, 0.04, 85",
        "process without Java 10 % more in 35 minutes, 5, 140, 1, 0.93, 0.1, 95",
        "process 4 % more in 35 minutes, 5, 700, 1, 0.93, 0.04, 99"
    })
    void aSlowLeakInSlowNoise_isNot(
            String what, double every, double mean, double deviation, double kept, double share, int found) {
        int growing = growing(SECONDS, every, deviation, kept, 0.5, seconds -> mean * (1 + share * seconds / SECONDS));
        assertTrue(growing >= SERIES / 100 * found, what + ": " + growing);
    }

    @ParameterizedTest(name = "at {0}")
    @CsvSource({"0.67", "0.75", "0.9"})
    void aStepInSlowNoise_isNot(double when) {
        int growing = growing(SECONDS, 43, 0.1, 0.3, 0.5, seconds -> seconds < SECONDS * when ? 32 : 32 * 1.06);
        assertTrue(growing >= SERIES / 100 * 95, "of " + SERIES + ": " + growing);
    }

    @Test
    void noiseAroundALevel_isFlat() {
        Flatness flatness = of(3, seconds -> 100);
        assertTrue(flatness.isFlat(2), flatness.toString());
        assertEquals(100, flatness.mean(), 1);
        assertEquals(3, flatness.scatter(), 0.5);
        assertEquals(0, flatness.rise(), 3);
    }

    @Test
    void asFewPointsAsItTakes_areJudged() {
        Slow none = new Slow(new Random(SEED), 0, 0);
        assertTrue(of(Flatness.LEAST - 1, 1, none, seconds -> 100).isFlat(2));
        assertFalse(of(Flatness.LEAST - 1, 1, none, seconds -> 100 + seconds).isFlat(2));
    }

    @Test
    void aWarmUpInTheFirstThird_isFlat() {
        Flatness flatness = of(1, seconds -> Math.min(seconds, SECONDS / 4));
        assertTrue(flatness.isFlat(2), flatness.toString());
    }

    @Test
    void aSawTooth_isFlat() {
        Flatness flatness = of(1, seconds -> 50 + seconds % 60 * 3);
        assertTrue(flatness.isFlat(2), flatness.toString());
    }

    @Test
    void aHighPeakNearTheEnd_isFlat() {
        Flatness flatness = of(1, seconds -> seconds > 1900 && seconds < 1950 ? 300 : 100);
        assertTrue(flatness.isFlat(2), flatness.toString());
    }

    @Test
    void aSlowLeak_isNot() {
        Flatness flatness = of(0.5, seconds -> 100 + 5 * seconds / SECONDS); // 5 MB in 35 minutes, 200 MB a day
        assertFalse(flatness.isFlat(0.5), flatness.toString());
        assertEquals(5 * 2 / 3.0, flatness.rise(), 0.3);
    }

    @Test
    void aStepInTheLastThird_isNot() {
        Flatness flatness = of(1, seconds -> seconds < SECONDS * 0.9 ? 100 : 140);
        assertFalse(flatness.isFlat(2), flatness.toString());
    }

    @Test
    void threeThreadsMoreThanAlways_isNot() {
        Flatness flatness = of(0, seconds -> seconds < SECONDS * 0.9 ? 20 : 23);
        assertFalse(flatness.isFlat(2), flatness.toString());
    }

    @Test
    void oneFileMore_isFlat() {
        Flatness flatness = of(0, seconds -> seconds < SECONDS * 0.9 ? 5 : 6);
        assertTrue(flatness.isFlat(2), flatness.toString());
    }
}
