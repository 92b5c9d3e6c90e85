package org.dunlin.persistence.rocksdb;

import static org.dunlin.persistence.testing.Uses.await;
import static org.dunlin.persistence.testing.Uses.commit;
import static org.dunlin.persistence.testing.Uses.enqueue;
import static org.dunlin.persistence.testing.Uses.message;
import static org.dunlin.persistence.testing.Uses.session;
import static org.dunlin.persistence.testing.Uses.writing;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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

/** What the store writes at once, and what may wait for company. */
class UnhurriedTest {
    private static final SessionKey ANN = new SessionKey(1, 1);
    private static final SessionKey BEN = new SessionKey(2, 1);

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
        if (place == null) {
            commit(store, batch -> batch.putSession(ANN, session("ann")));
            place = enqueue(store, message(1, "a", 10), ANN);
        }
    }

    @AfterEach
    void close() {
        store.close();
    }

    private void acknowledge(StoreBatch batch) {
        batch.ack(ANN, place.seq, place.body);
    }

    @Test
    void acknowledgements_thatNobodyWaitsFor_areWrittenAfterAWhile() {
        commit(store, batch -> {
            acknowledge(batch);
            batch.unhurried();
        });
        assertEquals(List.of(), Uses.readAll(store, 1).texts());
    }

    @Test
    void acknowledgements_thatNobodyWaitsFor_goToTheDiskWithWhatComesNext() {
        disk.gate.lock(); // the writer is busy, so that what is given meanwhile is seen at once
        CompletableFuture<String> busy;
        CompletableFuture<String> first;
        CompletableFuture<String> second;
        int written;
        try {
            busy = writing(store, batch -> batch.putSession(ANN, session("ann")));
            until(disk.gate::hasQueuedThreads);
            written = disk.writes.get();
            first = writing(store, batch -> {
                acknowledge(batch);
                batch.unhurried();
            });
            second = writing(store, batch -> batch.putSession(BEN, session("ben")));
        } finally {
            disk.gate.unlock();
        }
        assertNull(await(busy));
        assertNull(await(first));
        assertNull(await(second));
        assertEquals(written + 2, disk.writes.get());
    }

    private static void until(BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, "it did not come about");
            LockSupport.parkNanos(1_000_000);
        }
    }

    @Test
    void close_withAcknowledgementsThatNobodyWaitsFor_writesThem() throws Exception {
        CompletableFuture<String> end = writing(store, batch -> {
            acknowledge(batch);
            batch.unhurried();
        });
        store.close();
        assertNull(await(end));
        open();
        assertEquals(List.of(), Uses.readAll(store, 1).texts());
    }

    @Test
    void manyAcknowledgements_thatNobodyWaitsFor_areWrittenBeforeTheyTakeMuchMemory() {
        long before = disk.writes.get();
        List<CompletableFuture<String>> ends = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            ends.add(writing(store, batch -> {
                for (int n = 0; n < 4096; n++) {
                    batch.completed(ANN, 1 + n);
                }
                batch.unhurried();
            }));
        }
        ends.forEach(end -> assertNull(await(end)));
        assertTrue(disk.writes.get() > before);
    }

    @Test
    void batch_waitsOnlyIfItSaysNothingButWhatIsDoneWith() {
        assertTrue(isHurried(this::acknowledge, false));
        assertFalse(isHurried(this::acknowledge, true));
        assertFalse(isHurried(batch -> batch.completed(ANN, 1), true));
        assertTrue(isHurried(batch -> batch.putSession(ANN, session("ann")), true));
        assertTrue(isHurried(batch -> batch.released(ANN, place.seq, place.body, 7), true));
        assertTrue(isHurried(batch -> batch.numbered(ANN, place.seq, 7), true));
        assertTrue(isHurried(batch -> batch.inboundId(ANN, 5, true), true));
        assertTrue(isHurried(batch -> batch.inboundId(ANN, 5, false), true));
        assertTrue(isHurried(batch -> batch.removeOwner(ANN), true));
        assertTrue(isHurried(batch -> batch.removeSubscription(ANN, "a"), true));
        assertTrue(isHurried(
                batch -> batch.enqueue(message(2, "b", 10), List.of(new Place(ANN, Qos.AT_LEAST_ONCE, false))), true));
    }

    private boolean isHurried(Consumer<StoreBatch> change, boolean nobodyWaits) {
        RocksBatch batch = new RocksBatch();
        change.accept(batch);
        if (nobodyWaits) {
            batch.unhurried();
        }
        return batch.isHurried();
    }
}
