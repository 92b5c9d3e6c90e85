package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.client;
import static org.dunlin.it.conformance.Parties.expectEnd;
import static org.dunlin.it.conformance.Parties.subscriber;
import static org.dunlin.it.conformance.Parties.unique;
import static org.dunlin.it.conformance.RawPacket.CLEAN;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Packet type, flags and Remaining Length: chapter 2.1 of v5, 2.2 of 3.1.1, and how packets are cut from the stream. */
@Broker
class FixedHeaderIT {
    /** What a packet of that type may have after the first byte, so that nothing but its flags is wrong. */
    private static String bodyOf(int type, ProtocolVersion version) {
        return switch (type) {
            case 2 -> version.isV5() ? "03 00 00 00" : "02 00 00"; // CONNACK
            case 4, 5, 6, 7 -> "02 00 07"; // packet identifier 7
            case 8 -> version.isV5() ? "07 0007 00 0001 61 00" : "06 0007 0001 61 00"; // filter "a", QoS 0
            case 9 -> version.isV5() ? "04 0007 00 00" : "03 0007 00";
            case 10 -> version.isV5() ? "06 0007 00 0001 61" : "05 0007 0001 61";
            case 11 -> version.isV5() ? "04 0007 00 00" : "02 0007";
            default -> "00";
        };
    }

