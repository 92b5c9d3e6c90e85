package org.dunlin.it.soak;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.RunningBroker;
import org.dunlin.it.compare.Folders;
import org.dunlin.it.figures.Arguments;
import org.dunlin.it.figures.Figures;
import org.dunlin.it.figures.Report;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;

/**
 * A broker with files under a mixed load for long, slow readers among it: nothing that is owed may be missing, and memory has to stay
 * flat. docs/performance.md says how it is run. Main thread, and one for each party.
 */
public final class Soak {
    private static final Map<String, String> DEFAULTS = Map.of(
            "minutes", "30",
            "rate", "6000",
            "clients", "60",
            "every", "5",
            "collect", "43", // not in step with what the broker does once a minute
            "java", "-Xms512m,-Xmx512m,-XX:+AlwaysPreTouch",
            "seed", "1",
            "work", "target/soak");

    /** After their connection, at most. */
    static final int MINUTES_SESSIONS_LAST = 3;

    /** With small bounds, so that all of them are reached in the first minutes: queues, sessions that expire, memory of the store. */
    private static final List<String> SETTINGS = List.of(
            "metrics.public=true",
            "queue.max-messages=1000",
            "limits.session-expiry-max=" + MINUTES_SESSIONS_LAST + "m",
            "storage.cache-size=8MB");

    /** Below that, caches still fill and code is still compiled. */
    private static final int MINUTES_TO_JUDGE = 10;

    /** Twice what the broker's caches of 8,192 topics and the code that ran for the first time have in the heap. */
    private static final double CACHES_MB = 4;

    /** What may not grow, and by how much a difference says nothing: megabytes, files, threads. */
    private static final Map<String, Double> JUDGED = judged();

    private final Arguments options;
    private final Path work;
    private final Report report;

    private Soak(String[] arguments) throws IOException {
        options = new Arguments(DEFAULTS, arguments);
        work = Folders.fresh(options.path("work"));
        report = new Report(work.resolve("soak.md"));
    }

