package org.dunlin.core.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.dunlin.core.InspectionProbe;
import org.dunlin.core.inspect.Explanation;
import org.dunlin.core.inspect.Fate;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.limits.QueueLimits.Overflow;
import org.dunlin.core.session.ShardsProbe;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.TopicName;
import org.junit.jupiter.api.Test;

/** The test's thread only. What is said of a message that is not published is what happens when it is. */
class ExplanationTest {
    private static final String[] TOPICS = {"a", "a/b", "a/c", "d"};
    private static final String[] FILTERS = {
        "a", "a/#", "a/b", "+/b", "#", "d", "$share/g/a/#", "$share/h/d", "$share/g/#", "a/c"
    };
    private static final int CLIENTS = 6;
    private static final int STEPS = 60;

    private final RightsScene scene = new RightsScene();
    private final ScriptedBroker broker = scene.broker;

    private Explanation explain(String publisher, String topic, Qos qos, int bytes, String clientId) {
        Explanation.Question question = new Explanation.Question(
                TopicName.of(topic), publisher, qos, false, bytes, clientId.isEmpty() ? null : clientId, 1000);
        var stage = InspectionProbe.of(broker.shards()).explain(question).toCompletableFuture();
        broker.loops.runFor(1);
        return stage.join();
    }

    private Explanation explain(String topic, Qos qos) {
        return explain("writer", topic, qos, 3, "");
    }

    private static Fate only(Explanation all) {
        assertEquals(1, all.verdicts().size(), all.verdicts()::toString);
        return all.verdicts().get(0).fate();
    }

    // ---- one by one

    @Test
    void who_isSaidToGetIt_byEachReason() {
        broker.queueLimits = new QueueLimits(1, 1 << 20, Overflow.DROP_NEWEST, 1000, false, List.of());
        broker.maxInflight = 1;
        scene.rights.put("reader", DeniedTopics.receiving("secret"));
        ScriptedClient reader = scene.reader(3600, "t", "secret", "+");

        assertEquals(Fate.SENT, only(explain("t", Qos.AT_LEAST_ONCE)));
        assertEquals(
                List.of("t", "+"),
                explain("t", Qos.AT_LEAST_ONCE).verdicts().get(0).filters().stream()
                        .sorted((a, b) -> b.compareTo(a))
                        .toList());
        assertEquals(Fate.NO_RIGHT, only(explain("secret", Qos.AT_LEAST_ONCE)));
        assertEquals(Fate.TOO_LARGE, only(explain("writer", "t", Qos.AT_LEAST_ONCE, 2000, "")));
        ScriptedClient writer = scene.client("writer", 0);
        writer.publish("t", 1, "one", Qos.AT_LEAST_ONCE);
        assertEquals(Fate.QUEUED, only(explain("t", Qos.AT_LEAST_ONCE)));
        assertEquals(Fate.SENT, only(explain("t", Qos.AT_MOST_ONCE)));
        writer.publish("t", 2, "two", Qos.AT_LEAST_ONCE);
        assertEquals(Fate.NEWEST_DROPPED, only(explain("t", Qos.AT_LEAST_ONCE)));
        reader.slow = true;
        assertEquals(Fate.SLOW_CONSUMER, only(explain("t", Qos.AT_MOST_ONCE)));
        reader.goes();
        assertEquals(Fate.AWAY, only(explain("t", Qos.AT_MOST_ONCE)));
        assertEquals(List.of(), explain("x/y", Qos.AT_MOST_ONCE).verdicts());
    }

    @Test
    void publisherWithoutTheRight_isToldTheReason() {
        scene.rights.put("writer", DeniedTopics.publishing("t"));
        scene.client("writer", 0);
        assertEquals("no publishing to t", explain("t", Qos.AT_MOST_ONCE).refusal());
        assertNotNull(explain("", "$SYS/x", Qos.AT_MOST_ONCE, 1, "").refusal());
    }

    @Test
    void oneClient_isToldOf_withWhatComesNearest() {
        scene.reader(0, "plant/a/temp", "plant/b", "office", "$share/g/hall");
        Explanation none = explain("writer", "plant/a/Temp", Qos.AT_MOST_ONCE, 1, "reader");
        assertEquals(List.of(), none.verdicts());
        assertEquals("plant/a/temp", none.nearest().get(0));
        Explanation shared = explain("writer", "hall", Qos.AT_LEAST_ONCE, 1, "reader");
        assertEquals("$share/g/hall", shared.verdicts().get(0).receiver());
        assertEquals(Fate.SENT, shared.verdicts().get(0).members().get(0).fate());
        assertEquals(
                List.of(),
                explain("writer", "hall", Qos.AT_LEAST_ONCE, 1, "nobody").verdicts());
    }

