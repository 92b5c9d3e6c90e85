package org.dunlin.core.routing;

import static org.dunlin.core.routing.Topics.retained;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.dunlin.core.routing.RetainedTree.Change;
import org.dunlin.core.routing.RetainedTree.Outcome;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RetainedTreeTest {
    private static final long MUCH = 1L << 40;

    @Test
    void cursor_randomTopicsAndFilters_agreesWithDefinition() {
        Topics topics = new Topics();
        Random random = topics.random();
        RetainedTree tree = new RetainedTree(MUCH, MUCH);
        Map<TopicName, Message> model = new HashMap<>();
        for (int step = 0; step < 4_000; step++) {
            for (int n = 0; n < 5; n++) {
                Message m = retained(topics.topic(), step, random.nextInt(4) == 0 ? 0 : 3);
                Message old = m.payload().length == 0 ? model.remove(m.topic()) : model.put(m.topic(), m);
                Change expected = m.payload().length == 0
                        ? old == null ? Change.UNCHANGED : Change.REMOVED
                        : old == null ? Change.STORED : Change.REPLACED;
                assertEquals(expected, tree.put(m).change());
            }
            TopicFilter filter = topics.filter();
            Set<Message> matching = new HashSet<>();
            model.values().stream().filter(m -> filter.matches(m.topic())).forEach(matching::add);
            List<Message> found = all(tree.cursor(filter), 1 + random.nextInt(20));
            assertTrue(found.isEmpty() || !tree.hasNothingFor(filter), filter.text());
            assertEquals(matching, new HashSet<>(found), filter.text());
            assertEquals(matching.size(), found.size(), filter.text());
            TopicName topic = topics.topic();
            assertSame(model.get(topic), tree.get(topic));
        }
        assertEquals(new HashSet<>(model.values()), new HashSet<>(all(tree.cursor(), 7)));
        assertEquals(model.size(), tree.count());
        assertEquals(model.values().stream().mapToLong(Message::weight).sum(), tree.bytes());
    }

    @Test
    void cursor_filterThatMatchesLittle_givesControlBackOften() {
        RetainedTree tree = new RetainedTree(MUCH, MUCH);
        int devices = 20_000;
        for (int i = 0; i < devices; i++) {
            tree.put(retained("d/" + i + "/a", i));
            tree.put(retained("d/" + i + "/a/z", i));
        }
        tree.put(retained("d/777/b", 1));
        RetainedTree.Cursor cursor = tree.cursor(TopicFilter.of("d/+/b"));
        List<Message> found = new ArrayList<>();
        int pages = 1;
        while (cursor.next(100, found::add)) {
            pages++;
        }
        assertEquals(1, found.size());
        assertTrue(pages >= 2 * devices / 1100, "pages: " + pages);
        assertFalse(cursor.next(100, found::add));
        assertEquals(1, found.size());
    }

    @Test
    void cursor_pageOfOne_givesEachMessageOnce() {
        RetainedTree tree = new RetainedTree(MUCH, MUCH);
        for (String topic : List.of("a", "a/", "a/b", "a/b/c", "a b", "a\u0001", "b", "$SYS/a", "/", "//")) {
            tree.put(retained(topic, 1));
        }
        assertEquals(List.of("a", "a/", "a/b", "a/b/c"), texts(all(tree.cursor(TopicFilter.of("a/#")), 1)));
        assertEquals(List.of("/", "a/", "a/b"), texts(all(tree.cursor(TopicFilter.of("+/+")), 1)));
        assertEquals(List.of("$SYS/a"), texts(all(tree.cursor(TopicFilter.of("$SYS/+")), 1)));
        assertEquals(9, all(tree.cursor(TopicFilter.of("#")), 1).size());
        assertEquals(10, all(tree.cursor(), 1).size());
        assertEquals(List.of("a/b"), texts(all(tree.cursor(TopicFilter.of("a/b")), 1)));
        assertFalse(tree.hasNothingFor(TopicFilter.of("a/b")));
        assertTrue(tree.hasNothingFor(TopicFilter.of("a/x")));
        assertFalse(tree.hasNothingFor(TopicFilter.of("+/b")));
        assertTrue(tree.hasNothingFor(TopicFilter.of("+/x")));
        assertEquals(List.of(), texts(all(tree.cursor(TopicFilter.of("a/x")), 1)));
    }

    @Test
    void branches_levelByLevel_reachEveryTopic() {
        RetainedTree tree = new RetainedTree(MUCH, MUCH);
        List<String> topics = List.of("/", "//", "/a", "a", "a/", "a/b", "a/b/c", "a b");
        topics.forEach(topic -> tree.put(retained(topic, 1)));
        assertEquals(new HashSet<>(topics), reached(tree, null));
        assertEquals(Set.of("a/", "a/b", "a/b/c"), reached(tree, "a"));
        assertEquals(Set.of("/", "//", "/a"), reached(tree, ""));
    }

    private static Set<String> reached(RetainedTree tree, @Nullable String parent) {
        Set<String> found = new HashSet<>();
        String after = null;
        List<RetainedTree.Branch> page = tree.branches(parent, after, 1);
        while (!page.isEmpty()) {
            RetainedTree.Branch branch = page.get(0);
            String topic = parent == null ? branch.level() : parent + "/" + branch.level();
            if (branch.message() != null) {
                found.add(topic);
            }
            if (branch.isParent()) {
                found.addAll(reached(tree, topic));
            }
            after = branch.level();
            page = tree.branches(parent, after, 1);
        }
        return found;
    }

    @Test
    void cursor_deepTopicsAndFilters_needNoStack() {
        RetainedTree tree = new RetainedTree(MUCH, MUCH);
        tree.put(retained("/".repeat(65_534), 1));
        tree.put(retained("/".repeat(32_767), 1));
        assertEquals(
                1,
                all(tree.cursor(TopicFilter.of("+" + "/+".repeat(32_767))), 10).size());
        assertEquals(2, all(tree.cursor(TopicFilter.of("+/#")), 10).size());
    }

    @Test
    void cursor_underConcurrentChange_givesWhatStaysExactlyOnce() throws Exception {
        RetainedTree tree = new RetainedTree(MUCH, MUCH);
        Set<String> staying = new HashSet<>();
        for (int i = 0; i < 3_000; i++) {
            String topic = "d/" + i % 50 + "/" + i;
            staying.add(topic);
            tree.put(retained(topic, i));
        }
        AtomicBoolean stop = new AtomicBoolean();
        ExecutorService pool = Executors.newFixedThreadPool(2);
        Random seeds = new Topics().random();
        List<Future<?>> writers = new ArrayList<>();
        for (int t = 0; t < 2; t++) {
            long seed = seeds.nextLong();
            writers.add(pool.submit(() -> {
                Random random = new Random(seed);
                while (!stop.get()) {
                    int i = random.nextInt(3_000);
                    tree.put(retained("d/" + i % 50 + "/" + i, i)); // replaces
                    TopicName passing = TopicName.of("d/" + i % 50 + "/" + i + "/x");
                    tree.put(retained(passing, i, random.nextInt(2)));
                }
            }));
        }
        try {
            for (String filter : List.of("#", "d/#", "d/+/+", "d/+/#", "+/+/+")) {
                for (int round = 0; round < 20; round++) {
                    List<String> found = texts(all(tree.cursor(TopicFilter.of(filter)), 50));
                    Set<String> once = new HashSet<>(found);
                    assertEquals(once.size(), found.size(), filter);
                    assertTrue(once.containsAll(staying), filter);
                }
            }
            stop.set(true);
            for (Future<?> writer : writers) {
                writer.get(30, TimeUnit.SECONDS);
            }
        } finally {
            stop.set(true);
            pool.shutdownNow();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void put_ofManyThreads_theHighestStampWins(boolean afterStoreFailed) throws Exception {
        RetainedTree tree = new RetainedTree(MUCH, MUCH);
        if (afterStoreFailed) {
            tree.storeFailed();
        }
        int threads = 4;
        int names = 5;
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        Random seeds = new Topics().random();
        try {
            List<Future<Map<String, Winner>>> all = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                long seed = seeds.nextLong();
                all.add(pool.submit(() -> {
                    Random random = new Random(seed);
                    Map<String, Winner> last = new HashMap<>();
                    for (int i = 0; i < 50_000; i++) {
                        Message m = retained(TopicName.of("t/" + random.nextInt(names)), i, random.nextInt(2) * 9);
                        Outcome outcome = tree.put(m);
                        if (outcome.stamp() > 0) {
                            Winner before = last.put(m.topic().text(), new Winner(outcome.stamp(), m));
                            assertTrue(before == null || before.stamp() < outcome.stamp());
                        }
                    }
                    return last;
                }));
            }
            Map<String, Winner> winners = new HashMap<>();
            for (Future<Map<String, Winner>> one : all) {
                one.get(60, TimeUnit.SECONDS)
                        .forEach((topic, w) -> winners.merge(topic, w, (a, b) -> a.stamp() > b.stamp() ? a : b));
            }
            long count = 0;
            long bytes = 0;
            for (int i = 0; i < names; i++) {
                Winner winner = winners.get("t/" + i);
                assertNotNull(winner);
                boolean removed = winner.message().payload().length == 0;
                assertSame(removed ? null : winner.message(), tree.get(TopicName.of("t/" + i)));
                count += removed ? 0 : 1;
                bytes += removed ? 0 : winner.message().weight();
            }
            assertEquals(count, tree.count());
            assertEquals(bytes, tree.bytes());
        } finally {
            pool.shutdownNow();
        }
    }

    private record Winner(long stamp, Message message) {}

    @Test
    void put_ofManyThreadsAtTheLimit_neverExceedsIt() throws Exception {
        long weight = retained("t/1", 1).weight();
        RetainedTree tree = new RetainedTree(4, weight * 3 + 5);
        ExecutorService pool = Executors.newFixedThreadPool(3);
        Random seeds = new Topics().random();
        try {
            List<Future<?>> all = new ArrayList<>();
            for (int t = 0; t < 3; t++) {
                long seed = seeds.nextLong();
                all.add(pool.submit(() -> {
                    Random random = new Random(seed);
                    for (int i = 0; i < 30_000; i++) {
                        tree.put(retained(TopicName.of("t/" + random.nextInt(7)), i, random.nextInt(4)));
                        assertTrue(tree.count() <= 4);
                        assertTrue(tree.bytes() <= weight * 3 + 5);
                    }
                }));
            }
            for (Future<?> one : all) {
                one.get(60, TimeUnit.SECONDS);
            }
        } finally {
            pool.shutdownNow();
        }
        List<Message> left = all(tree.cursor(), 10);
        assertEquals(left.size(), tree.count());
        assertEquals(left.stream().mapToLong(Message::weight).sum(), tree.bytes());
    }

    @Test
    void put_beyondALimit_isFullButReplacingAndClearingGoOn() {
        RetainedTree tree = new RetainedTree(2, MUCH);
        tree.put(retained("a", 1));
        tree.put(retained("b", 2));
        assertEquals(new Outcome(Change.FULL, 0), tree.put(retained("c", 3)));
        assertNull(tree.get(TopicName.of("c")));
        assertEquals(Change.REPLACED, tree.put(retained("a", 4)).change());
        assertEquals(Change.REMOVED, tree.put(retained(TopicName.of("b"), 5, 0)).change());
        assertEquals(Change.STORED, tree.put(retained("c", 6)).change());
        assertEquals(2, tree.count());

        Message small = retained(TopicName.of("x"), 1, 10);
        RetainedTree narrow = new RetainedTree(10, small.weight() + 5);
        assertEquals(Change.STORED, narrow.put(small).change());
        assertEquals(Change.FULL, narrow.put(retained(TopicName.of("x"), 2, 16)).change());
        assertSame(small, narrow.get(small.topic()));
        assertEquals(Change.FULL, narrow.put(retained(TopicName.of("y"), 2, 1)).change());
        assertEquals(1, narrow.count());
        assertEquals(
                Change.REPLACED, narrow.put(retained(TopicName.of("x"), 2, 15)).change());
        assertEquals(small.weight() + 5, narrow.bytes());
    }

    @Test
    void clear_ofNothing_changesNothing() {
        RetainedTree tree = new RetainedTree(1, MUCH);
        assertEquals(new Outcome(Change.UNCHANGED, 0), tree.put(retained(TopicName.of("a"), 1, 0)));
        assertEquals(0, tree.count());
        assertEquals(0, tree.bytes());
    }

    @Test
    void clear_ofNothing_whenTheStoreMayHaveMore_hasAStamp() {
        RetainedTree tree = new RetainedTree(1, MUCH);
        tree.storeFailed();
        Outcome outcome = tree.put(retained(TopicName.of("t"), 1, 0));
        assertEquals(RetainedTree.Change.UNCHANGED, outcome.change());
        assertTrue(outcome.stamp() > 0);
        assertEquals(0, tree.count());
        assertEquals(RetainedTree.Change.STORED, tree.put(retained("t", 1)).change());
    }

    @Test
    void remove_onlyIfItIsStillThatMessage() {
        RetainedTree tree = new RetainedTree(10, MUCH);
        Message old = retained("a", 1);
        Message now = retained("a", 2);
        tree.put(old);
        tree.put(now);
        assertEquals(0, tree.remove(old));
        assertSame(now, tree.get(now.topic()));
        assertTrue(tree.remove(now) > 0);
        assertEquals(0, tree.remove(now));
        assertEquals(0, tree.count());
        assertEquals(0, tree.bytes());
    }

    @Test
    void restore_keepsStampsRising() {
        RetainedTree tree = new RetainedTree(1, MUCH);
        tree.stampsFrom(70);
        tree.stampsFrom(50);
        tree.restore(List.of(retained("a", 1), retained("b", 2)));
        tree.stampsFrom(80);
        assertEquals(2, tree.count());
        assertEquals(new Outcome(Change.REPLACED, 81), tree.put(retained("a", 3)));
    }

    private static List<Message> all(RetainedTree.Cursor cursor, int page) {
        List<Message> found = new ArrayList<>();
        boolean more = true;
        while (more) {
            List<Message> next = new ArrayList<>();
            more = cursor.next(page, next::add);
            assertTrue(next.size() <= page);
            found.addAll(next);
        }
        return found;
    }

    private static List<String> texts(List<Message> messages) {
        List<String> texts = new ArrayList<>();
        messages.forEach(m -> texts.add(m.topic().text()));
        return texts;
    }
}
