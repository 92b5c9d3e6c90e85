package org.dunlin.server.acl;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The client identifier and user name that a pattern is filled in with. Both are the client's own choice, at least in part, so
 * what could make a pattern say something else is not filled in: wildcards, a level's end, nothing at all. Any thread.
 */
final class Names {
    private final String clientId;
    private final @Nullable String userName;
    private final boolean clientFits;
    private final boolean userFits;
    private final boolean wild;

    Names(String clientId, @Nullable String userName) {
        this.clientId = clientId;
        this.userName = userName;
        this.clientFits = fits(clientId);
        this.userFits = userName != null && fits(userName);
        this.wild = hasWildcard(clientId) || userName != null && hasWildcard(userName);
    }

    private static boolean fits(String name) {
        return !name.isEmpty() && name.indexOf('/') < 0 && name.indexOf(0) < 0 && !hasWildcard(name);
    }

    private static boolean hasWildcard(String name) {
        return name.indexOf('+') >= 0 || name.indexOf('#') >= 0;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Names that && clientId.equals(that.clientId) && Objects.equals(userName, that.userName);
    }

    @Override
    public int hashCode() {
        return 31 * clientId.hashCode() + Objects.hashCode(userName);
    }

    String clientId() {
        return clientId;
    }

    @Nullable
    String userName() {
        return userName;
    }

    /** May the client identifier stand for %c? */
    boolean clientFits() {
        return clientFits;
    }

    /** May the user name, which there is, stand for %u? */
    boolean userFits() {
        return userFits;
    }

    /** Whether one of them has a wildcard: then no pattern allows anything, as with mosquitto. */
    boolean areWild() {
        return wild;
    }
}
