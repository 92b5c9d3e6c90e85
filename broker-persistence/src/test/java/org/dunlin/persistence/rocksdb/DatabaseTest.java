package org.dunlin.persistence.rocksdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.dunlin.core.spi.StoreException;
import org.dunlin.persistence.rocksdb.Layout.Family;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.FlushOptions;
import org.rocksdb.RocksDBException;

class DatabaseTest {
    private static final int TABLES = 12;

    @TempDir
    Path directory;

    @Test
    void mergeTables_letsRocksDbMergeWhatItLeftAlone() throws RocksDBException, StoreException {
        NativeLibrary.load(directory);
        try (Database database = Database.open(directory.resolve("db"), 1 << 20, Database.Mode.USE)) {
            for (int i = 0; i < TABLES; i++) {
                database.rocks.put(database.family(Family.RETAINED), new byte[] {1}, new byte[] {(byte) i});
                try (FlushOptions options = new FlushOptions().setWaitForFlush(true)) {
                    database.rocks.flush(options, database.family(Family.RETAINED));
                }
            }
            assertEquals(TABLES, tables(database));

            database.mergeTables();
            database.mergeTables();

            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
            while (tables(database) == TABLES && System.nanoTime() < deadline) {
                Thread.onSpinWait();
            }
            assertTrue(tables(database) < TABLES, () -> "nothing was merged within 30 s");
        }
    }

    private static int tables(Database database) throws RocksDBException {
        return Integer.parseInt(
                database.rocks.getProperty(database.family(Family.RETAINED), "rocksdb.num-files-at-level0"));
    }
}
