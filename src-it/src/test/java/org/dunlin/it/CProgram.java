package org.dunlin.it;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Sources of src-it/src/test/c, each compiled once for all tests by the C compiler of the machine. Any thread. */
public final class CProgram {
    private static final Map<String, Path> MADE = new HashMap<>();

    private CProgram() {}

    /**
     * Without a compiler, or on another system than Linux, the test ends here.
     *
     * @param source its name, without .c
     * @param made name of the file that it becomes, in target
     * @return the file
     */
    public static synchronized Path compiled(String source, String made, String... options) {
        Path known = MADE.get(source);
        if (known != null) {
            return known;
        }
        assumeTrue("Linux".equals(System.getProperty("os.name")), source + ".c is for Linux");
        Path file = Path.of("target", made).toAbsolutePath();
        Path root = Path.of(System.getProperty("dunlin.root", ".."));
        List<String> command = new ArrayList<>(List.of(RealClient.program("cc").toString()));
        command.addAll(List.of("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", file.toString()));
        command.add(root.resolve(Path.of("src-it", "src", "test", "c", source + ".c"))
                .toString());
        command.addAll(List.of(options));
        try {
            Files.createDirectories(file.getParent());
            Process compiler =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            String said = new String(compiler.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (compiler.waitFor() != 0) {
                throw new AssertionError(
                        source + ".c cannot be compiled; are the headers of the C library there?\n" + said);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        MADE.put(source, file);
        return file;
    }
}
