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
    private final boolean durable;
    private final Standing standing;
    private State state = State.OFFLINE;
    private SubscriptionSet subscriptions = SubscriptionSet.NONE;
    /** Null while its client has published nothing at QoS 1 or 2. */
    private @Nullable InboundWindow inbound;
    /** Null while nothing has come for its client: then nothing waits, is open or is lent, and it is in no shared group. */
    private @Nullable Delivery delivery;
    /** Messages that may be open on its latest connection. */
    private int receiveMaximum = 1;

    private SessionKey key;
    private @Nullable Connection connection;
    private @Nullable Holder holder;
    /** Whether it takes whatever comes: it has not ended, and no review is under way. */
    private boolean takesAll = true;

    private ProtocolVersion version = ProtocolVersion.MQTT_5;
    private long expirySeconds;
    private @Nullable Will will;
    /** Null while there is a connection. */
    private @Nullable Absence absence;

    private long sinceMillis;
    private @Nullable Gathering gathering;
    /** Whether the store knows of it. */
    private boolean recorded;

    Session(Shard shard, ClientRegistry.Owner owner, String clientId, long sid, boolean durable) {
        this.shard = shard;
        this.owner = owner;
        this.clientId = clientId;
        this.standing = new Standing(clientId);
        this.durable = durable;
        this.key = new SessionKey(sid, 0);
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

    /** What its client publishes at QoS 1 and 2. It is made when it is first asked for. */
    public InboundWindow inbound() {
        if (inbound == null) {
            inbound = new InboundWindow(this);
        }
        return inbound;
    }

    /** As {@link #inbound}, to look at; null if nothing is open. */
    public @Nullable InboundWindow inboundIfAny() {
        return inbound;
    }

    /** What leaves for its client. It is made when it is first asked for: many clients publish and get nothing. */
    public Delivery delivery() {
        if (delivery == null) {
            delivery = new Delivery(this, receiveMaximum);
        }
        return delivery;
    }

    /** As {@link #delivery}, to look at; null if there is nothing to see. */
    public @Nullable Delivery deliveryIfAny() {
        return delivery;
    }

    /** Whether the client owes us acknowledgements, so that not reading from it would stop them. */
    public boolean isOwedAcks() {
        return delivery != null && delivery.isOwedAcks();
    }

    /** Messages that may be open on its latest connection. */
    public int receiveMaximum() {
        return receiveMaximum;
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
        return absence == null ? Message.NEVER : absence.expiresAtMillis();
    }

    /** When the will goes out that waits for its delay. */
    long willDueAtMillis() {
        return absence == null ? Message.NEVER : absence.willDueAtMillis();
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
        endAbsence();
        connection = to;
        holder = by;
        key = new SessionKey(key.sid(), generation);
        version = connect.version();
        standing.attach(who, may);
        expirySeconds = agreedExpirySeconds;
        setWill(connect.will());
        receiveMaximum =
                Math.min(connect.receiveMaximum(), shard.shards().limits().maxInflight());
        if (delivery != null) {
            delivery.attach(receiveMaximum);
        }
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
        if (delivery != null) {
            delivery.open();
        }
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
        if (inbound != null) {
            inbound.connectionLost();
        }
        if (delivery != null) {
            delivery.detach();
        }
        if (expirySeconds == 0) {
            end();
            return;
        }
        if (delivery != null) {
            delivery.queue().putOut();
        }
        long now = shard.loop().nowMillis();
        sinceMillis = now;
        boolean waits = will != null && will.delaySeconds() > 0;
        Absence begins = absentSince(now, waits ? will : null);
        if (!waits) {
            publishWill();
        }
        begins.begin();
        remember();
    }

    private void endAbsence() {
        if (absence != null) {
            absence.end();
            absence = null;
        }
    }

    /** Its time is over. */
    void expire() {
        if (state == State.OFFLINE) {
            end();
        }
    }

    /** The delay of its will is over. */
    void willIsDue() {
        if (state == State.OFFLINE) {
            publishWill();
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
        endAbsence();
        publishWill();
        long lost = delivery == null ? 0 : delivery.end();
        if (lost > 0) {
            shard.shards().events().discarded(clientId, lost, DropReason.SESSION_ENDED);
        }
        for (Subscription subscription : subscriptions) {
            shard.unsubscribe(this, subscription);
            shard.subscribed(subscription.filter().text(), -1);
        }
        subscriptions = SubscriptionSet.NONE;
        if (delivery != null) {
            delivery.clear();
        }
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
        if (absence != null) {
            absence.stopRecording();
        }
        if (durable || will != null || recorded) {
            recorded = true;
            shard.turn().batch().putSession(key, Restoration.recordOf(this));
            shard.turn().afterCommit(failure -> {
                if (failure != null && absence != null) {
                    // else a will that was given up would go out after a restart, and its time would begin anew
                    absence.recordLater(this::remember);
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
        if (record.connected()) {
            absentSince(lastAliveMillis, will);
        } else {
            absence = new Absence(this, record.expiresAtMillis(), record.willDueAtMillis());
        }
        if (kept.messages() > 0 || !kept.released().isEmpty()) {
            delivery().restore(kept, record.connected(), record.sentThrough());
        }
        kept.received().forEach(packetId -> inbound().receive(packetId));
    }

    /** Lets its time go on, and tells the store what it does not know yet: that its client has left, that all was received. */
    void resume(SessionRecord record) {
        if (record.connected() || record.sentThrough() > sentThrough()) {
            remember();
        }
        if (absence != null) {
            absence.begin();
        }
    }

    /** The highest place of a message that may have been sent. */
    long sentThrough() {
        return delivery == null ? 0 : delivery.sentThrough();
    }

    /** @param waiting the will, if it waits for its delay */
    private Absence absentSince(long leftAtMillis, @Nullable Will waiting) {
        long expires = expirySeconds < Connect.NO_EXPIRY ? leftAtMillis + expirySeconds * 1000 : Message.NEVER;
        long willDue =
                waiting == null ? Message.NEVER : Math.min(leftAtMillis + waiting.delaySeconds() * 1000, expires);
        Absence begins = new Absence(this, expires, willDue);
        absence = begins;
        return begins;
    }

    /** Takes over a subscription that the store has kept. */
    void restore(Subscription subscription) {
        room().put(subscription);
        if (subscription.filter().isShared()) {
            delivery(); // which tells the group when its client is there
        }
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
            shard.turn().batch().putSubscription(key, Restoration.recordOf(subscription));
        }
        Subscription former = room().put(subscription);
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
            if (delivery != null) {
                delivery.forgetReplay(filter);
            }
        }
        return removed;
    }

    public Collection<Subscription> subscriptions() {
        return subscriptions;
    }

    /** The same subscription with another guard, of which the store knows nothing. */
    void replace(Subscription subscription) {
        room().put(subscription);
    }

    private SubscriptionSet room() {
        subscriptions = subscriptions == SubscriptionSet.NONE ? new SubscriptionSet() : subscriptions;
        return subscriptions;
    }

    // ---- messages to the client

    @Override
    public void take(Message message, Qos qos, boolean retain, int[] subscriptionIds, @Nullable Answer answer) {
        if (takesAll || takes(message)) {
            delivery().intake().take(message, qos, retain, subscriptionIds, answer);
        }
    }

    /** Whether what matches is for it at all: it has not ended, and no review is against it. */
    boolean takes(Message message) {
        Reviews.Review review = standing.review();
        return takesAll || review != null && state != State.ENDED && review.admits(message);
    }

    /** CONNACK has said that the store knows it. */
    @Override
    public void introduce(StoreBatch batch) {}

    @Override
    public void committed(Place place) {
        delivery().intake().committed(place);
    }

    @Override
    public void failed(Place place) {
        delivery().intake().failed(place);
    }

    @Override
    public void forget(long seq, long body) {
        if (state != State.ENDED) {
            delivery().forget(seq, body);
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
