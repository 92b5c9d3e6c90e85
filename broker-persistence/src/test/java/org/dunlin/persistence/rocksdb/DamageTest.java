package org.dunlin.persistence.rocksdb;

import static org.dunlin.persistence.testing.Uses.commit;
import static org.dunlin.persistence.testing.Uses.message;
import static org.dunlin.persistence.testing.Uses.readAll;
import static org.dunlin.persistence.testing.Uses.session;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreBatch.SubscriptionRecord;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreSettings.Durability;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.dunlin.persistence.testing.Engine;
import org.dunlin.persistence.testing.Told;
import org.dunlin.persistence.testing.Uses.Place;
import org.dunlin.persistence.testing.Uses.Read;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Flips single bits in the files of a store that was stopped: it may refuse to start or to read a queue further, but what it
 * tells is what was stored. {@code -Ddunlin.seed=N} repeats a run.
 */
class DamageTest {
    private static final int FLIPS = Integer.getInteger("dunlin.flips", 8);

    @TempDir
    Path directory;

    private static RocksStore open(Path data, Told told) throws StoreException {
        RocksStore store = new RocksStore(Engine.settings(data, Durability.NONE));
        store.open(told);
        return store;
    }

    private static void fill(Store store) {
        List<Place> places = new ArrayList<>();
        commit(store, batch -> {
            for (long sid = 1; sid <= 3; sid++) {
                SessionKey key = new SessionKey(sid, 1);
                batch.putSession(key, session("client " + sid));
                batch.putSubscription(key, new SubscriptionRecord("a/" + sid, Qos.EXACTLY_ONCE, true, true, 3));
                batch.inboundId(key, 9, true);
                places.add(new Place(key, Qos.AT_LEAST_ONCE, false));
            }
        });
        int[] sizes = {5, 200, 1500, 9000};
        for (int i = 1; i <= 40; i++) {
            int id = i;
            commit(store, batch -> {
                batch.enqueue(message(id, "a/" + id, sizes[id % 4]), places.subList(0, 1 + id % 3));
                TopicName topic = TopicName.of("r/" + id);
                batch.retain(topic, message(100 + id, topic.text(), sizes[id % 4]), id);
            });
        }
    }

    private static Map<Long, List<String>> queues(Store store) {
        Map<Long, List<String>> queues = new TreeMap<>();
        for (long sid = 1; sid <= 3; sid++) {
            queues.put(sid, readAll(store, sid).texts());
        }
        return queues;
    }

    @Test
    void manifest_whoseRecordSeemsToReachBeyondItsEnd_isRefused() throws Exception {
        Path data = directory.resolve("data");
        RocksStore store = open(data, new Told());
        fill(store);
        store.close();
        Path manifest = data.resolve("db")
                .resolve(Files.readString(data.resolve("db/CURRENT")).trim());
        byte[] bytes = Files.readAllBytes(manifest);
        int at = 0;
        int records = 0;
        while (at < bytes.length) {
            byte[] altered = bytes.clone();
            altered[at + 5] ^= 0x40; // the high byte of the length of this record
            Files.write(manifest, altered);
            Told told = new Told();
            StoreException refusal = assertThrows(StoreException.class, () -> open(data, told), "record " + records);
            assertEquals(StoreException.Kind.DAMAGED, refusal.kind());
            at += 7 + ((bytes[at + 4] & 0xFF) | (bytes[at + 5] & 0xFF) << 8);
            records++;
        }
        assertTrue(records > 5, records + " records");
        Files.write(manifest, bytes);
        open(data, new Told()).close();
    }

    @Test
    void flippedBit_neverAltersWhatIsTold() throws Exception {
        long seed = Long.getLong("dunlin.seed", System.nanoTime());
        Random random = new Random(seed);
        Path data = directory.resolve("data");
        RocksStore store = open(data, new Told());
        fill(store);
        Map<Long, List<String>> queues = queues(store);
        store.close();
        Told expected = new Told();
        List<Path> files;
        try (Stream<Path> all = Files.walk(data)) {
            files = all.filter(Files::isRegularFile)
                    .map(data::relativize)
                    .filter(file -> !file.toString().contains("LO") && !file.startsWith("native"))
                    .sorted()
                    .toList();
        }
        Path plain = copy(data, "plain");
        open(plain, expected).close();
        int refused = 0;
        for (Path file : files) {
            for (int i = 0; i < FLIPS; i++) {
                Path copy = copy(data, "copy");
                byte[] bytes = Files.readAllBytes(copy.resolve(file));
                if (bytes.length == 0) {
                    continue;
                }
                int at = random.nextInt(bytes.length);
                bytes[at] ^= (byte) (1 << random.nextInt(8));
                Files.write(copy.resolve(file), bytes);
                String where = file + " at " + at + " of " + bytes.length + ", -Ddunlin.seed=" + seed;
                Told told = new Told();
                Store damaged;
                try {
                    damaged = open(copy, told);
                } catch (StoreException e) {
                    refused++;
                    assertTrue(e.getMessage().contains(copy.toString()), where + ": " + e.getMessage());
                    continue;
                }
                try {
                    assertEquals(expected.things, told.things, where);
                    compare(queues, damaged, where);
                } finally {
                    damaged.close();
                }
            }
        }
        assertTrue(refused > FLIPS, refused + " were refused");
    }

    private static void compare(Map<Long, List<String>> queues, Store damaged, String where) {
        for (long sid = 1; sid <= 3; sid++) {
            Read read = readAll(damaged, sid);
            List<String> there = queues.get(sid);
            if (read.more() || read.failure() != null) {
                there = there.subList(0, read.messages().size());
            }
            assertEquals(there, read.texts(), where);
        }
    }

    private Path copy(Path data, String name) throws IOException {
        Path copy = directory.resolve(name);
        if (Files.exists(copy)) {
            try (Stream<Path> files = Files.walk(copy)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
        try (Stream<Path> files = Files.walk(data)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                if (Files.isDirectory(file)) {
                    Files.createDirectories(copy.resolve(data.relativize(file)));
                } else if (!file.startsWith(data.resolve("native"))) {
                    Files.copy(file, copy.resolve(data.relativize(file)));
                }
            }
        }
        return copy;
    }
}
