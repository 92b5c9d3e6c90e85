package org.dunlin.it.doors;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dunlin.it.RealClient;
import org.dunlin.it.RunningBroker;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** MQTT.js in a real browser (Chromium): a page of ours connects, and one of a stranger does not. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class BrowserIT {
    private final BlockingQueue<String> results = new LinkedBlockingQueue<>();
    private Identity server;
    private HttpServer pages;
    private RunningBroker broker;

    @BeforeAll
    void start(@TempDir Path made) throws Exception {
        Path scripts = RealClient.scripts();
        server = Identity.make(made, "server");
        pages = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        serve("/page.html", "text/html", scripts.resolve("page.html"));
        serve("/mqtt.min.js", "text/javascript", scripts.resolve("node_modules/mqtt/dist/mqtt.min.js"));
        pages.createContext("/result", exchange -> {
            results.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        pages.start();
        String origin = "http://127.0.0.1:" + pages.getAddress().getPort();
        List<String> command = new ArrayList<>(RunningBroker.command(
                List.of("-Xmx512m"),
                List.of(
                        "listeners[0].type=ws",
                        "listeners[0].port=0",
                        "listeners[0].allowed-origins=" + origin,
                        "listeners[1].type=wss",
                        "listeners[1].port=0",
                        "listeners[1].cert=" + server.cert(),
                        "listeners[1].key=" + server.key(),
                        "listeners[1].allowed-origins=" + origin)));
        int port = command.indexOf("-p");
        command.subList(port, port + 2).clear();
        broker = RunningBroker.launch(command);
    }

    private void serve(String path, String type, Path file) {
        pages.createContext(path, exchange -> {
            byte[] content = Files.readAllBytes(file);
            exchange.getResponseHeaders().set("Content-Type", type);
            exchange.sendResponseHeaders(200, content.length);
            try (var out = exchange.getResponseBody()) {
                out.write(content);
            }
        });
    }

    @AfterAll
    void stop() {
        pages.stop(0);
        broker.close();
    }

    private int port(String scheme) {
        Matcher address =
                Pattern.compile(" " + scheme + "://127\\.0\\.0\\.1:(\\d+)").matcher(broker.awaitLog(" Ready "));
        if (!address.find()) {
            throw new AssertionError("no " + scheme);
        }
        return Integer.parseInt(address.group(1));
    }

    /** Trusts our certificate by its key alone, as a browser whose owner has agreed to it would. */
    private String spki() throws Exception {
        byte[] key = server.certificate().getPublicKey().getEncoded();
        return Base64.getEncoder()
                .encodeToString(MessageDigest.getInstance("SHA-256").digest(key));
    }

    /** @return what the page tells */
    private String visit(String host, String url) throws Exception {
        String page = "http://" + host + ":" + pages.getAddress().getPort() + "/page.html?url="
                + URLEncoder.encode(url, StandardCharsets.UTF_8);
        results.clear();
        try (RealClient chromium = RealClient.run(
                "chromium",
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--no-proxy-server",
                "--ignore-certificate-errors-spki-list=" + spki(),
                "--user-data-dir=" + RunningBroker.newDataDirectory(),
                page)) {
            String result = results.poll(60, TimeUnit.SECONDS);
            if (result == null) {
                throw new AssertionError("the page has told nothing: " + chromium);
            }
            return result;
        }
    }

    @Test
    void page_overWs() throws Exception {
        assertEquals("10 0, 1000 1, 300000 2", visit("127.0.0.1", "ws://127.0.0.1:" + port("ws") + "/mqtt"));
    }

    @Test
    void page_overWss() throws Exception {
        assertEquals("10 0, 1000 1, 300000 2", visit("127.0.0.1", "wss://127.0.0.1:" + port("wss") + "/mqtt"));
    }

    /** The same page by another name is of another origin. */
    @Test
    void page_ofAnotherOrigin_isTurnedAway() throws Exception {
        assertEquals("failed", visit("localhost", "ws://127.0.0.1:" + port("ws") + "/mqtt"));
        broker.awaitLog("no WebSocket: answered 403");
    }
}
