package org.dunlin.it.compare;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The load generator, a program in C with one thread ({@code src-it/load/mqload.c}): its processor time takes little from the
 * broker on the other core. Any thread.
 */
public final class LoadGenerator {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path program;
    private final Path folder;

    private LoadGenerator(Path program, Path folder) {
        this.program = program;
        this.folder = folder;
    }

    /** Compiles it. @throws IllegalStateException if there is no C compiler, or it has something to say against it */
    public static LoadGenerator build(Path folder) throws IOException {
        Path program = folder.resolve("mqload");
        Path source = Path.of("load", "mqload.c").toAbsolutePath();
        if (!Files.exists(program)
                || Files.getLastModifiedTime(program).compareTo(Files.getLastModifiedTime(source)) < 0) {
            Processes.complete(
                    List.of("cc", "-O2", "-std=gnu11", "-o", program.toString(), source.toString()),
                    folder.resolve("mqload.log"));
        }
        return new LoadGenerator(program, folder);
    }

    /**
     * Runs it to its end.
     *
     * @param seconds after which it is ended
     * @throws IllegalStateException if it could not measure, with what it said
     */
    public JsonNode run(List<String> arguments, long seconds) throws IOException {
        Path output = Files.createTempFile(folder, "load-", ".json");
        try {
            Process process = begin(arguments, output);
            try {
                if (!process.waitFor(seconds, TimeUnit.SECONDS)) {
                    throw new IllegalStateException("not done in " + seconds + " s: " + String.join(" ", arguments));
                }
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            } finally {
                process.destroyForcibly();
            }
            return answer(output, arguments);
        } finally {
            Files.deleteIfExists(output);
        }
    }

    /** Begins a run that goes on beside others; its bounds are in the arguments. */
    public Process begin(List<String> arguments, Path output) throws IOException {
        List<String> command = new ArrayList<>(List.of(program.toString()));
        command.addAll(arguments);
        Process process = Processes.begin(command, output);
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        return process;
    }

    /** What a run has said at its end. */
    static JsonNode answer(Path output, List<String> arguments) throws IOException {
        List<String> lines = Files.readAllLines(output);
        try {
            return JSON.readTree(lines.get(lines.size() - 1));
        } catch (JsonProcessingException | IndexOutOfBoundsException e) {
            throw new IllegalStateException("mqload " + String.join(" ", arguments) + " said: " + lines, e);
        }
    }
}
