package org.dunlin.core.sim;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.dunlin.core.client.Admittance;
import org.dunlin.core.client.ClientHandler;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.limits.QueueLimits.Overflow;
import org.dunlin.core.session.Restoration;
import org.dunlin.core.session.Shards;
import org.dunlin.core.session.ShardsProbe;
import org.dunlin.core.spi.Authenticator;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;

/**
 * The test's thread only. One run of the core by a seed: a while of scripted trouble, then calm, in which everything that is
 * owed has to arrive, then the end of all sessions, after which nothing may be left.
 */
final class Simulation {
    final Random random;
    final SimLoops loops;
    final SimStore store;
    final Checker checker;
    final List<SimClient> clients = new ArrayList<>();
    final SimClient observer;
    final SimRights rights;
    private final boolean rightsChange;
    private final int reviewedAtOnce;
    private final boolean storeFails;
    private final QueueLimits queueLimits;
    private final Limits limits;
    private final int backlogHigh;
    private final ShardsProbe.Paging paging;
    private final long memoryBytes;
    private MemoryBudget memory = MemoryBudget.unlimited();
    private Shards shards;
    private Admittance admittance;
    private int crashes;
    private boolean down;
    private boolean calm;
    private boolean over;
    private final List<SimConnection> connections = new ArrayList<>();

    Simulation(long seed) {
        random = new Random((seed ^ 0x5DEECE66DL) * 0x9E3779B97F4A7C15L); // else near seeds begin alike
        loops = new SimLoops(random, 1 + random.nextInt(4));
        storeFails = random.nextInt(4) == 0;
        store = new SimStore(loops, random, storeFails ? 1 + random.nextInt(10) : 0);
        checker = new Checker(this);
        Random ofRights = new Random(seed); // its own, so that runs without it stay what they are
        rightsChange = ofRights.nextInt(3) == 0;
        rights = new SimRights(ofRights);
        reviewedAtOnce = ofRights.nextInt(4) == 0 ? 512 : 1 + ofRights.nextInt(2);
        int count = 2 + random.nextInt(5);
        queueLimits = queueLimits();
        limits = limits(count + 1);
        // few enough that publishers have to wait for a loop that lags behind
        backlogHigh = random.nextInt(3) == 0 ? 4 + random.nextInt(30) : 10_000;
        paging = random.nextBoolean()
                ? ShardsProbe.Paging.DEFAULTS
                : new ShardsProbe.Paging(
                        1 + random.nextInt(8),
                        random.nextInt(3) == 0 ? 100 + random.nextInt(400) : 1 << 20,
                        1 + random.nextInt(4),
                        random.nextInt(3) == 0 ? 1 + random.nextInt(400) : 1 << 20,
                        1 + random.nextInt(4));
        // what all sessions and some dozen messages take
        memoryBytes = random.nextInt(4) > 0 ? 0 : (count + 1) * 16_000L + random.nextInt(40_000);
        shards = shards();
        admittance = admittance();
        observer = new SimClient(this, "observer", ProtocolVersion.MQTT_5, true);
        for (int i = 0; i < count; i++) {
            clients.add(new SimClient(
                    this,
                    "c" + i,
                    random.nextInt(3) == 0 ? ProtocolVersion.MQTT_3_1_1 : ProtocolVersion.MQTT_5,
                    false));
        }
    }

    private Shards shards() {
        memory = memoryBytes == 0
                ? MemoryBudget.unlimited()
                : new MemoryBudget(memoryBytes, 500 + random.nextInt(5000), () -> 0, (exhausted, used, limit) -> {});
        return ShardsProbe.shards(
                loops.all(), limits, queueLimits, memory, store, rights, checker, backlogHigh, paging, reviewedAtOnce);
    }

    private Admittance admittance() {
        Authenticator everybody = credentials ->
                CompletableFuture.completedFuture(Authenticator.Answer.Accepted.as(credentials.userName()));
        return new Admittance(limits, everybody, false, null);
    }

    private QueueLimits queueLimits() {
        if (random.nextInt(3) > 0) {
            return QueueLimits.DEFAULTS;
        }
        Overflow overflow = Overflow.values()[random.nextInt(Overflow.values().length)];
        return new QueueLimits(
                1 + random.nextInt(12), 1 << 20, overflow, 100 + random.nextInt(3000), random.nextBoolean(), List.of());
    }

