package org.dunlin.server.auth;

import java.util.Set;
import org.dunlin.core.spi.Authenticator.Answer;
import org.dunlin.core.spi.Authenticator.Identity;
import org.dunlin.mqtt.ReasonCode;
import org.jspecify.annotations.Nullable;

/** Any thread. Says whether a listener takes clients that prove nothing, and what to send where it does not. */
final class Anonymous {
    static final String SOURCE = "anonymous";

    private final Set<String> open;
    private final String wanted;

    /**
     * @param open names of the listeners that take them
     * @param wanted what a client could send instead: "send a token as password"
     */
    Anonymous(Set<String> open, String wanted) {
        this.open = Set.copyOf(open);
        this.wanted = wanted;
    }

    /** @param claimed a user name that nobody has proven and nobody else claims to prove, or null */
    Answer answer(String listener, @Nullable String claimed) {
        return open.contains(listener)
                ? new Answer.Accepted(Identity.of(claimed, SOURCE), null)
                : new Answer.Refused(
                        ReasonCode.NOT_AUTHORIZED, "listener " + listener + " takes no anonymous clients; " + wanted);
    }
}
