package org.dunlin.core.session;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.routing.Match;
import org.dunlin.core.routing.Receivers;
import org.dunlin.core.routing.Subscription;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.core.spi.Loop;
import org.dunlin.core.spi.Store;
import org.dunlin.mqtt.TopicName;

/** The test's thread only, which plays all loops. What tests of other packages may see of the shards. */
public final class ShardsProbe {
    private ShardsProbe() {}

    /** Shards that count as overloaded when more than so many items are under way to them. */
    public static Shards shards(
            List<Loop> loops,
            Limits limits,
            QueueLimits queueLimits,
            MemoryBudget memory,
            Store store,
            Authorizer authorizer,
            BrokerEvents events,
            int backlogHigh,
            Paging paging,
            int reviewedAtOnce) {
        return new Shards(
                loops,
                limits,
                queueLimits,
                memory,
                store,
                authorizer,
                events,
                backlogHigh,
                new MessageQueue.Paging(
                        paging.heapMessages, paging.heapBytes, paging.pageMessages, paging.pageBytes, paging.low),
                reviewedAtOnce);
    }

    /** How much of a stored queue is in the heap. */
    public record Paging(int heapMessages, long heapBytes, int pageMessages, long pageBytes, int low) {
        public static final Paging DEFAULTS = of(MessageQueue.Paging.DEFAULTS);

        private static Paging of(MessageQueue.Paging paging) {
            return new Paging(
                    paging.heapMessages(), paging.heapBytes(), paging.pageMessages(), paging.pageBytes(), paging.low());
        }
    }

    /** Brings back what a store has kept. @param runReady lets the loops do what they have got */
    public static void restore(Shards shards, Restoration restoration, Runnable runReady) {
        for (Consumer<Shard> step : restoration.steps()) {
            int[] left = {shards.count()};
            for (int i = 0; i < shards.count(); i++) {
                Shard shard = shards.shard(i);
                shard.loop().execute(() -> {
                    step.accept(shard);
                    left[0]--;
                });
            }
            runReady.run();
            if (left[0] > 0) {
                throw new AssertionError("a step of the restoration has failed");
            }
        }
    }

    /** Runs a task on the loop of each shard. */
    public static void eachOnItsLoop(Shards shards, Consumer<Shard> task) {
        for (int i = 0; i < shards.count(); i++) {
            Shard shard = shards.shard(i);
            shard.loop().execute(() -> task.accept(shard));
        }
    }

    /** The session of a client that has one. */
    public static Session session(Shards shards, String clientId) {
        for (int i = 0; i < shards.count(); i++) {
            for (Session session : shards.shard(i).sessionsForTests()) {
                if (session.clientId().equals(clientId)) {
                    return session;
                }
            }
        }
        throw new AssertionError("no session of " + clientId);
    }

    /** Sessions whose subscriptions are not all settled. */
    public static int reviews(Shards shards) {
        int reviews = 0;
        for (int i = 0; i < shards.count(); i++) {
            for (Session session : shards.shard(i).sessionsForTests()) {
                reviews += session.standing().review() == null ? 0 : 1;
            }
        }
        return reviews;
    }

    private static boolean isInTheTree(Shard shard, Session session, Subscription subscription) {
        String topic = subscription.filter().text().replace("/#", "").replace('+', 'q');
        Match match = shard.match(TopicName.of(topic));
        for (int r = 0; r < match.size(); r++) {
            Receivers receivers = match.route(r).receivers(shard.index());
            if (receivers != null && receivers.of(session) == subscription) {
                return true;
            }
        }
        return false;
    }

