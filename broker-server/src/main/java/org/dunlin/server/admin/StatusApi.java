package org.dunlin.server.admin;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.dunlin.core.Broker;
import org.dunlin.server.config.Config;
import org.dunlin.server.metrics.Exposition;
import org.dunlin.server.metrics.Metrics;
import org.dunlin.server.metrics.Rates;
import org.dunlin.server.rest.Endpoint;
import org.dunlin.server.rest.Principal;

/** How the broker is, at a glance. Workers' threads. */
final class StatusApi {
    static final String METRICS = "metrics";

    private final Operations operations;

    StatusApi(Operations operations) {
        this.operations = operations;
    }

    /**
     * @param sessions connected and away
     * @param filters topic filters that somebody has subscribed to, each counted once
     * @param durability what an acknowledgement promises, in words
     */
    record Status(
            String version,
            String phase,
            String started,
            long uptimeSeconds,
            int connections,
            int sessions,
            int filters,
            long retained,
            long retainedBytes,
            long dropped,
            long memoryUsed,
            long memoryBudget,
            String durability,
            String dataDirectory,
            int loops,
            String transport,
            String java) {}

    /**
     * @param at the end of the interval
     * @param connections at that moment; all else is what there was in the interval
     */
    record Interval(
            String at, long messagesIn, long messagesOut, long bytesIn, long bytesOut, int connections, long dropped) {}

    record History(int intervalSeconds, List<Interval> items) {}

    private History history() {
        return new History(
                Rates.INTERVAL_SECONDS,
                operations.rates().samples().stream()
                        .map(each -> new Interval(
                                Instant.ofEpochMilli(each.atMillis()).toString(),
                                each.messagesIn(),
                                each.messagesOut(),
                                each.bytesIn(),
                                each.bytesOut(),
                                each.connections(),
                                each.dropped()))
                        .toList());
    }

    record Listeners(List<Operations.OpenListener> items) {}

    List<Endpoint> endpoints() {
        return List.of(
                Endpoint.read(
                        "api/v1/status",
                        "Says how the broker is.",
                        List.of(),
                        Status.class,
                        call -> CompletableFuture.completedFuture(status())),
                Endpoint.read(
                        "api/v1/listeners",
                        "Lists the listeners that are open, and who may connect there.",
                        List.of(),
                        Listeners.class,
                        call -> CompletableFuture.completedFuture(
                                new Listeners(operations.listeners().get()))),
                Endpoint.read(
                        "api/v1/rates",
                        "Lists what came and went in each interval of the last ten minutes, oldest first.",
                        List.of(),
                        History.class,
                        call -> CompletableFuture.completedFuture(history())),
                Endpoint.change(
                        "POST",
                        "api/v1/drain",
                        "Stops the broker in order, as SIGTERM does: clients are told, what is theirs is written, exit code 0.",
                        List.of(),
                        null,
                        Endpoint.Done.class,
                        call -> {
                            operations.stop().run();
                            return CompletableFuture.completedFuture(new Endpoint.Done("stopping"));
                        }));
    }

    /** All figures, for Prometheus. */
    static Endpoint metrics(Config.Metrics config, Metrics metrics) {
        Exposition exposition = new Exposition(metrics);
        return new Endpoint(
                "GET",
                METRICS,
                config.open() ? null : Principal.Scope.READ,
                "Says all figures as Prometheus reads them, or as OpenMetrics if the header Accept names that.",
                List.of(),
                null,
                null,
                call -> CompletableFuture.completedFuture(
                        exposition.answer(call.request().header("accept"))));
    }

    private Status status() {
        Broker.Status now = operations.broker().status();
        return new Status(
                operations.version(),
                operations.phase().get().toString(),
                operations.started().toString(),
                Duration.between(operations.started(), Instant.now()).toSeconds(),
                now.connections(),
                now.sessions(),
                now.filters(),
                now.retained(),
                now.retainedBytes(),
                operations.drops().total(),
                operations.memory().usedBytes(),
                operations.memory().limitBytes(),
                operations.durability(),
                operations.config().get().storage().path(),
                operations.loops(),
                operations.transport(),
                Runtime.version().toString());
    }
}