    /** @param maxConnections with a place for each client, so that a takeover is one more than the broker may have */
    private Limits limits(int maxConnections) {
        Limits d = Limits.DEFAULTS;
        return new Limits(
                d.maxPacketSizeBytes(),
                2 + random.nextInt(20),
                d.topicAliasMaximum(),
                d.maxKeepAliveSeconds(),
                d.maxQos(),
                true,
                true,
                true,
                d.sessionExpiryMaxSeconds(),
                maxConnections,
                d.maxSessions(),
                d.maxTopicLevels(),
                d.maxClientIdLength(),
                d.connectTimeoutMillis(),
                0,
                0,
                1 + random.nextInt(30),
                d.maxSubscriptionsPerClient(),
                d.maxRetained(),
                d.maxRetainedBytes(),
                d.maxDelayed(),
                d.maxDelaySeconds(),
                d.maxUserProperties(),
                d.outboundBufferBytes(),
                d.fairness());
    }

    @Override
    public String toString() {
        return loops.all().size() + " loops, " + clients.size() + " clients, queues " + queueLimits.maxMessages() + " "
                + queueLimits.overflow() + ", inflight " + limits.maxInflight() + ", receive maximum "
                + limits.receiveMaximum() + ", paging " + paging.heapMessages() + "/" + paging.pageMessages()
                + (memoryBytes > 0 ? ", memory " + memoryBytes : "")
                + (crashes > 0 ? ", " + crashes + " crashes" : "") + (storeFails ? ", failing store" : "")
                + (rightsChange ? ", changing rights" : "")
                + (calm ? ", " + ShardsProbe.sessions(shards) : "");
    }

    /** Whether there is no broker at present. */
    boolean isDown() {
        return down;
    }

    boolean isCalm() {
        return calm;
    }

    boolean isOver() {
        return over;
    }

    boolean isOverloaded() {
        return shards.overload(true) != null;
    }

    boolean storeFails() {
        return storeFails;
    }

    boolean rightsChange() {
        return rightsChange;
    }

    /** Whether subscriptions and publishers may be refused for want of memory. */
    boolean isMemorySmall() {
        return memoryBytes > 0;
    }

    /** Whether a publisher may be told that its message was refused. */
    boolean mayRefuse() {
        return storeFails || memoryBytes > 0 || queueLimits.overflow().answers();
    }

    SimConnection accept(String peer, SimClient client) {
        SimConnection made = new SimConnection(loops, random, checker, peer, client, client.version);
        connections.add(made);
        made.start(connection -> new ClientHandler(shards, admittance, connection));
        return made;
    }

    /** @param millis how long the trouble lasts */
    void run(long millis) {
        observer.act();
        loops.runFor(1000);
        observer.subscribe("will/#", Qos.EXACTLY_ONCE);
        loops.runFor(1000);
        store.trouble();
        clients.forEach(SimClient::act);
        for (int n = random.nextInt(5) < 2 ? 0 : 1 + random.nextInt(4); n > 0; n--) {
            loops.later(random.nextInt((int) millis * 1000), () -> {
                // in the middle of what it does: so many tasks later
                loops.interruptAfter(1 + random.nextInt(random.nextBoolean() ? 5 : 300), this::crash);
            });
        }
        for (long left = millis; left > 0 || down; left -= 50) {
            loops.runFor(50);
            if (!down) {
                if (rightsChange && rights.isDue()) {
                    rights.change(clients, shards);
                }
                EverythingBounded();
                SubscriptionsAreSettled();
            }
        }
        calm = true;
        store.calm();
        for (SimClient client : clients) {
            SimConnection now = client.connection;
            if (now != null) {
                now.stall(false);
            }
        }
        settle();
        observer.subscribe("r/#", Qos.EXACTLY_ONCE);
        loops.runFor(10_000);
        checker.NothingStuck();
        checker.AckedIsOwned();
        checker.RetainedIsLast();
        checker.WillsOnce();
        StoreOwesNothing();
        if (ShardsProbe.reviews(shards) > 0) {
            throw new AssertionError("SubscriptionsAreSettled: a review has no end");
        }
        over = true;
        for (SimClient client : clients) {
            client.finish();
        }
        loops.runFor(10_000);
        observer.finish();
        loops.runFor(10_000);
        connections.forEach(SimConnection::cut);
        loops.runFor(10_000);
        checker.WillsOnce();
        NothingLeaks();
    }

    /** The broker's process is gone in the middle of something; another one is started on what the store has. */
    private void crash() {
        if (down || calm) {
            return;
        }
        down = true;
        crashes++;
        SimConnection.trace(loops, "crash " + crashes);
        ShardsUnharmed();
        checker.crashed(store.crash());
        connections.forEach(SimConnection::brokerDied);
        connections.clear();
        clients.forEach(SimClient::brokerDied);
        observer.brokerDied();
        loops.restart(1 + random.nextInt(4));
        int micros = random.nextInt(3) == 0 ? 0 : random.nextInt(random.nextBoolean() ? 100_000 : 7_000_000);
        loops.later(micros, this::restart);
    }

