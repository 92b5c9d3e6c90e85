package org.dunlin.core.session;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import org.dunlin.core.limits.QueueLimits.Overflow;
import org.dunlin.core.routing.Answer;
import org.dunlin.core.routing.Gathering;
import org.dunlin.core.routing.Receiver;
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
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.Will;
import org.jspecify.annotations.Nullable;

/**
 * One client's state. Shard thread only, for its whole life. Transitions:
 *
 * <pre>
 * (new)   --attach-->  OPENING   CONNECT accepted, CONNACK not yet sent (it may wait for the store)
 * OPENING --open-->    ONLINE    CONNACK sent: messages flow
 * OPENING, ONLINE --detach, expiry 0-->   ENDED
 * OPENING, ONLINE --detach, expiry > 0--> OFFLINE   QoS 1 and 2 wait, the expiry runs [MQTT-4.1.0-2]
 * OFFLINE --attach-->  OPENING
 * any     --end-->     ENDED     expiry, clean start, administrator; the will, if still there, goes out
 * </pre>
 *
 * Whether a session is durable is settled when it is made: one with expiry 0 ends with its connection, and its queue never
 * waits for the store.
 */
public final class Session implements Receiver, Place.Owner {
    enum State {
        OPENING,
        ONLINE,
        OFFLINE,
        ENDED
    }

    private static final int REPLAY_HELD_BACK_MOST = 64;

    private final Shard shard;
    private final ClientRegistry.Owner owner;
    private final String clientId;
    private final long sid;
    private final boolean durable;
    private final MessageQueue queue;
    private final OutboundWindow outbound = new OutboundWindow();
    private final InboundWindow inbound = new InboundWindow(this);
    private final Map<String, Subscription> subscriptions = new HashMap<>(4);

    private State state = State.OFFLINE;
    private SessionKey key;
    private @Nullable Connection connection;
    private @Nullable Holder holder;
    private @Nullable String userName;
    private ProtocolVersion version = ProtocolVersion.MQTT_5;
    private long expirySeconds;
    private int windowMax = 1;
    private @Nullable Will will;
    private long willDueAtMillis = Message.NEVER;
    private long expiresAtMillis = Message.NEVER;
    private Loop.@Nullable Timer willTimer;
    private Loop.@Nullable Timer expiryTimer;
    private @Nullable Gathering gathering;
    private @Nullable ArrayDeque<RetainedReplay> replays;
    private boolean pumpPending;
    /** Whether the store knows of it. */
    private boolean recorded;
    /** The highest place of a message that may have been sent. */
    private long sentThrough;
    /** Messages on their way through the store for which there is room in the window: retained and lent ones. */
    private int entering;
    /** A packet identifier is on its way through the store; nothing may pass its message. */
    private boolean numbering;
    /** How often retained messages had to wait for live ones on their way through the store. */
    private int replayHeldBack;

    Session(Shard shard, ClientRegistry.Owner owner, String clientId, long sid, boolean durable) {
        this.shard = shard;
        this.owner = owner;
        this.clientId = clientId;
        this.sid = sid;
        this.durable = durable;
        this.key = new SessionKey(sid, 0);
        if (durable) {
            outbound.restore(1, Map.of());
        }
        this.queue = new MessageQueue(
                shard.shards().queueLimits(), shard.shards().paging(), shard::isExpired, new Waiting());
    }

    // ---- who it is

    @Override
    public Shard shard() {
        return shard;
    }

    @Override
    public String clientId() {
        return clientId;
    }

    @Override
    public boolean durable() {
        return durable;
    }

    @Override
    public SessionKey key() {
        return key;
    }

    public ProtocolVersion version() {
        return version;
    }

    @Nullable
    Connection connection() {
        return connection;
    }

    public InboundWindow inbound() {
        return inbound;
    }

    /** The interval agreed on at CONNECT or changed by DISCONNECT. */
    public long expirySeconds() {
        return expirySeconds;
    }

    public int subscriptionCount() {
        return subscriptions.size();
    }

    public @Nullable Subscription subscription(String filter) {
        return subscriptions.get(filter);
    }

    public boolean isConnected() {
        return connection != null;
    }

    @Override
    public Gathering gathering() {
        if (gathering == null) {
            gathering = new Gathering();
        }
        return gathering;
    }

    /** For tests: its bounds. */
    <T> T figures(BiFunction<MessageQueue, OutboundWindow, T> of) {
        return of.apply(queue, outbound);
    }

