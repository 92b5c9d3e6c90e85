package org.dunlin.core.sim;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

/**
 * The test's thread only. Runs the core through seeds. {@code -Ddunlin.sim.seed=N} replays one,
 * {@code -Ddunlin.sim.runs=N} tries that many beside the fixed ones.
 */
class SimulationTest {
    private static final int FIXED_SEEDS = 300;
    private static final long TROUBLE_MILLIS = 8_000;

    @Test
    void seeds_runThrough_keepEveryInvariant() {
        String one = System.getProperty("dunlin.sim.seed");
        if (one != null) {
            new Simulation(Long.parseLong(one)).run(TROUBLE_MILLIS);
            return;
        }
        List<Long> seeds = new ArrayList<>();
        for (long seed = 1; seed <= FIXED_SEEDS; seed++) {
            seeds.add(seed);
        }
        Random fresh = new Random();
        for (int i = Integer.getInteger("dunlin.sim.runs", 1); i > 0; i--) {
            seeds.add(fresh.nextLong());
        }
        List<String> failures = new ArrayList<>();
        Set<Checker.Trouble> reached = EnumSet.noneOf(Checker.Trouble.class);
        for (long seed : seeds) {
            String failure = run(seed, reached);
            if (failure != null) {
                failures.add(failure);
                System.err.println(failure);
            }
        }
        Assertions.assertTrue(failures.isEmpty(), () -> String.join("\n", failures));
        Assertions.assertEquals(EnumSet.allOf(Checker.Trouble.class), reached);
    }

    private static @Nullable String run(long seed, Set<Checker.Trouble> reached) {
        Simulation simulation = new Simulation(seed);
        try {
            simulation.run(TROUBLE_MILLIS);
            reached.addAll(simulation.checker.reached);
            return null;
        } catch (AssertionError | RuntimeException e) {
            StackTraceElement[] trace = e.getStackTrace();
            return "dunlin.sim.seed=" + seed + ": " + e + (trace.length == 0 ? "" : " at " + trace[0]) + " in "
                    + simulation;
        }
    }
}
