package org.dunlin.it;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The packed broker as a process of its own, on a free port of 127.0.0.1. Ends with the test run at the latest. */
public final class RunningBroker implements AutoCloseable {
    private static final Pattern READY = Pattern.compile(" Ready .*tcp://127\\.0\\.0\\.1:(\\d+)");
    private static final long START_SECONDS = 60;
    private static final long STOP_SECONDS = 30;

    private final Process process;
    private final List<String> log = new ArrayList<>();
    private final CompletableFuture<Integer> ready = new CompletableFuture<>();
    private final Thread reader;

    private RunningBroker(List<String> command) {
        try {
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.environment().keySet().removeIf(name -> name.startsWith("DUNLIN_")); // settings of whoever tests
            builder.environment().put("DUNLIN_ADMIN_PORT", "0");
            process = builder.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        reader = new Thread(this::read, "broker-log");
        reader.setDaemon(true);
        reader.start();
    }

    /** Starts one with settings of the form key=value, and waits until it serves. */
    public static RunningBroker start(List<String> settings) {
        return run(command(List.of("-Xmx1g"), settings));
    }

    /** Starts one by that command, and waits until it serves. */
    public static RunningBroker run(List<String> command) {
        RunningBroker broker = launch(command);
        broker.port();
        return broker;
    }

    /** Starts one by that command without waiting; {@link #port()} waits until it serves. */
    public static RunningBroker launch(List<String> command) {
        return new RunningBroker(command);
    }

    /** What starts the packed broker on a free port. */
    public static List<String> command(List<String> javaOptions, List<String> settings) {
        return command(javaOptions, 0, settings);
    }

    /** What starts the packed broker on a port, 0 for a free one. Its data directory is the setting storage.path. */
    public static List<String> command(List<String> javaOptions, int port, List<String> settings) {
        List<String> command = new ArrayList<>(List.of(java(), "-ea"));
        command.addAll(javaOptions);
        command.addAll(List.of("-jar", jar().toString(), "start", "-p", Integer.toString(port)));
        for (String setting : settings) {
            command.add("--set");
            command.add(setting);
        }
        if (settings.stream().noneMatch(setting -> setting.startsWith("admin."))) {
            command.addAll(List.of("--set", "admin.port=0")); // several brokers may run
        }
        if (settings.stream().noneMatch(setting -> setting.startsWith("storage."))) {
            command.add("-d");
            command.add(newDataDirectory().toString());
        }
        return command;
    }

    /** An empty one below the build's own, where the next clean build removes it. */
    public static Path newDataDirectory() {
        try {
            return Files.createTempDirectory(Files.createDirectories(Path.of("target", "data")), "broker-")
                    .toAbsolutePath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The java that runs it: that of the system property {@code dunlin.it.java}, or the one of the tests. */
    public static String java() {
        return System.getProperty(
                "dunlin.it.java",
                Path.of(System.getProperty("java.home"), "bin", "java").toString());
    }

    /** The packed broker. */
    public static Path jar() {
        Path jar = Path.of(System.getProperty("dunlin.it.jar", "../broker-server/target/dunlin.jar"))
                .toAbsolutePath()
                .normalize();
        if (!Files.exists(jar)) {
            throw new IllegalStateException(jar + " is missing: mvn -q -DskipTests package makes it");
        }
        return jar;
    }

    private void read() {
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                synchronized (log) {
                    log.add(line);
                    log.notifyAll();
                }
                Matcher matcher = READY.matcher(line);
                if (matcher.find()) {
                    ready.complete(Integer.parseInt(matcher.group(1)));
                }
            }
        } catch (IOException e) {
            ready.completeExceptionally(e);
        }
        ready.completeExceptionally(new IllegalStateException("the broker ended before it was ready"));
    }

    /** The port it serves on. */
    public int port() {
        try {
            return ready.get(START_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            process.destroyForcibly();
            throw new AssertionError("the broker is not ready:\n" + String.join("\n", log()), e);
        }
    }

    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** A new client connection, not yet with a CONNECT. */
    public MqttSocket socket() {
        return MqttSocket.open(port());
    }

    /** Lines of its log so far. */
    public List<String> log() {
        synchronized (log) {
            return List.copyOf(log);
        }
    }

    /** Waits until a line of the log contains the text. */
    public String awaitLog(String text) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        synchronized (log) {
            while (true) {
                for (String line : log) {
                    if (line.contains(text)) {
                        return line;
                    }
                }
                long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (left <= 0) {
                    throw new AssertionError("no log line with \"" + text + "\" in:\n" + String.join("\n", log));
                }
                try {
                    log.wait(left);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
        }
    }

    /** Sends SIGTERM. @return the exit code */
    public int stop() {
        process.destroy();
        return awaitExit();
    }

    /** Waits until it ends by itself. @return the exit code */
    public int awaitExit() {
        try {
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError("the broker did not stop:\n" + String.join("\n", log()));
            }
            reader.join(TimeUnit.SECONDS.toMillis(STOP_SECONDS));
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return process.exitValue();
    }

    /** Sends SIGKILL and waits for the end. */
    public void kill() {
        process.destroyForcibly();
        process.onExit().join();
    }

    @Override
    public void close() {
        if (process.isAlive()) {
            stop();
        }
    }
}
