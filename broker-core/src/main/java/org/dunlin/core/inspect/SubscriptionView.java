package org.dunlin.core.inspect;

import org.dunlin.mqtt.Qos;

/**
 * One subscription. Immutable; any thread.
 *
 * @param filter as it was subscribed to, $share included
 * @param identifier of the subscription; 0 for none
 * @param guarded whether each message is asked about before it is delivered, since not all that matches may be received
 */
public record SubscriptionView(
        String clientId,
        String filter,
        Qos qos,
        boolean noLocal,
        boolean retainAsPublished,
        int identifier,
        boolean guarded) {}
