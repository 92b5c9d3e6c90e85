package org.dunlin.persistence;

import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.SessionRecord;
import org.dunlin.core.spi.Store.Stored;
import org.dunlin.core.spi.StoreBatch.SubscriptionRecord;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;

/**
 * All that a store keeps, whatever the engine: told one thing after another in the order of these methods, so that nobody
 * needs to have all of it in memory. Identifiers are those of the store. One thread.
 *
 * @param <X> what the listener may fail with
 */
public interface Contents<X extends Exception> {
    /**
     * First of all, once.
     *
     * @param brokerMillis the broker's time when it last lived, and wallMillis the wall clock's then
     * @param nextId all identifiers below were given
     */
    void begin(long brokerMillis, long wallMillis, long nextId) throws X;

    void session(SessionKey key, SessionRecord state) throws X;

    void group(SessionKey key, String filter) throws X;

    void subscription(long owner, SubscriptionRecord subscription) throws X;

    /** A message that queues refer to by that number, which is above 0. */
    void body(long number, Message message) throws X;

    /** A message in a queue, with itself. Places of one queue rise. */
    void queued(long owner, Stored message) throws X;

    /** A message in a queue, of which {@link #body} has told. Mixed with those of {@link #queued}. */
    void reference(long owner, Reference reference) throws X;

    /** PUBREC has come for the message that was at that place, PUBCOMP has not. */
    void released(long owner, long seq, int packetId) throws X;

    /** The message at that place goes out with that packet identifier. Mixed with {@link #released}. */
    void numbered(long owner, long seq, int packetId) throws X;

    /** A QoS 2 PUBLISH of the client with that identifier waits for PUBREL. Mixed with {@link #released}. */
    void inboundId(long owner, int packetId) throws X;

    void retained(Message message, long stamp) throws X;

    void delayed(long id, long dueAtMillis, Message message) throws X;

    /**
     * A place in a queue whose message is kept elsewhere.
     *
     * @param weight of the message, by {@link Message#weight()}
     */
    record Reference(long seq, long body, int weight, Qos qos, boolean retain, int[] subscriptionIds) {}
}