    // ---- connection comes and goes

    /** A connection takes the session over; its former one has been detached. Messages wait until {@link #open}. */
    void attach(Connection to, Holder by, Connect connect, long agreedExpirySeconds, long generation) {
        assert shard.inLoop() && connection == null && state != State.ENDED;
        cancelTimers();
        connection = to;
        holder = by;
        key = new SessionKey(sid, generation);
        version = connect.version();
        userName = connect.userName();
        expirySeconds = agreedExpirySeconds;
        will = connect.will();
        windowMax = Math.min(connect.receiveMaximum(), shard.shards().limits().maxInflight());
        state = State.OPENING;
        remember();
    }

    /** CONNACK has been sent: what waits begins to flow. */
    public void open() {
        assert shard.inLoop();
        if (state != State.OPENING) {
            return;
        }
        state = State.ONLINE;
        queue.takeIn();
        int credits = windowMax;
        shard.groupsOf(this, (group, session) -> group.memberReady(session, credits));
        pump();
    }

    /**
     * The connection is gone, or is being replaced: then a will with a delay is given up at the next {@link #attach}.
     *
     * @param willIsDue false after DISCONNECT 0x00, which deletes the will [MQTT-3.14.4-3]
     */
    void detach(Connection from, boolean willIsDue) {
        assert shard.inLoop();
        if (connection != from) {
            return; // a connection that was replaced has no say any more
        }
        connection = null;
        holder = null;
        state = State.OFFLINE;
        if (!willIsDue) {
            will = null;
        }
        outbound.connectionLost();
        inbound.connectionLost();
        numbering = false;
        giveBackLoans();
        if (expirySeconds == 0) {
            end();
            return;
        }
        queue.putOut();
        long now = shard.loop().nowMillis();
        expiresAtMillis = expiryAfter(now);
        Will waiting = will;
        if (waiting != null) {
            if (waiting.delaySeconds() == 0) {
                publishWill();
            } else {
                willDueAtMillis = Math.min(now + waiting.delaySeconds() * 1000, expiresAtMillis);
            }
        }
        schedule(now);
        remember();
    }

    private void schedule(long now) {
        if (expiresAtMillis != Message.NEVER) {
            expiryTimer = shard.loop().schedule(this::expire, expiresAtMillis - now);
        }
        if (willDueAtMillis != Message.NEVER && willDueAtMillis < expiresAtMillis) {
            willTimer = shard.loop().schedule(this::willIsDue, willDueAtMillis - now);
        }
    }

    private void cancelTimers() {
        if (expiryTimer != null) {
            expiryTimer.cancel();
            expiryTimer = null;
        }
        if (willTimer != null) {
            willTimer.cancel();
            willTimer = null;
        }
        expiresAtMillis = Message.NEVER;
        willDueAtMillis = Message.NEVER;
    }

    private void expire() {
        expiryTimer = null;
        if (state == State.OFFLINE) {
            end();
        }
    }

    private void willIsDue() {
        willTimer = null;
        if (state == State.OFFLINE) {
            publishWill();
            willDueAtMillis = Message.NEVER;
            remember();
        }
    }

    private void publishWill() {
        Will due = will;
        will = null;
        if (due != null) {
            Leaving leaving = new Leaving();
            if (shard.publishWill(this, due, leaving::stored)) {
                leaving.keep(due);
            }
        }
    }

    /** Ends it and all that belongs to it; a will that is still there goes out [MQTT-3.1.2-8]. */
    void end() {
        assert shard.inLoop() && connection == null;
        if (state == State.ENDED) {
            return;
        }
        state = State.ENDED;
        cancelTimers();
        publishWill();
        replays = null;
        queue.giveUpAllHeld();
        long lost = queue.size() - queue.lent() + outbound.unacknowledged();
        if (lost > 0) {
            shard.shards().events().discarded(clientId, lost, DropReason.SESSION_ENDED);
        }
        for (Subscription subscription : subscriptions.values()) {
            shard.unsubscribe(this, subscription);
        }
        subscriptions.clear();
        settleLoans();
        if (recorded) {
            shard.removeOwner(key);
        }
        shard.ended(this, owner);
    }

    /** Whether the store knows of it, or will with this turn: it is kept, or has a will. */
    boolean isRecorded() {
        return recorded;
    }

