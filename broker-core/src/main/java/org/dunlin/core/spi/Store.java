package org.dunlin.core.spi;

import java.nio.file.Path;
import java.util.List;
import org.dunlin.core.figures.Histogram;
import org.dunlin.core.spi.StoreBatch.SubscriptionRecord;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what must outlive a connection or the process. Asynchronous and batch-first: no method called from a loop blocks.
 * Any thread, after {@link #open}.
 */
public interface Store extends AutoCloseable {
    /**
     * Opens it and tells all that is kept. Blocks; once, before anything else, and before anybody may connect.
     *
     * @throws StoreException if it cannot be used; then nothing of it has been changed
     */
    void open(Boot boot) throws StoreException;

    /** How far {@link #open} has come. Any thread, also before it and while it runs. */
    default Opening opening() {
        return Opening.NONE;
    }

    /**
     * The broker's time in milliseconds, in which all deadlines are kept: the wall clock when the store was new, from then on
     * steady while the process lives, whatever becomes of the wall clock, and by the wall clock's word over the time between
     * two processes, but never backwards.
     */
    long nowMillis();

    StoreBatch newBatch();

    /**
     * Never blocks. All of the batch becomes visible and durable together, or nothing of it. Batches commit in one order and
     * complete in it: one that was given before another one is given, by whatever thread, is before it.
     *
     * @param done called exactly once, on any thread, possibly before this method returns; must be short
     */
    void write(StoreBatch batch, Completion done);

    /** An identifier above 0 that was never given before, in this process or an earlier one. */
    long nextId();

    /**
     * Reads from a queue what is committed, oldest first. Never blocks.
     *
     * @param afterSeq the place before the first of interest; 0 for the oldest
     * @param throughSeq the last place of interest
     * @param maxMessages at least 1
     * @param maxBytes sum of {@link Message#weight()}; one message is always read
     * @param page called exactly once, on any thread, possibly before this method returns; must be short
     */
    void readQueue(long owner, long afterSeq, long throughSeq, int maxMessages, long maxBytes, Page page);

    /** False while more waits to be written than is good: then publishers should be slowed. */
    boolean isWritable();

    /** Runs a short task once, on any thread, as soon as {@link #isWritable()}; at once if it is. */
    void whenWritable(Runnable task);

    Status status();

    /** What it has measured of itself since it was opened. */
    default Figures figures() {
        return Figures.NONE;
    }

    /**
     * Copies what is committed, at least what was so when it was called, to a directory from which a broker can be started. Blocks;
     * others go on meanwhile.
     *
     * @param directory new or empty
     * @throws StoreException if this store has no files, or the copy fails; what there is of it then is its caller's to remove
     */
    void backup(Path directory) throws StoreException;

    /** What durability means here, in words for the line that is logged at the start. */
    String promise();

    /** Completes what was written; nothing may be written afterwards. Blocks. */
    @Override
    void close();

    /** The end of one {@link Store#write}. */
    interface Completion {
        /** @param failure a text for people, or null if the batch is committed */
        void done(@Nullable String failure);
    }

    /** The end of one {@link Store#readQueue}. */
    interface Page {
        /**
         * @param messages oldest first
         * @param more whether there are others up to the last place asked for
         * @param failure a text for people if the queue is damaged or could not be read, else null
         */
        void read(List<Stored> messages, boolean more, @Nullable String failure);
    }

    /**
     * A message in one queue.
     *
     * @param seq its place
     * @param body what {@link StoreBatch#ack} wants to know of it
     */
    record Stored(long seq, long body, Message message, Qos qos, boolean retain, int[] subscriptionIds) {}

    /** What an {@link #open} tells, on its caller's thread: sessions and groups before all that is theirs. */
    interface Boot {
        /**
         * First of all.
         *
         * @param lastAliveMillis the broker's time at which the former process was last known to live, all that it had written
         *     by then being kept: the moment at which whoever was connected then was disconnected. The present time if there
         *     was none.
         */
        void began(long lastAliveMillis);

        void session(SessionKey key, SessionRecord state);

        void group(SessionKey key, String filter);

        void subscription(long owner, SubscriptionRecord subscription);

        /** The messages of one queue, of which there is at least one; their weight is {@link Message#weight()}. */
        void queue(long owner, long messages, long bytes, long firstSeq, long lastSeq);

        /** PUBREC has come for the message that was at that place, PUBCOMP has not. */
        void released(long owner, long seq, int packetId);

        void numbered(long owner, long seq, int packetId);

        /** A QoS 2 PUBLISH of the client with that identifier waits for PUBREL. */
        void inboundId(long owner, int packetId);

        void retained(Message message, long stamp);

        void delayed(long id, long dueAtMillis, Message message);
    }

    /**
     * How far an {@link #open} has come.
     *
     * @param logBytes of changes that the files have to be brought up to date with, which is done before anything is read
     * @param owners sessions and shared groups
     * @param queued messages in queues
     */
    record Opening(Stage stage, long logBytes, Part owners, Part subscriptions, Part queued, Part retained) {
        public static final Opening NONE = new Opening(Stage.NOT_BEGUN, 0, Part.NONE, Part.NONE, Part.NONE, Part.NONE);

        /** What is done at the moment. */
        public enum Stage {
            NOT_BEGUN,
            /** The files are checked and brought up to date. */
            OPENING_FILES,
            /** What is kept is read and told. */
            READING,
            DONE
        }
    }

    /** @param about how many there are, by what the files say of themselves, which may be too many; never less than those read */
    record Part(long read, long about) {
        public static final Part NONE = new Part(0, 0);
    }

    /**
     * How it is.
     *
     * @param fault why nothing can be written at present, in words for people; null if all is well
     * @param pendingBytes given to it and not yet committed, about
     * @param diskBytes that its files take, about; 0 if it has none
     */
    record Status(@Nullable String fault, long pendingBytes, long diskBytes) {}

    /**
     * What it has measured of itself.
     *
     * @param commits nanoseconds that it took to write one group of batches, and to bring it to disk if that is promised
     * @param groups batches of each of them
     * @param syncs nanoseconds that it took to bring to disk what had been written before
     * @param failures writes and syncs that have failed
     * @param pendingChanges given to it and not yet committed
     * @param freeBytes on its disk; -1 if it has none
     * @param leastFreeBytes of them that have to stay free
     * @param maxBytes that its files may take; 0 for no bound
     */
    record Figures(
            Histogram.Reading commits,
            Histogram.Reading groups,
            Histogram.Reading syncs,
            long failures,
            long pendingChanges,
            long freeBytes,
            long leastFreeBytes,
            long maxBytes) {
        static final Figures NONE =
                new Figures(Histogram.Reading.NONE, Histogram.Reading.NONE, Histogram.Reading.NONE, 0, 0, -1, 0, 0);

        /** Whether there are files. */
        public boolean hasFiles() {
            return freeBytes >= 0;
        }
    }
}
