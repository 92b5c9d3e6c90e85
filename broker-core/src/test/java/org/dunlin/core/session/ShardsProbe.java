package org.dunlin.core.session;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.core.spi.Loop;
import org.dunlin.core.spi.Store;

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
            Paging paging) {
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
                        paging.heapMessages, paging.heapBytes, paging.pageMessages, paging.pageBytes, paging.low));
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
                MessageQueue queued = session.delivery().queue();
                OutboundWindow window = session.delivery().outbound();
                all.add(new Figures(
                        session.clientId(),
                        session.durable(),
                        queued.size(),
                        queued.inHeap(),
                        queued.isLoading(),
                        queued.lent(),
                        window.open(),
                        released(window),
                        session.inbound().waiting()));
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
