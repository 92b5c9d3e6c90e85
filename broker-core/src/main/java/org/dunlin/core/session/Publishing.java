package org.dunlin.core.session;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.dunlin.core.routing.Match;
import org.dunlin.core.routing.RetainedTree;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.DropReason;
import org.dunlin.core.spi.Loop;
import org.dunlin.core.spi.Rights;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.SessionRecord;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Will;
import org.jspecify.annotations.Nullable;

/**
 * What is published on one shard: the messages of its clients, their wills, and what was to be published later. It goes to the
 * retained tree, to receivers, and if somebody is owed it durably to the store, before it is acknowledged. Shard thread only.
 */
public final class Publishing {
    private static final String SYS = "$SYS";

    private final Shard shard;
    private final Shards shards;
    private final Loop loop;
    private final Router router;
    private final Consumer<@Nullable String> afterRetaining;
    /** Messages that receivers here hold back until there is room. */
    private final Map<Ticket, Ticket.Sheet> held = new HashMap<>();

    Publishing(Shard shard, Router router) {
        this.shard = shard;
        this.shards = shard.shards();
        this.loop = shard.loop();
        this.router = router;
        this.afterRetaining = failure -> {
            if (failure != null) {
                shards.retained().storeFailed();
            }
        };
    }

    /** Topics that only the broker publishes to. */
    public static boolean isReserved(TopicName topic) {
        String text = topic.text();
        return text.startsWith(SYS) && (text.length() == SYS.length() || text.charAt(SYS.length()) == '/');
    }

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
        assert shard.inLoop();
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
        Ticket ticket = new Ticket(message, null, null, 0, shard.memory());
        ticket.stamp = stamp;
        ticket.withIt = withIt;
        gather(ticket, match);
        return true;
    }

    /** A will or a delayed message, still on record as such, keeps its places until the store takes it. */
    private void submitAgain(Ticket ticket) {
        ticket.state = Ticket.State.GATHERED;
        submit(ticket);
    }

    /**
     * Publishes a message of a client at QoS 1 or 2 and acknowledges it when it is safe, in the order of its PUBLISHes.
     *
     * @return false if it was not taken, since the bound on retained messages is reached
     */
    public boolean publish(Session publisher, Message message, int packetId) {
        assert shard.inLoop() && message.qos() != Qos.AT_MOST_ONCE;
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
            window.acknowledge(message.qos(), packetId, reason, null, publisher.connection());
            return true;
        }
        Ticket ticket = new Ticket(message, window, publisher.connection(), packetId, shard.memory());
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

    /**
     * Acknowledges a PUBLISH without publishing it, in its place among the others.
     *
     * @param detail why, if it is refused and the reason code does not say all
     */
    public void acknowledge(
            Session publisher, Message message, int packetId, ReasonCode reason, @Nullable String detail) {
        InboundWindow window = publisher.inbound();
        if (window.isClear()) {
            window.acknowledge(message.qos(), packetId, reason, detail, publisher.connection());
            return;
        }
        Ticket ticket = new Ticket(message, window, publisher.connection(), packetId, shard.memory());
        ticket.answerOnly = true;
        ticket.reason = reason;
        ticket.detail = detail;
        ticket.done();
        window.add(ticket);
    }

    private void gather(Ticket ticket, Match match) {
        router.fanOut(ticket.message(), match, ticket);
        if (ticket.isUnanswered()) {
            gathered(ticket);
        }
    }

    /** Deliveries that what was published on this shard has made so far, about. */
    public long deliveries() {
        return router.deliveries();
    }

    /** For tests. */
    boolean holdsNothing() {
        return held.isEmpty();
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
        assert shard.inLoop();
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
        assert shard.inLoop() && ticket.state == Ticket.State.GATHERED;
        if (ticket.withIt != null) {
            ticket.withIt.run();
        }
        retain(ticket.message(), ticket.stamp);
        if (ticket.isRefused() && ticket.publisher != null) {
            ticket.reason = ReasonCode.QUOTA_EXCEEDED;
            ticket.done();
            return;
        }
        List<StoreBatch.Target> targets = ticket.targets();
        Session publisher = ticket.publisher == null ? null : ticket.publisher.session();
        boolean keepsId = publisher != null && publisher.durable() && ticket.qos == Qos.EXACTLY_ONCE;
        if (targets.isEmpty() && !keepsId && ticket.withIt == null && ticket.stamp == 0) {
            ticket.done();
            return;
        }
        ticket.state = Ticket.State.SUBMITTED;
        if (!targets.isEmpty()) {
            if (publisher == null) {
                targets.forEach(target -> ((Place) target).keeps = true);
            }
            shard.turn().store(ticket.message(), targets);
        }
        if (keepsId && publisher != null) {
            shard.turn().batch().inboundId(publisher.key(), ticket.packetId, true);
        }
        shard.turn().afterCommit(failure -> {
            if (failure != null && ticket.publisher == null) {
                shard.turn().later(() -> submitAgain(ticket));
                return;
            }
            if (failure != null) {
                Message lost = ticket.message();
                shards.events().dropped(lost.publisher(), lost.topic(), DropReason.NOT_STORED);
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
            shard.turn().batch().inboundId(publisher.key(), packetId, false);
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
        if (stamp > 0 && message.hasExpiry()) {
            sweepExpired();
        }
        if (stamp > 0 && !message.publisher().isEmpty()) {
            shard.turn().batch().retain(message.topic(), message.payload().length == 0 ? null : message, stamp);
            shard.turn().afterCommit(afterRetaining);
        }
    }

    /** Retained messages that expire are removed from now on, though nobody asks for them. */
    void sweepExpired() {
        shards.expirySweep().expect(loop, this::expireRetained);
    }

    /** Removes a retained message whose time is up, if it is still its topic's. */
    void expireRetained(Message message) {
        long stamp = shards.retained().remove(message);
        if (stamp > 0) {
            shard.turn().batch().retain(message.topic(), null, stamp);
            shard.turn().afterCommit(afterRetaining);
            shards.events().dropped(message.publisher(), message.topic(), DropReason.EXPIRED);
        }
    }

    /** Publishes the will of a session, which has let go of it, if its client may still do so. */
    void publishWill(Session session, Will will) {
        if (!mayStillPublish(session.rights(), session.clientId(), will.topic(), will.qos(), will.retain())) {
            return;
        }
        Leaving leaving = new Leaving(session, will);
        if (publish(willOf(session.clientId(), will), leaving::stored)) {
            leaving.keep();
        }
    }

    /** Whether the right to what was to be published later is still there when it is due. If not, it is counted as lost. */
    private boolean mayStillPublish(Rights rights, String clientId, TopicName topic, Qos qos, boolean retain) {
        boolean refused = rights.refusesPublish(topic, qos, retain) != null;
        if (refused) {
            shards.events().dropped(clientId, topic, DropReason.RIGHT_LOST);
        }
        return !refused;
    }

    /**
     * A will that is due and not yet with the store as a message. Until it is, it is on record by itself, as a session that has
     * ended, whatever becomes of the one that it is of.
     */
    private final class Leaving {
        private final Session session;
        private final Will due;
        private @Nullable SessionKey record;
        private boolean stored;

        Leaving(Session session, Will due) {
            this.session = session;
            this.due = due;
        }

        /** The message is still on its way. */
        void keep() {
            if (!stored) {
                put();
            }
        }

        private void put() {
            long now = loop.nowMillis();
            SessionKey made = record == null ? new SessionKey(shards.store().nextId(), 0) : record;
            record = made;
            SessionRecord ended = new SessionRecord(
                    session.clientId(), session.userName(), session.version(), false, 0, now, due, now, 0);
            shard.turn().batch().putSession(made, ended);
        }

        /** In the same batch as the message. */
        void stored() {
            stored = true;
            SessionKey made = record;
            if (made != null) {
                shard.turn().batch().removeOwner(made);
            }
            shard.turn().afterCommit(failure -> {
                if (failure != null) {
                    put(); // the record of its session may say by the next attempt that it has none
                }
            });
        }
    }

    private Message willOf(String clientId, Will will) {
        long now = loop.nowMillis();
        long expiresAt = will.expirySeconds() < 0 ? Message.NEVER : now + will.expirySeconds() * 1000;
        return new Message(
                shard.nextMessageId(),
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
        Authorizer.Client who = publisher.standing().client();
        Supplier<Rights> rights = () -> shards.authorizer().rights(who);
        if (message.qos() == Qos.AT_MOST_ONCE) {
            putDelayed(message, id, dueAt, rights);
            return true;
        }
        InboundWindow window = publisher.inbound();
        if (message.qos() == Qos.EXACTLY_ONCE) {
            window.receive(packetId);
        }
        Ticket ticket = new Ticket(message, window, publisher.connection(), packetId, shard.memory());
        ticket.withIt = () -> putDelayed(message, id, dueAt, rights);
        window.add(ticket);
        gathered(ticket);
        return true;
    }

    private void putDelayed(Message message, long id, long dueAt, Supplier<Rights> rights) {
        shard.memory().hold(message);
        shard.turn().batch().putDelayed(id, dueAt, message);
        shard.turn().afterCommit(failure -> {
            if (failure == null) {
                loop.schedule(() -> publishDelayed(message, id, dueAt, rights), dueAt - loop.nowMillis());
                return;
            }
            shard.memory().letGo(message);
            shards.delayed().decrementAndGet(); // its publisher is told, so it must not go out as well
            if (message.qos() == Qos.AT_MOST_ONCE) {
                shards.events().dropped(message.publisher(), message.topic(), DropReason.STORE_FAILED);
            }
        });
    }

    /** @param rights of its publisher, at the moment when they are asked for */
    private void publishDelayed(Message message, long id, long dueAt, Supplier<Rights> rights) {
        shard.memory().letGo(message);
        shards.delayed().decrementAndGet();
        Runnable forget = () -> shard.turn().batch().removeDelayed(id, dueAt);
        boolean expired = message.isExpired(loop.nowMillis());
        if (expired) {
            shards.events().dropped(message.publisher(), message.topic(), DropReason.EXPIRED);
        }
        boolean gone = expired
                || !mayStillPublish(
                        rights.get(), message.publisher(), message.topic(), message.qos(), message.retain());
        if (gone || !publish(message, forget)) {
            shard.turn().untilStored(forget);
        }
    }

    // ---- after a restart

    /** @param who its publisher, as far as that is known; null if it is not */
    void restoreDelayed(long id, long dueAtMillis, Message message, Authorizer.@Nullable Client who) {
        Supplier<Rights> rights = () -> who == null ? Rights.ALL : restored(who.clientId(), who.userName());
        shards.delayed().incrementAndGet();
        shard.memory().hold(message);
        loop.schedule(() -> publishDelayed(message, id, dueAtMillis, rights), dueAtMillis - loop.nowMillis());
    }

    private Rights restored(String clientId, @Nullable String userName) {
        return shards.authorizer().restored(clientId, userName);
    }

    private boolean mayStillPublish(SessionRecord of, Will will) {
        Rights rights = restored(of.clientId(), of.userName());
        return mayStillPublish(rights, of.clientId(), will.topic(), will.qos(), will.retain());
    }

    /** A session or group that the store has kept although another one has taken its place: only a will is left of it. */
    void restoreOutlived(Restoration.Kept kept) {
        Will will = kept.isSession() ? kept.record().will() : null;
        Runnable forget = () -> shard.turn().batch().removeOwner(kept.key());
        if (will == null
                || !mayStillPublish(kept.record(), will)
                || !publish(willOf(kept.record().clientId(), will), forget)) {
            shard.turn().untilStored(forget);
        }
    }
}