    private static int flagsOf(int type) {
        return type == 6 || type == 8 || type == 10 ? 2 : 0;
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-2.1.3-1"},
            v3 = {"MQTT-2.2.2-2"},
            edge = {"E006"})
    void wrongFlags_endTheConnection(ProtocolVersion version, RunningBroker broker) {
        for (int type = 2; type <= 15; type++) {
            if (type == 3) {
                continue; // the flags of PUBLISH have meanings of their own
            }
            for (int flags = 0; flags < 16; flags++) {
                boolean dupOf31 = version == ProtocolVersion.MQTT_3_1 && flagsOf(type) == 2 && flags == 10;
                if (flags == flagsOf(type) || dupOf31) {
                    continue;
                }
                String packet = Integer.toHexString(type << 4 | flags | 0x100).substring(1) + bodyOf(type, version);
                try (MqttSocket socket = client(broker, version)) {
                    // Those that only a broker sends have two faults, of which the type is named.
                    boolean ofServer = type == 2 || type == 9 || type == 11 || type == 13;
                    socket.sendHex(packet)
                            .expectDisconnect(ofServer ? ReasonCode.PROTOCOL_ERROR : ReasonCode.MALFORMED_PACKET);
                } catch (AssertionError e) {
                    throw new AssertionError(packet, e);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-2.1.3-1"},
            v3 = {"MQTT-2.2.2-2"},
            edge = {"E007"})
    void reservedTypes_endTheConnection(ProtocolVersion version, RunningBroker broker) {
        for (int flags = 0; flags < 16; flags++) {
            try (MqttSocket socket = client(broker, version)) {
                socket.sendHex("0" + Integer.toHexString(flags) + "00").expectDisconnect(ReasonCode.MALFORMED_PACKET);
            }
        }
        if (!version.isV5()) {
            try (MqttSocket socket = client(broker, version)) {
                socket.sendHex("F0 00"); // AUTH, which is type 15 and reserved here
                expectEnd(socket);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-2.1.3-1", "MQTT-3.1.0-1"},
            v3 = {"MQTT-2.2.2-2", "MQTT-3.1.0-1"},
            edge = {"E006"})
    void connectWithWrongFlags_isRefused(ProtocolVersion version, RunningBroker broker) {
        for (int flags = 1; flags < 16; flags++) {
            byte[] connect =
                    RawPacket.connect(version, CLEAN).utf8(unique("fl")).bytes();
            connect[0] |= (byte) flags;
            try (MqttSocket socket = broker.socket()) {
                socket.send(connect);
                expectEnd(socket);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E007"})
    void packetsOfAServer_fromAClient_areAProtocolError(ProtocolVersion version, RunningBroker broker) {
        for (int type : new int[] {2, 9, 11, 13}) {
            String packet = Integer.toHexString(type << 4) + bodyOf(type, version);
            try (MqttSocket socket = client(broker, version)) {
                socket.sendHex(packet).expectDisconnect(ReasonCode.PROTOCOL_ERROR);
            } catch (AssertionError e) {
                throw new AssertionError(packet, e);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-2.1.3-1", "MQTT-2.2.2-1", "MQTT-3.3.4-1"},
            v3 = {"MQTT-2.2.2-1", "MQTT-3.3.4-1"})
    void packetsOfTheBroker_haveTheFlagsOfTheTable(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("flags");
        boolean v5 = version.isV5();
        String none = v5 ? "00" : "";
        try (MqttSocket socket = broker.socket().speak(version)) {
            socket.send(RawPacket.connect(version, CLEAN).utf8(unique("fl")).bytes());
            assertEquals(0x20, RawFrame.read(socket).first());
            socket.send(RawPacket.of(0x82).u16(1).hex(none).utf8(topic).u8(2).bytes());
            RawFrame subAck = RawFrame.read(socket);
            assertEquals(0x90, subAck.first());
            assertEquals("0001" + none + "02", subAck.hex());
            socket.send(RawPacket.of(0x30).utf8(topic).hex(none).hex("30").bytes());
            assertEquals(0x30, RawFrame.read(socket).first());
            socket.send(
                    RawPacket.of(0x32).utf8(topic).u16(2).hex(none).hex("31").bytes());
            expectTypes(socket, 0x40, 0x32);
            socket.sendHex("40 02 0001"); // PUBACK of the broker's first packet identifier
            socket.send(
                    RawPacket.of(0x34).utf8(topic).u16(3).hex(none).hex("32").bytes());
            expectTypes(socket, 0x50, 0x34);
            socket.sendHex("62 02 0003"); // PUBREL
            assertEquals("packet 70 0003", RawFrame.read(socket).toString());
            socket.sendHex("50 02 0002"); // PUBREC of the broker's second packet identifier
            assertEquals("packet 62 0002", RawFrame.read(socket).toString());
            socket.sendHex("70 02 0002");
            socket.send(RawPacket.of(0xA2).u16(4).hex(none).utf8(topic).bytes());
            RawFrame unsubAck = RawFrame.read(socket);
            assertEquals(0xB0, unsubAck.first());
            assertEquals(v5 ? "00040000" : "0004", unsubAck.hex());
            socket.sendHex("C0 00");
            assertEquals("packet d0 ", RawFrame.read(socket).toString());
            socket.sendHex("D0 00");
            if (v5) {
                RawFrame disconnect = RawFrame.read(socket);
                assertEquals(0xE0, disconnect.first());
                assertEquals("82", disconnect.hex().substring(0, 2));
            }
            expectEnd(socket);
        }
    }

    /** Two packets with these first bytes, in either order. */
    private static void expectTypes(MqttSocket socket, int one, int other) {
        int first = RawFrame.read(socket).first();
        int second = RawFrame.read(socket).first();
        assertEquals(
                true,
                first == one && second == other || first == other && second == one,
                Integer.toHexString(first) + " " + Integer.toHexString(second));
    }

    @Test
    @Clause(edge = {"E184"})
    void dupOfSubscribeUnsubscribeAndPubrel_isTakenFrom31(RunningBroker broker) {
        String topic = unique("dup");
        try (MqttSocket socket = client(broker, ProtocolVersion.MQTT_3_1)) {
            socket.send(RawPacket.of(0x8A).u16(1).utf8(topic).u8(1).bytes());
            assertEquals("packet 90 000101", RawFrame.read(socket).toString());
            socket.send(RawPacket.of(0xAA).u16(2).utf8(topic).bytes());
            assertEquals("packet b0 0002", RawFrame.read(socket).toString());
            socket.send(RawPacket.of(0x34).utf8(topic).u16(3).hex("78").bytes());
            assertEquals("packet 50 0003", RawFrame.read(socket).toString());
            socket.sendHex("6A 02 0003");
            assertEquals("packet 70 0003", RawFrame.read(socket).toString());
        }
    }

    private static byte[] conversation(MqttSocket encoder, ProtocolVersion version, String topic) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        String none = version.isV5() ? "00" : "";
        all.writeBytes(encoder.bytes(Connect.builder(version, unique("split")).build()));
        all.writeBytes(RawPacket.of(0x82).u16(1).hex(none).utf8(topic).u8(0).bytes());
        all.writeBytes(RawPacket.of(0x32)
                .utf8(topic)
                .u16(2)
                .hex(none)
                .bytes(new byte[200])
                .bytes());
        all.writeBytes(encoder.bytes(Ping.REQUEST));
        all.writeBytes(RawPacket.of(0xA2).u16(3).hex(none).utf8(topic).bytes());
        return all.toByteArray();
    }

    private static String answers(MqttSocket socket) {
        StringBuilder types = new StringBuilder();
        for (int i = 0; i < 6; i++) {
            types.append(Integer.toHexString(RawFrame.read(socket).type()));
        }
        return types.toString();
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.2.0-1"},
            v3 = {"MQTT-3.2.0-1"},
            edge = {"E001", "E019"})
    void stream_splitAndMerged_givesTheSameAnswers(ProtocolVersion version, RunningBroker broker) {
        String whole;
        try (MqttSocket socket = broker.socket().speak(version)) {
            socket.send(conversation(socket, version, unique("split")));
            whole = answers(socket);
        }
        // CONNACK, SUBACK, then PUBACK and the PUBLISH in either order, PINGRESP, UNSUBACK
        assertEquals(true, whole.equals("2943db") || whole.equals("2934db"), whole);
        for (int piece : new int[] {1, 2, 3, 7}) {
            try (MqttSocket socket = broker.socket().speak(version)) {
                byte[] bytes = conversation(socket, version, unique("split"));
                for (int at = 0; at < bytes.length; at += piece) {
                    socket.send(java.util.Arrays.copyOfRange(bytes, at, Math.min(bytes.length, at + piece)));
                }
                String answers = answers(socket);
                assertEquals(whole.replace("34", "43"), answers.replace("34", "43"));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-1.5.5-1"},
            edge = {"E002"})
    void remainingLengthOfFiveBytes_isMalformedAtTheFourth(ProtocolVersion version, RunningBroker broker) {
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex("30 FF FF FF FF").expectDisconnect(ReasonCode.MALFORMED_PACKET);
        }
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex("30 80 80 80 80 01").expectDisconnect(ReasonCode.MALFORMED_PACKET);
        }
        try (MqttSocket socket = broker.socket()) {
            socket.sendHex("10 FF FF FF FF");
            expectEnd(socket);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-1.5.5-1"},
            edge = {"E003"})
    void overlongRemainingLength_isMalformed(ProtocolVersion version, RunningBroker broker) {
        for (String pingReq : new String[] {"C0 80 00", "C0 80 80 00", "C0 80 80 80 00"}) {
            try (MqttSocket socket = client(broker, version)) {
                socket.sendHex(pingReq).expectDisconnect(ReasonCode.MALFORMED_PACKET);
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-1.5.5-1"},
            edge = {"E003"})
    void overlongPropertyLengthAndSubscriptionIdentifier_areMalformed(RunningBroker broker) {
        String[] packets = {
            "30 05 0001 61 80 00", // PUBLISH "a", Property Length 0 in two bytes
            "82 08 0001 80 00 0001 61 00", // SUBSCRIBE, the same
            "82 0A 0001 03 0B 81 00 0001 61 00", // SUBSCRIBE, Subscription Identifier 1 in two bytes
            "82 0D 0001 06 0B 81 80 80 80 01 0001 61 00", // SUBSCRIBE, Subscription Identifier in five bytes
        };
        for (String packet : packets) {
            try (MqttSocket socket = client(broker, ProtocolVersion.MQTT_5)) {
                socket.sendHex(packet).expectDisconnect(ReasonCode.MALFORMED_PACKET);
            } catch (AssertionError e) {
                throw new AssertionError(packet, e);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(v5 = {"MQTT-1.5.5-1"})
    void lengths_areWrittenInTheirShortestForm(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("len");
        int head = 2 + topic.length() + (version.isV5() ? 1 : 0);
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.AT_MOST_ONCE);
                MqttSocket publisher = client(broker, version)) {
            for (int length : new int[] {127, 128, 16_383, 16_384, 2_097_151, 2_097_152}) {
                byte[] payload = new byte[length - head];
                publisher.send(RawPacket.of(0x30)
                        .utf8(topic)
                        .properties(version, RawPacket.part())
                        .bytes(payload)
                        .bytes());
                RawFrame frame = RawFrame.read(subscriber); // fails unless it is the shortest form
                assertEquals(length, frame.body().length);
            }
        }
    }

    @Test
    @Clause(v5 = {"MQTT-1.5.5-1"})
    void propertyLengthAndSubscriptionIdentifier_areWrittenInTheirShortestForm(RunningBroker broker) {
        String topic = unique("vbi");
        try (MqttSocket subscriber = client(broker, ProtocolVersion.MQTT_5);
                MqttSocket publisher = client(broker, ProtocolVersion.MQTT_5)) {
            for (int identifier : new int[] {1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455}) {
                subscriber.send(RawPacket.of(0x82)
                        .u16(1)
                        .properties(RawPacket.part().u8(0x0B).vbi(identifier))
                        .utf8(topic)
                        .u8(0)
                        .bytes());
                assertEquals(9, RawFrame.read(subscriber).type());
                for (int size : new int[] {100, 120, 121, 122, 123, 124, 125, 126, 127, 128, 16_370, 16_384}) {
                    publisher.send(RawPacket.of(0x30)
                            .utf8(topic)
                            .properties(RawPacket.part()
                                    .u8(0x03)
                                    .binary("c".repeat(size - 3).getBytes(StandardCharsets.UTF_8)))
                            .bytes());
                    RawFrame.Publish publish = RawFrame.read(subscriber).publish(ProtocolVersion.MQTT_5);
                    RawFrame.Property found = publish.property(0x0B);
                    assertEquals(identifier, found == null ? -1 : found.number());
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.2.2-15"},
            edge = {"E004"})
    void announcedLengthAboveTheMaximum_isRefusedOnTheHeader(ProtocolVersion version, RunningBroker broker) {
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex("30 FF FF FF 7F").expectDisconnect(ReasonCode.PACKET_TOO_LARGE);
        }
        try (MqttSocket socket = broker.socket()) {
            socket.sendHex("10 FF FF FF 7F"); // CONNECT, whose version is not known yet
            expectEnd(socket);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E013"})
    void pingReqWithABody_isMalformed(ProtocolVersion version, RunningBroker broker) {
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex("C0 01 00").expectDisconnect(ReasonCode.MALFORMED_PACKET);
        }
    }

    @Test
    void frames_areReadAsTheyWereSent() {
        // The tests' own way to write packets: CONNECT of the client "a" with clean start.
        assertArrayEquals(
                HexFormat.of().parseHex("100e00044d5154540502000000000161"),
                RawPacket.connect(ProtocolVersion.MQTT_5, CLEAN).utf8("a").bytes());
    }
}
