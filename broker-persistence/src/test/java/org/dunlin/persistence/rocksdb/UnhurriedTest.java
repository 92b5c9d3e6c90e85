package org.dunlin.persistence.rocksdb;

import static org.dunlin.persistence.testing.Uses.commit;
import static org.dunlin.persistence.testing.Uses.enqueue;
import static org.dunlin.persistence.testing.Uses.message;
import static org.dunlin.persistence.testing.Uses.session;
import static org.dunlin.persistence.testing.Uses.write;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.core.spi.StoreSettings.Durability;
import org.dunlin.mqtt.Qos;
import org.dunlin.persistence.testing.Engine;
import org.dunlin.persistence.testing.Told;
import org.dunlin.persistence.testing.Uses;
import org.dunlin.persistence.testing.Uses.Place;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the store brings to disk at once, and what a little later. */
class UnhurriedTest {
    private static final SessionKey ANN = new SessionKey(1, 1);

    @TempDir
    Path directory;

    private final FaultyDisk disk = new FaultyDisk();
    private Store store;
    private Place place;

    @BeforeEach
    void open() throws Exception {
        store = new RocksStore(
                Engine.settings(directory.resolve("data"), Durability.FSYNC),
                disk,
                System::currentTimeMillis,
                System::nanoTime);
        store.open(new Told());
        commit(store, batch -> batch.putSession(ANN, session("ann")));
        place = enqueue(store, message(1, "a", 10), ANN);
    }

    @AfterEach
    void close() {
        store.close();
    }

    private void acknowledge(StoreBatch batch) {
        batch.ack(ANN, place.seq, place.body);
    }

    private static void until(BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, "it did not come about");
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void acknowledgements_thatNobodyWaitsFor_areOnDiskALittleLater() {
        int syncs = disk.syncs.get();
        commit(store, batch -> {
            acknowledge(batch);
            batch.unhurried();
        });
        assertEquals(1, disk.unsynced.get());
        until(() -> disk.syncs.get() > syncs);
        assertEquals(List.of(), Uses.readAll(store, 1).texts());
    }

    @Test
    void acknowledgements_thatSomebodyWaitsFor_areOnDiskAtOnce() {
        int synced = disk.synced.get();
        commit(store, this::acknowledge);
        assertEquals(synced + 1, disk.synced.get());
        assertEquals(0, disk.unsynced.get());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4})
    void whateverElse_unhurriedOrNot_isOnDiskAtOnce(int which) {
        List<Consumer<StoreBatch>> changes = List.of(
                batch -> batch.putSession(ANN, session("ann")),
                batch -> batch.released(ANN, place.seq, place.body, 7),
                batch -> batch.inboundId(ANN, 5, true),
                batch -> batch.enqueue(message(2, "b", 10), List.of(new Place(ANN, Qos.AT_LEAST_ONCE, false))),
                batch -> batch.removeOwner(ANN));
        int synced = disk.synced.get();
        commit(store, batch -> {
            acknowledge(batch);
            changes.get(which).accept(batch);
            batch.unhurried();
        });
        assertEquals(synced + 1, disk.synced.get());
        assertEquals(0, disk.unsynced.get());
    }

    /** As after a failed sync whose pages the system has thrown away. */
    @Test
    void failedSync_thatTakesAnUnhurriedAcknowledgementWithIt_losesNothingElse() throws Exception {
        commit(store, batch -> {
            acknowledge(batch);
            batch.unhurried();
        });
        disk.afterWrite = FaultyDisk.BROKEN;
        assertNotNull(write(store, batch -> batch.putSession(new SessionKey(2, 1), session("ben"))));
        disk.afterWrite = null;
        until(() -> write(store, batch -> batch.putSession(new SessionKey(3, 1), session("eve"))) == null);
        enqueue(store, message(3, "c", 10), ANN);
        assertEquals(1, Uses.readAll(store, 1).texts().size());
    }
}
