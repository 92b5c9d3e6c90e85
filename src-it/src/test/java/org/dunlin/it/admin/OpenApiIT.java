package org.dunlin.it.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RealClient;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The OpenAPI document is one by the schema of the OpenAPI Initiative; every endpoint that it has is called at least once, and its
 * answer held against the document.
 */
class OpenApiIT {
    private AdminPort admin;
    private OpenApiDocument document;
    private final TreeSet<String> called = new TreeSet<>();
    private final List<String> faults = new ArrayList<>();

    private void answers(int status, String method, String target) {
        answers(status, method, target, null);
    }

    private void answers(int status, String method, String target, @Nullable String body) {
        AdminPort.Answer answer = admin.ask(method, target, body);
        OpenApiDocument.Operation operation = document.find(method, target.replaceFirst("\\?.*", ""));
        called.add(operation.toString());
        if (answer.status() != status) {
            faults.add(operation + ": expected " + status + ", got " + answer.status() + " " + answer.body());
        }
        boolean json = answer.type().equals("application/json");
        faults.addAll(document.faults(
                operation, answer.status(), answer.type(), json ? answer.json() : NullNode.getInstance()));
    }

    @Test
    void everyEndpoint_answersAsTheDocumentSays(@TempDir Path folder) throws Exception {
        Path data = folder.resolve("data");
        try (RunningBroker broker = RunningBroker.start(List.of(
                        "storage.path=" + data,
                        "auth.allow-anonymous=true",
                        "auth.password-file=" + Files.writeString(folder.resolve("users"), ""),
                        "auth.acl-file=" + Files.writeString(folder.resolve("acl"), "topic readwrite #\n"),
                        "auth.ban-file=" + Files.writeString(folder.resolve("bans"), ""),
                        "queue.max-messages=2"));
                MqttSocket there = broker.socket();
                MqttSocket away = broker.socket()) {
            admin = AdminPort.of(broker, data);
            document = new OpenApiDocument(admin.get("/api/v1/openapi.json"));
            assertEquals(List.of(), document.faults());
            try (RealClient validator = RealClient.node("openapi.mjs", broker, admin.url())) {
                validator.awaitLine("valid: OpenAPI 3.1");
                validator.awaitSuccess();
            }
            there.connect(Connect.builder(ProtocolVersion.MQTT_5, "there").build());
            there.subscribe("$share/group/x", Qos.AT_LEAST_ONCE);
            away.connect(Connect.builder(ProtocolVersion.MQTT_5, "away/1")
                    .sessionExpirySeconds(600)
                    .build());
            away.subscribe("a/#", Qos.AT_LEAST_ONCE).disconnect();
            away.expectClosed();
            messages();
            looking();
            parameters();
            changing();
            assertEquals(0, broker.awaitExit());
        }
        TreeSet<String> missed = new TreeSet<>();
        document.operations().forEach(operation -> missed.add(operation.toString()));
        missed.removeAll(called);
        assertEquals(new TreeSet<>(), missed, "not called");
        assertEquals(List.of(), faults);
    }

    private void messages() {
        for (String text : List.of("one", "two", "three", "four")) {
            answers(
                    200,
                    "POST",
                    "/api/v1/publish",
                    "{\"topic\":\"a/b\",\"text\":\"" + text + "\",\"qos\":1,\"retain\":true,\"expirySeconds\":60}");
        }
        answers(200, "POST", "/api/v1/publish", "{\"topic\":\"a/c\",\"base64\":\"AAECAw==\",\"retain\":true}");
        answers(400, "POST", "/api/v1/publish", "{\"topic\":\"a/#\"}");
        answers(200, "GET", "/api/v1/retained");
        answers(200, "GET", "/api/v1/retained?filter=a/%23&limit=1");
        answers(200, "GET", "/api/v1/topics");
        answers(200, "GET", "/api/v1/topics?parent=a&limit=1");
        answers(200, "GET", "/api/v1/retained/message?topic=a/c");
        answers(404, "GET", "/api/v1/retained/message?topic=none");
        answers(200, "GET", "/api/v1/drops");
        answers(200, "GET", "/api/v1/drops/last");
        answers(200, "GET", "/api/v1/drops/clients");
        answers(200, "DELETE", "/api/v1/retained/message?topic=a/b");
        answers(200, "POST", "/api/v1/retained/delete", "{\"filter\":\"a/#\",\"dryRun\":true}");
    }

