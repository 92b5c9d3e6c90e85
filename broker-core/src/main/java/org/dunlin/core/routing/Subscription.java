package org.dunlin.core.routing;

import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;

/**
 * One filter of one receiver with its options; a repeated SUBSCRIBE makes a new one. On the shard of the receiver only.
 *
 * @param noLocal leaves out what the receiver's own client identifier published [MQTT-3.8.3-3]
 * @param subscriptionIds none or one; shared, not to be written to
 */
public record Subscription(
        Receiver receiver,
        TopicFilter filter,
        Qos qos,
        boolean noLocal,
        boolean retainAsPublished,
        int[] subscriptionIds) {

    public static final int[] NO_IDS = {};
}
