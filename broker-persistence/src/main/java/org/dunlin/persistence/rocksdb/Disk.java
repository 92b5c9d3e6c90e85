package org.dunlin.persistence.rocksdb;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/** What can fail because of a disk; tests put another in its place. Any thread. */
public class Disk {
    /** Whether that is for want of room; RocksDB says so in a code or, from some places, only in words. */
    public static boolean isFull(@Nullable Throwable cause) {
        return cause instanceof RocksDBException e
                && (e.getStatus() != null && e.getStatus().getSubCode() == Status.SubCode.NoSpace
                        || String.valueOf(e.getMessage()).contains("No space left on device"));
    }

    public void write(Database database, WriteOptions options, WriteBatch rows) throws RocksDBException {
        database.rocks.write(options, rows);
    }

    public void sync(Database database) throws RocksDBException {
        database.rocks.syncWal();
    }

    public Database open(Path directory, long cacheBytes, Database.Mode mode) throws RocksDBException {
        return Database.open(directory, cacheBytes, mode);
    }

    /** Cuts off the logs of a closed database all behind a change. Returns how many bytes that were. */
    public long cutOff(Path directory, long sequence) throws IOException {
        return LogFile.cutBehind(directory, sequence);
    }

    public long usableBytes(Path directory) throws IOException {
        return Files.getFileStore(directory).getUsableSpace();
    }

    public long totalBytes(Path directory) throws IOException {
        return Files.getFileStore(directory).getTotalSpace();
    }
}
