package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.client;
import static org.dunlin.it.conformance.Parties.expectEnd;
import static org.dunlin.it.conformance.Parties.expectNothingOn;
import static org.dunlin.it.conformance.Parties.pass;
import static org.dunlin.it.conformance.Parties.subscriber;
import static org.dunlin.it.conformance.Parties.unique;
import static org.dunlin.it.conformance.Parties.will;
import static org.dunlin.it.conformance.RawPacket.CLEAN;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Subscribe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A broker with every limit set low, and what it announces and enforces. */
@Broker(
        settings = {
            "limits.max-qos=1",
            "limits.retain-available=false",
            "limits.receive-maximum=3",
            "limits.topic-alias-maximum=2",
            "limits.max-packet-size=2KB",
            "limits.max-keep-alive=2s",
            "limits.session-expiry-max=2s",
            "limits.connect-timeout=1s",
            "limits.max-client-id-length=40",
            "server.response-information=answers/"
        })
class LimitedBrokerIT {
    private static final int LARGEST = 2048;

    private static Connect.Builder fresh(ProtocolVersion version) {
        return Connect.builder(version, unique("limited"));
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.2.2-9", "MQTT-3.1.2-28"},
            edge = {"E034", "E035", "E036", "E038"})
    void connAck_announcesTheLimits(RunningBroker broker) {
        try (MqttSocket socket = broker.socket()) {
            ConnAck.Properties announced = socket.connect(
                            fresh(MQTT_5).sessionExpirySeconds(60).build())
                    .properties();
            assertEquals(1, announced.maximumQos());
            assertTrue(announced.noRetain());
            assertEquals(3, announced.receiveMaximum());
            assertEquals(2, announced.topicAliasMaximum());
            assertEquals(LARGEST, announced.maximumPacketSize());
            assertEquals(2, announced.serverKeepAliveSeconds());
            assertEquals(2, announced.sessionExpirySeconds());
            assertEquals(null, announced.responseInformation());
        }
        try (MqttSocket socket = broker.socket()) {
            String information = socket.connect(
                            fresh(MQTT_5).requestResponseInformation(true).build())
                    .properties()
                    .responseInformation();
            assertNotNull(information);
            assertTrue(information.startsWith("answers/"), information);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.2.2-10", "MQTT-3.2.2-11"},
            edge = {"E088"})
    void qosAboveTheMaximum_isGrantedLessAndNotPublished(RunningBroker broker) {
        String topic = unique("limited");
        try (MqttSocket subscriber = client(broker, MQTT_5);
                MqttSocket publisher = client(broker, MQTT_5)) {
            List<ReasonCode> granted = subscriber
                    .subscribe(
                            new Subscribe.Entry(topic, Qos.EXACTLY_ONCE),
                            new Subscribe.Entry(topic + "/1", Qos.AT_LEAST_ONCE),
                            new Subscribe.Entry(topic + "/0", Qos.AT_MOST_ONCE))
                    .reasons();
            assertEquals(List.of(ReasonCode.GRANTED_QOS_1, ReasonCode.GRANTED_QOS_1, ReasonCode.SUCCESS), granted);
            publisher.send(new Publish(MqttSocket.message(topic, "x", Qos.EXACTLY_ONCE, false), 1, false));
            publisher.expectDisconnect(ReasonCode.QOS_NOT_SUPPORTED);
            expectNothingOn(broker, subscriber, topic);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.2.2-14"},
            edge = {"E088"})
    void retain_isNotSupported(RunningBroker broker) {
        String topic = unique("limited");
        for (Qos qos : new Qos[] {Qos.AT_MOST_ONCE, Qos.AT_LEAST_ONCE}) {
            try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.AT_LEAST_ONCE);
                    MqttSocket publisher = client(broker, MQTT_5)) {
                publisher.send(
                        new Publish(MqttSocket.message(topic, "x", qos, true), qos == Qos.AT_MOST_ONCE ? 0 : 1, false));
                publisher.expectDisconnect(ReasonCode.RETAIN_NOT_SUPPORTED);
                expectNothingOn(broker, subscriber, topic);
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.2.2-12", "MQTT-3.2.2-13", "MQTT-3.2.2-6", "MQTT-3.2.2-7", "MQTT-3.2.2-8"},
            edge = {"E071", "E073"})
    void willAboveTheLimits_refusesTheConnect(RunningBroker broker) {
        String topic = unique("limited");
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE)) {
            try (MqttSocket socket = broker.socket()) {
                socket.expectRefused(
                        fresh(MQTT_5)
                                .will(will(topic, "will", Qos.EXACTLY_ONCE, false, 0))
                                .build(),
                        ReasonCode.QOS_NOT_SUPPORTED);
            }
            try (MqttSocket socket = broker.socket()) {
                socket.expectRefused(
                        fresh(MQTT_5)
                                .will(will(topic, "will", Qos.AT_LEAST_ONCE, true, 0))
                                .build(),
                        ReasonCode.RETAIN_NOT_SUPPORTED);
            }
            try (MqttSocket socket = broker.socket()) {
                socket.send(fresh(MQTT_3_1_1)
                        .will(will(topic, "will", Qos.AT_LEAST_ONCE, true, 0))
                        .build());
                expectEnd(socket); // no return code fits
            }
            expectNothingOn(broker, subscriber, topic);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.4-2", "MQTT-3.1.4-4", "MQTT-3.2.2-6"},
            v3 = {"MQTT-3.1.4-3", "MQTT-3.2.2-6"},
            edge = {"E029"})
    void refusedConnect_leavesTheSessionAndItsHolder(RunningBroker broker) {
        for (ProtocolVersion version : new ProtocolVersion[] {MQTT_3_1_1, MQTT_5}) {
            String topic = unique("limited");
            Connect.Builder connect =
                    fresh(version).cleanStart(false).sessionExpirySeconds(2).keepAliveSeconds(1);
            Connect good = connect.build();
            Connect bad = connect.cleanStart(true)
                    .will(will(topic, "will", Qos.AT_LEAST_ONCE, true, 0))
                    .build();
            try (MqttSocket holder = broker.socket()) {
                holder.connect(good);
                holder.subscribe(topic, Qos.AT_LEAST_ONCE);
                refuse(broker, bad);
                holder.publish(topic, "still here", Qos.AT_MOST_ONCE);
                holder.expectPublish(topic, "still here");
                holder.disconnect();
            }
            refuse(broker, bad);
            try (MqttSocket holder = broker.socket()) {
                assertTrue(holder.connect(good).sessionPresent());
            }
        }
    }

    private static void refuse(RunningBroker broker, Connect connect) {
        try (MqttSocket socket = broker.socket()) {
            socket.send(connect);
            if (connect.version().isV5()) {
                ConnAck connAck = socket.receive(ConnAck.class);
                assertFalse(connAck.sessionPresent());
                assertEquals(ReasonCode.RETAIN_NOT_SUPPORTED, connAck.reason());
            }
            expectEnd(socket);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.3-8", "MQTT-3.2.2-7", "MQTT-3.2.2-8"},
            v3 = {"MQTT-3.1.3-9", "MQTT-3.2.2-4", "MQTT-3.2.2-5"},
            edge = {"E032", "E183"})
    void clientIdentifierThatIsTooLong_isRejected(ProtocolVersion version, RunningBroker broker) {
        try (MqttSocket socket = broker.socket()) {
            socket.connect(Connect.builder(version, "i".repeat(40)).build());
            socket.disconnect();
        }
        try (MqttSocket socket = broker.socket()) {
            socket.send(Connect.builder(version, "i".repeat(41)).build());
            RawFrame connAck = RawFrame.read(socket);
            assertTrue(connAck.hex().startsWith(version.isV5() ? "0085" : "0002"), connAck.toString());
            expectEnd(socket);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.2.2-8", "MQTT-3.2.2-1"},
            edge = {"E183"})
    void refusals_haveCodesOfTheConnectReasonCodeTable(RunningBroker broker) {
        Set<Integer> table = Set.of(
                0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8C, 0x90, 0x95, 0x97, 0x99, 0x9A,
                0x9B, 0x9C, 0x9D, 0x9F);
        String name = "0004 4D515454";
        String[] connects = {
            name + "05 03 0000 00 0001 61", // reserved flag
            name + "06 02 0000 00 0001 61", // unknown level
            name + "05 02 0000 03 21 0000 0001 61", // Receive Maximum 0
            name + "05 02 0000 03 23 0001 0001 61", // a property of PUBLISH
            name + "05 02 0000 00 0002 C080", // ill-formed client identifier
            name + "05 02 0000 04 15 0001 61 0001 61", // authentication method "a"
            name + "05 26 0000 00 0001 61 00 0001 74 0001 77", // retained will
            name + "05 16 0000 00 0001 61 00 0001 74 0001 77", // will at QoS 2
            name + "05 06 0000 00 0001 61 00 0001 23 0001 77", // will topic "#"
            name + "05 06 0000 00 0001 61 00 0004 24535953 0001 77", // will topic "$SYS"
            name + "05 06 0000 00 0001 61 00 0006 245359532F61 0001 77", // will topic "$SYS/a"
        };
        for (String connect : connects) {
            try (MqttSocket socket = broker.socket()) {
                socket.send(RawPacket.of(0x10).hex(connect).bytes());
                RawFrame connAck = RawFrame.read(socket);
                assertEquals(0x20, connAck.first());
                assertEquals(0, connAck.body()[0]);
                int code = connAck.body()[1] & 0xFF;
                if (code != 0) { // "$SYS" alone may be no topic of the broker
                    assertTrue(table.contains(code), connAck.toString());
                    expectEnd(socket);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.2.2-15"},
            edge = {"E004"})
    void packetAboveTheMaximumPacketSize_isRefusedOnItsHeader(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("limited");
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.AT_MOST_ONCE);
                MqttSocket publisher = client(broker, version)) {
            int head = 2 + topic.length() + (version.isV5() ? 1 : 0);
            int largestBody = LARGEST - 3; // first byte, two bytes of Remaining Length
            publisher.send(RawPacket.of(0x30)
                    .utf8(topic)
                    .properties(version, RawPacket.part())
                    .bytes(new byte[largestBody - head])
                    .bytes());
            assertEquals(LARGEST, RawFrame.read(subscriber).size());
            // One byte more, of which only the header is sent.
            publisher.send(RawPacket.part().u8(0x30).vbi(largestBody + 1).bytes());
            publisher.expectDisconnect(ReasonCode.PACKET_TOO_LARGE);
            expectNothingOn(broker, subscriber, topic);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.3.4-7"},
            edge = {"E087"})
    void receiveMaximum_countsOnlyWhatIsOpen(RunningBroker broker) {
        String topic = unique("limited");
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            // QoS 1 is acknowledged one by one and never fills it.
            for (int i = 0; i < 10; i++) {
                publisher.publish(topic, "x", Qos.AT_LEAST_ONCE);
            }
            RawPacket burst = RawPacket.part();
            for (int id = 1; id <= 3; id++) {
                burst.bytes(RawPacket.of(0x32).utf8(topic).u16(id).u8(0).bytes());
            }
            publisher.send(burst.bytes());
            for (int id = 1; id <= 3; id++) {
                Ack ack = publisher.receiveAck(PacketType.PUBACK);
                assertEquals(id, ack.packetId());
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.3.2-9", "MQTT-3.3.2-12", "MQTT-3.2.2-17"},
            edge = {"E080"})
    void topicAliasMaximum_isEnforced(RunningBroker broker) {
        String topic = unique("limited");
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE);
                MqttSocket publisher = client(broker, MQTT_5)) {
            for (int alias = 1; alias <= 3; alias++) {
                publisher.send(RawPacket.of(0x30)
                        .utf8(topic)
                        .properties(RawPacket.part().u8(0x23).u16(alias))
                        .bytes());
                if (alias < 3) {
                    subscriber.expectPublish(topic, "");
                }
            }
            publisher.expectDisconnect(ReasonCode.TOPIC_ALIAS_INVALID);
            expectNothingOn(broker, subscriber, topic);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.2-21", "MQTT-3.1.2-22", "MQTT-3.2.2-21"},
            edge = {"E035", "E044"})
    void serverKeepAlive_isTheOneThatCounts(RunningBroker broker) {
        try (MqttSocket none = broker.socket();
                MqttSocket longer = broker.socket()) {
            none.connect(fresh(MQTT_5).keepAliveSeconds(0).build());
            longer.connect(fresh(MQTT_5).keepAliveSeconds(3600).build());
            long start = System.nanoTime();
            none.expectDisconnect(ReasonCode.KEEP_ALIVE_TIMEOUT);
            longer.expectDisconnect(ReasonCode.KEEP_ALIVE_TIMEOUT);
            assertTrue(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start) >= 2_800, "closed too early");
        }
    }

    @Test
    @Clause(edge = {"E036", "E049"})
    void cappedSessionExpiry_isTheOneThatCounts(RunningBroker broker) {
        Connect long5 =
                fresh(MQTT_5).cleanStart(false).sessionExpirySeconds(3600).build();
        Connect extended =
                fresh(MQTT_5).cleanStart(false).sessionExpirySeconds(1).build();
        Connect older = fresh(MQTT_3_1_1).cleanStart(false).build();
        for (Connect connect : List.of(long5, extended, older)) {
            try (MqttSocket socket = broker.socket()) {
                socket.connect(connect);
                // The third one has no such property, the second asks for an hour when it leaves.
                socket.sendHex(connect == extended ? "E0 07 00 05 11 00000E10" : "E0 00");
                expectEnd(socket);
            }
        }
        for (Connect connect : List.of(long5, extended, older)) {
            try (MqttSocket socket = broker.socket()) {
                assertTrue(socket.connect(connect).sessionPresent());
                socket.sendHex(connect == extended ? "E0 07 00 05 11 00000E10" : "E0 00");
                expectEnd(socket);
            }
        }
        pass(4_500);
        for (Connect connect : List.of(long5, extended, older)) {
            try (MqttSocket socket = broker.socket()) {
                assertFalse(socket.connect(connect).sessionPresent());
            }
        }
    }

    @Test
    @Clause(edge = {"E001", "E017"})
    void connectionWithoutConnect_isClosedInTime(RunningBroker broker) {
        byte[] connect = RawPacket.connect(MQTT_5, CLEAN).utf8(unique("slow")).bytes();
        long start = System.nanoTime();
        try (MqttSocket silent = broker.socket();
                MqttSocket half = broker.socket();
                MqttSocket dripping = broker.socket()) {
            half.send(java.util.Arrays.copyOf(connect, connect.length - 1));
            for (int i = 0; i < 5; i++) { // bytes that come do not make it last longer
                dripping.send(java.util.Arrays.copyOfRange(connect, i, i + 1));
                pass(150);
            }
            expectEnd(silent);
            expectEnd(half);
            expectEnd(dripping);
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
            assertTrue(millis >= 900 && millis < 8_000, "closed after " + millis + " ms");
        }
    }
}
