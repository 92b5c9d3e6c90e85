package org.dunlin.it.clients;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Programs of others that tests drive. Any thread. */
final class Tools {
    private static final long DEADLINE_SECONDS = 50;

    private Tools() {}

    /** Skips the test if that program is missing; fails it if the system property dunlin.it.requireTools is true. */
    static void require(String program, String cure) {
        for (String directory : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
            if (Files.isExecutable(Path.of(directory, program))) {
                return;
            }
        }
        missing(program + " is not on the path: " + cure);
    }

    static void missing(String text) {
        if (Boolean.getBoolean("dunlin.it.requireTools")) {
            fail(text);
        }
        abort(text);
    }

    /** Starts a program whose output and errors are read as lines. */
    static Running start(List<String> command) {
        try {
            return new Running(
                    new ProcessBuilder(command).redirectErrorStream(true).start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs a program that has to end with 0. @return its output */
    static List<String> run(List<String> command) {
        try (Running running = start(command)) {
            return running.expectExit(0);
        }
    }

    static final class Running implements AutoCloseable {
        private final Process process;
        private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
        private final Thread reader;

        private Running(Process process) {
            this.process = process;
            reader = new Thread(this::read, "tool-output");
            reader.setDaemon(true);
            reader.start();
        }

        private void read() {
            try (BufferedReader in =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    lines.add(line);
                }
            } catch (IOException e) {
                lines.add("output ended: " + e.getMessage());
            }
        }

        /** The next line of its output. */
        String line() {
            try {
                String line = lines.poll(DEADLINE_SECONDS, TimeUnit.SECONDS);
                if (line == null) {
                    throw new AssertionError("no output of " + process.info());
                }
                return line;
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        /** Reads on until a line contains that text. */
        void await(String text) {
            StringBuilder seen = new StringBuilder();
            while (true) {
                String line = line();
                if (line.contains(text)) {
                    return;
                }
                seen.append(line).append('\n');
                if (!process.isAlive() && lines.isEmpty()) {
                    throw new AssertionError("ended without \"" + text + "\":\n" + seen);
                }
            }
        }

        /** Waits for its end. @return what is left of its output */
        List<String> expectExit(int code) {
            try {
                if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
                    throw new AssertionError("does not end:\n" + String.join("\n", lines));
                }
                reader.join(TimeUnit.SECONDS.toMillis(DEADLINE_SECONDS));
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
            List<String> left = List.copyOf(lines);
            if (process.exitValue() != code) {
                throw new AssertionError("ended with " + process.exitValue() + ":\n" + String.join("\n", left));
            }
            return left;
        }

        /** SIGKILL. */
        @Override
        public void close() {
            process.destroyForcibly();
        }
    }
}
