package org.dunlin.core.spi;

import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/** Told of everything that is accepted, refused, ended or dropped. Called on the loops: must be quick and never block. */
public interface BrokerEvents {
    void connected(Peer peer, boolean sessionPresent, int keepAliveSeconds, long sessionExpirySeconds);

    /** A connection that never came to CONNACK 0x00. */
    void refused(Peer peer, ReasonCode reason, String detail);

    /** @param by who ended it, "client", "broker" or "network" */
    void disconnected(Peer peer, String by, ReasonCode reason, String detail);

    /**
     * A message that did not reach a receiver. Once for each receiver that lost it, or once if it was not taken at all.
     *
     * @param clientId the one that should have got it, or the filter of a shared group; the publisher's if it was not taken,
     *     or not retained, or has expired before it was published
     */
    void dropped(String clientId, TopicName topic, DropReason reason);

    /**
     * Messages that a session or shared group owed when it ended, and that nobody gets any more.
     *
     * @param clientId or the filter of a shared group
     */
    void discarded(String clientId, long messages, DropReason reason);

    /** The stored queue of a shared group cannot be read, so that nobody gets what is in it. */
    void unreadable(String filter, String cause);

    /** A request within a connection that goes on: a PUBLISH, a filter of a SUBSCRIBE. */
    void denied(Peer peer, String what, ReasonCode reason, String detail);

    /**
     * Connections take each other's place under one client identifier again and again: it has more than one client.
     *
     * @param former that is sent away
     * @param next that comes in its place
     */
    default void contested(Peer former, Peer next) {}

    /** Who it is about, as far as it is known; texts come from the client and are not escaped. */
    record Peer(
            @Nullable String clientId,
            @Nullable String userName,
            String address,
            String listener,
            @Nullable ProtocolVersion version) {}
}