    private void looking() {
        for (String path : List.of(
                "/live",
                "/ready",
                "/api/v1/openapi.json",
                "/api/v1/login",
                "/api/v1/status",
                "/api/v1/rates",
                "/api/v1/listeners",
                "/api/v1/clients",
                "/api/v1/clients/there",
                "/api/v1/clients/there/events",
                "/api/v1/sessions",
                "/api/v1/sessions?sort=queue",
                "/api/v1/sessions?sort=age&connected=false",
                "/api/v1/sessions/away%2F1",
                "/api/v1/sessions/there/subscriptions",
                "/api/v1/subscriptions",
                "/api/v1/groups",
                "/api/v1/users",
                "/api/v1/bans",
                "/api/v1/acl",
                "/api/v1/acl/explain?action=publish&topic=a",
                "/api/v1/config",
                "/api/v1/backups",
                "/api/v1/explain/message?topic=a/b",
                "/api/v1/explain/message?topic=none&client=there&from=there",
                "/api/v1/explain/client/there",
                "/api/v1/explain/client/nobody",
                "/api/v1/trace?client=there&seconds=1",
                "/metrics",
                "/api/v1/refusals",
                "/api/v1/log",
                "/api/v1/log/level",
                "/api/v1/tokens")) {
            answers(200, "GET", path);
        }
        answers(404, "GET", "/api/v1/clients/away%2F1");
        answers(404, "GET", "/api/v1/sessions/none");
        answers(426, "GET", "/mqtt");
        answers(400, "GET", "/api/v1/trace");
    }

    /** A parameter is needed if, and only if, the document says so. */
    private void parameters() {
        for (OpenApiDocument.Operation operation : document.operations()) {
            boolean needed = false;
            for (JsonNode parameter : operation.node().path("parameters")) {
                needed |= parameter.path("in").asText().equals("query")
                        && parameter.path("required").asBoolean();
            }
            boolean oneOfThree = operation.path().equals("/api/v1/trace");
            if (operation.method().equals("GET") && !oneOfThree) {
                AdminPort.Answer answer = admin.ask("GET", operation.target("x"), null);
                if (needed != (answer.status() == 400)) {
                    faults.add(operation + " without query: " + answer);
                }
            }
        }
    }

    private void changing() {
        answers(200, "POST", "/api/v1/tokens", "{\"name\":\"t\",\"scope\":\"read\",\"expiresInSeconds\":60}");
        answers(409, "POST", "/api/v1/tokens", "{\"name\":\"t\",\"scope\":\"read\"}");
        answers(200, "GET", "/api/v1/tokens");
        answers(200, "DELETE", "/api/v1/tokens/t");
        answers(200, "POST", "/api/v1/login", "{\"token\":\"" + admin.token() + "\"}");
        answers(401, "POST", "/api/v1/login", "{\"token\":\"none\"}");
        answers(200, "POST", "/api/v1/logout");
        answers(200, "POST", "/api/v1/users", "{\"name\":\"ann\",\"password\":\"sesame\",\"scram\":true}");
        answers(200, "PUT", "/api/v1/users/ann/password", "{\"password\":\"mustard\"}");
        answers(200, "GET", "/api/v1/users");
        answers(200, "DELETE", "/api/v1/users/ann");
        answers(200, "POST", "/api/v1/bans", "{\"kind\":\"user\",\"subject\":\"eve\",\"expiresInSeconds\":60}");
        answers(200, "GET", "/api/v1/bans");
        answers(200, "DELETE", "/api/v1/bans/user/eve");
        answers(200, "PUT", "/api/v1/acl", "{\"text\":\"topic readwrite #\\n\"}");
        answers(400, "PUT", "/api/v1/acl", "{\"text\":\"what\"}");
        answers(200, "PUT", "/api/v1/log/level", "{\"level\":\"info\"}");
        answers(200, "POST", "/api/v1/backups", "{\"name\":\"one\"}");
        answers(409, "POST", "/api/v1/backups", "{\"name\":\"one\"}");
        answers(200, "GET", "/api/v1/backups");
        answers(200, "DELETE", "/api/v1/backups/one");
        answers(200, "POST", "/api/v1/config/check");
        answers(200, "POST", "/api/v1/config/reload");
        answers(200, "POST", "/api/v1/sessions/end", "{\"search\":\"away\",\"dryRun\":true}");
        answers(200, "DELETE", "/api/v1/sessions/away%2F1");
        answers(200, "POST", "/api/v1/clients/there/disconnect");
        answers(200, "POST", "/api/v1/drain");
    }
}
