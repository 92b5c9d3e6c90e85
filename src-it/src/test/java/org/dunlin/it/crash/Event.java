package org.dunlin.it.crash;

import java.util.Map;
import org.dunlin.mqtt.Qos;
import org.jspecify.annotations.Nullable;

/**
 * What a client did or saw, or what happened to the broker. What a client does is noted before it is on the wire, what it sees
 * after it was read: so whatever stands between the two in a {@link History} may or may not have come before the broker acted.
 */
sealed interface Event {

    /**
     * How a message was published.
     *
     * @param empty no payload: it clears a retained message, and no subscriber can tell which one it is
     * @param mayVanish nothing is promised of it, as it expires soon
     */
    record Sending(Qos qos, int packetId, boolean retain, boolean empty, boolean mayVanish, int delaySeconds) {}

    /** PUBLISH is about to be sent for the first time. */
    record Sent(MessageKey key, Sending how) implements Event {}

    /** The same with DUP, on a later connection. */
    record SentAgain(MessageKey key) implements Event {}

    /** PUBACK, or the first PUBREC: the broker has taken it over. */
    record Acknowledged(MessageKey key) implements Event {}

    /** PUBCOMP, or PUBACK: its packet identifier is free. */
    record Completed(MessageKey key) implements Event {}

    /** PUBACK or PUBREC with a reason code from 0x80 on, or the session is gone that it would have been sent again in. */
    record GivenUp(MessageKey key) implements Event {}

    /**
     * A message for the application: of QoS 2 only the first PUBLISH until PUBREL.
     *
     * @param connection of that client, counted from 1
     * @param retained RETAIN was set: it comes from before the subscription
     */
    record Delivered(String client, int connection, MessageKey key, Qos qos, boolean retained) implements Event {}

    /** CONNECT; the will is one message more. */
    record Connecting(
            String client,
            boolean cleanStart,
            long expirySeconds,
            @Nullable MessageKey will,
            int willDelay) implements Event {}

    /** CONNACK of success. */
    record Connected(String client, boolean sessionPresent) implements Event {}

    /** DISCONNECT of reason 0x00; -1 leaves the Session Expiry Interval as it is. */
    record Leaving(String client, long expirySeconds) implements Event {}

    /** The broker has closed after DISCONNECT. */
    record Left(String client) implements Event {}

    /** The connection has ended without DISCONNECT, or before the broker had closed. */
    record Broken(String client) implements Event {}

    record Subscribing(String client, String filter, Qos qos) implements Event {}

    record Subscribed(String client, String filter, Qos granted) implements Event {}

    record Unsubscribing(String client, String filter) implements Event {}

    record Unsubscribed(String client, String filter) implements Event {}

    /** SUBSCRIBE of a client that only collects retained messages. */
    record ReadingRetained(String reader) implements Event {}

    /**
     * What it has got, by topic, cleared ones left out.
     *
     * @param complete it has waited for more, so that what is missing is not there
     */
    record RetainedRead(String reader, boolean complete, Map<String, MessageKey> values) implements Event {}

    /** The broker is about to be ended, by SIGTERM if orderly. */
    record Ending(int number, boolean orderly) implements Event {}

    /** It serves again. */
    record Ready(int number) implements Event {}

    /** A fault that a client saw by itself. */
    record Fault(String client, Violation.Kind kind, String text) implements Event {}
}
