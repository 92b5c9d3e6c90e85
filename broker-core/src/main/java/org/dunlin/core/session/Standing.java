package org.dunlin.core.session;

import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.TopicFilter;
import org.jspecify.annotations.Nullable;

/**
 * Who the client of a session is, and what it may do: as its latest connection has proven it, by the rights of then or of the latest
 * review. Shard thread only.
 */
final class Standing {
    private Authorizer.Client client;
    private Rights rights = Rights.ALL;
    private boolean restored;
    private Reviews.@Nullable Review review;
    /** By whose answers all subscriptions are as they are; null if that is not sure. */
    private @Nullable Rights settledBy;

    Standing(String clientId) {
        this.client = new Authorizer.Client(clientId, null, null);
    }

    /** To ask for its rights. */
    Authorizer.Client client() {
        return client;
    }

    Rights rights() {
        return rights;
    }

    /** It has other rights from now on, perhaps as somebody of whom more is known. */
    void authorize(Authorizer.Client who, Rights may) {
        client = who;
        rights = may;
    }

    /** A connection has come for the session. */
    void attach(Authorizer.Client who, Rights may) {
        authorize(who, may);
        restored = false;
    }

    /** The session has come back from the store. */
    void restore(Authorizer.Client who, Rights may) {
        authorize(who, may);
        restored = true;
    }

    /** Whether the session has come back from the store, and no client has come for it since. */
    boolean isRestored() {
        return restored;
    }

    /** Whether a message may be delivered to it. */
    boolean mayReceive(Message message) {
        return rights.receivesAll() || rights.mayReceive(message.topic());
    }

    /** Whether it may have what the shared group of that filter lends. */
    boolean mayBorrow(Message lent, String filter) {
        return mayReceive(lent) && (review == null || review.allows(filter));
    }

    /** What to ask for each message of a subscription; null if nothing. */
    @Nullable
    Rights guardOf(TopicFilter filter) {
        return rights.receivesAllOf(filter) ? null : rights;
    }

    // ---- whether its subscriptions have its rights

    /** The review that is under way, or null. */
    Reviews.@Nullable Review review() {
        return review;
    }

    void reviewed(Reviews.Review by) {
        review = by;
        settledBy = null;
    }

    /** @param complete whether a review by equal rights would change nothing */
    void settled(boolean complete) {
        review = null;
        settledBy = complete ? rights : null;
    }

    boolean isSettled() {
        return rights.equals(settledBy);
    }
}
