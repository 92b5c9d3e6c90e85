package org.dunlin.it.security;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.RunningBroker;

/** {@code dunlin user} of the packed jar, as a process of its own, on one password file. */
final class Accounts {
    private static final long SECONDS = 60;

    private final Path file;
    private final StringBuilder output = new StringBuilder();

    Accounts(Path file) {
        this.file = file;
    }

    Path file() {
        return file;
    }

    void add(String user, String password) throws IOException, InterruptedException {
        succeeds(password, "add", user, "--stdin");
    }

    void change(String user, String password) throws IOException, InterruptedException {
        succeeds(password, "passwd", user, "--stdin");
    }

    void remove(String user) throws IOException, InterruptedException {
        succeeds("", "remove", user);
    }

    private void succeeds(String input, String... arguments) throws IOException, InterruptedException {
        Process process = begin(input, arguments);
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        output.append(said);
        assertTrue(process.waitFor(SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0, said);
    }

    /** Starts the command and gives it its input. */
    Process begin(String input, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(
                List.of(RunningBroker.java(), "-jar", RunningBroker.jar().toString(), "user"));
        command.addAll(List.of(arguments));
        command.addAll(List.of("-f", file.toString()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try (OutputStream in = process.getOutputStream()) {
            in.write(input.getBytes(StandardCharsets.UTF_8));
        }
        return process;
    }

    /** All that the commands have said. */
    String output() {
        return output.toString();
    }
}
