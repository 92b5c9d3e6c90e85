package org.dunlin.it.power;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.RealClient;
import org.jspecify.annotations.Nullable;

/** powercut.c, compiled once for all tests by the C compiler of the machine. Any thread. */
final class Shim {
    private static final int SYNC_MICROS = 2000;

    private static @Nullable Path library;

    private Shim() {}

    /**
     * What a command has to be put behind so that a journal is kept of what it does below a folder.
     *
     * @param lies syncs of files whose names end so are not; empty for a disk that keeps its word
     */
    static List<String> watching(Path folder, Path journal, String lies) {
        List<String> prefix = new ArrayList<>(List.of(
                "env",
                "LD_PRELOAD=" + library(),
                "POWERCUT_DIR=" + folder,
                "POWERCUT_JOURNAL=" + journal,
                "POWERCUT_SYNC_MICROS=" + SYNC_MICROS));
        if (!lies.isEmpty()) {
            prefix.add("POWERCUT_LIES=" + lies);
        }
        return prefix;
    }

    /** Without a compiler, or on another system than Linux, the test ends here. */
    private static synchronized Path library() {
        Path known = library;
        if (known != null) {
            return known;
        }
        assumeTrue("Linux".equals(System.getProperty("os.name")), "powercut.c is for Linux");
        Path source = Path.of(System.getProperty("dunlin.root", ".."), "src-it", "src", "test", "c", "powercut.c");
        Path made = Path.of("target", "powercut.so").toAbsolutePath();
        try {
            Files.createDirectories(made.getParent());
            Process compiler = new ProcessBuilder(
                            RealClient.program("cc").toString(),
                            "-std=gnu11",
                            "-O2",
                            "-Wall",
                            "-Wextra",
                            "-Werror",
                            "-shared",
                            "-fPIC",
                            "-o",
                            made.toString(),
                            source.toString(),
                            "-ldl")
                    .redirectErrorStream(true)
                    .start();
            String said = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (compiler.waitFor() != 0) {
                throw new AssertionError(
                        "powercut.c cannot be compiled; are the headers of the C library there?\n" + said);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        library = made;
        return made;
    }
}
