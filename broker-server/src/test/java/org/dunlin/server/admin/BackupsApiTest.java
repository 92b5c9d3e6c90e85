package org.dunlin.server.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreException.Kind;
import org.dunlin.server.backup.Backups;
import org.dunlin.server.http.Request;
import org.dunlin.server.http.Response;
import org.dunlin.server.rest.Call;
import org.dunlin.server.rest.Endpoint;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BackupsApiTest {
    @TempDir
    Path folder;

    private static Object ask(BackupsApi api, String method, String body) throws Exception {
        for (Endpoint each : api.endpoints()) {
            if (each.method().equals(method)) {
                Request request = Request.of(
                        method,
                        "/api/v1/backups",
                        Map.of(),
                        body.getBytes(StandardCharsets.UTF_8),
                        new InetSocketAddress("127.0.0.1", 1),
                        false);
                return each.action()
                        .run(new Call(request, Map.of(), null))
                        .toCompletableFuture()
                        .get();
            }
        }
        throw new AssertionError(method);
    }

    @Test
    void backupThatTakesLong_isAnsweredBefore_andGoesOn() throws Exception {
        CountDownLatch held = new CountDownLatch(1);
        try (Backups backups = new Backups(folder.resolve("backups"), copy -> {
            try {
                held.await();
                Files.writeString(copy.resolve("FORMAT"), "layout=1");
            } catch (IOException | InterruptedException e) {
                throw new StoreException(Kind.IO, "cut off", e);
            }
        })) {
            BackupsApi hasty = new BackupsApi(backups, Duration.ofMillis(1));
            Response early = assertInstanceOf(Response.class, ask(hasty, "POST", "{\"name\":\"slow\"}"));
            assertEquals(202, early.status());
            String body = new String(early.body(), StandardCharsets.UTF_8);
            assertTrue(body.startsWith("{\"name\":\"slow\",\"since\":\""), body);
            BackupsApi.Rows rows = (BackupsApi.Rows) ask(hasty, "GET", "");
            assertEquals("slow", rows.running().name());
            assertTrue(rows.items().isEmpty());
            held.countDown();
            while (backups.busy() != null) {
                Thread.onSpinWait();
            }
            BackupsApi patient = new BackupsApi(backups, Duration.ofMinutes(1));
            BackupsApi.Row made = (BackupsApi.Row) ask(patient, "POST", "{}");
            rows = (BackupsApi.Rows) ask(patient, "GET", "");
            assertNull(rows.running());
            assertNull(rows.failed());
            assertEquals(2, rows.items().size());
            assertTrue(rows.items().stream().anyMatch(row -> row.equals(made)), rows.toString());
        }
    }
}
