package org.dunlin.it.compare;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.figures.Arguments;
import org.dunlin.it.figures.Figures;
import org.dunlin.it.figures.Report;

/**
 * Dunlin beside other brokers: the same workloads, one broker after the other in each round, in turning order. What holds on a
 * shared machine is the ratio of processor time to another broker's in the same round. docs/performance.md says how it is run.
 * Main thread.
 */
public final class Comparison {
    /** Of the answers of the load generator: percent of one core that something else took. */
    private static final String OTHERS = "other_cpu_pct";

    private static final Map<String, String> DEFAULTS = Map.of(
            "brokers", "mosquitto,dunlin,hivemq-ce,moquette",
            "only", "",
            "rounds", "5",
            "seconds", "2",
            "warmup", "10",
            "noise", "25",
            "cores", "",
            "work", "target/comparison");

    private final Arguments options;
    private final Path work;
    private final Path lines;
    private final LoadGenerator load;
    private final Report report;
    private final Figures figures = new Figures();
    private final List<RivalBroker> brokers = new ArrayList<>();
    private final List<String> faults = new ArrayList<>();

    private Comparison(String[] arguments) throws IOException {
        options = new Arguments(DEFAULTS, arguments);
        work = Files.createDirectories(options.path("work"));
        lines = work.resolve("figures.jsonl");
        Files.deleteIfExists(lines);
        report = new Report(work.resolve("figures.md"));
        load = LoadGenerator.build(work);
    }

