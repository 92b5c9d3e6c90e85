package org.dunlin.it.operation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.UserProperty;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Packets of chosen clients are shown while the broker runs, and nothing that is secret. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TraceIT {
    private OperatedBroker operated;

    @BeforeAll
    void start() {
        operated = new OperatedBroker("queue.max-messages=1000000", "server.loops=2");
    }

    @AfterAll
    void stop() {
        operated.close();
    }

    private MqttSocket connect(ProtocolVersion version, String id) {
        return operated.broker().socket().connect(version, id);
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    void clientThatConnectsLater_isShown_nobodyElseIs(ProtocolVersion version) {
        String id = "later-" + version.ordinal();
        try (OperatedBroker.Events seen = operated.follow("trace?client=" + id);
                MqttSocket other = connect(version, "other-" + version.ordinal());
                MqttSocket client = connect(version, id)) {
            other.subscribe("later", Qos.AT_LEAST_ONCE).publish("other", "not for us", Qos.AT_MOST_ONCE);
            client.publish("later", "21.5", Qos.AT_LEAST_ONCE);
            client.subscribe("later/+", Qos.EXACTLY_ONCE);
            client.send(Ping.REQUEST);
            client.receive(Ping.class);

            seen.await("\"in\"", "CONNECT", "Client Identifier: " + id);
            seen.await("\"out\"", "CONNACK", "Success (0x00)");
            seen.await(
                    "\"in\"", "PUBLISH", "qos 1", "\"topic\":\"later\"", "\"payload\":\"21.5\"", "\"payloadBytes\":4");
            seen.await("\"out\"", "PUBACK", "Success (0x00)");
            seen.await("\"in\"", "SUBSCRIBE", "later/+ (qos 2)");
            seen.await("\"out\"", "SUBACK", "Granted QoS 2 (0x02)");
            seen.await("PINGREQ");
            seen.await("PINGRESP");
            client.disconnect();
            seen.await("\"in\"", "DISCONNECT");
            seen.await("closed");
            assertTrue(
                    seen.soFar().stream().allMatch(each -> each.contains("\"" + id + "\"")),
                    () -> "of others: " + seen.soFar());
        }
    }

    @Test
    void clientThatIsThere_andWhoTakesItOver_areShown() {
        try (MqttSocket first = connect(ProtocolVersion.MQTT_5, "there");
                OperatedBroker.Events seen = operated.follow("trace?client=there");
                MqttSocket second = connect(ProtocolVersion.MQTT_5, "there")) {
            seen.await("\"out\"", "DISCONNECT", "Session taken over (0x8E)");
            seen.await("\"in\"", "CONNECT");
            second.publish("there", "x", Qos.AT_MOST_ONCE);
            seen.await("\"in\"", "PUBLISH", "qos 0");
            first.expectDisconnect(ReasonCode.SESSION_TAKEN_OVER);
        }
    }

    @Test
    void topic_isShownAsItComesAndGoes_otherTopicsAreNot() {
        try (MqttSocket reader = connect(ProtocolVersion.MQTT_5, "topic-reader");
                MqttSocket old = connect(ProtocolVersion.MQTT_3_1_1, "topic-writer");
                OperatedBroker.Events seen = operated.follow("trace?topic=plant/%2B/temp")) {
            reader.subscribe("plant/#", Qos.AT_MOST_ONCE);
            old.publish("plant/a/humidity", "no", Qos.AT_LEAST_ONCE);
            old.publish("plant/a/temp", "yes", Qos.AT_LEAST_ONCE);
            reader.expectPublish("plant/a/humidity", "no");
            reader.expectPublish("plant/a/temp", "yes");

            seen.await("\"in\"", "topic-writer", "plant/a/temp");
            seen.await("\"out\"", "topic-reader", "plant/a/temp", "qos 0");
            assertEquals(2, seen.soFar().size(), () -> seen.soFar().toString());
        }
    }

    @Test
    void address_isShownFromTheFirstByteOn_evenWhatIsNoPacket() {
        try (OperatedBroker.Events seen = operated.follow("trace?address=127.0.0.77/32")) {
            try (MqttSocket other = connect(ProtocolVersion.MQTT_5, "elsewhere");
                    MqttSocket broken = MqttSocket.open(operated.broker().port(), "127.0.0.77")) {
                seen.await("opened", "127.0.0.77:");
                broken.sendHex("F0 00");
                seen.await("malformed", "127.0.0.77:");
                broken.expectClosed();
                other.publish("elsewhere", "x", Qos.AT_LEAST_ONCE);
            }
            seen.await("closed");
            assertTrue(seen.soFar().stream().noneMatch(each -> each.contains("elsewhere")));
        }
    }

    @Test
    void secrets_areNotShown() {
        String token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2VjcmV0";
        try (OperatedBroker.Events seen = operated.follow("trace?client=secretive&payload=full");
                MqttSocket client = operated.broker().socket();
                MqttSocket other = operated.broker().socket()) {
            client.connect(Connect.builder(ProtocolVersion.MQTT_5, "secretive")
                    .userName("anna")
                    .password("hunter2".getBytes(StandardCharsets.UTF_8))
                    .userProperties(List.of(new UserProperty("where", "cellar")))
                    .build());
            seen.await("CONNECT", "User Name: anna", "Password: (not shown)", "where=cellar");
            other.connect(Connect.builder(ProtocolVersion.MQTT_3_1_1, "secretive")
                    .userName(token)
                    .password("hunter2".getBytes(StandardCharsets.UTF_8))
                    .build());
            seen.await("CONNECT", "User Name: (not shown)");
            try (MqttSocket third = operated.broker().socket()) {
                third.speak(ProtocolVersion.MQTT_5)
                        .send(Connect.builder(ProtocolVersion.MQTT_5, "secretive")
                                .authentication("SCRAM-SHA-256", "n,,n=anna,r=nonce".getBytes(StandardCharsets.UTF_8))
                                .build());
                seen.await("CONNECT", "Authentication Method: SCRAM-SHA-256", "Authentication Data: (not shown)");
            }
            String all = String.join("\n", seen.soFar());
            assertFalse(all.contains("hunter2") || all.contains(token) || all.contains("nonce"), all);
        }
    }

    @Test
    void payload_isCut_orLeftOut_orHexadecimal() {
        try (OperatedBroker.Events head = operated.follow("trace?client=cut");
                OperatedBroker.Events none = operated.follow("trace?client=cut&payload=none");
                MqttSocket client = connect(ProtocolVersion.MQTT_5, "cut")) {
            client.publish("cut", "x".repeat(100), Qos.AT_LEAST_ONCE);
            client.publish("cut", "\u0001\u0002", Qos.AT_LEAST_ONCE);
            head.await("\"payloadBytes\":100", "\"payload\":\"" + "x".repeat(64) + "\"");
            head.await("\"payloadBytes\":2", "\"payload\":\"0102\"", "\"payloadIsHex\":true");
            none.await("\"payloadBytes\":100", "\"payload\":null");
        }
    }

    @Test
    void readerThatIsTooSlow_isToldWhatItMisses_andNobodyWaitsForIt() {
        try (OperatedBroker.Events seen = operated.follow("trace?client=fast&payload=full");
                MqttSocket client = connect(ProtocolVersion.MQTT_3_1_1, "fast")) {
            seen.await("CONNACK");
            seen.pause(true);
            String large = "y".repeat(50_000);
            for (int i = 0; i < 1000; i++) { // each is acknowledged: what is shown holds up nobody
                client.publish("fast", large, Qos.AT_LEAST_ONCE);
            }
            seen.pause(false);
            Await.until("packets left out", () -> {
                client.publish("fast", "z", Qos.AT_LEAST_ONCE);
                return seen.soFar().stream().anyMatch(each -> !each.contains("\"leftOut\":0,"));
            });
        }
    }

    @Test
    void trace_ends_byCount_byTime_andWhenItsReaderGoes() {
        try (MqttSocket client = connect(ProtocolVersion.MQTT_5, "ends")) {
            OperatedBroker.Events counted = operated.follow("trace?client=ends&count=2");
            client.publish("ends", "x", Qos.AT_LEAST_ONCE);
            counted.await("as many packets as asked for", "\"packets\":2");
            counted.awaitEnd();
            OperatedBroker.Events timed = operated.follow("trace?client=ends&seconds=1");
            timed.await("its time is up");
            timed.awaitEnd();

            List<OperatedBroker.Events> many = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                many.add(operated.follow("trace?client=ends"));
            }
            assertTrue(operated.get(429, "trace?client=ends").contains("8 traces run already"));
            many.forEach(OperatedBroker.Events::close);
            Await.until("room for another trace", () -> {
                try {
                    operated.follow("trace?client=ends&seconds=1").close();
                    return true;
                } catch (AssertionError full) {
                    return false;
                }
            });
        }
    }

    @Test
    void trace_ends_whenItsTokenIsRemoved() {
        OperatedBroker.Events seen = operated.follow("trace?client=removed", operated.makeToken("for-a-trace"));
        try (MqttSocket client = connect(ProtocolVersion.MQTT_5, "removed")) {
            client.publish("removed", "x", Qos.AT_LEAST_ONCE);
            seen.await("PUBACK");
            operated.removeToken("for-a-trace");
            seen.await("the token or login is not good any more");
            seen.awaitEnd();
        }
    }

    @Test
    void whatIsAskedForWrongly_isToldSo() {
        assertTrue(operated.get(400, "trace").contains("name one of client, address and topic"));
        assertTrue(operated.get(400, "trace?topic=a/%23/b").contains("no topic filter"));
        assertTrue(operated.get(400, "trace?address=10.0.0.1/33").contains("10.0.0.1/33"));
        assertTrue(operated.get(400, "trace?client=a&payload=much").contains("none, head or full"));
    }

    @Test
    void commandLine_showsALineForEachPacket_hostileTextEscaped() throws IOException {
        try (MqttSocket client = connect(ProtocolVersion.MQTT_5, "lines")) {
            Process process = new ProcessBuilder(
                            RunningBroker.java(),
                            "-jar",
                            RunningBroker.jar().toString(),
                            "trace",
                            "--client",
                            "lines",
                            "--count",
                            "2",
                            "--url",
                            operated.url(),
                            "--token-file",
                            operated.tokenFile().toString())
                    .redirectErrorStream(true)
                    .start();
            Await.until("the end of the command", () -> {
                client.publish("hall/\u202e", "on\n", Qos.AT_LEAST_ONCE);
                return !process.isAlive();
            });
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, process.exitValue(), out);
            assertTrue(out.contains(" in  lines PUBLISH id "), out);
            assertTrue(out.contains(" qos 1 topic hall/\\u202e 3 bytes: on\\u000a"), out);
            assertTrue(out.contains(" out lines " + PacketType.PUBACK + " id "), out);
            assertTrue(out.contains("-- 2 packets shown: as many packets as asked for"), out);
        }
    }
}
