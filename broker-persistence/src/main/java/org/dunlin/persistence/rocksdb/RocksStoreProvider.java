package org.dunlin.persistence.rocksdb;

import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreProvider;
import org.dunlin.core.spi.StoreSettings;

/** {@code storage.engine: rocksdb}. Any thread. */
public final class RocksStoreProvider implements StoreProvider {
    public RocksStoreProvider() {}

    @Override
    public String name() {
        return "rocksdb";
    }

    @Override
    public Store create(StoreSettings settings) {
        return new RocksStore(settings);
    }
}
