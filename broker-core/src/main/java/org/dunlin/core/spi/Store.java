package org.dunlin.core.spi;

import org.jspecify.annotations.Nullable;

/**
 * Keeps what must outlive a connection or the process. Asynchronous and batch-first: no method called from a loop blocks.
 * Any thread.
 */
public interface Store extends AutoCloseable {
    StoreBatch newBatch();

    /**
     * Never blocks. All of the batch becomes visible and durable together, or nothing of it. Batches commit in one order, in
     * which those of one thread keep theirs, and complete in that order.
     *
     * @param done called exactly once, on any thread, possibly before this method returns; must be short
     */
    void write(StoreBatch batch, Completion done);

    /** A session identifier that was never given before. */
    long nextSid();

    /** What durability means here, in words for the line that is logged at the start. */
    String promise();

    /** Completes what was written; nothing may be written afterwards. */
    @Override
    void close();

    /** The end of one {@link Store#write}. */
    interface Completion {
        /** @param failure a text for people, or null if the batch is committed */
        void done(@Nullable String failure);
    }
}
