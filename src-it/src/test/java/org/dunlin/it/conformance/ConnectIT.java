package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.client;
import static org.dunlin.it.conformance.Parties.expectConnectRefused;
import static org.dunlin.it.conformance.Parties.expectEnd;
import static org.dunlin.it.conformance.Parties.expectNothingOn;
import static org.dunlin.it.conformance.Parties.subscriber;
import static org.dunlin.it.conformance.Parties.unique;
import static org.dunlin.it.conformance.Parties.will;
import static org.dunlin.it.conformance.RawPacket.CLEAN;
import static org.dunlin.it.conformance.RawPacket.PASSWORD;
import static org.dunlin.it.conformance.RawPacket.USER_NAME;
import static org.dunlin.it.conformance.RawPacket.WILL;
import static org.dunlin.it.conformance.RawPacket.WILL_QOS_1;
import static org.dunlin.it.conformance.RawPacket.WILL_QOS_2;
import static org.dunlin.it.conformance.RawPacket.WILL_RETAIN;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a CONNECT has to be: chapter 3.1, but for session, will and keep alive. */
@Broker
class ConnectIT {
    private static final RawPacket NONE = RawPacket.part();

    @Test
    @Clause(
            v5 = {"MQTT-3.1.0-1"},
            v3 = {"MQTT-3.1.0-1"},
            edge = {"E016"})
    void firstPacketThatIsNoConnect_endsTheConnectionWithoutAnAnswer(RunningBroker broker) {
        for (String packet : new String[] {
            "30 04 0001 61 00", // PUBLISH
            "32 06 0001 61 0001 00",
            "82 07 0001 00 0001 61 00", // SUBSCRIBE
            "A2 06 0001 00 0001 61",
            "40 02 0001",
            "62 02 0001",
            "C0 00", // PINGREQ
            "E0 00",
            "F0 02 18 00", // AUTH
            "20 03 00 00 00", // CONNACK
            "00 00",
        }) {
            try (MqttSocket socket = broker.socket()) {
                socket.sendHex(packet);
                expectEnd(socket);
            } catch (AssertionError e) {
                throw new AssertionError(packet, e);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.0-2", "MQTT-3.2.0-2"},
            v3 = {"MQTT-3.1.0-2"},
            edge = {"E018", "E072"})
    void secondConnect_isAProtocolErrorAndPublishesTheWill(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("second");
        Connect connect = Connect.builder(version, unique("second"))
                .cleanStart(false)
                .sessionExpirySeconds(60)
                .will(will(topic, "will", Qos.AT_MOST_ONCE, false, 0))
                .build();
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.AT_MOST_ONCE);
                MqttSocket socket = broker.socket()) {
            socket.connect(connect);
            socket.send(connect).expectDisconnect(ReasonCode.PROTOCOL_ERROR);
            subscriber.expectPublish(topic, "will");
            try (MqttSocket again = broker.socket()) {
                // 3.1 has no flag to say so
                assertEquals(
                        version != ProtocolVersion.MQTT_3_1,
                        again.connect(connect).sessionPresent());
                again.disconnect();
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.2-1"},
            v3 = {"MQTT-3.1.2-1"},
            edge = {"E021"})
    void unknownProtocolName_endsTheConnection(RunningBroker broker) {
        for (String name : new String[] {"MQTTX", "mqtt", "", "MQT", "MQIsdP", "HTTP"}) {
            for (int level = 3; level <= 5; level++) {
                try (MqttSocket socket = broker.socket()) {
                    RawPacket packet =
                            RawPacket.of(0x10).utf8(name).u8(level).u8(CLEAN).u16(0);
                    socket.send((level == 5 ? packet.u8(0) : packet)
                            .utf8(unique("name"))
                            .bytes());
                    expectEnd(socket);
                } catch (AssertionError e) {
                    throw new AssertionError(name + " " + level, e);
                }
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.2-2", "MQTT-3.2.2-7", "MQTT-3.2.2-6"},
            v3 = {"MQTT-3.1.2-2", "MQTT-3.2.2-4", "MQTT-3.2.2-5"},
            edge = {"E021"})
    void unknownLevel_isRefusedInTheNearestVersion(RunningBroker broker) {
        for (int level : new int[] {0, 1, 2, 3, 6, 7, 127, 255}) {
            try (MqttSocket socket = broker.socket()) {
                socket.send(RawPacket.of(0x10)
                        .utf8("MQTT")
                        .u8(level)
                        .u8(CLEAN)
                        .u16(0)
                        .u8(0)
                        .utf8(unique("level"))
                        .bytes());
                RawFrame connAck = RawFrame.read(socket);
                assertEquals(0x20, connAck.first());
                if (level > 5) {
                    assertTrue(connAck.hex().startsWith("0084"), connAck.toString());
                    connAck.propertiesAt(2);
                } else {
                    assertEquals("0001", connAck.hex());
                }
                expectEnd(socket);
            } catch (AssertionError e) {
                throw new AssertionError("level " + level, e);
            }
        }
    }

    @Test
    @Clause(
            v3 = {"MQTT-3.1.2-1"},
            edge = {"E184"})
    void protocolNameOf31_isServedAs31(RunningBroker broker) {
        try (MqttSocket socket = broker.socket()) {
            socket.sendHex("10 11 0006 4D5149736470 03 02 0000 0003 333161"); // MQIsdp, level 3, client "31a"
            assertEquals("packet 20 0000", RawFrame.read(socket).toString());
        }
    }

    /** Flags and the payload that goes with them as it is written in hexadecimal after the client identifier. */
    private static void expectFlagsRefused(
            RunningBroker broker, ProtocolVersion version, int flags, RawPacket payload) {
        try (MqttSocket socket = broker.socket().speak(version)) {
            socket.send(RawPacket.connect(version, flags)
                    .utf8(unique("flags"))
                    .bytes(payload.bytes())
                    .bytes());
            expectConnectRefused(socket, version, ReasonCode.MALFORMED_PACKET);
        } catch (AssertionError e) {
            throw new AssertionError("connect flags 0x" + Integer.toHexString(flags), e);
        }
    }

    private static RawPacket willFields(ProtocolVersion version) {
        return RawPacket.part().properties(version, NONE).utf8("will/t").utf8("w");
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.2-3", "MQTT-3.1.4-1"},
            v3 = {"MQTT-3.1.2-3", "MQTT-3.1.4-1"},
            edge = {"E022"})
    void reservedConnectFlag_isRefused(ProtocolVersion version, RunningBroker broker) {
        expectFlagsRefused(broker, version, CLEAN | 1, NONE);
        expectFlagsRefused(broker, version, 1, NONE);
        expectFlagsRefused(broker, version, CLEAN | WILL | 1, willFields(version));
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.2-11", "MQTT-3.1.2-13"},
            v3 = {"MQTT-3.1.2-11", "MQTT-3.1.2-13", "MQTT-3.1.2-15"},
            edge = {"E022"})
    void willQosOrRetainWithoutWill_isRefused(ProtocolVersion version, RunningBroker broker) {
        for (int flags :
                new int[] {WILL_QOS_1, WILL_QOS_2, WILL_QOS_1 | WILL_QOS_2, WILL_RETAIN, WILL_RETAIN | WILL_QOS_1}) {
            expectFlagsRefused(broker, version, CLEAN | flags, NONE);
            expectFlagsRefused(broker, version, CLEAN | flags, willFields(version));
        }
        expectFlagsRefused(broker, version, CLEAN, willFields(version)); // will fields without the flag
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.2-12"},
            v3 = {"MQTT-3.1.2-14"},
            edge = {"E022"})
    void willQos3_isRefused(ProtocolVersion version, RunningBroker broker) {
        expectFlagsRefused(broker, version, CLEAN | WILL | WILL_QOS_1 | WILL_QOS_2, willFields(version));
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.2-9"},
            v3 = {"MQTT-3.1.2-9"})
    void willFlagWithoutItsFields_isRefused(ProtocolVersion version, RunningBroker broker) {
        expectFlagsRefused(broker, version, CLEAN | WILL, NONE);
        expectFlagsRefused(broker, version, CLEAN | WILL, RawPacket.part().properties(version, NONE));
        expectFlagsRefused(
                broker,
                version,
                CLEAN | WILL,
                RawPacket.part().properties(version, NONE).utf8("will/t"));
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_3_1_1", "MQTT_5"})
    @Clause(
            v5 = {"MQTT-3.1.2-16", "MQTT-3.1.2-17", "MQTT-3.1.2-18", "MQTT-3.1.2-19"},
            v3 = {"MQTT-3.1.2-18", "MQTT-3.1.2-19", "MQTT-3.1.2-20", "MQTT-3.1.2-21"})
    void userNameAndPassword_areThereExactlyWithTheirFlags(ProtocolVersion version, RunningBroker broker) {
        expectFlagsRefused(broker, version, CLEAN, RawPacket.part().utf8("user"));
        expectFlagsRefused(broker, version, CLEAN | USER_NAME, NONE);
        expectFlagsRefused(
                broker,
                version,
                CLEAN | USER_NAME,
                RawPacket.part().utf8("user").utf8("pass"));
        expectFlagsRefused(
                broker, version, CLEAN | USER_NAME | PASSWORD, RawPacket.part().utf8("user"));
        expectFlagsRefused(
                broker,
                version,
                CLEAN | USER_NAME | PASSWORD,
                RawPacket.part().utf8("user").utf8("pass").utf8("more"));
        if (version.isV5()) {
            expectFlagsRefused(broker, version, CLEAN | PASSWORD, NONE);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.2-19"},
            v3 = {"MQTT-3.1.2-22"},
            edge = {"E022", "E023"})
    void passwordWithoutUserName_isForV5Alone(RunningBroker broker) {
        try (MqttSocket socket = broker.socket()) {
            socket.send(RawPacket.connect(MQTT_5, CLEAN | PASSWORD)
                    .utf8(unique("pw"))
                    .utf8("pass")
                    .bytes());
            assertEquals("0000", RawFrame.read(socket).hex().substring(0, 4));
        }
        expectFlagsRefused(
                broker, MQTT_3_1_1, CLEAN | PASSWORD, RawPacket.part().utf8("pass"));
        expectFlagsRefused(
                broker,
                ProtocolVersion.MQTT_3_1,
                CLEAN | PASSWORD,
                RawPacket.part().utf8("pass"));
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.3-1", "MQTT-3.1.3-12", "MQTT-3.1.2-7", "MQTT-3.1.2-17", "MQTT-3.1.2-19"},
            v3 = {"MQTT-3.1.3-1", "MQTT-3.1.2-8", "MQTT-3.1.2-19", "MQTT-3.1.2-21"},
            edge = {"E024"})
    void everyField_isReadInItsOrder(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("order");
        byte[] anyBytes = {0, (byte) 0xFF, (byte) 0xC0, (byte) 0x80, 0};
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.EXACTLY_ONCE);
                MqttSocket socket = broker.socket().speak(version)) {
            socket.send(RawPacket.connect(
                            version,
                            CLEAN | WILL | WILL_QOS_1 | USER_NAME | PASSWORD,
                            RawPacket.part().hex("11 00000000"))
                    .utf8(unique("order"))
                    .properties(version, RawPacket.part().hex("03 0002 6374")) // content type "ct"
                    .utf8(topic)
                    .binary(anyBytes)
                    .utf8("user")
                    .binary(anyBytes)
                    .bytes());
            assertEquals("0000", RawFrame.read(socket).hex().substring(0, 4));
            socket.reset();
            RawFrame.Publish publish = RawFrame.read(subscriber).publish(version);
            assertEquals(topic, publish.topic());
            assertEquals("\u0000\u00FF\u00C0\u0080\u0000", publish.payload());
            assertEquals(1, publish.qos());
            if (version.isV5()) {
                RawFrame.Property type = publish.property(0x03);
                assertEquals("ct", type == null ? "" : type.text());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.3-3"},
            v3 = {"MQTT-3.1.3-3"})
    void connectWithoutClientIdentifier_isRefused(ProtocolVersion version, RunningBroker broker) {
        try (MqttSocket socket = broker.socket().speak(version)) {
            socket.send(RawPacket.connect(version, CLEAN).bytes());
            expectConnectRefused(socket, version, ReasonCode.MALFORMED_PACKET);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.3-5", "MQTT-3.1.4-5"},
            v3 = {"MQTT-3.1.3-5", "MQTT-3.1.4-4"},
            edge = {"E032"})
    void clientIdentifiersOf1To23LettersAndDigits_areAccepted(ProtocolVersion version, RunningBroker broker) {
        String alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        List<String> ids =
                new ArrayList<>(List.of("0", "Z", "a", "0123456789abcdefghijklm", "ABCDEFGHIJKLMNOPQRSTUVW"));
        for (int from = 0; from + 23 <= alphabet.length(); from += 13) {
            ids.add(alphabet.substring(from, from + 23));
        }
        ids.add(alphabet); // longer than that
        ids.add(unique("with / # + $ and \u00E9"));
        for (String id : ids) {
            try (MqttSocket socket = broker.socket()) {
                ConnAck connAck = socket.connect(Connect.builder(version, id).build());
                assertEquals(null, connAck.properties().assignedClientId());
                socket.disconnect();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_3_1_1", "MQTT_5"})
    @Clause(
            v5 = {"MQTT-3.1.3-6", "MQTT-3.2.2-16"},
            v3 = {"MQTT-3.1.3-6"},
            edge = {"E030", "E031"})
    void emptyClientIdentifier_getsAUniqueOne(ProtocolVersion version, RunningBroker broker) {
        List<MqttSocket> sockets = new ArrayList<>();
        Set<String> assigned = new HashSet<>();
        try {
            for (int i = 0; i < 50; i++) {
                MqttSocket socket = broker.socket();
                sockets.add(socket);
                socket.send(Connect.builder(version, "").build());
            }
            for (MqttSocket socket : sockets) {
                ConnAck connAck = socket.receive(ConnAck.class);
                assertEquals(ReasonCode.SUCCESS, connAck.reason());
                if (version.isV5()) {
                    String id = connAck.properties().assignedClientId();
                    assertNotNull(id);
                    assertFalse(id.isEmpty());
                    assertTrue(assigned.add(id), id);
                }
            }
            for (MqttSocket socket : sockets) {
                socket.expectNothing(); // none has been taken over
            }
        } finally {
            sockets.forEach(MqttSocket::close);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.3-7", "MQTT-3.2.2-16"},
            edge = {"E030"})
    void assignedClientIdentifier_canBeUsedToResume(RunningBroker broker) {
        for (boolean cleanStart : new boolean[] {true, false}) {
            String id;
            try (MqttSocket socket = broker.socket()) {
                ConnAck connAck = socket.connect(Connect.builder(MQTT_5, "")
                        .cleanStart(cleanStart)
                        .sessionExpirySeconds(60)
                        .build());
                assertFalse(connAck.sessionPresent());
                id = connAck.properties().assignedClientId();
                assertNotNull(id);
                socket.subscribe(unique("assigned"), Qos.AT_LEAST_ONCE);
                socket.disconnect();
            }
            try (MqttSocket socket = broker.socket()) {
                ConnAck connAck = socket.connect(
                        Connect.builder(MQTT_5, id).cleanStart(false).build());
                assertTrue(connAck.sessionPresent());
                assertEquals(null, connAck.properties().assignedClientId());
            }
        }
    }

    @Test
    @Clause(
            v3 = {"MQTT-3.1.3-7", "MQTT-3.1.3-8", "MQTT-3.1.3-9", "MQTT-3.2.2-4", "MQTT-3.2.2-5"},
            edge = {"E031"})
    void emptyClientIdentifierWithCleanSession0_isRejected(RunningBroker broker) {
        try (MqttSocket socket = broker.socket()) {
            socket.send(RawPacket.connect(MQTT_3_1_1, 0).utf8("").bytes());
            assertEquals("packet 20 0002", RawFrame.read(socket).toString());
            expectEnd(socket);
        }
    }

    @Test
    @Clause(edge = {"E184"})
    void emptyClientIdentifierOf31_isRejected(RunningBroker broker) {
        try (MqttSocket socket = broker.socket()) {
            socket.send(
                    RawPacket.connect(ProtocolVersion.MQTT_3_1, CLEAN).utf8("").bytes());
            assertEquals("packet 20 0002", RawFrame.read(socket).toString());
            expectEnd(socket);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.3-2"},
            v3 = {"MQTT-3.1.3-2"})
    void clientIdentifiers_haveSessionsOfTheirOwn(ProtocolVersion version, RunningBroker broker) {
        String one = unique("own");
        String other = one + "x";
        String filter = unique("own");
        for (String id : List.of(one, other)) {
            try (MqttSocket socket = broker.socket()) {
                assertFalse(connectTo(socket, version, id));
                socket.subscribe(filter + "/" + id, Qos.AT_LEAST_ONCE);
                socket.disconnect();
            }
        }
        try (MqttSocket publisher = client(broker, version)) {
            publisher.publish(filter + "/" + one, "for one", Qos.AT_LEAST_ONCE);
            publisher.publish(filter + "/" + other, "for other", Qos.AT_LEAST_ONCE);
        }
        for (String id : List.of(one, other)) {
            try (MqttSocket socket = broker.socket()) {
                assertTrue(connectTo(socket, version, id) || version == ProtocolVersion.MQTT_3_1);
                socket.expectPublish(filter + "/" + id, id.equals(one) ? "for one" : "for other");
                socket.expectNothing();
                socket.disconnect();
            }
        }
    }

    private static boolean connectTo(MqttSocket socket, ProtocolVersion version, String id) {
        return socket.connect(Connect.builder(version, id)
                        .cleanStart(false)
                        .sessionExpirySeconds(60)
                        .build())
                .sessionPresent();
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.4-1", "MQTT-3.2.2-6", "MQTT-3.2.2-7"},
            edge = {"E025"})
    void illegalPropertyValues_areProtocolErrors(RunningBroker broker) {
        for (String property : new String[] {
            "21 0000", // Receive Maximum 0
            "27 00000000", // Maximum Packet Size 0
            "17 02", // Request Problem Information 2
            "19 02", // Request Response Information 2
            "17 FF",
            "16 0001 61", // Authentication Data without Authentication Method
        }) {
            try (MqttSocket socket = broker.socket()) {
                socket.send(RawPacket.connect(MQTT_5, CLEAN, RawPacket.part().hex(property))
                        .utf8(unique("value"))
                        .bytes());
                expectConnectRefused(socket, MQTT_5, ReasonCode.PROTOCOL_ERROR);
            } catch (AssertionError e) {
                throw new AssertionError(property, e);
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.4-1"},
            edge = {"E025"})
    void illegalValuesOfWillProperties_areProtocolErrors(RunningBroker broker) {
        for (String property : new String[] {"01 02", "01 FF"}) {
            try (MqttSocket socket = broker.socket()) {
                socket.send(RawPacket.connect(MQTT_5, CLEAN | WILL)
                        .utf8(unique("value"))
                        .properties(RawPacket.part().hex(property))
                        .utf8("will/t")
                        .utf8("w")
                        .bytes());
                expectConnectRefused(socket, MQTT_5, ReasonCode.PROTOCOL_ERROR);
            } catch (AssertionError e) {
                throw new AssertionError(property, e);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.4-6"},
            v3 = {"MQTT-3.1.4-5"},
            edge = {"E019"})
    void whatFollowsARefusedConnect_isNotProcessed(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("refused");
        byte[] publish = RawPacket.of(0x31) // RETAIN
                .utf8(topic)
                .properties(version, NONE)
                .hex("78")
                .bytes();
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.AT_MOST_ONCE);
                MqttSocket socket = broker.socket()) {
            socket.send(RawPacket.part()
                    .bytes(RawPacket.connect(version, CLEAN | 1)
                            .utf8(unique("bad"))
                            .bytes())
                    .bytes(publish)
                    .bytes());
            expectConnectRefused(socket, version, ReasonCode.MALFORMED_PACKET);
            expectNothingOn(broker, subscriber, topic);
        }
        try (MqttSocket later = subscriber(broker, version, topic, Qos.AT_MOST_ONCE)) {
            later.expectNothing(); // nothing was retained
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.4-2", "MQTT-3.1.4-4"},
            v3 = {"MQTT-3.1.4-3"},
            edge = {"E029", "E073"})
    void refusedConnect_leavesTheSessionTheHolderAndNoWill(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("untouched");
        String id = unique("untouched");
        try (MqttSocket holder = broker.socket();
                MqttSocket subscriber = subscriber(broker, version, topic, Qos.AT_MOST_ONCE)) {
            connectTo(holder, version, id);
            holder.subscribe(topic + "/own", Qos.AT_LEAST_ONCE);
            try (MqttSocket socket = broker.socket()) {
                // Will topic with a wildcard: a CONNECT whose format alone is good.
                socket.send(RawPacket.connect(version, CLEAN | WILL)
                        .utf8(id)
                        .properties(version, NONE)
                        .utf8(topic + "/#")
                        .utf8("w")
                        .bytes());
                if (version.isV5()) {
                    String connAck = RawFrame.read(socket).hex();
                    assertEquals("00", connAck.substring(0, 2));
                    assertNotEquals("00", connAck.substring(2, 4));
                }
                expectEnd(socket);
            }
            expectNothingOn(broker, subscriber, topic);
            try (MqttSocket publisher = client(broker, version)) {
                publisher.publish(topic + "/own", "still there", Qos.AT_LEAST_ONCE);
            }
            holder.expectPublish(topic + "/own", "still there");
            holder.expectNothing();
        }
    }
}
