package org.dunlin.it.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.crash.CrashRun;
import org.dunlin.it.crash.DunlinVictim;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is acknowledged outlives the broker's process. System properties: dunlin.it.kills is how often it is killed (3, in the
 * profile full 60), dunlin.it.durability the setting storage.durability (fsync), dunlin.seed repeats a run as far as threads
 * let it.
 */
@Timeout(value = 20, unit = TimeUnit.MINUTES)
class CrashIT {
    private static final int KILLS = Integer.getInteger("dunlin.it.kills", 3);
    private static final String DURABILITY = System.getProperty("dunlin.it.durability", "fsync");

    @Test
    void acknowledged_survivesSigkill(@TempDir(cleanup = CleanupMode.ON_SUCCESS) Path data) {
        assertEquals(List.of(), run(data, false, KILLS));
    }

    @Test
    void acknowledged_survivesAnOrderlyRestart(@TempDir(cleanup = CleanupMode.ON_SUCCESS) Path data) {
        assertEquals(List.of(), run(data, true, Math.max(1, KILLS / 3)));
    }

    private static List<String> run(Path data, boolean orderly, int ends) {
        long seed = Long.getLong("dunlin.seed", new Random().nextLong());
        System.out.println("CrashIT: -Ddunlin.seed=" + seed + " -Ddunlin.it.kills=" + KILLS + " -Ddunlin.it.durability="
                + DURABILITY + ", " + ends + " ends by " + (orderly ? "SIGTERM" : "SIGKILL"));
        List<String> settings = List.of("storage.engine=rocksdb", "storage.durability=" + DURABILITY);
        try (CrashRun run = new CrashRun(new DunlinVictim(data, settings), orderly, seed, System.out)) {
            return run.run(ends);
        }
    }
}
