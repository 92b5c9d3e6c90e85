package org.dunlin.it.overload;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dunlin.it.RunningBroker;

/** What a broker says of itself in /metrics, which has to be public, and what the system says of its process. Any thread. */
final class Vitals {
    private static final Pattern ADMIN = Pattern.compile(" admin (http://127\\.0\\.0\\.1:\\d+);");
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private final RunningBroker broker;
    private final URI metrics;

    Vitals(RunningBroker broker) {
        this.broker = broker;
        Matcher ready = ADMIN.matcher(broker.awaitLog(" Ready "));
        if (!ready.find()) {
            throw new AssertionError("the broker does not say where its admin port is");
        }
        metrics = URI.create(ready.group(1) + "/metrics");
    }

    /** Messages that did not reach a receiver, for that reason. */
    long dropped(String reason) {
        return (long) metric("dunlin_messages_dropped_total{reason=\"" + reason + "\"}");
    }

    /** The sum of all series whose name and labels begin so; 0 if there is none. */
    double metric(String series) {
        double sum = 0;
        for (String line : scrape().split("\n", -1)) {
            if (line.startsWith(series)) {
                sum += Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1));
            }
        }
        return sum;
    }

    private String scrape() {
        HttpRequest request =
                HttpRequest.newBuilder(metrics).timeout(Duration.ofSeconds(30)).build();
        try {
            HttpResponse<String> answer = CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 200) {
                throw new AssertionError(answer.statusCode() + " " + answer.body());
            }
            return answer.body();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Most memory that the process has had, in MB; 0 where the system does not say. */
    long peakMegabytes() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/" + broker.pid() + "/status"))) {
                if (line.startsWith("VmHWM:")) {
                    return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
                }
            }
        } catch (IOException e) {
            return 0; // not Linux
        }
        return 0;
    }
}
