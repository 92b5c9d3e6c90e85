package org.dunlin.persistence.rocksdb;

import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreSettings;
import org.dunlin.persistence.FileStoreProvider;
import org.dunlin.persistence.StoreFiles;
import org.dunlin.persistence.rocksdb.files.RocksFiles;

/** {@code storage.engine: rocksdb}. Any thread. */
public final class RocksStoreProvider implements FileStoreProvider {
    public RocksStoreProvider() {}

    @Override
    public String name() {
        return "rocksdb";
    }

    @Override
    public Store create(StoreSettings settings) {
        return new RocksStore(settings);
    }

    @Override
    public StoreFiles files(StoreSettings settings) {
        return new RocksFiles(settings);
    }
}
