package org.dunlin.it.operation;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dunlin.it.Await;
import org.dunlin.it.RunningBroker;

/** One thread. A broker of its own, and what an operator asks it for: answers, tokens and the events that it sends. */
final class OperatedBroker implements AutoCloseable {
    private static final Pattern URL = Pattern.compile("admin (http://127\\.0\\.0\\.1:\\d+)");

    private final Path data = RunningBroker.newDataDirectory();
    private final RunningBroker broker;
    private final HttpClient client = HttpClient.newHttpClient();
    private final String url;

    OperatedBroker(String... settings) {
        List<String> all = new ArrayList<>(List.of(settings));
        all.add("storage.path=" + data);
        broker = RunningBroker.start(all);
        Matcher found = URL.matcher(broker.awaitLog("Ready"));
        if (!found.find()) {
            throw new AssertionError("no admin port in the log");
        }
        url = found.group(1);
    }

    RunningBroker broker() {
        return broker;
    }

    String url() {
        return url;
    }

    Path tokenFile() {
        return data.resolve("admin.token");
    }

    private HttpRequest.Builder request(String target) {
        try {
            return request(target, Files.readString(tokenFile()).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private HttpRequest.Builder request(String target, String token) {
        return HttpRequest.newBuilder(URI.create(url + "/api/v1/" + target)).header("Authorization", "Bearer " + token);
    }

    /** Makes a token that may do everything. */
    String makeToken(String name) {
        String body = "{\"name\":\"" + name + "\",\"scope\":\"write\"}";
        String answer = body(
                200,
                request("tokens")
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(body)));
        return answer.replaceFirst(".*\"token\":\"([^\"]+)\".*", "$1");
    }

    void removeToken(String name) {
        body(200, request("tokens/" + name).DELETE());
    }

    /** The body of the answer, which has to have that status. */
    String get(int status, String target) {
        return body(status, request(target));
    }

    private String body(int status, HttpRequest.Builder request) {
        try {
            HttpResponse<String> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != status) {
                throw new AssertionError(answer.statusCode() + " " + answer.body());
            }
            return answer.body();
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Begins to listen to events. */
    Events follow(String target) {
        return follow(request(target));
    }

    /** The same by a token. */
    Events follow(String target, String token) {
        return follow(request(target, token));
    }

    private Events follow(HttpRequest.Builder request) {
        try {
            HttpResponse<InputStream> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
            if (answer.statusCode() != 200) {
                throw new AssertionError(
                        answer.statusCode() + " " + new String(answer.body().readAllBytes(), StandardCharsets.UTF_8));
            }
            return new Events(answer.body());
        } catch (IOException | InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** The data of events, as they come. Any thread. */
    static final class Events implements AutoCloseable {
        private final InputStream in;
        private final List<String> data = new ArrayList<>();
        private volatile boolean paused;
        private volatile boolean ended;

        Events(InputStream in) {
            this.in = in;
            Thread reader = new Thread(this::read, "events");
            reader.setDaemon(true);
            reader.start();
        }

        private void read() {
            try (BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
                for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                    while (paused) {
                        Thread.onSpinWait();
                    }
                    if (line.startsWith("data: ")) {
                        synchronized (data) {
                            data.add(line.substring("data: ".length()));
                        }
                    }
                }
            } catch (IOException gone) {
                // closed
            }
            ended = true;
        }

        /** Takes nothing more until it is false. */
        void pause(boolean now) {
            paused = now;
        }

        List<String> soFar() {
            synchronized (data) {
                return List.copyOf(data);
            }
        }

        /** Waits for one that has all of the words. */
        String await(String... words) {
            Predicate<String> wanted = each -> List.of(words).stream().allMatch(each::contains);
            Await.until(
                    "an event with " + List.of(words) + " among " + soFar(),
                    () -> soFar().stream().anyMatch(wanted));
            return soFar().stream().filter(wanted).findFirst().orElseThrow();
        }

        void awaitEnd() {
            Await.until("the end of " + soFar(), () -> ended);
        }

        @Override
        public void close() {
            try {
                in.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Override
    public void close() {
        broker.close();
    }
}
