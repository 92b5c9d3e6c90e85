package org.dunlin.core.routing;

import static org.dunlin.core.routing.Topics.subscription;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.dunlin.core.routing.Topics.Someone;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.junit.jupiter.api.Test;

final class SubscriptionTreeTest {
    private static final int SHARDS = 3;

    @Test
    void match_randomFiltersComingAndGoing_agreesWithDefinition() {
        Topics topics = new Topics();
        Random random = topics.random();
        SubscriptionTree tree = new SubscriptionTree(SHARDS);
        MatchCache cache = new MatchCache(tree, 64);
        List<Subscription> model = new ArrayList<>();
        List<Integer> shards = new ArrayList<>();
        for (int step = 0; step < 6_000; step++) {
            if (random.nextInt(step / 600 % 2 == 0 ? 3 : 2) != 0 || model.isEmpty()) {
                Subscription s = subscription(new Someone(random.nextBoolean()), topics.filter());
                int shard = random.nextInt(SHARDS);
                tree.add(s, shard);
                model.add(s);
                shards.add(shard);
            } else {
                for (int n = random.nextInt(4); n > 0 && !model.isEmpty(); n--) {
                    int at = random.nextInt(model.size());
                    tree.remove(model.remove(at), shards.remove(at));
                }
            }
            TopicName topic = topics.topic();
            assertAgrees(model, shards, tree.match(topic));
            assertAgrees(model, shards, cache.match(topic));
        }
        Set<String> patterns = new HashSet<>();
        model.forEach(s -> patterns.add(s.filter().pattern()));
        assertEquals(patterns.size(), tree.routes());
        while (!model.isEmpty()) {
            tree.remove(model.remove(0), shards.remove(0));
        }
        assertEquals(0, tree.routes());
        assertEquals(0, tree.nodes());
    }

    private static void assertAgrees(List<Subscription> model, List<Integer> shards, Match match) {
        TreeSet<String> expected = new TreeSet<>();
        List<Set<Subscription>> perShard = List.of(new HashSet<>(), new HashSet<>(), new HashSet<>());
        for (int i = 0; i < model.size(); i++) {
            Subscription s = model.get(i);
            if (s.filter().matches(match.topic())) {
                expected.add(s.filter().pattern());
                perShard.get(shards.get(i)).add(s);
            }
        }
        TreeSet<String> found = new TreeSet<>();
        for (int i = 0; i < match.size(); i++) {
            Route route = match.route(i);
            assertTrue(found.add(route.pattern()), "twice: " + route);
            for (int shard = 0; shard < SHARDS; shard++) {
                Receivers receivers = route.receivers(shard);
                boolean owed = false;
                for (int n = 0; receivers != null && n < receivers.size(); n++) {
                    assertTrue(perShard.get(shard).remove(receivers.get(n)));
                    owed |= receivers.get(n).receiver().durable();
                }
                assertEquals(owed, receivers != null && receivers.owed());
            }
        }
        assertEquals(expected, found, match.topic().text());
        perShard.forEach(left -> assertTrue(left.isEmpty(), () -> "not found: " + left));
    }

    @Test
    void match_standardsExamples() {
        assertMatches("sport/#", "sport", "sport/", "sport/a/b");
        assertMatches("sport/+", "sport/", "sport/a");
        assertMatches("+/+", "/finance", "a/b");
        assertMatches("/+", "/finance");
        assertMatches("+", "finance");
        assertMatches("#", "a", "/", "a/b", "a/$x");
        assertMatches("+/$x", "a/$x");
        assertMatches("$SYS/#", "$SYS", "$SYS/", "$SYS/a/b");
        assertMatches("$SYS/+", "$SYS/a", "$SYS/");
        assertMatches("$share/g/#", "a", "/", "a/b", "sport");
        assertMatches("$share/g/$SYS/#", "$SYS/a");
        assertMatches("$share/g//a", "/a");
        assertMatches("//", "//");
        assertMatches("a/", "a/");
    }

    /** The filter matches exactly these of all topics named here. */
    private static void assertMatches(String filter, String... topics) {
        SubscriptionTree tree = new SubscriptionTree(1);
        tree.add(subscription(new Someone(false), filter), 0);
        for (String topic : topics) {
            assertEquals(1, tree.match(TopicName.of(topic)).size(), filter + " " + topic);
        }
        for (String topic :
                List.of("sport", "/finance", "a", "a/", "/a", "/", "//", "$SYS", "$SYS/a", "$SYS/a/b", "b/$x")) {
            boolean expected = TopicFilter.of(filter).matches(TopicName.of(topic));
            assertEquals(expected ? 1 : 0, tree.match(TopicName.of(topic)).size(), filter + " " + topic);
        }
    }

