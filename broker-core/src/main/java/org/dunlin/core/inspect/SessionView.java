package org.dunlin.core.inspect;

import org.dunlin.mqtt.ProtocolVersion;
import org.jspecify.annotations.Nullable;

/**
 * One session at one moment. Immutable; any thread. Times are times of day in milliseconds.
 *
 * @param userName of its latest connection; null if nobody knows
 * @param address of the client; null while it is away, as are the two that follow
 * @param sinceMillis when it connected or left; 0 if that was in an earlier process
 * @param durable whether the store keeps it
 * @param expirySeconds that it outlives its connection
 * @param expiresAtMillis {@link Long#MAX_VALUE} while it is connected, or if it never does
 * @param queuedMessages that wait, in memory and in the store
 * @param inflight QoS 1 and 2 messages sent to the client and not acknowledged
 * @param receiveMaximum of them that there may be
 * @param unfinished QoS 1 and 2 messages of the client that it is not yet told are taken
 * @param replays subscriptions whose retained messages are still being sent
 */
public record SessionView(
        String clientId,
        @Nullable String userName,
        ProtocolVersion version,
        boolean connected,
        @Nullable String address,
        @Nullable String listener,
        long sinceMillis,
        boolean durable,
        long expirySeconds,
        long expiresAtMillis,
        @Nullable String willTopic,
        int subscriptions,
        long queuedMessages,
        long queuedBytes,
        int inflight,
        int receiveMaximum,
        int unfinished,
        int replays) {}
