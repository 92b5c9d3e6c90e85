package org.dunlin.it.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a reload changes of how much clients may take and of what the broker says of itself, as those who come notice it. Who is there
 * stays. Clients that are bound come from 127.0.0.2.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LiveLimitsIT {
    private static final String BOUND = "127.0.0.2";
    private static final String EXEMPT = "exempt-addresses: \"127.0.0.1,::1\"";

    private ConfiguredBroker broker;
    private MqttSocket there;

    @BeforeAll
    void start(@TempDir Path folder) throws Exception {
        broker = ConfiguredBroker.start(folder, "");
        there = broker.socket(BOUND).connect(ProtocolVersion.MQTT_5, "there");
    }

    @AfterEach
    void whoWasThereIsThereStill() throws Exception {
        there.expectNothing();
        broker.now("");
    }

    @AfterAll
    void stop() {
        there.close();
        broker.close();
    }

    private boolean isLetIn(String from) {
        try (MqttSocket socket = broker.socket(from)) {
            socket.send(Connect.builder(ProtocolVersion.MQTT_5, "new-" + from).build());
            return socket.receiveOrEnd() instanceof ConnAck answer && answer.reason() == ReasonCode.SUCCESS;
        } catch (UncheckedIOException | AssertionError cut) {
            return false;
        }
    }

    /** Those that others have left are counted for a moment still. */
    private void comesIn(String from) {
        Await.until(from + " is let in", () -> isLetIn(from));
    }

    @Test
    void connectionsPerAddress_countThoseThatWereExempt() throws Exception {
        broker.now("limits: {max-connections-per-address: 1, " + EXEMPT + "}");
        assertFalse(isLetIn(BOUND), "there is one, from when it was exempt");
        comesIn("127.0.0.3");
        comesIn("127.0.0.1");

        broker.now("limits: {max-connections-per-address: 2, " + EXEMPT + "}");
        comesIn(BOUND);
        broker.now("limits: {max-connections-per-address: 1}");
        comesIn(BOUND);
    }

    @Test
    void acceptRates_areThoseOfTheReload() throws Exception {
        for (String rate : List.of("accept-rate: 1", "accept-rate-per-address: 1, " + EXEMPT)) {
            broker.now("limits: {" + rate + "}");
            int in = 0;
            for (int i = 0; i < 50; i++) {
                in += isLetIn(BOUND) ? 1 : 0;
            }
            assertTrue(in < 50, "one comes each second");
            broker.now("");
            for (int i = 0; i < 50; i++) {
                assertTrue(isLetIn(BOUND), "bound by nothing that matters: " + i);
            }
        }
    }

    @Test
    void connectionsOfAListener_areThoseOfTheReload() throws Exception {
        broker.now("listeners: [{max-connections: 1}]");
        assertFalse(isLetIn("127.0.0.1"));
        broker.now("listeners: [{max-connections: 0}]");
        comesIn("127.0.0.1");
    }

    @Test
    void listenerOfAnotherName_isNotTheSameOne() throws Exception {
        String outcome =
                broker.reload("listeners: [{name: other, max-connections: 1}]").toString();
        assertTrue(outcome.contains("\"faults\":[]") && !outcome.contains("\"live\":true"), outcome);
        assertEquals("0", broker.inForce("listeners[0].max-connections"));
        comesIn("127.0.0.1");
    }

    private static Connect ofUser(String clientId) {
        return Connect.builder(ProtocolVersion.MQTT_5, clientId).userName("ann").build();
    }

    @Test
    void sessionsOfAUser_countThoseFromBeforeThereWasABound() throws Exception {
        try (MqttSocket one = broker.socket();
                MqttSocket two = broker.socket();
                MqttSocket three = broker.socket();
                MqttSocket again = broker.socket()) {
            one.connect(ofUser("ann-1"));
            two.connect(ofUser("ann-2"));
            broker.now("limits: {max-sessions-per-user: 2}");
            three.expectRefused(ofUser("ann-3"), ReasonCode.QUOTA_EXCEEDED);
            one.expectNothing();
            broker.now("limits: {max-sessions-per-user: 3}");
            again.connect(ofUser("ann-3"));
        }
    }

    /** 60 MB that nobody reads: more than systems keep of it. */
    @Test
    void outboundBuffer_countsForThoseWhoAreConnected() throws Exception {
        broker.now("limits: {outbound-buffer: 256MB}");
        String load = "x".repeat(100_000);
        try (MqttSocket slow = broker.socket();
                MqttSocket publisher = broker.socket()) {
            slow.connect(ProtocolVersion.MQTT_5, "slow");
            slow.subscribe("load", Qos.AT_MOST_ONCE);
            publisher.connect(ProtocolVersion.MQTT_5, "publisher");
            long before = messagesWritten();
            for (int i = 0; i < 600; i++) {
                publisher.publish("load", load, Qos.AT_MOST_ONCE);
            }
            // on its own loop, of which the publisher's knows nothing
            Await.until("all are written for it", () -> messagesWritten() - before == 600);
            assertEquals(0, slowDrops());

            broker.now("limits: {outbound-buffer: 16KB}");
            publisher.publish("load", load, Qos.AT_MOST_ONCE);
            Await.until("what comes now is dropped", () -> slowDrops() == 1);
            for (int i = 0; i < 600; i++) {
                slow.expectPublish("load", load);
            }
            slow.expectNothing();
            broker.now("");
            publisher.publish("load", "again", Qos.AT_MOST_ONCE);
            slow.expectPublish("load", "again");
        }
    }

    /** At QoS 0. */
    private long messagesWritten() {
        return broker.admin()
                .ask("GET", "/metrics", null)
                .expect(200)
                .body()
                .lines()
                .filter(line -> line.startsWith("dunlin_messages_sent_total{qos=\"0\"}"))
                .mapToLong(line -> (long) Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .sum();
    }

    private long slowDrops() {
        return broker.admin()
                .get("/api/v1/drops")
                .path("byReason")
                .path("slow-consumer")
                .asLong();
    }

    @Test
    void responseInformation_isToldToWhoeverAsks() throws Exception {
        broker.now("server: {response-information: answers/}");
        try (MqttSocket socket = broker.socket()) {
            ConnAck told = socket.connect(Connect.builder(ProtocolVersion.MQTT_5, "asks")
                    .requestResponseInformation(true)
                    .build());
            assertEquals("answers/", told.properties().responseInformation());
        }
        broker.now("");
        try (MqttSocket socket = broker.socket()) {
            ConnAck told = socket.connect(Connect.builder(ProtocolVersion.MQTT_5, "asks")
                    .requestResponseInformation(true)
                    .build());
            assertNull(told.properties().responseInformation());
        }
    }

    @Test
    void sysTopics_endAndBegin() throws Exception {
        try (MqttSocket socket = broker.socket()) {
            socket.connect(ProtocolVersion.MQTT_5, "watches");
            socket.subscribe("$SYS/broker/version", Qos.AT_MOST_ONCE);
            assertTrue(MqttSocket.text(socket.receivePublish()).startsWith("Dunlin"));

            broker.now("sys-topics: {interval: 0s}");
            assertEquals("", MqttSocket.text(socket.receivePublish()), "is taken away");

            broker.now("sys-topics: {interval: 1s}");
            assertTrue(MqttSocket.text(socket.receivePublish()).startsWith("Dunlin"));
            socket.subscribe("$SYS/broker/uptime", Qos.AT_MOST_ONCE);
            List<Publish> figures = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                figures.add(socket.receivePublish());
            }
            assertNotNull(figures.get(2)); // within the patience of a test: ten seconds lie between them by default
        }
    }

    @Test
    void memoryBudget_isOneOfTheFigures_andNoneIsTakenThatTheHeapCannotHold() throws Exception {
        broker.now("memory: {budget: 16MB}");
        assertEquals(
                16 << 20,
                broker.admin().get("/api/v1/status").path("memoryBudget").asLong());
        broker.refuses("memory: {budget: 900GB}\nsys-topics: {interval: 1s}", "of the heap");
        assertEquals("10s", broker.inForce("sys-topics.interval"));
        assertEquals("16MB", broker.inForce("memory.budget"));
    }

    // ---- the admin port

    @Test
    void metrics_areOpenOrNot() throws Exception {
        broker.now("metrics: {public: true}");
        try (RawHttp http = RawHttp.open(broker.admin().port())) {
            assertEquals(200, http.ask("GET", "/metrics").status());
            broker.now("metrics: {public: false}");
            assertEquals(401, http.ask("GET", "/metrics").status());
            broker.now("metrics: {enabled: false, public: true}");
            assertEquals(404, http.ask("GET", "/metrics").status());
        }
    }

    @Test
    void allowedHosts_areThoseOfTheReload() throws Exception {
        try (RawHttp http = RawHttp.open(broker.admin().port())) {
            assertEquals(421, http.ask("GET", "/", "Host: b.example.org").status());
            broker.now("admin: {allowed-hosts: b.example.org}");
            assertEquals(200, http.ask("GET", "/", "Host: b.example.org").status());
            broker.now("");
            assertEquals(421, http.ask("GET", "/", "Host: b.example.org").status());
        }
    }

    @Test
    void queuesThatAreNearlyFull_areSoByTheBoundsOfTheReload() throws Exception {
        try (MqttSocket away = broker.socket()) {
            away.connect(Connect.builder(ProtocolVersion.MQTT_5, "away")
                    .sessionExpirySeconds(600)
                    .build());
            away.subscribe("waits", Qos.AT_LEAST_ONCE);
            away.disconnect();
            away.expectClosed();
        }
        for (int i = 0; i < 5; i++) {
            broker.admin().change("POST", "/api/v1/publish", "{\"topic\":\"waits\",\"text\":\"x\",\"qos\":1}");
        }
        assertEquals("0", nearlyFull());
        broker.now("queue: {max-messages: 6}");
        Await.until("it has five of six", () -> nearlyFull().equals("1"));
        broker.now("queue: {max-messages: 100}");
        Await.until("it has room", () -> nearlyFull().equals("0"));
        broker.admin().change("DELETE", "/api/v1/sessions/away", null);
    }

    private String nearlyFull() {
        String figures = broker.admin().ask("GET", "/metrics", null).expect(200).body();
        return figures.lines()
                .filter(line -> line.startsWith("dunlin_queues_nearly_full{owner=\"session\"}"))
                .map(line -> line.substring(line.indexOf(' ') + 1).replace(".0", ""))
                .findFirst()
                .orElse("none");
    }
}
