package org.dunlin.server.auth;

import org.dunlin.core.spi.Authenticator;

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

    /** Returns at once; who waits for an answer gets none. */
    @Override
    void close();
}
