package org.dunlin.persistence;

import static org.dunlin.persistence.testing.Uses.commit;
import static org.dunlin.persistence.testing.Uses.enqueue;
import static org.dunlin.persistence.testing.Uses.message;
import static org.dunlin.persistence.testing.Uses.read;
import static org.dunlin.persistence.testing.Uses.readAll;
import static org.dunlin.persistence.testing.Uses.session;
import static org.dunlin.persistence.testing.Uses.sessionWithWill;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.Store.Stored;
import org.dunlin.core.spi.StoreBatch.SubscriptionRecord;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.dunlin.persistence.testing.Engine;
import org.dunlin.persistence.testing.Told;
import org.dunlin.persistence.testing.Uses;
import org.dunlin.persistence.testing.Uses.Place;
import org.dunlin.persistence.testing.Uses.Read;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What every store does, by what it tells when it is opened again and by what its queues give. */
class StoreContractTest {
    private static final SessionKey ANN = new SessionKey(1, 1);
    private static final SessionKey BEN = new SessionKey(2, 5);
    private static final SessionKey GROUP = new SessionKey(3, 0);

    @TempDir
    Path directory;

    private static Map<String, String> without(Told told, String... names) {
        for (String name : names) {
            told.things.remove(name);
        }
        return told.things;
    }

    @ParameterizedTest
    @EnumSource
    void open_new_tellsTheTimeAndNothing(Engine engine) throws Exception {
        try (Engine.Life life = engine.begin(directory)) {
            assertTrue(life.told.lastAliveMillis > 1_600_000_000_000L);
            assertTrue(life.store.nowMillis() >= life.told.lastAliveMillis);
            assertEquals(Map.of(), life.told.things);
            assertNull(life.store.status().fault());
            assertTrue(life.store.isWritable());
        }
    }

    @ParameterizedTest
    @EnumSource
    void sessions_areToldAsPutLast(Engine engine) throws Exception {
        try (Engine.Life life = engine.begin(directory)) {
            commit(life.store, batch -> {
                batch.putSession(ANN, session("ann"));
                batch.putSession(BEN, session("ben"));
                batch.putGroup(GROUP, "$share/g/a/+");
            });
            commit(life.store, batch -> batch.putSession(BEN, sessionWithWill("ben", new byte[70_000])));
            Map<String, String> told = life.reopen().things;
            assertEquals(Set.of("owner 1", "owner 2", "owner 3"), told.keySet());
            assertEquals("generation 0 group $share/g/a/+", told.get("owner 3"));
            Told expected = new Told();
            expected.session(ANN, session("ann"));
            expected.session(BEN, sessionWithWill("ben", new byte[70_000]));
            expected.group(GROUP, "$share/g/a/+");
            assertEquals(expected.things, told);
        }
    }

    @ParameterizedTest
    @EnumSource
    void writes_ofOlderGenerationsAndOfStrangers_areWithoutEffect(Engine engine) throws Exception {
        SessionKey old = new SessionKey(BEN.sid(), BEN.generation() - 1);
        SessionKey stranger = new SessionKey(77, 9);
        try (Engine.Life life = engine.begin(directory)) {
            commit(life.store, batch -> {
                batch.putSession(BEN, session("ben"));
                batch.inboundId(BEN, 9, true);
            });
            Place place = enqueue(life.store, message(1, "a", 10), BEN);
            Map<String, String> before = life.reopen().things;
            for (SessionKey key : List.of(old, stranger)) {
                commit(life.store, batch -> {
                    if (key == old) {
                        batch.putSession(key, session("other"));
                    }
                    batch.putSubscription(key, new SubscriptionRecord("a/b", Qos.EXACTLY_ONCE, true, true, 3));
                    batch.ack(key, place.seq, place.body);
                    batch.released(key, place.seq, place.body, 4);
                    batch.numbered(key, place.seq, 5);
                    batch.inboundId(key, 8, true);
                    batch.inboundId(key, 9, false);
                    batch.removeOwner(key);
                });
            }
            assertEquals(before, life.reopen().things);
            assertEquals(List.of(place.seq), readAll(life.store, BEN.sid()).places());
        }
    }

