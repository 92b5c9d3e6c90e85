package org.dunlin.it.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.Stream;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Backups of a broker while it serves, by the admin port and the command, and brokers that are started from them. */
class BackupIT {
    private static final int PUBLISHERS = 3;

    @TempDir
    Path folder;

    private RunningBroker start(Path data, String... more) {
        List<String> settings = new ArrayList<>(List.of("storage.path=" + data, "limits.max-inflight=1000"));
        settings.addAll(List.of(more));
        return RunningBroker.start(settings);
    }

    private static Connect away(String clientId, boolean cleanStart) {
        return Connect.builder(ProtocolVersion.MQTT_5, clientId)
                .cleanStart(cleanStart)
                .sessionExpirySeconds(3600)
                .build();
    }

    private String run(int exitCode, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(RunningBroker.java(), "-jar", RunningBroker.jar().toString()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.startsWith("DUNLIN_"));
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(exitCode, process.waitFor(), said);
        return said;
    }

    // ---- what is in it

    /** Publishes at QoS 1 until it is told to stop, and notes the last number that was acknowledged. */
    private static Thread publisher(
            RunningBroker broker,
            int number,
            AtomicReferenceArray<Integer> acknowledged,
            AtomicBoolean enough,
            AtomicReference<Throwable> fault) {
        Thread thread = new Thread(() -> {
            try (MqttSocket socket = broker.socket().connect(ProtocolVersion.MQTT_5, "publisher-" + number)) {
                for (int i = 1; !enough.get(); i++) {
                    socket.publish(
                            MqttSocket.message("work/" + number, Integer.toString(i), Qos.AT_LEAST_ONCE, i % 10 == 0));
                    acknowledged.set(number, i);
                }
            } catch (RuntimeException | Error e) {
                fault.set(e);
            }
        });
        thread.start();
        return thread;
    }

    @Test
    void backup_whileClientsPublish_hasAllThatWasAcknowledged() throws Exception {
        AtomicReferenceArray<Integer> acknowledged = new AtomicReferenceArray<>(PUBLISHERS);
        AtomicBoolean enough = new AtomicBoolean();
        AtomicReference<Throwable> fault = new AtomicReference<>();
        Path data = folder.resolve("data");
        List<int[]> owed = new ArrayList<>();
        try (RunningBroker broker = start(data)) {
            AdminPort admin = AdminPort.of(broker, data);
            try (MqttSocket reader = broker.socket()) {
                reader.connect(away("reader", true));
                reader.subscribe("work/#", Qos.AT_LEAST_ONCE).disconnect();
            }
            List<Thread> publishers = new ArrayList<>();
            for (int i = 0; i < PUBLISHERS; i++) {
                acknowledged.set(i, 0);
                publishers.add(publisher(broker, i, acknowledged, enough, fault));
            }
            try {
                for (int copy = 1; copy <= 3; copy++) {
                    int least = copy * 100;
                    Await.until("messages are published", () -> {
                        assertEquals(null, fault.get());
                        return acknowledged.get(0) >= least && acknowledged.get(PUBLISHERS - 1) >= least;
                    });
                    int[] before = new int[PUBLISHERS];
                    Arrays.setAll(before, acknowledged::get);
                    JsonNode made = admin.change("POST", "/api/v1/backups", "{\"name\":\"copy-" + copy + "\"}");
                    assertEquals("copy-" + copy, made.path("name").asText());
                    owed.add(before);
                }
            } finally {
                enough.set(true);
                for (Thread each : publishers) {
                    each.join();
                }
            }
            assertEquals(null, fault.get());
            assertEquals(
                    List.of("copy-3", "copy-2", "copy-1"),
                    admin.get("/api/v1/backups").path("items").findValuesAsText("name"));
        }
        assertTrue(
                run(0, "store", "verify", "-d", data.resolve("backups/copy-1").toString())
                        .contains("queued"));
        for (int copy = 1; copy <= 3; copy++) {
            check(data.resolve("backups/copy-" + copy), owed.get(copy - 1));
        }
    }

