package org.dunlin.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.SessionRecord;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.core.spi.StoreBatch.SubscriptionRecord;
import org.dunlin.core.spi.StoreSettings;
import org.dunlin.core.spi.StoreSettings.Durability;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.dunlin.persistence.Stores;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code dunlin store}, with a directory that a store has made. */
class StoreCommandsTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final Map<String, String> environment = new HashMap<>();

    @TempDir
    Path folder;

    private Path data;

    @BeforeEach
    void fill() throws Exception {
        data = folder.resolve("data");
        try (Store store = open()) {
            SessionKey ann = new SessionKey(store.nextId(), 1);
            StoreBatch batch = store.newBatch();
            batch.putSession(
                    ann,
                    new SessionRecord("ann", null, ProtocolVersion.MQTT_5, false, 60, 99, null, Long.MAX_VALUE, 0));
            batch.putSubscription(ann, new SubscriptionRecord("a/#", Qos.AT_LEAST_ONCE, false, false, 0));
            for (int i = 0; i < 200; i++) {
                TopicName topic = TopicName.of("kept/" + i);
                Message message = new Message(
                        1, "ben", topic, new byte[100], Qos.AT_LEAST_ONCE, true, Message.NEVER, Message.NO_BYTES);
                batch.retain(topic, message, i);
            }
            CompletableFuture<String> end = new CompletableFuture<>();
            store.write(batch, end::complete);
            assertNull(end.get(60, TimeUnit.SECONDS));
        }
    }

    private Store open() throws Exception {
        Store store = Stores.create("rocksdb", new StoreSettings(data, Durability.FSYNC, 0, 8 << 20, 1, 0));
        store.open(new Store.Boot() {
            @Override
            public void began(long lastAliveMillis) {}

            @Override
            public void session(SessionKey key, SessionRecord state) {}

            @Override
            public void group(SessionKey key, String filter) {}

            @Override
            public void subscription(long owner, SubscriptionRecord subscription) {}

            @Override
            public void queue(long owner, long messages, long bytes, long firstSeq, long lastSeq) {}

            @Override
            public void released(long owner, long seq, int packetId) {}

            @Override
            public void numbered(long owner, long seq, int packetId) {}

            @Override
            public void inboundId(long owner, int packetId) {}

            @Override
            public void retained(Message message, long stamp) {}

            @Override
            public void delayed(long id, long dueAtMillis, Message message) {}
        });
        return store;
    }

    private int run(String... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        return new CommandLineInterface(config -> ExitCode.OK, List::of, environment, List.of())
                .printTo(new PrintWriter(out), new PrintWriter(err))
                .run(arguments);
    }

    private void assertOneLine(String... parts) {
        String text = err.toString();
        for (String part : parts) {
            assertTrue(text.contains(part), part + " is not in " + text);
        }
        assertTrue(text.startsWith("dunlin: "), text);
        assertEquals(1, text.lines().count(), text);
        assertEquals("", out.toString());
    }

    private void damageTable() throws IOException {
        try (Stream<Path> files = Files.list(data.resolve("db"))) {
            for (Path table :
                    files.filter(file -> file.toString().endsWith(".sst")).toList()) {
                byte[] bytes = Files.readAllBytes(table);
                bytes[20] ^= 1;
                Files.write(table, bytes);
            }
        }
    }

    @Test
    void verify_ofASoundDirectory_countsAndExitsZero_howeverItIsNamed() throws Exception {
        Path config = Files.writeString(folder.resolve("c.yaml"), "storage:\n  path: '" + data + "'\n");
        environment.put("DUNLIN_STORAGE_PATH", "nowhere");
        for (String[] options : List.of(
                new String[] {"store", "verify", "-d", data.toString()},
                new String[] {"store", "verify", "--set", "storage.path=" + data})) {
            assertEquals(0, run(options), err.toString());
            assertTrue(out.toString().contains("retained       200"), out.toString());
            assertTrue(out.toString().contains("sessions       1"), out.toString());
            assertTrue(out.toString().endsWith("no fault found" + System.lineSeparator()), out.toString());
            assertEquals("", err.toString());
        }
        environment.clear();
        assertEquals(0, run("store", "verify", "-c", config.toString()), err.toString());
    }

    @Test
    void verify_ofADamagedDirectory_namesFilesAndWhatToDo_andExitsThree() throws Exception {
        damageTable();
        assertEquals(3, run("store", "verify", "-d", data.toString()));
        String text = err.toString();
        assertTrue(text.startsWith("fault: "), text);
        assertTrue(text.contains(".sst"), text);
        String last = text.lines().reduce((first, second) -> second).orElseThrow();
        assertTrue(last.startsWith("dunlin: storage.path " + data) && last.contains("--accept-loss"), last);
    }

    @Test
    void everyCommand_onADirectoryInUse_exitsThreeAndNamesWhoUsesIt() throws Exception {
        try (Store store = open()) {
            assertTrue(store.nextId() > 0);
            for (String[] command : List.of(
                    new String[] {"verify"},
                    new String[] {"backup", folder.resolve("copy").toString()},
                    new String[] {"repair", "--accept-loss"},
                    new String[] {"export", folder.resolve("file").toString()})) {
                String[] arguments = Stream.concat(
                                Stream.of("store"), Stream.concat(Stream.of(command), Stream.of("-d", data.toString())))
                        .toArray(String[]::new);
                assertEquals(3, run(arguments));
                assertOneLine(
                        data.toString(),
                        "in use by a broker",
                        "pid " + ProcessHandle.current().pid(),
                        "Stop it");
            }
            assertFalse(Files.exists(folder.resolve("file")));
        }
    }

    @Test
    void verify_withoutADirectory_exitsThreeAndSaysHowToNameIt() {
        assertEquals(3, run("store", "verify", "-d", folder.resolve("none").toString()));
        assertOneLine("none holds no store", "-d or storage.path");
        assertFalse(Files.exists(folder.resolve("none")));
    }

    @Test
    void anyCommand_withTheEngineMemory_isWrongUsage() {
        assertEquals(2, run("store", "verify", "--set", "storage.engine=memory"));
        assertOneLine("memory keeps nothing in files");
    }

    @Test
    void store_withoutCommand_isWrongUsage() {
        assertEquals(2, run("store"));
        assertOneLine("verify, backup, repair, export or import");
        assertEquals(2, run("store", "backup", "-d", data.toString()));
    }

    @Test
    void backup_makesACopyThatVerifies_andRefusesWhatIsThere() {
        Path copy = folder.resolve("copy");
        assertEquals(0, run("store", "backup", copy.toString(), "-d", data.toString()), err.toString());
        assertTrue(out.toString().contains("copied " + data + " to " + copy), out.toString());
        assertEquals(0, run("store", "verify", "-d", copy.toString()), err.toString());
        assertEquals(3, run("store", "backup", copy.toString(), "-d", data.toString()));
        assertOneLine("new or empty");
    }

    @Test
    void repair_withoutItsFlag_saysWhatItWouldDo_andExitsTwo() throws Exception {
        damageTable();
        assertEquals(2, run("store", "repair", "-d", data.toString()));
        assertOneLine("nothing was done", "salvage-", "--accept-loss");
        try (Stream<Path> files = Files.list(data)) {
            assertTrue(files.noneMatch(file -> file.getFileName().toString().startsWith("salvage")));
        }
    }

    @Test
    void repair_ofADamagedDirectory_saysWhatIsKept_andLeavesItSound() throws Exception {
        damageTable();
        assertEquals(0, run("store", "repair", "--accept-loss", "-d", data.toString()), err.toString());
        assertTrue(out.toString().contains("kept  "), out.toString());
        assertTrue(out.toString().contains("salvage-"), out.toString());
        assertEquals(0, run("store", "verify", "-d", data.toString()), err.toString());
        assertEquals(0, run("store", "repair", "--accept-loss", "-d", data.toString()));
        assertTrue(out.toString().contains("no fault found, nothing was changed"), out.toString());
        open().close();
    }

    @Test
    void export_import_export_throughFilesAndStreams_isTheSame() throws Exception {
        Path file = folder.resolve("all.jsonl");
        assertEquals(0, run("store", "export", file.toString(), "-d", data.toString()), err.toString());
        assertEquals("", out.toString());
        assertTrue(err.toString().contains("200 retained"), err.toString());
        assertEquals(0, run("store", "export", "-", "-d", data.toString()), err.toString());
        assertEquals(Files.readString(file), out.toString());
        assertEquals(2, run("store", "export", file.toString(), "-d", data.toString()));
        assertOneLine("exists already");

        Path other = folder.resolve("other");
        assertEquals(0, run("store", "import", file.toString(), "-d", other.toString()), err.toString());
        assertTrue(out.toString().contains("imported 200 retained, 1 session, 1 subscription"), out.toString());
        InputStream in = System.in;
        try {
            System.setIn(new ByteArrayInputStream(Files.readAllBytes(file)));
            assertEquals(
                    0, run("store", "import", "-", "-d", folder.resolve("third").toString()), err.toString());
        } finally {
            System.setIn(in);
        }
        for (String name : List.of("other", "third")) {
            assertEquals(
                    0, run("store", "export", "-", "-d", folder.resolve(name).toString()));
            assertEquals(Files.readString(file), out.toString());
        }
        assertEquals(3, run("store", "import", file.toString(), "-d", other.toString()));
        assertOneLine("is not empty");
    }

    @Test
    void import_ofACutFile_exitsTwoWithTheLine_andLeavesNothing() throws Exception {
        Path file = folder.resolve("all.jsonl");
        assertEquals(0, run("store", "export", file.toString(), "-d", data.toString()));
        String whole = Files.readString(file, StandardCharsets.UTF_8);
        Files.writeString(file, whole.substring(0, whole.length() / 2));
        Path other = folder.resolve("other");
        assertEquals(2, run("store", "import", file.toString(), "-d", other.toString()));
        assertOneLine(file.toString(), "line ", "cut", "Nothing was imported");
        assertFalse(Files.exists(other));
    }
}
