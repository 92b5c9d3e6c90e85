package org.dunlin.core.spi;

import org.jspecify.annotations.Nullable;

/** Says what clients may do. Called on any loop's thread: it answers from memory, at once. */
public interface Authorizer {
    /**
     * The rights of a client that connects, or whose rights are reviewed ({@code Broker.review}). What it answers is asked
     * until the next review, so a rule that changes needs one.
     */
    Rights rights(Client client);

    /**
     * The rights of a client whose session has come back from the store, while it is away. They decide on its will and delayed
     * messages alone: what is queued for it is decided on again when it comes. What a token said of it is not known any more.
     */
    default Rights restored(String clientId, @Nullable String userName) {
        return rights(new Client(clientId, userName, null));
    }

    /** @param claims what its token says of rights, or null if it has none */
    record Client(
            String clientId,
            @Nullable String userName,
            @Nullable Claims claims) {}

    /** What somebody who proved a client says of its rights; understood by whoever made it alone. Immutable. */
    interface Claims {}

    /** Everybody may do everything. */
    Authorizer ALL = client -> Rights.ALL;
}
