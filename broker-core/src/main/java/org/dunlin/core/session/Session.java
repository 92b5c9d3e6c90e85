package org.dunlin.core.session;

import java.util.Collection;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.routing.Answer;
import org.dunlin.core.routing.Gathering;
import org.dunlin.core.routing.Receiver;
import org.dunlin.core.routing.Subscription;
import org.dunlin.core.routing.SubscriptionSet;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.Connection;
import org.dunlin.core.spi.DropReason;
import org.dunlin.core.spi.Loop;
import org.dunlin.core.spi.Rights;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.SessionRecord;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
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

    private final Shard shard;
    private final ClientRegistry.Owner owner;
    private final String clientId;
    private final long sid;
    private final boolean durable;
    private final Delivery delivery;
    private final Intake intake;
    private final Standing standing;
    private final InboundWindow inbound = new InboundWindow(this);
    private final SubscriptionSet subscriptions = new SubscriptionSet();

    private State state = State.OFFLINE;
    private SessionKey key;
    private @Nullable Connection connection;
    private @Nullable Holder holder;
    /** Whether it takes whatever comes: it has not ended, and no review is under way. */
    private boolean takesAll = true;

    private ProtocolVersion version = ProtocolVersion.MQTT_5;
    private long expirySeconds;
    private @Nullable Will will;
    private long willDueAtMillis = Message.NEVER;
    private long expiresAtMillis = Message.NEVER;
    private long sinceMillis;

    private Loop.@Nullable Timer willTimer;
    private Loop.@Nullable Timer expiryTimer;
    /** Writes it once more, since the store has failed to. */
    private Loop.@Nullable Timer recording;

    private @Nullable Gathering gathering;
    /** Whether the store knows of it. */
    private boolean recorded;

    Session(Shard shard, ClientRegistry.Owner owner, String clientId, long sid, boolean durable) {
        this.shard = shard;
        this.owner = owner;
        this.clientId = clientId;
        this.standing = new Standing(clientId);
        this.sid = sid;
        this.durable = durable;
        this.key = new SessionKey(sid, 0);
        this.delivery = new Delivery(this);
        this.intake = new Intake(this, delivery.queue(), delivery);
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

    public @Nullable Connection connection() {
        return connection;
    }

    public InboundWindow inbound() {
        return inbound;
    }

    public Delivery delivery() {
        return delivery;
    }

    /** The interval agreed on at CONNECT or changed by DISCONNECT. */
    public long expirySeconds() {
        return expirySeconds;
    }

    public int subscriptionCount() {
        return subscriptions.size();
    }

    public @Nullable Subscription subscription(String filter) {
        return subscriptions.of(filter);
    }

    public boolean isConnected() {
        return connection != null;
    }

    /** As {@link Shard#loop} tells the time; 0 if that was in an earlier process. */
    public long sinceMillis() {
        return sinceMillis;
    }

    public long expiresAtMillis() {
        return expiresAtMillis;
    }

    public @Nullable Will will() {
        return will;
    }

    /** Whether messages flow to a client. */
    boolean isOnline() {
        return state == State.ONLINE;
    }

    boolean isEnded() {
        return state == State.ENDED;
    }

    @Override
    public Gathering gathering() {
        if (gathering == null) {
            gathering = new Gathering();
        }
        return gathering;
    }

    // ---- connection comes and goes

    /** A connection takes the session over; its former one has been detached. Messages wait until {@link #open}. */
    void attach(
            Connection to,
            Holder by,
            Connect connect,
            Authorizer.Client who,
            Rights may,
            long agreedExpirySeconds,
            long generation) {
        assert shard.inLoop() && connection == null && state != State.ENDED;
        cancelTimers();
        connection = to;
        holder = by;
        key = new SessionKey(sid, generation);
        version = connect.version();
        standing.attach(who, may);
        expirySeconds = agreedExpirySeconds;
        setWill(connect.will());
        delivery.attach(
                Math.min(connect.receiveMaximum(), shard.shards().limits().maxInflight()));
        sinceMillis = shard.loop().nowMillis();
        state = State.OPENING;
        remember();
    }

    /** Of its latest connection, as the authenticator knows it; null if nobody does. */
    public @Nullable String userName() {
        assert shard.inLoop();
        return standing.client().userName();
    }

    // ---- what it may do

    /** Of its latest connection, and of the latest review. */
    public Rights rights() {
        return standing.rights();
    }

    /** What its client may do. */
    Standing standing() {
        return standing;
    }

    /** A review of its subscriptions has begun, which is asked about all that comes. */
    void reviewed(Reviews.Review by) {
        standing.reviewed(by);
        takesAll = false;
    }

    /** @param complete whether a review by equal rights would change nothing */
    void settled(boolean complete) {
        standing.settled(complete);
        takesAll = true;
    }

    /** What to ask for each message of a subscription; null if nothing. */
    public @Nullable Rights guardOf(TopicFilter filter) {
        return standing.guardOf(filter);
    }

    /** The protocol of its connection; null if there is none. */
    public @Nullable Holder holder() {
        return holder;
    }

    /** Its client is told as far as its version can that a subscription has ended. */
    void lost(TopicFilter filter, String why) {
        if (holder != null) {
            holder.lost(filter, why);
        }
    }

    /** CONNACK has been sent: what waits begins to flow. */
    public void open() {
        assert shard.inLoop();
        if (state != State.OPENING) {
            return;
        }
        state = State.ONLINE;
        delivery.open();
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
            setWill(null);
        }
        inbound.connectionLost();
        delivery.detach();
        if (expirySeconds == 0) {
            end();
            return;
        }
        delivery.queue().putOut();
        long now = shard.loop().nowMillis();
        sinceMillis = now;
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
        stopRecording();
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

    private void stopRecording() {
        if (recording != null) {
            recording.cancel();
            recording = null;
        }
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

    private void setWill(@Nullable Will next) {
        shard.memory().add(MemoryBudget.ofWill(next) - MemoryBudget.ofWill(will));
        will = next;
    }

    private void publishWill() {
        Will due = will;
        setWill(null);
        if (due != null) {
            shard.publishing().publishWill(this, due);
        }
    }

    /** Ends it and all that belongs to it; a will that is still there goes out [MQTT-3.1.2-8]. */
    void end() {
        assert shard.inLoop() && connection == null;
        if (state == State.ENDED) {
            return;
        }
        state = State.ENDED;
        takesAll = false;
        cancelTimers();
        publishWill();
        long lost = delivery.end();
        if (lost > 0) {
            shard.shards().events().discarded(clientId, lost, DropReason.SESSION_ENDED);
        }
        for (Subscription subscription : subscriptions) {
            shard.unsubscribe(this, subscription);
            shard.subscribed(subscription.filter().text(), -1);
        }
        subscriptions.clear();
        delivery.clear();
        if (recorded) {
            shard.turn().removeSession(clientId, key);
        }
        shard.ended(this, owner);
    }

    /** Whether the store knows of it, or will with this turn: it is kept, or has a will. */
    boolean isRecorded() {
        return recorded;
    }

    /** Writes the session as it is now, if it is kept at all: one that is not is kept for its will. */
    private void remember() {
        stopRecording();
        if (durable || will != null || recorded) {
            recorded = true;
            shard.turn()
                    .batch()
                    .putSession(
                            key,
                            new SessionRecord(
                                    clientId,
                                    userName(),
                                    version,
                                    connection != null,
                                    expirySeconds,
                                    expiresAtMillis,
                                    will,
                                    willDueAtMillis,
                                    delivery.sentThrough()));
            shard.turn().afterCommit(failure -> {
                if (failure != null && recording == null && state == State.OFFLINE) {
                    // else a will that was given up would go out after a restart, and its time would begin anew
                    recording = shard.turn().later(this::remember);
                }
            });
        }
    }

    // ---- after a restart

    /** Takes over what the store has kept of it. Before anybody can connect; {@link #resume} follows. */
    void restore(Restoration.Kept kept, long lastAliveMillis) {
        assert shard.inLoop() && state == State.OFFLINE;
        SessionRecord record = kept.record();
        recorded = true;
        key = kept.key();
        version = record.version();
        standing.restore(
                new Authorizer.Client(clientId, record.userName(), null),
                shard.shards().authorizer().restored(clientId, record.userName()));
        expirySeconds = record.expirySeconds();
        setWill(record.will());
        expiresAtMillis = record.expiresAtMillis();
        willDueAtMillis = record.willDueAtMillis();
        if (record.connected()) {
            expiresAtMillis = expiryAfter(lastAliveMillis);
            if (will != null) {
                willDueAtMillis = Math.min(lastAliveMillis + will.delaySeconds() * 1000, expiresAtMillis);
            }
        }
        delivery.restore(kept, record.connected(), record.sentThrough());
        kept.received().forEach(inbound::receive);
    }

    /** Lets its time go on, and tells the store what it does not know yet: that its client has left, that all was received. */
    void resume(SessionRecord record) {
        if (record.connected() || record.sentThrough() > delivery.sentThrough()) {
            remember();
        }
        schedule(shard.loop().nowMillis());
    }

    private long expiryAfter(long leftAtMillis) {
        return expirySeconds < Connect.NO_EXPIRY ? leftAtMillis + expirySeconds * 1000 : Message.NEVER;
    }

    /** Takes over a subscription that the store has kept. */
    void restore(Subscription subscription) {
        subscriptions.put(subscription);
        shard.subscribed(subscription.filter().text(), 1);
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
            shard.turn()
                    .batch()
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
        Subscription former = subscriptions.put(subscription);
        if (former == null) {
            shard.subscribed(filter, 1);
        }
        return former;
    }

    /** @return the subscription that was there, or null */
    @Nullable
    Subscription remove(String filter) {
        Subscription removed = subscriptions.remove(filter);
        if (durable) {
            // one that is not there, too: the store may have failed to remove it before
            shard.turn().batch().removeSubscription(key, filter);
        }
        if (removed != null) {
            shard.subscribed(filter, -1);
            delivery.forgetReplay(filter);
        }
        return removed;
    }

    public Collection<Subscription> subscriptions() {
        return subscriptions;
    }

    /** The same subscription with another guard, of which the store knows nothing. */
    void replace(Subscription subscription) {
        subscriptions.put(subscription);
    }

    // ---- messages to the client

    @Override
    public void take(Message message, Qos qos, boolean retain, int[] subscriptionIds, @Nullable Answer answer) {
        if (takesAll || takes(message)) {
            intake.take(message, qos, retain, subscriptionIds, answer);
        }
    }

    /** Whether what matches is for it at all: it has not ended, and no review is against it. */
    boolean takes(Message message) {
        Reviews.Review review = standing.review();
        return takesAll || review != null && state != State.ENDED && review.admits(message);
    }

    Intake intake() {
        return intake;
    }

    /** Takes a message that a shared group lends. */
    void lend(Outgoing message) {
        intake.lend(message);
    }

    /** CONNACK has said that the store knows it. */
    @Override
    public void introduce(StoreBatch batch) {}

    @Override
    public void committed(Place place) {
        intake.committed(place);
    }

    @Override
    public void failed(Place place) {
        intake.failed(place);
    }

    @Override
    public void forget(long seq, long body) {
        if (state != State.ENDED) {
            delivery.forget(seq, body);
        }
    }

    /** The protocol of the connection that holds the session. */
    public interface Holder {
        /** Tells the client why, as far as its version can, and closes the connection. */
        void evicted(ReasonCode reason, String detail);

        /** Why nothing is read from the client at the moment, in words; empty as a rule. */
        Collection<String> held();

        /** Less of what the client asked for waits for its answer. */
        void acknowledged();

        /** Why its client may not stay, now that clients are asked about anew; null if it may. */
        @Nullable
        String review();

        /** A subscription has ended, since the client has no right to it any more. */
        void lost(TopicFilter filter, String why);
    }
}
