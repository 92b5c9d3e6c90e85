package org.dunlin.it.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dunlin.it.RunningBroker;
import org.jspecify.annotations.Nullable;

/** The admin port of a running broker, as a program of its operator calls it. Any thread. */
final class AdminPort {
    private static final Pattern URL = Pattern.compile(" Ready .*; admin (https?://\\S+?:(\\d+));");
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final HttpClient CLIENT = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(20))
            .build();

    private final String url;
    private final int port;
    private final String token;

    private AdminPort(String url, int port, String token) {
        this.url = url;
        this.port = port;
        this.token = token;
    }

    /** @param data its data directory, where the token is */
    static AdminPort of(RunningBroker broker, Path data) throws IOException {
        Matcher ready = URL.matcher(broker.awaitLog(" Ready "));
        if (!ready.find()) {
            throw new AssertionError("the broker does not say where its admin port is");
        }
        String token = Files.readString(data.resolve("admin.token")).strip();
        return new AdminPort(ready.group(1), Integer.parseInt(ready.group(2)), token);
    }

    String url() {
        return url;
    }

    int port() {
        return port;
    }

    /** That of the data directory. */
    String token() {
        return token;
    }

    /** An answer. @param type of its content, or "" */
    record Answer(int status, String type, String body) {
        JsonNode json() {
            return parsed(body);
        }

        /** Itself, if it has that status. */
        Answer expect(int expected) {
            if (status != expected) {
                throw new AssertionError("expected " + expected + ", got " + status + ": " + body);
            }
            return this;
        }
    }

    static JsonNode parsed(String json) {
        try {
            return MAPPER.readTree(json);
        } catch (JsonProcessingException malformed) {
            throw new AssertionError("no JSON: " + json, malformed);
        }
    }

    static String escaped(String segment) {
        return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** Answered with 200. */
    JsonNode get(String path) {
        return ask("GET", path, null).expect(200).json();
    }

    /** Answered with 200. */
    JsonNode change(String method, String path, @Nullable String body) {
        return ask(method, path, body).expect(200).json();
    }

    /** @param body JSON, or null for none */
    Answer ask(String method, String path, @Nullable String body) {
        return ask(method, path, body, token);
    }

    Answer ask(String method, String path, @Nullable String body, String by) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + path))
                .timeout(Duration.ofSeconds(60))
                .header("Authorization", "Bearer " + by);
        if (body == null) {
            request.method(method, HttpRequest.BodyPublishers.noBody());
        } else {
            request.header("Content-Type", "application/json")
                    .method(method, HttpRequest.BodyPublishers.ofString(body));
        }
        try {
            HttpResponse<String> response = CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
            return new Answer(
                    response.statusCode(),
                    response.headers().firstValue("content-type").orElse(""),
                    response.body());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Makes a token. @return it */
    String makeToken(String name, String scope, @Nullable Integer seconds) {
        String end = seconds == null ? "" : ",\"expiresInSeconds\":" + seconds;
        return change("POST", "/api/v1/tokens", "{\"name\":\"" + name + "\",\"scope\":\"" + scope + "\"" + end + "}")
                .path("token")
                .asText();
    }
}
