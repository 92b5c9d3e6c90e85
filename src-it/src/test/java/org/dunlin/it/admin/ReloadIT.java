package org.dunlin.it.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A broker whose configuration is read again while clients of each version are connected, who stay through all of it. The broker
 * follows the file itself, too, so a test asks for what is in force and not for who has noticed first.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ReloadIT {
    private static final String BASE = "storage:\n  durability: async\n";

    /** For every key that a reload changes a value that is not its default. */
    private static final List<String> SECOND_VALUES = List.of(
            "listeners[0].allow-anonymous=true",
            "listeners[0].max-connections=1000",
            "auth.allow-anonymous=true",
            "auth.denied-publish=close",
            "auth.jwt.jwks-refresh=1m",
            "auth.jwt.algorithms=ES256",
            "auth.jwt.user-claim=name",
            "auth.jwt.acl-claim=may",
            "auth.jwt.groups-claim=groups",
            "auth.jwt.leeway=5s",
            "auth.jwt.from=user-name",
            "auth.jwt.match-user=false",
            "auth.jwt.require-expiry=false",
            "auth.scram.enabled=false",
            "auth.ban.after=5",
            "auth.ban.address-after=25",
            "auth.ban.window=5m",
            "auth.ban.time=2m",
            "auth.ban.max-time=2h",
            "auth.ban.exempt=10.0.0.0/8",
            "limits.max-connections-per-address=1000",
            "limits.accept-rate=1000",
            "limits.accept-rate-per-address=100",
            "limits.exempt-addresses=127.0.0.0/8",
            "limits.max-sessions-per-user=10",
            "limits.outbound-buffer=64KB",
            "limits.publish-byte-rate=500MB",
            "limits.max-will-size=16KB",
            "limits.takeover-policy=back-off",
            "limits.max-packet-size=1MB",
            "limits.receive-maximum=100",
            "limits.topic-alias-maximum=10",
            "limits.max-keep-alive=10m",
            "limits.max-qos=1",
            "limits.retain-available=false",
            "limits.wildcard-subscriptions=false",
            "limits.shared-subscriptions=false",
            "limits.session-expiry-max=1d",
            "limits.max-connections=50000",
            "limits.max-sessions=1000",
            "limits.max-topic-levels=16",
            "limits.max-client-id-length=64",
            "limits.connect-timeout=5s",
            "limits.connect-rate=1000",
            "limits.publish-rate=1000",
            "limits.max-inflight=10",
            "limits.max-subscriptions-per-client=10",
            "limits.max-retained=10",
            "limits.max-retained-bytes=1MB",
            "limits.max-delayed=10",
            "limits.max-delay=1d",
            "limits.max-user-properties=5",
            "queue.max-messages=10",
            "queue.max-bytes=1MB",
            "queue.overflow=drop-newest",
            "queue.hold-timeout=1s",
            "queue.qos0-offline=true",
            "memory.budget=32MB",
            "server.drain-timeout=5s",
            "server.response-information=answers",
            "admin.allowed-hosts=broker.example.org",
            "admin.session-time=1h",
            "metrics.enabled=false",
            "metrics.public=true",
            "sys-topics.interval=5s",
            "log.level=debug",
            "log.format=json",
            "log.audit-file=" + Path.of("target", "reload-audit.log").toAbsolutePath());

    /** What cannot be changed by itself, or keeps clients out that are here; see {@link LiveAccessIT}. */
    private static final List<String> ELSEWHERE = List.of(
            "queue.rules.filter",
            "queue.rules.overflow",
            "auth.password-file",
            "auth.acl-file",
            "auth.ban-file",
            "auth.bind-client-id",
            "auth.certificate.user",
            "auth.certificate.password",
            "auth.jwt.secret",
            "auth.jwt.public-key",
            "auth.jwt.jwks",
            "auth.jwt.issuer",
            "auth.jwt.audience",
            "auth.jwt.client-id-claim",
            "admin.password-file");

    private static final Pattern CHANGED = Pattern.compile("Changed .*key=limits\\.max-inflight from=(\\d+) to=(\\d+)");

    private Path file;
    private Path data;
    private RunningBroker broker;
    private AdminPort admin;
    private final List<MqttSocket> clients = new ArrayList<>();

    static List<String> secondValues() {
        return SECOND_VALUES;
    }

    @BeforeAll
    void start(@TempDir Path folder) throws Exception {
        file = folder.resolve("dunlin.yaml");
        data = folder.resolve("data");
        Files.writeString(file, BASE);
        broker = RunningBroker.run(ConfiguredBroker.command(file, List.of("storage.path=" + data)));
        admin = AdminPort.of(broker, data);
        for (ProtocolVersion version : ProtocolVersion.values()) {
            clients.add(broker.socket().connect(version, "stays-" + version));
        }
    }

    @AfterEach
    void everyClientIsThereStill() throws IOException {
        clients.forEach(MqttSocket::expectNothing);
        write(BASE);
        assertEquals(0, reload().path("faults").size());
    }

    @AfterAll
    void stop() {
        clients.forEach(MqttSocket::close);
        broker.close();
    }

    /** At once, as editors do it. */
    private void write(String yaml) throws IOException {
        Path next = Files.writeString(file.resolveSibling("next.yaml"), yaml);
        Files.move(next, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private JsonNode reload() {
        return admin.change("POST", "/api/v1/config/reload", null);
    }

    /** A section in a section, and the first item of a list, are written in braces. */
    private static String yaml(String setting) {
        int equals = setting.indexOf('=');
        String value = setting.substring(equals + 1);
        String[] names = setting.substring(0, equals).split("\\.");
        String yaml = "\"" + value + "\"";
        for (int i = names.length - 1; i > 0; i--) {
            yaml = "{" + names[i] + ": " + yaml + "}";
        }
        return BASE
                + (names[0].endsWith("[0]") ? names[0].replace("[0]", ": [" + yaml + "]") : names[0] + ": " + yaml)
                + "\n";
    }

    private String inForce(String key) {
        for (JsonNode item : admin.get("/api/v1/config").path("items")) {
            if (item.path("key").asText().equals(key)) {
                return item.path("value").asText();
            }
        }
        return "none";
    }

    // ---- every key

    @Test
    void everyKeyThatSaysSo_isTriedHere() throws Exception {
        TreeSet<String> tried = new TreeSet<>(ELSEWHERE);
        SECOND_VALUES.forEach(
                value -> tried.add(value.substring(0, value.indexOf('=')).replace("[0]", "")));
        Path shipped = Path.of(System.getProperty("dunlin.root", ".."), "conf", "dunlin.yaml");
        assertEquals(tried, saidToBeLive(Files.readAllLines(shipped)));
        TreeSet<String> told = new TreeSet<>(List.of("queue.rules.filter", "queue.rules.overflow")); // there are none
        for (JsonNode item : admin.get("/api/v1/config").path("items")) {
            if (item.path("live").asBoolean()) {
                told.add(item.path("key").asText().replace("[0]", ""));
            }
        }
        assertEquals(tried, told);
    }

    /** Of a file in which sections are there and keys are commented out. */
    private static TreeSet<String> saidToBeLive(List<String> lines) {
        TreeSet<String> live = new TreeSet<>();
        String outer = "";
        String inner = "";
        boolean marked = false;
        for (String line : lines) {
            if (line.matches("[a-z0-9-]+:.*")) {
                outer = line.substring(0, line.indexOf(':'));
            } else if (line.matches("  [a-z0-9-]+:.*")) {
                inner = line.strip().substring(0, line.strip().indexOf(':'));
            } else if (line.matches(" +#(- )?[a-z0-9-]+:.*")) {
                boolean nested = line.startsWith("    ") && !outer.equals("listeners") || line.startsWith("      ");
                boolean item = line.startsWith("  #- ") && !outer.equals("listeners") || line.startsWith("    #- ");
                if (marked) {
                    live.add(outer + (nested || item ? "." + inner : "") + "."
                            + line.replaceAll("[ #]*(- )?([a-z0-9-]+):.*", "$2"));
                }
                marked = false;
            }
            marked |= line.endsWith("A reload changes it.");
        }
        return live;
    }

    @ParameterizedTest
    @MethodSource("secondValues")
    void changesByReload_withoutADisconnect(String setting) throws Exception {
        String key = setting.substring(0, setting.indexOf('='));
        String value = setting.substring(setting.indexOf('=') + 1);
        String before = inForce(key);
        assertFalse(before.equals(value), "is the default");

        write(yaml(setting));
        assertEquals("[]", reload().path("faults").toString());

        assertEquals(value, inForce(key));
        clients.forEach(MqttSocket::expectNothing);
        write(BASE);
        reload();
        assertEquals(before, inForce(key));
    }

    @Test
    void limitsThatAreAnnounced_areToldToNewClients_fromTheReloadOn() throws Exception {
        write(BASE
                + "limits: {max-qos: 1, retain-available: false, receive-maximum: 7, topic-alias-maximum: 3,"
                + " max-packet-size: 2KB, max-keep-alive: 30s, wildcard-subscriptions: false,"
                + " shared-subscriptions: false, session-expiry-max: 60s}\n");
        reload();
        try (MqttSocket socket = broker.socket()) {
            ConnAck.Properties told = socket.connect(Connect.builder(ProtocolVersion.MQTT_5, "told")
                            .sessionExpirySeconds(9999)
                            .keepAliveSeconds(600)
                            .build())
                    .properties();
            assertEquals(1, told.maximumQos());
            assertTrue(told.noRetain() && told.noWildcardSubscriptions() && told.noSharedSubscriptions());
            assertEquals(7, told.receiveMaximum());
            assertEquals(3, told.topicAliasMaximum());
            assertEquals(2048, told.maximumPacketSize());
            assertEquals(30, told.serverKeepAliveSeconds());
            assertEquals(60, told.sessionExpirySeconds());
        }
        // who was told otherwise is held to what it was told
        MqttSocket former = clients.get(clients.size() - 1);
        former.publish("former", "still", Qos.EXACTLY_ONCE);
    }

    @Test
    void boundsOfClientsAndQueues_holdFromTheReloadOn() throws Exception {
        write(BASE
                + "limits: {max-client-id-length: 23, max-will-size: 1KB}\n"
                + "queue:\n  max-messages: 2\n  rules:\n    - filter: \"rule/#\"\n      overflow: drop-newest\n");
        reload();
        assertEquals("rule/#", inForce("queue.rules[0].filter"));
        try (MqttSocket socket = broker.socket()) {
            socket.expectRefused(
                    Connect.builder(ProtocolVersion.MQTT_5, "x".repeat(24)).build(),
                    ReasonCode.CLIENT_IDENTIFIER_NOT_VALID);
        }
        try (MqttSocket socket = broker.socket()) {
            socket.connect(Connect.builder(ProtocolVersion.MQTT_5, "bounded")
                    .sessionExpirySeconds(600)
                    .build());
            socket.subscribe("rule/#", Qos.AT_LEAST_ONCE);
            socket.disconnect();
            socket.expectClosed();
        }
        for (int i = 0; i < 4; i++) {
            admin.change("POST", "/api/v1/publish", "{\"topic\":\"rule/x\",\"text\":\"" + i + "\",\"qos\":1}");
        }
        assertEquals(
                2, admin.get("/api/v1/sessions/bounded").path("queuedMessages").asInt());
        try (MqttSocket socket = broker.socket()) {
            socket.connect(Connect.builder(ProtocolVersion.MQTT_5, "bounded")
                    .cleanStart(false)
                    .build());
            socket.expectPublish("rule/x", "0");
            socket.expectPublish("rule/x", "1");
        }
    }

    @Test
    void log_changesItsFormAndLevel() throws Exception {
        write(BASE + "log: {format: json, level: debug}\n");
        reload();
        Await.until("a line in JSON", () -> broker.log().stream().anyMatch(line -> line.startsWith("{")));
        assertEquals("debug", admin.get("/api/v1/log/level").path("level").asText());
    }

    // ---- faults, restarts, order

    @Test
    void faultyFile_changesNothing_andEveryFaultIsToldWithItsLine() throws Exception {
        Map<String, String> before = values();
        write(BASE + "limits:\n  max-qos: 1\n  max-inflight: none\n  max-qoss: 1\nqueue:\n  overflow: explode\n");
        for (String way : List.of("check", "reload")) {
            JsonNode outcome = admin.change("POST", "/api/v1/config/" + way, null);
            assertEquals(3, outcome.path("faults").size(), outcome.toString());
            assertEquals(0, outcome.path("changes").size());
            for (int line : new int[] {5, 6, 8}) {
                assertTrue(outcome.path("faults").toString().contains("dunlin.yaml:" + line + ":"), outcome.toString());
            }
        }
        assertEquals(before, values());
        write("{ not yaml");
        assertEquals(1, reload().path("faults").size());
        Files.delete(file);
        assertEquals(1, reload().path("faults").size());
        assertEquals(before, values());
    }

    private Map<String, String> values() {
        Map<String, String> values = new TreeMap<>();
        for (JsonNode item : admin.get("/api/v1/config").path("items")) {
            values.put(item.path("key").asText(), item.path("value").asText());
        }
        return values;
    }

    @Test
    void whatNeedsARestart_isToldEachTime_andIsNotInForce() throws Exception {
        write("storage:\n  durability: async\n  sync-interval: 250ms\nlimits:\n  max-inflight: 33\n");
        reload();
        for (int i = 0; i < 2; i++) {
            JsonNode changes = reload().path("changes");
            assertEquals(1, changes.size(), changes.toString());
            assertEquals("storage.sync-interval", changes.get(0).path("key").asText());
            assertEquals("250ms", changes.get(0).path("to").asText());
            assertFalse(changes.get(0).path("live").asBoolean(true));
        }
        assertEquals("100ms", inForce("storage.sync-interval"));
        assertEquals("33", inForce("limits.max-inflight"));
        String line = broker.awaitLog("Needs a restart");
        assertTrue(line.contains("storage.sync-interval"), line);
    }

    @Test
    void reloadsAtOnce_areDoneOneAfterTheOther() throws Exception {
        write(yaml("limits.max-inflight=99"));
        reload();
        broker.awaitLog("key=limits.max-inflight from=64 to=99"); // and so all that was said before
        int seen = broker.log().size();
        ExecutorService several = Executors.newFixedThreadPool(4);
        try {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                write(yaml("limits.max-inflight=" + (100 + i)));
                all.add(several.submit(this::reload));
            }
            for (Future<?> each : all) {
                each.get();
            }
        } finally {
            several.shutdown();
        }
        reload();
        assertEquals("139", inForce("limits.max-inflight"));
        Await.until(
                "the last change is in the log",
                () -> broker.log().stream()
                        .anyMatch(line -> line.contains("limits.max-inflight") && line.contains("to=139")));
        String last = "99";
        for (String line : broker.log().subList(seen, broker.log().size())) {
            Matcher change = CHANGED.matcher(line);
            if (change.find()) {
                assertEquals(last, change.group(1), "each begins with what the former has left: " + line);
                last = change.group(2);
            }
        }
        assertEquals("139", last);
    }

    // ---- other ways

    @Test
    void changeOfTheFile_isNoticed() throws Exception {
        write(yaml("limits.max-inflight=41"));
        Await.until("it is in force", () -> inForce("limits.max-inflight").equals("41"));
        broker.awaitLog("(the file has changed)");
    }

    private boolean ignoresHangup() throws IOException {
        Path status = Path.of("/proc", Long.toString(broker.pid()), "status");
        return Files.exists(status)
                && Files.readAllLines(status).stream()
                        .filter(line -> line.startsWith("SigIgn:"))
                        .anyMatch(line ->
                                (Long.parseUnsignedLong(line.substring(7).strip(), 16) & 1) != 0);
    }

    @Test
    void hangup_reloads() throws Exception {
        assumeFalse(ignoresHangup(), "whoever runs this has told its processes to ignore SIGHUP, as nohup does");
        write(yaml("limits.max-inflight=42"));
        assertEquals(
                0,
                new ProcessBuilder("kill", "-HUP", Long.toString(broker.pid()))
                        .start()
                        .waitFor());
        broker.awaitLog("(SIGHUP)");
        Await.until("it is in force", () -> inForce("limits.max-inflight").equals("42"));
    }

    @Test
    void command_showsWhatChanges_andItsExitCodeSaysWhetherItWasFaulty() throws Exception {
        write(yaml("storage.sync-interval=250ms").replace("storage:\n  durability: async\nstorage:", "storage:"));
        String shown = run(0, "--dry-run");
        assertTrue(shown.contains("storage.durability") && shown.contains("with a restart"), shown);
        write(BASE + "limits:\n  max-qos: 7\n");
        String faults = run(2);
        assertTrue(faults.contains("dunlin.yaml:4:") && faults.contains("max-qos"), faults);
    }

    private String run(int exitCode, String... options) throws Exception {
        List<String> command = new ArrayList<>(
                List.of(RunningBroker.java(), "-jar", RunningBroker.jar().toString(), "reload", "--url", admin.url()));
        command.addAll(List.of("--token-file", data.resolve("admin.token").toString()));
        command.addAll(List.of(options));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(exitCode, process.waitFor(), said);
        return said;
    }
}