    private void restart() {
        StoreContents kept = StoreContents.of(store);
        shards = shards();
        admittance = admittance();
        Restoration restoration = new Restoration(shards);
        store.open(restoration);
        ShardsProbe.restore(shards, restoration, loops::runReady);
        if (shards.sessions().get() != kept.clientIds().size() || ShardsProbe.delayed(shards) != kept.delayed.size()) {
            throw new AssertionError("RestoredIsCounted: " + shards.sessions() + " sessions and "
                    + ShardsProbe.delayed(shards) + " delayed of " + kept.owners + " " + kept.delayed);
        }
        down = false;
        checker.restarted();
        SimConnection.trace(loops, "restart with " + kept.owners + " delayed " + kept.delayed);
    }

    private void ShardsUnharmed() {
        if (ShardsProbe.faults(shards) > 0) {
            throw new AssertionError("ShardsUnharmed: " + ShardsProbe.faults(shards) + " items have failed");
        }
    }

    /** Until wills and held messages have come to their end and nobody is owed anything, for some minutes at most. */
    private void settle() {
        loops.runFor(20_000);
        for (int i = 0; i < 60; i++) {
            boolean idle = clients.stream().allMatch(client -> client.connected && client.flights.isEmpty())
                    && ShardsProbe.sessions(shards).stream().allMatch(one -> one.queued() == 0 && one.open() == 0)
                    && ShardsProbe.waitingInGroups(shards) == 0;
            if (idle) {
                return;
            }
            loops.runFor(5_000);
        }
    }

    /** A subscription is guarded as its client's rights demand, unless they are just being settled. */
    private void SubscriptionsAreSettled() {
        ShardsProbe.unsettled(shards).forEach(what -> {
            throw new AssertionError("SubscriptionsAreSettled: " + what);
        });
    }

    /** Queues and windows keep their limits at any moment; what groups have lent is bounded by their credits. */
    private void EverythingBounded() {
        if (admittance.connections() > limits.maxConnections()) {
            throw new AssertionError("EverythingBounded: " + admittance.connections() + " connections");
        }
        ShardsUnharmed();
        ShardsProbe.sessions(shards).forEach(session -> {
            String what = session.toString();
            int heap = Math.max(paging.heapMessages(), paging.low() - 1 + paging.pageMessages());
            boolean heapKept = !session.durable() || session.inHeap() - session.lent() <= heap;
            // what is promised to an idle queue may find the window taken; the oldest are read before they are dropped,
            // so
            // that more may wait, and what a crash has undone is in the queue again
            long late =
                    session.loading() || store.failures() > 0 ? queueLimits.maxMessages() + paging.heapMessages() : 0;
            long most = queueLimits.maxMessages() + 1 + late + 2L * limits.maxInflight();
            boolean kept = heapKept
                    && (crashes > 0 || session.queued() - session.lent() <= most)
                    && session.lent() <= SimClient.GROUPS.length * limits.maxInflight()
                    && session.open() <= Math.max(limits.maxInflight(), session.released())
                    && session.unacknowledged() <= 2 * limits.receiveMaximum() + 40;
            if (!kept) {
                throw new AssertionError(
                        "EverythingBounded: " + what + " by " + queueLimits + " window " + limits.maxInflight());
            }
        });
    }

    /** All has been delivered and acknowledged: the store holds nothing more for anybody. */
    private void StoreOwesNothing() {
        if (storeFails) {
            return;
        }
        StoreContents.of(store).owners.forEach((sid, kept) -> {
            if (!kept.owesNothing()) {
                throw new AssertionError("StoreOwesNothing: " + sid + " is kept with " + kept);
            }
        });
    }

    /** After all sessions have ended nothing of them is left. */
    private void NothingLeaks() {
        ShardsUnharmed();
        String left = ShardsProbe.leftovers(shards);
        if (!left.isEmpty()) {
            throw new AssertionError("NothingLeaks: " + left);
        }
        if (ShardsProbe.memory(shards) != 0) {
            throw new AssertionError("NothingLeaks: " + ShardsProbe.memory(shards) + " bytes of the memory budget");
        }
        if (shards.sessions().get() != 0
                || admittance.connections() != 0
                || shards.subscriptions().routes() != 0) {
            throw new AssertionError(
                    "NothingLeaks: sessions=" + shards.sessions() + " connections=" + admittance.connections()
                            + " routes=" + shards.subscriptions().routes());
        }
        if (loops.pendingTimers() != 0) {
            throw new AssertionError("NothingLeaks: " + loops.pendingTimers() + " timers");
        }
        StoreContents kept = StoreContents.of(store);
        if (!storeFails && (!kept.owners.isEmpty() || !kept.delayed.isEmpty())) {
            throw new AssertionError("NothingLeaks: the store keeps " + kept.owners + " " + kept.delayed);
        }
    }
}
