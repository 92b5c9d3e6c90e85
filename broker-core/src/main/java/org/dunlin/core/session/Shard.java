package org.dunlin.core.session;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.dunlin.core.figures.ShardFigures;
import org.dunlin.core.limits.Backlog;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.limits.Takeovers;
import org.dunlin.core.routing.Match;
import org.dunlin.core.routing.Subscription;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.Connection;
import org.dunlin.core.spi.Loop;
import org.dunlin.core.spi.Rights;
import org.dunlin.core.spi.SessionRecord;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One event loop's part of the broker: its sessions and shared groups, and what it has for the store and for other shards at
 * the end of a turn. On the thread of {@link #loop()} only, but for {@link #post} and {@link #backlog}.
 */
public final class Shard {
    private static final Logger LOG = LoggerFactory.getLogger("dunlin.core");
    /** Items of other shards that are handled in a turn even if it has been long already. */
    private static final int LEAST_HANDLED = 16;
    /** How soon it is looked whether a late loop is punctual again. */
    private static final long LAG_LOOK_MILLIS = 50;
    /** Queues that are held against other bounds before others on the loop have their turn. */
    private static final int MEASURED_AT_ONCE = 1024;

    private static final String TAKEN_OVER =
            "another connection has come with this client identifier; if that was not this"
                    + " client, two clients use the same one: give each its own";

    private final Shards shards;
    private final int index;
    private final Loop loop;
    private final MemoryBudget.Account memory;
    private final ShardFigures figures = new ShardFigures();
    private final Predicate<Message> expired = this::isExpired;
    private final Turn turn;
    private final Router router;
    private final Publishing publishing;
    private final Reviews reviews;
    private final Inspector inspector;
    private final Map<String, Session> sessions = new HashMap<>();
    private final Map<String, SharedGroup> groups = new HashMap<>();

    private final Backlog backlog;
    private final ArrayDeque<Turn.Outbox> inbox = new ArrayDeque<>();
    /** The next item of the first in the inbox. */
    private int inboxAt;

    private boolean drainPending;
    private long lastMessageId;
    private int faults;
    /** Whose session is just being replaced by a new one, so that this shard goes on owning it. */
    private @Nullable String admitting;

    Shard(Shards shards, int index, Loop loop) {
        this.shards = shards;
        this.index = index;
        this.loop = loop;
        this.backlog = new Backlog(shards.backlogHigh(), loop::isLate, task -> loop.schedule(task, LAG_LOOK_MILLIS));
        this.memory = shards.memory().account(loop::nowMillis);
        this.turn = new Turn(this);
        this.router = new Router(this, shards.subscriptions());
        this.publishing = new Publishing(this, router);
        this.reviews = new Reviews(this, shards.reviewedAtOnce());
        this.inspector = new Inspector(this, groups);
    }

    public Shards shards() {
        return shards;
    }

    public int index() {
        return index;
    }

    public Loop loop() {
        return loop;
    }

    boolean inLoop() {
        return loop.inLoop();
    }

    /** What this shard's part of the broker takes of it. */
    MemoryBudget.Account memory() {
        return memory;
    }

    /** A session has one subscription more, or with -1 one less. */
    void subscribed(String filter, int more) {
        memory.add(more * MemoryBudget.ofSubscription(filter));
        figures.subscriptions().add(more);
    }

    /** What is counted here; for any thread to read. */
    public ShardFigures figures() {
        return figures;
    }

    /** What the store and other shards get at the end of the turn. */
    public Turn turn() {
        return turn;
    }

    public Publishing publishing() {
        return publishing;
    }

    /** Who settles what its clients may do. */
    public Reviews reviews() {
        return reviews;
    }

    /** Who is to get what is published to a topic. */
    Match match(TopicName topic) {
        return router.match(topic);
    }

    /** Identity of a message that comes in on this shard: its index in the upper eight bits, then a count. */
    public long nextMessageId() {
        return (long) index << 56 | ++lastMessageId;
    }

    /** Runs a task of this shard for another one, whose thread calls: at once if it is the same. */
    void runOrPost(Shard caller, Runnable task) {
        assert caller.inLoop();
        if (caller == this) {
            task.run();
        } else {
            caller.turn.post(index, task);
        }
    }

    /** Gives it the items of another shard's turn. Any thread. */
    void post(Turn.Outbox outbox) {
        backlog.add(outbox.work(), outbox.bytes());
        loop.execute(() -> {
            inbox.add(outbox);
            if (!drainPending) {
                drain();
            }
        });
    }

    private void drain() {
        assert inLoop();
        drainPending = false;
        int handled = 0;
        while (!inbox.isEmpty() && (handled < LEAST_HANDLED || !loop.isTurnLong())) {
            Turn.Outbox outbox = inbox.getFirst();
            handle(outbox, inboxAt++);
            handled++;
            if (inboxAt == outbox.size()) {
                inbox.removeFirst();
                inboxAt = 0;
                backlog.done(outbox.work(), outbox.bytes());
            }
        }
        backlog.tell();
        if (!inbox.isEmpty()) {
            drainPending = true;
            loop.inNextTurn(this::drain);
        }
    }

    private void handle(Turn.Outbox outbox, int i) {
        Object item = outbox.item(i);
        if (item instanceof Message message) {
            guard(() -> router.deliver(message, outbox.match(i), outbox.ticket(i), outbox.from()));
        } else {
            guard((Runnable) item);
        }
    }

    /** A fault in one item must not keep the others from their receivers. @return false if it has failed */
    boolean guard(Runnable item) {
        try {
            item.run();
            return true;
        } catch (RuntimeException | AssertionError e) {
            faults++;
            LOG.atError().setCause(e).addKeyValue("shard", index).log("An item for a shard has failed");
            return false;
        }
    }

    /** What other shards have given it and it has not done. */
    public Backlog backlog() {
        return backlog;
    }

    // ---- sessions

    public @Nullable Session session(String clientId) {
        assert inLoop();
        return sessions.get(clientId);
    }

    /** Whether a session of this shard is held by a connection, which {@link #admit} would end. */
    public boolean isConnected(String clientId) {
        Session session = session(clientId);
        return session != null && session.isConnected();
    }

    /** For tests, on whose thread every loop runs. */
    Iterable<Session> sessionsForTests() {
        return sessions.values();
    }

    /** For tests: what has been thrown by single items. */
    int faults() {
        return faults;
    }

    /** For tests: what is left, once all sessions have ended, in words; empty if nothing. */
    String leftovers() {
        boolean clean = sessions.isEmpty()
                && groups.isEmpty()
                && publishing.holdsNothing()
                && turn.isEmpty()
                && inbox.isEmpty()
                && figures.read().equals(ShardFigures.Reading.NONE);
        return clean && backlog.isEmpty()
                ? ""
                : "shard " + index + ": sessions=" + sessions.keySet() + " groups=" + groups.keySet() + " backlog="
                        + backlog.work() + " " + figures.read();
    }

    public Map<String, Session> sessions() {
        assert inLoop();
        return sessions;
    }

    /**
     * Gives an accepted CONNECT its session: ends or takes over what was there [MQTT-3.1.4-3] [MQTT-3.1.2-4..6]. Only on the
     * shard that {@link Shards#ownerOf} has named, and in the same task.
     *
     * @return null if there are too many sessions, in all or of this user
     */
    public @Nullable Admission admit(
            Connect connect,
            Connection connection,
            Session.Holder holder,
            Authorizer.Client client,
            Rights rights,
            long expirySeconds) {
        assert inLoop();
        String clientId = connect.clientId();
        ClientRegistry.Owner owner = shards.registry().claim(clientId, this);
        assert owner.shard() == this;
        Session session = sessions.get(clientId);
        boolean removes = turn.removeLeaving(clientId);
        boolean resumes = session != null && !connect.cleanStart() && session.expirySeconds() > 0;
        String user = client.userName();
        String former = session == null ? null : session.userName();
        if (session == null && shards.sessions().get() >= shards.limits().maxSessions()
                || !shards.users().mayEnter(user, former)) {
            if (session == null) {
                shards.registry().release(clientId, owner);
            }
            return null;
        }
        if (session != null) {
            admitting = clientId;
            Connection held = session.connection();
            if (held != null) {
                owner.takenOver(session, held, connect, connection);
                session.evict(ReasonCode.SESSION_TAKEN_OVER, TAKEN_OVER);
                session.detach(held, true);
            }
            if (!resumes) {
                removes |= session.durable();
                session.end();
                session = null;
            }
        }
        admitting = null;
        shards.users().entered(user, former, resumes);
        if (session == null) {
            session = new Session(this, owner, clientId, shards.store().nextId(), expirySeconds > 0);
            began(session);
        }
        session.attach(connection, holder, connect, client, rights, expirySeconds, owner.nextGeneration());
        reviews.settle(session);
        return new Admission(session, resumes, removes || session.isRecorded());
    }

    /** How long a connection should wait before it takes the place of the one that holds this shard's session; 0 as a rule. */
    public long takeoverDelayMillis(String clientId) {
        Takeovers takeovers = isConnected(clientId) ? shards.registry().takeovers(clientId) : null;
        return takeovers == null ? 0 : takeovers.delayMillis(loop.nowMillis());
    }

    /** The store has failed to keep what was admitted: a session that was made for it ends with its connection. */
    public void discard(Admission admission, Connection connection) {
        Session session = admission.session();
        if (admission.present()) {
            return;
        }
        if (session.connection() == connection) {
            session.changeExpiry(0);
        } else if (!session.isConnected()) {
            session.end();
        }
    }

    /**
     * A session that is given to a connection.
     *
     * @param present whether it was there before: Session Present [MQTT-3.2.2-3]
     * @param stored whether the store has to know of it before CONNACK
     */
    public record Admission(Session session, boolean present, boolean stored) {}

    // ---- for operators

    /** What operators may see of it. */
    public Inspector inspector() {
        return inspector;
    }

    /** Ends a session, and tells its client why if it is there. @return false if there is none */
    public boolean end(String clientId, ReasonCode reason, String why) {
        assert inLoop();
        Session session = sessions.get(clientId);
        if (session == null) {
            return false;
        }
        Connection connection = session.connection();
        if (connection != null) {
            session.evict(reason, why);
            session.detach(connection, true);
        }
        session.end();
        return true;
    }

    // ---- after a restart

    /** Takes over a session that the store has kept; one that has come to its end does so with {@link Session#resume}. */
    Session restore(Restoration.Kept kept, long lastAliveMillis) {
        SessionRecord record = kept.record();
        ClientRegistry.Owner owner = shards.registry().claim(record.clientId(), this);
        owner.restore(kept.key().generation());
        Session session = new Session(this, owner, record.clientId(), kept.key().sid(), record.expirySeconds() > 0);
        began(session);
        session.restore(kept, lastAliveMillis);
        shards.users().add(session.userName());
        for (StoreBatch.SubscriptionRecord subscribed : kept.subscriptions()) {
            Subscription subscription = subscription(session, subscribed);
            session.restore(subscription);
            if (!subscription.filter().isShared()) {
                shards.subscriptions().add(subscription, index);
            }
        }
        return session;
    }

    private static Subscription subscription(Session session, StoreBatch.SubscriptionRecord kept) {
        return new Subscription(
                session,
                TopicFilter.of(kept.filter()),
                kept.qos(),
                kept.noLocal(),
                kept.retainAsPublished(),
                kept.subscriptionId() == 0 ? Subscription.NO_IDS : new int[] {kept.subscriptionId()});
    }

    void restoreGroup(Restoration.Kept kept) {
        TopicFilter filter = TopicFilter.of(kept.group());
        SharedGroup group = new SharedGroup(this, filter, kept.key().sid(), true);
        groups.put(filter.text(), group);
        memory.add(MemoryBudget.GROUP_BYTES);
        group.restore(kept);
    }

    /** After all groups: one that the store does not know of has just been joined for the first time. */
    void restoreMember(Session session, Subscription subscription) {
        group(subscription.filter(), true).member(session, subscription);
    }

    /** After all members: groups that nobody is left of. */
    void endDesertedGroups() {
        List.copyOf(groups.values()).stream().filter(SharedGroup::isDeserted).forEach(SharedGroup::end);
    }

    /** The connection of a session is gone. */
    public void left(Session session, Connection connection, boolean willIsDue) {
        session.detach(connection, willIsDue);
    }

    private void began(Session session) {
        sessions.put(session.clientId(), session);
        shards.sessions().incrementAndGet();
        memory.add(MemoryBudget.SESSION_BYTES);
    }

    void ended(Session session, ClientRegistry.Owner owner) {
        if (sessions.remove(session.clientId(), session)) {
            memory.add(-MemoryBudget.SESSION_BYTES);
            shards.sessions().decrementAndGet();
            shards.users().leave(session.userName());
            if (!session.clientId().equals(admitting)) {
                shards.registry().release(session.clientId(), owner);
            }
        }
    }

    // ---- subscriptions

    /**
     * Puts a subscription in force, in place of an older one of the same filter.
     *
     * @param then runs, with whether it is a new one, when a message published from now on would be seen
     */
    public void subscribe(Session session, Subscription subscription, Consumer<Boolean> then) {
        assert inLoop();
        Subscription former = session.put(subscription);
        if (subscription.filter().isShared()) {
            Shard owner = shards.ofGroup(subscription.filter().text());
            int credits = session.delivery().credits();
            owner.runOrPost(this, () -> {
                owner.group(subscription.filter(), session.durable()).join(session, subscription, credits);
                runOrPost(owner, () -> then.accept(former == null));
            });
            return;
        }
        if (former == null) {
            shards.subscriptions().add(subscription, index);
        } else {
            shards.subscriptions().replace(former, subscription, index);
        }
        then.accept(former == null);
    }

    /** The same subscription, by other rights. */
    void replace(Session session, Subscription former, Subscription now) {
        session.replace(now);
        if (now.filter().isShared()) {
            groupOf(now.filter(), group -> group.changed(session, now));
        } else {
            shards.subscriptions().replace(former, now, index);
        }
    }

    /** @return false if there was no such subscription */
    public boolean unsubscribe(Session session, String filter) {
        Subscription removed = session.remove(filter);
        if (removed != null) {
            unsubscribe(session, removed);
        }
        return removed != null;
    }

    void unsubscribe(Session session, Subscription subscription) {
        if (subscription.filter().isShared()) {
            groupOf(subscription.filter(), group -> group.leave(session));
            // only when it has left: else the group would lend it the same again and again
            session.delivery().giveBackWaiting(subscription.filter());
        } else {
            shards.subscriptions().remove(subscription, index);
        }
    }

    private SharedGroup group(TopicFilter filter, boolean durable) {
        SharedGroup group = groups.get(filter.text());
        if (group == null) {
            group = new SharedGroup(this, filter, shards.store().nextId(), durable);
            if (durable) {
                group.record();
            }
            groups.put(filter.text(), group);
            memory.add(MemoryBudget.GROUP_BYTES);
        }
        return group;
    }

    /** {@link #isExpired}, the same for all queues. */
    Predicate<Message> expired() {
        return expired;
    }

    boolean isExpired(Message message) {
        return message.hasExpiry() && message.isExpired(loop.nowMillis());
    }

    /** Messages that wait in the groups of this shard, not with their members. */
    long waitingInGroups() {
        return groups.values().stream().mapToLong(SharedGroup::waiting).sum();
    }

    /** Queues may hold another number of messages or bytes: has each of them say whether it is nearly full, some in a turn. */
    void measureQueues() {
        assert inLoop();
        List<MessageQueue> queues = new ArrayList<>(sessions.size() + groups.size());
        for (Session session : sessions.values()) {
            Delivery delivery = session.deliveryIfAny();
            if (delivery != null) {
                queues.add(delivery.queue());
            }
        }
        groups.values().forEach(group -> queues.add(group.queue));
        measure(queues, 0);
    }

    private void measure(List<MessageQueue> queues, int from) {
        int to = Math.min(from + MEASURED_AT_ONCE, queues.size());
        queues.subList(from, to).forEach(MessageQueue::watch);
        if (to < queues.size()) {
            loop.inNextTurn(() -> measure(queues, to));
        }
    }

    void endedGroup(SharedGroup group) {
        groups.remove(group.filter().text());
        memory.add(-MemoryBudget.GROUP_BYTES);
    }

    /** Tells the shared groups of a session something about it, each on its own shard. */
    void groupsOf(Session session, BiConsumer<SharedGroup, Session> news) {
        for (Subscription subscription : session.subscriptions()) {
            if (subscription.filter().isShared()) {
                groupOf(subscription.filter(), group -> news.accept(group, session));
            }
        }
    }

    private void groupOf(TopicFilter filter, Consumer<SharedGroup> news) {
        Shard owner = shards.ofGroup(filter.text());
        owner.runOrPost(this, () -> {
            SharedGroup group = owner.groups.get(filter.text());
            if (group != null) {
                news.accept(group);
            }
        });
    }
}