    @Test
    void fullQueue_byThePoliciesThatAnswer() {
        for (Overflow overflow : List.of(Overflow.REJECT, Overflow.HOLD_ACK)) {
            RightsScene full = new RightsScene();
            full.broker.queueLimits = new QueueLimits(1, 1 << 20, overflow, 1000, false, List.of());
            full.reader(3600, "t").goes();
            full.client("writer", 0).publish("t", 1, "one", Qos.AT_LEAST_ONCE);
            var stage = InspectionProbe.of(full.broker.shards())
                    .explain(new Explanation.Question(
                            TopicName.of("t"), "writer", Qos.AT_LEAST_ONCE, false, 1, null, 10))
                    .toCompletableFuture();
            full.broker.loops.runFor(1);
            assertEquals(overflow == Overflow.REJECT ? Fate.REFUSED : Fate.HELD_BACK, only(stage.join()));
        }
    }

    @Test
    void moreReceiversThanAskedFor_isSaid() {
        IntStream.range(0, 5).forEach(i -> scene.client("c" + i, 0).says(RightsScene.subscribe(Qos.AT_MOST_ONCE, "t")));
        var stage = InspectionProbe.of(broker.shards())
                .explain(new Explanation.Question(TopicName.of("t"), "", Qos.AT_MOST_ONCE, false, 1, null, 3))
                .toCompletableFuture();
        broker.loops.runFor(1);
        assertEquals(3, stage.join().verdicts().size());
        assertTrue(stage.join().more());
    }

    // ---- against what happens

    @Test
    void explanation_isWhatHappens() {
        long first = Long.getLong("dunlin.seed", System.nanoTime());
        System.err.println("dunlin.seed=" + first);
        int scenes = Long.getLong("dunlin.seed") == null ? 150 : 1;
        for (int i = 0; i < scenes; i++) {
            new Play(first + i).run();
        }
    }

    /** What can be seen of one client, or of a group. */
    private record Seen(int copies, long queued, int drops) {
        Seen sum() {
            return new Seen(copies + (int) queued, 0, drops);
        }
    }

    /** One random scene. */
    private static final class Play {
        private final long seed;
        private final Random random;
        private final RightsScene scene = new RightsScene();
        private final ScriptedBroker broker = scene.broker;
        private final Map<String, ScriptedClient> clients = new TreeMap<>();
        private final Map<String, Boolean> here = new HashMap<>();
        private final List<String> history = new ArrayList<>();
        private int packetId;

        Play(long seed) {
            this.seed = seed;
            this.random = new Random(seed);
        }

        void run() {
            Overflow[] policies = {Overflow.DROP_OLDEST, Overflow.DROP_NEWEST, Overflow.REJECT};
            broker.queueLimits = new QueueLimits(
                    1 + random.nextInt(3), 1 << 20, policies[random.nextInt(3)], 1000, random.nextBoolean(), List.of());
            broker.maxInflight = 1 + random.nextInt(3);
            history.add(broker.queueLimits + " " + broker.maxInflight);
            for (int i = 0; i < CLIENTS; i++) {
                comes("c" + i);
            }
            for (int step = 0; step < STEPS; step++) {
                switch (random.nextInt(8)) {
                    case 0 -> change("c" + random.nextInt(CLIENTS));
                    case 1 -> acknowledges("c" + random.nextInt(CLIENTS));
                    default -> publish();
                }
            }
        }

        private void comes(String id) {
            if (random.nextInt(3) == 0) {
                List<String> denied = new ArrayList<>();
                for (String topic : TOPICS) {
                    if (random.nextInt(3) == 0) {
                        denied.add(topic);
                    }
                }
                scene.rights.put(id, DeniedTopics.receiving(denied.toArray(String[]::new)));
            }
            ScriptedClient client = scene.client(id, random.nextBoolean() ? 0 : 3600);
            client.maxPayload = random.nextInt(4) == 0 ? 20 : 1000;
            client.slow = random.nextInt(6) == 0;
            clients.put(id, client);
            here.put(id, true);
            List<Subscribe.Entry> entries = new ArrayList<>();
            for (int n = 1 + random.nextInt(3); n > 0; n--) {
                String filter = FILTERS[random.nextInt(FILTERS.length)];
                boolean shared = filter.startsWith("$share");
                entries.add(new Subscribe.Entry(
                        filter,
                        Qos.values()[random.nextInt(3)],
                        !shared && random.nextBoolean(),
                        false,
                        Subscribe.RetainHandling.DO_NOT_SEND));
            }
            client.says(new Subscribe(7, 0, entries, List.of()));
            history.add(id + " comes: " + scene.rights.get(id) + " max=" + client.maxPayload + " slow=" + client.slow
                    + " " + entries);
        }

        /** Which ends the connection of one that has got QoS 2, since PUBACK is wrong there. */
        private void acknowledges(String id) {
            history.add(id + " acknowledges");
            clients.get(id).takeAll();
            here.put(id, here.get(id) && !clients.get(id).closed);
        }

        private void change(String id) {
            if (here.get(id)) {
                history.add(id + " goes");
                clients.get(id).goes();
                here.put(id, false);
            } else {
                comes(id);
            }
        }

