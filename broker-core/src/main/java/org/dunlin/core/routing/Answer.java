package org.dunlin.core.routing;

import org.dunlin.core.spi.StoreBatch;

/**
 * What the receivers of one shard say to one message; a publisher's acknowledgement waits for it. On the thread of that shard
 * only. A receiver calls exactly one of {@link #taken}, {@link #refused}, {@link #reserve} for each message, either at once or
 * later on what {@link #held} has given it.
 */
public interface Answer {
    /** It has the message, or has dropped it by a rule that takes no notice of the publisher. */
    void taken();

    /** It has no room and its rule is to say so. */
    void refused();

    /** It is owed the message: the store is to put it into that queue. */
    void reserve(StoreBatch.Target target);

    /**
     * It will say so later, on the answer that it gets here.
     *
     * @param giveUp makes it say so at once
     */
    Answer held(Runnable giveUp);
}