    @Test
    void replace_keepsTheOnlyReceiverInPlace() {
        SubscriptionTree tree = new SubscriptionTree(2);
        Subscription old = subscription(new Someone(true), "a/+");
        tree.add(old, 1);
        Match match = tree.match(TopicName.of("a/b"));
        Subscription now = new Subscription(old.receiver(), old.filter(), Qos.AT_MOST_ONCE, true, false, new int[] {5});
        tree.replace(old, now, 1);
        assertTrue(tree.isCurrent(match));
        assertSame(now, receivers(match, 1).get(0));
        assertEquals(1, receivers(match, 1).size());
        assertNull(match.route(0).receivers(0));
        assertThrows(IllegalArgumentException.class, () -> tree.replace(now, subscription(now.receiver(), "a/#"), 1));
        assertThrows(IllegalStateException.class, () -> tree.replace(now, now, 0));
        tree.remove(old, 1);
        assertEquals(0, tree.nodes());
        assertThrows(IllegalStateException.class, () -> tree.replace(now, now, 1));
        tree.remove(now, 1);
        assertEquals(0, tree.routes());
    }

    @Test
    void owed_onlyWhileAShardHasADurableReceiver() {
        SubscriptionTree tree = new SubscriptionTree(2);
        Subscription passing = subscription(new Someone(false), "a/#");
        Subscription durable = subscription(new Someone(true), "a/#");
        tree.add(passing, 0);
        tree.add(durable, 1);
        Match match = tree.match(TopicName.of("a"));
        assertFalse(receivers(match, 0).owed());
        assertTrue(receivers(match, 1).owed());
        tree.add(subscription(durable.receiver(), "a/#"), 0);
        assertTrue(receivers(match, 0).owed());
        tree.remove(durable, 0);
        assertFalse(receivers(match, 0).owed());
        assertTrue(tree.isCurrent(match), "no pattern has come or gone");
    }

    @Test
    void isCurrent_changesElsewhere_leaveAMatchValid() {
        SubscriptionTree tree = new SubscriptionTree(1);
        Someone one = new Someone(false);
        Match match = tree.match(TopicName.of("house/kitchen/light"));
        tree.add(subscription(one, "street/+/lamp"), 0);
        tree.add(subscription(one, "house/kitchen/heater"), 0);
        tree.add(subscription(one, "house/cellar/+"), 0);
        assertTrue(tree.isCurrent(match));
        for (String filter : List.of(
                "#",
                "+/kitchen/light",
                "house/#",
                "house/+/light",
                "house/kitchen/+",
                "house/kitchen/light",
                "house/kitchen/#",
                "house/kitchen/light/#",
                "house/kitchen/light/x/#",
                "$share/g/+/+/+")) {
            Match before = tree.match(match.topic());
            tree.add(subscription(one, filter), 0);
            assertFalse(tree.isCurrent(before), filter);
            before = tree.match(match.topic());
            tree.remove(subscription(one, filter), 0);
            assertFalse(tree.isCurrent(before), filter);
        }
    }

    @Test
    void isCurrent_everyMatchThatIsCurrentIsRight() {
        Topics topics = new Topics();
        SubscriptionTree tree = new SubscriptionTree(1);
        List<Subscription> model = new ArrayList<>();
        List<Match> kept = new ArrayList<>();
        int current = 0;
        for (int step = 0; step < 5_000; step++) {
            if (topics.random().nextBoolean() || model.isEmpty()) {
                Subscription s = subscription(new Someone(false), topics.filter());
                model.add(s);
                tree.add(s, 0);
            } else {
                tree.remove(model.remove(topics.random().nextInt(model.size())), 0);
            }
            kept.add(tree.match(topics.topic()));
            for (int i = Math.max(0, kept.size() - 20); i < kept.size(); i++) {
                Match old = kept.get(i);
                if (tree.isCurrent(old)) {
                    current++;
                    assertEquals(patterns(tree.match(old.topic())), patterns(old));
                }
            }
        }
        assertTrue(current > 5_000, () -> "all matches go stale at once");
    }

