package org.dunlin.persistence.rocksdb;

import static org.dunlin.persistence.testing.Uses.await;
import static org.dunlin.persistence.testing.Uses.commit;
import static org.dunlin.persistence.testing.Uses.enqueue;
import static org.dunlin.persistence.testing.Uses.message;
import static org.dunlin.persistence.testing.Uses.read;
import static org.dunlin.persistence.testing.Uses.readAll;
import static org.dunlin.persistence.testing.Uses.session;
import static org.dunlin.persistence.testing.Uses.write;
import static org.dunlin.persistence.testing.Uses.writing;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreException.Kind;
import org.dunlin.core.spi.StoreSettings;
import org.dunlin.core.spi.StoreSettings.Durability;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.dunlin.persistence.FileTree;
import org.dunlin.persistence.rocksdb.Layout.Family;
import org.dunlin.persistence.testing.Engine;
import org.dunlin.persistence.testing.Told;
import org.dunlin.persistence.testing.Uses.Place;
import org.dunlin.persistence.testing.Uses.Read;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is the store's own beside the contract: files, faults, time, space. */
class RocksStoreTest {
    private static final SessionKey ANN = new SessionKey(1, 1);
    private static final SessionKey BEN = new SessionKey(2, 1);

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    private final AtomicLong wall = new AtomicLong(1_700_000_000_000L);
    private final AtomicLong nanos = new AtomicLong(5);
    private final List<Store> open = new ArrayList<>();

    @AfterEach
    void closeAll() {
        open.forEach(Store::close);
    }

    private RocksStore store(Path path, Durability durability) {
        return new RocksStore(Engine.settings(path, durability), disk, wall::get, nanos::get);
    }

    private RocksStore open(Path path, Told told) throws StoreException {
        RocksStore store = store(path, Durability.FSYNC);
        store.open(told);
        open.add(store);
        return store;
    }

    private RocksStore open() throws StoreException {
        return open(directory.resolve("data"), new Told());
    }

