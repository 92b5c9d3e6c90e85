package org.dunlin.core.inspect;

import java.util.List;

/**
 * One client at one moment, with what bites. Immutable; any thread.
 *
 * @param subscriptions some of them
 * @param held why nothing is read from it now, in the words of the configuration where there is one; empty as a rule
 * @param writable whether its transport takes what is sent; false while it is away
 * @param open QoS 1 and 2 messages that wait for its PUBACK, PUBREC or PUBCOMP
 * @param unanswered its own messages that the broker has not acknowledged yet
 * @param queueMessagesMost how many may wait
 * @param queueBytesMost their weight at most
 * @param mayReceiveAll whether its rights let it receive from every topic
 */
public record ClientView(
        SessionView session,
        List<SubscriptionView> subscriptions,
        List<String> held,
        boolean writable,
        int open,
        int unanswered,
        int queueMessagesMost,
        long queueBytesMost,
        boolean mayReceiveAll) {
    public ClientView {
        subscriptions = List.copyOf(subscriptions);
        held = List.copyOf(held);
    }
}
