package org.dunlin.persistence;

import org.dunlin.core.spi.MemoryStore;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreProvider;
import org.dunlin.core.spi.StoreSettings;

/** {@code storage.engine: memory}. Any thread. */
public final class MemoryStoreProvider implements StoreProvider {
    public MemoryStoreProvider() {}

    @Override
    public String name() {
        return "memory";
    }

    @Override
    public Store create(StoreSettings settings) {
        return new MemoryStore();
    }
}
