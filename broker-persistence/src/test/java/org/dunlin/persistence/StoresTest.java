package org.dunlin.persistence;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import org.dunlin.core.spi.MemoryStore;
import org.dunlin.core.spi.StoreSettings;
import org.junit.jupiter.api.Test;

class StoresTest {
    private static final StoreSettings ANY =
            new StoreSettings(Path.of("unused"), StoreSettings.Durability.FSYNC, 100, 1 << 20, 0, 0);

    @Test
    void create_memory_isFoundByItsName() {
        assertInstanceOf(MemoryStore.class, Stores.create("memory", ANY));
    }

    @Test
    void create_unknownName_saysWhichThereAre() {
        IllegalArgumentException fault =
                assertThrows(IllegalArgumentException.class, () -> Stores.create("floppy", ANY));
        assertEquals("storage.engine: no store is called 'floppy'; there is memory, rocksdb", fault.getMessage());
    }
}
