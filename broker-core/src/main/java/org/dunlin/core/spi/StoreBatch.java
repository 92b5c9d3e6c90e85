package org.dunlin.core.spi;

import java.util.List;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;

/**
 * What is written together: the closed set of things an MQTT broker remembers. Owned by the thread that made it until it is
 * given to {@link Store#write}.
 */
public interface StoreBatch {
    void putSession(SessionKey session, SessionRecord state);

    /** Removes the session and all that belongs to it. */
    void removeSession(SessionKey session);

    /** Puts a subscription, in place of an older one of the same filter. */
    void putSubscription(SessionKey session, SubscriptionRecord subscription);

    void removeSubscription(SessionKey session, String filter);

    /** One message for the queues of all targets; each is told its place before the batch completes. */
    void enqueue(Message message, List<? extends Target> targets);

    /** The message at that place is done with: acknowledged, dropped or expired. */
    void ack(SessionKey session, long seq);

    /** PUBREC has come: the message is dropped, its identifier waits for PUBCOMP [MQTT-4.3.3-6]. */
    void released(SessionKey session, long seq, int packetId);

    void completed(SessionKey session, int packetId);

    /** Whether a QoS 2 PUBLISH of the client with that identifier waits for PUBREL. */
    void inboundId(SessionKey session, int packetId, boolean present);

    /** The retained message of its topic; an empty payload removes it. For one topic the highest stamp wins. */
    void retain(Message message, long stamp);

    /** A message to be published later. */
    void putDelayed(long dueAtMillis, Message message);

    void removeDelayed(long dueAtMillis, Message message);

    /** One queue that a message goes to. */
    interface Target {
        /** The session identifier counts; a message may be gathered before a CONNECT that raises the generation. */
        SessionKey owner();

        Qos qos();

        boolean retain();

        int[] subscriptionIds();

        /** Called by the store before the batch completes, on any thread: places of a queue are above 0 and rise by commit. */
        void placed(long seq);
    }

    /** A subscription as it is kept. */
    record SubscriptionRecord(String filter, Qos qos, boolean noLocal, boolean retainAsPublished, int subscriptionId) {}
}