    @ParameterizedTest
    @EnumSource
    void enqueue_ofAnOlderGeneration_counts(Engine engine) throws Exception {
        try (Engine.Life life = engine.begin(directory)) {
            commit(life.store, batch -> batch.putSession(BEN, session("ben")));
            enqueue(life.store, message(1, "a", 10), new SessionKey(BEN.sid(), 1));
            assertEquals(1, readAll(life.store, BEN.sid()).messages().size());
        }
    }

    @ParameterizedTest
    @EnumSource
    void subscriptions_replaceEachOtherByFilter(Engine engine) throws Exception {
        SubscriptionRecord first = new SubscriptionRecord("a/+", Qos.AT_MOST_ONCE, false, false, 0);
        SubscriptionRecord second = new SubscriptionRecord("a/+", Qos.EXACTLY_ONCE, true, true, 268_435_455);
        SubscriptionRecord other = new SubscriptionRecord("$share/g/ä", Qos.AT_LEAST_ONCE, false, true, 0);
        try (Engine.Life life = engine.begin(directory)) {
            commit(life.store, batch -> {
                batch.putSession(ANN, session("ann"));
                batch.putSubscription(ANN, first);
                batch.putSubscription(ANN, other);
                batch.putSubscription(ANN, new SubscriptionRecord("gone", Qos.AT_LEAST_ONCE, false, false, 1));
                batch.putSubscription(ANN, second);
                batch.removeSubscription(ANN, "gone");
            });
            Map<String, String> told = without(life.reopen(), "owner 1");
            assertEquals(
                    Map.of("subscription 1 a/+", second.toString(), "subscription 1 $share/g/ä", other.toString()),
                    told);
            commit(life.store, batch -> batch.removeSubscription(ANN, "a/+"));
            assertEquals(
                    Set.of("subscription 1 $share/g/ä"),
                    without(life.reopen(), "owner 1").keySet());
        }
    }

