package org.dunlin.persistence.testing;

import java.nio.file.Path;
import java.util.Locale;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreSettings;
import org.dunlin.core.spi.StoreSettings.Durability;
import org.dunlin.persistence.Stores;

/** The stores that all must do the same. */
public enum Engine {
    MEMORY,
    ROCKSDB;

    /** A store that can be closed and opened again. */
    public final class Life implements AutoCloseable {
        private final Path directory;
        public Store store;
        /** What the last opening told. */
        public Told told = new Told();

        private Life(Path directory) throws StoreException {
            this.directory = directory;
            this.store = create();
            store.open(told);
        }

        private Store create() {
            return Stores.create(name().toLowerCase(Locale.ROOT), settings(directory, Durability.FSYNC));
        }

        /** Ends it and opens it again, as a new process would. */
        public Told reopen() throws StoreException {
            store.close();
            if (Engine.this != MEMORY) {
                store = create();
            }
            told = new Told();
            store.open(told);
            return told;
        }

        @Override
        public void close() {
            store.close();
        }
    }

    public Life begin(Path directory) throws StoreException {
        return new Life(directory);
    }

    /** Whatever the disk that tests run on looks like. */
    public static StoreSettings settings(Path directory, Durability durability) {
        return new StoreSettings(directory, durability, 20, 8 << 20, 1, 0);
    }
}
