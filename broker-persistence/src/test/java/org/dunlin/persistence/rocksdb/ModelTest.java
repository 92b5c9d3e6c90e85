package org.dunlin.persistence.rocksdb;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.dunlin.core.spi.MemoryStore;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.core.spi.StoreBatch.SubscriptionRecord;
import org.dunlin.core.spi.StoreSettings.Durability;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.dunlin.persistence.testing.Engine;
import org.dunlin.persistence.testing.Told;
import org.dunlin.persistence.testing.Uses;
import org.dunlin.persistence.testing.Uses.Place;
import org.dunlin.persistence.testing.Uses.Read;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Does the same random things to this store and to the one in memory, ends the process now and then, by a stop or a kill, and
 * compares all that is told and read. {@code -Ddunlin.seed=N} repeats a run,
 * {@code -Ddunlin.seeds=N} makes so many.
 */
class ModelTest {
    private static final int SEEDS = Integer.getInteger("dunlin.seeds", 4);
    private static final int BATCHES = 400;

    @TempDir
    Path directory;

    private final MemoryStore model = new MemoryStore();
    private final FaultyDisk disk = new FaultyDisk();
    private RocksStore store;
    private Path data;
    private int lives;
    private Random random;
    private final Map<Long, Owner> owners = new HashMap<>();
    private long nextSid;
    private long nextMessage;
    private long nextStamp;
    private final List<CompletableFuture<String>> ends = new ArrayList<>();

    private static final class Owner {
        private SessionKey key;
        private boolean group;
        private final List<Queued> queue = new ArrayList<>();
    }

    /** The same message in both stores. */
    private static final class Queued {
        private final Place inModel;
        private final Place inStore;
        private boolean settled;

        private Queued(Place inModel, Place inStore) {
            this.inModel = inModel;
            this.inStore = inStore;
        }
    }

    @Test
    void randomChanges_areKeptAsInMemory() throws Exception {
        Long given = Long.getLong("dunlin.seed");
        long first = given == null ? System.nanoTime() : given;
        for (long seed = first; seed < first + (given == null ? SEEDS : 1); seed++) {
            try {
                new ModelTest().run(seed, directory.resolve("seed" + seed));
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("-Ddunlin.seed=" + seed, e);
            }
        }
    }

    private void run(long seed, Path path) throws Exception {
        random = new Random(seed);
        directory = path;
        data = path.resolve("0");
        model.open(new Told());
        store = new RocksStore(Engine.settings(data, durability()), disk, System::currentTimeMillis, System::nanoTime);
        store.open(new Told());
        try {
            for (int i = 0; i < BATCHES; i++) {
                batch();
                if (random.nextInt(60) == 0) {
                    compareQueues();
                }
                if (random.nextInt(80) == 0) {
                    restart();
                }
            }
            restart();
            compareQueues();
        } finally {
            store.close();
        }
        Told told = new Told();
        model.open(told);
        bodiesAreExact();
    }

    private Durability durability() {
        return Durability.values()[random.nextInt(3)];
    }

    private void settle() {
        ends.forEach(end -> assertNull(Uses.await(end)));
        ends.clear();
        for (Owner owner : owners.values()) {
            owner.queue.forEach(queued -> queued.settled = true);
        }
    }

    /** Each change is made to both batches. */
    private void batch() {
        StoreBatch first = model.newBatch();
        StoreBatch second = store.newBatch();
        int changes = 1 + random.nextInt(8);
        for (int i = 0; i < changes; i++) {
            change(first, second);
        }
        model.write(first, failure -> {});
        CompletableFuture<String> end = new CompletableFuture<>();
        store.write(second, end::complete);
        ends.add(end);
        if (random.nextInt(4) == 0) {
            settle(); // the others come together in groups
        }
    }

