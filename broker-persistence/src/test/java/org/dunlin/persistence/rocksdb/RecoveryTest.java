package org.dunlin.persistence.rocksdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreException.Kind;
import org.dunlin.persistence.rocksdb.Layout.Family;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.FlushOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * Damages, and what becomes of them: two logs of {@link #EACH} records that were synced one by one lie in the files of a
 * process that was killed, with a mark at the last record or an older one.
 */
class RecoveryTest {
    private static final int EACH = 100;
    /** So that a log has more than one of RocksDB's blocks, with which it loses what stands behind a damage. */
    private static final int VALUE = 700;

    private static final long BASE = 1;

    @TempDir
    static Path killed;

    @TempDir
    Path directory;

    private static Path olderLog;
    private static Path lastLog;
    private static long start;

    @BeforeAll
    static void fill() throws Exception {
        Path live = killed.resolve("live");
        Files.createDirectories(live);
        NativeLibrary.load(killed.resolve("library"));
        try (DataDirectory data = DataDirectory.hold(live)) {
            data.checkFormat();
            try (Database database = Database.open(data.database(), 1 << 20, Database.Mode.USE);
                    FlushOptions flush = new FlushOptions()) {
                start = database.rocks.getLatestSequenceNumber();
                put(database, 0);
                database.rocks.flush(flush, database.families());
                for (int i = 1; i <= EACH; i++) {
                    put(database, i);
                }
                try (WriteBatch batch = new WriteBatch();
                        WriteOptions sync = new WriteOptions().setSync(true)) {
                    batch.put(database.family(Family.RETAINED), new byte[] {'x'}, new byte[] {1});
                    database.rocks.write(sync, batch);
                }
                database.rocks.flush(flush, database.family(Family.RETAINED));
                for (int i = EACH + 1; i <= 2 * EACH; i++) {
                    put(database, i);
                }
                copy(live, killed.resolve("data"));
            }
        }
        List<Path> logs = new ArrayList<>();
        try (Stream<Path> files = Files.list(killed.resolve("data/db"))) {
            files.filter(file -> file.toString().endsWith(".log")).sorted().forEach(logs::add);
        }
        assertEquals(2, logs.size(), "the fixture must have two logs");
        olderLog = killed.resolve("data").relativize(logs.get(0));
        lastLog = killed.resolve("data").relativize(logs.get(1));
    }

    private static void put(Database database, int i) throws Exception {
        try (WriteBatch batch = new WriteBatch();
                WriteOptions sync = new WriteOptions().setSync(true)) {
            byte[] value = new byte[VALUE];
            new Random(i).nextBytes(value);
            batch.put(database.family(Family.QUEUE), Layout.key(1, i), value);
            database.rocks.write(sync, batch);
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                if (Files.isDirectory(file)) {
                    Files.createDirectories(to.resolve(from.relativize(file)));
                } else if (!file.getFileName().toString().equals("LOCK.broker")) {
                    Files.copy(file, to.resolve(from.relativize(file)));
                }
            }
        }
    }

    private Path data(String name) throws IOException {
        Path data = directory.resolve(name);
        copy(killed.resolve("data"), data);
        return data;
    }

    /** The mark that says that so many records were on disk: the one at the end of the first log is none of the queue. */
    private static Mark.State mark(int records) {
        return new Mark.State(start + BASE + records + (records > EACH ? 1 : 0), 0, 0, false);
    }

    /** Opens it as a start does and returns how many of the records are there, which must be the first ones. */
    private static int open(Path data, Mark.State mark) throws Exception {
        try (DataDirectory held = DataDirectory.hold(data)) {
            boolean used = held.checkFormat();
            try (Database database =
                    new Recovery(held, new Disk(), 1 << 20, System::currentTimeMillis).open(used, mark)) {
                List<Long> places = new ArrayList<>();
                database.scan(Family.QUEUE, (key, value) -> {
                    byte[] expected = new byte[VALUE];
                    new Random(Layout.number(key, 8)).nextBytes(expected);
                    if (!Arrays.equals(expected, value)) {
                        throw new Records.Unreadable("record " + Layout.number(key, 8) + " is altered");
                    }
                    places.add(Layout.number(key, 8));
                });
                for (int i = 0; i < places.size(); i++) {
                    assertEquals(i, places.get(i));
                }
                return places.size() - 1;
            }
        }
    }

    private static Map<String, String> contents(Path data) throws IOException {
        Map<String, String> contents = new TreeMap<>();
        try (Stream<Path> files = Files.walk(data)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                String name = data.relativize(file).toString();
                if (Files.isRegularFile(file) && !name.startsWith("LOCK") && !name.contains("LOG")) {
                    contents.put(name, Files.size(file) + " " + Arrays.hashCode(Files.readAllBytes(file)));
                }
            }
        }
        contents.remove("db/LOCK");
        return contents;
    }

    /** Opening must be refused as damaged and leave every file as it was. Returns what is said. */
    private static String refused(Path data, Mark.State mark) throws Exception {
        Map<String, String> before = contents(data);
        StoreException refusal = assertThrows(StoreException.class, () -> open(data, mark));
        assertEquals(Kind.DAMAGED, refusal.kind(), refusal.getMessage());
        assertEquals(before, contents(data));
        assertTrue(refusal.getMessage().contains(data.toString()), refusal.getMessage());
        return refusal.getMessage();
    }

    private static void cut(Path file, long length) throws IOException {
        try (RandomAccessFile log = new RandomAccessFile(file.toFile(), "rw")) {
            log.setLength(length);
        }
    }

    private static void flip(Path file, long at) throws IOException {
        try (RandomAccessFile log = new RandomAccessFile(file.toFile(), "rw")) {
            log.seek(at);
            int old = log.read();
            log.seek(at);
            log.write(old ^ 0x10);
        }
    }

    private static void append(Path file, byte[] bytes) throws IOException {
        Files.write(file, bytes, StandardOpenOption.APPEND);
    }

    @Test
    void undamaged_isOpened() throws Exception {
        assertEquals(2 * EACH, open(data("a"), mark(2 * EACH)));
    }

    @Test
    void undamaged_isReplayedOnce_damagedIsLookedAtFirst() throws Exception {
        List<Database.Mode> modes = new ArrayList<>();
        Disk disk = new Disk() {
            @Override
            public Database open(Path directory, long cacheBytes, Database.Mode mode) throws RocksDBException {
                modes.add(mode);
                return super.open(directory, cacheBytes, mode);
            }
        };
        Path torn = data("torn");
        cut(torn.resolve(lastLog), Files.size(torn.resolve(lastLog)) - 5);
        for (Path path : List.of(data("whole"), torn)) {
            try (DataDirectory held = DataDirectory.hold(path)) {
                new Recovery(held, disk, 1 << 20, System::currentTimeMillis)
                        .open(true, mark(EACH))
                        .close();
            }
        }
        assertEquals(List.of(Database.Mode.USE, Database.Mode.INSPECT, Database.Mode.USE), modes);
    }

    @Test
    void lastChangeOfALog_isKnownOnlyIfAllOfItIsWhole() throws Exception {
        Path database = data("whole").resolve("db");
        assertEquals(mark(2 * EACH).sequence(), LogFile.lastChange(database));
        Path log = data("altered").resolve(lastLog);
        long length = Files.size(log);
        for (long at = 0; at < length; at += 97) {
            flip(log, at);
            assertEquals(-1, LogFile.lastChange(log.getParent()), "bit at " + at);
            flip(log, at);
        }
        assertEquals(mark(2 * EACH).sequence(), LogFile.lastChange(log.getParent()));
    }

    @Test
    void lastLog_tornAtAnyLength_losesItsEndOnly_andNothingThatTheMarkCovers() throws Exception {
        long length = Files.size(killed.resolve("data").resolve(lastLog));
        int last = EACH;
        for (long at = length % 101; at <= length; at += at < length - 4000 ? 30 * 101 : 101) {
            Path data = data("at" + at);
            cut(data.resolve(lastLog), at);
            int there = open(data, mark(EACH));
            assertTrue(there >= last, "cut at " + at + ": " + there + " records, " + last + " with a shorter log");
            last = there;
        }
        assertEquals(2 * EACH, last);
        Path data = data("covered");
        cut(data.resolve(lastLog), length - 5);
        String said = refused(data, mark(2 * EACH));
        assertTrue(said.contains("the last 1 of "), said);
    }

    @Test
    void lastLog_withRubbishBehindItsEnd_isCutOff_andCopied() throws Exception {
        for (byte[] rubbish : List.of(new byte[5000], random(5000), random(3))) {
            Path data = data("rubbish" + rubbish.length + rubbish[0]);
            append(data.resolve(lastLog), rubbish);
            assertEquals(2 * EACH, open(data, mark(2 * EACH)));
            assertEquals(2 * EACH, open(data, mark(2 * EACH)), "opened once more");
        }
    }

    /** RocksDB reads some of these for ever. */
    @Test
    @Timeout(60)
    void lastLog_withRecordsBehindItsEndAsOfFilesUsedAgain_isCutOff_andCopied() throws Exception {
        for (int type : new int[] {5, 6, 7, 8, 11, 131}) {
            byte[] rubbish = new byte[20];
            for (int i = 0; i < rubbish.length; i++) {
                rubbish[i] = (byte) (i + 1);
            }
            rubbish[6] = (byte) type;
            Path data = data("foreign" + type);
            append(data.resolve(lastLog), rubbish);
            assertEquals(2 * EACH, open(data, mark(2 * EACH)));
            assertEquals(2 * EACH, open(data, mark(2 * EACH)), "opened once more");
            try (Stream<Path> files = Files.list(data)) {
                assertTrue(files.anyMatch(file -> file.getFileName().toString().startsWith("salvage-")));
            }
        }
    }

    /** As RocksDB passes over the rest of a block that makes no sense, it comes to them in the next one. */
    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void lastLog_withRecordsAsOfFilesUsedAgainBehindOtherRubbish_isCutOff() throws Exception {
        long length = Files.size(killed.resolve("data").resolve(lastLog));
        for (int type : new int[] {5, 6, 7, 8, 11, 131}) {
            byte[] rubbish = random((int) (2 * 32_768 - length % 32_768) + 11);
            rubbish[5] = (byte) 0xFF;
            rubbish[6] = 1;
            byte[] foreign = {1, 2, 3, 4, 4, 0, (byte) type, 1, 2, 3, 4};
            System.arraycopy(foreign, 0, rubbish, rubbish.length - 11 - 32_768, 11);
            System.arraycopy(foreign, 0, rubbish, rubbish.length - 11, 11);
            Path data = data("foreign" + type);
            append(data.resolve(lastLog), rubbish);
            assertEquals(2 * EACH, open(data, mark(2 * EACH)));
            assertEquals(2 * EACH, open(data, mark(2 * EACH)), "opened once more");
        }
    }

    private static byte[] random(int bytes) {
        byte[] random = new byte[bytes];
        new Random(7).nextBytes(random);
        return random;
    }

    @Test
    void lastLog_withItsEndOverwritten_isCutOff_ifTheMarkDoesNotCoverIt() throws Exception {
        Path data = data("over");
        Path log = data.resolve(lastLog);
        long length = Files.size(log);
        cut(log, length - 1900);
        append(log, random(1900));
        Path covered = data("covered");
        cut(covered.resolve(lastLog), length - 1900);
        append(covered.resolve(lastLog), random(1900));
        int there = open(data, mark(EACH));
        assertTrue(there >= 2 * EACH - 5 && there < 2 * EACH, there + " records");
        try (Stream<Path> files = Files.list(data)) {
            assertTrue(files.anyMatch(file -> file.getFileName().toString().startsWith("salvage-")));
        }
        refused(covered, mark(2 * EACH));
    }

    @Test
    void bitFlip_inTheMiddleOfALog_isRefused() throws Exception {
        for (Path log : List.of(olderLog, lastLog)) {
            Path data = data("flip" + log.getFileName());
            flip(data.resolve(log), Files.size(data.resolve(log)) / 2);
            refused(data, mark(2 * EACH));
            refused(data, mark(0));
        }
    }

    @Test
    void bitFlip_anywhereInALog_isNeverPassedOver() throws Exception {
        long seed = Long.getLong("dunlin.seed", System.nanoTime());
        Random random = new Random(seed);
        int refused = 0;
        for (int i = 0; i < 30; i++) {
            Path data = data("flip" + i);
            Path log = data.resolve(i % 2 == 0 ? olderLog : lastLog);
            flip(log, (long) (random.nextDouble() * Files.size(log)));
            try {
                assertEquals(2 * EACH, open(data, mark(2 * EACH)), "-Ddunlin.seed=" + seed);
            } catch (StoreException e) {
                assertEquals(Kind.DAMAGED, e.kind());
                refused++;
            }
        }
        assertTrue(refused > 20, refused + " of 30 were refused, -Ddunlin.seed=" + seed);
    }

    @Test
    void olderLog_tornOrMissing_isRefused() throws Exception {
        Path torn = data("torn");
        cut(torn.resolve(olderLog), Files.size(torn.resolve(olderLog)) - 300);
        refused(torn, mark(0));
        Path missing = data("missing");
        Files.delete(missing.resolve(olderLog));
        refused(missing, mark(0));
    }

    @Test
    void lastLog_missing_isRefusedByTheMark() throws Exception {
        Path data = data("a");
        Files.delete(data.resolve(lastLog));
        assertTrue(refused(data, mark(2 * EACH)).contains(EACH + " of "));
    }

    @Test
    void tablesAndDirectories_missing_areRefused() throws Exception {
        List<String> names = new ArrayList<>();
        try (Stream<Path> files = Files.list(killed.resolve("data/db"))) {
            files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".sst") || name.startsWith("MANIFEST") || name.equals("CURRENT"))
                    .forEach(names::add);
        }
        assertTrue(names.size() >= 3, names.toString());
        for (String name : names) {
            Path data = data(name);
            Files.delete(data.resolve("db").resolve(name));
            try (Mark mark = Mark.open(data.resolve("seq.mark"))) {
                mark.write(mark(2 * EACH));
            }
            refused(data, mark(2 * EACH));
        }
        Path data = data("format");
        Files.delete(data.resolve("FORMAT"));
        assertTrue(refused(data, mark(2 * EACH)).contains("FORMAT"));
    }

    @Test
    void markMissing_isOpened() throws Exception {
        assertEquals(2 * EACH, open(data("a"), null));
    }

    @Test
    void halfMadeDatabase_isFinished() throws Exception {
        Path data = directory.resolve("half");
        Files.createDirectories(data);
        try (DataDirectory held = DataDirectory.hold(data)) {
            assertFalse(held.checkFormat());
        }
        for (int round = 0; round < 2; round++) { // with FORMAT alone, then with a database that lacks column families
            assertEquals(-1, open(data, null));
            try (Stream<Path> files = Files.list(data.resolve("db"))) {
                for (Path file : (Iterable<Path>) files::iterator) {
                    Files.delete(file);
                }
            }
            RocksDB.open(data.resolve("db").toString()).close();
        }
        assertEquals(-1, open(data, null));
    }

    @Test
    void newerLayout_isRefusedWithBothNumbers() throws Exception {
        Path data = data("newer");
        Files.writeString(data.resolve("FORMAT"), "product=dunlin\nlayout=7\n");
        StoreException refusal = assertThrows(StoreException.class, () -> open(data, mark(0)));
        assertEquals(Kind.NEWER_FORMAT, refusal.kind());
        assertTrue(refusal.getMessage().contains("layout 7"), refusal.getMessage());
        assertTrue(refusal.getMessage().contains("up to 1"), refusal.getMessage());
    }

    @Test
    void olderLayout_isBroughtUpStepByStep_andKept() throws Exception {
        Path data = data("older");
        List<String> done = new ArrayList<>();
        List<Migration.Step> steps = List.of(
                database -> {
                    done.add("2");
                    database.rocks.put(database.family(Family.META), new byte[] {2}, new byte[] {1});
                },
                database -> {
                    done.add("3");
                    if (done.size() == 2) {
                        throw new Records.Unreadable("cut short");
                    }
                });
        for (int round = 0; round < 3; round++) {
            try (DataDirectory held = DataDirectory.hold(data);
                    Database database = Database.open(held.database(), 1 << 20, Database.Mode.USE)) {
                Migration migration = new Migration(held, steps);
                if (round == 0) {
                    assertThrows(Records.Unreadable.class, () -> migration.run(database));
                    assertEquals(2, held.readLayout());
                } else {
                    migration.run(database);
                    assertEquals(3, held.readLayout());
                }
            }
        }
        assertEquals(List.of("2", "3", "3"), done);
        try (Database before = Database.open(data.resolve("before-layout-2"), 1 << 20, Database.Mode.INSPECT)) {
            assertEquals(null, before.rocks.get(before.family(Family.META), new byte[] {2}));
        }
        assertTrue(Files.readString(data.resolve("FORMAT")).contains("node="));
    }

    @Test
    void formatThatSaysNothing_isRefused() throws Exception {
        for (String text : List.of("", "layout=0\n", "layout=x\n")) {
            Path data = data("format" + text.hashCode());
            Files.writeString(data.resolve("FORMAT"), text);
            assertTrue(refused(data, mark(0)).contains("FORMAT"));
        }
    }
}