    /** Writes the session as it is now, if it is kept at all: one that is not is kept for its will. */
    private void remember() {
        if (durable || will != null || recorded) {
            recorded = true;
            shard.batch()
                    .putSession(
                            key,
                            new SessionRecord(
                                    clientId,
                                    userName,
                                    version,
                                    connection != null,
                                    expirySeconds,
                                    expiresAtMillis,
                                    will,
                                    willDueAtMillis,
                                    sentThrough));
        }
    }

    // ---- after a restart

    /** Takes over what the store has kept of it. Before anybody can connect; {@link #resume} follows. */
    void restore(Kept kept, long lastAliveMillis) {
        assert shard.inLoop() && state == State.OFFLINE;
        SessionRecord record = kept.record();
        recorded = true;
        key = kept.key();
        version = record.version();
        userName = record.userName();
        expirySeconds = record.expirySeconds();
        will = record.will();
        expiresAtMillis = record.expiresAtMillis();
        willDueAtMillis = record.willDueAtMillis();
        if (record.connected()) {
            expiresAtMillis = expiryAfter(lastAliveMillis);
            if (will != null) {
                willDueAtMillis = Math.min(lastAliveMillis + will.delaySeconds() * 1000, expiresAtMillis);
            }
        }
        if (kept.messages() > 0) {
            queue.restore(kept.messages(), kept.bytes(), kept.firstSeq(), kept.lastSeq());
            // more may have been sent than was open: acknowledgements are lost with the batch that they were in
            sentThrough = record.connected() ? kept.lastSeq() : record.sentThrough();
            queue.doubt(sentThrough);
            outbound.restore(kept.firstSeq(), kept.numbers());
        }
        kept.released().forEach((seq, packetId) -> outbound.restore(new Outgoing(seq, packetId)));
        kept.received().forEach(inbound::receive);
    }

    /** Lets its time go on. @param left whether the store does not know yet that its client has left */
    void resume(boolean left) {
        if (left) {
            remember();
        }
        schedule(shard.loop().nowMillis());
    }

    private long expiryAfter(long leftAtMillis) {
        return expirySeconds < Connect.NO_EXPIRY ? leftAtMillis + expirySeconds * 1000 : Message.NEVER;
    }

    /** Takes over a subscription that the store has kept. */
    void restore(Subscription subscription) {
        subscriptions.put(subscription.filter().text(), subscription);
    }

    /** DISCONNECT may change the interval [MQTT 5, 3.14.2.2.2]. */
    public void changeExpiry(long seconds) {
        expirySeconds = seconds;
    }

    /** Tells its client why and closes the connection. */
    public void evict(ReasonCode reason, String detail) {
        if (holder != null) {
            holder.evicted(reason, detail);
        }
    }

    /** Subscriptions whose retained messages are still to be sent. */
    public int replaying() {
        return replays == null ? 0 : replays.size();
    }

    /** Some acknowledgement has left, or the retained messages of a subscription. */
    void acknowledged() {
        if (holder != null) {
            holder.acknowledged();
        }
    }

    // ---- subscriptions

    /** @return the former subscription of that filter, or null */
    @Nullable
    Subscription put(Subscription subscription) {
        String filter = subscription.filter().text();
        if (durable) {
            shard.batch()
                    .putSubscription(
                            key,
                            new StoreBatch.SubscriptionRecord(
                                    filter,
                                    subscription.qos(),
                                    subscription.noLocal(),
                                    subscription.retainAsPublished(),
                                    subscription.subscriptionIds().length == 0
                                            ? 0
                                            : subscription.subscriptionIds()[0]));
        }
        return subscriptions.put(filter, subscription);
    }

    /** @return the subscription that was there, or null */
    @Nullable
    Subscription remove(String filter) {
        Subscription removed = subscriptions.remove(filter);
        if (removed != null) {
            if (durable) {
                shard.batch().removeSubscription(key, filter);
            }
            forget(replay -> replay.filter().equals(filter));
        }
        return removed;
    }

    Iterable<Subscription> subscriptions() {
        return subscriptions.values();
    }

    /** Begins to send the retained messages of a subscription, at the pace of the client. */
    public void replay(Subscription subscription) {
        if (state != State.ONLINE) {
            return;
        }
        if (replays == null) {
            replays = new ArrayDeque<>(4);
        }
        replays.add(new RetainedReplay(this, subscription));
        pump();
    }

