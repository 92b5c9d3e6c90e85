package org.dunlin.it.overload;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.dunlin.it.CProgram;
import org.dunlin.it.RunningBroker;

/** Many sessions in a process of their own, crowd.c, which has the commands and what they answer. One thread. */
final class Crowd implements AutoCloseable {
    private final Process process;
    private final Writer commands;
    private final BufferedReader answers;

    /** @param arguments those of crowd.c but the port */
    Crowd(RunningBroker broker, String... arguments) {
        Path program = CProgram.compiled("crowd", "crowd");
        List<String> command = new ArrayList<>(List.of(program.toString(), "port=" + broker.port()));
        command.addAll(List.of(arguments));
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        commands = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8));
        answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    /** Waits until that is done. @return what it counted, by name */
    Map<String, Double> command(String format, Object... arguments) {
        String line = format.formatted(arguments);
        try {
            if (process.isAlive()) {
                commands.write(line + "\n");
                commands.flush();
            }
            String said = answers.readLine();
            System.out.println("crowd " + line + ": " + said);
            Map<String, Double> figures = new HashMap<>();
            for (String pair : String.valueOf(said).split(" ")) {
                String[] parts = pair.split("=");
                if (parts.length != 2) {
                    throw new AssertionError(line + ": " + said);
                }
                figures.put(parts[0], Double.valueOf(parts[1]));
            }
            return figures;
        } catch (IOException e) {
            throw new UncheckedIOException(line, e);
        }
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
