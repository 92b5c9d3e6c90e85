package org.dunlin.core.session;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.dunlin.core.limits.Backlog;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.limits.UserSessions;
import org.dunlin.core.routing.ExpirySweep;
import org.dunlin.core.routing.RetainedTree;
import org.dunlin.core.routing.Slots;
import org.dunlin.core.routing.SubscriptionTree;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.core.spi.Loop;
import org.dunlin.core.spi.Store;
import org.jspecify.annotations.Nullable;

/**
 * The shards of a broker and all that they share: the subscription tree, the retained messages, the registry of clients, the
 * store, the limits. Any thread; what changes in here is concurrent by itself.
 */
public final class Shards {
    /** A set of shards fits a long. */
    public static final int MAX = 64;

    /** Deliveries under way to one shard from which on publishers are slowed, until a quarter of them is left. */
    private static final int BACKLOG_HIGH = 16_384;

    private volatile Limits limits;
    private volatile QueueLimits queueLimits;
    private final Supplier<QueueLimits> queueLimitsNow = this::queueLimits;
    private final MemoryBudget memory;
    private final Store store;
    private final Authorizer authorizer;
    private final BrokerEvents events;
    private final int backlogHigh;
    private final MessageQueue.Paging paging;
    private final int reviewedAtOnce;
    private final SubscriptionTree subscriptions;
    private final RetainedTree retained;
    private final ExpirySweep expirySweep;
    private final ClientRegistry registry = new ClientRegistry();
    private final Shard[] shards;
    private final AtomicInteger delayed = new AtomicInteger();
    private final AtomicInteger sessions = new AtomicInteger();
    private final UserSessions users;
    private final AtomicLong lastMessageId = new AtomicLong();

    /** @param loops 1 to {@value #MAX}, each the thread of one shard */
    public Shards(
            List<Loop> loops,
            Limits limits,
            QueueLimits queueLimits,
            MemoryBudget memory,
            Store store,
            Authorizer authorizer,
            BrokerEvents events) {
        this(
                loops,
                limits,
                queueLimits,
                memory,
                store,
                authorizer,
                events,
                BACKLOG_HIGH,
                MessageQueue.Paging.DEFAULTS,
                Reviews.AT_ONCE);
    }

    Shards(
            List<Loop> loops,
            Limits limits,
            QueueLimits queueLimits,
            MemoryBudget memory,
            Store store,
            Authorizer authorizer,
            BrokerEvents events,
            int backlogHigh,
            MessageQueue.Paging paging,
            int reviewedAtOnce) {
        if (loops.isEmpty() || loops.size() > MAX) {
            throw new IllegalArgumentException("1 to " + MAX + " loops, not " + loops.size());
        }
        this.limits = limits;
        this.users = new UserSessions(limits.fairness().maxSessionsPerUser());
        this.queueLimits = queueLimits;
        this.memory = memory;
        this.store = store;
        this.authorizer = authorizer;
        this.events = events;
        this.backlogHigh = backlogHigh;
        this.paging = paging;
        this.reviewedAtOnce = reviewedAtOnce;
        this.subscriptions = new SubscriptionTree(loops.size());
        this.retained = new RetainedTree(limits.maxRetained(), limits.maxRetainedBytes());
        this.expirySweep = new ExpirySweep(retained);
        this.shards = new Shard[loops.size()];
        for (int i = 0; i < shards.length; i++) {
            shards[i] = new Shard(this, i, loops.get(i));
        }
    }

    /** Others count from now on. */
    public void limits(Limits next, QueueLimits ofQueues) {
        limits = next;
        users.bound(next.fairness().maxSessionsPerUser());
        retained.bounds(next.maxRetained(), next.maxRetainedBytes());
        QueueLimits former = queueLimits;
        queueLimits = ofQueues;
        if (former.maxMessages() != ofQueues.maxMessages() || former.maxBytes() != ofQueues.maxBytes()) {
            for (Shard shard : shards) {
                shard.loop().execute(shard::measureQueues);
            }
        }
    }

    public Limits limits() {
        return limits;
    }

    public QueueLimits queueLimits() {
        return queueLimits;
    }

    /** {@link #queueLimits}, the same for all queues. */
    Supplier<QueueLimits> queueLimitsNow() {
        return queueLimitsNow;
    }

    public MemoryBudget memory() {
        return memory;
    }

    public Store store() {
        return store;
    }

    /** Who says what clients may do. */
    public Authorizer authorizer() {
        return authorizer;
    }

    public BrokerEvents events() {
        return events;
    }

    public SubscriptionTree subscriptions() {
        return subscriptions;
    }

    public RetainedTree retained() {
        return retained;
    }

    /** Of the retained messages. */
    ExpirySweep expirySweep() {
        return expirySweep;
    }

    ClientRegistry registry() {
        return registry;
    }

    public int count() {
        return shards.length;
    }

    public Shard shard(int index) {
        return shards[index];
    }

    /** The shard that runs on that loop. */
    public Shard on(Loop loop) {
        for (Shard shard : shards) {
            if (shard.loop() == loop) {
                return shard;
            }
        }
        throw new IllegalArgumentException("no shard runs on that loop");
    }

    /**
     * The shard that owns a client identifier: the one given if nobody does yet. A caller that finds its own shard has to
     * {@link Shard#admit} in the same task; another one has to go there and ask again.
     */
    public Shard ownerOf(String clientId, Shard by) {
        return registry.claim(clientId, by).shard();
    }

    /** The shard that has a session of that client, or null. */
    public @Nullable Shard find(String clientId) {
        return registry.owner(clientId);
    }

    /** The first client identifiers behind one that have a session, in their order. Looks at all; not on a loop. */
    public List<String> clientIds(String after, int max, Predicate<String> wanted) {
        return registry.identifiers(after, max, wanted);
    }

    /**
     * That of a shard for which a client that makes work should be slowed, or null.
     *
     * @param much whether it makes much of it
     */
    public @Nullable Backlog overload(boolean much) {
        for (Shard shard : shards) {
            if (shard.backlog().isTooMuch(much)) {
                return shard.backlog();
            }
        }
        return null;
    }

    /**
     * What makes a client one of those who make much work: so many messages of one read and their deliveries. A SUBSCRIBE is as
     * much.
     */
    public int much() {
        return Math.max(1, backlogHigh / 32);
    }

    int backlogHigh() {
        return backlogHigh;
    }

    MessageQueue.Paging paging() {
        return paging;
    }

    /** Subscriptions of one shard whose rights are settled anew within a turn. */
    int reviewedAtOnce() {
        return reviewedAtOnce;
    }

    /** The shard that a shared group lives on, for ever the same for a number of shards. */
    public Shard ofGroup(String filter) {
        return shards[Slots.of(filter) % shards.length];
    }

    /** Messages that wait for their delay. */
    AtomicInteger delayed() {
        return delayed;
    }

    /** Messages that wait for their delay. */
    public int delayedMessages() {
        return delayed.get();
    }

    /** Sessions that exist, connected or not. */
    public AtomicInteger sessions() {
        return sessions;
    }

    /** How many of them each user has. */
    public UserSessions users() {
        return users;
    }

    /** Identity of a message that the broker itself publishes. */
    long nextMessageId() {
        return lastMessageId.incrementAndGet();
    }
}
