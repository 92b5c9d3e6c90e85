package org.dunlin.persistence;

import org.dunlin.core.spi.MemoryStore;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreProvider;

/** {@code storage.engine: memory}. Any thread. */
public final class MemoryStoreProvider implements StoreProvider {
    public MemoryStoreProvider() {}

    @Override
    public String name() {
        return "memory";
    }

    @Override
    public Store create() {
        return new MemoryStore();
    }
}
