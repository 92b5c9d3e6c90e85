package org.dunlin.architecture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The repository that the tests run in. Any thread. */
final class SourceTree {
    /** Where the parent pom is. */
    static final Path ROOT =
            Path.of(System.getProperty("dunlin.root", "..")).toAbsolutePath().normalize();

    private SourceTree() {}

    /** Every source file of the broker itself. */
    static List<Path> mainSources() throws IOException {
        try (Stream<Path> files = Files.walk(ROOT)) {
            return files.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> ROOT.relativize(file).toString().matches("broker-[a-z]+/src/main/java/.*"))
                    .sorted()
                    .toList();
        }
    }
}
