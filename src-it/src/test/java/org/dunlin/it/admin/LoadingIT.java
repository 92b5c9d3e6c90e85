package org.dunlin.it.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedWriter;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.Await;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ProtocolVersion;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the admin port says while a broker with much in its store starts; Java interprets it, so that this takes its time. */
class LoadingIT {
    private static final int SESSIONS = 60_000;

    @TempDir
    Path folder;

    private Path filled() throws Exception {
        Path file = folder.resolve("export");
        try (BufferedWriter out = Files.newBufferedWriter(file)) {
            out.write("{\"format\":\"dunlin-store\",\"version\":1,\"broker-time\":1,\"wall-time\":1,\"next-id\":"
                    + (SESSIONS + 1) + "}\n");
            for (int i = 1; i <= SESSIONS; i++) {
                out.write("{\"session\":" + i + ",\"generation\":1,\"client-id\":\"c" + i + "\",\"mqtt\":\""
                        + ProtocolVersion.MQTT_5 + "\",\"expiry\":4294967295}\n");
            }
            for (int i = 1; i <= SESSIONS; i++) {
                out.write("{\"subscription\":" + i + ",\"filter\":\"s/" + i + "\",\"qos\":1}\n");
            }
            out.write("{\"end\":{\"session\":" + SESSIONS + ",\"subscription\":" + SESSIONS + "}}\n");
        }
        Path data = folder.resolve("data");
        Process process = new ProcessBuilder(
                        RunningBroker.java(),
                        "-jar",
                        RunningBroker.jar().toString(),
                        "store",
                        "import",
                        "-d",
                        data.toString(),
                        file.toString())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertEquals(0, process.waitFor());
        return data;
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    @Test
    void ready_saysHowFarTheStoreHasBeenRead() throws Exception {
        Path data = filled();
        String url = "http://127.0.0.1:" + freePort();
        List<JsonNode> answers = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        try (RunningBroker broker = RunningBroker.launch(RunningBroker.command(
                List.of("-Xint"), List.of("storage.path=" + data, "admin.port=" + url.replaceFirst(".*:", ""))))) {
            HttpClient client = HttpClient.newHttpClient();
            Await.until("it is ready", () -> {
                HttpResponse<String> answer = ask(client, url + "/ready");
                if (answer == null) {
                    assertTrue(broker.isAlive(), () -> String.join("\n", broker.log()));
                    return false;
                }
                answers.add(AdminPort.parsed(answer.body()));
                if (answers.size() == 1) {
                    HttpResponse<String> status = ask(client, url + "/api/v1/status");
                    HttpResponse<String> live = ask(client, url + "/live");
                    if (status != null && status.statusCode() == 503) {
                        problems.add(
                                AdminPort.parsed(status.body()).path("error").asText());
                    }
                    assertTrue(live != null && live.statusCode() == 200);
                }
                return answer.statusCode() == 200;
            });
            check(answers);
            assertTrue(problems.isEmpty() || problems.get(0).startsWith("the broker is starting"), problems.toString());
            AdminPort admin = AdminPort.of(broker, data);
            OpenApiDocument document = new OpenApiDocument(admin.get("/api/v1/openapi.json"));
            OpenApiDocument.Operation ready = document.find("GET", "/ready");
            for (JsonNode each : answers) {
                int status = each.path("ok").asBoolean() ? 200 : 503;
                assertEquals(List.of(), document.faults(ready, status, "application/json", each));
            }
            assertEquals(SESSIONS, admin.get("/api/v1/status").path("sessions").asInt());
        }
    }

    @Test
    void commands_showItInWords() throws Exception {
        String words = "starting: reading the store, 12 of about 50 sessions and groups";
        try (StubPort stub = new StubPort()) {
            stub.answer("503 {\"ok\":false,\"status\":\"" + words + "\",\"loading\":{\"step\":\"reading\"}}");
            assertEquals(words, stub.run(1, folder, "health").strip());
            stub.answer("503 {\"status\":503,\"error\":\"the broker is " + words + "; ask again\"}");
            assertTrue(stub.run(1, folder, "status").contains("the broker is " + words));
            stub.answer("200 {\"ok\":true,\"status\":\"serving\",\"loading\":null}");
            assertTrue(stub.run(0, folder, "health", "--json").contains("\"ok\" : true"));
            stub.answer("200 hello");
            assertTrue(stub.run(0, folder, "health").contains("hello"));
        }
    }

    private static HttpResponse<String> ask(HttpClient client, String url) {
        try {
            return client.send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString());
        } catch (ConnectException notYet) {
            return null;
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** It never goes back, and was seen on the way. */
    private static void check(List<JsonNode> answers) {
        long sessions = 0;
        boolean seen = false;
        for (JsonNode each : answers) {
            JsonNode read = each.path("loading").path("sessions");
            long done = read.path("done").asLong();
            if (each.path("loading").isObject()) {
                assertTrue(done >= sessions, answers.toString());
                sessions = done;
            }
            seen |= done > 0
                    && done < SESSIONS
                    && read.path("about").asLong() == SESSIONS
                    && each.path("status").asText().contains(" of about " + SESSIONS + " sessions");
        }
        assertTrue(seen, answers.toString());
        assertEquals("serving", answers.get(answers.size() - 1).path("status").asText());
    }
}
