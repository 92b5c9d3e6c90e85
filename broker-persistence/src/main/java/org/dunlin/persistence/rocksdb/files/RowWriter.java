package org.dunlin.persistence.rocksdb.files;

import java.nio.file.Path;
import org.dunlin.persistence.rocksdb.Database;
import org.dunlin.persistence.rocksdb.Layout.Family;
import org.rocksdb.FlushOptions;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/** Fills a new database with rows; nothing is on disk before {@link #finish}. One thread. */
final class RowWriter implements AutoCloseable {
    private static final long CACHE_BYTES = 8 << 20;
    private static final long BATCH_BYTES = 1 << 20;

    private final Database database;
    private final WriteBatch batch = new WriteBatch();
    private final WriteOptions options = new WriteOptions().setDisableWAL(true);

    /** @param path of the database, which is made */
    RowWriter(Path path) throws RocksDBException {
        this.database = Database.open(path, CACHE_BYTES, Database.Mode.USE);
        try {
            database.mergeTables(); // of all that is yet to come
        } catch (RocksDBException e) {
            database.close();
            throw e;
        }
    }

    Database database() {
        return database;
    }

    void put(Family family, byte[] key, byte[] value) throws RocksDBException {
        batch.put(database.family(family), key, value);
        if (batch.getDataSize() > BATCH_BYTES) {
            write();
        }
    }

    void delete(Family family, byte[] key) throws RocksDBException {
        batch.delete(database.family(family), key);
    }

    void write() throws RocksDBException {
        database.rocks.write(options, batch);
        batch.clear();
    }

    /** Brings all to disk. Returns RocksDB's number of the last change. */
    long finish() throws RocksDBException {
        write();
        try (FlushOptions flush = new FlushOptions().setWaitForFlush(true)) {
            database.rocks.flush(flush, database.families());
        }
        return database.rocks.getLatestSequenceNumber();
    }

    /** How many rows a family has. */
    long count(Family family) throws RocksDBException {
        long count = 0;
        try (ReadOptions options = new ReadOptions().setFillCache(false);
                RocksIterator rows = database.rocks.newIterator(database.family(family), options)) {
            for (rows.seekToFirst(); rows.isValid(); rows.next()) {
                count++;
            }
            rows.status();
        }
        return count;
    }

    @Override
    public void close() {
        options.close();
        batch.close();
        database.close();
    }
}
