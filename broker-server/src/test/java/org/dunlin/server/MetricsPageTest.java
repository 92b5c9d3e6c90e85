package org.dunlin.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.DataPointSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.InfoSnapshot;
import io.prometheus.metrics.model.snapshots.Label;
import io.prometheus.metrics.model.snapshots.MetricSnapshot;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.prometheus.metrics.model.snapshots.SummarySnapshot;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dunlin.server.config.ConfigLoader;
import org.dunlin.server.config.ConfigLoader.Flag;
import org.dunlin.server.http.Response;
import org.dunlin.server.metrics.Exposition;
import org.dunlin.server.net.Supervisor;
import org.dunlin.server.net.tls.Pair;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * docs/metrics.md, the alert rules and the board say what a broker with a TLS listener exposes. To write the table of the page
 * anew: -Ddunlin.write-reference=true.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MetricsPageTest {
    private static final Path PAGE = Path.of("..", "docs", "metrics.md");
    private static final String HEAD = "| name | type | labels | meaning |\n|---|---|---|---|\n";
    private static final Pattern NAME = Pattern.compile("\\b(dunlin|jvm|process)_[a-z_]+\\b");
    private static final Set<String> OF_ALERTS = Set.of("dunlin_down");

    private BrokerServer server;

    @BeforeAll
    void start(@TempDir Path folder) throws Exception {
        Pair pair = Pair.make("localhost");
        Path cert = Files.writeString(folder.resolve("cert.pem"), pair.certificatePem());
        Path key = Files.writeString(folder.resolve("key.pem"), pair.keyPem());
        List<Flag> flags = new ArrayList<>();
        Map<String, String> settings = Map.of(
                "listeners[0].name", "secure",
                "listeners[0].type", "tls",
                "listeners[0].port", "0",
                "listeners[0].cert", cert.toString(),
                "listeners[0].key", key.toString(),
                "storage.path", folder.resolve("data").toString(),
                "admin.enabled", "false");
        settings.forEach((name, value) -> flags.add(new Flag("--set", name, value)));
        server = BrokerServer.start(
                ConfigLoader.load(null, Map.of(), flags), loaded -> {}, new Supervisor(null), "1.2.3");
    }

    @AfterAll
    void stop() {
        server.close();
    }

    private static String name(MetricSnapshot metric) {
        String name = metric.getMetadata().getPrometheusName();
        return metric instanceof CounterSnapshot
                ? name + "_total"
                : metric instanceof InfoSnapshot ? name + "_info" : name;
    }

    private static String type(MetricSnapshot metric) {
        if (metric instanceof CounterSnapshot) {
            return "counter";
        } else if (metric instanceof HistogramSnapshot) {
            return "histogram";
        } else if (metric instanceof SummarySnapshot) {
            return "summary";
        }
        return metric instanceof InfoSnapshot ? "info" : "gauge";
    }

    private static String labels(MetricSnapshot metric) {
        Set<String> names = new TreeSet<>();
        for (DataPointSnapshot point : metric.getDataPoints()) {
            for (Label label : point.getLabels()) {
                names.add(label.getName());
            }
        }
        return names.isEmpty() ? "" : "`" + String.join("` `", names) + "`";
    }

    private String table() {
        StringBuilder rows = new StringBuilder();
        for (MetricSnapshot metric : server.metrics().read()) {
            rows.append("| `")
                    .append(name(metric))
                    .append("` | ")
                    .append(type(metric))
                    .append(" | ")
                    .append(labels(metric))
                    .append(" | ")
                    .append(metric.getMetadata().getHelp())
                    .append(" |\n");
        }
        return rows.toString();
    }

    @Test
    void page_hasEveryNameWithTypeLabelsAndMeaning_andNoOther() throws Exception {
        String page = Files.readString(PAGE);
        int begin = page.indexOf(HEAD) + HEAD.length();
        int end = page.indexOf("\n\n", begin - 1) + 1;
        if (Boolean.getBoolean("dunlin.write-reference")) {
            page = page.substring(0, begin) + table() + page.substring(end);
            Files.writeString(PAGE, page);
            end = page.indexOf("\n\n", begin - 1) + 1;
        }
        assertEquals(table(), page.substring(begin, end), "run this test with -Ddunlin.write-reference=true");
    }

    @Test
    void alertRulesAndBoard_nameOnlyWhatThereIs() throws Exception {
        Set<String> there = new HashSet<>(OF_ALERTS);
        for (MetricSnapshot metric : server.metrics().read()) {
            String name = name(metric);
            there.add(name);
            if (metric instanceof HistogramSnapshot || metric instanceof SummarySnapshot) {
                there.addAll(List.of(name + "_bucket", name + "_sum", name + "_count"));
            }
        }
        for (String file : List.of("alerts-dunlin.yaml", "grafana-dunlin.json")) {
            Matcher names = NAME.matcher(Files.readString(Path.of("..", "conf", file)));
            int found = 0;
            while (names.find()) {
                found++;
                assertTrue(there.contains(names.group()), file + " names " + names.group());
            }
            assertTrue(found > 10, file + " has " + found + " names");
        }
    }

    @Test
    void metrics_atTheStart_haveTheirValues() {
        MetricSnapshots metrics = server.metrics().read();
        String text = text(null);
        assertTrue(text.contains("\ndunlin_messages_received_total{qos=\"1\"} 0.0\n"), text);
        assertTrue(text.contains("\ndunlin_messages_dropped_total{reason=\"queue-full\"} 0.0\n"), text);
        assertTrue(text.contains("\ndunlin_connections_refused_total{reason=\"quota-exceeded\"} 0.0\n"), text);
        assertTrue(text.contains("\ndunlin_store_up 1.0\n"), text);
        assertTrue(text.matches("(?s).*\ndunlin_store_free_bytes [1-9].*"), text);
        assertTrue(
                text.matches("(?s).*\ndunlin_certificate_expiry_seconds\\{listener=\"secure\"} 77[0-9.E]+\n.*"), text);
        assertTrue(metrics.size() > 50, metrics.size() + " metrics");
    }

    @Test
    void accept_ofOpenMetrics_isAnsweredSo() {
        Response plain = new Exposition(server.metrics()).answer("text/plain;version=0.0.4");
        assertTrue(plain.contentType().startsWith("text/plain; version=0.0.4"), plain.contentType());
        Response open = new Exposition(server.metrics())
                .answer("application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.4");
        assertTrue(open.contentType().startsWith("application/openmetrics-text; version=1.0.0"), open.contentType());
        assertTrue(new String(open.body(), StandardCharsets.UTF_8).endsWith("# EOF\n"));
    }

    private String text(String accept) {
        return new String(new Exposition(server.metrics()).answer(accept).body(), StandardCharsets.UTF_8);
    }
}
