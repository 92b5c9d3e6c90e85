package org.dunlin.it.overload;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.dunlin.it.RunningBroker;

/**
 * A broker with {@link Bystanders} for one kind of overload. It says how they fared, at full size with {@code
 * -Ddunlin.it.overload=full}, as a row of the table of docs/performance.md. One thread.
 */
final class Stage implements AutoCloseable {
    static final boolean FULL = "full".equals(System.getProperty("dunlin.it.overload"));

    /** Milliseconds that a bystander's message takes at most: others test on the same processors. */
    private static final long BOUND_MILLIS = Long.getLong("dunlin.it.overload.bound", 15_000);

    private final String name;
    private final RunningBroker broker;
    private final Vitals vitals;
    private final Bystanders bystanders;

    Stage(String name, String... settings) {
        this.name = name;
        List<String> all = new ArrayList<>(List.of("metrics.public=true"));
        all.addAll(List.of(settings));
        broker = RunningBroker.run(RunningBroker.command(List.of(FULL ? "-Xmx2g" : "-Xmx1g"), all));
        vitals = new Vitals(broker);
        bystanders = new Bystanders(broker);
    }

    /** What is there at one size or, for {@link #FULL}, at the other. */
    static int size(int moderate, int full) {
        return FULL ? full : moderate;
    }

    RunningBroker broker() {
        return broker;
    }

    Vitals vitals() {
        return vitals;
    }

    /** The work is over: what the bystanders have to say now counts. */
    void end() throws IOException {
        Bystanders.Latency latency = bystanders.end();
        System.out.printf(
                Locale.ROOT,
                "| %s | %.2f | %.1f | %.0f | %.0f | %d | %d | %d |%n",
                name,
                latency.p50(),
                latency.p99(),
                latency.max(),
                latency.slowestPing(),
                vitals.dropped("slow-consumer"),
                (long) vitals.metric("dunlin_messages_dropped_total") - vitals.dropped("slow-consumer"),
                vitals.peakMegabytes());
        latency.assertWithin(BOUND_MILLIS);
    }

    @Override
    public void close() {
        bystanders.close();
        broker.close();
    }
}