    /** Whether a retained message could leave now. */
    boolean hasRoomFor(Qos qos) {
        Connection to = connection;
        return qos == Qos.AT_MOST_ONCE ? to != null && to.isWritable() : outbound.nextResend() == null && hasRoom();
    }

    // ---- messages to the client

    @Override
    public void take(Message message, Qos qos, boolean retain, int[] subscriptionIds, @Nullable Answer answer) {
        assert shard.inLoop();
        if (state == State.ENDED) {
            return;
        }
        if (qos == Qos.AT_MOST_ONCE) {
            takeQos0(message, retain, subscriptionIds);
            if (answer != null) {
                answer.taken();
            }
            return;
        }
        Overflow overflow = overflowFor(message);
        if (answer == null) { // if durable, it subscribed after the publisher's shard had looked
            if (overflow.answers() && !mayTake(message)) {
                shard.shards().events().dropped(clientId, message.topic(), DropReason.QUEUE_FULL);
            } else {
                keep(message, qos, retain, subscriptionIds, overflow);
            }
            return;
        }
        if (overflow.answers() && !mayTake(message)) {
            if (overflow == Overflow.HOLD_ACK) {
                new HeldBack(clientId, message, qos, retain, subscriptionIds, this::admit).waitIn(queue, shard, answer);
            } else {
                shard.shards().events().dropped(clientId, message.topic(), DropReason.QUEUE_FULL);
                answer.refused();
            }
            return;
        }
        takeNow(message, qos, retain, subscriptionIds, overflow, answer);
    }

    private Overflow overflowFor(Message message) {
        return shard.shards().queueLimits().overflowFor(message.topic());
    }

    private boolean mayTake(Message message) {
        return queue.isIdle() && canSendNow() || queue.admits(message.weight());
    }

    /** Takes a message that no publisher waits for. */
    private void keep(Message message, Qos qos, boolean retain, int[] subscriptionIds, Overflow overflow) {
        if (durable) {
            queue.reserve(message.weight(), overflow);
            shard.store(new Place(this, Place.Origin.NOBODY, message, qos, retain, subscriptionIds));
        } else {
            accept(new Outgoing(message, qos, retain, subscriptionIds, 0, 0, null), overflow);
        }
    }

    private void takeNow(
            Message message, Qos qos, boolean retain, int[] subscriptionIds, Overflow overflow, Answer answer) {
        if (durable) {
            queue.reserve(message.weight(), overflow);
            answer.reserve(new Place(this, Place.Origin.PUBLISHER, message, qos, retain, subscriptionIds));
        } else {
            accept(new Outgoing(message, qos, retain, subscriptionIds, 0, 0, null), overflow);
            answer.taken();
        }
    }

    private void admit(HeldBack held, Answer answer) {
        if (durable) {
            takeNow(held.message, held.qos, held.retain, held.subscriptionIds, Overflow.HOLD_ACK, answer);
        } else {
            // behind the one that is just being taken out, which has to be sent first
            queue.add(
                    new Outgoing(held.message, held.qos, held.retain, held.subscriptionIds, 0, 0, null),
                    Overflow.HOLD_ACK);
            answer.taken();
        }
    }

    private void takeQos0(Message message, boolean retain, int[] subscriptionIds) {
        if (!fitsQos0(message, retain, subscriptionIds)) {
            shard.shards().events().dropped(clientId, message.topic(), DropReason.TOO_LARGE);
        }
    }

    /** @return false if it exceeds the client's Maximum Packet Size; in all other cases it has been dealt with */
    private boolean fitsQos0(Message message, boolean retain, int[] subscriptionIds) {
        Connection to = connection;
        if (to == null || state != State.ONLINE) {
            if (shard.shards().queueLimits().qos0Offline() && expirySeconds > 0) {
                keep(message, Qos.AT_MOST_ONCE, retain, subscriptionIds, qos0Overflow(message));
            }
        } else if (!to.isWritable()) {
            shard.shards().events().dropped(clientId, message.topic(), DropReason.SLOW_CONSUMER);
        } else if (shard.isExpired(message)) {
            shard.shards().events().dropped(clientId, message.topic(), DropReason.EXPIRED);
        } else {
            return to.deliver(message, Qos.AT_MOST_ONCE, retain, false, 0, subscriptionIds);
        }
        return true;
    }

    /** Nobody waits for an answer to a QoS 0 message. */
    private Overflow qos0Overflow(Message message) {
        Overflow overflow = overflowFor(message);
        return overflow.answers() ? Overflow.DROP_OLDEST : overflow;
    }

