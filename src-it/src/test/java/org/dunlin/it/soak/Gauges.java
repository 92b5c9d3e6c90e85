package org.dunlin.it.soak;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.dunlin.it.RunningBroker;

/** What a running broker, its Java and the system say of it. One thread. */
final class Gauges {
    /** Columns that are not in the broker's metrics. */
    static final String SECONDS = "seconds";

    static final String RESIDENT = "resident_mb";
    static final String LIVE_HEAP = "live_heap_mb";
    static final String HEAP = "heap_mb";
    /** Classes, and what was compiled of them. */
    static final String OTHER_JAVA = "other_java_mb";

    /** What the process takes beside the heap and that: the store, buffers, stacks. */
    static final String NATIVE = "native_mb";

    static final String BUFFERS = "buffers_mb";
    static final String COUNTED = "counted_mb";
    static final String OPEN_FILES = "open_files";
    static final String THREADS = "threads";
    static final String QUEUED = "queued_messages";
    static final String CPU = "cpu_percent";
    static final String CLIENTS_CPU = "clients_cpu_percent";
    static final double MB = 1 << 20;

    private static final String DROPS = "dunlin_messages_dropped_total";

    /** Columns that are in the metrics: the series, all of whose labels count together, and what it is divided by. */
    private static final List<Series> SERIES = List.of(
            new Series(HEAP, "jvm_memory_used_bytes{area=\"heap\"}", MB),
            new Series(OTHER_JAVA, "jvm_memory_used_bytes{area=\"nonheap\"}", MB),
            new Series(BUFFERS, "dunlin_buffers_bytes", MB),
            new Series(COUNTED, "dunlin_memory_used_bytes", MB),
            new Series("store_mb", "dunlin_store_size_bytes", MB),
            new Series(OPEN_FILES, "process_open_fds", 1),
            new Series(THREADS, "jvm_threads_current", 1),
            new Series("connections", "dunlin_connections", 1),
            new Series("sessions", "dunlin_sessions", 1),
            new Series("subscriptions", "dunlin_subscriptions", 1),
            new Series("filters", "dunlin_filters", 1),
            new Series("retained", "dunlin_retained_messages", 1),
            new Series(QUEUED, "dunlin_queued_messages", 1),
            new Series("inflight_messages", "dunlin_inflight_messages", 1),
            new Series("delayed_messages", "dunlin_delayed_messages", 1),
            new Series("backlog", "dunlin_loop_backlog", 1),
            new Series("received_total", "dunlin_messages_received_total", 1),
            new Series("sent_total", "dunlin_messages_sent_total", 1),
            new Series("dropped_total", DROPS, 1),
            new Series("connects_total", "dunlin_connects_total", 1));

    private static final Pattern ADMIN = Pattern.compile(" admin (http://127\\.0\\.0\\.1:\\d+);");
    private static final Pattern RESIDENT_KB = Pattern.compile("VmRSS:\\s*(\\d+) kB");
    private static final Pattern HISTOGRAM_TOTAL = Pattern.compile("(?m)^Total\\s+\\d+\\s+(\\d+)");

