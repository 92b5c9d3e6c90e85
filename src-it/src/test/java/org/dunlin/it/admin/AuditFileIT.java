package org.dunlin.it.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.dunlin.it.Await;
import org.dunlin.it.RunningBroker;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The file of {@code log.audit-file}, beside the log. */
class AuditFileIT {
    @TempDir
    Path folder;

    private static List<String> lines(Path file) {
        try {
            return Files.exists(file) ? Files.readAllLines(file) : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long lost(AdminPort admin) {
        return admin.ask("GET", "/metrics", null)
                .expect(200)
                .body()
                .lines()
                .filter(line -> line.startsWith("dunlin_log_lines_lost_total "))
                .mapToLong(line -> (long) Double.parseDouble(line.substring(line.indexOf(' '))))
                .sum();
    }

    private static String await(Path file, String text) {
        Await.until(
                text + " in " + file + ": " + lines(file),
                () -> lines(file).stream().anyMatch(line -> line.contains(text)));
        return lines(file).stream()
                .filter(line -> line.contains(text))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void changes_areLinesOfTheFile_beforeAndAfterItIsMovedAway() throws Exception {
        Path data = folder.resolve("data");
        Path file = folder.resolve("audit.log");
        try (RunningBroker broker = RunningBroker.start(List.of("storage.path=" + data, "log.audit-file=" + file))) {
            AdminPort admin = AdminPort.of(broker, data);
            admin.get("/api/v1/status");
            admin.change("POST", "/api/v1/publish", "{\"topic\":\"t\",\"text\":\"secret words\"}");
            String line = await(file, "POST /api/v1/publish");
            assertTrue(line.contains(" INFO ") && line.contains("by=\"token admin\""), line);
            assertTrue(line.contains("address=127.0.0.1") && line.contains("status=200"), line);
            assertEquals(
                    line, broker.awaitLog("POST /api/v1/publish").substring(0, line.length()), "as it is in the log");
            admin.ask("POST", "/api/v1/publish", "{}", "wrong").expect(401);
            await(file, "Failed to log in");
            assertFalse(Files.readString(file).contains("secret words"));
            assertEquals(2, lines(file).size(), "and nothing else");

            admin.change("PUT", "/api/v1/log/level", "{\"level\":\"error\"}");
            Files.move(file, folder.resolve("rotated"));
            admin.change("POST", "/api/v1/config/check", null);
            await(file, "config/check");
            assertEquals(3, lines(folder.resolve("rotated")).size());
            assertTrue(
                    broker.log().stream().noneMatch(each -> each.contains("config/check")),
                    "the log takes errors alone");
        }
    }

    @Test
    void format_isThatOfTheLog() throws Exception {
        Path data = folder.resolve("data");
        Path file = folder.resolve("audit.json");
        List<String> command = RunningBroker.command(
                List.of(), List.of("storage.path=" + data, "log.audit-file=" + file, "log.format=json"));
        try (RunningBroker broker = RunningBroker.launch(command)) {
            broker.awaitLog("Ready on");
            String url = broker.awaitLog("Ready on").replaceFirst(".*admin (http://[0-9.:]+);.*", "$1");
            String token = Files.readString(data.resolve("admin.token")).strip();
            java.net.http.HttpResponse<String> answer = java.net.http.HttpClient.newHttpClient()
                    .send(
                            java.net.http.HttpRequest.newBuilder(java.net.URI.create(url + "/api/v1/config/check"))
                                    .header("Authorization", "Bearer " + token)
                                    .POST(java.net.http.HttpRequest.BodyPublishers.noBody())
                                    .build(),
                            java.net.http.HttpResponse.BodyHandlers.ofString());
            assertEquals(200, answer.statusCode());
            JsonNode line = AdminPort.parsed(await(file, "config/check"));
            assertEquals("dunlin.audit", line.path("logger").asText());
            assertEquals("token admin", line.path("by").asText());
            assertEquals(200, line.path("status").asInt());
        }
    }

    @Test
    void fileThatCannotBeWritten_isToldOnce_andHurtsNothing() throws Exception {
        Path data = folder.resolve("data");
        Path file = folder.resolve("missing/audit.log");
        try (RunningBroker broker = RunningBroker.start(List.of("storage.path=" + data, "log.audit-file=" + file))) {
            AdminPort admin = AdminPort.of(broker, data);
            for (int i = 0; i < 3; i++) {
                admin.change("POST", "/api/v1/publish", "{\"topic\":\"t" + i + "\",\"text\":\"x\"}");
            }
            Await.until("a line is lost", () -> lost(admin) > 0);
            Files.createDirectory(file.getParent());
            admin.change("POST", "/api/v1/config/check", null);
            await(file, "config/check");
            broker.awaitLog("can be written to again");
            String lost = await(file, "Log lines were lost: log.audit-file did not take them lines=");
            long written = lines(file).stream()
                    .filter(line -> line.contains("POST /api/v1/publish"))
                    .count();
            assertTrue(lost.endsWith("=" + (3 - written)), lost);
            assertEquals(
                    1,
                    broker.log().stream()
                            .filter(line -> line.contains("cannot be written to"))
                            .count());
        }
    }
}