    private static void until(BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, "it did not come about");
            LockSupport.parkNanos(1_000_000);
        }
    }

    /** What the files of a process that is killed now would be. */
    private Path killed(Path live, String name) throws IOException {
        return disk.killed(live, directory.resolve(name));
    }

    private static long rows(Path data, Family family) throws Exception {
        AtomicInteger count = new AtomicInteger();
        try (Database database = Database.open(data.resolve("db"), 1 << 20, Database.Mode.INSPECT)) {
            database.scan(family, (key, value) -> count.incrementAndGet());
        }
        return count.get();
    }

    @ParameterizedTest
    @EnumSource
    void killed_afterCompletion_losesNothing(Durability durability) throws Exception {
        Path data = directory.resolve("data");
        RocksStore store = store(data, durability);
        store.open(new Told());
        open.add(store);
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        for (int i = 1; i <= 50; i++) {
            enqueue(store, message(i, "a/" + i, i * 50), ANN);
        }
        long id = store.nextId();
        List<String> before = readAll(store, 1).texts();
        Told told = new Told();
        RocksStore after = open(killed(data, "copy"), told);
        assertEquals(before, readAll(after, 1).texts());
        assertEquals(Set.of("owner 1", "queue 1"), told.things.keySet());
        assertTrue(after.nextId() > id);
    }

    @Test
    void bodies_areKeptOnce_andGoWithTheirLastQueue() throws Exception {
        Path data = directory.resolve("data");
        RocksStore store = open();
        commit(store, batch -> {
            batch.putSession(ANN, session("ann"));
            batch.putSession(BEN, session("ben"));
        });
        Place ann = new Place(ANN, Qos.AT_LEAST_ONCE, false);
        Place ben = new Place(BEN, Qos.AT_LEAST_ONCE, false);
        commit(store, batch -> batch.enqueue(message(1, "a", 200), List.of(ann, ben)));
        enqueue(store, message(2, "a", 200), ANN);
        Place large = enqueue(store, message(3, "a", 2000), ANN);
        assertTrue(ann.body > 0 && ann.body == ben.body && large.body > ann.body);
        assertEquals(2, rows(killed(data, "one"), Family.BODY));
        commit(store, batch -> {
            batch.ack(ANN, ann.seq, ann.body);
            batch.ack(ANN, large.seq, large.body);
        });
        assertEquals(1, rows(killed(data, "two"), Family.BODY));
        commit(store, batch -> batch.removeOwner(BEN));
        until(() -> {
            try {
                Path copy = killed(data, "three" + System.nanoTime());
                return rows(copy, Family.BODY) == 0 && rows(copy, Family.QUEUE) == 1 && rows(copy, Family.META) == 1;
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }

    @Test
    void removal_ofALongQueue_isFinishedAfterAKill() throws Exception {
        Path data = directory.resolve("data");
        RocksStore store = open();
        commit(store, batch -> {
            batch.putSession(ANN, session("ann"));
            batch.putSession(BEN, session("ben"));
        });
        List<CompletableFuture<String>> ends = new ArrayList<>();
        for (int i = 1; i <= 20; i++) {
            int from = i * 1000;
            ends.add(writing(store, batch -> {
                for (int n = 0; n < 500; n++) {
                    batch.enqueue(
                            message(from + n, "a", 150),
                            List.of(new Place(ANN, Qos.AT_LEAST_ONCE, false), new Place(BEN, Qos.EXACTLY_ONCE, true)));
                }
            }));
        }
        ends.forEach(end -> assertNull(await(end)));
        commit(store, batch -> batch.removeOwner(ANN));
        Path copy = killed(data, "copy"); // wherever the clearing is by now
        Told told = new Told();
        RocksStore after = open(copy, told);
        assertEquals(Set.of("owner 2", "queue 2"), told.things.keySet());
        assertEquals(List.of(), readAll(after, 1).messages());
        after.close();
        until(() -> {
            try {
                RocksStore again = open(copy, new Told());
                again.close();
                return rows(copy, Family.META) == 1;
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        assertEquals(10_000, rows(copy, Family.QUEUE));
        assertEquals(10_000, rows(copy, Family.BODY));
    }

    @Test
    void write_thatFails_failsAndLeavesNothing_andTheNextOneSucceeds() throws Exception {
        RocksStore store = open();
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        Place first = enqueue(store, message(1, "a", 10), ANN);
        disk.beforeWrite = FaultyDisk.BROKEN;
        disk.onOpen = FaultyDisk.BROKEN;
        String failure = write(store, batch -> {
            batch.enqueue(message(2, "a", 10), List.of(new Place(ANN, Qos.AT_LEAST_ONCE, false)));
            batch.retain(TopicName.of("r"), message(9, "r", 10), 9);
            batch.removeOwner(ANN);
        });
        assertTrue(failure.contains("Input/output error"), failure);
        assertNotNull(store.status().fault());
        assertNotNull(write(store, batch -> batch.putSession(BEN, session("ben"))));
        disk.beforeWrite = null;
        disk.onOpen = null;
        until(() -> store.status().fault() == null);
        Place second = enqueue(store, message(3, "a", 10), ANN);
        assertTrue(second.seq > first.seq);
        commit(store, batch -> batch.retain(TopicName.of("r"), message(8, "r", 10), 8));
        assertEquals(List.of(first.seq, second.seq), readAll(store, 1).places());
        store.close();
        Told told = new Told();
        open(directory.resolve("data"), told);
        assertEquals(Set.of("owner 1", "queue 1", "retained r"), told.things.keySet());
    }

    @Test
    void figures_tellOfCommitsTheirBatchesAndFailures() throws Exception {
        RocksStore store = open();
        long before = store.figures().commits().count();
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        assertEquals(before + 1, store.figures().commits().count());
        assertEquals(before + 1, store.figures().groups().count());
        assertTrue(store.figures().groups().sum() >= before + 1);
        assertEquals(0, store.figures().failures());
        disk.beforeWrite = FaultyDisk.BROKEN;
        assertNotNull(write(store, batch -> batch.putSession(BEN, session("ben"))));
        assertEquals(1, store.figures().failures());
        disk.beforeWrite = null;
        until(() -> store.status().fault() == null);
        assertTrue(store.figures().hasFiles());
        assertTrue(store.figures().leastFreeBytes() > 0);
    }

    @Test
    void write_whoseSyncFails_isNeverFoundAgain_howeverLateTheFilesCanBeOpened() throws Exception {
        for (String way : List.of("at once", "not at first", "as far as tables", "not cut at first", "full")) {
            Path data = directory.resolve(way);
            RocksStore store = open(data, new Told());
            commit(store, batch -> batch.putSession(ANN, session("ann")));
            Place first = enqueue(store, message(1, "a", 300), ANN);
            disk.onOpen = way.equals("not at first") ? FaultyDisk.BROKEN : null;
            disk.afterOpen = way.equals("as far as tables") ? FaultyDisk.BROKEN : null;
            disk.onCutOff = way.equals("not cut at first") ? new IOException("Input/output error") : null;
            disk.usable = way.equals("full") ? 0 : Long.MAX_VALUE;
            disk.afterWrite = way.equals("full") ? FaultyDisk.FULL : FaultyDisk.BROKEN;
            String failure = write(store, batch -> {
                batch.enqueue(message(2, "a", 40_000), List.of(new Place(ANN, Qos.EXACTLY_ONCE, false)));
                batch.ack(ANN, first.seq, first.body);
                batch.inboundId(ANN, 7, true);
            });
            assertNotNull(failure, way);
            disk.afterWrite = null;
            disk.onOpen = null;
            disk.afterOpen = null;
            disk.onCutOff = null;
            disk.usable = Long.MAX_VALUE;
            until(() -> store.status().fault() == null);
            assertEquals(List.of(first.seq), readAll(store, 1).places(), way);
            Place third = enqueue(store, message(3, "a", 10), ANN);
            store.close();
            Told told = new Told();
            assertEquals(
                    List.of(first.seq, third.seq), readAll(open(data, told), 1).places(), way);
            assertEquals(Set.of("owner 1", "queue 1"), told.things.keySet(), way);
        }
    }

    @Test
    void close_ofAStoreThatCannotWrite_leavesNothingOfWhatFailed() throws Exception {
        RocksStore store = open();
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        disk.usable = 0;
        disk.afterWrite = FaultyDisk.FULL;
        assertNotNull(write(
                store, batch -> batch.enqueue(message(2, "a", 10), List.of(new Place(ANN, Qos.AT_LEAST_ONCE, false)))));
        store.close();
        disk.afterWrite = null;
        Told told = new Told();
        disk.usable = Long.MAX_VALUE;
        open(directory.resolve("data"), told);
        assertEquals(Set.of("owner 1"), told.things.keySet());
    }

    /** Numbers of changes stand at all places of RocksDB's blocks, some of them divided. */
    @Test
    void cutOff_findsItsPlaceWhereverItIs() throws Exception {
        NativeLibrary.load(directory);
        for (int fill = 32_640; fill < 32_680; fill++) {
            Path files = directory.resolve("db" + fill);
            long kept;
            try (Database database = Database.open(files, 1 << 20, Database.Mode.USE)) {
                kept = put(database, 1, fill);
                for (int i = 2; i < 5; i++) {
                    put(database, i, 10);
                }
            }
            assertTrue(LogFile.cutBehind(files, kept) > 0);
            assertEquals(0, LogFile.cutBehind(files, kept));
            AtomicInteger count = new AtomicInteger();
            try (Database database = Database.open(files, 1 << 20, Database.Mode.USE)) {
                database.scan(Family.META, (key, value) -> count.incrementAndGet());
                assertEquals(kept, database.rocks.getLatestSequenceNumber());
            }
            assertEquals(1, count.get());
        }
    }

    private static long put(Database database, int key, int bytes) throws Exception {
        database.rocks.put(database.family(Family.META), new byte[] {(byte) key}, new byte[bytes]);
        return database.rocks.getLatestSequenceNumber();
    }

    @Test
    void diskFull_failsWhatWaits_letsReadsGoOn_andComesBackByItself() throws Exception {
        RocksStore store = open();
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        enqueue(store, message(1, "a", 10), ANN);
        disk.usable = 0;
        disk.beforeWrite = FaultyDisk.FULL;
        String failure = write(store, batch -> batch.putSession(BEN, session("ben")));
        assertTrue(failure.contains("the disk is full"), failure);
        assertTrue(
                store.status().fault().contains("the disk is full"),
                store.status().fault());
        assertEquals(1, readAll(store, 1).messages().size());
        disk.beforeWrite = null;
        disk.usable = Long.MAX_VALUE;
        until(() -> store.status().fault() == null);
        enqueue(store, message(2, "a", 10), ANN);
        assertEquals(2, readAll(store, 1).messages().size());
    }

    @Test
    void littleSpace_refusesWhatGrows_andTakesWhatFrees() throws Exception {
        Path data = directory.resolve("data");
        StoreSettings settings = new StoreSettings(data, Durability.FSYNC, 100, 0, 1 << 20, 0);
        RocksStore store = new RocksStore(settings, disk, wall::get, nanos::get);
        store.open(new Told());
        open.add(store);
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        Place place = enqueue(store, message(1, "a", 10), ANN);
        disk.usable = 1000;
        until(() -> store.status().fault() != null);
        String failure = write(
                store, batch -> batch.enqueue(message(2, "a", 10), List.of(new Place(ANN, Qos.AT_LEAST_ONCE, false))));
        assertTrue(failure.contains("storage.min-free is 1 MB"), failure);
        assertNotNull(write(store, batch -> batch.retain(TopicName.of("r"), message(3, "r", 1), 1)));
        commit(store, batch -> {
            batch.ack(ANN, place.seq, place.body);
            batch.retain(TopicName.of("r"), null, 2);
        });
        assertEquals(List.of(), readAll(store, 1).messages());
        disk.usable = Long.MAX_VALUE;
        until(() -> store.status().fault() == null);
        enqueue(store, message(2, "a", 10), ANN);
    }

    @Test
    void maxSize_refusesWhatGrows() throws Exception {
        StoreSettings settings = new StoreSettings(directory.resolve("data"), Durability.FSYNC, 100, 0, 1, 1000);
        RocksStore store = new RocksStore(settings, disk, wall::get, nanos::get);
        store.open(new Told());
        open.add(store);
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        String failure = write(
                store, batch -> batch.enqueue(message(2, "a", 10), List.of(new Place(ANN, Qos.AT_LEAST_ONCE, false))));
        assertTrue(failure.contains("storage.max-size"), failure);
        assertTrue(store.status().diskBytes() > 1000);
    }

    @Test
    void async_whoseSyncFails_opensItsFilesAgain() throws Exception {
        RocksStore store = store(directory.resolve("data"), Durability.ASYNC);
        open.add(store);
        store.open(new Told());
        disk.onSync = FaultyDisk.BROKEN;
        disk.onOpen = FaultyDisk.BROKEN;
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        until(() -> store.status().fault() != null);
        disk.onSync = null;
        disk.onOpen = null;
        until(() -> store.status().fault() == null);
        enqueue(store, message(1, "a", 10), ANN);
        assertEquals(1, readAll(store, 1).messages().size());
    }

    @Test
    void manyThatWait_makeItUnwritable_untilHalfIsDone() throws Exception {
        RocksStore store = open();
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        disk.gate.lock();
        List<CompletableFuture<String>> ends = new ArrayList<>();
        CompletableFuture<Void> writable = new CompletableFuture<>();
        try {
            for (int i = 0; i < 55; i++) {
                ends.add(writing(
                        store,
                        batch -> batch.enqueue(
                                message(1, "a", 1 << 20), List.of(new Place(ANN, Qos.AT_LEAST_ONCE, false)))));
            }
            assertFalse(store.isWritable());
            assertTrue(store.status().pendingBytes() > 50 << 20);
            store.whenWritable(() -> writable.complete(null));
            assertFalse(writable.isDone());
        } finally {
            disk.gate.unlock();
        }
        await(writable);
        ends.forEach(end -> assertNull(await(end)));
        until(store::isWritable);
        until(() -> store.status().pendingBytes() == 0);
    }

    @Test
    void damagedQueue_failsItsPageOnly() throws Exception {
        Path data = directory.resolve("data");
        RocksStore store = open();
        commit(store, batch -> {
            batch.putSession(ANN, session("ann"));
            batch.putSession(BEN, session("ben"));
        });
        enqueue(store, message(1, "a", 10), ANN);
        Place large = enqueue(store, message(2, "a", 2000), ANN);
        enqueue(store, message(3, "a", 10), ANN);
        enqueue(store, message(4, "a", 10), BEN);
        store.close();
        try (Database database = Database.open(data.resolve("db"), 1 << 20, Database.Mode.USE)) {
            database.rocks.delete(database.family(Family.BODY), Layout.key(large.body));
        }
        RocksStore again = open(data, new Told());
        Read good = readAll(again, 1);
        assertEquals(List.of(1L), good.places());
        assertTrue(good.more());
        assertNull(good.failure());
        Read bad = read(again, 1, 1, Long.MAX_VALUE, 10, 1 << 20);
        assertEquals(List.of(), bad.messages());
        assertTrue(bad.failure().contains("missing"), bad.failure());
        assertEquals(1, readAll(again, 2).messages().size());
        assertNull(again.status().fault());
    }

    @Test
    void unknownRecordVersion_isRefused() throws Exception {
        Path data = directory.resolve("data");
        RocksStore store = open();
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        store.close();
        try (Database database = Database.open(data.resolve("db"), 1 << 20, Database.Mode.USE)) {
            database.rocks.put(database.family(Family.SESSION), Layout.key(1), new byte[] {9, 1, 2});
        }
        StoreException refusal = assertThrows(
                StoreException.class, () -> store(data, Durability.FSYNC).open(new Told()));
        assertEquals(Kind.DAMAGED, refusal.kind());
        assertTrue(refusal.getMessage().contains("has version 9"), refusal.getMessage());
    }

    @Test
    void backup_isADataDirectory() throws Exception {
        RocksStore store = open();
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        for (int i = 1; i <= 20; i++) {
            enqueue(store, message(i, "a", i * 200), ANN);
        }
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(100));
        Path copy = directory.resolve("backups/copy");
        store.backup(copy);
        List<String> before = readAll(store, 1).texts();
        enqueue(store, message(99, "a", 10), ANN);
        assertEquals(
                Kind.IO,
                assertThrows(StoreException.class, () -> store.backup(copy)).kind());
        Told told = new Told();
        RocksStore restored = open(copy, told);
        assertEquals(before, readAll(restored, 1).texts());
        assertEquals(1_700_000_100_000L, told.lastAliveMillis);
    }

    @ParameterizedTest
    @EnumSource
    void backup_whileOthersWrite_hasAllThatHadCompleted(Durability durability) throws Exception {
        RocksStore store = store(directory.resolve("data"), durability);
        store.open(new Told());
        open.add(store);
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        AtomicInteger completed = new AtomicInteger();
        AtomicBoolean enough = new AtomicBoolean();
        Thread writer = new Thread(() -> {
            for (int i = 1; !enough.get(); i++) {
                enqueue(store, message(i, "a/" + i, i % 300), ANN);
                completed.set(i);
            }
        });
        writer.start();
        try {
            for (int i = 1; i <= 3; i++) {
                int least = i * 50;
                until(() -> completed.get() >= least);
                int before = completed.get();
                store.backup(directory.resolve("copy-" + i));
                int after = completed.get() + 1;
                int found = readAll(open(directory.resolve("copy-" + i), new Told()), 1)
                        .messages()
                        .size();
                assertTrue(found >= before && found <= after, before + " <= " + found + " <= " + after);
            }
        } finally {
            enough.set(true);
            writer.join();
        }
    }

    @Test
    void backup_toAnotherFileSystem_isTheSame_andLeavesNothingHere() throws Exception {
        Path other = Path.of("/dev/shm");
        Assumptions.assumeTrue(
                Files.isWritable(other) && !Files.getFileStore(other).equals(Files.getFileStore(directory)),
                "there is no other file system");
        RocksStore store = open();
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        enqueue(store, message(1, "a", 6000), ANN);
        Path copy = Files.createTempDirectory(other, "dunlin-backup");
        try {
            store.backup(copy);
            assertFalse(Files.exists(directory.resolve("data/backup.part")));
            RocksStore restored = open(copy, new Told());
            assertEquals(readAll(store, 1).texts(), readAll(restored, 1).texts());
            open.remove(restored);
            restored.close();
        } finally {
            FileTree.delete(copy);
        }
    }

    @Test
    void opening_tellsHowFarItIs() throws Exception {
        RocksStore store = open();
        assertEquals(Store.Opening.Stage.DONE, store.opening().stage());
        for (int i = 1; i <= 5; i++) {
            SessionKey key = new SessionKey(i, 1);
            String id = "client-" + i;
            commit(store, batch -> batch.putSession(key, session(id)));
        }
        enqueue(store, message(7, "a", 10), ANN);
        enqueue(store, message(8, "a", 10), ANN);
        Path copy = killed(directory.resolve("data"), "copy");
        RocksStore again = store(copy, Durability.FSYNC);
        open.add(again);
        List<String> seen = new ArrayList<>();
        Told told = new Told();
        assertEquals(Store.Opening.NONE, again.opening());
        again.open((Store.Boot) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {Store.Boot.class}, (proxy, method, arguments) -> {
                    Store.Opening now = again.opening();
                    seen.add(method.getName() + " " + now.stage() + " "
                            + now.owners().read() + " of " + now.owners().about() + " "
                            + now.queued().read() + (now.logBytes() > 0 ? "" : " no log"));
                    return method.invoke(told, arguments);
                }));
        assertEquals(
                List.of(
                        "began OPENING_FILES 0 of 0 0",
                        "session READING 1 of 5 0",
                        "session READING 2 of 5 0",
                        "session READING 3 of 5 0",
                        "session READING 4 of 5 0",
                        "session READING 5 of 5 0",
                        "queue READING 5 of 5 2"),
                seen);
    }

    @Test
    void backup_withTooLittleRoom_isNotBegun() throws Exception {
        RocksStore store = open();
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        disk.usable = store.figures().leastFreeBytes() + 100;
        Path copy = directory.resolve("copy");
        StoreException refusal = assertThrows(StoreException.class, () -> store.backup(copy));
        assertEquals(Kind.NO_SPACE, refusal.kind());
        assertTrue(
                refusal.getMessage().contains("storage.min-free")
                        && refusal.getMessage().contains("MB are free"),
                refusal.getMessage());
        assertFalse(Files.exists(copy.resolve("db")));
        disk.usable = Long.MAX_VALUE;
        store.backup(copy); // the directory is there and empty
        assertTrue(Files.exists(copy.resolve("FORMAT")));
    }

    @Test
    void backup_whileNothingCanBeWritten_isRefused() throws Exception {
        RocksStore store = open();
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        disk.beforeWrite = FaultyDisk.BROKEN;
        disk.onOpen = FaultyDisk.BROKEN;
        assertNotNull(write(store, batch -> batch.putSession(BEN, session("ben"))));
        StoreException refusal = assertThrows(StoreException.class, () -> store.backup(directory.resolve("copy")));
        assertEquals(Kind.IO, refusal.kind());
        assertFalse(Files.exists(directory.resolve("copy/FORMAT")));
    }

    @Test
    void secondStore_isToldWhoHoldsTheDirectory() throws Exception {
        open();
        StoreException refusal = assertThrows(StoreException.class, this::open);
        assertEquals(Kind.LOCKED, refusal.kind());
        assertTrue(
                refusal.getMessage().contains("pid " + ProcessHandle.current().pid()), refusal.getMessage());
    }

    @Test
    void path_thatIsAFile_isRefused() throws Exception {
        Path file = Files.writeString(directory.resolve("file"), "x");
        StoreException refusal = assertThrows(StoreException.class, () -> open(file, new Told()));
        assertEquals(Kind.IO, refusal.kind());
        assertTrue(refusal.getMessage().contains("is no directory"), refusal.getMessage());
    }

    @Test
    void full_atOpen_saysSo() throws Exception {
        disk.onOpen = FaultyDisk.FULL;
        StoreException refusal = assertThrows(StoreException.class, this::open);
        assertEquals(Kind.NO_SPACE, refusal.kind());
        disk.onOpen = null;
        open();
    }

    @Test
    void time_isSteady_andCountsThePauseBetweenTwoRuns() throws Exception {
        Path data = directory.resolve("data");
        RocksStore store = open();
        assertEquals(1_700_000_000_000L, store.nowMillis());
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(10));
        wall.addAndGet(-5_000_000_000L);
        assertEquals(1_700_000_010_000L, store.nowMillis());
        store.close();
        wall.addAndGet(60_000);
        Told told = new Told();
        store = open(data, told);
        assertEquals(1_700_000_010_000L, told.lastAliveMillis);
        assertEquals(1_700_000_070_000L, store.nowMillis());
        store.close();
        wall.addAndGet(-TimeUnit.DAYS.toMillis(9000));
        store = open(data, new Told());
        assertEquals(1_700_000_070_000L, store.nowMillis());
        store.close();
        wall.addAndGet(TimeUnit.DAYS.toMillis(367));
        store = open(data, new Told());
        assertEquals(1_700_000_070_000L, store.nowMillis());
        store.close();
        wall.addAndGet(TimeUnit.DAYS.toMillis(365));
        store = open(data, new Told());
        assertEquals(1_700_000_070_000L + TimeUnit.DAYS.toMillis(365), store.nowMillis());
    }

    @Test
    void lastAlive_ofAKilledProcess_isItsLastSecond() throws Exception {
        Path data = directory.resolve("data");
        open();
        nanos.addAndGet(TimeUnit.SECONDS.toNanos(10));
        wall.addAndGet(10_000);
        AtomicInteger copies = new AtomicInteger();
        until(() -> {
            try (Mark mark =
                    Mark.open(killed(data, "copy" + copies.incrementAndGet()).resolve("seq.mark"))) {
                return mark.last().brokerMillis() == 1_700_000_010_000L;
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        wall.addAndGet(3000);
        Told told = new Told();
        RocksStore after = open(directory.resolve("copy" + copies.get()), told);
        assertEquals(1_700_000_010_000L, told.lastAliveMillis);
        assertEquals(1_700_000_013_000L, after.nowMillis());
    }

    @Test
    void mark_keepsTheOlderSlot_whenTheNewerIsTorn() throws Exception {
        Path file = directory.resolve("mark");
        try (Mark mark = Mark.open(file)) {
            assertNull(mark.last());
            mark.write(new Mark.State(7, 1, 2, false));
            mark.write(new Mark.State(8, 3, 4, true));
        }
        try (Mark mark = Mark.open(file)) {
            assertEquals(new Mark.State(8, 3, 4, true), mark.last());
        }
        byte[] bytes = Files.readAllBytes(file);
        bytes[10] ^= 1; // the second one written is in the first slot
        Files.write(file, bytes);
        try (Mark mark = Mark.open(file)) {
            assertEquals(new Mark.State(7, 1, 2, false), mark.last());
            mark.write(new Mark.State(9, 5, 6, false));
        }
        try (Mark mark = Mark.open(file)) {
            assertEquals(new Mark.State(9, 5, 6, false), mark.last());
        }
    }

    @Test
    void promise_saysWhatMayBeLost() {
        Map<Durability, String> words =
                Map.of(Durability.FSYNC, "on disk", Durability.ASYNC, "20 ms", Durability.NONE, "half a minute");
        words.forEach((durability, part) -> {
            String promise = store(directory, durability).promise();
            assertTrue(promise.contains(part), promise);
        });
    }

    @Test
    void close_completesWhatWaits() throws Exception {
        RocksStore store = open();
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        List<CompletableFuture<String>> ends = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            ends.add(writing(
                    store,
                    batch -> batch.enqueue(message(1, "a", 10), List.of(new Place(ANN, Qos.AT_LEAST_ONCE, false)))));
        }
        store.close();
        ends.forEach(end -> assertNull(await(end)));
        assertEquals("the store is closed", write(store, batch -> batch.removeOwner(ANN)));
        assertEquals("the store is closed", readAll(store, 1).failure());
        assertTrue(store.nextId() > 0 && store.nowMillis() > 0);
        store.close();
        Told told = new Told();
        open(directory.resolve("data"), told);
        assertTrue(told.things.get("queue 1").startsWith("1000 messages"), told.things.toString());
    }
}