    /** CONNACK has said that the store knows it. */
    @Override
    public void introduce(StoreBatch batch) {}

    @Override
    public void committed(Place place) {
        Overflow overflow = arrived(place);
        Outgoing message = new Outgoing(
                place.message,
                place.qos(),
                place.retain(),
                place.subscriptionIds(),
                place.seq(),
                place.body(),
                place.loan);
        if (place.loan != null) {
            takenOver(message);
        } else if (state != State.ENDED) {
            accept(message, overflow);
        } else {
            shard.shards().events().dropped(clientId, place.message.topic(), DropReason.SESSION_ENDED);
        }
        if (replays != null || !queue.isEmpty() || queue.hasHeld() || place.qos() == Qos.AT_MOST_ONCE) {
            pump();
        }
    }

    /** A message has come back from the store. @return what a full queue does with it */
    private Overflow arrived(Place place) {
        Message message = place.message;
        switch (place.origin) {
            case RETAINED, GROUP -> entering--;
            default -> {
                Overflow overflow = place.qos() == Qos.AT_MOST_ONCE ? qos0Overflow(message) : overflowFor(message);
                queue.unreserve(message.weight(), overflow);
                return overflow;
            }
        }
        return Overflow.HOLD_ACK; // bounded before, by a window or by credits
    }

    @Override
    public void failed(Place place) {
        arrived(place);
        if (place.loan != null) {
            place.loan.giveBack();
        } else if (place.origin != Place.Origin.PUBLISHER) {
            shard.shards().events().dropped(clientId, place.message.topic(), DropReason.STORE_FAILED);
        }
        pump();
    }

    private boolean canSendNow() {
        Connection to = connection;
        return state == State.ONLINE
                && !numbering
                && queue.isEmpty()
                && outbound.nextResend() == null
                && outbound.open() + entering < windowMax
                && !outbound.isFull()
                && to != null
                && to.isWritable();
    }

    private void accept(Outgoing message, Overflow overflow) {
        if (message.qos != Qos.AT_MOST_ONCE && canSendNow()) {
            queue.passed(message.seq);
            send(message);
        } else {
            queue.add(message, overflow);
        }
    }

    /** Takes a message that a shared group lends. */
    void lend(Outgoing message) {
        if (state != State.ONLINE || !subscriptions.containsKey(loanOf(message).filter())) {
            loanOf(message).giveBack();
        } else if (message.qos == Qos.AT_MOST_ONCE) {
            if (fitsQos0(message.message(), message.retain, message.subscriptionIds)) {
                loanOf(message).settle();
            } else {
                loanOf(message).tryAnother();
            }
        } else {
            // as many as the group has credits
            if (canSendNow()) {
                send(message);
            } else {
                queue.addLent(message);
            }
        }
    }

    /** How many messages a shared group may lend at a time. */
    int credits() {
        return windowMax;
    }

    private static Loan loanOf(Outgoing message) {
        Loan loan = message.loan;
        assert loan != null;
        return loan;
    }

    private void send(Outgoing message) {
        Connection to = connection;
        assert to != null;
        if (shard.isExpired(message.message()) && !message.mayBeKnown()) {
            dropped(message, DropReason.EXPIRED);
            return;
        }
        if (message.isLent()
                && message.qos == Qos.EXACTLY_ONCE
                && (durable || loanOf(message).isStored())) {
            takeOver(message);
            return;
        }
        boolean onRecord = outbound.begin(message);
        sentThrough = Math.max(sentThrough, message.seq);
        if (message.seq > 0
                && message.qos == Qos.EXACTLY_ONCE
                && !onRecord
                && message.packetId != StoreBatch.packetId(message.seq)) {
            number(message);
        } else {
            deliver(message, to);
        }
    }

    private void deliver(Outgoing message, Connection to) {
        if (!to.deliver(
                message.message(),
                message.qos,
                message.retain,
                message.dup,
                message.packetId,
                message.subscriptionIds)) {
            outbound.end(message);
            if (message.isLent() && message.loan != null) {
                message.loan.tryAnother();
            } else {
                dropped(message, DropReason.TOO_LARGE);
            }
        }
    }

