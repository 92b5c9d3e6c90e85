package org.dunlin.server.auth;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.dunlin.core.spi.Authenticator;
import org.dunlin.mqtt.ReasonCode;

/** One of those that an {@link AuthenticatorChain} asks: it knows some users, and by what they prove themselves. */
public interface Member extends Authenticator, AutoCloseable {
    /** The word that is the source of every identity it has proven, and of no other's. */
    String source();

    /** Whether what a CONNECT carries is for it to decide; then nobody else is asked. */
    boolean isFor(Credentials credentials);

    /** What a client sends to be known here, as an order: "send a token as password". */
    String wants();

    /**
     * Begins to follow its files.
     *
     * @param changed called whenever {@link #review} may answer otherwise than before, by a thread that may wait
     */
    void watch(Runnable changed);

    /**
     * Asks somebody about each login once more when its turn to be checked has come: others may have failed while it waited.
     * Nobody is asked unless this is called.
     */
    void ask(Gate gate);

    /** Says how a login stands with those that failed before it. Any thread; must be quick. */
    interface Gate {
        /** Nobody is kept out. */
        Gate OPEN = login -> Integer.MAX_VALUE;

        /** @return how many logins like this one may fail before the next is refused unseen; 0 if this one is */
        int left(Credentials login);
    }

    /** Of a login that was let in before others failed, and is not looked at any more. */
    Answer.Refused TOO_LATE = new Answer.Refused(
            ReasonCode.BANNED, "too many failed logins from this address meanwhile; see auth.ban.after");

    /** Has its files looked at now; completes when what they say is in force. */
    default CompletionStage<Void> hurry() {
        return CompletableFuture.completedFuture(null);
    }

    /** Returns at once; who waits for an answer gets none. */
    @Override
    void close();
}