    private final RunningBroker broker;
    private final Path work;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(20)).build();
    private final HttpRequest metrics;
    private final ProcessHandle process;
    private long before = System.nanoTime();
    private double cpuBefore;
    private double clientsCpuBefore;

    private record Series(String column, String name, double divisor) {}

    /** @param work where histograms of the heap go */
    Gauges(RunningBroker broker, Path work) {
        this.broker = broker;
        this.work = work;
        Matcher admin = ADMIN.matcher(broker.awaitLog(" Ready "));
        if (!admin.find()) {
            throw new IllegalStateException("the broker does not say where its admin port is");
        }
        metrics = HttpRequest.newBuilder(URI.create(admin.group(1) + "/metrics"))
                .timeout(Duration.ofSeconds(60))
                .build();
        process = ProcessHandle.of(broker.pid()).orElseThrow();
        cpuBefore = cpuSeconds(process);
        clientsCpuBefore = cpuSeconds(ProcessHandle.current());
    }

    /** Every column, the time first. */
    static List<String> columns() {
        return Stream.concat(
                        Stream.of(SECONDS, RESIDENT, NATIVE, LIVE_HEAP, CPU, CLIENTS_CPU),
                        SERIES.stream().map(Series::column))
                .toList();
    }

    /** Reads them all. @param values by column, to be added to */
    void read(double seconds, Map<String, Double> values) throws IOException, InterruptedException {
        values.put(SECONDS, seconds);
        double resident = residentKilobytes() / 1024.0;
        values.put(RESIDENT, resident);
        double cpu = cpuSeconds(process);
        double clientsCpu = cpuSeconds(ProcessHandle.current());
        long now = System.nanoTime();
        double passed = (now - before) / 1e9;
        values.put(CPU, 100 * (cpu - cpuBefore) / passed);
        values.put(CLIENTS_CPU, 100 * (clientsCpu - clientsCpuBefore) / passed);
        before = now;
        cpuBefore = cpu;
        clientsCpuBefore = clientsCpu;
        String text = metrics();
        for (Series series : SERIES) {
            values.put(series.column(), sum(text, series.name()) / series.divisor());
        }
        double heap = sum(text, "jvm_memory_committed_bytes{area=\"heap\"}") / MB;
        values.put(NATIVE, resident - heap - values.get(OTHER_JAVA));
    }

    private String metrics() throws IOException, InterruptedException {
        return http.send(metrics, HttpResponse.BodyHandlers.ofString()).body();
    }

    /** Messages that did not reach a receiver, by reason, as they stand in the metrics; reasons that there were none of left out. */
    List<String> drops() throws IOException, InterruptedException {
        return Stream.of(metrics().split("\n", -1))
                .filter(line -> line.startsWith(DROPS) && !line.endsWith(" 0.0"))
                .toList();
    }

    /** Of every series that begins so and goes on with labels or the value. */
    private static double sum(String text, String name) {
        double sum = 0;
        boolean found = false;
        for (String line : text.split("\n", -1)) {
            if (line.startsWith(name) && (line.charAt(name.length()) == ' ' || line.charAt(name.length()) == '{')) {
                sum += Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
                found = true;
            }
        }
        if (!found) {
            throw new IllegalStateException("/metrics has no " + name + ":\n" + text);
        }
        return sum;
    }

    private static double cpuSeconds(ProcessHandle process) {
        return process.info().totalCpuDuration().orElse(Duration.ZERO).toMillis() / 1e3;
    }

    private long residentKilobytes() throws IOException {
        Matcher kilobytes =
                RESIDENT_KB.matcher(Files.readString(Path.of("/proc", Long.toString(broker.pid()), "status")));
        if (!kilobytes.find()) {
            throw new IllegalStateException("the broker has ended:\n" + String.join("\n", broker.log()));
        }
        return Long.parseLong(kilobytes.group(1));
    }

    /**
     * Bytes of all live objects, after a full collection.
     *
     * @param name of the file that says of which classes they are
     */
    double liveHeap(String name) throws IOException, InterruptedException {
        Path file = work.resolve(name);
        String jcmd = Path.of(RunningBroker.java()).resolveSibling("jcmd").toString();
        Process histogram = new ProcessBuilder(jcmd, Long.toString(broker.pid()), "GC.class_histogram")
                .redirectErrorStream(true)
                .redirectOutput(file.toFile())
                .start();
        if (!histogram.waitFor(60, TimeUnit.SECONDS)) {
            histogram.destroyForcibly();
            throw new IllegalStateException("jcmd does not answer");
        }
        Matcher total = HISTOGRAM_TOTAL.matcher(Files.readString(file));
        if (!total.find()) {
            throw new IllegalStateException("no histogram of the heap: " + Files.readString(file));
        }
        return Double.parseDouble(total.group(1));
    }
}