    private void change(StoreBatch first, StoreBatch second) {
        Owner owner = anyOwner();
        int what = random.nextInt(20);
        if (owner == null || what == 0) {
            Owner made = new Owner();
            made.key = new SessionKey(++nextSid, random.nextInt(3));
            made.group = random.nextInt(4) == 0;
            owners.put(made.key.sid(), made);
            put(made, first, second);
            return;
        }
        SessionKey key =
                random.nextInt(10) == 0 ? new SessionKey(owner.key.sid(), owner.key.generation() - 1) : owner.key;
        boolean counts = owner.group || key == owner.key;
        switch (what) {
            case 1 -> {
                owner.key = new SessionKey(owner.key.sid(), owner.key.generation() + random.nextInt(2));
                put(owner, first, second);
            }
            case 2 -> {
                if (random.nextInt(3) == 0 && key == owner.key) {
                    both(first, second, batch -> batch.removeOwner(owner.key));
                    owners.remove(owner.key.sid());
                }
            }
            case 3, 4 -> {
                SubscriptionRecord subscription = new SubscriptionRecord(
                        "f/" + random.nextInt(5),
                        Qos.of(random.nextInt(3)),
                        random.nextBoolean(),
                        random.nextBoolean(),
                        random.nextInt(9));
                both(first, second, batch -> batch.putSubscription(key, subscription));
            }
            case 5 -> {
                String filter = "f/" + random.nextInt(5);
                both(first, second, batch -> batch.removeSubscription(key, filter));
            }
            case 6, 7, 8, 9, 10 -> enqueue(first, second);
            case 11, 12, 13, 14 -> take(owner, key, counts, first, second);
            case 15 -> {
                int id = 1 + random.nextInt(6);
                boolean present = random.nextBoolean();
                both(first, second, batch -> batch.inboundId(key, id, present));
            }
            case 16 -> {
                int id = 1 + random.nextInt(6);
                both(first, second, batch -> batch.completed(key, id));
            }
            case 17, 18 -> {
                TopicName topic = TopicName.of("r/" + random.nextInt(6));
                Message message = random.nextInt(3) == 0 ? null : message(topic.text());
                long stamp = Math.max(1, ++nextStamp + random.nextInt(7) - 3);
                both(first, second, batch -> batch.retain(topic, message, stamp));
            }
            default -> {
                long id = 1 + random.nextInt(10);
                Message message = random.nextBoolean() ? null : message("d");
                both(first, second, batch -> {
                    if (message == null) {
                        batch.removeDelayed(id, id * 100);
                    } else {
                        batch.putDelayed(id, id * 100, message);
                    }
                });
            }
        }
    }

    private static void both(StoreBatch first, StoreBatch second, Consumer<StoreBatch> change) {
        change.accept(first);
        change.accept(second);
    }

    private Owner anyOwner() {
        List<Owner> all = List.copyOf(owners.values());
        return all.isEmpty() ? null : all.get(random.nextInt(all.size()));
    }

    private void put(Owner owner, StoreBatch first, StoreBatch second) {
        String name = "name " + random.nextInt(100);
        both(first, second, batch -> {
            if (owner.group) {
                batch.putGroup(owner.key, name);
            } else if (name.endsWith("7")) {
                batch.putSession(owner.key, Uses.sessionWithWill(name, new byte[100]));
            } else {
                batch.putSession(owner.key, Uses.session(name));
            }
        });
    }

    private Message message(String topic) {
        int[] sizes = {0, 20, 99, 101, 300, 1024, 1025, 5000};
        return Uses.message(++nextMessage, topic, sizes[random.nextInt(sizes.length)]);
    }

    private void enqueue(StoreBatch first, StoreBatch second) {
        Message message = message("t/" + random.nextInt(9));
        List<Place> inModel = new ArrayList<>();
        List<Place> inStore = new ArrayList<>();
        for (Owner owner : owners.values()) {
            if (random.nextInt(3) == 0) {
                Qos qos = Qos.of(random.nextInt(3));
                boolean retain = random.nextBoolean();
                int[] ids = random.ints(random.nextInt(3), 1, 1000).toArray();
                inModel.add(new Place(owner.key, qos, retain, ids));
                inStore.add(new Place(owner.key, qos, retain, ids));
                owner.queue.add(new Queued(inModel.get(inModel.size() - 1), inStore.get(inStore.size() - 1)));
            }
        }
        first.enqueue(message, inModel);
        second.enqueue(message, inStore);
    }

