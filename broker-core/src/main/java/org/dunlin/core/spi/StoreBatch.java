package org.dunlin.core.spi;

import java.util.List;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/**
 * What is written together: the closed set of things an MQTT broker remembers. Owned by the thread that made it until it is
 * given to {@link Store#write}. Changes take effect in the order of the calls; a change for an owner that is gone, or by an
 * older generation than the last one put, is without effect.
 */
public interface StoreBatch {
    /**
     * Nobody waits for it. If it says nothing but what is done with ({@link #ack}, {@link #completed}), a store may let it wait
     * for others for a moment.
     */
    void unhurried();

    /** Puts a session, in place of what was put with its identifier; never after {@link #removeOwner}. */
    void putSession(SessionKey session, SessionRecord state);

    /** A shared group, which has a queue as a session does. */
    void putGroup(SessionKey group, String filter);

    /** Removes a session or a shared group and all that belongs to it. */
    void removeOwner(SessionKey owner);

    /** Puts a subscription, in place of an older one of the same filter. */
    void putSubscription(SessionKey session, SubscriptionRecord subscription);

    void removeSubscription(SessionKey session, String filter);

    /** One message for the queues of all targets; each is told its place before the batch completes. */
    void enqueue(Message message, List<? extends Target> targets);

    /** The message at that place is done with: acknowledged, dropped or expired. */
    void ack(SessionKey owner, long seq, long body);

    /**
     * A QoS 2 message is about to be sent with another packet identifier than {@link #packetId(long)}, so that it goes with
     * the same one after a restart [MQTT-4.4.0-1].
     */
    void numbered(SessionKey session, long seq, int packetId);

    /** PUBREC has come: the message is dropped, its identifier waits for PUBCOMP [MQTT-4.3.3-6]. */
    void released(SessionKey session, long seq, long body, int packetId);

    void completed(SessionKey session, int packetId);

    /** Whether a QoS 2 PUBLISH of the client with that identifier waits for PUBREL. */
    void inboundId(SessionKey session, int packetId, boolean present);

    /** The retained message of a topic, null if it has none any more. For one topic the highest stamp wins. */
    void retain(TopicName topic, @Nullable Message message, long stamp);

    /** A message to be published later; the identifier is from {@link Store#nextId}. */
    void putDelayed(long id, long dueAtMillis, Message message);

    /** Both as they were put. */
    void removeDelayed(long id, long dueAtMillis);

    /** The packet identifier that a message at that place of a stored queue goes out with, if it is free. */
    static int packetId(long seq) {
        return 1 + (int) ((seq - 1) % 65_535);
    }

    /** One queue that a message goes to. */
    interface Target {
        /** The owner's identifier counts; a message may be gathered before a CONNECT that raises the generation. */
        SessionKey owner();

        Qos qos();

        boolean retain();

        int[] subscriptionIds();

        /**
         * Called by the store before the batch completes, on any thread.
         *
         * @param seq the place: above 0, and above those of all messages that the queue has held since it was last empty
         * @param body to be given back with {@link StoreBatch#ack} and {@link StoreBatch#released}
         */
        void placed(long seq, long body);
    }

    /** A subscription as it is kept; the identifier is 0 if there is none. */
    record SubscriptionRecord(String filter, Qos qos, boolean noLocal, boolean retainAsPublished, int subscriptionId) {}
}
