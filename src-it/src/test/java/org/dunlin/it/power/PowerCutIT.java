package org.dunlin.it.power;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.crash.CrashRun;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is acknowledged outlives a power cut. System properties: dunlin.it.cuts is how often the power fails (3, in the profile
 * full 40), dunlin.seed repeats a run as far as threads let it.
 */
@Timeout(value = 20, unit = TimeUnit.MINUTES)
class PowerCutIT {
    private static final int CUTS = Integer.getInteger("dunlin.it.cuts", 3);
    private static final int ATTEMPTS = 8;
    private static final String LOSS =
            "(LOST|SESSION_PRESENT|SUBSCRIPTION|RETAINED).*|.*which were on disk, are missing.*";
    private static final long SEED = Long.getLong("dunlin.seed", new Random().nextLong());

    @Test
    void acknowledged_survivesPowerCuts(@TempDir(cleanup = CleanupMode.ON_SUCCESS) Path work) {
        assertEquals(List.of(), run(work, "fsync", "", false, CUTS, SEED));
    }

    /** The proof that this test can fail: the same broker where syncs of the log are only confirmed. */
    @Test
    void diskThatLies_isFoundOut(@TempDir Path work) throws IOException {
        assertFoundOut(work, "fsync", ".log");
    }

    /** The same where nobody asks for a sync. */
    @Test
    void noSyncs_areFoundOut(@TempDir Path work) throws IOException {
        assertFoundOut(work, "none", "");
    }

    private static void assertFoundOut(Path work, String durability, String lies) throws IOException {
        for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
            List<String> found;
            try {
                Path own = Files.createDirectory(work.resolve("attempt" + attempt));
                found = run(own, durability, lies, true, 1, SEED + attempt);
            } catch (AssertionError e) { // the broker itself may see by its mark what is missing, and refuse to start
                found = List.of(String.valueOf(e.getMessage()));
            }
            if (found.stream().anyMatch(line -> line.matches("(?s)" + LOSS))) {
                return;
            }
            assertEquals(List.of(), found);
        }
        fail("nothing was lost in " + ATTEMPTS + " runs without syncs: this test cannot fail");
    }

    private static List<String> run(
            Path work, String durability, String lies, boolean alwaysWorst, int cuts, long seed) {
        System.out.println("PowerCutIT: -Ddunlin.seed=" + seed + " -Ddunlin.it.cuts=" + CUTS + ", " + durability + ", "
                + cuts + " cuts" + (lies.isEmpty() ? "" : ", syncs of *" + lies + " are lies"));
        List<String> settings = List.of("storage.engine=rocksdb", "storage.durability=" + durability);
        PowerCut victim = new PowerCut(work, settings, alwaysWorst, lies, seed);
        try (CrashRun run = new CrashRun(victim, false, seed, System.out)) {
            List<String> found = run.run(cuts);
            System.out.println("PowerCutIT: " + victim.toll());
            return found;
        }
    }
}
