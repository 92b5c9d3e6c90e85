package org.dunlin.persistence.rocksdb;

import java.util.function.LongSupplier;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreException.Kind;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens the database, after having looked what state it is in without changing it. One thread, once. */
final class Recovery {
    private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);

    private final DataDirectory directory;
    private final Disk disk;
    private final long cacheBytes;
    private final LongSupplier wallMillis;

    Recovery(DataDirectory directory, Disk disk, long cacheBytes, LongSupplier wallMillis) {
        this.directory = directory;
        this.disk = disk;
        this.cacheBytes = cacheBytes;
        this.wallMillis = wallMillis;
    }

    Database open(boolean used, Mark.@Nullable State mark) throws StoreException, RocksDBException {
        return disk.open(directory.database(), cacheBytes, Database.Mode.USE);
    }

    static StoreException explain(DataDirectory directory, RocksDBException e) {
        Status status = e.getStatus();
        if (status != null && status.getSubCode() == Status.SubCode.NoSpace) {
            return new StoreException(
                    Kind.NO_SPACE,
                    "storage.path " + directory.root() + " cannot be opened: the disk is full (" + e.getMessage()
                            + "); free some space there",
                    e);
        }
        if (status != null && status.getCode() == Status.Code.Corruption) {
            return directory.damaged(String.valueOf(e.getMessage()));
        }
        return new StoreException(
                Kind.IO, "storage.path " + directory.root() + " cannot be opened: " + e.getMessage(), e);
    }
}