    /**
     * A QoS 2 message that has left may go to no other member of its group, not even after a crash [MQTT-4.8.2-5]: before it
     * leaves it is durably this session's own, or nobody's if the session ends with its connection.
     */
    private void takeOver(Outgoing lent) {
        entering++;
        Loan loan = loanOf(lent);
        loan.takeFromStore(shard.batch());
        if (durable) {
            shard.store(new Place(
                    this, Place.Origin.GROUP, loan, lent.message(), lent.qos, lent.retain, lent.subscriptionIds));
            return;
        }
        shard.afterCommit(failure -> {
            entering--;
            if (failure == null) {
                loan.handedOver();
                takenOver(lent);
            } else {
                loan.giveBack();
            }
            pump();
        });
    }

    private void takenOver(Outgoing message) {
        Loan loan = loanOf(message);
        loan.handedOver();
        if (state == State.ONLINE && hasRoom() && outbound.nextResend() == null) {
            if (message.seq > 0) {
                queue.passed(message.seq);
            }
            send(message); // no order is kept between a group's messages and others
        } else if (message.isLent()) {
            loan.giveBack();
        } else {
            loan.settle(); // it waits for its client like any other
            message.loan = null;
            if (state != State.ENDED) {
                queue.add(message, Overflow.HOLD_ACK);
            } else {
                shard.shards().events().dropped(clientId, message.message().topic(), DropReason.SESSION_ENDED);
            }
        }
    }

    /** Its identifier cannot be told from its place: it has to be on record before anybody sees it [MQTT-4.4.0-1]. */
    private void number(Outgoing message) {
        Connection to = connection;
        numbering = true;
        shard.batch().numbered(key, message.seq, message.packetId);
        shard.afterCommit(failure -> {
            message.unrecorded = failure != null;
            if (connection != to || to == null) {
                return; // it is sent again on the next connection, behind this batch
            }
            numbering = false;
            if (failure == null) {
                if (shard.isExpired(message.message()) && !message.dup) {
                    outbound.end(message);
                    dropped(message, DropReason.EXPIRED);
                } else {
                    deliver(message, to);
                }
                pump();
            } else {
                evict(ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR, "a packet identifier could not be stored: " + failure);
            }
        });
    }

    /** The transport has room again, or something else may have set messages free. */
    public void pump() {
        assert shard.inLoop();
        if (state != State.ONLINE) {
            return;
        }
        resend();
        boolean sent;
        do {
            sent = outbound.nextResend() == null && hasRoom() && sendQueued();
            sent |= queue.admitHeld();
            // never while something older may still wait or be on its way through the store
            if (!sent && replays != null && mayReplay()) {
                sent = sendRetained();
            }
        } while (sent);
    }

    /** With traffic that never pauses, order between a retained copy and live messages gives way after a while. */
    private boolean mayReplay() {
        if (queue.isIdle()) {
            return true;
        }
        if (queue.isEmpty() && ++replayHeldBack > REPLAY_HELD_BACK_MOST) {
            replayHeldBack = 0;
            return true;
        }
        return false;
    }

    private boolean hasRoom() {
        Connection to = connection;
        return to != null
                && to.isWritable()
                && outbound.open() + entering < windowMax
                && !outbound.isFull()
                && !numbering;
    }

    /** Open flows of an earlier connection: PUBREL, or PUBLISH with DUP, in their old order [MQTT-4.4.0-1]. */
    private void resend() {
        Outgoing flow = outbound.nextResend();
        while (flow != null) {
            Connection to = connection;
            if (to == null) {
                return;
            }
            if (flow.unrecorded && flow.state == Outgoing.State.RELEASED) {
                outbound.resent();
                release(flow, to);
            } else if (flow.state == Outgoing.State.RELEASED) {
                to.sendAck(PacketType.PUBREL, flow.packetId, ReasonCode.SUCCESS);
                outbound.resent();
            } else if (!hasRoom()) {
                return;
            } else if (flow.unrecorded) {
                outbound.resent();
                number(flow);
            } else if (to.deliver(
                    flow.message(), flow.qos, flow.retain, flow.dup, flow.packetId, flow.subscriptionIds)) {
                outbound.resent();
            } else if (flow.qos == Qos.EXACTLY_ONCE) {
                // the client may have it from an earlier connection: until it lets go of it, its identifier is not free
                shard.shards().events().dropped(clientId, flow.message().topic(), DropReason.TOO_LARGE);
                outbound.resent();
                release(flow, to);
            } else {
                outbound.end(flow);
                dropped(flow, DropReason.TOO_LARGE);
            }
            flow = outbound.nextResend();
        }
    }

