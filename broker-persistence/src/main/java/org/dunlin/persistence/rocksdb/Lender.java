package org.dunlin.persistence.rocksdb;

import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * Lends the open database to readers and housekeeping, and takes it away from them when it has to be closed: a native object
 * that is used after its end takes the process with it. Any thread but an event loop.
 */
final class Lender {
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock(true);
    private @Nullable Database database;

    /** What is done with the database. */
    interface Use<T> {
        T with(Database database) throws RocksDBException, Records.Unreadable;
    }

    /** @throws RocksDBException also if there is none at present */
    <T> T use(Use<T> use) throws RocksDBException, Records.Unreadable {
        lock.readLock().lock();
        try {
            Database present = database;
            if (present == null) {
                throw new RocksDBException("the files are closed");
            }
            return use.with(present);
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Waits until nobody uses it; then all who want it wait for {@link #give}, by the same thread. */
    void take() {
        lock.writeLock().lock();
        database = null;
    }

    /** @param next null if there is none for the time being */
    void give(@Nullable Database next) {
        database = next;
        lock.writeLock().unlock();
    }
}
