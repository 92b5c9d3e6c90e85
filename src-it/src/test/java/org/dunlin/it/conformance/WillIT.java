package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.client;
import static org.dunlin.it.conformance.Parties.expectConnectRefused;
import static org.dunlin.it.conformance.Parties.expectEnd;
import static org.dunlin.it.conformance.Parties.expectNothingOn;
import static org.dunlin.it.conformance.Parties.pass;
import static org.dunlin.it.conformance.Parties.subscriber;
import static org.dunlin.it.conformance.Parties.unique;
import static org.dunlin.it.conformance.Parties.will;
import static org.dunlin.it.conformance.RawPacket.CLEAN;
import static org.dunlin.it.conformance.RawPacket.WILL;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Subscribe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Will messages: when they are published, how, and when not. */
@Broker
class WillIT {
    private static Connect.Builder lasting(String id) {
        return Connect.builder(MQTT_5, id).cleanStart(false).sessionExpirySeconds(60);
    }

    private static Connect withWill(ProtocolVersion version, String topic) {
        return Connect.builder(version, unique("will"))
                .will(will(topic, "will", Qos.AT_LEAST_ONCE, false, 0))
                .build();
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.2-7", "MQTT-3.1.2-8"},
            v3 = {"MQTT-3.1.2-8", "MQTT-3.1.2-9"},
            edge = {"E072", "E118"})
    void connectionLost_publishesTheWillAtItsQos(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("will");
        for (Qos granted : Qos.values()) {
            try (MqttSocket subscriber = subscriber(broker, version, topic, granted)) {
                for (Qos qos : Qos.values()) {
                    for (boolean reset : new boolean[] {false, true}) {
                        MqttSocket socket = broker.socket();
                        socket.connect(Connect.builder(version, unique("will"))
                                .will(will(topic, "will" + qos, qos, false, 0))
                                .build());
                        if (reset) {
                            socket.reset();
                        } else {
                            socket.close();
                        }
                        Publish publish = subscriber.expectPublish(topic, "will" + qos);
                        assertEquals(Qos.min(qos, granted), publish.message().qos());
                        assertEquals(false, publish.message().retain());
                        assertEquals(false, publish.dup());
                    }
                }
                subscriber.expectNothing();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.2-8", "MQTT-3.1.2-10"},
            v3 = {"MQTT-3.1.2-8", "MQTT-3.1.2-10"},
            edge = {"E047"})
    void disconnect_deletesTheWill(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("will");
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.AT_MOST_ONCE)) {
            try (MqttSocket socket = broker.socket()) {
                socket.connect(withWill(version, topic));
                socket.disconnect();
            }
            try (MqttSocket socket = broker.socket()) {
                socket.connect(withWill(version, topic));
                socket.send(new Disconnect(ReasonCode.SUCCESS)).reset(); // DISCONNECT counts, whatever follows
            }
            expectNothingOn(broker, subscriber, topic);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.2-10"},
            v3 = {"MQTT-3.1.2-10", "MQTT-3.1.2-12"},
            edge = {"E066"})
    void will_isThatOfTheLastConnectAndPublishedOnce(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("will");
        String id = unique("will");
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.AT_MOST_ONCE)) {
            for (String payload : new String[] {"first", "second", "", "third", ""}) {
                try (MqttSocket socket = broker.socket()) {
                    socket.connect(Connect.builder(version, id)
                            .cleanStart(false)
                            .sessionExpirySeconds(60)
                            .will(payload.isEmpty() ? null : will(topic, payload, Qos.AT_MOST_ONCE, false, 0))
                            .build());
                    socket.sendHex("C0 01 00"); // malformed
                    socket.expectDisconnect(ReasonCode.MALFORMED_PACKET);
                }
                if (payload.isEmpty()) {
                    expectNothingOn(broker, subscriber, topic);
                } else {
                    subscriber.expectPublish(topic, payload);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.2-14", "MQTT-3.1.2-15", "MQTT-3.3.1-7"},
            v3 = {"MQTT-3.1.2-16", "MQTT-3.1.2-17", "MQTT-3.3.1-11"},
            edge = {"E069", "E123"})
    void retainedWill_isStoredAndAnEmptyOneClears(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("will");
        try (MqttSocket live = subscriber(broker, version, topic, Qos.AT_LEAST_ONCE)) {
            die(broker, version, topic, "plain", false);
            live.expectPublish(topic, "plain");
            expectRetained(broker, version, topic, null);
            die(broker, version, topic, "kept", true);
            assertEquals(false, live.expectPublish(topic, "kept").message().retain());
            expectRetained(broker, version, topic, "kept");
            die(broker, version, topic, "plain", false);
            live.expectPublish(topic, "plain");
            expectRetained(broker, version, topic, "kept");
            die(broker, version, topic, "", true);
            live.expectPublish(topic, "");
            expectRetained(broker, version, topic, null);
        }
    }

    private static void die(
            RunningBroker broker, ProtocolVersion version, String topic, String payload, boolean retain) {
        try (MqttSocket socket = broker.socket()) {
            socket.connect(Connect.builder(version, unique("will"))
                    .will(will(topic, payload, Qos.AT_LEAST_ONCE, retain, 0))
                    .build());
        }
    }

    private static void expectRetained(
            RunningBroker broker,
            ProtocolVersion version,
            String topic,
            @org.jspecify.annotations.Nullable String payload) {
        try (MqttSocket socket = subscriber(broker, version, topic, Qos.AT_LEAST_ONCE)) {
            if (payload != null) {
                assertTrue(socket.expectPublish(topic, payload).message().retain());
            }
            socket.expectNothing();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99})
    @Clause(
            v5 = {"MQTT-3.1.2-8"},
            edge = {"E048"})
    void disconnectWithAnyCodeBut0_publishesTheWill(int code, RunningBroker broker) {
        String topic = unique("will");
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE);
                MqttSocket socket = broker.socket()) {
            socket.connect(withWill(MQTT_5, topic));
            socket.send(RawPacket.of(0xE0).u8(code).bytes()).expectClosed();
            subscriber.expectPublish(topic, "will");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0x8E, 0x8B, 0x8D, 0x87, 0x9C, 0x01, 0x05, 0xFF, 0x18})
    @Clause(
            v5 = {"MQTT-3.1.2-8"},
            edge = {"E055", "E072"})
    void disconnectWithACodeThatIsNotAClients_isAnErrorAndPublishesTheWill(int code, RunningBroker broker) {
        String topic = unique("will");
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE);
                MqttSocket socket = broker.socket()) {
            socket.connect(withWill(MQTT_5, topic));
            socket.send(RawPacket.of(0xE0).u8(code).bytes());
            ReasonCode reason = socket.receive(Disconnect.class).reason();
            assertTrue(reason == ReasonCode.PROTOCOL_ERROR || reason == ReasonCode.MALFORMED_PACKET, reason.toString());
            socket.expectClosed();
            subscriber.expectPublish(topic, "will");
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.2-8"},
            v3 = {"MQTT-3.1.2-8"},
            edge = {"E006", "E072"})
    void fault_publishesTheWill(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("will");
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.AT_MOST_ONCE)) {
            for (String fault : new String[] {"00 00", "D0 00", "60 02 0001", "36 00", "30 FF FF FF FF"}) {
                try (MqttSocket socket = broker.socket()) {
                    socket.connect(withWill(version, topic));
                    socket.sendHex(fault);
                    if (version.isV5()) {
                        socket.receive(Disconnect.class);
                    }
                    socket.expectClosed();
                    subscriber.expectPublish(topic, "will");
                }
            }
        }
    }

    private static long millisUntilWill(MqttSocket subscriber, String topic, long start) {
        subscriber.expectPublish(topic, "will");
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.2-8"},
            edge = {"E048", "E064", "E067"})
    void delayedWill_isPublishedAfterItsDelayOrAtTheEndOfTheSession(RunningBroker broker) {
        String topic = unique("delay");
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE)) {
            // {session expiry, delay, seconds until the will}
            int[][] cases = {{60, 1, 1}, {1, 60, 1}, {0, 60, 0}, {60, 0, 0}};
            for (int[] each : cases) {
                Connect connect = Connect.builder(MQTT_5, unique("delay"))
                        .sessionExpirySeconds(each[0])
                        .will(will(topic, "will", Qos.AT_MOST_ONCE, false, each[1]))
                        .build();
                for (boolean disconnect : new boolean[] {false, true}) {
                    MqttSocket socket = broker.socket();
                    socket.connect(connect);
                    long start = System.nanoTime();
                    if (disconnect) {
                        socket.send(new Disconnect(ReasonCode.DISCONNECT_WITH_WILL))
                                .expectClosed();
                    }
                    socket.close();
                    long millis = millisUntilWill(subscriber, topic, start);
                    assertTrue(millis >= each[2] * 1000L - 50, "after " + millis + " ms");
                }
            }
            MqttSocket socket = broker.socket();
            socket.connect(lasting(unique("delay"))
                    .will(will(topic, "will", Qos.AT_MOST_ONCE, false, 60))
                    .build());
            // DISCONNECT with will ends the session now, and so the delay.
            socket.send(new Disconnect(ReasonCode.DISCONNECT_WITH_WILL, 0L, null, null, List.of()))
                    .expectClosed();
            socket.close();
            subscriber.expectPublish(topic, "will");
            expectNothingOn(broker, subscriber, topic);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.3-9", "MQTT-3.1.2-8", "MQTT-3.1.2-10"},
            edge = {"E065", "E066"})
    void reconnectWithinTheDelay_cancelsTheWillUnlessItStartsClean(RunningBroker broker) {
        String topic = unique("delay");
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE);
                MqttSocket resumed = broker.socket();
                MqttSocket replaced = broker.socket();
                MqttSocket clean = broker.socket()) {
            String[] ids = {unique("delay"), unique("delay"), unique("delay")};
            for (String id : ids) {
                MqttSocket socket = broker.socket();
                socket.connect(lasting(id)
                        .will(will(topic, "will", Qos.AT_MOST_ONCE, false, 2))
                        .build());
                socket.send(new Disconnect(ReasonCode.DISCONNECT_WITH_WILL)).expectClosed();
                socket.close();
            }
            assertTrue(resumed.connect(lasting(ids[0]).build()).sessionPresent());
            resumed.disconnect();
            assertTrue(replaced.connect(lasting(ids[1])
                            .will(will(topic, "another", Qos.AT_MOST_ONCE, false, 0))
                            .build())
                    .sessionPresent());
            clean.connect(Connect.builder(MQTT_5, ids[2]).build());
            subscriber.expectPublish(topic, "will"); // that of the session which Clean Start 1 has ended
            pass(3_000);
            expectNothingOn(broker, subscriber, topic);
            replaced.reset();
            subscriber.expectPublish(topic, "another");
        }
    }

    @Test
    @Clause(
            v5 = {
                "MQTT-3.1.3-10",
                "MQTT-3.3.2-4",
                "MQTT-3.3.2-15",
                "MQTT-3.3.2-16",
                "MQTT-3.3.2-17",
                "MQTT-3.3.2-18",
                "MQTT-3.3.2-20"
            },
            edge = {"E068"})
    void propertiesOfTheWill_goOutWithItButNotTheDelay(RunningBroker broker) {
        String topic = unique("props");
        String passed = "01 01" // Payload Format Indicator
                + "26 0001 62 0001 31" // User Properties b=1, a=2, b=1, and an empty one
                + "03 0002 6374" // Content Type
                + "26 0001 61 0001 32"
                + "08 0003 722F74" // Response Topic
                + "26 0001 62 0001 31"
                + "09 0003 00FF00" // Correlation Data
                + "26 0000 0000";
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE);
                MqttSocket socket = broker.socket()) {
            socket.send(RawPacket.connect(MQTT_5, CLEAN | WILL, RawPacket.part().hex("11 0000003C"))
                    .utf8(unique("props"))
                    // Will Delay Interval 1, Message Expiry Interval 10
                    .properties(RawPacket.part().hex("18 00000001 02 0000000A").hex(passed))
                    .utf8(topic)
                    .utf8("will")
                    .bytes());
            assertEquals(2, RawFrame.read(socket).type());
            socket.reset();
            RawFrame.Publish publish = RawFrame.read(subscriber).publish(MQTT_5);
            assertEquals("will", publish.payload());
            RawFrame.Property expiry = publish.property(0x02);
            assertNotNull(expiry);
            assertEquals(10, expiry.number()); // counted from its publication, not from the loss
            StringBuilder rest = new StringBuilder();
            StringBuilder users = new StringBuilder();
            for (RawFrame.Property property : publish.properties()) {
                assertNotEquals(0x18, property.id());
                if (property.id() == 0x26) {
                    users.append(property.hex()).append(' ');
                } else if (property.id() != 0x02) {
                    rest.append(property.id())
                            .append('=')
                            .append(property.hex())
                            .append(' ');
                }
            }
            assertEquals("000162000131 000161000132 000162000131 00000000 ", users.toString());
            for (String part : new String[] {"1=01 ", "3=00026374 ", "8=0003722f74 ", "9=000300ff00 "}) {
                assertTrue(rest.toString().contains(part), rest.toString());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.3-11", "MQTT-3.1.4-1"},
            v3 = {"MQTT-3.1.4-1"},
            edge = {"E070", "E073"})
    void willTopicThatIsNoTopicName_refusesTheConnect(ProtocolVersion version, RunningBroker broker) {
        for (String topic : new String[] {"", "#", "+", "a/#", "a/+/b", "a+", "a#b"}) {
            try (MqttSocket socket = broker.socket()) {
                socket.send(RawPacket.connect(version, CLEAN | WILL)
                        .utf8(unique("topic"))
                        .properties(version, RawPacket.part())
                        .utf8(topic)
                        .utf8("will")
                        .bytes());
                if (version.isV5()) {
                    String connAck = RawFrame.read(socket).hex();
                    assertTrue(List.of("0090", "0081", "0082").contains(connAck.substring(0, 4)), connAck);
                }
                expectEnd(socket);
            } catch (AssertionError e) {
                throw new AssertionError("will topic " + topic, e);
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.3.2-14"},
            edge = {"E084"})
    void responseTopicOfAWillWithWildcards_refusesTheConnect(RunningBroker broker) {
        try (MqttSocket socket = broker.socket()) {
            socket.send(RawPacket.connect(MQTT_5, CLEAN | WILL)
                    .utf8(unique("topic"))
                    .properties(RawPacket.part().hex("08").utf8("a/#"))
                    .utf8("will/t")
                    .utf8("will")
                    .bytes());
            RawFrame connAck = RawFrame.read(socket);
            assertTrue(List.of("0090", "0081", "0082").contains(connAck.hex().substring(0, 4)), connAck.toString());
            expectEnd(socket);
        }
    }

    @Test
    @Clause(edge = {"E074"})
    void will_isLocalToItsClientIdentifier(RunningBroker broker) {
        String topic = unique("local");
        for (boolean noLocal : new boolean[] {true, false}) {
            Connect connect = lasting(unique("local"))
                    .will(will(topic, "will", Qos.AT_LEAST_ONCE, false, 0))
                    .build();
            try (MqttSocket watcher = subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE);
                    MqttSocket socket = broker.socket();
                    MqttSocket again = broker.socket()) {
                socket.connect(connect);
                socket.subscribe(
                        new Subscribe.Entry(topic, Qos.AT_LEAST_ONCE, noLocal, false, Subscribe.RetainHandling.SEND));
                socket.send(new Disconnect(ReasonCode.DISCONNECT_WITH_WILL)).expectClosed();
                watcher.expectPublish(topic, "will");
                assertTrue(again.connect(connect).sessionPresent());
                if (!noLocal) {
                    again.expectPublish(topic, "will");
                }
                again.expectNothing();
                again.send(new Disconnect(ReasonCode.SUCCESS, 0L, null, null, List.of()))
                        .expectClosed();
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.2-8"},
            edge = {"E061", "E065"})
    void pendingWill_goesWithTheSessionThatACleanStartEnds(RunningBroker broker) {
        String topic = unique("pend");
        String id = unique("pend");
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE);
                MqttSocket socket = broker.socket();
                MqttSocket clean = broker.socket();
                MqttSocket publisher = client(broker, MQTT_5)) {
            socket.connect(lasting(id)
                    .will(will(topic, "will", Qos.AT_MOST_ONCE, false, 600))
                    .build());
            socket.send(new Disconnect(ReasonCode.DISCONNECT_WITH_WILL)).expectClosed();
            publisher.publish(topic, "not yet", Qos.AT_LEAST_ONCE);
            subscriber.expectPublish(topic, "not yet");
            clean.connect(Connect.builder(MQTT_5, id).build());
            subscriber.expectPublish(topic, "will");
            expectNothingOn(broker, subscriber, topic);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v3 = {"MQTT-3.1.2-8"},
            edge = {"E073"})
    void refusedConnect_publishesNoWill(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("none");
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.AT_MOST_ONCE)) {
            try (MqttSocket socket = broker.socket()) {
                socket.send(RawPacket.connect(version, CLEAN | WILL | 1)
                        .utf8(unique("none"))
                        .properties(version, RawPacket.part())
                        .utf8(topic)
                        .utf8("will")
                        .bytes());
                expectConnectRefused(socket, version, ReasonCode.MALFORMED_PACKET);
            }
            try (MqttSocket half = broker.socket().speak(version)) {
                byte[] connect = half.bytes(withWill(version, topic));
                half.send(java.util.Arrays.copyOf(connect, connect.length - 1));
                half.reset();
            }
            expectNothingOn(broker, subscriber, topic);
        }
    }
}
