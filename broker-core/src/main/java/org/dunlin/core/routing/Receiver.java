package org.dunlin.core.routing;

import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.jspecify.annotations.Nullable;

/**
 * Who stands behind a subscription: a session, a shared group, a sink within the process; later another node. All but
 * {@link #durable()} on the thread of its shard only.
 */
public interface Receiver {
    /** Whether what it is owed must be in the store before the publisher is answered; the same for its whole life. */
    boolean durable();

    /** Client identifier that No Local compares with the publisher's [MQTT-3.8.3-3]; empty if it is no client. */
    String clientId();

    /**
     * Takes, queues or drops a message. It must not change any subscription before it returns.
     *
     * @param qos the lower of published and granted
     * @param answer told what became of it; null if nobody waits for that
     */
    void take(Message message, Qos qos, boolean retain, int[] subscriptionIds, @Nullable Answer answer);

    /** Room for gathering several matching subscriptions into one delivery [MQTT-3.3.4-4]; the same object each time. */
    Gathering gathering();
}
