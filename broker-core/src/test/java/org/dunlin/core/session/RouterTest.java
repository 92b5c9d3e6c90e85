package org.dunlin.core.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Proxy;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.routing.Answer;
import org.dunlin.core.routing.Gathering;
import org.dunlin.core.routing.Match;
import org.dunlin.core.routing.Receiver;
import org.dunlin.core.routing.Subscription;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.core.spi.Loop;
import org.dunlin.core.spi.MemoryStore;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The test's thread only, which plays all loops. */
class RouterTest {
    private static final TopicName TOPIC = TopicName.of("a/b");
    private static final int SHARDS = Shards.MAX;

    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final Queue<Runnable> ends = new ArrayDeque<>();
    private final Shards shards = shards();
    private final Router router = new Router(shards.shard(2), shards.subscriptions());
    private final List<String> took = new ArrayList<>();

    private final class OneOfMany implements Loop {
        @Override
        public boolean inLoop() {
            return true;
        }

        @Override
        public void execute(Runnable task) {
            tasks.add(task);
        }

        @Override
        public void atEndOfTurn(Runnable task) {
            ends.add(task);
        }

        @Override
        public boolean isTurnLong() {
            return false;
        }

        @Override
        public boolean isLate() {
            return false;
        }

        @Override
        public Timer schedule(Runnable task, long delayMillis) {
            return () -> {};
        }

        @Override
        public long nowMillis() {
            return 0;
        }
    }

    private final class Client implements Receiver {
        private final String name;
        private final boolean durable;
        private final Gathering gathering = new Gathering();

        private Client(String name, boolean durable) {
            this.name = name;
            this.durable = durable;
        }

        @Override
        public boolean durable() {
            return durable;
        }

        @Override
        public String clientId() {
            return name;
        }

        @Override
        public void take(Message message, Qos qos, boolean retain, int[] subscriptionIds, @Nullable Answer answer) {
            took.add(name);
        }

        @Override
        public Gathering gathering() {
            return gathering;
        }
    }

    private Shards shards() {
        List<Loop> loops = new ArrayList<>();
        for (int i = 0; i < SHARDS; i++) {
            loops.add(new OneOfMany());
        }
        BrokerEvents none = (BrokerEvents) Proxy.newProxyInstance(
                BrokerEvents.class.getClassLoader(), new Class<?>[] {BrokerEvents.class}, (self, method, arguments) -> {
                    throw new AssertionError(method);
                });
        return new Shards(
                loops,
                Limits.DEFAULTS,
                QueueLimits.DEFAULTS,
                MemoryBudget.unlimited(),
                new MemoryStore(),
                Authorizer.ALL,
                none);
    }

    private Client subscribed(int shard, String name, boolean durable, String... filters) {
        Client client = new Client(name, durable);
        for (String filter : filters) {
            shards.subscriptions()
                    .add(
                            new Subscription(
                                    client,
                                    TopicFilter.of(filter),
                                    Qos.AT_MOST_ONCE,
                                    false,
                                    false,
                                    Subscription.NO_IDS),
                            shard);
        }
        return client;
    }

    private static Message message() {
        return new Message(1, "p", TOPIC, new byte[] {1}, Qos.AT_MOST_ONCE, false, Message.NEVER, Message.NO_BYTES);
    }

    private void runAll(Queue<Runnable> what) {
        for (Runnable task = what.poll(); task != null; task = what.poll()) {
            task.run();
        }
    }

    @Test
    void fanOut_givesEachShardItsReceiversAsWork_andCountsAllOnce() {
        subscribed(2, "here", false, "a/b", "a/+");
        subscribed(0, "first", false, "a/b");
        subscribed(63, "last", false, "a/#", "a/+", "a/b");
        subscribed(63, "last2", false, "a/#");
        subscribed(7, "elsewhere", false, "x");

        for (int times = 1; times <= 2; times++) {
            router.fanOut(message(), router.match(TOPIC), null);
            assertEquals(List.of("here"), took);
            runAll(ends);

            assertEquals(7L * times, router.deliveries());
            assertEquals(1, shards.shard(0).backlog().work());
            assertEquals(4, shards.shard(63).backlog().work());
            assertEquals(0, shards.shard(2).backlog().work());
            assertEquals(0, shards.shard(7).backlog().work());

            runAll(tasks);
            took.sort(null);
            assertEquals(List.of("first", "here", "last", "last2"), took);
            took.clear();
            assertEquals(0, shards.shard(63).backlog().work());
        }
    }

    @Test
    void fanOut_afterSomeHaveLeft_countsThoseThatAreThere() {
        subscribed(0, "stays", false, "a/b");
        Client leaves = subscribed(0, "leaves", false, "a/b");
        subscribed(5, "other", false, "a/b");
        router.fanOut(message(), router.match(TOPIC), null);
        runAll(ends);
        assertEquals(2, shards.shard(0).backlog().work());
        runAll(tasks);

        shards.subscriptions()
                .remove(
                        new Subscription(
                                leaves, TopicFilter.of("a/b"), Qos.AT_MOST_ONCE, false, false, Subscription.NO_IDS),
                        0);
        router.fanOut(message(), router.match(TOPIC), null);
        runAll(ends);
        assertEquals(1, shards.shard(0).backlog().work());
        assertEquals(1, shards.shard(5).backlog().work());
        assertEquals(5, router.deliveries());
    }

    @Test
    void isOwed_ifAnyShardHasADurableReceiver() {
        subscribed(2, "a", false, "a/b");
        subscribed(63, "b", false, "a/#");
        assertFalse(router.isOwed(router.match(TOPIC)));
        subscribed(63, "c", true, "a/#");
        Match match = router.match(TOPIC);
        assertTrue(router.isOwed(match));
        assertFalse(router.isOwed(router.match(TopicName.of("b"))));
    }
}
