package org.dunlin.core.spi;

import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Will;
import org.jspecify.annotations.Nullable;

/**
 * What is remembered of a session beside its subscriptions and messages. Times are deadlines by {@link Store#nowMillis}, not
 * intervals, so that a restart does not begin them anew [MQTT-4.1.0-2].
 *
 * @param connected whether its client is there; if so when the process ends without a word, it left then
 * @param expirySeconds the interval agreed with the client, for the next time that it leaves; 0 if the session is kept for its
 *     will alone
 * @param expiresAtMillis end of the session while its client is away; {@link Long#MAX_VALUE} if connected or without end
 * @param will the will that is still to come, or null
 * @param willDueAtMillis when a will that waits for its delay goes out; {@link Long#MAX_VALUE} while connected
 * @param sentThrough the highest place in its queue whose message may have been sent; as of the last time it was written, so
 *     that nothing is known of the messages of a client that is connected
 */
public record SessionRecord(
        String clientId,
        @Nullable String userName,
        ProtocolVersion version,
        boolean connected,
        long expirySeconds,
        long expiresAtMillis,
        @Nullable Will will,
        long willDueAtMillis,
        long sentThrough) {}