        private void publish() {
            String writer = "c" + random.nextInt(CLIENTS);
            String topic = TOPICS[random.nextInt(TOPICS.length)];
            Qos qos = Qos.values()[random.nextInt(3)];
            byte[] payload = new byte[random.nextBoolean() ? 5 : 100];
            if (!here.get(writer)) {
                return;
            }
            Explanation said = explain(writer, topic, qos, payload.length);
            assertEquals(said, explain(writer, topic, qos, payload.length), () -> "asked twice" + where());
            Map<String, Seen> before = look();
            clients.get(writer)
                    .says(new Publish(
                            new Message(
                                    ++packetId,
                                    writer,
                                    TopicName.of(topic),
                                    payload,
                                    qos,
                                    false,
                                    Message.NEVER,
                                    Message.NO_BYTES),
                            qos == Qos.AT_MOST_ONCE ? 0 : packetId,
                            false));
            Map<String, Seen> after = look();
            history.add(writer + " publishes " + topic + " " + qos + " " + payload.length);
            Map<String, Seen> expected = expected(before, said);
            for (String id : clients.keySet()) {
                if (paths(said, id) > 1) { // what one of them is sent may take the other's room
                    expected.computeIfPresent(id, (same, each) -> each.sum());
                    after.computeIfPresent(id, (same, each) -> each.sum());
                }
            }
            if (said.verdicts().stream().anyMatch(Play::mayBeTooLargeForTheLastMember)) { // whose loss it is depends
                expected.replaceAll((id, each) -> new Seen(each.copies, each.queued, 0));
                after.replaceAll((id, each) -> new Seen(each.copies, each.queued, 0));
            }
            assertEquals(expected, after, () -> said.verdicts() + where() + " drops " + broker.drops);
        }

        private String where() {
            return "\nseed " + seed + " (-Ddunlin.seed=...)\n" + String.join("\n", history) + "\n";
        }

        private Explanation explain(String writer, String topic, Qos qos, int bytes) {
            var stage = InspectionProbe.of(broker.shards())
                    .explain(new Explanation.Question(TopicName.of(topic), writer, qos, false, bytes, null, 1000))
                    .toCompletableFuture();
            broker.loops.runFor(1);
            return stage.join();
        }

        /** How many copies somebody gets. */
        private static long paths(Explanation said, String id) {
            return said.verdicts().stream()
                    .filter(verdict -> verdict.receiver().equals(id)
                            || verdict.members().stream()
                                    .anyMatch(member -> member.clientId().equals(id)
                                            && member.fate().isReached()))
                    .count();
        }

        private static boolean mayBeTooLargeForTheLastMember(Explanation.Verdict verdict) {
            return verdict.receiver().startsWith("$share") && verdict.fate() == Fate.TOO_LARGE;
        }

        private Map<String, Seen> look() {
            Map<String, Seen> seen = new TreeMap<>();
            clients.forEach(
                    (id, client) -> seen.put(id, new Seen(client.payloads().size(), 0, drops(id))));
            for (ShardsProbe.Figures figures : ShardsProbe.sessions(broker.shards())) {
                seen.computeIfPresent(
                        figures.clientId(), (id, each) -> new Seen(each.copies, figures.queued(), each.drops));
            }
            int ofGroups = (int) broker.drops.stream()
                    .filter(drop -> drop.startsWith("$share"))
                    .count();
            seen.put("groups", new Seen(0, ShardsProbe.waitingInGroups(broker.shards()), ofGroups));
            return seen;
        }

        private int drops(String id) {
            return (int) broker.drops.stream()
                    .filter(drop -> drop.startsWith(id + " "))
                    .count();
        }

        private static Map<String, Seen> expected(Map<String, Seen> before, Explanation said) {
            Map<String, Seen> expected = new TreeMap<>(before);
            if (said.refusal() != null) {
                return expected;
            }
            for (Explanation.Verdict verdict : said.verdicts()) {
                if (!verdict.receiver().startsWith("$share")) {
                    expected.computeIfPresent(verdict.receiver(), (id, each) -> then(each, verdict.fate()));
                    continue;
                }
                Explanation.Member next = verdict.members().stream()
                        .filter(member -> member.fate() == Fate.SENT
                                || member.fate() == Fate.QUEUED
                                || member.fate() == Fate.SLOW_CONSUMER)
                        .findFirst()
                        .orElse(null);
                if (next != null) {
                    expected.computeIfPresent(next.clientId(), (id, each) -> then(each, next.fate()));
                } else {
                    boolean lost = verdict.fate() == Fate.TOO_LARGE || verdict.fate() == Fate.NO_RIGHT;
                    expected.computeIfPresent(
                            "groups",
                            (id, each) -> lost ? new Seen(0, each.queued, each.drops + 1) : then(each, verdict.fate()));
                }
            }
            return expected;
        }

        private static Seen then(Seen before, Fate fate) {
            return switch (fate) {
                case SENT -> new Seen(before.copies + 1, before.queued, before.drops);
                case QUEUED -> new Seen(before.copies, before.queued + 1, before.drops);
                case OLDEST_DROPPED, NEWEST_DROPPED, REFUSED, SLOW_CONSUMER, TOO_LARGE ->
                    new Seen(before.copies, before.queued, before.drops + 1);
                default -> before;
            };
        }
    }
}
