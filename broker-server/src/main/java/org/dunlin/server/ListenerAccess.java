package org.dunlin.server;

import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.dunlin.core.spi.Authenticator;
import org.dunlin.mqtt.ReasonCode;

/** Any thread. Lets everybody in through the listeners that are open to all, and nobody through the others. */
final class ListenerAccess implements Authenticator {
    private final Set<String> open;

    /** @param open names of the listeners whose clients need not say who they are */
    ListenerAccess(Set<String> open) {
        this.open = Set.copyOf(open);
    }

    /** It takes every name for what it says. */
    @Override
    public boolean provesUsers() {
        return false;
    }

    @Override
    public CompletionStage<Answer> authenticate(Credentials credentials) {
        Answer answer = open.contains(credentials.listener())
                ? Answer.Accepted.as(credentials.userName())
                : new Answer.Refused(
                        ReasonCode.NOT_AUTHORIZED,
                        "listener " + credentials.listener() + " takes no anonymous clients; see auth.allow-anonymous");
        return CompletableFuture.completedFuture(answer);
    }
}
