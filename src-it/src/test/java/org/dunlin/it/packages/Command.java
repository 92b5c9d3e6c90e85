package org.dunlin.it.packages;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What a program of a package answered: its exit code, and all that it said. It runs without DUNLIN_* and JAVA_HOME of whoever
 * tests. Any thread.
 */
record Command(int exitCode, String text) {
    private static final long DEADLINE_MINUTES = 10;

    static Command run(List<String> command) {
        return run(Map.of(), command);
    }

    static Command run(Map<String, String> environment, List<String> command) {
        try {
            Path output = Files.createTempFile("output", null);
            try {
                ProcessBuilder builder = new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectInput(Path.of("/dev/null").toFile())
                        .redirectOutput(output.toFile()); // a pipe would last as long as what the program leaves behind
                builder.environment().keySet().removeIf(name -> name.startsWith("DUNLIN_") || name.equals("JAVA_HOME"));
                builder.environment().putAll(environment);
                Process process = builder.start();
                try {
                    if (!process.waitFor(DEADLINE_MINUTES, TimeUnit.MINUTES)) {
                        throw new AssertionError("does not end: " + command + "\n" + text(output));
                    }
                    return new Command(process.exitValue(), text(output));
                } finally {
                    process.descendants().forEach(ProcessHandle::destroyForcibly);
                    process.destroyForcibly();
                }
            } finally {
                Files.delete(output);
            }
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static String text(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
    }

    /** What it said, if it ended with 0. */
    String expectSuccess(Object what) {
        if (exitCode != 0) {
            throw new AssertionError(what + " ended with " + exitCode + ":\n" + text);
        }
        return text;
    }

    static boolean asRoot() {
        return run(List.of("id", "-u")).text().strip().equals("0");
    }

    /** The one file of a folder whose name is like that. */
    static Path only(Path folder, String name) throws IOException {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, name)) {
            files.forEach(found::add);
        }
        if (found.size() != 1) {
            throw new AssertionError("expected one " + name + " in " + folder + ", found " + found);
        }
        return found.get(0);
    }
}
