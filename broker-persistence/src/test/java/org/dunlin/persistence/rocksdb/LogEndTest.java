package org.dunlin.persistence.rocksdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreSettings.Durability;
import org.dunlin.persistence.StoreExport;
import org.dunlin.persistence.StoreFiles;
import org.dunlin.persistence.StoreFiles.Inspection;
import org.dunlin.persistence.StoreFiles.Repair;
import org.dunlin.persistence.Stores;
import org.dunlin.persistence.testing.Engine;
import org.dunlin.persistence.testing.Sample;
import org.dunlin.persistence.testing.Told;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Records in a log that no broker writes, some of which RocksDB reads for ever: no command may hang. */
class LogEndTest {
    @TempDir
    Path directory;

    private Path killed(String name) throws Exception {
        FaultyDisk disk = new FaultyDisk();
        Path live = directory.resolve("live" + name);
        try (Store store = new RocksStore(
                Engine.settings(live, Durability.FSYNC), disk, System::currentTimeMillis, System::nanoTime)) {
            store.open(new Told());
            Sample.fill(store);
            return disk.killed(live, directory.resolve(name));
        }
    }

    private static StoreFiles files(Path path) throws Exception {
        return Stores.files("rocksdb", Engine.settings(path, Durability.FSYNC));
    }

    private static Path log(Path data) throws Exception {
        try (Stream<Path> files = Files.list(data.resolve("db"))) {
            return files.filter(file -> file.toString().endsWith(".log"))
                    .max((a, b) -> Long.compare(a.toFile().length(), b.toFile().length()))
                    .orElseThrow();
        }
    }

    private static byte[] foreign(int type) {
        byte[] rubbish = new byte[20];
        for (int i = 0; i < rubbish.length; i++) {
            rubbish[i] = (byte) (i + 1);
        }
        rubbish[6] = (byte) type;
        return rubbish;
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void behindTheEnd_isNoFault_andIsLeftOutOfAnExport() throws Exception {
        for (int type : new int[] {5, 8, 11, 131}) {
            Path data = killed("end" + type);
            StringWriter plain = new StringWriter();
            StoreExport.write(files(data), plain);
            Inspection whole = files(data).inspect();
            Files.write(log(data), foreign(type), StandardOpenOption.APPEND);
            Inspection found = files(data).inspect();
            assertEquals(List.of(), found.faults());
            assertTrue(found.notes().toString().contains("the next start cuts it off"), found.notes()::toString);
            assertEquals(whole.census().queued(), found.census().queued());
            StringWriter export = new StringWriter();
            StoreExport.write(files(data), export);
            assertEquals(plain.toString(), export.toString());
            StoreFiles copy = files(directory.resolve("copy" + type));
            files(data).backup(directory.resolve("copy" + type));
            assertEquals(List.of(), copy.inspect().faults());
            Repair repair = files(data).repair();
            assertEquals(data, repair.aside());
            try (RocksStore store = new RocksStore(Engine.settings(data, Durability.FSYNC))) {
                store.open(new Told());
            }
        }
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void inTheMiddle_isAFault_andIsRepaired() throws Exception {
        for (int type : new int[] {5, 8, 11, 131}) {
            Path data = killed("middle" + type);
            Path log = log(data);
            byte[] bytes = Files.readAllBytes(log);
            int at = 0;
            for (int records = 0; records < 20; records++) {
                at += 7 + ((bytes[at + 4] & 0xFF) | (bytes[at + 5] & 0xFF) << 8);
            }
            bytes[at + 6] = (byte) type;
            Files.write(log, bytes);
            Inspection found = files(data).inspect();
            assertTrue(found.faults().toString().contains("altered at byte " + at), found.faults()::toString);
            Repair repair = files(data).repair();
            assertTrue(repair.kept() > 50 && !repair.aside().equals(data), repair::toString);
            assertEquals(List.of(), files(data).inspect().faults());
        }
    }
}
