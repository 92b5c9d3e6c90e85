package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.client;
import static org.dunlin.it.conformance.Parties.expectConnectRefused;
import static org.dunlin.it.conformance.Parties.expectNothingOn;
import static org.dunlin.it.conformance.Parties.subscriber;
import static org.dunlin.it.conformance.Parties.unique;
import static org.dunlin.it.conformance.Parties.will;
import static org.dunlin.it.conformance.RawPacket.CLEAN;
import static org.dunlin.it.conformance.RawPacket.WILL;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Lengths that do not fit, short forms, and properties where they may not be: 2.2.2 of v5 and what follows from it. */
@Broker
class MalformedIT {
    /** Every property with a legal value. */
    private static final Map<Integer, String> PROPERTIES = new TreeMap<>();

    static {
        for (int id : new int[] {0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A}) {
            PROPERTIES.put(id, octet(id) + "01");
        }
        for (int id : new int[] {0x13, 0x21, 0x22, 0x23}) {
            PROPERTIES.put(id, octet(id) + "0001");
        }
        for (int id : new int[] {0x02, 0x11, 0x18, 0x27}) {
            PROPERTIES.put(id, octet(id) + "00001000");
        }
        for (int id : new int[] {0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F}) {
            PROPERTIES.put(id, octet(id) + "000161");
        }
        PROPERTIES.put(0x0B, "0B01");
        PROPERTIES.put(0x26, "26000161000162");
    }

    private static String octet(int value) {
        return Integer.toHexString(value | 0x100).substring(1);
    }

    /** A packet that may have properties, by the name it is reported with. */
    private enum Place {
        CONNECT(0x11, 0x15, 0x16, 0x17, 0x19, 0x21, 0x22, 0x26, 0x27),
        WILL_OF_CONNECT(0x01, 0x02, 0x03, 0x08, 0x09, 0x18, 0x26),
        PUBLISH(0x01, 0x02, 0x03, 0x08, 0x09, 0x0B, 0x23, 0x26), // 0x0B is another fault and tested elsewhere
        PUBACK(0x1F, 0x26),
        PUBREC(0x1F, 0x26),
        PUBREL(0x1F, 0x26),
        PUBCOMP(0x1F, 0x26),
        SUBSCRIBE(0x0B, 0x26),
        UNSUBSCRIBE(0x26),
        DISCONNECT(0x11, 0x1C, 0x1F, 0x26); // 0x1C is only for a server

        private final Set<Integer> allowed;

        Place(Integer... allowed) {
            this.allowed = Set.of(allowed);
        }

        RawPacket with(RawPacket properties) {
            return switch (this) {
                case CONNECT -> RawPacket.connect(MQTT_5, CLEAN, properties).utf8(unique("mal"));
                case WILL_OF_CONNECT ->
                    RawPacket.connect(MQTT_5, CLEAN | WILL)
                            .utf8(unique("mal"))
                            .properties(properties)
                            .utf8("t")
                            .utf8("w");
                case PUBLISH ->
                    RawPacket.of(0x30).utf8("mal/x").properties(properties).hex("78");
                case PUBACK -> RawPacket.of(0x40).u16(9).u8(0).properties(properties);
                case PUBREC -> RawPacket.of(0x50).u16(9).u8(0).properties(properties);
                case PUBREL -> RawPacket.of(0x62).u16(9).u8(0).properties(properties);
                case PUBCOMP -> RawPacket.of(0x70).u16(9).u8(0).properties(properties);
                case SUBSCRIBE ->
                    RawPacket.of(0x82)
                            .u16(9)
                            .properties(properties)
                            .utf8("mal/y")
                            .u8(0);
                case UNSUBSCRIBE ->
                    RawPacket.of(0xA2).u16(9).properties(properties).utf8("mal/y");
                case DISCONNECT -> RawPacket.of(0xE0).u8(0).properties(properties);
            };
        }

