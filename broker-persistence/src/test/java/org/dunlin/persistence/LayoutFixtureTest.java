package org.dunlin.persistence;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreSettings.Durability;
import org.dunlin.persistence.testing.Engine;
import org.dunlin.persistence.testing.Sample;
import org.dunlin.persistence.testing.Told;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Data directories as former versions have left them, one of each layout, which every later version must be able to open. A
 * fixture is never made anew: only a new layout adds one, with {@code -Ddunlin.fixture=FOLDER -Ddunlin.fixture.layout=N}.
 */
class LayoutFixtureTest {
    @TempDir
    Path directory;

    private static Store store(Path data) {
        return Stores.create("rocksdb", Engine.settings(data, Durability.FSYNC));
    }

    private static List<String> contents(Path data) throws StoreException {
        Told told = new Told();
        try (Store store = store(data)) {
            store.open(told);
            return Sample.contents(store, told);
        }
    }

    private static InputStream resource(String name) {
        InputStream in = LayoutFixtureTest.class.getResourceAsStream(name);
        assertNotNull(in, name);
        return in;
    }

    private static void unzip(InputStream from, Path to) throws IOException {
        try (ZipInputStream zip = new ZipInputStream(from)) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                Path file = to.resolve(entry.getName());
                Files.createDirectories(file.getParent());
                Files.copy(zip, file);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = 1)
    void directoryOfEveryLayout_isOpened_withAllThatWasPutIn(int layout) throws Exception {
        Path data = directory.resolve("data");
        unzip(resource("layout-" + layout + ".zip"), data);
        assertTrue(Files.readString(data.resolve("FORMAT")).contains("layout=" + layout + "\n"));
        List<String> expected;
        try (InputStream in = resource("layout-" + layout + ".txt")) {
            expected = new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
        }
        assertEquals(
                List.of(),
                Stores.files("rocksdb", Engine.settings(data, Durability.FSYNC))
                        .inspect()
                        .faults());
        assertEquals(expected, lines(contents(data)));
        assertEquals(expected, lines(contents(data)), "opened once more");
    }

    /** A client identifier may hold the end of a line. */
    private static List<String> lines(List<String> contents) {
        return contents.stream().map(text -> text.replace("\n", "\\n")).toList();
    }

    @Test
    @EnabledIfSystemProperty(named = "dunlin.fixture", matches = ".+")
    void write() throws Exception {
        Path data = directory.resolve("data");
        try (Store store = store(data)) {
            store.open(new Told());
            Sample.fill(store);
        }
        List<String> contents = contents(data);
        Path folder = Path.of(System.getProperty("dunlin.fixture"));
        String name = "layout-" + System.getProperty("dunlin.fixture.layout");
        Files.write(folder.resolve(name + ".txt"), lines(contents));
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(folder.resolve(name + ".zip")));
                Stream<Path> files = Files.walk(data)) {
            for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                String entry = data.relativize(file).toString().replace('\\', '/');
                if (!entry.startsWith("native/") && !entry.contains("LOG") && !entry.endsWith("LOCK.broker")) {
                    zip.putNextEntry(new ZipEntry(entry));
                    Files.copy(file, zip);
                    zip.closeEntry();
                }
            }
        }
    }
}