    /** Of each publisher everything that it was owed is there, in its order and without a gap. */
    private void check(Path copy, int[] owed) {
        try (RunningBroker restored = start(copy);
                MqttSocket reader = restored.socket()) {
            ConnAck present = reader.connect(away("reader", false));
            assertTrue(present.sessionPresent());
            int[] last = new int[PUBLISHERS];
            while (isShort(last, owed)) {
                Publish publish = reader.receivePublish();
                int publisher =
                        Integer.parseInt(publish.message().topic().text().substring("work/".length()));
                int number = Integer.parseInt(MqttSocket.text(publish));
                if (!publish.message().retain()) {
                    assertEquals(last[publisher] + 1, number, copy + ", publisher " + publisher);
                    last[publisher] = number;
                }
            }
            try (MqttSocket other = restored.socket().connect(ProtocolVersion.MQTT_5, "other")) {
                other.subscribe("work/0", Qos.AT_MOST_ONCE);
                assertTrue(Integer.parseInt(MqttSocket.text(other.receivePublish())) >= owed[0] / 10 * 10);
            }
        }
    }

    private static boolean isShort(int[] last, int[] owed) {
        for (int i = 0; i < owed.length; i++) {
            if (last[i] < owed[i]) {
                return true;
            }
        }
        return false;
    }

    // ---- what is asked for

    @Test
    void endpoints_nameListAndRemove_andLeaveLinesOfTheAudit() throws Exception {
        Path data = folder.resolve("data");
        Path elsewhere = folder.resolve("else/where");
        try (RunningBroker broker = start(data, "admin.backup-path=" + elsewhere)) {
            AdminPort admin = AdminPort.of(broker, data);
            String reader = admin.makeToken("reader", "read", null);
            JsonNode none = admin.get("/api/v1/backups");
            assertEquals(elsewhere.toString(), none.path("directory").asText());
            assertTrue(none.path("items").isEmpty()
                    && none.path("running").isNull()
                    && none.path("failed").isNull());

            String stamp =
                    admin.change("POST", "/api/v1/backups", "{}").path("name").asText();
            assertTrue(stamp.matches("[0-9-]+T[0-9-]+Z"), stamp);
            JsonNode named = admin.change("POST", "/api/v1/backups", "{\"name\":\"n\"}");
            assertTrue(
                    named.path("bytes").asLong() > 0
                            && !named.path("time").asText().isEmpty(),
                    named.toString());
            assertEquals(
                    "rwx------",
                    java.nio.file.attribute.PosixFilePermissions.toString(
                            Files.getPosixFilePermissions(elsewhere.resolve("n"))));

            admin.ask("POST", "/api/v1/backups", "{\"name\":\"n\"}").expect(409);
            admin.ask("POST", "/api/v1/backups", "{\"name\":\"../n\"}").expect(400);
            admin.ask("POST", "/api/v1/backups", "{\"path\":\"/tmp\"}").expect(400);
            admin.ask("POST", "/api/v1/backups", "{}", reader).expect(403);
            admin.ask("DELETE", "/api/v1/backups/n", null, reader).expect(403);
            admin.ask("GET", "/api/v1/backups", null, reader).expect(200);
            admin.ask("DELETE", "/api/v1/backups/..%2Fdata", null).expect(400);
            admin.ask("DELETE", "/api/v1/backups/nobody", null).expect(404);
            admin.change("DELETE", "/api/v1/backups/n", null);
            assertFalse(Files.exists(elsewhere.resolve("n")));
            assertEquals(
                    List.of(stamp), admin.get("/api/v1/backups").path("items").findValuesAsText("name"));

            String made = broker.awaitLog("about=\"backup n\"");
            assertTrue(made.contains("dunlin.audit") && made.contains("POST /api/v1/backups"), made);
            broker.awaitLog("action=\"DELETE /api/v1/backups/n\" status=200");
        }
    }

