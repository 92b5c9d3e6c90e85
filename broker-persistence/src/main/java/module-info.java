import org.dunlin.core.spi.StoreProvider;
import org.dunlin.persistence.MemoryStoreProvider;
import org.dunlin.persistence.rocksdb.RocksStoreProvider;

/** Stores by their configured name. */
@SuppressWarnings("requires-automatic") // RocksDB has no module descriptor
module org.dunlin.persistence {
    requires transitive org.dunlin.core;
    requires org.slf4j;
    requires com.fasterxml.jackson.core;
    requires rocksdbjni;
    requires static org.jspecify;

    exports org.dunlin.persistence;

    uses StoreProvider;

    provides StoreProvider with
            MemoryStoreProvider,
            RocksStoreProvider;
}
