package org.dunlin.core.spi;

import java.util.concurrent.CompletionStage;
import org.dunlin.mqtt.ReasonCode;
import org.jspecify.annotations.Nullable;

/**
 * Decides who a client is, before the connection touches its session. Called on a loop's thread and must not block; the
 * answer may come on any thread.
 */
public interface Authenticator {
    /** Decides on user name and password, or on their absence. */
    CompletionStage<Answer> authenticate(Credentials credentials);

    /**
     * Whether the users that it accepts are proven to be who they say. Then a session belongs to its user, and a CONNECT of
     * another one with the same client identifier is refused.
     */
    default boolean provesUsers() {
        return true;
    }

    /** Begins an enhanced authentication, or null if the method is not known [MQTT-4.12.0-1]. */
    default @Nullable Exchange exchange(String method, Credentials credentials) {
        return null;
    }

    /** What a CONNECT says of its sender. The password must not be kept or logged; it may be overwritten. */
    record Credentials(
            String clientId, @Nullable String userName, byte @Nullable [] password, String peer, String listener) {}

    /** Steps of one enhanced authentication or re-authentication [MQTT-4.12]. */
    interface Exchange {
        /** @param data Authentication Data of the client, null if it sent none */
        CompletionStage<Answer> step(byte @Nullable [] data);
    }

    /** The outcome of a step. */
    sealed interface Answer {
        /**
         * @param userName who it is from now on, or null if nobody knows
         * @param data Authentication Data for the client, or null
         */
        record Accepted(@Nullable String userName, byte @Nullable [] data) implements Answer {}

        /** Only from an {@link Exchange}: the client is sent AUTH 0x18. */
        record Continue(byte @Nullable [] data) implements Answer {}

        /**
         * @param reason one that CONNACK may have
         * @param detail for the log and, if it says nothing secret, for the client's Reason String
         */
        record Refused(ReasonCode reason, String detail) implements Answer {}
    }
}
