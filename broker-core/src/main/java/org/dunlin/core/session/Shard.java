package org.dunlin.core.session;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.dunlin.core.routing.Match;
import org.dunlin.core.routing.RetainedTree;
import org.dunlin.core.routing.Subscription;
import org.dunlin.core.spi.Connection;
import org.dunlin.core.spi.DropReason;
import org.dunlin.core.spi.Loop;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.SessionRecord;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.Will;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One event loop's part of the broker: its sessions and shared groups, and what it has for the store and for other shards at
 * the end of a turn. On the thread of {@link #loop()} only, but for {@link #post} and {@link #backlog}.
 */
public final class Shard {
    private static final Logger LOG = LoggerFactory.getLogger("dunlin.core");
    /** Items handled for another shard before others on the loop have their turn. */
    private static final int BUDGET = 4096;
    /** After which the store is asked again for what it has failed to do. */
    private static final long RETRY_MILLIS = 1000;

    private final Shards shards;
    private final int index;
    private final Loop loop;
    private final Router router;
    private final Map<String, Session> sessions = new HashMap<>();
    private final Map<String, SharedGroup> groups = new HashMap<>();
    private final @Nullable Outbox[] outboxes;
    /** Messages that receivers here hold back until there is room. */
    private final Map<Ticket, Ticket.Sheet> held = new HashMap<>();

    private final AtomicInteger backlog = new AtomicInteger();
    private final Queue<Runnable> calmWaiters = new ConcurrentLinkedQueue<>();
    private final ArrayDeque<Outbox> inbox = new ArrayDeque<>();
    /** The next item of the first in the inbox. */
    private int inboxAt;

    private boolean drainPending;
    private boolean turnPending;
    private @Nullable Commit commit;
    private long lastMessageId;
    private int faults;
    /** Whose session is just being replaced by a new one, so that this shard goes on owning it. */
    private @Nullable String admitting;

    Shard(Shards shards, int index, Loop loop) {
        this.shards = shards;
        this.index = index;
        this.loop = loop;
        this.router = new Router(this, shards.subscriptions());
        this.outboxes = new @Nullable Outbox[Shards.MAX];
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

    /** Identity of a message that comes in on this shard: its index in the upper eight bits, then a count. */
    public long nextMessageId() {
        return (long) index << 56 | ++lastMessageId;
    }

    // ---- turns: what other shards and the store get

    private void touch() {
        if (!turnPending) {
            turnPending = true;
            loop.atEndOfTurn(this::endTurn);
        }
    }

    private void endTurn() {
        assert inLoop();
        turnPending = false;
        // first, so that what another shard makes of the outboxes is behind it in the order of commits
        Commit due = commit;
        if (due != null) {
            commit = null;
            shards.store().write(due.batch, due);
        }
        for (int i = 0; i < shards.count(); i++) {
            Outbox outbox = outboxes[i];
            if (outbox != null) {
                outboxes[i] = null;
                shards.shard(i).post(outbox);
            }
        }
    }

    /** What goes to another shard at the end of the turn. */
    Outbox outbox(int target) {
        assert inLoop() && target != index;
        Outbox outbox = outboxes[target];
        if (outbox == null) {
            outbox = new Outbox(this);
            outboxes[target] = outbox;
            touch();
        }
        return outbox;
    }

    /** Runs a task of this shard for another one, whose thread calls: at once if it is the same. */
    void runOrPost(Shard caller, Runnable task) {
        assert caller.inLoop();
        if (caller == this) {
            task.run();
        } else {
            caller.outbox(index).add(task, null, null);
        }
    }

    private void post(Outbox outbox) {
        backlog.addAndGet(outbox.size());
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
        while (!inbox.isEmpty() && handled < BUDGET) {
            Outbox outbox = inbox.getFirst();
            int to = Math.min(outbox.size(), inboxAt + BUDGET - handled);
            for (int i = inboxAt; i < to; i++) {
                handle(outbox, i);
            }
            handled += to - inboxAt;
            if (to == outbox.size()) {
                inbox.removeFirst();
                inboxAt = 0;
            } else {
                inboxAt = to;
            }
        }
        if (backlog.addAndGet(-handled) < shards.backlogHigh() / 4) {
            for (Runnable waiter = calmWaiters.poll(); waiter != null; waiter = calmWaiters.poll()) {
                waiter.run();
            }
        }
        if (!inbox.isEmpty()) {
            drainPending = true;
            loop.execute(this::drain);
        }
    }

    private void handle(Outbox outbox, int i) {
        Object item = outbox.item(i);
        if (item instanceof Message message) {
            guard(() -> router.deliver(message, outbox.match(i), outbox.ticket(i), outbox.from()));
        } else {
            guard((Runnable) item);
        }
    }

    /** A fault in one item must not keep the others from their receivers. */
    private void guard(Runnable item) {
        try {
            item.run();
        } catch (RuntimeException | AssertionError e) {
            faults++;
            LOG.atError().setCause(e).addKeyValue("shard", index).log("An item for a shard has failed");
        }
    }

    /** Whether publishers to this shard should be slowed. Any thread. */
    public boolean isOverloaded() {
        return backlog.get() > shards.backlogHigh();
    }

    /** Runs a short task, on any thread, when the shard is no longer overloaded. Any thread. */
    public void whenCalm(Runnable task) {
        calmWaiters.add(task);
        if (backlog.get() < shards.backlogHigh() / 4 && calmWaiters.remove(task)) {
            task.run();
        }
    }

    // ---- the store

    /** The batch of this turn. */
    StoreBatch batch() {
        return commit().batch;
    }

    private Commit commit() {
        assert inLoop();
        Commit current = commit;
        if (current == null) {
            current = new Commit(shards.store().newBatch());
            commit = current;
            touch();
        }
        return current;
    }

    /** Runs when all that has been given to the store so far is durable, or has failed: then with a text for people. */
    public void afterCommit(Consumer<@Nullable String> then) {
        commit().then.add(then);
    }

    /** Runs as {@link #afterCommit} for a durable session, and at once for any other. */
    public void afterCommit(Session session, Consumer<@Nullable String> then) {
        afterCommit(session.durable(), then);
    }

    /** Runs as {@link #afterCommit}, or at once if nothing has to be durable. */
    public void afterCommit(boolean stored, Consumer<@Nullable String> then) {
        if (stored) {
            afterCommit(then);
        } else {
            then.accept(null);
        }
    }

    /** Removes what has ended from the store, which is asked until it does: else it would be back after a restart. */
    void removeOwner(SessionKey owner) {
        batch().removeOwner(owner);
        afterCommit(failure -> {
            if (failure != null) {
                loop.schedule(() -> removeOwner(owner), RETRY_MILLIS);
            }
        });
    }

    /** Gives the store a message that no publisher waits for. */
    void store(Place place) {
        Commit current = commit();
        place.queue.introduce(current.batch);
        current.batch.enqueue(place.message, List.of(place));
        current.places.add(place);
    }

    /** Reads from a stored queue; the page is told on this shard's thread, never before this returns. */
    void readQueue(long owner, long afterSeq, long throughSeq, int maxMessages, long maxBytes, Store.Page page) {
        shards.store()
                .readQueue(
                        owner,
                        afterSeq,
                        throughSeq,
                        maxMessages,
                        maxBytes,
                        (messages, more, failure) ->
                                loop.execute(() -> guard(() -> page.read(messages, more, failure))));
    }

    /** A turn's batch on its way through the store. */
    private final class Commit implements Store.Completion {
        private final StoreBatch batch;
        private final List<Consumer<@Nullable String>> then = new ArrayList<>();
        private final List<Place> places = new ArrayList<>();

        private Commit(StoreBatch batch) {
            this.batch = batch;
        }

        /** On a thread of the store. Places go to their shards from here, so that each gets them in the order of commits. */
        @Override
        public void done(@Nullable String failure) {
            if (!places.isEmpty()) {
                for (int i = 0; i < shards.count(); i++) {
                    Shard owner = shards.shard(i);
                    List<Place> theirs = new ArrayList<>();
                    for (Place place : places) {
                        if (place.queue.shard() == owner) {
                            theirs.add(place);
                        }
                    }
                    if (!theirs.isEmpty()) {
                        owner.loop.execute(() -> settle(theirs, failure));
                    }
                }
            }
            if (!then.isEmpty()) {
                loop.execute(() -> then.forEach(task -> guard(() -> task.accept(failure))));
            }
        }

        private void settle(List<Place> places, @Nullable String failure) {
            for (Place place : places) {
                if (failure == null) {
                    guard(() -> place.queue.committed(place));
                } else {
                    guard(() -> place.queue.failed(place));
                }
            }
        }
    }

    // ---- publishing

    /** Publishes a message of the broker's own. */
    public void publish(Message message) {
        publish(message, () -> {});
    }

    /**
     * Publishes a message that nobody waits for: a will, a delayed one.
     *
     * @param withIt runs when the message is given to the store: what it does to the batch then happens with the message, or
     *     not at all
     * @return false if nothing has to be stored for it, and {@code withIt} is not run
     */
    private boolean publish(Message message, Runnable withIt) {
        assert inLoop();
        long stamp = 0;
        if (message.retain()) {
            RetainedTree.Outcome outcome = shards.retained().put(message);
            stamp = outcome.stamp();
            if (outcome.change() == RetainedTree.Change.FULL) {
                shards.events().dropped(message.publisher(), message.topic(), DropReason.RETAINED_LIMIT);
            }
        }
        Match match = router.match(message.topic());
        if (message.qos() == Qos.AT_MOST_ONCE
                || !router.isOwed(match)
                        && !shards.queueLimits().overflowFor(message.topic()).answers()) {
            retain(message, stamp);
            router.fanOut(message, match, null);
            return false;
        }
        Ticket ticket = new Ticket(message, null, null, 0);
        ticket.stamp = stamp;
        ticket.withIt = withIt;
        gather(ticket, match);
        return true;
    }

    /**
     * Publishes a message of a client at QoS 1 or 2 and acknowledges it when it is safe, in the order of its PUBLISHes.
     *
     * @return false if it was not taken, since the bound on retained messages is reached
     */
    public boolean publish(Session publisher, Message message, int packetId) {
        assert inLoop() && message.qos() != Qos.AT_MOST_ONCE;
        long stamp = 0;
        if (message.retain()) {
            RetainedTree.Outcome outcome = shards.retained().put(message);
            if (outcome.change() == RetainedTree.Change.FULL) {
                return false;
            }
            stamp = outcome.stamp();
        }
        InboundWindow window = publisher.inbound();
        boolean exactlyOnce = message.qos() == Qos.EXACTLY_ONCE;
        if (exactlyOnce) {
            window.receive(packetId);
        }
        Match match = router.match(message.topic());
        ReasonCode reason = match.size() == 0 ? ReasonCode.NO_MATCHING_SUBSCRIBERS : ReasonCode.SUCCESS;
        boolean mustWait = publisher.durable() && exactlyOnce
                || stamp > 0
                || router.isOwed(match)
                || shards.queueLimits().overflowFor(message.topic()).answers();
        if (!mustWait && window.isClear()) {
            router.fanOut(message, match, null);
            window.acknowledge(message.qos(), packetId, reason, publisher.connection());
            return true;
        }
        Ticket ticket = new Ticket(message, window, publisher.connection(), packetId);
        ticket.reason = reason;
        ticket.stamp = stamp;
        if (!mustWait) {
            router.fanOut(message, match, null);
            ticket.done();
            window.add(ticket);
            return true;
        }
        window.add(ticket);
        gather(ticket, match);
        return true;
    }

    /** Acknowledges a PUBLISH without publishing it, in its place among the others. */
    public void acknowledge(Session publisher, Message message, int packetId, ReasonCode reason) {
        InboundWindow window = publisher.inbound();
        if (window.isClear()) {
            window.acknowledge(message.qos(), packetId, reason, publisher.connection());
            return;
        }
        Ticket ticket = new Ticket(message, window, publisher.connection(), packetId);
        ticket.answerOnly = true;
        ticket.reason = reason;
        ticket.done();
        window.add(ticket);
    }

    private void gather(Ticket ticket, Match match) {
        router.fanOut(ticket.message(), match, ticket);
        if (ticket.isUnanswered()) {
            gathered(ticket);
        }
    }

    void holds(Ticket ticket, Ticket.Sheet sheet) {
        held.put(ticket, sheet);
    }

    void holdsNoMore(Ticket ticket) {
        held.remove(ticket);
    }

    void giveUpHeld(Ticket ticket) {
        Ticket.Sheet sheet = held.get(ticket);
        if (sheet != null) {
            sheet.giveUpHeld();
        }
    }

    /** One shard has said what it is owed of the message. */
    void collect(Ticket ticket, Ticket.Sheet sheet) {
        assert inLoop();
        if (ticket.collect(sheet)) {
            gathered(ticket);
        }
    }

    private void gathered(Ticket ticket) {
        ticket.state = Ticket.State.GATHERED;
        InboundWindow publisher = ticket.publisher;
        if (publisher == null) {
            submit(ticket);
        } else {
            publisher.advance();
        }
    }

    /** Gives the store what the message causes; the ticket is done when that is durable. */
    void submit(Ticket ticket) {
        assert inLoop() && ticket.state == Ticket.State.GATHERED;
        if (ticket.withIt != null) {
            ticket.withIt.run();
        }
        retain(ticket.message(), ticket.stamp);
        if (ticket.isRefused()) {
            ticket.reason = ReasonCode.QUOTA_EXCEEDED;
            ticket.done();
            return;
        }
        List<StoreBatch.Target> targets = ticket.targets();
        Session publisher = ticket.publisher == null ? null : ticket.publisher.session();
        boolean keepsId = publisher != null && publisher.durable() && ticket.qos == Qos.EXACTLY_ONCE;
        if (targets.isEmpty() && !keepsId && !ticket.mustBeStored && ticket.stamp == 0) {
            ticket.done();
            return;
        }
        ticket.state = Ticket.State.SUBMITTED;
        Commit current = commit();
        if (!targets.isEmpty()) {
            for (StoreBatch.Target target : targets) {
                ((Place) target).queue.introduce(current.batch);
            }
            current.batch.enqueue(ticket.message(), targets);
            for (StoreBatch.Target target : targets) {
                current.places.add((Place) target);
            }
        }
        if (keepsId && publisher != null) {
            current.batch.inboundId(publisher.key(), ticket.packetId, true);
        }
        current.then.add(failure -> {
            if (failure != null) {
                Message lost = ticket.message();
                shards.events()
                        .dropped(
                                lost.publisher(),
                                lost.topic(),
                                ticket.publisher == null ? DropReason.STORE_FAILED : DropReason.NOT_STORED);
                ticket.reason = ReasonCode.UNSPECIFIED_ERROR; // never a success for what is not safe
            }
            ticket.done();
            if (ticket.publisher != null) {
                ticket.publisher.advance();
            }
        });
    }

    /** Publishes a message at QoS 0, which nobody acknowledges. @return false if it could not be retained */
    public boolean publishQos0(Message message) {
        boolean kept = true;
        if (message.retain()) {
            RetainedTree.Outcome outcome = shards.retained().put(message);
            retain(message, outcome.stamp());
            kept = outcome.change() != RetainedTree.Change.FULL;
        }
        router.fanOut(message, router.match(message.topic()), null);
        return kept;
    }

    /** PUBREL of a client. @return false if no PUBLISH with that identifier waits for it */
    public boolean release(Session publisher, int packetId) {
        if (!publisher.inbound().release(packetId)) {
            return false;
        }
        if (publisher.durable()) {
            batch().inboundId(publisher.key(), packetId, false);
        }
        return true;
    }

    /** The store has failed to release it: the client may send its PUBREL again. */
    public void keepUnreleased(Session publisher, int packetId) {
        publisher.inbound().receive(packetId);
    }

    /**
     * Gives the store what the tree has already: that has the message before it is routed, so that whoever subscribes
     * meanwhile gets it from one or the other. The stamp lets the store keep the same winner of a race; 0 for no change.
     * What the broker says of itself is not kept: it would be stale.
     */
    private void retain(Message message, long stamp) {
        if (stamp > 0 && !message.publisher().isEmpty()) {
            batch().retain(message.topic(), message.payload().length == 0 ? null : message, stamp);
        }
    }

    /** Removes a retained message whose time is up, if it is still its topic's. */
    void expireRetained(Message message) {
        long stamp = shards.retained().remove(message);
        if (stamp > 0) {
            batch().retain(message.topic(), null, stamp);
            shards.events().dropped(message.publisher(), message.topic(), DropReason.EXPIRED);
        }
    }

    /** @return whether it is still to be stored; {@code withIt} is run when that is done */
    boolean publishWill(Session session, Will will, Runnable withIt) {
        return publish(willOf(session.clientId(), will), withIt);
    }

    private Message willOf(String clientId, Will will) {
        long now = loop.nowMillis();
        long expiresAt = will.expirySeconds() < 0 ? Message.NEVER : now + will.expirySeconds() * 1000;
        return new Message(
                nextMessageId(),
                clientId,
                will.topic(),
                will.payload(),
                will.qos(),
                will.retain(),
                expiresAt,
                will.properties());
    }

    /**
     * Takes a message of a client that is to be published later, and acknowledges it when that is on record.
     *
     * @return false if too many wait already
     */
    public boolean publishLater(Session publisher, Message message, int packetId, long delayMillis) {
        if (shards.delayed().incrementAndGet() > shards.limits().maxDelayed()) {
            shards.delayed().decrementAndGet();
            return false;
        }
        long dueAt = loop.nowMillis() + delayMillis;
        long id = shards.store().nextId();
        if (message.qos() == Qos.AT_MOST_ONCE) {
            putDelayed(message, id, dueAt);
            return true;
        }
        InboundWindow window = publisher.inbound();
        if (message.qos() == Qos.EXACTLY_ONCE) {
            window.receive(packetId);
        }
        Ticket ticket = new Ticket(message, window, publisher.connection(), packetId);
        ticket.mustBeStored = true;
        ticket.withIt = () -> putDelayed(message, id, dueAt);
        window.add(ticket);
        gathered(ticket);
        return true;
    }

    private void putDelayed(Message message, long id, long dueAt) {
        batch().putDelayed(id, dueAt, message);
        afterCommit(failure -> {
            if (failure == null) {
                loop.schedule(() -> publishDelayed(message, id, dueAt), dueAt - loop.nowMillis());
                return;
            }
            shards.delayed().decrementAndGet(); // its publisher is told, so it must not go out as well
            if (message.qos() == Qos.AT_MOST_ONCE) {
                shards.events().dropped(message.publisher(), message.topic(), DropReason.STORE_FAILED);
            }
        });
    }

    private void publishDelayed(Message message, long id, long dueAt) {
        shards.delayed().decrementAndGet();
        Runnable forget = () -> batch().removeDelayed(id, dueAt);
        boolean expired = message.isExpired(loop.nowMillis());
        if (expired) {
            shards.events().dropped(message.publisher(), message.topic(), DropReason.EXPIRED);
        }
        if (expired || !publish(message, forget)) {
            forget.run();
        }
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
        boolean clean = sessions.isEmpty() && groups.isEmpty() && held.isEmpty() && commit == null && inbox.isEmpty();
        return clean && backlog.get() == 0
                ? ""
                : "shard " + index + ": sessions=" + sessions.keySet() + " groups=" + groups.keySet() + " held="
                        + held.size() + " backlog=" + backlog;
    }

    public Map<String, Session> sessions() {
        assert inLoop();
        return sessions;
    }

    /**
     * Gives an accepted CONNECT its session: ends or takes over what was there [MQTT-3.1.4-3] [MQTT-3.1.2-4..6]. Only on the
     * shard that {@link Shards#ownerOf} has named, and in the same task.
     *
     * @return null if there are too many sessions
     */
    public @Nullable Admission admit(
            Connect connect, Connection connection, Session.Holder holder, long expirySeconds) {
        assert inLoop();
        String clientId = connect.clientId();
        ClientRegistry.Owner owner = shards.registry().claim(clientId, this);
        assert owner.shard() == this;
        Session session = sessions.get(clientId);
        boolean removes = false;
        boolean resumes = session != null && !connect.cleanStart() && session.expirySeconds() > 0;
        if (session == null && shards.sessions().get() >= shards.limits().maxSessions()) {
            shards.registry().release(clientId, owner);
            return null;
        }
        if (session != null) {
            admitting = clientId;
            Connection former = session.connection();
            if (former != null) {
                session.evict(ReasonCode.SESSION_TAKEN_OVER, "another connection has come with this client identifier");
                session.detach(former, true);
            }
            if (!resumes) {
                removes = session.durable();
                session.end();
                session = null;
            }
        }
        admitting = null;
        if (session == null) {
            session = new Session(this, owner, clientId, shards.store().nextId(), expirySeconds > 0);
            sessions.put(clientId, session);
            shards.sessions().incrementAndGet();
        }
        session.attach(connection, holder, connect, expirySeconds, owner.nextGeneration());
        return new Admission(session, resumes, removes || session.isRecorded());
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

    // ---- after a restart

    /** Takes over a session that the store has kept; one that has come to its end does so with {@link Session#resume}. */
    Session restore(Kept kept, long lastAliveMillis) {
        SessionRecord record = kept.record();
        ClientRegistry.Owner owner = shards.registry().claim(record.clientId(), this);
        owner.restore(kept.key().generation());
        Session session = new Session(this, owner, record.clientId(), kept.key().sid(), record.expirySeconds() > 0);
        sessions.put(record.clientId(), session);
        shards.sessions().incrementAndGet();
        session.restore(kept, lastAliveMillis);
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

    void restoreGroup(Kept kept) {
        TopicFilter filter = TopicFilter.of(kept.group());
        SharedGroup group = new SharedGroup(this, filter, kept.key().sid(), true);
        groups.put(filter.text(), group);
        group.restore(kept);
    }

    /** After all groups: one that the store does not know of has just been joined for the first time. */
    void restoreMember(Session session, Subscription subscription) {
        group(subscription.filter(), true).restore(session, subscription);
    }

    /** After all members: groups that nobody is left of. */
    void endDesertedGroups() {
        List.copyOf(groups.values()).stream().filter(SharedGroup::isDeserted).forEach(SharedGroup::end);
    }

    void restoreDelayed(long id, long dueAtMillis, Message message) {
        shards.delayed().incrementAndGet();
        loop.schedule(() -> publishDelayed(message, id, dueAtMillis), dueAtMillis - loop.nowMillis());
    }

    /** A session or group that the store has kept although another one has taken its place: only a will is left of it. */
    void restoreOutlived(Kept kept) {
        Will will = kept.isSession() ? kept.record().will() : null;
        Runnable forget = () -> removeOwner(kept.key());
        if (will == null || !publish(willOf(kept.record().clientId(), will), forget)) {
            forget.run();
        }
    }

    /** The connection of a session is gone. */
    public void left(Session session, Connection connection, boolean willIsDue) {
        session.detach(connection, willIsDue);
    }

    void ended(Session session, ClientRegistry.Owner owner) {
        if (sessions.remove(session.clientId(), session)) {
            shards.sessions().decrementAndGet();
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
            Shard owner = shards.ofGroup(subscription.filter().text());
            owner.runOrPost(this, () -> {
                SharedGroup group = owner.groups.get(subscription.filter().text());
                if (group != null) {
                    group.leave(session);
                }
            });
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
        }
        return group;
    }

    boolean isExpired(Message message) {
        return message.hasExpiry() && message.isExpired(loop.nowMillis());
    }

    /** Messages that wait in the groups of this shard, not with their members. */
    int waitingInGroups() {
        return groups.values().stream().mapToInt(SharedGroup::waiting).sum();
    }

    void endedGroup(SharedGroup group) {
        groups.remove(group.filter().text());
    }

    /** Tells the shared groups of a session something about it, each on its own shard. */
    void groupsOf(Session session, BiConsumer<SharedGroup, Session> news) {
        for (Subscription subscription : session.subscriptions()) {
            if (subscription.filter().isShared()) {
                Shard owner = shards.ofGroup(subscription.filter().text());
                owner.runOrPost(this, () -> {
                    SharedGroup group = owner.groups.get(subscription.filter().text());
                    if (group != null) {
                        news.accept(group, session);
                    }
                });
            }
        }
    }
}
