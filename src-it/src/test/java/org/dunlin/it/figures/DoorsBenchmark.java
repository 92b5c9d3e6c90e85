package org.dunlin.it.figures;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Measures the packed broker from outside: what encryption, logins and rights cost, over the loopback network. The figures are
 * ratios to the plainest case of the same round. docs/performance.md says how it is run. Main thread.
 */
public final class DoorsBenchmark {
    private static final Map<String, Workload> WORKLOADS = new LinkedHashMap<>();

    static {
        WORKLOADS.put("transport", new TransportWorkload());
        WORKLOADS.put("handshakes", new HandshakeWorkload());
        WORKLOADS.put("passwords", new PasswordWorkload());
        WORKLOADS.put("rights", new RightsWorkload());
    }

    private DoorsBenchmark() {}

    /** @param arguments of the form key=value */
    public static void main(String[] arguments) throws Exception {
        try {
            run(new Options(arguments));
        } catch (IllegalArgumentException | IllegalStateException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }

    private static void run(Options options) throws Exception {
        for (String name : options.list("what")) {
            if (!WORKLOADS.containsKey(name)) {
                throw new IllegalArgumentException("no workload " + name + "; known: " + WORKLOADS.keySet());
            }
        }
        Path work = options.work();
        Report report = new Report(work.resolve("figures.md"));
        long began = System.nanoTime();
        report.say("%d processor(s), %s, Java %s, broker %s, driver %d thread(s), %d round(s) of %s s"
                .formatted(
                        Runtime.getRuntime().availableProcessors(),
                        System.getProperty("os.name") + " " + System.getProperty("os.version"),
                        Runtime.version(),
                        options.text("java"),
                        options.threads(),
                        options.number("rounds"),
                        options.text("seconds")));
        try (Driver driver = new Driver(options.threads())) {
            Meter meter = new Meter(driver);
            for (String name : options.list("what")) {
                WORKLOADS.get(name).run(options, meter, report, folder(work, name));
            }
        }
        report.say("\nNo message was lost or doubled. " + (System.nanoTime() - began) / 1_000_000_000 + " s in all; "
                + "also in " + report.file().getFileName());
    }

    /** Without the files of a run before. */
    private static Path folder(Path work, String name) throws IOException {
        Path folder = Files.createDirectories(work.resolve(name));
        try (DirectoryStream<Path> old = Files.newDirectoryStream(folder)) {
            for (Path file : old) {
                Files.delete(file);
            }
        }
        return folder;
    }
}
