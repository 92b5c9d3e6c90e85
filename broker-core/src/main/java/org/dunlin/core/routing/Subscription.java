package org.dunlin.core.routing;

import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.jspecify.annotations.Nullable;

/**
 * One filter of one receiver with its options; a repeated SUBSCRIBE makes a new one. On the shard of the receiver only.
 * Immutable; no record, since there are millions and a record has no place for three options in one number.
 */
public final class Subscription {
    public static final int[] NO_IDS = {};

    private static final int QOS = 3;
    private static final int NO_LOCAL = 4;
    private static final int RETAIN_AS_PUBLISHED = 8;

    private final Receiver receiver;
    private final TopicFilter filter;
    private final int options;
    private final int[] subscriptionIds;
    private final @Nullable Rights guard;

    /**
     * @param noLocal leaves out what the receiver's own client identifier published [MQTT-3.8.3-3]
     * @param subscriptionIds none or one; shared, not to be written to
     * @param guard asked for each message whether the receiver may get it; null if it may get all that match the filter
     */
    public Subscription(
            Receiver receiver,
            TopicFilter filter,
            Qos qos,
            boolean noLocal,
            boolean retainAsPublished,
            int[] subscriptionIds,
            @Nullable Rights guard) {
        this(
                receiver,
                filter,
                qos.value() | (noLocal ? NO_LOCAL : 0) | (retainAsPublished ? RETAIN_AS_PUBLISHED : 0),
                subscriptionIds,
                guard);
    }

    /** Of a receiver that may get all that matches the filter. */
    public Subscription(
            Receiver receiver,
            TopicFilter filter,
            Qos qos,
            boolean noLocal,
            boolean retainAsPublished,
            int[] subscriptionIds) {
        this(receiver, filter, qos, noLocal, retainAsPublished, subscriptionIds, null);
    }

    private Subscription(
            Receiver receiver, TopicFilter filter, int options, int[] subscriptionIds, @Nullable Rights guard) {
        this.receiver = receiver;
        this.filter = filter;
        this.options = options;
        this.subscriptionIds = subscriptionIds.length == 0 ? NO_IDS : subscriptionIds;
        this.guard = guard;
    }

    public Receiver receiver() {
        return receiver;
    }

    public TopicFilter filter() {
        return filter;
    }

    public Qos qos() {
        return Qos.of(options & QOS);
    }

    public boolean noLocal() {
        return (options & NO_LOCAL) != 0;
    }

    public boolean retainAsPublished() {
        return (options & RETAIN_AS_PUBLISHED) != 0;
    }

    /** None or one; shared, not to be written to. */
    public int[] subscriptionIds() {
        return subscriptionIds;
    }

    /** Asked for each message whether the receiver may get it; null if it may get all that match the filter. */
    public @Nullable Rights guard() {
        return guard;
    }

    /** Whether the message is for this receiver at all: not its own, where it wants none of those, and not against its rights. */
    public boolean admits(Message message) {
        if (noLocal() && message.publisher().equals(receiver.clientId())) {
            return false;
        }
        Rights asked = guard;
        return asked == null || asked.mayReceive(message.topic());
    }

    /** The same with other rights. */
    public Subscription guardedBy(@Nullable Rights other) {
        return new Subscription(receiver, filter, options, subscriptionIds, other);
    }

    @Override
    public String toString() {
        return receiver.clientId() + " to " + filter;
    }
}
