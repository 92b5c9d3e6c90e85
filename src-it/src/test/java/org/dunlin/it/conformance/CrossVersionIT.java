package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.client;
import static org.dunlin.it.conformance.Parties.subscriber;
import static org.dunlin.it.conformance.Parties.unique;
import static org.dunlin.it.conformance.RawPacket.CLEAN;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HexFormat;
import java.util.List;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What goes from one version to another. */
@Broker
class CrossVersionIT {
    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_3_1", "MQTT_3_1_1"})
    @Clause(edge = {"E181"})
    void publishOfV5_goesTo3WithoutProperties(ProtocolVersion older, RunningBroker broker) {
        String topic = unique("to3");
        try (MqttSocket subscriber = subscriber(broker, older, topic, Qos.EXACTLY_ONCE);
                MqttSocket publisher = client(broker, MQTT_5)) {
            for (int first : new int[] {0x30, 0x31, 0x32, 0x34}) {
                RawPacket packet = RawPacket.of(first).utf8(topic);
                publisher.send((first < 0x32 ? packet : packet.u16(1))
                        .properties(RawPacket.part()
                                .hex("01 01 02 00000064 03 0001 63 08 0001 72 09 0001 64 23 0001")
                                .hex("26 0001 6E 0001 76"))
                        .hex("7061796C6F6164")
                        .bytes());
                RawFrame frame = RawFrame.read(subscriber);
                RawPacket expected = RawPacket.part().utf8(topic);
                if (first >= 0x32) {
                    expected.u16(frame.publish(older).packetId());
                }
                assertEquals(
                        HexFormat.of().formatHex(expected.hex("7061796C6F6164").bytes()), frame.hex());
                assertEquals(first & 6, frame.first() & 6);
                if (first == 0x32) {
                    subscriber.send(RawPacket.of(0x40)
                            .u16(frame.publish(older).packetId())
                            .bytes());
                }
            }
            try (MqttSocket later = subscriber(broker, older, topic, Qos.AT_MOST_ONCE)) {
                RawFrame.Publish retained = RawFrame.read(later).publish(older);
                assertEquals("payload", retained.payload());
                assertTrue(retained.retain());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_3_1", "MQTT_3_1_1"})
    @Clause(
            v5 = {"MQTT-2.2.2-1"},
            edge = {"E182"})
    void publishOf3_goesToV5WithAPropertyLengthOf0(ProtocolVersion older, RunningBroker broker) {
        String topic = unique("to5");
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE);
                MqttSocket publisher = client(broker, older)) {
            publisher.send(RawPacket.of(0x31).utf8(topic).hex("7061796C6F6164").bytes());
            String expected = HexFormat.of()
                    .formatHex(RawPacket.part()
                            .utf8(topic)
                            .u8(0)
                            .hex("7061796C6F6164")
                            .bytes());
            assertEquals(expected, RawFrame.read(subscriber).hex());
            try (MqttSocket later = subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE)) {
                assertEquals(expected, RawFrame.read(later).hex());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_3_1", "MQTT_3_1_1"})
    @Clause(
            v3 = {"MQTT-3.2.2-6"},
            edge = {"E183", "E184"})
    void clientsOf3_getNoReasonCodes(ProtocolVersion older, RunningBroker broker) {
        byte[] filters = RawPacket.of(0x82)
                .u16(1)
                .utf8("a" + "/a".repeat(200)) // too many levels
                .u8(1)
                .utf8(unique("codes"))
                .u8(1)
                .bytes();
        try (MqttSocket socket = client(broker, older)) {
            socket.send(filters);
            if (older == ProtocolVersion.MQTT_3_1) { // whose SUBACK knows no failure
                Parties.expectEnd(socket);
            } else {
                assertEquals("packet 90 00018001", RawFrame.read(socket).toString());
            }
        }
        try (MqttSocket socket = client(broker, older)) {
            socket.send(RawPacket.of(0xA2).u16(2).utf8("none").bytes());
            assertEquals("packet b0 0002", RawFrame.read(socket).toString());
            // Refused, and still acknowledged as if not.
            socket.send(RawPacket.of(0x32).utf8("a" + "/a".repeat(200)).u16(3).bytes());
            assertEquals("packet 40 0003", RawFrame.read(socket).toString());
            socket.send(RawPacket.of(0x34).utf8("$SYS/x").u16(4).bytes());
            assertEquals("packet 50 0004", RawFrame.read(socket).toString());
            socket.send(RawPacket.of(0x62).u16(4).bytes());
            assertEquals("packet 70 0004", RawFrame.read(socket).toString());
        }
        // Malformed: no return code fits, so none is sent.
        try (MqttSocket socket = broker.socket()) {
            socket.send(
                    RawPacket.connect(older, CLEAN | 1).utf8(unique("codes")).bytes());
            Parties.expectEnd(socket);
        }
    }

    @Test
    @Clause(edge = {"E184"})
    void clientOf31_isServed(RunningBroker broker) {
        String topic = unique("mq31");
        try (MqttSocket socket = broker.socket()) {
            socket.sendHex("10 13 0006 4D5149736470 03 02 003C 0005 6D71333178"); // keep alive 60, client "mq31x"
            assertEquals("packet 20 0000", RawFrame.read(socket).toString());
            socket.send(RawPacket.of(0x82).u16(1).utf8(topic).u8(2).bytes());
            assertEquals("packet 90 000102", RawFrame.read(socket).toString());
            try (MqttSocket publisher = client(broker, MQTT_5)) {
                publisher.publish(topic, "x", Qos.EXACTLY_ONCE);
            }
            RawFrame.Publish publish = RawFrame.read(socket).publish(ProtocolVersion.MQTT_3_1);
            assertEquals(List.of("x", topic), List.of(publish.payload(), publish.topic()));
            assertEquals(2, publish.qos());
            socket.send(RawPacket.of(0x50).u16(publish.packetId()).bytes());
            assertEquals(0x62, RawFrame.read(socket).first());
            socket.send(RawPacket.of(0x70).u16(publish.packetId()).bytes());
            socket.sendHex("C0 00");
            assertEquals("packet d0 ", RawFrame.read(socket).toString());
            socket.sendHex("E0 00");
            Parties.expectEnd(socket);
        }
    }

    @Test
    @Clause(edge = {"E184"})
    void longClientIdentifierOf31_isAccepted(RunningBroker broker) {
        try (MqttSocket socket = client(broker, ProtocolVersion.MQTT_3_1)) {
            socket.expectNothing();
        }
        try (MqttSocket socket = broker.socket()) {
            socket.connect(ProtocolVersion.MQTT_3_1, unique("longer than twenty three characters "));
            socket.expectNothing();
        }
    }
}