    @Test
    void command_makesListsAndRemoves() throws Exception {
        Path data = folder.resolve("data");
        try (RunningBroker broker = start(data)) {
            AdminPort admin = AdminPort.of(broker, data);
            String[] where = {
                "--url",
                admin.url(),
                "--token-file",
                data.resolve("admin.token").toString()
            };
            assertTrue(run(0, with(where, "backup", "first")).contains("made first, "));
            assertTrue(run(0, with(where, "backup")).contains("made 20"));
            String listed = run(0, with(where, "backup", "--list"));
            assertTrue(listed.contains("first ") && listed.contains("BYTES"), listed);
            assertTrue(run(2, with(where, "backup", "first")).contains("take another name"));
            run(2, with(where, "backup", "a/b"));
            assertTrue(run(0, with(where, "backup", "--delete", "first")).contains("removed first"));
            run(2, with(where, "backup", "--list", "--delete", "x"));
            assertEquals(1, admin.get("/api/v1/backups").path("items").size());
        }
    }

    @Test
    void command_waitsForOneThatTakesLong() throws Exception {
        String running = "200 {\"items\":[],\"running\":{\"name\":\"x\",\"since\":\"s\"},\"failed\":null}";
        try (StubPort stub = new StubPort()) {
            stub.answer("202 {\"name\":\"x\",\"since\":\"s\"}", running, running);
            stub.answer(
                    "200 {\"items\":[{\"name\":\"x\",\"time\":\"t\",\"bytes\":7}],\"running\":null,\"failed\":null}");
            assertTrue(stub.run(0, folder, "backup", "x").contains("made x, 7 bytes"));
            assertEquals(4, stub.asked().size());
            stub.answer("202 {\"name\":\"x\",\"since\":\"s\"}");
            stub.answer(
                    "200 {\"items\":[],\"running\":null,\"failed\":{\"name\":\"x\",\"at\":\"t\",\"error\":\"no room\"}}");
            assertTrue(stub.run(1, folder, "backup", "x").contains("the backup was not made: no room"));
        }
    }

    private static String[] with(String[] where, String... arguments) {
        return Stream.concat(Stream.of(arguments), Stream.of(where)).toArray(String[]::new);
    }

    // ---- what cannot be

    @Test
    void engineMemory_saysThatThereIsNothingToCopy() throws Exception {
        Path data = folder.resolve("data");
        try (RunningBroker broker = start(data, "storage.engine=memory")) {
            AdminPort admin = AdminPort.of(broker, data);
            String why = admin.ask("POST", "/api/v1/backups", "{}")
                    .expect(501)
                    .json()
                    .path("error")
                    .asText();
            assertTrue(why.contains("storage.engine is memory"), why);
            assertFalse(Files.exists(data.resolve("backups")));
        }
    }

    @Test
    void tooLittleRoom_isTold_andLeavesNothing() throws Exception {
        Path data = folder.resolve("data");
        try (RunningBroker broker = start(data, "storage.min-free=1000000GB")) {
            AdminPort admin = AdminPort.of(broker, data);
            String why = admin.ask("POST", "/api/v1/backups", "{\"name\":\"x\"}")
                    .expect(507)
                    .json()
                    .path("error")
                    .asText();
            assertTrue(why.contains("there is no room for a copy") && why.contains("MB are free"), why);
            JsonNode after = admin.get("/api/v1/backups");
            assertTrue(after.path("items").isEmpty(), after.toString());
            assertEquals(why, after.path("failed").path("error").asText());
            try (Stream<Path> left = Files.list(data.resolve("backups"))) {
                assertEquals(
                        List.of("LOCK.backups"),
                        left.map(each -> each.getFileName().toString()).toList());
            }
        }
    }
}