    private boolean sendQueued() {
        Outgoing message = queue.poll();
        if (message == null) {
            return false;
        }
        if (message.qos == Qos.AT_MOST_ONCE) {
            takeQos0(message.message(), message.retain, message.subscriptionIds);
            doneWith(message);
        } else {
            send(message);
        }
        return true;
    }

    private void doneWith(Outgoing message) {
        if (message.seq > 0) {
            shard.batch().ack(key, message.seq, message.body);
            forget(message.seq);
        }
    }

    private void forget(long seq) {
        if (queue.isPassed(seq)) {
            shard.afterCommit(failure -> {
                if (failure == null) {
                    queue.forgetPassed(seq);
                }
            });
        }
    }

    private boolean sendRetained() {
        ArrayDeque<RetainedReplay> running = replays;
        if (running == null) {
            return false;
        }
        RetainedReplay replay = running.getFirst();
        Connection to = connection;
        if (to == null || !to.isWritable()) {
            return false;
        }
        RetainedReplay.Step step = replay.step();
        if (step == RetainedReplay.Step.PAUSE && !pumpPending) {
            pumpPending = true;
            shard.loop()
                    .execute(
                            () -> { // others are served before it goes on
                                pumpPending = false;
                                pump();
                            });
        }
        if (step != RetainedReplay.Step.DONE) {
            return false;
        }
        forget(done -> done == replay);
        acknowledged();
        return true;
    }

    private void forget(Predicate<RetainedReplay> which) {
        if (replays != null) {
            replays.removeIf(which);
            if (replays.isEmpty()) {
                replays = null;
            }
        }
    }

    void sendRetained(Message message, Qos qos, Subscription subscription) {
        if (qos == Qos.AT_MOST_ONCE) {
            takeQos0(message, true, subscription.subscriptionIds());
        } else if (durable) { // its identifier must be known after a restart as any other's
            entering++;
            shard.store(new Place(this, Place.Origin.RETAINED, message, qos, true, subscription.subscriptionIds()));
        } else {
            send(new Outgoing(message, qos, true, subscription.subscriptionIds(), 0, 0, null));
        }
    }

    // ---- acknowledgements of the client

    /** PUBACK; an error counts as acknowledged [MQTT-4.4.0-2]. */
    public Verdict pubAck(int packetId) {
        Outgoing flow = outbound.sent(packetId);
        if (flow == null) {
            return Verdict.UNKNOWN;
        }
        if (flow.qos != Qos.AT_LEAST_ONCE) {
            return Verdict.WRONG_KIND;
        }
        finish(flow);
        return Verdict.DONE;
    }

    /** PUBREC: an error ends the flow, else PUBREL follows once it is on record [MQTT-4.3.3-4]. */
    public Verdict pubRec(int packetId, ReasonCode reason) {
        Outgoing flow = outbound.sent(packetId);
        if (flow == null) {
            return Verdict.UNKNOWN;
        }
        if (flow.qos != Qos.EXACTLY_ONCE) {
            return Verdict.WRONG_KIND;
        }
        if (reason.isError()) {
            if (flow.state == Outgoing.State.SENT) {
                finish(flow);
            }
            return Verdict.DONE;
        }
        release(flow, connection);
        return Verdict.DONE;
    }

    /** Puts on record that the message is not to be sent again, then sends PUBREL if the connection is still there. */
    private void release(Outgoing flow, @Nullable Connection to) {
        int packetId = flow.packetId;
        boolean records = flow.state == Outgoing.State.SENT || flow.unrecorded;
        flow.state = Outgoing.State.RELEASED;
        flow.message = null;
        if (records && flow.seq > 0) {
            shard.batch().released(key, flow.seq, flow.body, packetId);
            forget(flow.seq);
        }
        // all of a durable session's, stored or not: PUBRELs keep the order of the PUBRECs [MQTT-4.6.0-4]
        shard.afterCommit(this, failure -> {
            if (records) {
                flow.unrecorded = failure != null;
            }
            if (connection != to || to == null) {
                return; // PUBREL goes out on the next connection
            }
            if (failure == null) {
                to.sendAck(PacketType.PUBREL, packetId, ReasonCode.SUCCESS);
            } else {
                evict(ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR, "PUBREC could not be stored: " + failure);
            }
        });
    }

