package org.dunlin.it.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.RunningBroker;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests of every shape that a hostile or broken peer can give them, on the admin port. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HttpShapesIT {
    private RunningBroker broker;
    private AdminPort admin;
    private String token;

    @BeforeAll
    void start(@TempDir Path folder) throws Exception {
        Path data = folder.resolve("data");
        broker = RunningBroker.start(List.of("storage.path=" + data));
        admin = AdminPort.of(broker, data);
        token = "Authorization: Bearer " + admin.token();
    }

    @AfterAll
    void stop_andNothingHasFailed() {
        broker.close();
        for (String line : broker.log()) {
            assertFalse(line.contains("Exception") || line.contains(" ERROR "), line);
        }
    }

    private RawHttp open() {
        return RawHttp.open(admin.port());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/..",
                "/../../etc/passwd",
                "/%2e%2e/%2e%2e/etc/passwd",
                "/lib/../../../../etc/passwd",
                "/lib/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
                "/%252e%252e%252fetc%252fpasswd",
                "/..%5c..%5cetc%5cpasswd",
                "//etc/passwd",
                "/./main.js",
                "/lib/../main.js",
                "/main.js%00.html",
                "/api/v1/../v1/status",
                "/api/v1/clients/%2e%2e/events/..",
                "/main.js/",
                "/%c0%ae%c0%ae/etc/passwd",
                "/api/v1/status%",
                "/api/v1/status%zz",
                "http://127.0.0.1/api/v1/status",
                "*",
            })
    void pathsLeadNowhereElse(String path) {
        try (RawHttp http = open()) {
            RawHttp.Reply reply = http.ask("GET", path, token);
            assertTrue(reply.status() == 404 || reply.status() == 400, path + " " + reply);
            assertFalse(reply.body().contains("root:") || reply.body().contains("import "), reply.body());
        }
    }

    @Test
    void escapedSlash_isPartOfASegment_andOnlyOnceDecoded() {
        try (RawHttp http = open()) {
            assertEquals(404, http.ask("GET", "/api/v1/clients/a%2Fb", token).status());
            RawHttp.Reply events = http.ask("GET", "/api/v1/clients/..%2F..%2Fx/events", token);
            assertEquals(200, events.status());
            assertEquals(404, http.ask("GET", "/api/v1%2Fstatus", token).status());
        }
    }

    // ---- where a request ends

    @Test
    void tooLargeABody_is413_announcedOrNot() {
        try (RawHttp http = open()) {
            RawHttp.Reply reply = http.send("POST /api/v1/publish HTTP/1.1\r\nHost: 127.0.0.1\r\n" + token
                            + "\r\nContent-Type: application/json\r\nContent-Length: 1048577\r\n\r\n")
                    .reply();
            assertEquals(413, reply.status());
            assertTrue(http.ends());
        }
        try (RawHttp http = open()) {
            http.send("POST /api/v1/publish HTTP/1.1\r\nHost: 127.0.0.1\r\n" + token
                    + "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
            String chunk = "8000\r\n" + " ".repeat(0x8000) + "\r\n";
            for (int i = 0; i < 40 && http.offer(chunk); i++) {
                // until it is enough
            }
            assertEquals(413, http.reply().status());
        }
        try (RawHttp http = open()) {
            String body = "{\"topic\":\"large\",\"text\":\"" + "x".repeat(1_000_000) + "\"}";
            assertEquals(
                    200, http.askJson("POST", "/api/v1/publish", body, token).status());
        }
    }

    @Test
    void tooLongAHead_is400() {
        for (String head : List.of(
                "GET /" + "a".repeat(9000) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + "a".repeat(20_000) + "\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + "X: aaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(700) + "\r\n")) {
            try (RawHttp http = open()) {
                assertEquals(400, http.send(head).reply().status());
                assertTrue(http.ends());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 5\r\nContent-Length: 6",
                "Content-Length: 5\r\nContent-Length: 5",
                "Content-Length: 5, 6",
                "Content-Length: +5",
                "Content-Length: -1",
                "Content-Length: 0x5",
                "Content-Length: 99999999999999999999",
                "Content-Length : 5",
                "Content-Length: 5\r\nTransfer-Encoding: chunked",
                "Transfer-Encoding: chunked\r\nContent-Length: 5",
                "Transfer-Encoding: xchunked",
                "Transfer-Encoding: identity",
                "Transfer-Encoding: chunked, identity",
                "Transfer-Encoding: gzip, chunked",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
                "Transfer-Encoding : chunked",
                "Transfer-Encoding: \u000bchunked",
                "Host: 127.0.0.1",
                "Host: evil.example",
                "no colon",
                "bad name: x",
                "X: a\u0000b",
            })
    void requestsWhoseEndOrHostIsInDoubt_are400_andTheConnectionEnds(String lines) {
        try (RawHttp http = open()) {
            http.send("POST /api/v1/publish HTTP/1.1\r\nHost: 127.0.0.1\r\n" + token + "\r\n" + lines
                    + "\r\nContent-Type: application/json\r\n\r\n0\r\n\r\nGET /live HTTP/1.1\r\nHost: a\r\n\r\n");
            assertEquals(400, http.reply().status());
            assertTrue(http.ends(), "what follows may be part of the body, so it is no request");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"x\r\n", "-1\r\n", "5;\r\nabc", "FFFFFFFFFF\r\n", "5\r\nabcdefgh\r\n0\r\n\r\n"})
    void faultyChunks_are400(String chunk) {
        try (RawHttp http = open()) {
            http.send("POST /api/v1/logout HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                    + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + "\r\n\r\n\r\n");
            assertTrue(List.of(400, 413).contains(http.reply().status()));
            assertTrue(http.ends());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001",
                "\u0010\r\u0000\u0004MQTT\u0005\u0002\u0000\u0000\u0000\u0000\u0000",
                "GET\r\n\r\n",
                "GET / HTTP/9.9\r\n\r\n",
                "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                "GET / HTTP/1.1\r\n\r\n",
            })
    void whatIsNoRequest_is400(String text) {
        try (RawHttp http = open()) {
            assertEquals(400, http.send(text + "\r\n\r\n").reply().status());
        }
    }

    @Test
    void requestsSentTogether_areAnsweredInOrder() {
        try (RawHttp http = open()) {
            StringBuilder all = new StringBuilder();
            for (int i = 0; i < 20; i++) {
                String path = i % 2 == 0 ? "/api/v1/clients/c" + i + "/events" : "/nothing/" + i;
                all.append("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + token + "\r\n\r\n");
            }
            http.send(all.toString());
            for (int i = 0; i < 20; i++) {
                assertEquals(i % 2 == 0 ? 200 : 404, http.reply().status(), "answer " + i);
            }
            String body = "{\"topic\":\"piped\"}";
            http.send("POST /api/v1/publish HTTP/1.1\r\nHost: 127.0.0.1\r\n" + token
                    + "\r\nContent-Type: application/json\r\nContent-Length: " + body.length() + "\r\n\r\n" + body
                    + "GET /live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /ready HTTP/1.1\r\n\r\n");
            assertTrue(http.reply().body().contains("published"));
            assertTrue(http.reply().body().contains("alive"));
            assertTrue(http.ends(), "nothing behind Connection: close");
        }
    }

    @Test
    void moreRequestsThanAreKept_areAnsweredInTurn_andThenRefusedInWords() {
        try (RawHttp http = open()) {
            http.send(("GET /live HTTP/1.1\r\nHost: a\r\n\r\n").repeat(1000));
            int answered = 0;
            RawHttp.Reply reply = http.reply();
            for (; reply.status() == 200; answered++) {
                reply = http.reply();
            }
            assertEquals(429, reply.status(), reply.body());
            assertTrue(answered >= 32, "only " + answered);
            assertEquals("close", reply.header("connection"));
            assertTrue(http.ends());
        }
    }

    // ---- methods

    @Test
    void head_isGetWithoutBody_andOtherMethodsAreTold() {
        try (RawHttp http = open()) {
            for (String path : List.of("/", "/api/v1/openapi.json", "/live")) {
                RawHttp.Reply get = http.ask("GET", path);
                RawHttp.Reply head = http.ask("HEAD", path);
                assertEquals(200, head.status());
                assertEquals(get.header("content-length"), head.header("content-length"));
                assertEquals(get.header("content-type"), head.header("content-type"));
            }
            assertEquals(401, http.ask("HEAD", "/api/v1/status").status());
            RawHttp.Reply put = http.ask("PUT", "/api/v1/users", token);
            assertEquals(405, put.status());
            assertEquals("GET, HEAD, POST", put.header("allow"));
            RawHttp.Reply options = http.ask("OPTIONS", "/api/v1/publish", token);
            assertEquals(405, options.status());
            assertEquals("POST", options.header("allow"));
            assertEquals(405, http.ask("HEAD", "/api/v1/publish", token).status());
            assertEquals(405, http.ask("TRACE", "/live", token).status());
        }
    }

    @Test
    void head_ofATrace_startsNone() {
        try (RawHttp http = open()) {
            for (int i = 0; i < 20; i++) { // more than run at once
                RawHttp.Reply head = http.ask("HEAD", "/api/v1/trace?client=nobody", token);
                assertEquals(200, head.status());
                assertEquals("text/event-stream", head.header("content-type"));
            }
            assertEquals(400, http.ask("HEAD", "/api/v1/trace", token).status());
            assertEquals(
                    200,
                    http.ask("GET", "/api/v1/trace?client=nobody&seconds=1", token)
                            .status());
        }
    }

    // ---- JSON

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "{",
                "{}",
                "\"text\"",
                "{\"topic\":\"a\",\"tekst\":\"x\"}",
                "{\"topic\":\"a\",\"topic\":\"b\"}",
                "{\"topic\":\"a\",\"qos\":\"1\"}",
                "{\"topic\":\"a\",\"qos\":1.5}",
                "{\"topic\":\"a\",\"qos\":3}",
                "{\"topic\":\"a\",\"qos\":99999999999999999999}",
                "{\"topic\":\"a\",\"retain\":\"true\"}",
                "{\"topic\":\"a\",\"retain\":1}",
                "{\"topic\":1}",
                "{\"topic\":[\"a\"]}",
                "{\"topic\":\"a/#\"}",
                "{\"topic\":\"\"}",
                "{\"topic\":\"a\"} {\"topic\":\"b\"}",
                "{\"topic\":\"a\"} x",
                "{\"topic\":\"a\",\"text\":\"x\",\"base64\":\"eA==\"}",
                "{\"topic\":\"a\",\"base64\":\"%%\"}",
                "{\"topic\":\"a\",\"expirySeconds\":-1}",
                "{'topic':'a'}",
                "{\"topic\":NaN}",
                "{\"topic\":\"a\\ud800\"}",
                "{\"topic\":\"$SYS/broker/version\"}",
            })
    void bodiesThatDoNotFit_are400_inWords(String body) {
        try (RawHttp http = open()) {
            RawHttp.Reply reply = http.askJson("POST", "/api/v1/publish", body, token);
            assertEquals(400, reply.status(), reply.body());
            assertEquals("application/json", reply.header("content-type"));
            String error = AdminPort.parsed(reply.body()).path("error").asText();
            assertTrue(error.length() > 10 && !error.contains("Exception") && !error.contains("org."), error);
        }
    }

    @Test
    void deepBodies_are400() {
        for (String body : List.of(
                "[".repeat(100_000),
                "{\"topic\":".repeat(50_000),
                "{\"topic\":" + "[".repeat(1000) + "]".repeat(1000) + "}",
                "{\"x\":" + "{\"x\":".repeat(1000) + "1" + "}".repeat(1001))) {
            try (RawHttp http = open()) {
                assertEquals(
                        400,
                        http.askJson("POST", "/api/v1/publish", body, token).status());
            }
        }
        try (RawHttp http = open()) {
            byte[] body = {'{', '"', 't', 'o', 'p', 'i', 'c', '"', ':', '"', (byte) 0xC3, '"', '}'};
            http.send("POST /api/v1/publish HTTP/1.1\r\nHost: 127.0.0.1\r\n" + token
                    + "\r\nContent-Type: application/json\r\nContent-Length: " + body.length + "\r\n\r\n");
            assertEquals(400, http.send(body).reply().status(), "no UTF-8");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "limit=0",
                "limit=1001",
                "limit=x",
                "limit=1&limit=2",
                "connected=yes",
                "sort=name",
                "after=%00",
                "limit=99999999999999999999",
            })
    void parametersThatDoNotFit_are400(String query) {
        try (RawHttp http = open()) {
            assertEquals(
                    400, http.ask("GET", "/api/v1/sessions?" + query, token).status());
        }
    }

    // ---- time

    @Test
    void whoeverDoesNotComeToAnEnd_isClosedByTheDeadline_howeverMuchItTrickles() {
        List<RawHttp> peers = new ArrayList<>();
        try {
            RawHttp silent = open();
            RawHttp trickling = open().send("GET /live HTTP/1.1\r\nHost: a\r\nX: ");
            RawHttp withoutBody = open().send("POST /api/v1/logout HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                    + "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{");
            RawHttp chunked = open().send("POST /api/v1/logout HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                    + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
            RawHttp idle = open();
            assertEquals(200, idle.ask("GET", "/live").status());
            peers.addAll(List.of(silent, trickling, withoutBody, chunked, idle));
            List<RawHttp> open = new ArrayList<>(peers);
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (!open.isEmpty()) {
                assertTrue(System.nanoTime() < deadline, open.size() + " are open still");
                boolean there = trickling.offer("a") & chunked.offer("1\r\n \r\n");
                assertTrue(there || System.nanoTime() < deadline);
                open.removeIf(peer -> peer.hasEnded(100));
            }
        } finally {
            peers.forEach(RawHttp::close);
        }
        assertEquals(200, admin.ask("GET", "/live", null).status());
    }
}
