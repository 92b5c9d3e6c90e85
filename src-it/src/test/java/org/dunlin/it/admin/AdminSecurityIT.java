package org.dunlin.it.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.OutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.Await;
import org.dunlin.it.RunningBroker;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Who may ask the admin port for what. Each test comes from an address of its own, since wrong tokens are counted by address. Every
 * token, cookie and password that is used is looked for in the whole log at the end.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AdminSecurityIT {
    private static final String WRONG = "dunlin_wrong-token-of-some-length";
    private static final String PASSWORD = "sesame-of-anna";

    private final Set<String> secrets = new ConcurrentSkipListSet<>(Set.of(WRONG, PASSWORD));
    private Path data;
    private RunningBroker broker;
    private AdminPort admin;
    private OpenApiDocument document;
    private String reader;
    private String writer;

    @BeforeAll
    void start(@TempDir Path folder) throws Exception {
        data = folder.resolve("data");
        Path people = folder.resolve("people");
        Process user = new ProcessBuilder(
                        RunningBroker.java(),
                        "-jar",
                        RunningBroker.jar().toString(),
                        "user",
                        "add",
                        "anna",
                        "--stdin",
                        "-f",
                        people.toString())
                .redirectErrorStream(true)
                .start();
        try (OutputStream in = user.getOutputStream()) {
            in.write(PASSWORD.getBytes(StandardCharsets.UTF_8));
        }
        assertEquals(0, user.waitFor());
        broker = RunningBroker.start(List.of(
                "storage.path=" + data,
                "log.level=debug",
                "admin.password-file=" + people,
                "admin.allowed-hosts=broker.example.org"));
        admin = AdminPort.of(broker, data);
        document = new OpenApiDocument(admin.get("/api/v1/openapi.json"));
        reader = admin.makeToken("reader", "read", null);
        writer = admin.makeToken("writer", "write", null);
        secrets.addAll(List.of(admin.token(), reader, writer));
    }

    @AfterAll
    void stop_andNoSecretIsInTheLog() {
        broker.close();
        for (String line : broker.log()) {
            for (String secret : secrets) {
                assertFalse(line.contains(secret), line);
            }
        }
    }

    private RawHttp from(int address) {
        return RawHttp.open(admin.port(), "127.0.1." + address);
    }

    private static String bearer(String token) {
        return "Authorization: Bearer " + token;
    }

    // ---- tokens

    @Test
    void withoutToken_nothingIsAnswered_butWhatIsOpen() {
        Set<String> open = new TreeSet<>();
        for (OpenApiDocument.Operation operation : document.operations()) {
            try (RawHttp http = from(1)) {
                int status = http.ask(operation.method(), operation.target("x")).status();
                if (operation.scope().isEmpty()) {
                    open.add(operation.toString());
                    assertTrue(status == 200 || status == 400, operation + " " + status);
                } else {
                    assertEquals(401, status, operation.toString());
                }
            }
        }
        assertEquals(
                Set.of(
                        "GET /live",
                        "GET /ready",
                        "POST /api/v1/login",
                        "POST /api/v1/logout",
                        "GET /api/v1/openapi.json"),
                open);
    }

    @Test
    void readToken_mayLookAtEverything_andChangeNothing() {
        try (RawHttp http = from(2)) {
            int changes = 0;
            for (OpenApiDocument.Operation operation : document.operations()) {
                int status = http.ask(operation.method(), operation.target("x"), bearer(reader))
                        .status();
                if (operation.scope().equals("write")) {
                    changes++;
                    assertEquals(403, status, operation.toString());
                } else {
                    assertTrue(status != 401 && status != 403 && status < 500, operation + " " + status);
                }
            }
            assertTrue(changes > 15, "only " + changes);
        }
        assertEquals(200, admin.ask("GET", "/api/v1/status", null, reader).status());
    }

    @Test
    void wrongTokens_areRefused_whateverTheirForm() {
        try (RawHttp http = from(3)) {
            for (String authorization : List.of(
                    bearer(WRONG),
                    bearer(admin.token() + "x"),
                    "Authorization: Basic " + admin.token(),
                    "Authorization: " + admin.token(),
                    bearer(""))) {
                RawHttp.Reply reply = http.ask("GET", "/api/v1/status", authorization);
                assertEquals(401, reply.status(), reply.body());
                assertEquals("Bearer", reply.header("www-authenticate"));
            }
            assertEquals(200, http.ask("GET", "/api/v1/status", bearer(writer)).status());
        }
    }

    @Test
    void removedToken_isShutOutAtOnce_andSoIsWhoHasLoggedInByIt() {
        String gone = admin.makeToken("gone", "write", null);
        secrets.add(gone);
        try (RawHttp http = from(4)) {
            String cookie = login(http, "{\"token\":\"" + gone + "\"}");
            assertEquals(200, http.ask("GET", "/api/v1/status", cookie).status());

            admin.change("DELETE", "/api/v1/tokens/gone", null);

            assertEquals(401, http.ask("GET", "/api/v1/status", cookie).status());
            assertEquals(401, http.ask("GET", "/api/v1/status", bearer(gone)).status());
        }
        assertFalse(admin.get("/api/v1/tokens").toString().contains("gone"));
    }

    @Test
    void expiredToken_opensNothing_norDoesTheLoginByIt() {
        String brief = admin.makeToken("brief", "read", 2);
        secrets.add(brief);
        try (RawHttp http = from(5)) {
            String cookie = login(http, "{\"token\":\"" + brief + "\"}");

            Await.until(
                    "the token has expired",
                    () -> http.ask("GET", "/api/v1/status", bearer(brief)).status() == 401);

            assertEquals(401, http.ask("GET", "/api/v1/status", cookie).status());
        }
    }

    @Test
    void guesses_areSlowedDown_andARightTokenStillWorks() {
        try (RawHttp http = from(6)) {
            RawHttp.Reply last = http.ask("GET", "/api/v1/status", bearer(WRONG));
            for (int i = 0; i < 30 && last.status() != 429; i++) {
                last = http.ask("GET", "/api/v1/status", bearer(WRONG));
            }
            assertEquals(429, last.status());
            assertTrue(Integer.parseInt(last.header("retry-after")) > 0);
            assertEquals(200, http.ask("GET", "/api/v1/status", bearer(writer)).status());
        }
        try (RawHttp http = from(7)) {
            String guess = "{\"user\":\"anna\",\"password\":\"" + WRONG + "\"}";
            RawHttp.Reply last = http.askJson("POST", "/api/v1/login", guess);
            for (int i = 0; i < 30 && last.status() != 429; i++) {
                assertEquals(401, last.status());
                last = http.askJson("POST", "/api/v1/login", guess);
            }
            assertEquals(429, last.status());
            assertTrue(Integer.parseInt(last.header("retry-after")) > 0);
            assertEquals(200, http.ask("GET", "/api/v1/status", bearer(writer)).status());
        }
        try (RawHttp other = from(8)) {
            assertEquals(401, other.ask("GET", "/api/v1/status", bearer(WRONG)).status());
        }
    }

    @Test
    void tokenFile_isForItsOwnerAlone_andStaysTheSame() throws Exception {
        Path file = data.resolve("admin.token");
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        assertEquals(
                "rw-------",
                PosixFilePermissions.toString(Files.getPosixFilePermissions(data.resolve("admin.tokens"))));
        assertFalse(Files.readString(data.resolve("admin.tokens")).contains(reader));
        assertTrue(admin.token().length() >= 40);

        Path other = data.resolveSibling("restarted");
        String first;
        try (RunningBroker once = RunningBroker.start(List.of("storage.path=" + other))) {
            first = AdminPort.of(once, other).token();
            assertEquals(0, once.stop());
        }
        try (RunningBroker again = RunningBroker.start(List.of("storage.path=" + other))) {
            AdminPort port = AdminPort.of(again, other);
            assertEquals(first, port.token());
            assertNotEquals(admin.token(), first);
            port.get("/api/v1/status");
        }
        secrets.add(first);
    }

    // ---- browsers

    private String login(RawHttp http, String body) {
        RawHttp.Reply reply = http.askJson("POST", "/api/v1/login", body);
        assertEquals(200, reply.status(), reply.body());
        String cookie = reply.header("set-cookie");
        secrets.add(cookie.substring(cookie.indexOf('=') + 1, cookie.indexOf(';')));
        return "Cookie: " + cookie.substring(0, cookie.indexOf(';'));
    }

    @Test
    void login_setsACookieThatPagesCannotRead_andLogoutEndsIt() {
        try (RawHttp http = from(20)) {
            RawHttp.Reply reply =
                    http.askJson("POST", "/api/v1/login", "{\"user\":\"anna\",\"password\":\"" + PASSWORD + "\"}");
            assertEquals(200, reply.status(), reply.body());
            String set = reply.header("set-cookie");
            assertTrue(
                    set.contains("; HttpOnly") && set.contains("; SameSite=Strict") && set.contains("; Path=/"), set);
            assertFalse(set.contains("Secure"), set);
            String cookie = login(http, "{\"user\":\"anna\",\"password\":\"" + PASSWORD + "\"}");
            assertTrue(http.ask("GET", "/api/v1/login", cookie).body().contains("user anna"));
            assertEquals(
                    200,
                    http.askJson("POST", "/api/v1/publish", "{\"topic\":\"by/anna\"}", cookie)
                            .status());

            RawHttp.Reply out = http.ask("POST", "/api/v1/logout", cookie);

            assertTrue(out.header("set-cookie").contains("Max-Age=0"));
            assertEquals(401, http.ask("GET", "/api/v1/login", cookie).status());
            assertEquals(
                    401,
                    http.ask("GET", "/api/v1/login", "Cookie: dunlin-login=guess")
                            .status());
        }
    }

    @Test
    void loginByReadToken_mayNotChange() {
        try (RawHttp http = from(21)) {
            String cookie = login(http, "{\"token\":\"" + reader + "\"}");
            assertEquals(200, http.ask("GET", "/api/v1/clients", cookie).status());
            assertEquals(403, http.ask("POST", "/api/v1/config/reload", cookie).status());
        }
    }

    @Test
    void pagesOfOtherSites_areRefused() {
        try (RawHttp http = from(22)) {
            String cookie = login(http, "{\"token\":\"" + writer + "\"}");
            String own = "Origin: http://127.0.0.1:" + admin.port();
            String body = "{\"topic\":\"by/page\"}";
            assertEquals(
                    200,
                    http.askJson("POST", "/api/v1/publish", body, cookie, own).status());
            for (String foreign : List.of(
                    "Origin: http://evil.example",
                    "Origin: null",
                    "Origin: https://127.0.0.1:" + admin.port(),
                    "Origin: http://127.0.0.1:" + (admin.port() ^ 1),
                    "Origin: http://127.0.0.1:" + admin.port() + ".evil.example",
                    "Sec-Fetch-Site: cross-site",
                    "Sec-Fetch-Site: same-site")) {
                assertEquals(
                        403,
                        http.askJson("POST", "/api/v1/publish", body, cookie, foreign)
                                .status(),
                        foreign);
                assertEquals(
                        403,
                        http.ask("GET", "/api/v1/status", bearer(writer), foreign)
                                .status(),
                        foreign);
            }
            assertEquals(
                    403,
                    http.ask("GET", "/api/v1/status", cookie, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate")
                            .status());
            assertEquals(
                    200,
                    http.ask("GET", "/", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate")
                            .status());
            http.send("POST /api/v1/publish HTTP/1.1\r\nHost: 127.0.0.1\r\n" + cookie
                    + "\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}");
            assertEquals(415, http.reply().status(), "what a form can send");
        }
    }

    @Test
    void unknownHost_isMisdirected_soThatNoNameCanBeMadeToPointHere() {
        try (RawHttp http = from(23)) {
            String cookie = login(http, "{\"token\":\"" + reader + "\"}");
            for (String known :
                    List.of("127.0.0.1", "localhost:1", "[::1]:18083", "10.1.2.3", "broker.example.org", "LOCALHOST")) {
                assertEquals(
                        200,
                        http.ask("GET", "/api/v1/status", cookie, "Host: " + known)
                                .status(),
                        known);
            }
            for (String unknown : List.of(
                    "evil.example",
                    "evil.example:" + admin.port(),
                    "127.0.0.1.evil.example",
                    "broker.example.org.evil.example",
                    "localhost.",
                    "1.2.3",
                    "[::1")) {
                assertEquals(
                        421,
                        http.ask("GET", "/api/v1/status", cookie, "Host: " + unknown)
                                .status(),
                        unknown);
                assertEquals(421, http.ask("GET", "/", "Host: " + unknown).status(), unknown);
                assertEquals(
                        421,
                        http.ask("GET", "/x", "Host: " + unknown, "Origin: http://" + unknown, bearer(writer))
                                .status(),
                        unknown);
            }
            assertEquals(200, http.ask("GET", "/live", "Host: pod-7").status());
            assertEquals(
                    200,
                    http.ask("GET", "/api/v1/status", "Host: a.service.name", bearer(writer))
                            .status());
        }
    }

    @Test
    void everyAnswer_hasTheHeadersThatKeepPagesApart() {
        try (RawHttp http = from(24)) {
            for (RawHttp.Reply reply : List.of(
                    http.ask("GET", "/"),
                    http.ask("GET", "/main.js"),
                    http.ask("GET", "/api/v1/status", bearer(reader)),
                    http.ask("GET", "/api/v1/status"),
                    http.ask("GET", "/nothing"))) {
                String policy = reply.header("content-security-policy");
                assertTrue(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), policy);
                assertFalse(policy.contains("unsafe-"), policy);
                assertEquals("nosniff", reply.header("x-content-type-options"));
                assertEquals("DENY", reply.header("x-frame-options"));
                assertEquals("no-referrer", reply.header("referrer-policy"));
                assertEquals("", reply.header("access-control-allow-origin"));
            }
            assertEquals(
                    "no-store",
                    http.ask("GET", "/api/v1/status", bearer(reader)).header("cache-control"));
        }
    }

    // ---- MQTT over WebSocket

    private static final class Received implements WebSocket.Listener {
        private final CompletableFuture<byte[]> first = new CompletableFuture<>();

        @Override
        public CompletionStage<?> onBinary(WebSocket socket, ByteBuffer data, boolean last) {
            byte[] bytes = new byte[data.remaining()];
            data.get(bytes);
            first.complete(bytes);
            return WebSocket.Listener.super.onBinary(socket, data, last);
        }
    }

    private WebSocket open(Received received, String... headers) {
        WebSocket.Builder builder =
                HttpClient.newHttpClient().newWebSocketBuilder().subprotocols("mqtt");
        for (int i = 0; i < headers.length; i += 2) {
            builder.header(headers[i], headers[i + 1]);
        }
        return builder.buildAsync(URI.create("ws://127.0.0.1:" + admin.port() + "/mqtt"), received)
                .join();
    }

    private int refused(String... headers) {
        try {
            open(new Received(), headers).abort();
            return 101;
        } catch (CompletionException refused) {
            return refused.getCause() instanceof WebSocketHandshakeException handshake
                    ? handshake.getResponse().statusCode()
                    : 0;
        }
    }

    @Test
    void webSocket_isForWritersFromTheOwnPagesAlone() throws Exception {
        String own = "http://127.0.0.1:" + admin.port();
        String cookie;
        try (RawHttp http = from(25)) {
            cookie = login(http, "{\"token\":\"" + writer + "\"}").substring("Cookie: ".length());
        }
        assertEquals(401, refused());
        assertEquals(401, refused("Origin", own));
        assertEquals(401, refused("Cookie", "dunlin-login=guess", "Origin", own));
        assertEquals(403, refused("Authorization", "Bearer " + reader));
        assertEquals(403, refused("Authorization", "Bearer " + writer, "Origin", "http://evil.example"));
        assertEquals(403, refused("Cookie", cookie, "Origin", "http://evil.example"));
        try (RawHttp http = from(25)) {
            assertEquals(426, http.ask("GET", "/mqtt", bearer(writer)).status());
        }

        byte[] connect = {0x10, 0x0d, 0, 4, 'M', 'Q', 'T', 'T', 5, 2, 0, 0, 0, 0, 0};
        for (String[] by : new String[][] {
            {"Authorization", "Bearer " + writer}, {"Cookie", cookie, "Origin", own},
        }) {
            Received received = new Received();
            WebSocket socket = open(received, by);
            assertEquals("mqtt", socket.getSubprotocol());
            socket.sendBinary(ByteBuffer.wrap(connect), true).join();
            byte[] connAck = received.first.get(20, TimeUnit.SECONDS);
            assertEquals(0x20, connAck[0]);
            assertEquals(0, connAck[3], "reason code");
            socket.abort();
        }
    }

    // ---- audit

    @Test
    void everyChangeAndEveryFailedLogin_hasALineWithWhoAndFromWhere() {
        try (RawHttp http = from(30)) {
            http.askJson("POST", "/api/v1/publish", "{\"topic\":\"audited/one\"}", bearer(writer));
            broker.awaitLog("about=\"topic audited/one\"");
            String line = lineWith("audited/one");
            assertTrue(line.contains("dunlin.audit") && line.contains("token writer"), line);
            assertTrue(line.contains("127.0.1.30") && line.contains("POST /api/v1/publish"), line);

            http.ask("DELETE", "/api/v1/sessions/nobody-audited", bearer(writer));
            assertTrue(lineWith("nobody-audited").contains("404"));

            http.ask("DELETE", "/api/v1/sessions/forbidden-audited", bearer(reader));
            line = lineWith("forbidden-audited");
            assertTrue(line.contains("token reader") && line.contains("403"), line);

            http.askJson("POST", "/api/v1/login", "{\"user\":\"mallory-audited\",\"password\":\"" + WRONG + "\"}");
            line = lineWith("mallory-audited");
            assertTrue(line.contains("Failed to log in") && line.contains("127.0.1.30"), line);

            http.askJson("POST", "/api/v1/login", "{\"user\":\"two\\nlines-audited\",\"password\":\"" + WRONG + "\"}");
            assertTrue(lineWith("lines-audited").contains("Failed to log in"));
        }
        try (RawHttp http = from(31)) {
            http.ask("GET", "/api/v1/status", bearer(WRONG));
            assertTrue(lineWith("127.0.1.31").contains("Failed to log in"));
        }
    }

    private String lineWith(String text) {
        return broker.awaitLog(text);
    }
}
