package org.dunlin.core.spi;

import java.security.cert.X509Certificate;
import java.util.concurrent.CompletionStage;
import org.dunlin.mqtt.ReasonCode;
import org.jspecify.annotations.Nullable;

/**
 * Decides who a client is, before the connection touches its session. Called on a loop's thread and must not block; the
 * answer may come on any thread.
 */
public interface Authenticator {
    /** Decides on user name, password and certificate, or on their absence. */
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

    /**
     * Whether somebody whom it has accepted may stay. Asked when the connection gets its session and whenever clients are
     * reviewed ({@code Broker.review}); answers from memory, at once.
     *
     * @return null if so; else why not, for the client and the log
     */
    default @Nullable String review(Identity identity) {
        return null;
    }

    /**
     * As {@link #review(Identity)}, with what else is known of the connection: it may have become unwelcome by something else than
     * its user.
     */
    default @Nullable String review(Identity identity, BrokerEvents.Peer peer) {
        return review(identity);
    }

    /**
     * What a CONNECT says of its sender. The password must not be kept or logged; it may be overwritten.
     *
     * @param certificate the client's own, proven in the TLS handshake, or null
     */
    record Credentials(
            String clientId,
            @Nullable String userName,
            byte @Nullable [] password,
            String peer,
            String listener,
            @Nullable X509Certificate certificate) {}

    /**
     * Who a client is from now on.
     *
     * @param userName or null if nobody knows
     * @param source a word for the authenticator that says so, by which it knows its own in {@link #review}; "" for none
     * @param claims what was said of its rights, or null
     * @param lifeMillis how long it is so, from the answer on; {@link Long#MAX_VALUE} without end. Then the connection ends
     *     unless its client has proven itself anew [MQTT-4.12.1-1]
     */
    record Identity(@Nullable String userName, String source, Authorizer.@Nullable Claims claims, long lifeMillis) {
        public static final long WITHOUT_END = Long.MAX_VALUE;

        /** Of whom nothing is known. */
        public static final Identity NOBODY = new Identity(null, "", null, WITHOUT_END);

        /** Somebody of whom nothing else is known. */
        public static Identity of(@Nullable String userName, String source) {
            return new Identity(userName, source, null, WITHOUT_END);
        }
    }

    /** Steps of one enhanced authentication or re-authentication [MQTT-4.12]. */
    interface Exchange {
        /** @param data Authentication Data of the client, null if it sent none */
        CompletionStage<Answer> step(byte @Nullable [] data);

        /** Whom the client says to be, as far as its steps have said it; nothing of that is proven. Null as long as it is nobody. */
        default @Nullable String userName() {
            return null;
        }

        /** Whether the same client proves itself by the same data each time, as by a token; else each time by other data. */
        default boolean repeatsItsProof() {
            return false;
        }
    }

    /** The outcome of a step. */
    sealed interface Answer {
        /** @param data Authentication Data for the client, or null */
        record Accepted(Identity identity, byte @Nullable [] data) implements Answer {
            /** Somebody of whom only the name is known, or not even that. */
            public static Accepted as(@Nullable String userName) {
                return new Accepted(Identity.of(userName, ""), null);
            }
        }

        /** Only from an {@link Exchange}: the client is sent AUTH 0x18. */
        record Continue(byte @Nullable [] data) implements Answer {}

        /**
         * @param reason one that CONNACK may have
         * @param detail for the log and, if it says nothing secret, for the client's Reason String
         * @param isGuess whether the client could have been somebody who tries what he does not know
         */
        record Refused(ReasonCode reason, String detail, boolean isGuess) implements Answer {
            /** A guess if the reason says that what the client sent is wrong. */
            public Refused(ReasonCode reason, String detail) {
                this(
                        reason,
                        detail,
                        reason == ReasonCode.BAD_USER_NAME_OR_PASSWORD || reason == ReasonCode.NOT_AUTHORIZED);
            }
        }
    }
}
