package org.dunlin.it.compare;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.stream.Stream;

/** Folders for one run. Any thread. */
public final class Folders {
    private Folders() {}

    /** Empty, whatever was there before. */
    public static Path fresh(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (Stream<Path> paths = Files.walk(folder)) {
                paths.sorted(Collections.reverseOrder()).forEach(Folders::delete);
            }
        }
        return Files.createDirectories(folder);
    }

    private static void delete(Path path) {
        try {
            Files.delete(path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
