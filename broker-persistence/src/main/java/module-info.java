import org.dunlin.core.spi.StoreProvider;
import org.dunlin.persistence.MemoryStoreProvider;

/** Stores by their configured name. */
module org.dunlin.persistence {
    requires transitive org.dunlin.core;
    requires static org.jspecify;

    exports org.dunlin.persistence;

    uses StoreProvider;

    provides StoreProvider with
            MemoryStoreProvider;
}