    @ParameterizedTest
    @EnumSource
    void queue_givesWhatWasEnqueued_overRestarts(Engine engine) throws Exception {
        int[] sizes = {0, 10, 500, 1024, 1025, 5000, 300_000};
        try (Engine.Life life = engine.begin(directory)) {
            commit(life.store, batch -> {
                batch.putSession(ANN, session("ann"));
                batch.putGroup(GROUP, "$share/g/a");
            });
            List<String> ann = new ArrayList<>();
            List<String> group = new ArrayList<>();
            long bytes = 0;
            for (int i = 0; i < sizes.length; i++) {
                Message message = message(100 + i, "t/ö/" + i, sizes[i]);
                Place one = new Place(ANN, Qos.EXACTLY_ONCE, i % 2 == 0, 5, 7);
                Place two = new Place(GROUP, Qos.AT_LEAST_ONCE, false);
                commit(life.store, batch -> batch.enqueue(message, List.of(one, two)));
                ann.add(Told.text(new Stored(one.seq, 0, message, Qos.EXACTLY_ONCE, i % 2 == 0, new int[] {5, 7})));
                group.add(Told.text(new Stored(two.seq, 0, message, Qos.AT_LEAST_ONCE, false, new int[0])));
                bytes += message.weight();
            }
            for (int round = 0; round < 2; round++) {
                assertEquals(ann, readAll(life.store, ANN.sid()).texts());
                assertEquals(group, readAll(life.store, GROUP.sid()).texts());
                Told told = life.reopen();
                assertEquals(
                        sizes.length + " messages " + bytes + " bytes 1.." + sizes.length, told.things.get("queue 1"));
                assertEquals(told.things.get("queue 1"), told.things.get("queue 3"));
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void readQueue_pagesByMessagesBytesAndPlaces(Engine engine) throws Exception {
        try (Engine.Life life = engine.begin(directory)) {
            commit(life.store, batch -> {
                batch.putSession(ANN, session("ann"));
                batch.putSession(BEN, session("ben"));
            });
            long weight = message(1, "a", 100).weight();
            for (int i = 1; i <= 10; i++) {
                enqueue(life.store, message(i, "a", 100), ANN);
            }
            enqueue(life.store, message(11, "a", 100), BEN);
            assertEquals(
                    List.of(1L, 2L, 3L),
                    read(life.store, 1, 0, Long.MAX_VALUE, 3, 1 << 20).places());
            assertTrue(read(life.store, 1, 0, Long.MAX_VALUE, 3, 1 << 20).more());
            Read byBytes = read(life.store, 1, 3, Long.MAX_VALUE, 100, 2 * weight + 7 + 7);
            assertTrue(byBytes.more());
            assertTrue(byBytes.messages().size() <= 2, byBytes.toString());
            assertEquals(
                    List.of(5L), read(life.store, 1, 4, Long.MAX_VALUE, 100, 1).places());
            Read through = read(life.store, 1, 4, 6, 100, 1 << 20);
            assertEquals(List.of(5L, 6L), through.places());
            assertFalse(through.more());
            Read exact = read(life.store, 1, 8, Long.MAX_VALUE, 2, 1 << 20);
            assertEquals(List.of(9L, 10L), exact.places());
            assertFalse(exact.more());
            assertEquals(
                    List.of(), read(life.store, 1, 10, Long.MAX_VALUE, 2, 1).places());
            assertEquals(List.of(), read(life.store, 1, 7, 6, 2, 1).places());
            assertEquals(
                    List.of(), read(life.store, 55, 0, Long.MAX_VALUE, 2, 1).places());
            assertEquals(1, readAll(life.store, 2).messages().size());
        }
    }

    @ParameterizedTest
    @EnumSource
    void places_riseWhileAQueueHoldsAnything(Engine engine) throws Exception {
        try (Engine.Life life = engine.begin(directory)) {
            commit(life.store, batch -> batch.putSession(ANN, session("ann")));
            Place first = enqueue(life.store, message(1, "a", 10), ANN);
            Place second = enqueue(life.store, message(2, "a", 2000), ANN);
            assertTrue(first.seq > 0 && second.seq > first.seq);
            commit(life.store, batch -> batch.ack(ANN, first.seq, first.body));
            assertEquals(
                    second.seq + ".." + second.seq,
                    life.reopen().things.get("queue 1").split("bytes ")[1]);
            Place third = enqueue(life.store, message(3, "a", 10), ANN);
            assertTrue(third.seq > second.seq);
            commit(life.store, batch -> {
                batch.ack(ANN, second.seq, second.body);
                batch.ack(ANN, third.seq, third.body);
            });
            assertFalse(life.reopen().things.containsKey("queue 1"));
            assertTrue(enqueue(life.store, message(4, "a", 10), ANN).seq > 0);
        }
    }

    @ParameterizedTest
    @EnumSource
    void sharedBody_staysUntilItsLastQueueIsDone_overRestarts(Engine engine) throws Exception {
        try (Engine.Life life = engine.begin(directory)) {
            commit(life.store, batch -> {
                batch.putSession(ANN, session("ann"));
                batch.putSession(BEN, session("ben"));
                batch.putGroup(GROUP, "$share/g/a");
            });
            Place ann = new Place(ANN, Qos.AT_LEAST_ONCE, false);
            Place ben = new Place(BEN, Qos.AT_LEAST_ONCE, false);
            Place group = new Place(GROUP, Qos.EXACTLY_ONCE, false);
            Message message = message(7, "a", 3000);
            commit(life.store, batch -> batch.enqueue(message, List.of(ann, ben, group)));
            commit(life.store, batch -> batch.ack(ANN, ann.seq, ann.body));
            life.reopen();
            long body = readAll(life.store, 2).messages().get(0).body();
            commit(life.store, batch -> batch.ack(BEN, ben.seq, body));
            life.reopen();
            assertEquals(
                    Told.text(message),
                    Told.text(readAll(life.store, 3).messages().get(0).message()));
            commit(life.store, batch -> batch.released(GROUP, group.seq, group.body, 5));
            assertEquals(List.of(), readAll(life.store, 3).messages());
        }
    }

    @ParameterizedTest
    @EnumSource
    void ack_twice_takesNothingFromOtherQueues(Engine engine) throws Exception {
        try (Engine.Life life = engine.begin(directory)) {
            commit(life.store, batch -> {
                batch.putSession(ANN, session("ann"));
                batch.putSession(BEN, session("ben"));
            });
            Place ann = new Place(ANN, Qos.AT_LEAST_ONCE, false);
            Place ben = new Place(BEN, Qos.AT_LEAST_ONCE, false);
            commit(life.store, batch -> batch.enqueue(message(7, "a", 3000), List.of(ann, ben)));
            for (int round = 0; round < 3; round++) {
                commit(life.store, batch -> {
                    batch.ack(ANN, ann.seq, ann.body);
                    batch.released(ANN, ann.seq, ann.body, 5);
                });
                Read read = readAll(life.store, 2);
                assertNull(read.failure());
                assertEquals(1, read.messages().size());
                life.reopen();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void qos2_markersFollowTheirMessages(Engine engine) throws Exception {
        try (Engine.Life life = engine.begin(directory)) {
            commit(life.store, batch -> {
                batch.putSession(ANN, session("ann"));
                batch.inboundId(ANN, 1, true);
                batch.inboundId(ANN, 65_535, true);
                batch.inboundId(ANN, 2, true);
            });
            Place one = enqueue(life.store, message(1, "a", 10), ANN);
            Place two = enqueue(life.store, message(2, "a", 10), ANN);
            Place three = enqueue(life.store, message(3, "a", 10), ANN);
            commit(life.store, batch -> {
                batch.numbered(ANN, one.seq, 40_000);
                batch.numbered(ANN, two.seq, 40_001);
                batch.released(ANN, one.seq, one.body, 40_000);
                batch.released(ANN, three.seq, three.body, 65_534);
                batch.inboundId(ANN, 2, false);
            });
            assertEquals(
                    Map.of(
                            "released 1 40000",
                            "" + one.seq,
                            "released 1 65534",
                            "" + three.seq,
                            "numbered 1 " + two.seq,
                            "40001",
                            "inbound 1 1",
                            "",
                            "inbound 1 65535",
                            ""),
                    without(life.reopen(), "owner 1", "queue 1"));
            commit(life.store, batch -> {
                batch.completed(ANN, 40_000);
                batch.completed(ANN, 3);
                batch.ack(ANN, two.seq, two.body);
                batch.inboundId(ANN, 65_535, false);
            });
            assertEquals(
                    Map.of("released 1 65534", "" + three.seq, "inbound 1 1", ""), without(life.reopen(), "owner 1"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void removeOwner_takesAllOfIt_andNothingElse(Engine engine) throws Exception {
        try (Engine.Life life = engine.begin(directory)) {
            commit(life.store, batch -> {
                batch.putSession(ANN, session("ann"));
                batch.putSession(BEN, session("ben"));
            });
            Place ann = new Place(ANN, Qos.AT_LEAST_ONCE, false);
            Place ben = new Place(BEN, Qos.AT_LEAST_ONCE, false);
            commit(life.store, batch -> {
                for (SessionKey key : List.of(ANN, BEN)) {
                    batch.putSubscription(key, new SubscriptionRecord("a/b", Qos.EXACTLY_ONCE, true, true, 3));
                    batch.inboundId(key, 8, true);
                    batch.numbered(key, 1, 3);
                    batch.released(key, 9, 0, 4);
                }
                batch.enqueue(message(1, "a", 3000), List.of(ann, ben));
            });
            commit(life.store, batch -> {
                batch.removeOwner(ANN);
                batch.inboundId(ANN, 9, true);
            });
            assertEquals(List.of(), readAll(life.store, 1).messages());
            Place late = enqueue(life.store, message(5, "a", 2000), ANN);
            assertTrue(late.seq > 0);
            for (int round = 0; round < 2; round++) {
                assertEquals(
                        Set.of(
                                "owner 2",
                                "subscription 2 a/b",
                                "inbound 2 8",
                                "numbered 2 1",
                                "released 2 4",
                                "queue 2"),
                        life.reopen().things.keySet());
                assertEquals(List.of(), readAll(life.store, 1).messages());
                assertEquals(1, readAll(life.store, 2).messages().size());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void retained_highestStampWins_whateverTheOrder(Engine engine) throws Exception {
        TopicName topic = TopicName.of("r/ü");
        Message three = message(3, "r/ü", 30);
        Message five = message(5, "r/ü", 9000);
        try (Engine.Life life = engine.begin(directory)) {
            commit(life.store, batch -> batch.retain(topic, three, 3));
            commit(life.store, batch -> batch.retain(topic, five, 5));
            commit(life.store, batch -> batch.retain(topic, message(4, "r/ü", 1), 4));
            commit(life.store, batch -> batch.retain(topic, null, 2));
            assertEquals(Map.of("retained r/ü", Told.text(five) + " stamp 5"), life.reopen().things);
            commit(life.store, batch -> batch.retain(topic, null, 8));
            commit(life.store, batch -> batch.retain(topic, three, 7));
            assertEquals(Map.of(), life.reopen().things);
        }
    }

    @ParameterizedTest
    @EnumSource
    void delayed_areToldUntilRemoved(Engine engine) throws Exception {
        try (Engine.Life life = engine.begin(directory)) {
            commit(life.store, batch -> {
                batch.putDelayed(10, 5000, message(1, "a", 10));
                batch.putDelayed(11, 4000, message(2, "b", 10));
                batch.putDelayed(12, 5000, message(3, "c", 10));
                batch.removeDelayed(10, 5000);
            });
            assertEquals(
                    Set.of("delayed 11", "delayed 12"), life.reopen().things.keySet());
            assertEquals("4000 " + Told.text(message(2, "b", 10)), life.told.things.get("delayed 11"));
        }
    }

    @ParameterizedTest
    @EnumSource
    void nextId_isNeverGivenTwice(Engine engine) throws Exception {
        Set<Long> given = new HashSet<>();
        try (Engine.Life life = engine.begin(directory)) {
            for (int round = 0; round < 3; round++) {
                for (int i = 0; i < 45_000; i++) {
                    long id = life.store.nextId();
                    assertTrue(id > 0);
                    assertTrue(given.add(id), "given twice: " + id);
                }
                life.reopen();
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void write_ofManyThreads_completesEachOnceInTheOrderOfItsThread(Engine engine) throws Exception {
        try (Engine.Life life = engine.begin(directory)) {
            commit(life.store, batch -> batch.putSession(ANN, session("ann")));
            List<ConcurrentLinkedQueue<Long>> places = new ArrayList<>();
            List<Thread> threads = new ArrayList<>();
            List<CompletableFuture<Void>> ends = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                ConcurrentLinkedQueue<Long> mine = new ConcurrentLinkedQueue<>();
                CompletableFuture<Void> end = new CompletableFuture<>();
                places.add(mine);
                ends.add(end);
                threads.add(new Thread(() -> {
                    for (int i = 0; i < 500; i++) {
                        Place place = new Place(ANN, Qos.AT_LEAST_ONCE, false);
                        boolean last = i == 499;
                        var batch = life.store.newBatch();
                        batch.enqueue(message(i, "a", 20), List.of(place));
                        life.store.write(batch, failure -> {
                            mine.add(place.seq);
                            if (last) {
                                end.complete(null);
                            }
                        });
                    }
                }));
            }
            threads.forEach(Thread::start);
            ends.forEach(Uses::await);
            for (Thread thread : threads) {
                thread.join();
            }
            Set<Long> all = new HashSet<>();
            for (ConcurrentLinkedQueue<Long> mine : places) {
                assertEquals(500, mine.size());
                assertEquals(mine.stream().sorted().toList(), List.copyOf(mine));
                all.addAll(mine);
            }
            assertEquals(2000, all.size());
            assertEquals("2000", life.reopen().things.get("queue 1").split(" ")[0]);
        }
    }

    @ParameterizedTest
    @EnumSource
    void whenWritable_runsAtOnce_ifItIs(Engine engine) throws Exception {
        try (Engine.Life life = engine.begin(directory)) {
            CompletableFuture<Void> ran = new CompletableFuture<>();
            life.store.whenWritable(() -> ran.complete(null));
            assertTrue(ran.isDone());
        }
    }
}