    @Test
    void add_onOneThread_isSeenByAThreadThatLearnsOfIt() throws Exception {
        SubscriptionTree tree = new SubscriptionTree(2);
        AtomicReference<String> told = new AtomicReference<>("");
        AtomicReference<String> seen = new AtomicReference<>("");
        ExecutorService pool = Executors.newSingleThreadExecutor();
        try {
            Future<?> reader = pool.submit(() -> {
                MatchCache cache = new MatchCache(tree, 256);
                for (String last = ""; !last.equals("end"); last = told.get()) {
                    cache.match(TopicName.of("t/1/x")); // matches while the tree changes
                    if (!last.equals(seen.get())) {
                        String topic = last.replace('+', 'x').replace('#', 'x');
                        assertTrue(patterns(cache.match(TopicName.of(topic))).contains(last), last);
                        seen.set(last);
                    }
                }
            });
            Someone one = new Someone(false);
            String[] shapes = {"t/%d/x", "t/%d/+", "+/%d/x", "t/%d/#", "t/%d/x/#"};
            for (int i = 0; i < 20_000 && !reader.isDone(); i++) {
                Subscription s = subscription(one, shapes[i % shapes.length].formatted(i % 7));
                tree.remove(s, 0);
                tree.add(s, 0);
                told.set(s.filter().pattern());
                while (!seen.get().equals(s.filter().pattern()) && !reader.isDone()) {
                    Thread.onSpinWait();
                }
            }
            told.set("end");
            reader.get(30, TimeUnit.SECONDS);
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void churn_ofManyThreads_losesNoFilterAndLeavesNoNode() throws Exception {
        Topics seeds = new Topics();
        int threads = 4;
        SubscriptionTree tree = new SubscriptionTree(threads);
        List<TopicFilter> shared = new ArrayList<>();
        for (int i = 0; i < 40; i++) {
            shared.add(seeds.filter()); // few, so that threads meet in the same nodes
        }
        CountDownLatch start = new CountDownLatch(1);
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        List<Future<?>> all = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            int shard = t;
            Topics topics = new Topics(seeds.random().nextLong());
            all.add(pool.submit(() -> {
                start.await();
                churn(tree, shard, shared, topics);
                return null;
            }));
        }
        start.countDown();
        try {
            for (Future<?> one : all) {
                one.get(60, TimeUnit.SECONDS);
            }
        } finally {
            pool.shutdownNow();
        }
        assertEquals(0, tree.routes());
        assertEquals(0, tree.nodes());
        assertEquals(0, tree.match(TopicName.of("a/b")).size());
    }

    /** Whatever others do: what this shard has subscribed is found, by a match and by a cached one. */
    private static void churn(SubscriptionTree tree, int shard, List<TopicFilter> shared, Topics topics) {
        MatchCache cache = new MatchCache(tree, 32);
        List<Subscription> mine = new ArrayList<>();
        for (int step = 0; step < 6_000; step++) {
            if (topics.random().nextBoolean() || mine.isEmpty()) {
                TopicFilter filter = shared.get(topics.random().nextInt(shared.size()));
                Subscription s = subscription(new Someone(true), filter);
                tree.add(s, shard);
                mine.add(s);
            } else {
                for (int n = topics.random().nextInt(5); n > 0 && !mine.isEmpty(); n--) {
                    tree.remove(mine.remove(topics.random().nextInt(mine.size())), shard);
                }
            }
            TopicName topic = topics.topic();
            Set<Subscription> expected = new HashSet<>();
            for (Subscription s : mine) {
                if (s.filter().matches(topic)) {
                    expected.add(s);
                }
            }
            assertEquals(expected, ofShard(tree.match(topic), shard));
            assertEquals(expected, ofShard(cache.match(topic), shard));
        }
        mine.forEach(s -> tree.remove(s, shard));
    }

    private static Set<Subscription> ofShard(Match match, int shard) {
        Set<Subscription> found = new HashSet<>();
        for (int i = 0; i < match.size(); i++) {
            Receivers receivers = match.route(i).receivers(shard);
            for (int n = 0; receivers != null && n < receivers.size(); n++) {
                assertTrue(found.add(receivers.get(n)));
            }
        }
        return found;
    }

    @Test
    void match_65535Levels_needsNoStackAndNoRepetition() {
        SubscriptionTree tree = new SubscriptionTree(1);
        Someone one = new Someone(false);
        String allSingle = "+" + "/+".repeat(32_767);
        String allEmpty = "/".repeat(65_534);
        tree.add(subscription(one, allSingle), 0);
        tree.add(subscription(one, "+" + "/".repeat(65_534)), 0);
        tree.add(subscription(one, allEmpty), 0);
        tree.add(subscription(one, "+/#"), 0);
        assertEquals(3, tree.match(TopicName.of(allEmpty)).size());
        assertEquals(2, tree.match(TopicName.of("/".repeat(32_767))).size());
        for (String filter : List.of(allSingle, "+" + "/".repeat(65_534), allEmpty, "+/#")) {
            tree.remove(subscription(one, filter), 0);
        }
        assertEquals(0, tree.nodes());
    }

    @Test
    void match_filtersThatAllAgreeWithTheTopic_visitsEachNodeOnce() {
        SubscriptionTree tree = new SubscriptionTree(1);
        int depth = 12;
        for (int bits = 0; bits < 1 << depth; bits++) {
            StringBuilder filter = new StringBuilder();
            for (int i = 0; i < depth; i++) {
                filter.append(i == 0 ? "" : "/").append((bits >> i & 1) == 0 ? "+" : "a");
            }
            tree.add(subscription(new Someone(false), filter.toString()), 0);
        }
        assertEquals(
                1 << depth,
                tree.match(TopicName.of("a" + "/a".repeat(depth - 1))).size());
        assertEquals(0, tree.match(TopicName.of("a" + "/a".repeat(depth))).size());
    }

    @Test
    void match_manySiblings_findsEach() {
        SubscriptionTree tree = new SubscriptionTree(2);
        int siblings = 50_000;
        Someone one = new Someone(false);
        for (int i = 0; i < siblings; i++) {
            tree.add(subscription(one, "d/" + i), 0);
            tree.add(subscription(one, "d/" + i + "/+"), 1);
        }
        assertEquals(2 * siblings, tree.routes());
        for (int i = 0; i < siblings; i += 7) {
            assertEquals(Set.of("d/" + i), patterns(tree.match(TopicName.of("d/" + i))));
            assertEquals(Set.of("d/" + i + "/+"), patterns(tree.match(TopicName.of("d/" + i + "/x"))));
        }
        for (int i = 0; i < siblings; i++) {
            tree.remove(subscription(one, "d/" + i), 0);
            tree.remove(subscription(one, "d/" + i + "/+"), 1);
        }
        assertEquals(0, tree.nodes());
    }

    @Test
    void route_withManyShards_keepsEachApart() {
        for (int shards = 1; shards <= 9; shards++) {
            SubscriptionTree tree = new SubscriptionTree(shards);
            Random random = new Random(shards);
            Subscription[] held = new Subscription[shards];
            for (int step = 0; step < 500; step++) {
                int shard = random.nextInt(shards);
                Subscription s = held[shard];
                if (s == null) {
                    held[shard] = subscription(new Someone(false), "a/+");
                    tree.add(held[shard], shard);
                } else {
                    tree.remove(s, shard);
                    held[shard] = null;
                }
                Match match = tree.match(TopicName.of("a/b"));
                for (int i = 0; i < shards; i++) {
                    Receivers receivers =
                            match.size() == 0 ? null : match.route(0).receivers(i);
                    assertEquals(held[i] != null, receivers != null);
                    assertSame(held[i], receivers == null ? null : receivers.get(0));
                }
            }
        }
    }

    @Test
    void cache_sameTopicAgain_givesTheSameMatchUntilItsBranchChanges() {
        SubscriptionTree tree = new SubscriptionTree(1);
        MatchCache cache = new MatchCache(tree, 4);
        TopicName topic = TopicName.of("a/b");
        Match first = cache.match(topic);
        assertEquals(0, first.size());
        assertSame(first, cache.match(TopicName.of("a/b")));
        for (String other : List.of("b", "c", "d")) {
            cache.match(TopicName.of(other));
        }
        assertSame(first, cache.match(topic));
        tree.add(subscription(new Someone(false), "a/+"), 0);
        assertEquals(1, cache.match(topic).size());
        for (String other : List.of("b", "c", "d", "e", "f")) {
            cache.match(TopicName.of(other));
        }
        assertEquals(1, cache.match(topic).size());
    }

    private static Receivers receivers(Match match, int shard) {
        Receivers receivers = match.route(0).receivers(shard);
        assertNotNull(receivers);
        return receivers;
    }

    private static Set<String> patterns(Match match) {
        Set<String> patterns = new TreeSet<>();
        for (int i = 0; i < match.size(); i++) {
            patterns.add(match.route(i).pattern());
        }
        return patterns;
    }
}
