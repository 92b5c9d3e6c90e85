package org.dunlin.persistence;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.dunlin.core.spi.MemoryStore;
import org.junit.jupiter.api.Test;

class StoresTest {
    @Test
    void create_memory_isFoundByItsName() {
        assertInstanceOf(MemoryStore.class, Stores.create("memory"));
    }

    @Test
    void create_unknownName_saysWhichThereAre() {
        IllegalArgumentException fault = assertThrows(IllegalArgumentException.class, () -> Stores.create("floppy"));
        assertEquals("storage.engine: no store is called 'floppy'; there is memory", fault.getMessage());
    }
}
