package org.dunlin.persistence;

import java.nio.file.Path;
import java.util.List;
import org.dunlin.core.spi.StoreException;

/**
 * The files of a store while no broker uses them: looked at, copied, mended, told and made. One thread at a time; every method
 * blocks, as long as it takes to read all that is kept. A directory that a broker uses is refused as
 * {@link StoreException.Kind#LOCKED}.
 */
public interface StoreFiles {
    /**
     * Reads every file and every record and changes nothing.
     *
     * @throws StoreException if there is no store, or it cannot even be looked at; damage is no exception here
     */
    Inspection inspect() throws StoreException;

    /**
     * Copies all to a directory from which a broker can be started, and reads the copy.
     *
     * @param target must not exist or be empty
     * @return what the copy holds
     * @throws StoreException also if the store is damaged; then no copy is left
     */
    Inspection backup(Path target) throws StoreException;

    /**
     * Gives up what cannot be read, so that the rest can be used: the damaged files are put aside, and new ones made of all
     * that is whole. Changes nothing if nothing is damaged.
     */
    Repair repair() throws StoreException;

    /**
     * Tells all that is kept, of a store that a broker could be started from.
     *
     * @throws StoreException also if it is damaged; part of it may have been told by then
     */
    <X extends Exception> void tell(Contents<X> listener) throws StoreException, X;

    /** Begins to make a store of what it is told, in a directory that is empty or not there. */
    Filling fill() throws StoreException;

    /** A store in the making; what was not finished is removed when it is closed. */
    interface Filling extends Contents<StoreException>, AutoCloseable {
        /** From now on a broker can be started from it. */
        void finish() throws StoreException;

        @Override
        void close();
    }

    /**
     * How much of everything there is.
     *
     * @param queuedBytes what the queued messages weigh
     * @param bodies messages that are kept once for several queues
     * @param flows QoS 2 exchanges under way, in both directions, and packet identifiers out of turn
     * @param diskBytes of the files
     */
    record Census(
            long sessions,
            long groups,
            long subscriptions,
            long queued,
            long queuedBytes,
            long bodies,
            long flows,
            long retained,
            long delayed,
            long diskBytes) {}

    /**
     * One kind of fault.
     *
     * @param count how often
     * @param where the first of them
     */
    record Fault(String what, long count, String where) {}

    /**
     * What was found.
     *
     * @param notes what is no fault and still worth a word
     */
    record Inspection(Census census, List<Fault> faults, List<String> notes) {
        public Inspection {
            faults = List.copyOf(faults);
            notes = List.copyOf(notes);
        }
    }

    /**
     * What a repair came to.
     *
     * @param found before
     * @param kept rows that are in the new files
     * @param dropped rows that could be read but not be used
     * @param gaps places where nothing could be read; nobody knows how many rows were there
     * @param lostChanges at the end of the log, which were on disk; at least
     * @param aside where the damaged files are; the data directory if there was nothing to do
     */
    record Repair(Inspection found, long kept, long dropped, long gaps, long lostChanges, Path aside) {}
}
