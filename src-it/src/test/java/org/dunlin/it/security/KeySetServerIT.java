package org.dunlin.it.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.it.doors.Identity;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Keys of tokens from an HTTPS server that the broker trusts by a certificate made here, and what such a server can do. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class KeySetServerIT {
    private static final int ANY_PORT = 0;

    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final AtomicInteger requests = new AtomicInteger();
    private Identity identity;
    private List<String> trust;
    private Tokens one;
    private Tokens two;
    private HttpsServer server;
    private volatile Answer answer;

    private interface Answer {
        void to(HttpExchange exchange) throws IOException;
    }

    @BeforeAll
    void make(@TempDir Path folder) throws Exception {
        identity = Identity.make(folder, "keys");
        trust = new ArrayList<>(identity.trustOptions(folder.resolve("trust.p12")));
        trust.add("-Xmx512m");
        one = new Tokens();
        two = new Tokens();
    }

    @AfterEach
    void stop() {
        if (server != null) {
            server.stop(0);
        }
    }

    private static Answer body(byte[] bytes) {
        return exchange -> {
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        };
    }

    private static Answer body(String text) {
        return body(text.getBytes(StandardCharsets.UTF_8));
    }

    /** @return the URL of the key set */
    private String serve(String host, int port, Answer first) throws Exception {
        answer = first;
        requests.set(0);
        server = HttpsServer.create(new InetSocketAddress(InetAddress.getByName(host), port), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(identity.serverContext()));
        server.setExecutor(threads);
        server.createContext("/keys", exchange -> {
            requests.incrementAndGet();
            answer.to(exchange);
        });
        server.start();
        return "https://" + host + ":" + server.getAddress().getPort() + "/keys";
    }

    private static RunningBroker start(List<String> options, String url, String... more) {
        List<String> settings = new ArrayList<>(List.of("auth.jwt.jwks=" + url, "auth.ban.after=0"));
        settings.addAll(List.of(more));
        return RunningBroker.run(RunningBroker.command(options, settings));
    }

    private static ReasonCode answerTo(RunningBroker broker, Tokens tokens, String kid) throws Exception {
        try (MqttSocket socket = broker.socket()) {
            String token = tokens.sign(kid, Tokens.claims("ann", 60, ""));
            socket.send(Connect.builder(ProtocolVersion.MQTT_5, "client")
                    .userName("ann")
                    .password(token.getBytes(StandardCharsets.UTF_8))
                    .build());
            return socket.receive(ConnAck.class).reason();
        }
    }

    private static void awaitWelcome(RunningBroker broker, Tokens tokens, String kid) {
        Await.until("the key " + kid + " counts", () -> {
            try {
                return answerTo(broker, tokens, kid) == ReasonCode.SUCCESS;
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }

    /** The broker would look again in an hour only: it is the unknown key that makes it look earlier, but not at each token. */
    @Test
    void rotation_isNoticedByATokenWithAnUnknownKey() throws Exception {
        String url = serve("127.0.0.1", ANY_PORT, body(one.jwks("one")));
        try (RunningBroker broker = start(trust, url, "auth.jwt.jwks-refresh=1h")) {
            broker.awaitLog("has 1 key(s)");
            assertEquals(ReasonCode.SUCCESS, answerTo(broker, one, "one"));
            for (int i = 0; i < 200; i++) {
                ReasonCode told = answerTo(broker, two, "nobody-" + i);
                assertTrue(told == ReasonCode.NOT_AUTHORIZED || told == ReasonCode.SERVER_BUSY, told::toString);
            }
            assertTrue(requests.get() <= 3, requests + " requests");

            answer = body(two.jwks("two"));
            awaitWelcome(broker, two, "two");

            assertEquals(ReasonCode.NOT_AUTHORIZED, answerTo(broker, one, "two"), "the key is another");
            assertTrue(answerTo(broker, one, "one") != ReasonCode.SUCCESS, "the former key is gone");
        }
    }

    @Test
    void serverThatIsDownAtTheStart_isAskedAgain_andTokensAreToldToComeAgain() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(ANY_PORT, 1, InetAddress.getByName("127.0.0.1"))) {
            port = free.getLocalPort();
        }
        String url = "https://127.0.0.1:" + port + "/keys";
        try (RunningBroker broker = start(trust, url, "auth.jwt.jwks-refresh=1s")) {
            broker.awaitLog("tokens cannot be checked until it can");
            assertEquals(ReasonCode.SERVER_BUSY, answerTo(broker, one, "one"));

            serve("127.0.0.1", port, body(one.jwks("one")));

            awaitWelcome(broker, one, "one");
            server.stop(0);
            broker.awaitLog("the keys fetched before stay");
            assertEquals(ReasonCode.SUCCESS, answerTo(broker, one, "one"));
        }
    }

    /** It takes the request and says nothing; users of the password file do not wait for it. */
    @Test
    void slowServer_isNotAwaited(@TempDir Path folder) throws Exception {
        Path users = Files.writeString(folder.resolve("users"), Hashes.line("ben", "sesame"));
        String url = serve("127.0.0.1", ANY_PORT, exchange -> {});
        try (RunningBroker broker = start(trust, url, "auth.jwt.jwks-refresh=1s", "auth.password-file=" + users)) {
            Await.until("the server is asked", () -> requests.get() == 1);
            assertEquals(ReasonCode.SERVER_BUSY, answerTo(broker, one, "one"));
            try (MqttSocket ben = broker.socket()) {
                ben.connect(Connect.builder(ProtocolVersion.MQTT_5, "ben")
                        .userName("ben")
                        .password("sesame".getBytes(StandardCharsets.UTF_8))
                        .build());
                String late = "does not answer within 10000 ms";
                Await.until(late, () -> broker.log().stream().anyMatch(line -> line.contains(late)));
                answer = body(one.jwks("one"));
                awaitWelcome(broker, one, "one");
                ben.expectNothing();
            }
        }
    }

    @Test
    void answerThatIsTooLong_orNoKeySet_isNotUsed() throws Exception {
        String url = serve("127.0.0.1", ANY_PORT, body(one.jwks("one")));
        try (RunningBroker broker = start(trust, url, "auth.jwt.jwks-refresh=1s")) {
            broker.awaitLog("has 1 key(s)");
            answer = body(new byte[8 << 20]);
            broker.awaitLog("more than 1048576 bytes");
            answer = body("<html>sign in</html>");
            broker.awaitLog("the keys fetched before stay");
            answer = exchange -> {
                exchange.getResponseHeaders().set("Location", "/elsewhere");
                exchange.sendResponseHeaders(302, -1);
                exchange.close();
            };
            broker.awaitLog("status 302");
            assertEquals(ReasonCode.SUCCESS, answerTo(broker, one, "one"));
        }
    }

    /** Not by its own certificate where nobody trusts that, and not under a name that the certificate does not have. */
    @Test
    void serverWithoutATrustedCertificate_isNotBelieved() throws Exception {
        String url = serve("127.0.0.1", ANY_PORT, body(one.jwks("one")));
        try (RunningBroker broker = start(List.of("-Xmx512m"), url)) {
            String line = broker.awaitLog("tokens cannot be checked until it can");
            assertTrue(line.contains("cannot be fetched: 'SSLHandshakeException"), line);
            assertEquals(ReasonCode.SERVER_BUSY, answerTo(broker, one, "one"));
        }
        server.stop(0);
        String elsewhere = serve("127.0.0.2", ANY_PORT, body(one.jwks("one")));
        try (RunningBroker broker = start(trust, elsewhere)) {
            String line = broker.awaitLog("tokens cannot be checked until it can");
            assertTrue(line.contains("127.0.0.2"), line);
            assertEquals(ReasonCode.SERVER_BUSY, answerTo(broker, one, "one"));
            assertEquals(0, requests.get());
        }
    }
}
