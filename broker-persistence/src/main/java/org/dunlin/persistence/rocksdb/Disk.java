package org.dunlin.persistence.rocksdb;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/** What can fail because of a disk; tests put another in its place. Any thread. */
class Disk {
    void write(Database database, WriteOptions options, WriteBatch rows) throws RocksDBException {
        database.rocks.write(options, rows);
    }

    void sync(Database database) throws RocksDBException {
        database.rocks.syncWal();
    }

    Database open(Path directory, long cacheBytes, Database.Mode mode) throws RocksDBException {
        return Database.open(directory, cacheBytes, mode);
    }

    long usableBytes(Path directory) throws IOException {
        return Files.getFileStore(directory).getUsableSpace();
    }

    long totalBytes(Path directory) throws IOException {
        return Files.getFileStore(directory).getTotalSpace();
    }
}