    /** @param arguments of the form key=value */
    public static void main(String[] arguments) throws Exception {
        try {
            new Soak(arguments).run();
        } catch (IllegalArgumentException | IllegalStateException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
        System.exit(0); // whoever still waits for a packet
    }

    private static Map<String, Double> judged() {
        Map<String, Double> judged = new LinkedHashMap<>();
        for (String memory : List.of(
                Gauges.LIVE_HEAP,
                Gauges.RESIDENT,
                Gauges.NATIVE,
                Gauges.OTHER_JAVA,
                Gauges.BUFFERS,
                Gauges.COUNTED,
                "store_mb")) {
            judged.put(memory, 0.5);
        }
        judged.put(Gauges.OPEN_FILES, 2.0);
        judged.put(Gauges.THREADS, 2.0);
        return judged;
    }

    private void run() throws IOException, InterruptedException {
        List<String> settings = new ArrayList<>(SETTINGS);
        settings.add("storage.path=" + Files.createDirectories(work.resolve("data")));
        try (RunningBroker broker = RunningBroker.run(RunningBroker.command(options.list("java"), settings));
                Samples samples = new Samples(Gauges.columns(), work.resolve("soak.csv"))) {
            Scene scene = new Scene(broker.port(), options.number("seed"));
            Prelude.play(scene);
            Gauges gauges = new Gauges(broker, work);
            Map<String, Double> before = AtRest.await(gauges, scene, "before all came");
            List<Thread> players = new ArrayList<>();
            for (Party party : cast()) {
                players.add(begin(party, scene));
            }
            watch(gauges, samples);
            scene.end();
            for (Thread player : players) {
                player.join(TimeUnit.SECONDS.toMillis(60));
                if (player.isAlive()) {
                    scene.fault(player.getName() + " does not come to its end");
                }
            }
            draw(samples);
            Map<String, Double> after = AtRest.await(gauges, scene, "after all had gone");
            tell(scene, samples, gauges.drops());
            compare(scene, before, after);
            if (broker.stop() != 0) {
                scene.fault("the broker did not stop as it should");
            }
            read(broker.log(), scene);
            verdict(scene, judge(samples));
        }
    }

    /** No chance of those here is a reason for the broker to log an error. */
    private void read(List<String> log, Scene scene) throws IOException {
        Files.write(work.resolve("broker.log"), log);
        log.stream()
                .filter(line -> line.contains(" ERROR ") || line.contains("Exception"))
                .forEach(line -> scene.fault("the broker's log says: " + line));
    }

    private static Thread begin(Party party, Scene scene) {
        Thread player = new Thread(
                () -> {
                    try {
                        party.play(scene);
                    } catch (Throwable e) {
                        scene.fault(party.name() + ": " + e);
                    }
                },
                party.name());
        player.setDaemon(true);
        player.start();
        return player;
    }

    private List<Party> cast() {
        List<Party> cast = new ArrayList<>();
        int pairs = options.number("clients") / 2;
        double rate = options.number("rate") / (double) pairs;
        for (int i = 0; i < pairs; i++) {
            ProtocolVersion version = ProtocolVersion.values()[i / 3 % 3];
            cast.add(new Pair(i, version, Qos.of(i % 3), i / 9 % 2 == 0, rate));
        }
        for (int i = 0; i < 6; i++) {
            cast.add(new Away(i, ProtocolVersion.values()[i % 3], Qos.of(1 + i % 2)));
        }
        cast.add(new Flood(100));
        ProtocolVersion v3 = ProtocolVersion.MQTT_3_1_1;
        ProtocolVersion v5 = ProtocolVersion.MQTT_5;
        cast.add(new SlowReader("slow-5-KB", v3, Qos.AT_LEAST_ONCE, 0, 200, 0, 300, false));
        cast.add(new SlowReader("slow-10-KB", v5, Qos.AT_MOST_ONCE, 0, 100, 0, 200, false));
        cast.add(new SlowReader("never-reads", v3, Qos.AT_MOST_ONCE, 0, -1, 0, 240, false));
        cast.add(new SlowReader("never-reads-stays", v5, Qos.AT_LEAST_ONCE, 0, -1, 0, 90, true));
        cast.add(new SlowReader("acknowledges-late", v5, Qos.AT_LEAST_ONCE, 10, 0, 150, 300, false));
        cast.add(new SlowReader("acknowledges-late-stays", v3, Qos.AT_LEAST_ONCE, 0, 0, 150, 120, true));
        Crew crew = new Crew();
        cast.add(new Crew.Member(crew, "crew-quick-1", 100, 0));
        cast.add(new Crew.Member(crew, "crew-quick-2", 100, 1));
        cast.add(new Crew.Member(crew, "crew-slow", 5, 500));
        cast.add(new Crew.Foreman(crew));
        cast.add(new Retainer(20));
        cast.add(new Stale(3));
        cast.add(new Visitors("visitors-1", 150));
        cast.add(new Visitors("visitors-2", 150));
        return cast;
    }

    private void watch(Gauges gauges, Samples samples) throws IOException, InterruptedException {
        long start = System.nanoTime();
        long end = start + TimeUnit.MINUTES.toNanos(options.number("minutes"));
        long collect = start;
        int histograms = 0;
        for (long due = start; due <= end; due += TimeUnit.SECONDS.toNanos(options.number("every"))) {
            TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
            Map<String, Double> values = new LinkedHashMap<>();
            gauges.read((System.nanoTime() - start) / 1e9, values);
            if (System.nanoTime() >= collect) {
                String file = "heap-%03d.txt".formatted(histograms++);
                values.put(Gauges.LIVE_HEAP, gauges.liveHeap(file) / Gauges.MB);
                collect += TimeUnit.SECONDS.toNanos(options.number("collect"));
            }
            samples.add(values);
        }
    }

    private void draw(Samples samples) throws IOException {
        new Chart(options.number("minutes"))
                .panel(
                        "Memory of the broker",
                        "MB",
                        line(samples, "process (RSS)", "#0969da", Gauges.RESIDENT),
                        line(samples, "heap in use", "#9a9fa6", Gauges.HEAP),
                        line(samples, "heap alive", "#d1480f", Gauges.LIVE_HEAP),
                        line(samples, "network buffers", "#2da44e", Gauges.BUFFERS))
                .panel(
                        "What it keeps",
                        "number of each",
                        line(samples, "queued messages", "#8250df", Gauges.QUEUED),
                        line(samples, "retained messages", "#57ab5a", "retained"),
                        line(samples, "subscriptions", "#bf8700", "subscriptions"),
                        line(samples, "sessions", "#1b9aa0", "sessions"))
                .write(work.resolve("soak.svg"));
    }

    private static Chart.Line line(Samples samples, String name, String colour, String column) {
        return new Chart.Line(name, colour, samples.of(column));
    }

    private void tell(Scene scene, Samples samples, List<String> drops) throws IOException {
        report.say("%d minutes, broker with %s; broker and clients took %s and %s %% of a processor"
                .formatted(
                        options.number("minutes"),
                        options.text("java").replace(',', ' '),
                        Figures.show(mean(samples, Gauges.CPU)),
                        Figures.show(mean(samples, Gauges.CLIENTS_CPU))));
        report.head("Counted", "", "");
        for (String total : List.of("received_total", "sent_total", "dropped_total", "connects_total")) {
            List<Samples.Point> points = samples.of(total);
            report.row(List.of(
                    "broker: " + total.replace("_total", ""),
                    "%,.0f".formatted(points.get(points.size() - 1).value())));
        }
        for (String drop : drops) {
            int end = drop.lastIndexOf(' ');
            report.row(List.of(drop.substring(0, end), drop.substring(end + 1)));
        }
        scene.counts().forEach((what, count) -> row(what, "%,d".formatted(count.sum())));
    }

    /** @return what grows, or of what nothing can be said */
    private List<String> judge(Samples samples) throws IOException {
        report.head(
                "Flat?",
                "",
                "mean",
                "lowest, 2nd third",
                "highest, 2nd third",
                "middle, last sixth",
                "line rises by",
                "scatter from it",
                "");
        List<String> growing = new ArrayList<>();
        for (Map.Entry<String, Double> row : JUDGED.entrySet()) {
            String column = row.getKey();
            List<Samples.Point> points = samples.of(column);
            if (points.size() < Flatness.LEAST) {
                growing.add(column + " (of too few readings: " + points.size() + ")");
                continue;
            }
            Flatness flatness = Flatness.of(points);
            // at this load the compiler still finds something to do after half an hour; the code has a bound of its own
            boolean flat = column.equals(Gauges.OTHER_JAVA)
                    ? !flatness.hasStepped(row.getValue())
                    : flatness.isFlat(row.getValue());
            if (!flat) {
                growing.add(column);
            }
            report.row(List.of(
                    column,
                    Figures.show(flatness.mean()),
                    Figures.show(flatness.lowest()),
                    Figures.show(flatness.highest()),
                    Figures.show(flatness.end()),
                    "%+.2f".formatted(flatness.rise()),
                    "%.2f".formatted(flatness.scatter()),
                    flat ? "flat" : "GROWS"));
        }
        return growing;
    }

    private void compare(Scene scene, Map<String, Double> before, Map<String, Double> after) throws IOException {
        report.head("At rest", "", "before all came", "after all had gone");
        for (String column : after.keySet()) {
            if (!column.endsWith("_total")) {
                report.row(List.of(column, "%.2f".formatted(before.get(column)), "%.2f".formatted(after.get(column))));
            }
        }
        double more = after.get(Gauges.LIVE_HEAP) - before.get(Gauges.LIVE_HEAP);
        if (more > CACHES_MB) {
            scene.fault(
                    "after all had gone, %.1f MB more of the heap are alive than before, which is more than caches take"
                            .formatted(more));
        }
    }

    private void row(String... cells) {
        try {
            report.row(List.of(cells));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static double mean(Samples samples, String column) {
        return samples.of(column).stream()
                .mapToDouble(Samples.Point::value)
                .average()
                .orElse(Double.NaN);
    }

    /** @throws IllegalStateException if something grows, or a message that was owed did not come as it should */
    private void verdict(Scene scene, List<String> growing) throws IOException {
        boolean judged = options.number("minutes") >= MINUTES_TO_JUDGE;
        report.say("\nFaults: " + (scene.faults().isEmpty() ? "none" : String.join("\n- ", scene.faults())));
        report.say("Memory: "
                + (growing.isEmpty()
                        ? "flat"
                        : judged
                                ? "grows: " + growing
                                : "not judged in less than " + MINUTES_TO_JUDGE + " minutes; growing so far: "
                                        + growing));
        if (!scene.faults().isEmpty() || judged && !growing.isEmpty()) {
            throw new IllegalStateException("the broker has not passed; see " + report.file());
        }
    }
}
