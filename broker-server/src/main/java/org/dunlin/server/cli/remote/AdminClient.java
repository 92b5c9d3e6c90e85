package org.dunlin.server.cli.remote;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.time.Duration;
import java.util.Iterator;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ExitCode;
import org.jspecify.annotations.Nullable;

/** Asks the admin port of a running broker. Main thread; every call blocks. */
final class AdminClient {
    private static final Duration CONNECT_PATIENCE = Duration.ofSeconds(5);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final ObjectMapper MAPPER = JsonMapper.builder().build();

    private final String base;
    private final String token;
    private final String whatThereIs;
    private final HttpClient client;

    /**
     * @param base like "http://127.0.0.1:18083"
     * @param token "" for none
     * @param tls null for Java's own
     * @param whatThereIs said behind that something is not there; may be empty
     */
    AdminClient(String base, String token, @Nullable SSLContext tls, String whatThereIs) {
        this.whatThereIs = whatThereIs;
        this.base = base.endsWith("/") ? base.substring(0, base.length() - 1) : base;
        this.token = token;
        HttpClient.Builder builder =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(CONNECT_PATIENCE);
        this.client = (tls == null ? builder : builder.sslContext(tls)).build();
    }

    /** @param values what is empty, or a flag that is not set, is left out */
    static String query(Map<String, Object> values) {
        String query = values.entrySet().stream()
                .filter(each -> !each.getValue().equals("") && !each.getValue().equals(false))
                .map(each -> each.getKey() + "=" + escaped(each.getValue().toString()))
                .collect(Collectors.joining("&"));
        return query.isEmpty() ? "" : "?" + query;
    }

    private static String escaped(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** @param segments of the path, not escaped */
    static String path(String... segments) {
        return Stream.of(segments).map(AdminClient::escaped).collect(Collectors.joining("/", "/api/v1/", ""));
    }

    JsonNode get(String path) throws CommandException {
        return ask("GET", path, null);
    }

    /** @param body null for none */
    JsonNode ask(String method, String target, @Nullable Object body) throws CommandException {
        HttpResponse<String> response = answer(method, target, body);
        try {
            JsonNode answer = MAPPER.readTree(response.body());
            if (response.statusCode() >= 400) {
                refused(response.statusCode(), answer);
            }
            return answer;
        } catch (JsonProcessingException foreign) {
            throw foreign(foreign);
        }
    }

    /** A text as JSON: itself as a string if it is none. */
    static JsonNode parsed(String text) {
        try {
            return MAPPER.readTree(text);
        } catch (JsonProcessingException foreign) {
            return MAPPER.getNodeFactory().textNode(text);
        }
    }

    /** Tells of Server-Sent Events until there are no more; blocks as long. */
    void follow(String target, Events events) throws CommandException {
        HttpResponse<Stream<String>> response = send("GET", target, null, HttpResponse.BodyHandlers.ofLines());
        try (Stream<String> lines = response.body()) {
            if (response.statusCode() != 200) {
                refused(response.statusCode(), MAPPER.readTree(lines.collect(Collectors.joining())));
            }
            String type = "";
            for (Iterator<String> each = lines.iterator(); each.hasNext(); ) {
                String line = each.next();
                if (line.startsWith("event: ")) {
                    type = line.substring("event: ".length());
                } else if (line.startsWith("data: ")) {
                    events.take(type, MAPPER.readTree(line.substring("data: ".length())));
                }
            }
        } catch (JsonProcessingException foreign) {
            throw foreign(foreign);
        } catch (UncheckedIOException broken) {
            throw new CommandException(ExitCode.UNEXPECTED, base + " has ended the connection", broken);
        }
    }

    /** Told of each event. */
    interface Events {
        void take(String type, JsonNode data);
    }

    private CommandException foreign(JsonProcessingException fault) {
        return new CommandException(
                ExitCode.UNEXPECTED, base + " is no admin port of Dunlin; name it with --url", fault);
    }

    private void refused(int status, JsonNode answer) throws CommandException {
        String why = answer.path("error").asText("status " + status);
        throw switch (status) {
            case 401 ->
                wrong(
                        token.isEmpty()
                                ? "a token is needed; name its file with --token-file, as a rule admin.token in the data"
                                        + " directory"
                                : base + " does not know this token; name the file of another with --token-file, as a"
                                        + " rule admin.token in the data directory of that broker");
            case 403 -> wrong(why + ", and name its file with --token-file");
            case 404 -> wrong(why + whatThereIs);
            case 503 ->
                new CommandException(
                        ExitCode.UNEXPECTED,
                        base + " does not serve yet: " + why + "; 'dunlin health' ends with 0 when it does");
            default -> status < 500 && status != 429 ? wrong(why) : new CommandException(ExitCode.UNEXPECTED, why);
        };
    }

    private static CommandException wrong(String what) {
        return new CommandException(ExitCode.USAGE, what);
    }

    /** Whatever its status is. */
    HttpResponse<String> answer(String method, String target, @Nullable Object body) throws CommandException {
        return send(method, target, body, HttpResponse.BodyHandlers.ofString());
    }

    private <T> HttpResponse<T> send(
            String method, String target, @Nullable Object body, HttpResponse.BodyHandler<T> handler)
            throws CommandException {
        try {
            HttpRequest.Builder request =
                    HttpRequest.newBuilder(URI.create(base + target)).timeout(PATIENCE);
            if (!token.isEmpty()) {
                request.header("Authorization", "Bearer " + token);
            }
            if (body == null) {
                request.method(method, HttpRequest.BodyPublishers.noBody());
            } else {
                request.header("Content-Type", "application/json")
                        .method(method, HttpRequest.BodyPublishers.ofString(MAPPER.writeValueAsString(body)));
            }
            return client.send(request.build(), handler);
        } catch (ConnectException nobody) {
            throw new CommandException(
                    ExitCode.UNEXPECTED,
                    "no broker answers at " + base + "; start it, or name its admin port with --url",
                    nobody);
        } catch (HttpTimeoutException silent) {
            throw new CommandException(
                    ExitCode.UNEXPECTED, base + " does not answer in time; see whether that is its admin port", silent);
        } catch (SSLException insecure) {
            throw new CommandException(ExitCode.UNEXPECTED, ofTls(insecure), insecure);
        } catch (IOException broken) {
            throw new CommandException(
                    ExitCode.UNEXPECTED,
                    base + " does not answer: " + broken.getMessage()
                            + (base.startsWith("http:") ? "; with admin.tls its URL begins with https://" : ""),
                    broken);
        } catch (IllegalArgumentException malformed) {
            throw new CommandException(ExitCode.USAGE, "--url " + base + " is no URL like http://127.0.0.1:18083");
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new CommandException(ExitCode.UNEXPECTED, "interrupted");
        }
    }

    private String ofTls(SSLException fault) {
        for (Throwable cause = fault; cause != null; cause = cause.getCause()) {
            if (cause instanceof CertificateExpiredException || cause instanceof CertificateNotYetValidException) {
                return "the certificate of " + base + " is not valid at this time: " + cause.getMessage()
                        + "; give the broker a new one, or set the clock right";
            } else if (cause instanceof CertificateException) {
                return "the certificate of " + base + " is not trusted; name the one of admin.tls.cert with --ca";
            }
        }
        return "there is no TLS with " + base + ": " + fault.getMessage()
                + "; without admin.tls its URL begins with http://";
    }
}
