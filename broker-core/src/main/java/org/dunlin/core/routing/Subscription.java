package org.dunlin.core.routing;

import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.jspecify.annotations.Nullable;

/**
 * One filter of one receiver with its options; a repeated SUBSCRIBE makes a new one. On the shard of the receiver only.
 *
 * @param noLocal leaves out what the receiver's own client identifier published [MQTT-3.8.3-3]
 * @param subscriptionIds none or one; shared, not to be written to
 * @param guard asked for each message whether the receiver may get it; null if it may get all that match the filter
 */
public record Subscription(
        Receiver receiver,
        TopicFilter filter,
        Qos qos,
        boolean noLocal,
        boolean retainAsPublished,
        int[] subscriptionIds,
        @Nullable Rights guard) {

    public static final int[] NO_IDS = {};

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

    /** Whether the message is for this receiver at all: not its own, where it wants none of those, and not against its rights. */
    public boolean admits(Message message) {
        if (noLocal && message.publisher().equals(receiver.clientId())) {
            return false;
        }
        Rights asked = guard;
        return asked == null || asked.mayReceive(message.topic());
    }

    /** The same with other rights. */
    public Subscription guardedBy(@Nullable Rights other) {
        return new Subscription(receiver, filter, qos, noLocal, retainAsPublished, subscriptionIds, other);
    }
}
