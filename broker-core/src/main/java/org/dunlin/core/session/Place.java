package org.dunlin.core.session;

import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.jspecify.annotations.Nullable;

/**
 * A place in a stored queue: promised on the owner's shard, given by the store, taken up on the owner's shard again once the
 * batch is durable. Whoever holds it owns it; it is handed over through the shards' queues.
 */
public final class Place implements StoreBatch.Target {
    /** How a message has come to the queue. */
    enum Origin {
        /** A publisher waits for its acknowledgement. */
        PUBLISHER,
        /** Nobody waits: QoS 0, or a subscription that is younger than the publisher's look at them. */
        NOBODY,
        /** A retained message that a subscription has asked for. */
        RETAINED,
        /** A shared group has given it to the member for good. */
        GROUP
    }

    final Owner queue;
    final Origin origin;
    /** With {@link Origin#GROUP}. */
    final @Nullable Loan loan;

    /** It is given to the store again if that fails, so that the promise stands. */
    boolean keeps;

    private final SessionKey owner;
    final Message message;
    private final Qos qos;
    private final boolean retain;
    private final int[] subscriptionIds;
    private long seq;
    private long body;

    Place(Owner queue, Origin origin, Message message, Qos qos, boolean retain, int[] subscriptionIds) {
        this(queue, origin, null, message, qos, retain, subscriptionIds);
    }

    Place(
            Owner queue,
            Origin origin,
            @Nullable Loan loan,
            Message message,
            Qos qos,
            boolean retain,
            int[] subscriptionIds) {
        this.queue = queue;
        this.origin = origin;
        this.loan = loan;
        this.owner = queue.key();
        this.message = message;
        this.qos = qos;
        this.retain = retain;
        this.subscriptionIds = subscriptionIds;
    }

    @Override
    public SessionKey owner() {
        return owner;
    }

    @Override
    public Qos qos() {
        return qos;
    }

    @Override
    public boolean retain() {
        return retain;
    }

    @Override
    public int[] subscriptionIds() {
        return subscriptionIds;
    }

    @Override
    public void placed(long place, long handle) {
        seq = place;
        body = handle;
    }

    long seq() {
        return seq;
    }

    long body() {
        return body;
    }

    /** A session or a shared group whose queue is stored. */
    public interface Owner {
        Shard shard();

        SessionKey key();

        /** On any shard: adds what the store has to know before a message for it, if that may be missing. */
        void introduce(StoreBatch batch);

        /** On its shard: the message is durable and may leave. */
        void committed(Place place);

        /** On its shard: the store has failed, the promise is void. */
        void failed(Place place);

        /** On its shard: the message at that place is done with. */
        void forget(long seq, long body);
    }
}
