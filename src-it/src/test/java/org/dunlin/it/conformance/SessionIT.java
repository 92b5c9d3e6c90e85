package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.client;
import static org.dunlin.it.conformance.Parties.pass;
import static org.dunlin.it.conformance.Parties.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Clean Start, Session Expiry Interval, and what a session keeps. */
@Broker
class SessionIT {
    private static Connect.Builder resuming(ProtocolVersion version, String id) {
        return Connect.builder(version, id).cleanStart(false);
    }

    private static Connect lasting(ProtocolVersion version, String id) {
        return resuming(version, id).sessionExpirySeconds(60).build();
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_3_1_1", "MQTT_5"})
    @Clause(
            v5 = {"MQTT-3.1.2-5", "MQTT-3.1.2-6", "MQTT-3.2.2-3"},
            v3 = {"MQTT-3.1.2-4", "MQTT-3.1.2-5", "MQTT-3.2.2-2", "MQTT-3.2.2-3"},
            edge = {"E027"})
    void cleanStart0_resumesSubscriptionsAndWhatWasQueued(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("resume");
        Connect connect = lasting(version, unique("resume"));
        try (MqttSocket publisher = client(broker, version)) {
            try (MqttSocket socket = broker.socket()) {
                assertFalse(socket.connect(connect).sessionPresent());
                socket.subscribe(topic, Qos.EXACTLY_ONCE);
                socket.disconnect();
            }
            publisher.publish(topic, "one", Qos.AT_LEAST_ONCE).publish(topic, "two", Qos.EXACTLY_ONCE);
            try (MqttSocket socket = broker.socket()) {
                assertTrue(socket.connect(connect).sessionPresent());
                assertEquals(
                        Qos.AT_LEAST_ONCE,
                        socket.expectPublish(topic, "one").message().qos());
                assertEquals(
                        Qos.EXACTLY_ONCE,
                        socket.expectPublish(topic, "two").message().qos());
                publisher.publish(topic, "three", Qos.AT_MOST_ONCE);
                socket.expectPublish(topic, "three");
                socket.expectNothing();
                socket.disconnect();
            }
            try (MqttSocket socket = broker.socket()) {
                assertTrue(socket.connect(connect).sessionPresent());
                socket.expectNothing(); // what was acknowledged is not sent again
                socket.disconnect();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.2-4", "MQTT-3.2.2-2"},
            v3 = {"MQTT-3.1.2-6", "MQTT-3.2.2-1"},
            edge = {"E027", "E061"})
    void cleanStart1_throwsTheStoredSessionAway(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("clean");
        String id = unique("clean");
        try (MqttSocket publisher = client(broker, version)) {
            try (MqttSocket socket = broker.socket()) {
                socket.connect(lasting(version, id));
                socket.subscribe(topic, Qos.AT_LEAST_ONCE);
                publisher.publish(topic, "open", Qos.AT_LEAST_ONCE);
                socket.receive(Publish.class); // stays unacknowledged
                socket.disconnect();
            }
            publisher.publish(topic, "queued", Qos.AT_LEAST_ONCE);
            try (MqttSocket socket = broker.socket()) {
                assertFalse(socket.connect(Connect.builder(version, id).build()).sessionPresent());
                socket.expectNothing();
                publisher.publish(topic, "live", Qos.AT_LEAST_ONCE);
                socket.expectNothing(); // the subscription is gone as well
                socket.disconnect();
            }
            try (MqttSocket socket = broker.socket()) {
                assertFalse(socket.connect(lasting(version, id)).sessionPresent()); // nothing came back
                socket.expectNothing();
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.2-4", "MQTT-3.1.2-23"},
            edge = {"E028"})
    void cleanStart1WithExpiry_startsASessionThatStays(RunningBroker broker) {
        String topic = unique("fresh");
        String id = unique("fresh");
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            for (int i = 0; i < 2; i++) {
                try (MqttSocket socket = broker.socket()) {
                    assertFalse(socket.connect(Connect.builder(MQTT_5, id)
                                    .sessionExpirySeconds(60)
                                    .build())
                            .sessionPresent());
                    socket.subscribe(topic + i, Qos.AT_LEAST_ONCE);
                    socket.disconnect();
                }
            }
            publisher.publish(topic + 0, "old", Qos.AT_LEAST_ONCE).publish(topic + 1, "new", Qos.AT_LEAST_ONCE);
            try (MqttSocket socket = broker.socket()) {
                assertTrue(socket.connect(lasting(MQTT_5, id)).sessionPresent());
                socket.expectPublish(topic + 1, "new");
                socket.expectNothing();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        // of CONNECT, of DISCONNECT, whether the session stays; -1: absent
        "-1, -1, false",
        "0, -1, false",
        "0, 0, false",
        "60, -1, true",
        "60, 0, false",
        "60, 4294967295, true",
        "4294967295, -1, true",
        "4294967295, 60, true",
        "4294967295, 0, false",
    })
    @Clause(
            v5 = {"MQTT-3.1.2-23", "MQTT-3.2.2-3"},
            edge = {"E049", "E057"})
    void sessionStaysByItsExpiryInterval(long connect, long disconnect, boolean stays, RunningBroker broker) {
        String id = unique("exp");
        try (MqttSocket socket = broker.socket()) {
            Connect.Builder first = resuming(MQTT_5, id);
            socket.connect((connect < 0 ? first : first.sessionExpirySeconds(connect)).build());
            socket.send(new Disconnect(ReasonCode.SUCCESS, disconnect < 0 ? null : disconnect, null, null, List.of()));
            socket.expectClosed();
        }
        try (MqttSocket socket = broker.socket()) {
            assertEquals(stays, socket.connect(resuming(MQTT_5, id).build()).sessionPresent());
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.2-23"},
            edge = {"E049"})
    void expiryIntervalOfDisconnect_isTheOneThatCounts(RunningBroker broker) {
        String id = unique("exp");
        try (MqttSocket socket = broker.socket()) {
            socket.connect(lasting(MQTT_5, id));
            socket.sendHex("E0 07 00 05 11 00000001").expectClosed(); // Session Expiry Interval 1
        }
        awaitEnd(broker, id);
    }

    /** The session of one second ends; each look at it would give it another second, so they are further apart. */
    private static void awaitEnd(RunningBroker broker, String id) {
        pass(1_500);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (true) {
            try (MqttSocket socket = broker.socket()) {
                boolean present = socket.connect(
                                resuming(MQTT_5, id).sessionExpirySeconds(1).build())
                        .sessionPresent();
                socket.disconnect();
                if (!present) {
                    return;
                }
            }
            assertTrue(System.nanoTime() < deadline, "the session has not ended");
            pass(2_000);
        }
    }

    @ParameterizedTest
    @CsvSource({"-1", "0"})
    @Clause(edge = {"E050", "E051", "E072"})
    void expiryInDisconnectAfterNoneInConnect_isAProtocolError(long connect, RunningBroker broker) {
        String topic = unique("exp");
        String id = unique("exp");
        try (MqttSocket subscriber = Parties.subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE);
                MqttSocket socket = broker.socket()) {
            Connect.Builder first = resuming(MQTT_5, id).will(Parties.will(topic, "will", Qos.AT_MOST_ONCE, false, 0));
            socket.connect((connect < 0 ? first : first.sessionExpirySeconds(connect)).build());
            socket.send(new Disconnect(ReasonCode.SUCCESS, 10L, null, null, List.of()));
            socket.expectDisconnect(ReasonCode.PROTOCOL_ERROR);
            subscriber.expectPublish(topic, "will");
            try (MqttSocket again = broker.socket()) {
                assertFalse(again.connect(resuming(MQTT_5, id).build()).sessionPresent());
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.2-23"},
            edge = {"E056"})
    void expiry_countsFromTheEndOfTheConnection(RunningBroker broker) {
        String topic = unique("count");
        String id = unique("count");
        Connect connect = resuming(MQTT_5, id).sessionExpirySeconds(2).build();
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            try (MqttSocket socket = broker.socket()) {
                socket.connect(connect);
                socket.subscribe(topic, Qos.AT_LEAST_ONCE);
                pass(2_500); // longer than the interval, connected
                socket.disconnect();
            }
            try (MqttSocket socket = broker.socket()) {
                assertTrue(socket.connect(connect).sessionPresent());
                pass(2_500); // the first end would have come by now, had the new connection not stopped it
                publisher.publish(topic, "here", Qos.AT_LEAST_ONCE);
                socket.expectPublish(topic, "here");
                socket.disconnect();
            }
            pass(4_000);
            try (MqttSocket socket = broker.socket()) {
                assertFalse(socket.connect(connect).sessionPresent());
            }
        }
    }

    @Test
    @Clause(edge = {"E056"})
    void newConnect_setsTheExpiryAnew(RunningBroker broker) {
        String id = unique("anew");
        try (MqttSocket socket = broker.socket()) {
            socket.connect(lasting(MQTT_5, id));
            socket.disconnect();
        }
        try (MqttSocket socket = broker.socket()) {
            assertTrue(socket.connect(resuming(MQTT_5, id).build()).sessionPresent()); // absent means 0
            socket.disconnect();
        }
        try (MqttSocket socket = broker.socket()) {
            assertFalse(socket.connect(lasting(MQTT_5, id)).sessionPresent());
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_3_1_1", "MQTT_3_1"})
    @Clause(edge = {"E062", "E181"})
    void session_canBeResumedByAnotherVersion(ProtocolVersion older, RunningBroker broker) {
        String topic = unique("across");
        String id = unique("across");
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            try (MqttSocket socket = broker.socket()) {
                socket.connect(lasting(MQTT_5, id));
                socket.send(RawPacket.of(0x82)
                        .u16(1)
                        .hex("02 0B 07") // Subscription Identifier 7
                        .utf8(topic)
                        .u8(0x09) // QoS 1, Retain As Published
                        .bytes());
                assertEquals(0x90, RawFrame.read(socket).first());
                socket.disconnect();
            }
            publisher.send(RawPacket.of(0x33)
                    .utf8(topic)
                    .u16(1)
                    .hex("04 03 0001 63") // Content Type "c"
                    .hex("6D")
                    .bytes());
            assertEquals(0x40, RawFrame.read(publisher).first());
            try (MqttSocket socket = broker.socket()) {
                assertEquals(
                        older != MQTT_3_1, socket.connect(lasting(older, id)).sessionPresent());
                RawFrame frame = RawFrame.read(socket);
                RawFrame.Publish publish = frame.publish(older);
                assertEquals("m", publish.payload()); // no properties before it
                assertEquals(topic, publish.topic());
                socket.sendHex("E0 00").expectClosed();
            }
            try (MqttSocket socket = broker.socket()) {
                assertTrue(socket.connect(lasting(MQTT_5, id)).sessionPresent());
                RawFrame.Publish publish = RawFrame.read(socket).publish(MQTT_5);
                assertTrue(publish.dup());
                RawFrame.Property identifier = publish.property(0x0B);
                assertEquals(7, identifier == null ? 0 : identifier.number());
                RawFrame.Property type = publish.property(0x03);
                assertEquals("c", type == null ? "" : type.text());
            }
        }
    }

    @Test
    @Clause(
            v3 = {"MQTT-3.1.2-4"},
            edge = {"E062"})
    void sessionOf311_isResumedByV5(RunningBroker broker) {
        String topic = unique("across");
        String id = unique("across");
        try (MqttSocket socket = broker.socket()) {
            socket.connect(lasting(MQTT_3_1_1, id));
            socket.subscribe(topic, Qos.AT_LEAST_ONCE);
            socket.disconnect();
        }
        try (MqttSocket publisher = client(broker, MQTT_3_1_1)) {
            publisher.publish(topic, "m", Qos.AT_LEAST_ONCE);
        }
        try (MqttSocket socket = broker.socket()) {
            assertTrue(socket.connect(lasting(MQTT_5, id)).sessionPresent());
            RawFrame.Publish publish = RawFrame.read(socket).publish(MQTT_5);
            assertEquals("m", publish.payload());
            assertEquals(List.of(), publish.properties());
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v3 = {"MQTT-3.1.2-7"},
            edge = {"E134"})
    void retainedMessages_surviveTheSessionOfTheirPublisher(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("kept");
        String id = unique("kept");
        for (int i = 0; i < 2; i++) {
            try (MqttSocket socket = broker.socket()) {
                socket.connect(Connect.builder(version, id).build());
                if (i == 0) {
                    socket.publish(MqttSocket.message(topic, "kept", Qos.AT_LEAST_ONCE, true));
                }
                socket.disconnect();
            }
        }
        try (MqttSocket subscriber = Parties.subscriber(broker, version, topic, Qos.AT_LEAST_ONCE)) {
            assertTrue(subscriber.expectPublish(topic, "kept").message().retain());
        }
    }
}
