package org.dunlin.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.dunlin.server.config.ConfigLoader;
import org.dunlin.server.config.ConfigLoader.Flag;
import org.dunlin.server.metrics.Exposition;
import org.dunlin.server.net.Supervisor;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A broker that exports to a small server in the place of a collector. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class OtlpExportTest {
    private static final long WAIT_SECONDS = 60;

    private record Received(
            String line,
            @Nullable String contentType,
            @Nullable String secret,
            JsonNode body) {}

    /** Answers one request after the other. */
    private static final class Collector implements AutoCloseable {
        final BlockingQueue<Received> received = new LinkedBlockingQueue<>();
        volatile int status = 503;
        private final ServerSocket door = new ServerSocket(0, 16, InetAddress.getLoopbackAddress());
        private final Thread thread = new Thread(this::serve, "collector");

        Collector() throws IOException {
            thread.start();
        }

        String url() {
            return "http://127.0.0.1:" + door.getLocalPort() + "/v1/metrics";
        }

        private void serve() {
            while (!door.isClosed()) {
                try (Socket peer = door.accept()) {
                    answer(peer);
                } catch (IOException closed) {
                    continue;
                }
            }
        }

        private void answer(Socket peer) throws IOException {
            InputStream in = peer.getInputStream();
            StringBuilder head = new StringBuilder();
            while (head.indexOf("\r\n\r\n") < 0) {
                int b = in.read();
                if (b < 0) {
                    return;
                }
                head.append((char) b);
            }
            Map<String, String> headers = new HashMap<>();
            for (String line : head.toString().split("\r\n", -1)) {
                int colon = line.indexOf(": ");
                if (colon > 0) {
                    headers.put(line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 2));
                }
            }
            byte[] body = in.readNBytes(Integer.parseInt(headers.getOrDefault("content-length", "0")));
            String answer = "HTTP/1.1 " + status + " Whatever\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            peer.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
            received.add(new Received(
                    head.substring(0, head.indexOf("\r\n")),
                    headers.get("content-type"),
                    headers.get("x-secret"),
                    new ObjectMapper().readTree(body)));
        }

        @Override
        public void close() throws IOException {
            door.close();
        }
    }

    @TempDir
    Path folder;

    private static BrokerServer start(Path data, String url) throws Exception {
        List<Flag> flags = new ArrayList<>();
        Map.of(
                        "listeners[0].port", "0",
                        "storage.path", data.toString(),
                        "storage.engine", "memory",
                        "admin.enabled", "false",
                        "metrics.otlp.url", url,
                        "metrics.otlp.interval", "1s",
                        "metrics.otlp.headers", "X-Secret=open sesame,Other=x")
                .forEach((name, value) -> flags.add(new Flag("--set", name, value)));
        return BrokerServer.start(
                ConfigLoader.load(null, Map.of(), flags), loaded -> {}, new Supervisor(null), "1.2.3");
    }

    private static String exports(BrokerServer server, String result) {
        String text = new String(new Exposition(server.metrics()).answer(null).body(), StandardCharsets.UTF_8);
        String name = "dunlin_otlp_exports_total{result=\"" + result + "\"} ";
        int at = text.indexOf(name) + name.length();
        return text.substring(at, text.indexOf('\n', at));
    }

    private static void until(BrokerServer server, String result, String least) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
        while (Double.parseDouble(exports(server, result)) < Double.parseDouble(least)) {
            assertTrue(System.nanoTime() < deadline, "no export with " + result);
            Thread.onSpinWait();
        }
    }

    @Test
    void export_bringsAllMetricsInTheFormOfTheProtocol_andAFailureIsCounted() throws Exception {
        try (Collector collector = new Collector();
                BrokerServer server = start(folder.resolve("data"), collector.url())) {
            until(server, "failure", "1");
            collector.status = 200;
            until(server, "success", "1");
            Received one = collector.received.poll(WAIT_SECONDS, TimeUnit.SECONDS);
            assertNotNull(one, "an export");
            assertEquals("POST /v1/metrics HTTP/1.1", one.line());
            assertEquals("application/json", one.contentType());
            assertEquals("open sesame", one.secret());
            JsonNode metrics = one.body().at("/resourceMetrics/0/scopeMetrics/0/metrics");
            assertTrue(metrics.size() > 50, metrics.size() + " metrics");
            int counters = 0;
            for (JsonNode metric : metrics) {
                counters += metric.has("sum") ? 1 : 0;
                assertEquals(
                        1,
                        List.of("sum", "gauge", "histogram", "summary").stream()
                                .filter(metric::has)
                                .count(),
                        metric.toString());
            }
            assertTrue(counters > 15, counters + " counters");
        }
    }

    @Test
    void collectorThatIsNotThere_costsAFailureAndNothingElse() throws Exception {
        try (BrokerServer server = start(folder.resolve("data"), "http://127.0.0.1:1/v1/metrics")) {
            until(server, "failure", "2");
            assertEquals("0.0", exports(server, "success"));
        }
    }
}
