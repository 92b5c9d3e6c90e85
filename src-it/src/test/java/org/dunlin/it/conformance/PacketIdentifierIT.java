package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.client;
import static org.dunlin.it.conformance.Parties.expectNothingOn;
import static org.dunlin.it.conformance.Parties.subscriber;
import static org.dunlin.it.conformance.Parties.unique;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Set;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Packet identifiers of both directions: 2.2.1 of v5, 2.3.1 of 3.1.1. */
@Broker
class PacketIdentifierIT {
    private static final RawPacket NONE = RawPacket.part();

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-2.2.1-3"},
            v3 = {"MQTT-2.3.1-1"},
            edge = {"E078"})
    void identifier0_endsTheConnection(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("id");
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.AT_MOST_ONCE)) {
            RawPacket[] packets = {
                RawPacket.of(0x32).utf8(topic).u16(0).properties(version, NONE),
                RawPacket.of(0x34).utf8(topic).u16(0).properties(version, NONE),
                RawPacket.of(0x82).u16(0).properties(version, NONE).utf8(topic).u8(0),
                RawPacket.of(0xA2).u16(0).properties(version, NONE).utf8(topic),
            };
            for (RawPacket packet : packets) {
                try (MqttSocket socket = client(broker, version)) {
                    socket.send(packet.bytes());
                    if (version.isV5()) {
                        ReasonCode reason = socket.receive(Disconnect.class).reason();
                        assertTrue(
                                reason == ReasonCode.MALFORMED_PACKET || reason == ReasonCode.PROTOCOL_ERROR,
                                reason.toString());
                    }
                    socket.expectClosed();
                }
            }
            expectNothingOn(broker, subscriber, topic);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-2.2.1-5", "MQTT-3.3.4-1"},
            v3 = {"MQTT-2.3.1-6", "MQTT-3.3.4-1"})
    void acknowledgements_haveTheIdentifierOfTheirPublish(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("id");
        String[] ids = {"0001", "1234", "ffff"};
        try (MqttSocket socket = client(broker, version)) {
            for (String id : ids) {
                socket.send(RawPacket.of(0x34)
                        .utf8(topic)
                        .hex(id)
                        .properties(version, NONE)
                        .bytes());
            }
            socket.send(RawPacket.of(0x32)
                    .utf8(topic)
                    .hex("0002")
                    .properties(version, NONE)
                    .bytes());
            for (String id : ids) {
                expectAck(socket, 0x50, id);
            }
            expectAck(socket, 0x40, "0002");
            for (int i = ids.length - 1; i >= 0; i--) {
                socket.send(RawPacket.of(0x62).hex(ids[i]).bytes());
            }
            for (int i = ids.length - 1; i >= 0; i--) {
                expectAck(socket, 0x70, ids[i]);
            }
            for (String id : ids) {
                socket.send(RawPacket.of(0x32)
                        .utf8(topic)
                        .hex(id)
                        .properties(version, NONE)
                        .bytes());
                expectAck(socket, 0x40, id);
            }
        }
    }

    private static void expectAck(MqttSocket socket, int first, String id) {
        RawFrame frame = RawFrame.read(socket);
        assertEquals(first, frame.first());
        assertEquals(id, frame.hex().substring(0, 4));
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-2.2.1-5"},
            v3 = {"MQTT-2.3.1-6"})
    void pubrelOfTheBroker_hasTheIdentifierOfItsPublish(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("id");
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.EXACTLY_ONCE);
                MqttSocket publisher = client(broker, version)) {
            int[] ids = new int[3];
            for (int i = 0; i < ids.length; i++) {
                publisher.publish(topic, "m" + i, Qos.EXACTLY_ONCE);
                ids[i] = subscriber.receive(Publish.class).packetId();
            }
            for (int i = ids.length - 1; i >= 0; i--) {
                subscriber.send(new Ack(PacketType.PUBREC, ids[i]));
                assertEquals(ids[i], subscriber.receiveAck(PacketType.PUBREL).packetId());
            }
            for (int id : ids) {
                subscriber.send(new Ack(PacketType.PUBCOMP, id));
            }
            subscriber.expectNothing();
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-2.2.1-6"},
            v3 = {"MQTT-2.3.1-7"})
    void subackAndUnsuback_haveTheIdentifierOfTheirRequest(ProtocolVersion version, RunningBroker broker) {
        String filter = unique("id");
        String[] ids = {"0001", "ffff", "8000", "0100"};
        try (MqttSocket socket = client(broker, version)) {
            RawPacket all = RawPacket.part();
            for (String id : ids) {
                all.bytes(RawPacket.of(0x82)
                        .hex(id)
                        .properties(version, NONE)
                        .utf8(filter)
                        .u8(0)
                        .bytes());
                all.bytes(RawPacket.of(0xA2)
                        .hex(id)
                        .properties(version, NONE)
                        .utf8(filter)
                        .bytes());
            }
            socket.send(all.bytes());
            for (String id : ids) {
                expectAck(socket, 0x90, id);
                expectAck(socket, 0xB0, id);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-2.2.1-2", "MQTT-2.2.2-1", "MQTT-3.3.1-2"},
            v3 = {"MQTT-2.3.1-5", "MQTT-3.3.1-2"})
    void publishOfQos0_hasNoIdentifier(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("id");
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.EXACTLY_ONCE);
                MqttSocket publisher = client(broker, version)) {
            // Were the two bytes after the topic taken for an identifier, "pay" could not arrive whole.
            publisher.send(RawPacket.of(0x30)
                    .utf8(topic)
                    .properties(version, NONE)
                    .hex("706179")
                    .bytes());
            RawFrame frame = RawFrame.read(subscriber);
            assertEquals(0x30, frame.first());
            byte[] expected = RawPacket.part()
                    .utf8(topic)
                    .properties(version, NONE)
                    .hex("706179")
                    .bytes();
            assertArrayEquals(expected, frame.body());
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_3_1_1", "MQTT_5"})
    @Clause(
            v5 = {"MQTT-2.2.1-4"},
            v3 = {"MQTT-2.3.1-1", "MQTT-2.3.1-4"},
            edge = {"E111"})
    void identifiersOfTheBroker_wrapAroundAndSkip0AndThoseInUse(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("wrap");
        int batch = 40;
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.AT_LEAST_ONCE);
                MqttSocket publisher = client(broker, version)) {
            publisher.publish(topic, "kept open", Qos.AT_LEAST_ONCE);
            int open = subscriber.receive(Publish.class).packetId();
            assertNotEquals(0, open);
            Set<Integer> seen = new HashSet<>();
            int sent = 0;
            while (sent < 65_600) {
                RawPacket publishes = RawPacket.part();
                for (int i = 0; i < batch; i++) {
                    publishes.bytes(RawPacket.of(0x32)
                            .utf8(topic)
                            .u16(i + 1)
                            .properties(version, NONE)
                            .bytes());
                }
                publisher.send(publishes.bytes());
                RawPacket acks = RawPacket.part();
                Set<Integer> together = new HashSet<>();
                for (int i = 0; i < batch; i++) {
                    int id = RawFrame.read(subscriber).publish(version).packetId();
                    assertTrue(id > 0 && id != open && together.add(id), "identifier " + id);
                    acks.bytes(RawPacket.of(0x40).u16(id).bytes());
                }
                seen.addAll(together);
                subscriber.send(acks.bytes());
                for (int i = 0; i < batch; i++) {
                    expectAck(
                            publisher,
                            0x40,
                            Integer.toHexString(i + 1 | 0x10000).substring(1));
                }
                sent += batch;
            }
            // More messages than identifiers went through, so some were used again while one was open.
            assertTrue(sent > seen.size());
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_3_1_1", "MQTT_5"})
    @Clause(
            v5 = {"MQTT-2.2.1-4", "MQTT-3.3.1-1"},
            v3 = {"MQTT-2.3.1-4", "MQTT-3.3.1-1"})
    void openPublishes_areSentAgainWithDupAndTheirIdentifiers(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("again");
        Connect connect = Connect.builder(version, unique("again"))
                .cleanStart(false)
                .sessionExpirySeconds(60)
                .build();
        try (MqttSocket publisher = client(broker, version)) {
            int[] ids = new int[4];
            try (MqttSocket subscriber = broker.socket()) {
                subscriber.connect(connect);
                subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
                for (int i = 0; i < ids.length; i++) {
                    publisher.publish(topic, "m" + i, Qos.of(1 + i % 2));
                    Publish publish = subscriber.receive(Publish.class);
                    assertEquals(false, publish.dup());
                    ids[i] = publish.packetId();
                }
            }
            try (MqttSocket subscriber = broker.socket()) {
                assertEquals(true, subscriber.connect(connect).sessionPresent());
                for (int i = 0; i < ids.length; i++) {
                    Publish publish = subscriber.receive(Publish.class);
                    assertEquals("m" + i, MqttSocket.text(publish));
                    assertEquals(ids[i], publish.packetId());
                    assertEquals(true, publish.dup());
                    assertEquals(1 + i % 2, publish.message().qos().value());
                }
                subscriber.send(new Disconnect(ReasonCode.SUCCESS));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-2.2.1-3"},
            v3 = {"MQTT-2.3.1-3"},
            edge = {"E091", "E096", "E117"})
    void repeatOfAQos2Publish_isNotDeliveredAgain(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("rep");
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.EXACTLY_ONCE);
                MqttSocket publisher = client(broker, version)) {
            for (int first : new int[] {0x34, 0x3C, 0x34}) { // without and with DUP
                publisher.send(RawPacket.of(first)
                        .utf8(topic)
                        .u16(77)
                        .properties(version, NONE)
                        .hex("61")
                        .bytes());
                expectAck(publisher, 0x50, "004d");
            }
            subscriber.expectPublish(topic, "a");
            publisher.send(RawPacket.of(0x62).u16(77).bytes());
            expectAck(publisher, 0x70, "004d");
            // The identifier is free again: DUP alone makes no repeat.
            publisher.send(RawPacket.of(0x3C)
                    .utf8(topic)
                    .u16(77)
                    .properties(version, NONE)
                    .hex("62")
                    .bytes());
            expectAck(publisher, 0x50, "004d");
            Publish second = subscriber.expectPublish(topic, "b");
            assertEquals(false, second.dup());
            // QoS 1: each one is a message of its own, and its DUP goes no further.
            for (int first : new int[] {0x32, 0x3A}) {
                publisher.send(RawPacket.of(first)
                        .utf8(topic)
                        .u16(78)
                        .properties(version, NONE)
                        .hex("63")
                        .bytes());
                expectAck(publisher, 0x40, "004e");
                assertEquals(false, subscriber.expectPublish(topic, "c").dup());
            }
            subscriber.expectNothing();
        }
    }
}
