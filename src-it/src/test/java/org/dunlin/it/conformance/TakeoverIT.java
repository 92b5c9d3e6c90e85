package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.client;
import static org.dunlin.it.conformance.Parties.expectNothingOn;
import static org.dunlin.it.conformance.Parties.subscriber;
import static org.dunlin.it.conformance.Parties.unique;
import static org.dunlin.it.conformance.Parties.will;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A CONNECT with a client identifier that is connected already. */
@Broker
class TakeoverIT {
    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.4-3", "MQTT-3.1.3-2"},
            v3 = {"MQTT-3.1.4-2", "MQTT-3.1.3-2"},
            edge = {"E040"})
    void takenOver_oldConnectionEndsAndNewOneWorks(ProtocolVersion old, RunningBroker broker) {
        for (ProtocolVersion version : ProtocolVersion.values()) {
            String id = unique("take");
            String topic = unique("take");
            try (MqttSocket first = broker.socket();
                    MqttSocket second = broker.socket()) {
                first.connect(Connect.builder(old, id).build());
                second.connect(Connect.builder(version, id).build());
                first.expectDisconnect(ReasonCode.SESSION_TAKEN_OVER);
                second.subscribe(topic, Qos.AT_LEAST_ONCE);
                second.publish(topic, "x", Qos.AT_MOST_ONCE);
                second.expectPublish(topic, "x");
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.4-3"},
            edge = {"E040"})
    void manyConnectsAtOnce_leaveExactlyOneConnection(RunningBroker broker) {
        for (int round = 0; round < 10; round++) {
            String id = unique("race");
            List<MqttSocket> sockets = new ArrayList<>();
            try {
                for (int i = 0; i < 20; i++) {
                    sockets.add(broker.socket());
                }
                Connect connect = Connect.builder(MQTT_5, id)
                        .cleanStart(round % 2 == 0)
                        .sessionExpirySeconds(round % 3 * 30)
                        .build();
                for (MqttSocket socket : sockets) {
                    socket.send(connect);
                }
                List<MqttSocket> accepted = new ArrayList<>();
                for (MqttSocket socket : sockets) {
                    RawFrame connAck = RawFrame.read(socket);
                    assertEquals(2, connAck.type());
                    if (connAck.body()[1] == 0) {
                        accepted.add(socket);
                    } else {
                        Parties.expectEnd(socket); // taken over before it was accepted
                    }
                }
                int alive = 0;
                for (MqttSocket socket : accepted) {
                    if (staysConnected(socket)) {
                        alive++;
                    }
                }
                assertEquals(1, alive);
            } finally {
                sockets.forEach(MqttSocket::close);
            }
        }
    }

    private static boolean staysConnected(MqttSocket socket) {
        try {
            socket.send(Ping.REQUEST);
        } catch (java.io.UncheckedIOException e) {
            return false; // closed already
        }
        RawFrame next = RawFrame.read(socket);
        if (next.type() == 13) {
            return true;
        }
        assertEquals(14, next.type());
        assertEquals("8e", next.hex().substring(0, 2));
        Parties.expectEnd(socket);
        return false;
    }

    @ParameterizedTest
    @CsvSource({"60, true", "0, false"})
    @Clause(
            v5 = {"MQTT-3.1.2-5", "MQTT-3.2.2-3", "MQTT-3.1.2-23"},
            edge = {"E041"})
    void stateOfTheOldConnection_isResumedIfItsSessionGoesOn(long expiry, boolean resumed, RunningBroker broker) {
        String id = unique("state");
        String topic = unique("state");
        Connect connect = Connect.builder(MQTT_5, id)
                .cleanStart(false)
                .sessionExpirySeconds(expiry)
                .build();
        try (MqttSocket first = broker.socket();
                MqttSocket second = broker.socket();
                MqttSocket publisher = client(broker, MQTT_5)) {
            first.connect(connect);
            first.subscribe(topic, Qos.AT_LEAST_ONCE);
            publisher.publish(topic, "open", Qos.AT_LEAST_ONCE);
            int packetId = first.receive(Publish.class).packetId();
            assertEquals(resumed, second.connect(connect).sessionPresent());
            if (resumed) {
                Publish again = second.receive(Publish.class);
                assertEquals(packetId, again.packetId());
                assertTrue(again.dup());
                second.send(new Ack(PacketType.PUBACK, packetId));
            }
            publisher.publish(topic, "more", Qos.AT_LEAST_ONCE);
            if (resumed) {
                second.expectPublish(topic, "more");
            }
            second.expectNothing();
        }
    }

    @ParameterizedTest
    @CsvSource({
        // Clean Start of the new connection, will delay and session expiry of the old, whether the will is published
        "false, 0, 60, true",
        "false, 60, 60, false",
        "false, 60, 0, true",
        "true, 0, 60, true",
        "true, 60, 60, true",
        "true, 60, 0, true",
    })
    @Clause(
            v5 = {"MQTT-3.1.2-8", "MQTT-3.1.3-9"},
            edge = {"E042", "E065", "E072"})
    void willOfTheOldConnection_isPublishedUnlessItsSessionGoesOn(
            boolean cleanStart, long delay, long expiry, boolean published, RunningBroker broker) {
        String id = unique("will");
        String topic = unique("will");
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE);
                MqttSocket first = broker.socket();
                MqttSocket second = broker.socket()) {
            first.connect(Connect.builder(MQTT_5, id)
                    .sessionExpirySeconds(expiry)
                    .will(will(topic, "will", Qos.AT_MOST_ONCE, false, delay))
                    .build());
            second.connect(Connect.builder(MQTT_5, id)
                    .cleanStart(cleanStart)
                    .sessionExpirySeconds(60)
                    .build());
            if (published) {
                subscriber.expectPublish(topic, "will");
            }
            expectNothingOn(broker, subscriber, topic);
            second.disconnect();
            expectNothingOn(broker, subscriber, topic);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_3_1", "MQTT_3_1_1"})
    @Clause(
            v3 = {"MQTT-3.1.2-8", "MQTT-3.1.4-2"},
            edge = {"E042", "E072"})
    void willOf3_isPublishedAtTakeover(ProtocolVersion version, RunningBroker broker) {
        for (boolean clean : new boolean[] {true, false}) {
            String topic = unique("will");
            String id = unique("will");
            try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.AT_MOST_ONCE);
                    MqttSocket first = broker.socket();
                    MqttSocket second = broker.socket()) {
                first.connect(Connect.builder(version, id)
                        .cleanStart(clean)
                        .will(will(topic, "will", Qos.AT_MOST_ONCE, false, 0))
                        .build());
                second.connect(Connect.builder(version, id).cleanStart(clean).build());
                first.expectClosed();
                subscriber.expectPublish(topic, "will");
                second.expectNothing();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.4-3"},
            v3 = {"MQTT-3.1.4-2"},
            edge = {"E043"})
    void lateBytesAndEndOfTheOldConnection_doNotTouchTheNewOne(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("late");
        String id = unique("late");
        Connect connect = Connect.builder(version, id)
                .cleanStart(false)
                .sessionExpirySeconds(60)
                .will(will(topic + "/will", "will", Qos.AT_MOST_ONCE, false, 0))
                .build();
        try (MqttSocket subscriber = subscriber(broker, version, topic + "/will", Qos.AT_MOST_ONCE);
                MqttSocket publisher = client(broker, version);
                MqttSocket first = broker.socket();
                MqttSocket second = broker.socket()) {
            first.connect(connect);
            first.subscribe(topic, Qos.AT_LEAST_ONCE);
            publisher.publish(topic, "open", Qos.AT_LEAST_ONCE);
            int packetId = first.receive(Publish.class).packetId();
            byte[] late = first.bytes(new Ack(PacketType.PUBACK, packetId));
            second.connect(connect);
            try {
                first.send(late).send(late);
            } catch (java.io.UncheckedIOException e) {
                // closed by now, which is as well
            }
            first.reset();
            subscriber.expectPublish(topic + "/will", "will"); // that of the old one, which had no delay
            assertTrue(second.receive(Publish.class).dup()); // the late acknowledgement did not count
            second.send(new Ack(PacketType.PUBACK, packetId));
            publisher.publish(topic, "live", Qos.AT_MOST_ONCE);
            second.expectPublish(topic, "live"); // QoS 0 arrives: it is not taken for offline
            expectNothingOn(broker, subscriber, topic + "/will");
            second.reset();
            subscriber.expectPublish(topic + "/will", "will");
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.2-4", "MQTT-3.2.2-2"},
            edge = {"E041"})
    void cleanStart1_endsTheSessionItTakesOver(RunningBroker broker) {
        String id = unique("take");
        String topic = unique("take");
        try (MqttSocket first = broker.socket();
                MqttSocket second = broker.socket();
                MqttSocket publisher = client(broker, MQTT_5)) {
            first.connect(Connect.builder(MQTT_5, id).sessionExpirySeconds(60).build());
            first.subscribe(topic, Qos.AT_LEAST_ONCE);
            assertFalse(second.connect(Connect.builder(MQTT_5, id).build()).sessionPresent());
            publisher.publish(topic, "x", Qos.AT_LEAST_ONCE);
            second.expectNothing();
        }
    }
}
