package org.dunlin.persistence.rocksdb;

import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/** A disk that fails when it is told to. Any thread. */
class FaultyDisk extends Disk {
    static final RocksDBException FULL = new RocksDBException(
            "No space left on device", new Status(Status.Code.IOError, Status.SubCode.NoSpace, "No space"));
    static final RocksDBException BROKEN =
            new RocksDBException("Input/output error", new Status(Status.Code.IOError, Status.SubCode.None, "EIO"));

    /** What the next writes end with, before or after they have been made. */
    volatile RocksDBException beforeWrite;

    volatile RocksDBException afterWrite;
    volatile RocksDBException onSync;
    volatile RocksDBException onOpen;
    volatile long usable = Long.MAX_VALUE;
    /** Held while a write is under way. */
    final ReentrantLock gate = new ReentrantLock();

    @Override
    void write(Database database, WriteOptions options, WriteBatch rows) throws RocksDBException {
        gate.lock();
        try {
            if (beforeWrite != null) {
                throw beforeWrite;
            }
            super.write(database, options, rows);
            if (afterWrite != null) {
                throw afterWrite;
            }
        } finally {
            gate.unlock();
        }
    }

    @Override
    void sync(Database database) throws RocksDBException {
        if (onSync != null) {
            throw onSync;
        }
        super.sync(database);
    }

    @Override
    Database open(Path directory, long cacheBytes, Database.Mode mode) throws RocksDBException {
        if (onOpen != null) {
            throw onOpen;
        }
        return super.open(directory, cacheBytes, mode);
    }

    @Override
    long usableBytes(Path directory) {
        return usable;
    }

    @Override
    long totalBytes(Path directory) {
        return 1L << 40;
    }
}
