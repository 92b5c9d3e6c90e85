package org.dunlin.persistence.rocksdb;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
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
    /** What the next openings end with, after they have been made. */
    volatile RocksDBException afterOpen;

    /** How often something was to be written. */
    final AtomicInteger writes = new AtomicInteger();

    volatile IOException onCutOff;
    volatile long usable = Long.MAX_VALUE;
    private volatile Database opened;
    /** Held while a write is under way. */
    final ReentrantLock gate = new ReentrantLock();

    @Override
    public void write(Database database, WriteOptions options, WriteBatch rows) throws RocksDBException {
        gate.lock();
        try {
            if (beforeWrite != null) {
                throw beforeWrite;
            }
            writes.incrementAndGet();
            super.write(database, options, rows);
            if (afterWrite != null) {
                throw afterWrite;
            }
        } finally {
            gate.unlock();
        }
    }

    @Override
    public void sync(Database database) throws RocksDBException {
        if (onSync != null) {
            throw onSync;
        }
        super.sync(database);
    }

    @Override
    public Database open(Path directory, long cacheBytes, Database.Mode mode) throws RocksDBException {
        if (onOpen != null) {
            throw onOpen;
        }
        Database database = super.open(directory, cacheBytes, mode);
        if (afterOpen != null) {
            database.close();
            throw afterOpen;
        }
        opened = database;
        return opened;
    }

    @Override
    public long cutOff(Path directory, long sequence) throws IOException {
        if (onCutOff != null) {
            throw onCutOff;
        }
        return super.cutOff(directory, sequence);
    }

    /** Makes a copy of a data directory in use as it would be if the process was killed now. */
    Path killed(Path live, Path copy) throws IOException {
        gate.lock();
        try (Stream<Path> files = Files.walk(live)) {
            opened.rocks.pauseBackgroundWork();
            for (Path file : (Iterable<Path>) files::iterator) {
                Path to = copy.resolve(live.relativize(file));
                if (Files.isDirectory(file)) {
                    Files.createDirectories(to);
                } else if (!file.startsWith(live.resolve("native"))) {
                    Files.copy(file, to);
                }
            }
            opened.rocks.continueBackgroundWork();
        } catch (RocksDBException e) {
            throw new IOException(e);
        } finally {
            gate.unlock();
        }
        return copy;
    }

    @Override
    public long usableBytes(Path directory) {
        return usable;
    }

    @Override
    public long totalBytes(Path directory) {
        return 1L << 40;
    }
}
