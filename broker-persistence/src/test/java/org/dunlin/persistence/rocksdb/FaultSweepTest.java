package org.dunlin.persistence.rocksdb;

import static org.dunlin.persistence.testing.Uses.message;
import static org.dunlin.persistence.testing.Uses.session;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.dunlin.core.spi.MemoryStore;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.Store.Stored;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.core.spi.StoreBatch.SubscriptionRecord;
import org.dunlin.core.spi.StoreSettings.Durability;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.dunlin.persistence.testing.Engine;
import org.dunlin.persistence.testing.Told;
import org.dunlin.persistence.testing.Uses;
import org.dunlin.persistence.testing.Uses.Place;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * Fails the first write of a script, then in a new store the second, and so on until none is left: what was acknowledged is
 * there and nothing else, in the running store and in the one that is opened after it.
 */
class FaultSweepTest {
    private static final SessionKey ANN = new SessionKey(1, 1);
    private static final SessionKey BEN = new SessionKey(2, 1);

    @TempDir
    Path directory;

    /** Fails one write, or that and the next, which is the one that opens the files again. */
    private static final class FailingDisk extends Disk {
        private final boolean afterwards;
        private final int failures;
        private volatile int until = Integer.MAX_VALUE;
        private int writes;
        private volatile int failed;

        private FailingDisk(boolean afterwards, int failures) {
            this.afterwards = afterwards;
            this.failures = failures;
        }

        @Override
        public synchronized void write(Database database, WriteOptions options, WriteBatch rows)
                throws RocksDBException {
            boolean fails = ++writes > until && writes <= until + failures;
            if (!fails || afterwards) {
                super.write(database, options, rows);
            }
            if (fails) {
                failed++;
                throw FaultyDisk.BROKEN;
            }
        }

        private synchronized void failAfter(int good) {
            until = writes + good;
        }
    }

    /** What is done, as changes for a batch of either store; they remember the places of their own store. */
    private static List<Consumer<StoreBatch>> script() {
        List<Consumer<StoreBatch>> script = new ArrayList<>();
        Place first = new Place(ANN, Qos.AT_LEAST_ONCE, false);
        Place second = new Place(BEN, Qos.EXACTLY_ONCE, false);
        Place third = new Place(BEN, Qos.EXACTLY_ONCE, false);
        script.add(batch -> {
            batch.putSession(ANN, session("ann"));
            batch.putSession(BEN, session("ben"));
        });
        script.add(batch -> batch.putSubscription(BEN, new SubscriptionRecord("a/b", Qos.EXACTLY_ONCE, true, true, 3)));
        script.add(batch -> {
            batch.enqueue(message(1, "a", 400), List.of(first, second));
            batch.inboundId(ANN, 7, true);
        });
        script.add(batch -> batch.retain(TopicName.of("r"), message(2, "r", 5), 5));
        script.add(batch -> batch.enqueue(message(3, "a", 10), List.of(third)));
        script.add(batch -> batch.retain(TopicName.of("r"), message(4, "r", 4), 4));
        script.add(batch -> {
            if (first.seq > 0) {
                batch.ack(ANN, first.seq, first.body);
            }
        });
        script.add(batch -> batch.inboundId(ANN, 7, false));
        script.add(batch -> batch.putDelayed(5, 50, message(5, "d", 5)));
        script.add(batch -> {
            if (second.seq > 0) {
                batch.released(BEN, second.seq, second.body, 9);
            }
        });
        script.add(batch -> batch.removeOwner(ANN));
        script.add(batch -> batch.completed(BEN, 9));
        return script;
    }

    @Test
    void writeThatFails_leavesNothing() throws Exception {
        sweep(false, 1, 1);
    }

    @Test
    void writeThatFails_andOpeningAgainToo_leavesNothing() throws Exception {
        sweep(false, 2, 4); // each waits for a probe
    }

    @Test
    void writeWhoseSyncFails_leavesNothing() throws Exception {
        sweep(true, 1, 1);
    }

    @Test
    void writeWhoseSyncFails_andOpeningAgainToo_leavesNothing() throws Exception {
        sweep(true, 2, 4);
    }

    private void sweep(boolean afterwards, int failures, int step) throws Exception {
        boolean fired = true;
        for (int good = 0; fired; good += step) {
            FailingDisk disk = new FailingDisk(afterwards, failures);
            Path data = directory.resolve("data" + afterwards + failures + "-" + good);
            RocksStore store = new RocksStore(
                    Engine.settings(data, Durability.FSYNC), disk, System::currentTimeMillis, System::nanoTime);
            store.open(new Told());
            MemoryStore model = new MemoryStore();
            try {
                disk.failAfter(good);
                List<Consumer<StoreBatch>> mine = script();
                List<Consumer<StoreBatch>> models = script();
                for (int i = 0; i < mine.size(); i++) {
                    String failure = Uses.write(store, mine.get(i));
                    if (failure == null) {
                        Uses.commit(model, models.get(i));
                    } else {
                        recovered(store);
                    }
                }
                fired = disk.failed > 0;
                recovered(store);
                assertEquals(contents(model), contents(store), "after " + good + " good writes");
                store.close();
                Told told = new Told();
                store = new RocksStore(Engine.settings(data, Durability.FSYNC));
                store.open(told);
                Told expected = new Told();
                model.open(expected);
                assertEquals(things(expected), things(told), "after " + good + " good writes, opened again");
                assertEquals(contents(model), contents(store));
            } finally {
                store.close();
            }
            assertTrue(good < 100);
        }
    }

    private static void recovered(Store store) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (store.status().fault() != null) {
            assertTrue(System.nanoTime() < deadline, store.status().fault());
            LockSupport.parkNanos(100_000);
        }
    }

    /** Places may differ: those of a failed write are not given again. */
    private static Map<String, String> things(Told told) {
        Map<String, String> things = new TreeMap<>();
        told.things.forEach((name, content) -> {
            if (name.startsWith("queue") || name.startsWith("released")) {
                things.put(name, content.split(" ")[0].replaceAll("^[0-9]+$", ""));
            } else {
                things.put(name, content);
            }
        });
        return things;
    }

    private static List<String> contents(Store store) {
        List<String> contents = new ArrayList<>();
        for (long sid = 1; sid <= 2; sid++) {
            Uses.Read all = Uses.readAll(store, sid);
            while (all.failure() != null) { // opened again once more, since what was cleared away had failed
                recovered(store);
                all = Uses.readAll(store, sid);
            }
            for (Stored stored : all.messages()) {
                contents.add(sid + " " + Told.text(stored.message()) + " as " + stored.qos());
            }
        }
        return contents;
    }
}
