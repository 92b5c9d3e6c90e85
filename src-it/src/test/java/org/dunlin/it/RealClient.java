package org.dunlin.it;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * A program that people use against a broker, as a process of its own: mosquitto's clients, or a script for node. A test whose
 * program is missing is skipped with a message, or fails under {@code -Ddunlin.it.requireTools=true}. One thread at a time; its
 * output is read by another one.
 */
public final class RealClient implements AutoCloseable {
    private static final long DEADLINE_SECONDS = 20;

    private final String command;
    private final Process process;
    private final List<String> output = new ArrayList<>();
    private final Thread reader;
    private boolean ended;

    private RealClient(List<String> command, Path folder) {
        this.command = String.join(" ", command);
        try {
            process = new ProcessBuilder(command)
                    .directory(folder.toFile())
                    .redirectErrorStream(true)
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        reader = new Thread(this::read, "output of " + command.get(0));
        reader.setDaemon(true);
        reader.start();
    }

    /** Starts mosquitto_pub against a broker, with arguments such as "-t", "a/b", "-m", "text", "-q", "1". */
    public static RealClient mosquittoPub(RunningBroker broker, String... arguments) {
        return mosquitto("mosquitto_pub", broker, arguments);
    }

    /** Starts mosquitto_sub; with "-d" among the arguments, {@link #awaitLine} can wait for its SUBACK. */
    public static RealClient mosquittoSub(RunningBroker broker, String... arguments) {
        return mosquitto("mosquitto_sub", broker, arguments);
    }

    private static RealClient mosquitto(String program, RunningBroker broker, String... arguments) {
        // Into a pipe, mosquitto_sub would keep its lines back until its buffer is full.
        List<String> command = new ArrayList<>(List.of(program("stdbuf").toString(), "-oL"));
        command.addAll(List.of(program(program).toString(), "-h", "127.0.0.1", "-p", Integer.toString(broker.port())));
        command.addAll(Arrays.asList(arguments));
        return new RealClient(command, Path.of("."));
    }

    /** Starts a script of src-it/js by node; it may use MQTT.js. Its arguments are the port and those given. */
    public static RealClient node(String script, RunningBroker broker, String... arguments) {
        Path folder = scripts();
        Path node = program("node");
        List<String> command = new ArrayList<>(List.of(node.toString(), script, Integer.toString(broker.port())));
        command.addAll(Arrays.asList(arguments));
        return new RealClient(command, folder);
    }

    /** The folder src-it/js with MQTT.js and those libraries in it; without them the test ends here. */
    public static Path scripts(String... libraries) {
        Path folder = Path.of(System.getProperty("dunlin.root", ".."), "src-it", "js");
        List<String> needed = new ArrayList<>(List.of("mqtt"));
        needed.addAll(Arrays.asList(libraries));
        for (String library : needed) {
            if (!Files.isDirectory(folder.resolve("node_modules").resolve(library))) {
                missing(library + " is not installed: npm ci --prefix src-it/js");
            }
        }
        return folder;
    }

    /** Starts any program, of the PATH unless it is named by its own path, with nothing to read. */
    public static RealClient run(String program, String... arguments) {
        List<String> command = new ArrayList<>(
                List.of(program.indexOf('/') >= 0 ? program : program(program).toString()));
        command.addAll(Arrays.asList(arguments));
        RealClient started = new RealClient(command, Path.of("."));
        try {
            started.process.getOutputStream().close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return started;
    }

    /** Where a program of the PATH is; without it the test ends here. */
    public static Path program(String name) {
        for (String folder : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator)) {
            Path file = Path.of(folder, name);
            if (Files.isExecutable(file)) {
                return file;
            }
        }
        missing(name + " is not on the PATH");
        throw new AssertionError("not reached");
    }

    /** Ends the test here: skipped, or failed where everything has to be there. */
    public static void missing(String what) {
        assertTrue(!Boolean.getBoolean("dunlin.it.requireTools"), what);
        abort(what);
    }

    private void read() {
        try (var lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                add(line);
            }
        } catch (IOException e) {
            add(e.toString()); // the process was ended
        }
        synchronized (output) {
            ended = true;
            output.notifyAll();
        }
    }

    private void add(String line) {
        synchronized (output) {
            output.add(line);
            output.notifyAll();
        }
    }

    /** Waits for a line of its output that contains the text. */
    public String awaitLine(String text) {
        return awaitLine(text, DEADLINE_SECONDS);
    }

    /** The same, for so long. */
    public String awaitLine(String text, long seconds) {
        return awaitLine("a line with \"" + text + "\"", seconds, line -> line.contains(text));
    }

    private String awaitLine(String what, long seconds, Predicate<String> wanted) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        synchronized (output) {
            int next = 0;
            while (true) {
                for (; next < output.size(); next++) {
                    if (wanted.test(output.get(next))) {
                        return output.get(next);
                    }
                }
                long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (ended || left <= 0) {
                    throw new AssertionError((ended ? "ended without " : "no ") + what + ": " + this);
                }
                try {
                    output.wait(left);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
        }
    }

    /** What it has said so far. */
    public List<String> lines() {
        synchronized (output) {
            return List.copyOf(output);
        }
    }

    /** Waits for its end. @return its exit code */
    public int awaitExit() {
        try {
            if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
                throw new AssertionError("still running: " + this);
            }
            reader.join(TimeUnit.SECONDS.toMillis(DEADLINE_SECONDS));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return process.exitValue();
    }

    /** Waits until it has ended with 0. @return its output */
    public List<String> awaitSuccess() {
        int code = awaitExit();
        if (code != 0) {
            throw new AssertionError("exit code " + code + ": " + this);
        }
        synchronized (output) {
            return List.copyOf(output);
        }
    }

    /** Ends it at once, if it has not ended. */
    @Override
    public void close() {
        process.destroyForcibly();
    }

    @Override
    public String toString() {
        synchronized (output) {
            return command + "\n" + String.join("\n", output);
        }
    }
}
