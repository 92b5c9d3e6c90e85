package org.dunlin.server.metrics;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends all figures to a collector of OpenTelemetry every so often, as OTLP over HTTP in JSON. Any thread; it has one of its own,
 * nobody waits for it, and no more than one export is under way. One that fails is not tried again: what is counted is in the next
 * one, too.
 */
public final class OtlpExport implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("dunlin.metrics");
    private static final Duration TIMEOUT_MOST = Duration.ofSeconds(10);

    private final Metrics metrics;
    private final Counts counts;
    private final OtlpJson json;
    private final HttpRequest.Builder request;
    private final String target;
    private final ScheduledThreadPoolExecutor clock;
    private final HttpClient client;
    /** On the clock's thread. */
    private @Nullable CompletableFuture<HttpResponse<Void>> underWay;

    private boolean failing;

    /** How many exports have come through, and how many have not. Any thread. */
    public static final class Counts {
        private final AtomicLong succeeded = new AtomicLong();
        private final AtomicLong failed = new AtomicLong();

        /** None of either. */
        public Counts() {}

        long succeeded() {
            return succeeded.get();
        }

        long failed() {
            return failed.get();
        }
    }

    /**
     * @param url of the collector's receiver for metrics, with its path
     * @param headers of each request
     * @param counts that are counted up
     */
    public OtlpExport(Metrics metrics, URI url, Duration interval, Map<String, String> headers, Counts counts) {
        this.metrics = metrics;
        this.counts = counts;
        Sources sources = metrics.sources();
        this.json = new OtlpJson(
                Map.of(
                        "service.name",
                        "dunlin",
                        "service.version",
                        sources.version(),
                        "service.instance.id",
                        host() + "/" + ProcessHandle.current().pid()),
                sources.started().toEpochMilli());
        Duration timeout = interval.compareTo(TIMEOUT_MOST) < 0 ? interval : TIMEOUT_MOST;
        this.request = HttpRequest.newBuilder(url).timeout(timeout).header("content-type", "application/json");
        headers.forEach(request::setHeader);
        this.target = url.getScheme() + "://" + url.getHost() + (url.getPort() < 0 ? "" : ":" + url.getPort())
                + url.getPath(); // a query may have a secret
        this.clock = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "dunlin-otlp");
            thread.setDaemon(true);
            return thread;
        });
        clock.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        clock.setRemoveOnCancelPolicy(true);
        this.client = HttpClient.newBuilder()
                .executor(clock)
                .connectTimeout(timeout)
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .build();
        clock.scheduleAtFixedRate(this::exportSafely, interval.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static String host() {
        String name = System.getenv("HOSTNAME");
        return name == null || name.isEmpty() ? "localhost" : name;
    }

    /** What a periodic task throws would end it without a word. */
    private void exportSafely() {
        try {
            export();
        } catch (RuntimeException | Error fault) {
            failed("the figures cannot be read: " + fault);
        }
    }

    private void export() {
        CompletableFuture<HttpResponse<Void>> former = underWay;
        if (former != null && !former.isDone()) {
            former.cancel(true);
            failed("the collector did not answer in time");
        }
        byte[] body = json.write(metrics.read(), System.currentTimeMillis());
        CompletableFuture<HttpResponse<Void>> sent = client.sendAsync(
                request.copy()
                        .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                        .build(),
                HttpResponse.BodyHandlers.discarding());
        underWay = sent;
        sent.whenCompleteAsync(
                (response, failure) -> {
                    if (!sent.isCancelled()) {
                        ended(response, failure);
                    }
                },
                clock);
    }

    private void ended(@Nullable HttpResponse<Void> response, @Nullable Throwable failure) {
        if (failure != null || response == null) {
            Throwable cause = failure != null && failure.getCause() instanceof IOException deeper ? deeper : failure;
            failed(String.valueOf(cause));
        } else if (response.statusCode() / 100 != 2) {
            failed("the collector answers " + response.statusCode());
        } else {
            counts.succeeded.incrementAndGet();
            if (failing) {
                failing = false;
                LOG.info("Metrics are exported to {} again", target);
            }
        }
    }

    private void failed(String why) {
        counts.failed.incrementAndGet();
        if (!failing) {
            failing = true;
            LOG.warn(
                    "Metrics cannot be exported to {}: {}; it is tried again when it is due, see metrics.otlp.url",
                    target,
                    why);
        }
    }

    /** What is under way is given up. */
    @Override
    public void close() {
        clock.shutdownNow();
    }
}
