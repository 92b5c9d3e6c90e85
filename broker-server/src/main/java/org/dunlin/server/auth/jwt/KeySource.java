package org.dunlin.server.auth.jwt;

import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;

/** Where the keys of tokens come from. Any thread. */
interface KeySource extends AutoCloseable {
    /** Those that count now; null if none have come yet. */
    @Nullable
    VerificationKeys keys();

    /**
     * Gets them now, if they come from elsewhere; before {@link #watch}, by a thread that may wait.
     *
     * @throws ConfigException if there are none
     */
    default void load() throws ConfigException {}

    /** Begins to follow changes. */
    void watch();

    /**
     * Says that a token names a key that is not there.
     *
     * @return whether it is worth while to try again in a few seconds
     */
    boolean missed();

    /** Returns at once. */
    @Override
    void close();

    /** Keys that never change. */
    static KeySource of(VerificationKeys keys) {
        return new KeySource() {
            @Override
            public VerificationKeys keys() {
                return keys;
            }

            @Override
            public void watch() {}

            @Override
            public boolean missed() {
                return false;
            }

            @Override
            public void close() {}
        };
    }
}
