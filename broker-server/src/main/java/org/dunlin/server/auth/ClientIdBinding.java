package org.dunlin.server.auth;

import org.dunlin.core.client.Admittance;
import org.dunlin.server.config.Quote;
import org.jspecify.annotations.Nullable;

/** Which client identifiers a user may have, so that nobody takes another one's. Any thread. */
public enum ClientIdBinding {
    /** Any that is free. */
    OFF,
    /** The user name. */
    USER,
    /** The user name, a colon, and what has no colon: so each identifier is one user's, even if user names have colons. */
    PREFIX;

    /**
     * Identifiers that the broker has assigned are anybody's: nobody can guess them.
     *
     * @param user null if nobody knows
     * @return null if the client may have it; else why not
     */
    @Nullable
    String refusal(String clientId, @Nullable String user) {
        if (this == OFF || Admittance.isAssigned(clientId) || user != null && isOf(clientId, user)) {
            return null;
        }
        String may = user == null
                ? "without a user name it has to be empty"
                : this == USER
                        ? "it has to be the user name"
                        : "it has to be " + Quote.of(user + ":...") + ", with no further colon";
        return "this client identifier is not the user's: " + may + "; see auth.bind-client-id";
    }

    private boolean isOf(String clientId, String user) {
        return this == USER
                ? clientId.equals(user)
                : clientId.startsWith(user + ":") && clientId.lastIndexOf(':') == user.length();
    }
}
