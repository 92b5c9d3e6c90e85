package org.dunlin.persistence.rocksdb;

import static org.dunlin.persistence.testing.Uses.commit;
import static org.dunlin.persistence.testing.Uses.enqueue;
import static org.dunlin.persistence.testing.Uses.message;
import static org.dunlin.persistence.testing.Uses.readAll;
import static org.dunlin.persistence.testing.Uses.session;
import static org.dunlin.persistence.testing.Uses.writing;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreException.Kind;
import org.dunlin.core.spi.StoreSettings.Durability;
import org.dunlin.mqtt.Qos;
import org.dunlin.persistence.rocksdb.Layout.Family;
import org.dunlin.persistence.testing.Engine;
import org.dunlin.persistence.testing.Told;
import org.dunlin.persistence.testing.Uses;
import org.dunlin.persistence.testing.Uses.Place;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Callers that throw, directories that are not plain, rows that nobody wrote: the store goes on or says what is wrong. */
class OddityTest {
    private static final SessionKey ANN = new SessionKey(1, 1);

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    private final List<RocksStore> open = new ArrayList<>();

    @AfterEach
    void closeAll() {
        open.forEach(RocksStore::close);
    }

    private RocksStore open(Path path) throws StoreException {
        RocksStore store = new RocksStore(
                Engine.settings(path, Durability.NONE), disk, System::currentTimeMillis, System::nanoTime);
        store.open(new Told());
        open.add(store);
        return store;
    }

    @Test
    void completionsAndWaiters_thatThrow_keepNobodyFromTheirs() throws Exception {
        RocksStore store = open(directory.resolve("data"));
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        List<CompletableFuture<String>> ends = new ArrayList<>();
        disk.gate.lock();
        try {
            StoreBatch odd = store.newBatch();
            odd.putSession(ANN, session("ann"));
            store.write(odd, failure -> {
                throw new AssertionError("of a caller");
            });
            for (int i = 0; i < 50; i++) {
                ends.add(writing(
                        store,
                        batch -> batch.enqueue(
                                message(1, "a", 1 << 20), List.of(new Place(ANN, Qos.AT_LEAST_ONCE, false)))));
            }
            assertFalse(store.isWritable());
            store.whenWritable(() -> {
                throw new RejectedExecutionException("the loop has ended");
            });
            CompletableFuture<String> told = new CompletableFuture<>();
            store.whenWritable(() -> told.complete(null));
            ends.add(told);
        } finally {
            disk.gate.unlock();
        }
        ends.forEach(end -> assertNull(Uses.await(end)));
        enqueue(store, message(2, "a", 10), ANN);
        assertNull(store.status().fault());
    }

    @Test
    void memory_forWhatWasReadAndWritten_isBoundedTogether() throws Exception {
        NativeLibrary.load(directory);
        long mb = 1 << 20;
        try (Database database = Database.open(directory.resolve("db"), mb, Database.Mode.USE)) {
            for (int i = 0; i < 60; i++) {
                for (Family family : Family.values()) {
                    database.rocks.put(database.family(family), Layout.key(1, i), new byte[128 << 10]);
                }
            }
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (sum(database, "rocksdb.cur-size-all-mem-tables") > 17 * mb) { // each has much less than it may alone
                assertTrue(System.nanoTime() < deadline, "60 MB that were written stay in memory");
                database.rocks.put(database.family(Family.META), Layout.key(2), new byte[10]);
            }
            assertEquals(17 * mb, sum(database, "rocksdb.block-cache-capacity") / Family.values().length);
        }
    }

    private static long sum(Database database, String property) throws Exception {
        long sum = 0;
        for (Family family : Family.values()) {
            sum += database.rocks.getLongProperty(database.family(family), property);
        }
        return sum;
    }

    @Test
    void aDirectoryThatIsALinkToOne_isTaken() throws Exception {
        Path real = Files.createDirectory(directory.resolve("real"));
        Path link = Files.createSymbolicLink(directory.resolve("link"), real);
        RocksStore store = open(link);
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        enqueue(store, message(1, "a", 10), ANN);
        store.close();
        assertEquals(1, readAll(open(real), 1).messages().size());
    }

    @Test
    void rowsThatNobodyWrote_areRefusedAsDamage() throws Exception {
        byte[] queued = Records.queued(message(1, "a", 10), Qos.AT_LEAST_ONCE, false, new int[0], false);
        byte[] noQos = Records.message(message(1, "a", 10));
        noQos[9] |= 3;
        Map<Family, List<byte[][]>> rows = new LinkedHashMap<>();
        rows.put(Family.SESSION, List.of(new byte[][] {{1}, Records.group("g")}, new byte[][] {Layout.key(7), {1, 1}}));
        rows.put(Family.SUBSCRIPTION, List.of(new byte[][] {{1}, {1, 0, 0, 0, 0, 0}}, new byte[][] {
            Layout.key(1, new byte[] {'a'}), {1, 3}
        }));
        rows.put(
                Family.QUEUE,
                List.of(new byte[][] {Layout.key(1), queued}, new byte[][] {Layout.key(1, 1), {1}}, new byte[][] {
                    Layout.key(1, 1), {1, 8, 0, 0, 0, 1, 0}
                }));
        rows.put(Family.BODY, List.<byte[][]>of(new byte[][] {{1, 2}, {1}}));
        rows.put(Family.FLOW, List.of(new byte[][] {Layout.key(1), Records.number(1)}, new byte[][] {
            Layout.key(1, new byte[] {Layout.NUMBERED, 0, 1}), Records.number(1)
        }));
        rows.put(Family.RETAINED, List.<byte[][]>of(new byte[][] {{'r'}, {1, 0}}));
        rows.put(Family.TIMER, List.of(new byte[][] {Layout.key(1), Records.message(message(1, "a", 1))}, new byte[][] {
            Layout.key(1, 2), noQos
        }));
        Path data = directory.resolve("data");
        RocksStore store = open(data);
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        store.close();
        rows.forEach((family, bad) -> bad.forEach(row -> {
            try {
                try (Database database = Database.open(data.resolve("db"), 1 << 20, Database.Mode.USE)) {
                    database.rocks.put(database.family(family), row[0], row[1]);
                }
                StoreException refusal = assertThrows(StoreException.class, () -> open(data), family.name());
                assertEquals(Kind.DAMAGED, refusal.kind(), refusal.getMessage());
                try (Database database = Database.open(data.resolve("db"), 1 << 20, Database.Mode.USE)) {
                    database.rocks.delete(database.family(family), row[0]);
                }
            } catch (Exception e) {
                throw new AssertionError(family.name(), e);
            }
        }));
        open(data);
    }
}