    /** Acknowledges a message that both stores have given a place: one of an earlier batch. */
    private void take(Owner owner, SessionKey key, boolean counts, StoreBatch first, StoreBatch second) {
        List<Queued> placed = new ArrayList<>();
        for (Queued queued : owner.queue) {
            if (queued.settled) {
                placed.add(queued);
            }
        }
        if (placed.isEmpty()) {
            return;
        }
        Queued queued = placed.get(random.nextInt(Math.min(3, placed.size())));
        int how = random.nextInt(4);
        int packetId = 1 + random.nextInt(6);
        if (how == 0) {
            first.numbered(key, queued.inModel.seq, packetId);
            second.numbered(key, queued.inStore.seq, packetId);
            return;
        }
        if (how == 1) {
            first.released(key, queued.inModel.seq, queued.inModel.body, packetId);
            second.released(key, queued.inStore.seq, queued.inStore.body, packetId);
        } else {
            first.ack(key, queued.inModel.seq, queued.inModel.body);
            second.ack(key, queued.inStore.seq, queued.inStore.body);
        }
        if (counts && random.nextInt(5) > 0) { // else it may be acknowledged once more
            owner.queue.remove(queued);
        }
    }

    private void compareQueues() {
        settle();
        for (long sid = 1; sid <= nextSid; sid++) {
            long after = 0;
            boolean more = true;
            while (more) {
                int messages = 1 + random.nextInt(20);
                long bytes = random.nextInt(20_000);
                Read expected = Uses.read(model, sid, after, Long.MAX_VALUE, messages, bytes);
                Read there = Uses.read(store, sid, after, Long.MAX_VALUE, messages, bytes);
                assertNull(there.failure());
                assertEquals(expected.texts(), there.texts(), "queue of " + sid);
                assertEquals(expected.more(), there.more());
                more = there.more();
                after = more ? there.messages().get(there.messages().size() - 1).seq() : 0;
            }
        }
    }

    private void restart() throws Exception {
        settle();
        topUp();
        nextStamp += 10; // no batch comes late from a former process
        if (random.nextBoolean()) {
            store.close();
        } else {
            Path next = directory.resolve("" + ++lives);
            disk.killed(data, next);
            store.close();
            data = next;
        }
        store = new RocksStore(Engine.settings(data, durability()), disk, System::currentTimeMillis, System::nanoTime);
        Told there = new Told();
        store.open(there);
        Told expected = new Told();
        model.open(expected);
        Map<String, String> missing = new TreeMap<>(expected.things);
        missing.entrySet().removeAll(there.things.entrySet());
        there.things.entrySet().removeAll(expected.things.entrySet());
        assertEquals(missing, there.things, "what only one of them tells");
    }

    /** The last place of each queue is taken, since a store may begin anew below one that is free at the start. */
    private void topUp() {
        for (Owner owner : owners.values()) {
            Message message = message("top");
            Place inModel = new Place(owner.key, Qos.AT_LEAST_ONCE, false);
            Place inStore = new Place(owner.key, Qos.AT_LEAST_ONCE, false);
            Uses.commit(model, batch -> batch.enqueue(message, List.of(inModel)));
            Uses.commit(store, batch -> batch.enqueue(message, List.of(inStore)));
            assertEquals(inModel.seq, inStore.seq);
            owner.queue.add(new Queued(inModel, inStore));
        }
    }

    /** Every stored body is in a queue, and the other way round. */
    private void bodiesAreExact() throws Exception {
        Set<Long> used = new TreeSet<>();
        Set<Long> kept = new TreeSet<>();
        try (Database database = Database.open(data.resolve("db"), 1 << 20, Database.Mode.INSPECT)) {
            database.scan(Layout.Family.QUEUE, (key, value) -> {
                long body = Records.body(ByteBuffer.wrap(value));
                if (body != 0) {
                    used.add(body);
                }
            });
            database.scan(Layout.Family.BODY, (key, value) -> kept.add(Layout.number(key, 0)));
            assertEquals(used, kept);
        }
    }
}
