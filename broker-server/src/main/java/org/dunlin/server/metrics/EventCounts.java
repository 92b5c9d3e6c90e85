package org.dunlin.server.metrics;

import java.util.Locale;
import org.dunlin.mqtt.ReasonCode;

/** How often what has happened to clients since the start. Any thread. */
public interface EventCounts {
    /** Connections that came to CONNACK 0x00. */
    long connects();

    /** Takeovers of client identifiers that more than one client uses. */
    long contested();

    /** Addresses, or users from an address, that were banned for failed logins. */
    long bans();

    /** Requests within connections that were refused. */
    long denials(ReasonCode reason);

    /** Connections that never came to CONNACK 0x00. */
    long refusals(ReasonCode reason);

    /** Connections that ended after it. */
    long disconnects(ReasonCode reason);

    /** Connections that were refused for who they said they were. */
    default long failedLogins() {
        return refusals(ReasonCode.BAD_USER_NAME_OR_PASSWORD)
                + refusals(ReasonCode.NOT_AUTHORIZED)
                + refusals(ReasonCode.BANNED)
                + refusals(ReasonCode.BAD_AUTHENTICATION_METHOD);
    }

    /** A reason as it stands in names of topics and values of labels: "quota-exceeded". */
    static String word(ReasonCode reason) {
        return reason.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
