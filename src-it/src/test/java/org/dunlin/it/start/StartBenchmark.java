package org.dunlin.it.start;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.it.figures.Arguments;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.jspecify.annotations.Nullable;

/**
 * Measures how long the packed broker takes to serve again after SIGKILL, with much in its files, and on an empty
 * directory. The page cache of the system is warm. docs/benchmarks.md says how it is run. Main thread.
 */
public final class StartBenchmark {
    private static final Pattern BROUGHT_BACK = Pattern.compile("Brought back .* in (\\d+) ms");

    private static final Map<String, String> DEFAULTS = Map.of(
            "sessions", "100000",
            "queued", "1000000",
            "retained", "1000000",
            "bytes", "100",
            "rounds", "5",
            "java", "-XX:+ExitOnOutOfMemoryError",
            "work", "target/start",
            "keep", "false");

    private final Arguments options;
    private final Path work;
    private final List<String> javaOptions;

    private StartBenchmark(String[] arguments) throws IOException {
        options = new Arguments(DEFAULTS, arguments);
        work = Files.createDirectories(options.path("work"));
        javaOptions = options.list("java");
    }

    /** @param arguments of the form key=value */
    public static void main(String[] arguments) throws IOException {
        try {
            new StartBenchmark(arguments).run();
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }

    private void run() throws IOException {
        Contents contents = new Contents(
                options.number("sessions"),
                options.number("queued"),
                options.number("retained"),
                options.number("bytes"));
        Path full = work.resolve("full");
        boolean keep = Boolean.parseBoolean(options.text("keep"));
        if (!keep || !Files.exists(full.resolve("db"))) {
            delete(full);
            fill(contents, full);
        }
        print(
                "%s, %d MB of files, %d processor(s), Java %s, %s%n",
                contents,
                size(full) >> 20,
                Runtime.getRuntime().availableProcessors(),
                Runtime.version(),
                String.join(" ", javaOptions));
        print(
                "%-22s %9s %9s %9s %9s %9s %9s %9s%n",
                "ms since the start of", "files", "Ready", "CONNACK", "PUBLISH", "CPU", "MB", "peak MB");
        Path copy = work.resolve("copy");
        String someone = Contents.clientId(contents.sessions() / 2);
        for (int round = 1; round <= options.number("rounds"); round++) {
            delete(copy);
            measure("no files", copy, null);
            measure("empty, after SIGKILL", copy, null);
            delete(copy);
            copy(full, copy);
            measure("full, after SIGKILL", copy, someone);
            measure("full, once more", copy, someone); // the first start has moved the log into tables
        }
        delete(copy);
        if (!keep) {
            delete(full);
        }
    }

    private void fill(Contents contents, Path directory) throws IOException {
        long began = System.nanoTime();
        RunningBroker broker = RunningBroker.run(command(directory, "none")); // the same in the files, and sooner there
        try {
            contents.fill(broker.port());
        } finally {
            broker.kill();
        }
        print("Filled in %d s%n", TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - began));
    }

    private List<String> command(Path directory, String durability) {
        List<String> command = new ArrayList<>(List.of(RunningBroker.java()));
        command.addAll(javaOptions);
        command.addAll(List.of("-jar", RunningBroker.jar().toString(), "start", "-p", "0"));
        command.addAll(List.of("-d", directory.toString()));
        command.addAll(List.of("--set", "storage.durability=" + durability));
        command.addAll(List.of("--set", "limits.max-retained=10000000"));
        command.addAll(List.of("--set", "limits.max-retained-bytes=10GB"));
        return command;
    }

    /**
     * Starts, connects, and ends by SIGKILL.
     *
     * @param clientId who comes to take its messages; null for a client without a session
     */
    private void measure(String what, Path directory, @Nullable String clientId) throws IOException {
        List<String> command = command(directory, "fsync");
        long began = System.nanoTime();
        RunningBroker broker = RunningBroker.launch(command);
        try (MqttSocket client = MqttSocket.open(broker.port())) {
            long ready = millisSince(began);
            ConnAck connAck =
                    client.connect(Connect.builder(ProtocolVersion.MQTT_3_1_1, clientId == null ? "somebody" : clientId)
                            .cleanStart(clientId == null)
                            .build());
            if (connAck.sessionPresent() != (clientId != null)) {
                throw new IllegalStateException("session present: " + connAck.sessionPresent());
            }
            long connected = millisSince(began);
            long received = 0;
            if (clientId != null) {
                client.receive(Publish.class);
                received = millisSince(began);
            }
            long cpu = ProcessHandle.of(broker.pid())
                    .flatMap(process -> process.info().totalCpuDuration())
                    .map(Duration::toMillis)
                    .orElse(0L);
            print("%-22s %9d %9d %9d %9d %9d", what, files(broker), ready, connected, received, cpu);
            print(" %9d %9d%n", memory(broker, "VmRSS"), memory(broker, "VmHWM"));
        } finally {
            broker.kill();
        }
    }

    private static long millisSince(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanos);
    }

    /** Milliseconds for what is in the files, by the log. */
    private static long files(RunningBroker broker) {
        Matcher matcher = BROUGHT_BACK.matcher(broker.awaitLog("Brought back"));
        return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
    }

    /** @return 0 where there is no /proc */
    private static long memory(RunningBroker broker, String name) throws IOException {
        Path status = Path.of("/proc", Long.toString(broker.pid()), "status");
        if (!Files.exists(status)) {
            return 0;
        }
        for (String line : Files.readAllLines(status)) {
            if (line.startsWith(name + ":")) {
                return Long.parseLong(line.replaceAll("\\D", "")) >> 10;
            }
        }
        return 0;
    }

    private static List<Path> below(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return List.of();
        }
        try (Stream<Path> paths = Files.walk(directory)) {
            return paths.toList();
        }
    }

    private static long size(Path directory) throws IOException {
        long bytes = 0;
        for (Path path : below(directory)) {
            bytes += Files.isRegularFile(path) ? Files.size(path) : 0;
        }
        return bytes;
    }

    private static void copy(Path from, Path to) throws IOException {
        for (Path path : below(from)) {
            Files.copy(path, to.resolve(from.relativize(path)));
        }
    }

    private static void delete(Path directory) throws IOException {
        List<Path> paths = new ArrayList<>(below(directory));
        Collections.reverse(paths);
        for (Path path : paths) {
            Files.delete(path);
        }
    }

    private static void print(String format, Object... values) {
        System.out.printf(Locale.ROOT, format, values);
        System.out.flush();
    }
}