        void expectRefused(RunningBroker broker, String properties, ReasonCode reason) {
            byte[] packet = with(RawPacket.part().hex(properties)).bytes();
            if (this == CONNECT || this == WILL_OF_CONNECT) {
                try (MqttSocket socket = broker.socket()) {
                    socket.send(packet);
                    expectConnectRefused(socket, MQTT_5, reason);
                } catch (AssertionError e) {
                    throw new AssertionError(this + " with " + properties, e);
                }
                return;
            }
            try (MqttSocket socket = client(broker, MQTT_5)) {
                socket.send(packet);
                socket.expectDisconnect(reason);
            } catch (AssertionError e) {
                throw new AssertionError(this + " with " + properties, e);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    @Clause(
            v5 = {"MQTT-3.1.4-1"},
            edge = {"E026"})
    void propertyOfAnotherPacketOrUnknown_isMalformed(Place place, RunningBroker broker) {
        PROPERTIES.forEach((id, property) -> {
            if (!place.allowed.contains(id)) {
                place.expectRefused(broker, property, ReasonCode.MALFORMED_PACKET);
            }
        });
        for (String unknown : new String[] {"00 01", "04 01", "2B 01", "7F 01", "80 01 01", "FF FF FF 7F 01"}) {
            place.expectRefused(broker, unknown, ReasonCode.MALFORMED_PACKET);
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    @Clause(
            v5 = {"MQTT-3.1.4-1"},
            edge = {"E025"})
    void repeatedProperty_isAProtocolError(Place place, RunningBroker broker) {
        for (int id : place.allowed) {
            boolean repeatable = id == 0x26 || id == 0x0B && place == Place.PUBLISH;
            if (!repeatable && id != 0x1C) {
                String method = id == 0x16 ? PROPERTIES.get(0x15) : "";
                place.expectRefused(
                        broker, method + PROPERTIES.get(id) + PROPERTIES.get(id), ReasonCode.PROTOCOL_ERROR);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Place.class)
    @Clause(edge = {"E005"})
    void propertiesThatAreCutOffOrReachTooFar_areMalformed(Place place, RunningBroker broker) {
        place.expectRefused(broker, "26 0001 61", ReasonCode.MALFORMED_PACKET); // the value is missing
        place.expectRefused(broker, "26 0001 61 0002 62", ReasonCode.MALFORMED_PACKET); // one byte is missing
        place.expectRefused(broker, "26", ReasonCode.MALFORMED_PACKET);
    }

    @Test
    @Clause(
            v5 = {"MQTT-2.2.2-1"},
            edge = {"E005"})
    void propertyLengthThatIsMissingOrReachesPastThePacket_isMalformed(RunningBroker broker) {
        for (String packet : List.of(
                "82 02 0001", // SUBSCRIBE that ends after its packet identifier
                "A2 02 0001",
                "82 06 0001 0001 61 00", // no Property Length: the length of the filter is read for it
                "30 03 0001 61", // PUBLISH that ends after its topic
                "32 05 0001 61 0001", // QoS 1, ends after its packet identifier
                "30 04 0001 61 05", // Property Length 5, nothing there
                "40 04 0001 00 05",
                "E0 02 00 05")) {
            expectMalformed(broker, MQTT_5, packet);
        }
        try (MqttSocket socket = broker.socket()) {
            // CONNECT without Property Length, client identifier "": 00 00 is read as length 0 and half of a string
            socket.sendHex("10 0C 0004 4D515454 05 02 0000 0000");
            expectConnectRefused(socket, MQTT_5, ReasonCode.MALFORMED_PACKET);
        }
    }

    private static void expectMalformed(RunningBroker broker, ProtocolVersion version, String packet) {
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex(packet).expectDisconnect(ReasonCode.MALFORMED_PACKET);
        } catch (AssertionError e) {
            throw new AssertionError(version + " " + packet, e);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E005"})
    void fieldsThatEndBeforeOrAfterThePacket_areMalformed(ProtocolVersion version, RunningBroker broker) {
        List<String> packets = new ArrayList<>(List.of(
                "30 00", // PUBLISH without anything
                "30 01 00",
                "30 02 0003", // topic of three bytes, none there
                "32 04 0001 61 00", // QoS 1, half a packet identifier
                "40 00", // PUBACK without packet identifier
                "40 01 00",
                "62 01 00",
                "82 00",
                "82 01 00"));
        if (version.isV5()) {
            packets.addAll(List.of(
                    "82 08 0001 00 0001 61 00 00", // SUBSCRIBE, a byte after the options: half a length
                    "82 07 0001 00 0002 61 00", // its filter takes the options, none are left
                    "82 06 0001 00 0001 61", // no options
                    "A2 07 0001 00 0001 61 00",
                    "A2 06 0001 00 0002 61",
                    "40 05 0001 00 00 00", // PUBACK, a byte after the properties
                    "E0 03 00 00 00")); // DISCONNECT, the same
        } else {
            packets.addAll(List.of(
                    "82 07 0001 0001 61 00 00",
                    "82 06 0001 0002 61 00",
                    "82 05 0001 0001 61",
                    "A2 06 0001 0001 61 00",
                    "A2 05 0001 0002 61",
                    "40 03 0001 00", // PUBACK of 3.x is two bytes long
                    "50 03 0001 00",
                    "62 03 0001 00",
                    "70 03 0001 00",
                    "E0 01 00")); // DISCONNECT of 3.x has no content
        }
        for (String packet : packets) {
            expectMalformed(broker, version, packet);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E005"})
    void connectCutOffAnywhere_isRefused(ProtocolVersion version, RunningBroker broker) {
        byte[] whole = RawPacket.connect(version, CLEAN | WILL | 0xC0)
                .utf8(unique("cut"))
                .properties(version, RawPacket.part().hex("18 00000005"))
                .utf8("t")
                .utf8("w")
                .utf8("user")
                .utf8("pass")
                .bytes();
        for (int length = 0; length < whole.length - 2; length++) {
            try (MqttSocket socket = broker.socket().speak(version)) {
                byte[] cut = new byte[length + 2];
                System.arraycopy(whole, 0, cut, 0, cut.length);
                cut[1] = (byte) length;
                socket.send(cut);
                int missing = whole.length - cut.length;
                if (version == ProtocolVersion.MQTT_3_1 && (missing == 6 || missing == 12)) {
                    // Without password, or user name and password: in 3.1 the length wins over their flags.
                    assertEquals(
                            ReasonCode.SUCCESS, socket.receive(ConnAck.class).reason());
                    continue;
                }
                // Before the level is read there is no version to answer in.
                boolean known = length >= version.protocolName().length() + 3;
                expectConnectRefused(socket, known ? version : ProtocolVersion.MQTT_3_1_1, ReasonCode.MALFORMED_PACKET);
            } catch (AssertionError e) {
                throw new AssertionError("cut off after " + length + " bytes", e);
            }
        }
        try (MqttSocket socket = broker.socket().speak(version)) {
            byte[] longer = java.util.Arrays.copyOf(whole, whole.length + 1);
            longer[1]++;
            socket.send(longer);
            expectConnectRefused(socket, version, ReasonCode.MALFORMED_PACKET);
        }
    }

    @Test
    @Clause(edge = {"E014"})
    void shortFormsOfAcknowledgements_areTaken(RunningBroker broker) {
        String topic = unique("short");
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.EXACTLY_ONCE);
                MqttSocket publisher = client(broker, MQTT_5)) {
            int id = 1;
            for (String end : new String[] {"", "00", "0000", "00 05 1F 0002 6F6B"}) {
                publisher.publish(topic, "x", Qos.AT_LEAST_ONCE);
                RawFrame publish = RawFrame.read(subscriber);
                assertEquals(1, publish.publish(MQTT_5).qos());
                subscriber.send(RawPacket.of(0x40)
                        .u16(publish.publish(MQTT_5).packetId())
                        .hex(end)
                        .bytes());
                publisher.publish(topic, "y", Qos.EXACTLY_ONCE);
                int received = RawFrame.read(subscriber).publish(MQTT_5).packetId();
                subscriber.send(RawPacket.of(0x50).u16(received).hex(end).bytes());
                RawFrame pubRel = RawFrame.read(subscriber);
                assertEquals(0x62, pubRel.first());
                subscriber.send(RawPacket.of(0x70).u16(received).hex(end).bytes());
                subscriber.expectNothing();
                int sent = 1000 + id++;
                publisher.send(
                        RawPacket.of(0x34).utf8(topic + "/none").u16(sent).u8(0).bytes());
                assertEquals(0x50, RawFrame.read(publisher).first());
                publisher.send(RawPacket.of(0x62).u16(sent).hex(end).bytes());
                RawFrame pubComp = RawFrame.read(publisher);
                assertEquals(0x70, pubComp.first());
                assertEquals(sent, (pubComp.body()[0] & 0xFF) << 8 | pubComp.body()[1] & 0xFF);
            }
        }
    }

    @Test
    @Clause(edge = {"E014"})
    void acknowledgementsWithUnknownReasonCode_areRefused(RunningBroker broker) {
        for (int first : new int[] {0x40, 0x50, 0x62, 0x70}) {
            try (MqttSocket socket = client(broker, MQTT_5)) {
                socket.send(RawPacket.of(first).u16(1).u8(0x05).bytes());
                ReasonCode reason = socket.receive(Disconnect.class).reason();
                assertEquals(
                        true,
                        reason == ReasonCode.MALFORMED_PACKET || reason == ReasonCode.PROTOCOL_ERROR,
                        reason.toString());
                socket.expectClosed();
            }
        }
    }

    @Test
    @Clause(edge = {"E015", "E048"})
    void shortFormsOfDisconnect_areTaken(RunningBroker broker) {
        String topic = unique("short");
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE)) {
            for (String disconnect : new String[] {"E0 00", "E0 01 00", "E0 02 00 00", "E0 01 04", "E0 02 04 00"}) {
                try (MqttSocket socket = broker.socket()) {
                    socket.connect(Connect.builder(MQTT_5, unique("short"))
                            .will(will(topic, disconnect, Qos.AT_MOST_ONCE, false, 0))
                            .build());
                    socket.sendHex(disconnect).expectClosed();
                }
                if (disconnect.contains("04")) {
                    subscriber.expectPublish(topic, disconnect);
                }
            }
            expectNothingOn(broker, subscriber, topic);
        }
    }

    @Test
    @Clause(edge = {"E052"})
    void disconnectOfTheBroker_isReadInSpiteOfWhatFollowsTheFault(RunningBroker broker) {
        for (int i = 0; i < 20; i++) {
            try (MqttSocket socket = client(broker, MQTT_5)) {
                byte[] rubbish = new byte[60_000];
                socket.send(RawPacket.part().hex("36 00").bytes(rubbish).bytes()); // PUBLISH with QoS 3, and more
                RawFrame disconnect = RawFrame.read(socket);
                assertEquals(0xE0, disconnect.first());
                assertEquals("81", disconnect.hex().substring(0, 2));
                for (RawFrame.Property property : disconnect.propertiesAt(1)) {
                    // no Session Expiry Interval, and no Server Reference without 0x9C or 0x9D
                    assertEquals(true, property.id() == 0x1F || property.id() == 0x26, property.toString());
                }
                Parties.expectEnd(socket);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E053"})
    void whatFollowsADisconnect_isIgnored(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("after");
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.AT_MOST_ONCE);
                MqttSocket socket = client(broker, version)) {
            byte[] publish = RawPacket.of(0x30)
                    .utf8(topic)
                    .properties(version, RawPacket.part())
                    .hex("78")
                    .bytes();
            socket.send(RawPacket.part().hex("E0 00").bytes(publish).bytes()).expectClosed();
            expectNothingOn(broker, subscriber, topic);
        }
    }
}
