package org.dunlin.it.compare;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Programs that are run. Any thread. */
final class Processes {
    private Processes() {}

    /** @param output of both kinds */
    static Process begin(List<String> command, Path output) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().removeIf(name -> name.startsWith("DUNLIN_"));
        return builder.redirectErrorStream(true).redirectOutput(output.toFile()).start();
    }

    /** @throws IllegalStateException if it does not end with 0, with its last words */
    static void complete(List<String> command, Path output) throws IOException {
        int code;
        try {
            code = begin(command, output).waitFor();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        if (code != 0) {
            throw new IllegalStateException(String.join(" ", command) + " ended with " + code + ": " + end(output));
        }
    }

    static String end(Path output) throws IOException {
        List<String> lines = Files.readAllLines(output);
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
    }
}
