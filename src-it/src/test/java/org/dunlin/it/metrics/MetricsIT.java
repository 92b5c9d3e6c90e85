package org.dunlin.it.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RealClient;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is counted, as Prometheus and subscribers of $SYS see it; docs/metrics.md. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class MetricsIT {
    private static final Pattern ADMIN = Pattern.compile(" admin (http://127\\.0\\.0\\.1:\\d+);");
    private static final Path ROOT = Path.of(System.getProperty("dunlin.root", ".."));

    private final HttpClient http = HttpClient.newHttpClient();
    private final Path data = RunningBroker.newDataDirectory();

    @TempDir
    Path folder;

    private RunningBroker start(String... more) {
        List<String> settings = new ArrayList<>(List.of("storage.path=" + data, "sys-topics.interval=1s"));
        settings.addAll(List.of(more));
        return RunningBroker.start(settings);
    }

    private static String admin(RunningBroker broker) {
        Matcher matcher = ADMIN.matcher(broker.awaitLog(" Ready "));
        assertTrue(matcher.find());
        return matcher.group(1);
    }

    private String token() throws IOException {
        return Files.readString(data.resolve("admin.token")).strip();
    }

    private HttpResponse<String> get(String url, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    /** As a Prometheus in the same network of containers asks. */
    private static String statusUnderAnotherName(String url) {
        try (RealClient curl = RealClient.run(
                "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}\\n", "-H", "Host: broker:18083", url)) {
            List<String> output = curl.awaitSuccess();
            return output.get(output.size() - 1);
        }
    }

    private String scrape(RunningBroker broker) {
        try {
            HttpResponse<String> answer = get(admin(broker) + "/metrics", "Authorization", "Bearer " + token());
            assertEquals(200, answer.statusCode(), answer.body());
            return answer.body();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** @param series name and labels as they are exposed */
    private static double value(String text, String series) {
        for (String line : text.split("\n", -1)) {
            if (line.startsWith(series + " ")) {
                return Double.parseDouble(line.substring(series.length() + 1));
            }
        }
        throw new AssertionError("no " + series + " in\n" + text);
    }

    private static void publish(MqttSocket publisher, String topic, int count) {
        for (int i = 0; i < count; i++) {
            publisher.publish(topic, "12345", Qos.AT_LEAST_ONCE);
        }
    }

    @Test
    void metrics_needATokenUnlessTheyArePublic() throws Exception {
        try (RunningBroker broker = start()) {
            assertEquals(401, get(admin(broker) + "/metrics").statusCode());
            assertEquals("401", statusUnderAnotherName(admin(broker) + "/metrics"));
            assertEquals(
                    401,
                    get(admin(broker) + "/metrics", "Authorization", "Bearer wrong")
                            .statusCode());
            HttpResponse<String> open = get(
                    admin(broker) + "/metrics",
                    "Authorization",
                    "Bearer " + token(),
                    "Accept",
                    "application/openmetrics-text;version=1.0.0");
            assertEquals(
                    "application/openmetrics-text; version=1.0.0; charset=utf-8",
                    open.headers().firstValue("content-type").orElse(""));
            assertTrue(open.body().endsWith("# EOF\n"));
        }
        try (RunningBroker broker = start("metrics.public=true")) {
            assertEquals("200", statusUnderAnotherName(admin(broker) + "/metrics"));
            HttpResponse<String> answer = get(admin(broker) + "/metrics");
            assertEquals(200, answer.statusCode());
            assertEquals(
                    "text/plain; version=0.0.4; charset=utf-8",
                    answer.headers().firstValue("content-type").orElse(""));
        }
        try (RunningBroker broker = start("metrics.enabled=false")) {
            assertEquals(
                    404,
                    get(admin(broker) + "/metrics", "Authorization", "Bearer " + token())
                            .statusCode());
        }
    }

    @Test
    void traffic_isCounted() {
        try (RunningBroker broker = start();
                MqttSocket publisher = broker.socket().connect(ProtocolVersion.MQTT_5, "publisher")) {
            try (MqttSocket away = broker.socket()) {
                away.connect(Connect.builder(ProtocolVersion.MQTT_3_1_1, "away")
                        .cleanStart(false)
                        .build());
                away.subscribe("waits/#", Qos.AT_LEAST_ONCE);
                away.disconnect();
            }
            try (MqttSocket receiver = broker.socket().connect(ProtocolVersion.MQTT_5, "receiver")) {
                receiver.subscribe("goes/#", Qos.AT_MOST_ONCE);
                publish(publisher, "goes/1", 7);
                for (int i = 0; i < 7; i++) {
                    receiver.receivePublish();
                }
                publish(publisher, "waits/1", 5);
                Await.until(
                        "the queue",
                        () -> value(scrape(broker), "dunlin_queued_messages{owner=\"session\",place=\"store\"}") == 5);

                String text = scrape(broker);
                assertEquals(12, value(text, "dunlin_messages_received_total{qos=\"1\"}"));
                assertEquals(60, value(text, "dunlin_payload_received_bytes_total{qos=\"1\"}"));
                assertEquals(7, value(text, "dunlin_messages_sent_total{qos=\"0\"}"));
                assertEquals(3, value(text, "dunlin_packets_received_total{type=\"connect\"}"));
                assertEquals(12, value(text, "dunlin_packets_sent_total{type=\"puback\"}"));
                assertEquals(3, value(text, "dunlin_connects_total"));
                assertEquals(2, value(text, "dunlin_connections"));
                assertEquals(3, value(text, "dunlin_sessions"));
                assertEquals(2, value(text, "dunlin_subscriptions"));
                assertEquals(0, value(text, "dunlin_queues_nearly_full{owner=\"session\"}"));
                assertTrue(value(text, "dunlin_queued_bytes{owner=\"session\",place=\"store\"}") >= 25);
                assertTrue(value(text, "dunlin_store_commit_seconds_count") >= 5);
                assertTrue(value(text, "dunlin_loop_lag_seconds_count{loop=\"0\"}") >= 1);
                assertEquals(1, value(text, "dunlin_ready"));
                assertEquals(0, value(text, "dunlin_logins_failed_total"));
            }
        }
    }

    @Test
    void promtool_acceptsWhatIsExposedAndTheAlertRules() throws Exception {
        RealClient.program("promtool");
        try (RunningBroker broker = start()) {
            Path exposed = Files.writeString(folder.resolve("exposed"), scrape(broker));
            try (RealClient check = RealClient.run("sh", "-c", "promtool check metrics < '" + exposed + "'")) {
                check.awaitSuccess();
            }
        }
        String rules = ROOT.resolve("conf").resolve("alerts-dunlin.yaml").toString();
        try (RealClient check = RealClient.run("promtool", "check", "rules", rules)) {
            check.awaitSuccess();
        }
    }

    @Test
    void alertRules_areSilentForABrokerThatIsWell_andEachSpeaksForOneThatIsNot() {
        RealClient.program("promtool");
        String tests =
                ROOT.resolve("src-it/src/test/resources/alerts-test.yaml").toString();
        try (RealClient check = RealClient.run("promtool", "test", "rules", tests)) {
            check.awaitSuccess();
        }
    }

    @Test
    void prometheus_scrapesTheBroker_andEvaluatesTheAlertRules() throws Exception {
        RealClient.program("prometheus");
        try (RunningBroker broker = start();
                MqttSocket publisher = broker.socket().connect(ProtocolVersion.MQTT_5, "publisher")) {
            publish(publisher, "some/topic", 3);
            Path config = Files.writeString(
                    folder.resolve("prometheus.yml"),
                    String.join(
                            "\n",
                            "global: {scrape_interval: 1s, evaluation_interval: 1s}",
                            "scrape_configs:",
                            "  - job_name: dunlin",
                            "    authorization: {credentials_file: '" + data.resolve("admin.token") + "'}",
                            "    static_configs: [{targets: ['" + admin(broker).substring("http://".length()) + "']}]",
                            "rule_files: ['"
                                    + ROOT.resolve("conf/alerts-dunlin.yaml")
                                            .toAbsolutePath()
                                            .normalize() + "']",
                            ""));
            int port;
            try (ServerSocket free = new ServerSocket(0)) {
                port = free.getLocalPort();
            }
            try (RealClient prometheus = RealClient.run(
                    "prometheus",
                    "--config.file=" + config,
                    "--storage.tsdb.path=" + folder.resolve("tsdb"),
                    "--web.listen-address=127.0.0.1:" + port)) {
                prometheus.awaitLine("Server is ready to receive web requests");
                String url = "http://127.0.0.1:" + port + "/api/v1/";
                Await.until("a scrape", () -> query(url, "up{job=\"dunlin\"}").endsWith("\"1\"]}]}}"));
                Await.until(
                        "the messages",
                        () -> query(url, "sum(dunlin_messages_received_total)").endsWith("\"3\"]}]}}"));
                String alerts = get(url + "rules").body();
                Await.until("the rules", () -> rulesAreFine(url));
                assertTrue(alerts.contains("DunlinStoreFailing"), alerts);
                assertTrue(query(url, "ALERTS{alertname=\"DunlinDown\"}").contains("\"result\":[]"));
            }
        }
    }

    private boolean rulesAreFine(String url) {
        try {
            String rules = get(url + "rules").body();
            return !rules.contains("\"health\":\"unknown\"") && !rules.contains("\"health\":\"err\"");
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private String query(String url, String expression) {
        try {
            return get(url + "query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8))
                    .body();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void sysTopics_ofThePageOfMetrics_areAllPublished() throws Exception {
        List<String> expected = new ArrayList<>();
        String page = Files.readString(ROOT.resolve("docs/metrics.md"));
        Matcher rows = Pattern.compile("(?m)^\\| (`[^|]*`) \\|").matcher(page.substring(page.indexOf("\n## $SYS")));
        while (rows.find()) {
            for (String topic : rows.group(1).split("` `", -1)) {
                if (!topic.contains("<")) {
                    expected.add("$SYS/broker/" + topic.replace("`", ""));
                }
            }
        }
        assertTrue(expected.size() > 50, expected.toString());
        try (RunningBroker broker = start();
                MqttSocket publisher = broker.socket().connect(ProtocolVersion.MQTT_5, "publisher");
                MqttSocket watcher = broker.socket().connect(ProtocolVersion.MQTT_3_1_1, "watcher")) {
            publish(publisher, "some/topic", 3);
            watcher.subscribe("$SYS/#", Qos.AT_MOST_ONCE);
            Map<String, String> told = new HashMap<>();
            Await.until("all topics", () -> {
                while (watcher.poll(10) instanceof Publish publish) {
                    told.put(publish.message().topic().text(), MqttSocket.text(publish));
                }
                return told.keySet().containsAll(expected)
                        && told.getOrDefault("$SYS/broker/publish/messages/received", "")
                                .equals("3");
            });
            assertTrue(told.get("$SYS/broker/version").startsWith("Dunlin "));
            assertTrue(told.get("$SYS/broker/uptime").matches("\\d+ seconds"));
            assertEquals("15", told.get("$SYS/broker/publish/bytes/received"));
            Await.until("the load", () -> {
                while (watcher.poll(10) instanceof Publish publish) {
                    told.put(publish.message().topic().text(), MqttSocket.text(publish));
                }
                return Double.parseDouble(told.get("$SYS/broker/load/messages/received/1min")) > 0
                        && told.get("$SYS/broker/clients/connected").equals("2")
                        && told.get("$SYS/broker/subscriptions/count").equals("1");
            });
        }
    }
}