    /** @param arguments of the form key=value */
    public static void main(String[] arguments) throws IOException {
        try {
            new Comparison(arguments).run();
        } catch (IllegalArgumentException | IllegalStateException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }

    private void run() throws IOException {
        List<String> only = options.list("only");
        List<Workload> workloads = Workload.all().stream()
                .filter(workload -> options.text("only").isEmpty() || only.contains(workload.name()))
                .toList();
        List<Rival> rivals = new ArrayList<>();
        for (String name : options.list("brokers")) {
            Rival rival = Rival.prepare(name, work);
            rivals.add(options.text("cores").isEmpty() ? rival : rival.on(options.text("cores")));
        }
        try {
            for (Rival rival : rivals) {
                report.say("- " + rival.name() + ": " + rival.settings());
            }
            report.say("- %d processor(s), %s %s, Java %s, %s rounds of %s s after %s s to warm up"
                    .formatted(
                            Runtime.getRuntime().availableProcessors(),
                            System.getProperty("os.name"),
                            System.getProperty("os.version"),
                            Runtime.version(),
                            options.text("rounds"),
                            options.text("seconds"),
                            options.text("warmup")));
            if (only.contains("start") || options.text("only").isEmpty()) {
                new Starts(load, work).measure(rivals, options.number("rounds"), report);
            }
            for (Rival rival : rivals) {
                if (!workloads.isEmpty()) {
                    brokers.add(RivalBroker.serving(rival, Folders.fresh(work.resolve("run-" + rival.name()))));
                }
            }
            warmUp();
            for (Workload workload : workloads) {
                if (workloads.stream().noneMatch(other -> other.name().equals(workload.beside()))) {
                    measure(workloads.stream()
                            .filter(other -> other == workload || other.beside().equals(workload.name()))
                            .toList());
                }
            }
        } finally {
            brokers.forEach(RivalBroker::close);
        }
        for (String fault : faults) {
            report.say("\n" + fault);
        }
        report.say("\nEach reading: " + lines.getFileName() + " beside " + report.file());
        if (faults.stream().anyMatch(fault -> fault.startsWith("dunlin"))) {
            throw new IllegalStateException("Dunlin lost, doubled or turned round messages, or did not serve");
        }
    }

    /** Pairs at each quality of service, a third of the time each, for those that compile while they run. */
    private void warmUp() throws IOException {
        for (RivalBroker broker : brokers) {
            for (int qos = 0; broker.rival().java() && qos <= 2; qos++) {
                List<String> arguments = new ArrayList<>(
                        List.of("pubsub -w 50 --pubs 10 --subs 10 --e2e 100 --warmup 0 --drain 1".split(" ")));
                arguments.addAll(List.of("-q", "" + qos, "-d", "" + options.number("warmup") / 3.0));
                arguments.addAll(broker.address());
                load.run(arguments, options.number("warmup") + 30);
            }
        }
    }

    /** A workload and those that are held against it, one after the other on each broker in each round, in turning order. */
    private void measure(List<Workload> together) throws IOException {
        List<RivalBroker> order = new ArrayList<>(brokers);
        List<Workload> turning = new ArrayList<>(together);
        for (int round = 0; round <= options.number("rounds"); round++) {
            for (RivalBroker broker : order) {
                for (Workload workload : turning) {
                    if (round > 0) {
                        record(workload, broker, round, quietly(workload, broker));
                    } else if (broker.rival().java()) {
                        // what is compiled for this workload alone is not paid for by the rounds
                        once(workload, broker, Math.max(seconds(), options.number("warmup") / 2.0));
                    }
                }
            }
            Collections.reverse(order);
            Collections.reverse(turning);
        }
        for (Workload workload : together) {
            tell(workload);
        }
    }

    /** Once more, twice at most, if something else kept the processors busy; the quietest counts. */
    private JsonNode quietly(Workload workload, RivalBroker broker) throws IOException {
        JsonNode best = once(workload, broker, seconds());
        for (int again = 0; again < 2 && noise(best) > options.number("noise"); again++) {
            JsonNode next = once(workload, broker, seconds());
            best = noise(next) < noise(best) ? next : best;
        }
        return best;
    }

    private static double noise(JsonNode answer) {
        return Math.max(
                answer.path(OTHERS).asDouble(), answer.path("c_" + OTHERS).asDouble());
    }

    private double seconds() {
        return options.decimal("seconds");
    }

    private JsonNode once(Workload workload, RivalBroker broker, double seconds) throws IOException {
        List<String> arguments = new ArrayList<>(workload.arguments());
        arguments.addAll(broker.address());
        if (workload.isFlow()) {
            arguments.addAll(List.of("--warmup", "0.6", "-d", Double.toString(seconds), "--drain", "1.5"));
        }
        return load.run(arguments, workload.limit());
    }

    private void record(Workload workload, RivalBroker broker, int round, JsonNode answer) throws IOException {
        String who = broker.rival().name();
        Files.writeString(
                lines,
                "{\"round\":%d,\"broker\":\"%s\",\"workload\":\"%s\",\"answer\":%s}\n"
                        .formatted(round, who, workload.name(), answer),
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
        try {
            Workload.verify(who, workload, answer);
        } catch (IllegalStateException e) {
            faults.add(e.getMessage());
        }
        double[] values = new double[workload.more().size() + 3];
        values[0] = Workload.number(answer, workload.figure());
        for (int i = 0; i < workload.more().size(); i++) {
            Workload.Figure figure = workload.more().get(i);
            values[i + 1] = Workload.number(answer, figure.path()) * figure.factor();
        }
        values[values.length - 2] = noise(answer);
        values[values.length - 1] = broker.memory() / 1024.0;
        figures.add(workload.name() + " " + who, values);
    }

    private void tell(Workload workload) throws IOException {
        List<String> columns = new ArrayList<>(List.of("", workload.figure().endsWith("_ms") ? "ms" : "CPU, µs"));
        columns.add("to mosquitto" + (workload.bar() > 0 ? ", bar " + workload.bar() : ""));
        boolean beside =
                figures.has(workload.beside() + " " + brokers.get(0).rival().name(), 1);
        if (beside) {
            columns.add("to its own " + workload.beside() + ", bar " + Workload.SURCHARGE);
        }
        workload.more().forEach(figure -> columns.add(figure.title()));
        columns.addAll(List.of("others, %", "memory, MB"));
        report.head(workload.name() + ": " + workload.title(), columns.toArray(new String[0]));
        String base = workload.name() + " mosquitto";
        for (RivalBroker broker : brokers) {
            String name = broker.rival().name();
            String row = workload.name() + " " + name;
            List<String> cells = new ArrayList<>(List.of(name, Figures.show(figures.median(row, 0))));
            cells.add(figures.has(base, 1) ? "%.3f".formatted(figures.ratio(row, base, 0)) : "-");
            if (beside) {
                cells.add("%.3f".formatted(figures.ratio(row, workload.beside() + " " + name, 0)));
            }
            for (int column = 1; column < workload.more().size() + 3; column++) {
                cells.add(Figures.show(figures.median(row, column)));
            }
            report.row(cells);
        }
        if (workload.countsHeap()) {
            heaps(workload);
        }
    }

    /** Live bytes of the heap for each connection or subscription, once: a count of objects does not scatter. */
    private void heaps(Workload workload) throws IOException {
        for (RivalBroker broker : brokers) {
            if (!broker.rival().java()) {
                continue;
            }
            List<String> arguments = new ArrayList<>(workload.arguments());
            arguments.addAll(broker.address());
            arguments.addAll(List.of("--max-time", "40", workload.isFlow() ? "-d" : "--hold", "20"));
            long before = broker.heap();
            Process process = load.begin(arguments, work.resolve("heap.json"));
            try {
                TimeUnit.SECONDS.sleep(10); // all are there after one or two
                long each = (broker.heap() - before) / workload.heapParts();
                report.say("\n" + broker.rival().name() + ": " + each + " bytes of live heap each");
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            } finally {
                process.destroyForcibly().onExit().join();
            }
        }
    }
}