    public Verdict pubComp(int packetId) {
        Outgoing flow = outbound.sent(packetId);
        if (flow == null) {
            return Verdict.UNKNOWN;
        }
        if (flow.qos != Qos.EXACTLY_ONCE || flow.state != Outgoing.State.RELEASED) {
            return Verdict.WRONG_KIND;
        }
        finish(flow);
        return Verdict.DONE;
    }

    private void finish(Outgoing flow) {
        outbound.end(flow);
        if (flow.loan != null) {
            flow.loan.settle();
        }
        if (flow.state != Outgoing.State.RELEASED) {
            doneWith(flow);
        } else if (flow.seq > 0) {
            shard.batch().completed(key, flow.packetId);
        }
        if (!queue.isIdle() || outbound.nextResend() != null || replays != null) {
            pump();
        }
        if (!isOwedAcks()) {
            inbound.nothingOwed();
        }
    }

    private void dropped(Outgoing message, DropReason reason) {
        shard.shards().events().dropped(clientId, message.message().topic(), reason);
        if (message.loan != null) {
            message.loan.settle();
        }
        doneWith(message);
    }

    /** Whether the client owes us acknowledgements, so that not reading from it would stop them. */
    public boolean isOwedAcks() {
        return outbound.open() > 0;
    }

    // ---- loans of shared groups

    /** The client is away: QoS 1, and what was not begun, goes back; a QoS 2 flow stays [MQTT-4.8.2-4]. */
    private void giveBackLoans() {
        // first of all, so that nothing that goes back is lent here again
        shard.groupsOf(this, SharedGroup::memberAway);
        List<Outgoing> back = new ArrayList<>();
        Outgoing flow = outbound.first();
        while (flow != null) {
            Outgoing next = flow.next;
            if (flow.loan != null && flow.qos == Qos.AT_LEAST_ONCE) {
                outbound.end(flow);
                back.add(flow);
            }
            flow = next;
        }
        back.addAll(queue.takeOut(Outgoing::isLent));
        back.forEach(lent -> loanOf(lent).giveBack());
    }

    /** It has left a group: what was not begun goes back. */
    void giveBackWaiting(TopicFilter group) {
        queue.takeOut(waiting -> waiting.isLent() && loanOf(waiting).isOf(group))
                .forEach(lent -> loanOf(lent).giveBack());
    }

    /** The session has ended: its QoS 2 flows go to no other member [MQTT-4.8.2-5]. */
    private void settleLoans() {
        for (Outgoing flow = outbound.first(); flow != null; flow = flow.next) {
            if (flow.loan != null) {
                flow.loan.settle();
            }
        }
    }

    /**
     * A will that is due and not yet with the store as a message. Until it is, it is on record by itself, as a session that has
     * ended, whatever becomes of the one that it is of.
     */
    private final class Leaving {
        private @Nullable SessionKey record;
        private boolean stored;

        void keep(Will due) {
            if (!stored) {
                long now = shard.loop().nowMillis();
                SessionKey made = new SessionKey(shard.shards().store().nextId(), 0);
                record = made;
                shard.batch()
                        .putSession(made, new SessionRecord(clientId, userName, version, false, 0, now, due, now, 0));
            }
        }

        /** In the same batch as the message. */
        void stored() {
            stored = true;
            SessionKey made = record;
            if (made != null) {
                shard.removeOwner(made);
            }
        }
    }

    /** The session as its queue sees it. */
    private final class Waiting implements MessageQueue.Owner {
        @Override
        public void dropped(Outgoing message, DropReason reason) {
            Session.this.dropped(message, reason);
        }

        @Override
        public void read(long afterSeq, long throughSeq, int maxMessages, long maxBytes, Store.Page page) {
            shard.readQueue(sid, afterSeq, throughSeq, maxMessages, maxBytes, page);
        }

        @Override
        public void loaded() {
            pump();
        }

        @Override
        public void failed(String cause) {
            evict(ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR, "the queue of this session cannot be read: " + cause);
        }
    }

    /** What an acknowledgement of the client came to. */
    public enum Verdict {
        DONE,
        UNKNOWN,
        WRONG_KIND
    }

    /** The protocol of the connection that holds the session. */
    public interface Holder {
        /** Tells the client why, as far as its version can, and closes the connection. */
        void evicted(ReasonCode reason, String detail);

        /** Less of what the client asked for waits for its answer. */
        void acknowledged();
    }
}
