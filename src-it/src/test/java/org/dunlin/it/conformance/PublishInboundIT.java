package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.client;
import static org.dunlin.it.conformance.Parties.expectNothingOn;
import static org.dunlin.it.conformance.Parties.subscriber;
import static org.dunlin.it.conformance.Parties.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** PUBLISH from a client: chapter 3.3, but for retained messages, aliases and expiry. */
@Broker
class PublishInboundIT {
    private static final RawPacket NONE = RawPacket.part();

    private static RawPacket publish(int first, String topic, int id, ProtocolVersion version) {
        RawPacket packet = RawPacket.of(first).utf8(topic);
        return ((first & 6) == 0 ? packet : packet.u16(id)).properties(version, NONE);
    }

    private static void expectAck(MqttSocket socket, int first, int id) {
        RawFrame frame = RawFrame.read(socket);
        String start = Integer.toHexString(id | 0x10000).substring(1);
        assertTrue(frame.first() == first && frame.hex().startsWith(start), frame.toString());
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.3.1-4"},
            v3 = {"MQTT-3.3.1-4"},
            edge = {"E076"})
    void qos3_isMalformed(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("qos");
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.EXACTLY_ONCE)) {
            for (int first : new int[] {0x36, 0x37, 0x3E, 0x3F}) {
                try (MqttSocket socket = client(broker, version)) {
                    socket.send(publish(first, topic, 1, version).bytes());
                    socket.expectDisconnect(ReasonCode.MALFORMED_PACKET);
                }
            }
            expectNothingOn(broker, subscriber, topic);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_3_1_1", "MQTT_5"})
    @Clause(
            v5 = {"MQTT-3.3.1-2"},
            v3 = {"MQTT-3.3.1-2"},
            edge = {"E077"})
    void qos0WithDup_isMalformed(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("dup");
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.EXACTLY_ONCE)) {
            for (int first : new int[] {0x38, 0x39}) {
                try (MqttSocket socket = client(broker, version)) {
                    socket.send(publish(first, topic, 0, version).bytes());
                    socket.expectDisconnect(ReasonCode.MALFORMED_PACKET);
                }
            }
            expectNothingOn(broker, subscriber, topic);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.3.1-3"},
            v3 = {"MQTT-3.3.1-3"},
            edge = {"E117"})
    void dup_isNotPassedOn(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("dup");
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.EXACTLY_ONCE);
                MqttSocket publisher = client(broker, version)) {
            publisher.send(publish(0x3A, topic, 1, version).bytes());
            expectAck(publisher, 0x40, 1);
            publisher.send(publish(0x3C, topic, 2, version).bytes());
            expectAck(publisher, 0x50, 2);
            for (int i = 0; i < 2; i++) {
                RawFrame.Publish publish = RawFrame.read(subscriber).publish(version);
                assertEquals(false, publish.dup());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.3.4-1"},
            v3 = {"MQTT-3.3.4-1"},
            edge = {"E090"})
    void publish_isAnsweredByItsQos(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("ack");
        try (MqttSocket publisher = client(broker, version)) {
            for (boolean subscribed : new boolean[] {false, true}) {
                if (subscribed) {
                    publisher.subscribe(topic + "/other", Qos.AT_MOST_ONCE);
                }
                publisher.send(publish(0x30, topic, 0, version).bytes());
                publisher.expectNothing();
                publisher.send(publish(0x32, topic, 1, version).bytes());
                expectAnswer(RawFrame.read(publisher), 0x40, "0001", version);
                publisher.send(publish(0x34, topic, 2, version).bytes());
                expectAnswer(RawFrame.read(publisher), 0x50, "0002", version);
                publisher.sendHex("62 02 0002");
                expectAnswer(RawFrame.read(publisher), 0x70, "0002", version);
                publisher.expectNothing();
            }
        }
    }

    /** 3.x: the identifier alone. v5: success, which has 0x10 for no matching subscribers beside it. */
    private static void expectAnswer(RawFrame frame, int first, String id, ProtocolVersion version) {
        assertEquals(first, frame.first());
        if (version.isV5()) {
            List<String> good = first == 0x70 ? List.of(id, id + "00") : List.of(id, id + "00", id + "10");
            assertTrue(good.contains(frame.hex()), frame.toString());
        } else {
            assertEquals(id, frame.hex());
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.3.2-2"},
            v3 = {"MQTT-3.3.2-2"},
            edge = {"E079"})
    void topicWithWildcardsOrEmpty_isRefusedAndNotDelivered(ProtocolVersion version, RunningBroker broker) {
        String prefix = unique("wild");
        try (MqttSocket subscriber = subscriber(broker, version, prefix + "/#", Qos.EXACTLY_ONCE)) {
            for (String topic :
                    new String[] {prefix + "/+", prefix + "/#", prefix + "/a+", prefix + "/a#", "#", "+", ""}) {
                for (int first : new int[] {0x30, 0x31, 0x32, 0x34}) {
                    try (MqttSocket socket = client(broker, version)) {
                        socket.send(publish(first, topic, 1, version).bytes());
                        if (version.isV5()) {
                            ReasonCode reason = socket.receive(Disconnect.class).reason();
                            assertTrue(
                                    reason == ReasonCode.TOPIC_NAME_INVALID
                                            || reason == ReasonCode.MALFORMED_PACKET
                                            || reason == ReasonCode.PROTOCOL_ERROR,
                                    reason.toString());
                        }
                        socket.expectClosed();
                    } catch (AssertionError e) {
                        throw new AssertionError("topic " + topic, e);
                    }
                }
            }
            expectNothingOn(broker, subscriber, prefix + "/x");
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.3.2-3"},
            v3 = {"MQTT-3.3.2-3"})
    void topicName_isDeliveredAsItWasPublished(ProtocolVersion version, RunningBroker broker) {
        String prefix = unique("name");
        try (MqttSocket subscriber = subscriber(broker, version, prefix + "/+/b/#", Qos.AT_MOST_ONCE);
                MqttSocket publisher = client(broker, version)) {
            for (String end : new String[] {"/a/b", "//b", "/a/b/", "/a/b/c/d", "/a/b//", "/ /b/ ", "/A/b"}) {
                publisher.publish(prefix + end, "x", Qos.AT_MOST_ONCE);
                assertEquals(
                        prefix + end, RawFrame.read(subscriber).publish(version).topic());
            }
            for (String end : new String[] {"/a/B", "/a", "/b", "/a/c/b", "x/a/b", "/a/b2"}) {
                publisher.publish(prefix + end, "x", Qos.AT_LEAST_ONCE);
            }
            subscriber.expectNothing();
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.3.4-6"},
            edge = {"E083"})
    void subscriptionIdentifierFromAClient_isAProtocolError(RunningBroker broker) {
        String topic = unique("sid");
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE)) {
            for (int first : new int[] {0x30, 0x32, 0x34}) {
                try (MqttSocket socket = client(broker, MQTT_5)) {
                    RawPacket packet = RawPacket.of(first).utf8(topic);
                    socket.send((first == 0x30 ? packet : packet.u16(1))
                            .hex("02 0B 05")
                            .bytes());
                    socket.expectDisconnect(ReasonCode.PROTOCOL_ERROR);
                }
            }
            expectNothingOn(broker, subscriber, topic);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.3.2-14"},
            edge = {"E084"})
    void responseTopicWithWildcards_endsTheConnection(RunningBroker broker) {
        String topic = unique("rt");
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE)) {
            for (String response : new String[] {"a/#", "+", "a/+/b", "#"}) {
                try (MqttSocket socket = client(broker, MQTT_5)) {
                    socket.send(RawPacket.of(0x32)
                            .utf8(topic)
                            .u16(1)
                            .properties(RawPacket.part().u8(0x08).utf8(response))
                            .bytes());
                    ReasonCode reason = socket.receive(Disconnect.class).reason();
                    assertTrue(
                            reason == ReasonCode.MALFORMED_PACKET
                                    || reason == ReasonCode.PROTOCOL_ERROR
                                    || reason == ReasonCode.TOPIC_NAME_INVALID,
                            reason.toString());
                    socket.expectClosed();
                }
            }
            expectNothingOn(broker, subscriber, topic);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.3.2-4"},
            edge = {"E085"})
    void payloadFormatIndicator_isPassedOnAndItsPayloadNotValidated(RunningBroker broker) {
        String topic = unique("pfi");
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.AT_LEAST_ONCE);
                MqttSocket publisher = client(broker, MQTT_5)) {
            for (int indicator = 0; indicator <= 1; indicator++) {
                publisher.send(RawPacket.of(0x30)
                        .utf8(topic)
                        .properties(RawPacket.part().u8(0x01).u8(indicator))
                        .hex("C0FF") // no UTF-8
                        .bytes());
                RawFrame.Publish publish = RawFrame.read(subscriber).publish(MQTT_5);
                RawFrame.Property found = publish.property(0x01);
                assertEquals(indicator, found == null ? -1 : found.number());
                assertEquals("\u00C0\u00FF", publish.payload());
            }
            publisher.send(RawPacket.of(0x30)
                    .utf8(topic)
                    .properties(RawPacket.part().u8(0x01).u8(2))
                    .bytes());
            publisher.expectDisconnect(ReasonCode.PROTOCOL_ERROR);
            expectNothingOn(broker, subscriber, topic);
        }
    }

    /** In the order they are sent here; the broker may order those of different kinds as it likes. */
    private static final String PASSED = "26 0001 62 0001 31" // User Property b=1
            + "03 0002 6374" // Content Type
            + "26 0001 61 0001 32" // a=2
            + "08 0003 722F74" // Response Topic
            + "26 0001 62 0001 31" // b=1 once more
            + "09 0003 00FF00" // Correlation Data
            + "26 0000 0000" // an empty one
            + "26 0001 63 0000"
            + "01 01";

    private static void expectPassed(RawFrame.Publish publish) {
        StringBuilder users = new StringBuilder();
        StringBuilder rest = new StringBuilder(" ");
        for (RawFrame.Property property : publish.properties()) {
            (property.id() == 0x26 ? users : rest.append(property.id()).append('='))
                    .append(property.hex())
                    .append(' ');
        }
        assertEquals("000162000131 000161000132 000162000131 00000000 0001630000 ", users.toString());
        for (String part : new String[] {" 1=01 ", " 3=00026374 ", " 8=0003722f74 ", " 9=000300ff00 "}) {
            assertTrue(rest.toString().contains(part), rest.toString());
        }
        assertEquals(9, publish.properties().size());
    }

    @Test
    @Clause(
            v5 = {
                "MQTT-3.3.2-4",
                "MQTT-3.3.2-15",
                "MQTT-3.3.2-16",
                "MQTT-3.3.2-17",
                "MQTT-3.3.2-18",
                "MQTT-3.3.2-20",
                "MQTT-3.1.2-29"
            },
            edge = {"E039", "E086"})
    void properties_arePassedOnLiveQueuedAndRetained(RunningBroker broker) {
        String topic = unique("props");
        Connect later = Connect.builder(MQTT_5, unique("props"))
                .cleanStart(false)
                .sessionExpirySeconds(60)
                .build();
        try (MqttSocket live = broker.socket();
                MqttSocket publisher = client(broker, MQTT_5)) {
            // Request Problem Information 0 is not about the User Properties of a PUBLISH.
            live.connect(Connect.builder(MQTT_5, unique("props"))
                    .requestProblemInformation(false)
                    .build());
            live.subscribe(topic, Qos.EXACTLY_ONCE);
            try (MqttSocket socket = broker.socket()) {
                socket.connect(later);
                socket.subscribe(topic, Qos.EXACTLY_ONCE);
                socket.disconnect();
            }
            publisher.send(RawPacket.of(0x33)
                    .utf8(topic)
                    .u16(1)
                    .properties(RawPacket.part().hex(PASSED))
                    .hex("78")
                    .bytes());
            expectAck(publisher, 0x40, 1);
            expectPassed(RawFrame.read(live).publish(MQTT_5));
            try (MqttSocket socket = broker.socket()) {
                socket.connect(later);
                expectPassed(RawFrame.read(socket).publish(MQTT_5));
            }
            try (MqttSocket socket = subscriber(broker, MQTT_5, topic, Qos.EXACTLY_ONCE)) {
                expectPassed(RawFrame.read(socket).publish(MQTT_5));
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.3.2-15", "MQTT-3.3.2-16", "MQTT-3.3.2-20"},
            edge = {"E086"})
    void emptyProperties_stayEmpty(RunningBroker broker) {
        String topic = unique("props");
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE);
                MqttSocket publisher = client(broker, MQTT_5)) {
            publisher.send(RawPacket.of(0x30)
                    .utf8(topic)
                    .properties(RawPacket.part().hex("09 0000 03 0000 01 00"))
                    .bytes());
            RawFrame.Publish publish = RawFrame.read(subscriber).publish(MQTT_5);
            assertEquals(3, publish.properties().size());
            for (RawFrame.Property property : publish.properties()) {
                assertEquals(0, property.number());
                assertEquals(property.id() == 0x01 ? "00" : "0000", property.hex());
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.3.4-7"},
            edge = {"E087"})
    void morePublishesOpenThanTheReceiveMaximum_endTheConnection(RunningBroker broker) {
        String topic = unique("rm");
        try (MqttSocket socket = broker.socket()) {
            Integer maximum = socket.connect(
                            Connect.builder(MQTT_5, unique("rm")).build())
                    .properties()
                    .receiveMaximum();
            int most = maximum == null ? 65_535 : maximum;
            for (int id = 1; id <= most; id++) {
                socket.send(publish(0x34, topic, id, MQTT_5).bytes());
                expectAck(socket, 0x50, id);
            }
            socket.send(publish(0x3C, topic, 1, MQTT_5).bytes()); // a repeat is none more
            expectAck(socket, 0x50, 1);
            socket.sendHex("62 02 0001");
            expectAck(socket, 0x70, 1);
            socket.send(publish(0x34, topic, most + 1, MQTT_5).bytes());
            expectAck(socket, 0x50, most + 1);
            socket.send(publish(0x34, topic, most + 2, MQTT_5).bytes());
            socket.expectDisconnect(ReasonCode.RECEIVE_MAXIMUM_EXCEEDED);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_3_1_1", "MQTT_5"})
    @Clause(
            v5 = {"MQTT-3.1.2-5"},
            v3 = {"MQTT-2.3.1-3", "MQTT-3.1.2-4"},
            edge = {"E091"})
    void repeatOfAQos2PublishAfterReconnect_isNotDeliveredAgain(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("rep");
        Connect connect = Connect.builder(version, unique("rep"))
                .cleanStart(false)
                .sessionExpirySeconds(60)
                .build();
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.AT_MOST_ONCE)) {
            try (MqttSocket socket = broker.socket()) {
                socket.connect(connect);
                socket.send(publish(0x34, topic, 5, version).bytes());
                expectAck(socket, 0x50, 5);
            }
            subscriber.expectPublish(topic, ""); // QoS 2 is passed on at PUBLISH
            try (MqttSocket socket = broker.socket()) {
                assertTrue(socket.connect(connect).sessionPresent());
                socket.send(publish(0x3C, topic, 5, version).bytes());
                expectAck(socket, 0x50, 5);
                socket.sendHex("62 02 0005");
                expectAck(socket, 0x70, 5);
                expectNothingOn(broker, subscriber, topic);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E093"})
    void qos2_isPassedOnAtPublish(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("early");
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.EXACTLY_ONCE);
                MqttSocket publisher = client(broker, version)) {
            publisher.send(publish(0x34, topic, 5, version).bytes());
            expectAck(publisher, 0x50, 5);
            subscriber.expectPublish(topic, "");
            publisher.sendHex("62 02 0005");
            expectAck(publisher, 0x70, 5);
            subscriber.expectNothing();
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-2.2.1-3"},
            edge = {"E092"})
    void qos1WithAnIdentifierOpenAtQos2(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("open");
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.AT_MOST_ONCE);
                MqttSocket publisher = client(broker, version)) {
            publisher.send(publish(0x34, topic, 5, version).hex("61").bytes());
            expectAck(publisher, 0x50, 5);
            subscriber.expectPublish(topic, "a");
            publisher.send(publish(0x32, topic, 5, version).hex("62").bytes());
            RawFrame pubAck = RawFrame.read(publisher);
            assertEquals(0x40, pubAck.first());
            if (version.isV5()) {
                assertTrue(pubAck.hex().startsWith("000591"), pubAck.toString());
            } else {
                assertEquals("0005", pubAck.hex());
                subscriber.expectPublish(topic, "b");
            }
            publisher.sendHex("62 02 0005"); // the exchange at QoS 2 goes on
            RawFrame pubComp = RawFrame.read(publisher);
            assertTrue(List.of("0005", "000500").contains(pubComp.hex()), pubComp.toString());
            expectNothingOn(broker, subscriber, topic);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E094"})
    void pubrelOfAnUnknownIdentifier_isAnswered(ProtocolVersion version, RunningBroker broker) {
        try (MqttSocket publisher = client(broker, version)) {
            publisher.sendHex("62 02 1234");
            RawFrame pubComp = RawFrame.read(publisher);
            assertEquals(0x70, pubComp.first());
            if (version.isV5()) {
                assertTrue(pubComp.hex().startsWith("123492"), pubComp.toString());
            } else {
                assertEquals("1234", pubComp.hex());
            }
            publisher.expectNothing();
        }
    }

    @Test
    @Clause(edge = {"E095", "E098"})
    void identifierOfARefusedPublish_isFree(RunningBroker broker) {
        String topic = unique("free");
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE);
                MqttSocket publisher = client(broker, MQTT_5)) {
            publisher.send(publish(0x34, "$SYS/free", 5, MQTT_5).bytes());
            RawFrame pubRec = RawFrame.read(publisher);
            assertEquals(0x50, pubRec.first());
            assertTrue(pubRec.hex().startsWith("000590"), pubRec.toString());
            publisher.sendHex("62 02 0005");
            assertTrue(RawFrame.read(publisher).hex().startsWith("000592"));
            publisher.send(publish(0x34, "$SYS/free", 5, MQTT_5).bytes());
            RawFrame.read(publisher);
            publisher.send(publish(0x34, topic, 5, MQTT_5).bytes());
            RawFrame success = RawFrame.read(publisher);
            assertTrue(List.of("0005", "000500").contains(success.hex()), success.toString());
            subscriber.expectPublish(topic, "");
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E097"})
    void acknowledgements_comeInTheOrderOfTheirPublishes(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("order");
        try (MqttSocket subscriber = subscriber(broker, version, topic + "/+", Qos.AT_LEAST_ONCE);
                MqttSocket publisher = client(broker, version)) {
            RawPacket all = RawPacket.part();
            int count = 200;
            for (int id = 1; id <= count; id++) {
                // Some have a subscriber and some none, and the two kinds alternate.
                all.bytes(publish(id % 2 == 0 ? 0x32 : 0x34, id % 3 == 0 ? topic : topic + "/x", id, version)
                        .bytes());
            }
            publisher.send(all.bytes());
            for (int id = 1; id <= count; id++) {
                expectAck(publisher, id % 2 == 0 ? 0x40 : 0x50, id);
            }
            for (int id = 1; id <= count; id++) {
                if (id % 3 != 0) {
                    subscriber.expectPublish(topic + "/x", "");
                }
            }
            subscriber.expectNothing();
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v3 = {"MQTT-3.3.5-2"},
            edge = {"E098"})
    void topicsOfTheBroker_areNotForClients(ProtocolVersion version, RunningBroker broker) {
        String name = unique("mine");
        String topic = "$SYS/" + name;
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.AT_MOST_ONCE);
                MqttSocket publisher = client(broker, version)) {
            publisher.send(publish(0x30, topic, 0, version).bytes());
            publisher.send(publish(0x33, topic, 1, version).bytes());
            RawFrame pubAck = RawFrame.read(publisher);
            publisher.send(publish(0x34, topic, 2, version).bytes());
            RawFrame pubRec = RawFrame.read(publisher);
            if (version.isV5()) {
                assertTrue(pubAck.hex().startsWith("000190"), pubAck.toString());
                assertTrue(pubRec.hex().startsWith("000290"), pubRec.toString());
            } else {
                assertEquals("packet 40 0001", pubAck.toString());
                assertEquals("packet 50 0002", pubRec.toString());
            }
            subscriber.expectNothing();
            for (String other : new String[] {"$" + name, "$share/g/" + name, "$queue/" + name}) {
                if (other.startsWith("$share")) {
                    publisher.publish(other, "x", Qos.AT_LEAST_ONCE); // a plain name, which no filter can match
                } else {
                    subscriber.subscribe(other, Qos.AT_MOST_ONCE);
                    publisher.publish(other, "x", Qos.AT_LEAST_ONCE);
                    subscriber.expectPublish(other, "x");
                }
            }
            subscriber.expectNothing();
        }
        try (MqttSocket later = subscriber(broker, version, topic, Qos.AT_MOST_ONCE)) {
            later.expectNothing(); // nor was it retained
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E118"})
    void qosOfDelivery_isTheLowerOfBoth(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("min");
        for (Qos granted : Qos.values()) {
            try (MqttSocket subscriber = subscriber(broker, version, topic, granted);
                    MqttSocket publisher = client(broker, version)) {
                for (Qos qos : Qos.values()) {
                    publisher.publish(topic, "x", qos);
                    Publish publish = subscriber.expectPublish(topic, "x");
                    assertEquals(Qos.min(qos, granted), publish.message().qos());
                }
            }
        }
    }

    @Test
    @Clause(edge = {"E156"})
    void topicWithTooManyLevels_isRefused(RunningBroker broker) {
        String topic = unique("deep") + "/x".repeat(127); // 128 levels, the most
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE);
                MqttSocket publisher = client(broker, MQTT_5)) {
            publisher.publish(topic, "x", Qos.AT_LEAST_ONCE);
            subscriber.expectPublish(topic, "x");
            for (Qos qos : new Qos[] {Qos.AT_LEAST_ONCE, Qos.EXACTLY_ONCE}) {
                publisher.send(new Publish(MqttSocket.message(topic + "/x", "x", qos, false), 9, false));
                Ack ack = publisher.receiveAck(qos == Qos.AT_LEAST_ONCE ? PacketType.PUBACK : PacketType.PUBREC);
                assertEquals(ReasonCode.TOPIC_NAME_INVALID, ack.reason());
            }
        }
    }
}