    /** Subscriptions that are not guarded as the rights of their session demand, though no review is under way. */
    public static List<String> unsettled(Shards shards) {
        List<String> all = new ArrayList<>();
        for (int i = 0; i < shards.count(); i++) {
            for (Session session : shards.shard(i).sessionsForTests()) {
                if (session.standing().review() != null || session.standing().isRestored()) {
                    continue;
                }
                for (Subscription each : session.subscriptions()) {
                    boolean refused = session.rights().refusesSubscribe(each.filter(), each.qos()) != null;
                    boolean open = each.guard() == null;
                    if (refused && (session.isConnected() || open)
                            || open != session.rights().receivesAllOf(each.filter()) && !refused
                            || !open && !session.rights().equals(each.guard())
                            || !each.filter().isShared() && !isInTheTree(shards.shard(i), session, each)) {
                        all.add(session.clientId() + " " + each + " by " + session.rights());
                    }
                }
            }
        }
        return all;
    }

    public static int delayed(Shards shards) {
        return shards.delayed().get();
    }

    /** Items that have thrown something. */
    public static int faults(Shards shards) {
        int faults = 0;
        for (int i = 0; i < shards.count(); i++) {
            faults += shards.shard(i).faults();
        }
        return faults;
    }

    /** What the shards have taken of the memory budget. */
    public static long memory(Shards shards) {
        long untold = 0;
        for (int i = 0; i < shards.count(); i++) {
            untold += shards.shard(i).memory().untoldBytes();
        }
        return shards.memory().countedBytes() + untold;
    }

    /** Whether a session has what it delivers with, and what it takes QoS 1 and 2 with. On one shard. */
    public static List<Boolean> made(Shards shards, String clientId) {
        Session session = shards.shard(0).sessions().get(clientId);
        return session == null ? List.of() : List.of(session.deliveryIfAny() != null, session.inboundIfAny() != null);
    }

    /** Figures of one session at this moment. */
    public record Figures(
            String clientId,
            boolean durable,
            long queued,
            int inHeap,
            boolean loading,
            int lent,
            int open,
            int released,
            int unacknowledged) {}

    public static List<Figures> sessions(Shards shards) {
        List<Figures> all = new ArrayList<>();
        for (int i = 0; i < shards.count(); i++) {
            for (Session session : shards.shard(i).sessionsForTests()) {
                Delivery delivery = session.deliveryIfAny(); // looking must not make it
                InboundWindow inbound = session.inboundIfAny();
                MessageQueue queued = delivery == null ? null : delivery.queue();
                OutboundWindow window = delivery == null ? null : delivery.outbound();
                all.add(new Figures(
                        session.clientId(),
                        session.durable(),
                        queued == null ? 0 : queued.size(),
                        queued == null ? 0 : queued.inHeap(),
                        queued != null && queued.isLoading(),
                        queued == null ? 0 : queued.lent(),
                        window == null ? 0 : window.open(),
                        window == null ? 0 : released(window),
                        inbound == null ? 0 : inbound.waiting()));
            }
        }
        return all;
    }

    private static int released(OutboundWindow window) {
        int released = 0;
        for (Outgoing flow = window.first(); flow != null; flow = flow.next) {
            released += flow.state == Outgoing.State.RELEASED ? 1 : 0;
        }
        return released;
    }

    /** What is left of sessions that have ended, in words; empty if nothing. */
    public static String leftovers(Shards shards) {
        StringBuilder left = new StringBuilder();
        if (shards.registry().size() != 0) {
            left.append("registry ").append(shards.registry().size());
        }
        if (shards.delayed().get() != 0) {
            left.append("delayed ").append(shards.delayed().get());
        }
        for (int i = 0; i < shards.count(); i++) {
            left.append(shards.shard(i).leftovers());
        }
        return left.toString();
    }

    /** The index of the shard that a shared group lives on. */
    public static int shardOfGroup(Shards shards, String filter) {
        return shards.ofGroup(filter).index();
    }

    /** Messages that wait in shared groups, not with their members. */
    public static long waitingInGroups(Shards shards) {
        long waiting = 0;
        for (int i = 0; i < shards.count(); i++) {
            waiting += shards.shard(i).waitingInGroups();
        }
        return waiting;
    }
}
