package org.dunlin.it.crash;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.dunlin.it.Broker;
import org.dunlin.it.RealClient;
import org.dunlin.it.RunningBroker;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The harness itself, tried on a broker that is known to keep its state over an orderly end and to lose it in a crash: it has to
 * find nothing in the one case and the losses in the other. And nothing while only the network breaks.
 */
@Broker
class HarnessIT {
    private static final int ENDS = Integer.getInteger("dunlin.it.kills", 3);
    private static final long SEED = Long.getLong("dunlin.seed", new Random().nextLong());

    @Test
    void brokerThatSavesAtItsEnd_passes(@TempDir Path folder) {
        assertEquals(List.of(), run(folder, true, ENDS));
    }

    @Test
    void brokerThatForgetsInACrash_isFoundOut(@TempDir Path folder) {
        List<String> found = run(folder, false, 1);

        // which of its losses shows depends on the moment; CheckerTest has each of them
        assertTrue(
                found.stream().anyMatch(line -> line.matches("(SESSION_PRESENT|LOST|SUBSCRIPTION|RETAINED).*")),
                found::toString);
    }

    @Test
    void brokenNetwork_losesNothing(RunningBroker broker) {
        System.out.println("HarnessIT: seed " + SEED);
        try (CrashRun run = new CrashRun(new NetworkVictim(broker), false, SEED, System.out)) {
            assertEquals(List.of(), run.run(ENDS));
        }
    }

    private static List<String> run(Path folder, boolean orderly, int ends) {
        System.out.println("HarnessIT: seed " + SEED);
        try (CrashRun run =
                new CrashRun(new MosquittoVictim(RealClient.program("mosquitto"), folder), orderly, SEED, System.out)) {
            return run.run(ends);
        }
    }
}
