package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.expectNothingMore;
import static org.dunlin.it.conformance.Clients.frame;
import static org.dunlin.it.conformance.Clients.noProperties;
import static org.dunlin.it.conformance.Clients.packet;
import static org.dunlin.it.conformance.Clients.publish;
import static org.dunlin.it.conformance.Clients.string;
import static org.dunlin.it.conformance.Clients.subscribe;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.UnsubAck;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a client may not do, seen on the wire. */
class AuthorizationIT {
    private static PortsBroker broker;

    @BeforeAll
    static void start() throws Exception {
        broker = new PortsBroker();
    }

    @AfterAll
    static void stop() {
        broker.close();
    }

    private static MqttSocket client(ProtocolVersion version) {
        return broker.socket().connect(version, unique("client"));
    }

    @Test
    @Clause(v5 = {"MQTT-3.4.2-1", "MQTT-3.5.2-1", "MQTT-4.3.3-9"})
    void deniedPublish_isToldAndItsIdentifierIsFree() {
        String topic = unique("auth");
        try (MqttSocket publisher = client(MQTT_5);
                MqttSocket subscriber = client(MQTT_5)) {
            subscriber.subscribe(topic + "/#", Qos.AT_LEAST_ONCE);
            publisher.publish(topic + "/denied", "0", Qos.AT_MOST_ONCE);
            publisher.send(publish(topic + "/denied", "1", Qos.AT_LEAST_ONCE, 1, false));
            assertEquals(
                    ReasonCode.NOT_AUTHORIZED,
                    publisher.receiveAck(PacketType.PUBACK).reason());
            publisher.send(publish(topic + "/denied", "2", Qos.EXACTLY_ONCE, 1, false));
            assertEquals(
                    ReasonCode.NOT_AUTHORIZED,
                    publisher.receiveAck(PacketType.PUBREC).reason());
            publisher.send(publish(topic + "/allowed", "3", Qos.EXACTLY_ONCE, 1, true));
            assertEquals(
                    ReasonCode.SUCCESS, publisher.receiveAck(PacketType.PUBREC).reason());
            subscriber.expectPublish(topic + "/allowed", "3");
            subscriber.expectNothing();
        }
    }

    @ParameterizedTest
    @CsvSource({"AT_LEAST_ONCE,PUBACK", "EXACTLY_ONCE,PUBREC"})
    @Clause(v5 = {"MQTT-3.4.2-2", "MQTT-3.4.2-3", "MQTT-3.5.2-2", "MQTT-3.5.2-3"})
    void explanationOfADeniedPublish_fitsMaximumPacketSize(Qos qos, PacketType answer) {
        Connect connect =
                Connect.builder(MQTT_5, unique("client")).maximumPacketSize(32).build();
        try (MqttSocket publisher = broker.socket()) {
            publisher.connect(connect);
            publisher.send(publish("denied", "m", qos, 1, false));
            String ack = frame(publisher);
            assertTrue(ack.length() / 2 <= 32, ack);
            assertEquals("87", ack.substring(8, 10)); // behind first byte, length and packet identifier
        }
    }

    @ParameterizedTest
    @CsvSource({"MQTT_3_1", "MQTT_3_1_1"})
    @Clause(v3 = {"MQTT-4.3.2-2", "MQTT-4.3.3-2"})
    void deniedPublishOfAV3Client_isAcknowledgedOrClosesAndGoesNowhere(ProtocolVersion version) {
        String topic = unique("auth");
        try (MqttSocket publisher = client(version);
                MqttSocket other = client(version);
                MqttSocket subscriber = client(version)) {
            subscriber.subscribe(topic + "/#", Qos.AT_LEAST_ONCE);
            publisher.publish(topic + "/denied", "1", Qos.AT_LEAST_ONCE);
            publisher.publish(topic + "/denied", "2", Qos.EXACTLY_ONCE);
            expectNothingMore(other, subscriber);
        }
    }

    @ParameterizedTest
    @CsvSource({"MQTT_5,87", "MQTT_3_1_1,80"})
    @Clause(
            v5 = {"MQTT-3.8.4-1", "MQTT-3.8.4-5", "MQTT-3.9.3-1", "MQTT-3.9.3-2"},
            v3 = {"MQTT-3.8.4-1", "MQTT-3.8.4-5", "MQTT-3.9.3-1", "MQTT-3.9.3-2"},
            edge = {"E138"})
    void deniedFilter_hasItsCodeAndDoesNotAffectTheOthers(ProtocolVersion version, String code) {
        String topic = unique("auth");
        try (MqttSocket socket = client(version)) {
            socket.sendHex(packet(
                    "82",
                    "0001",
                    noProperties(version),
                    string("secret"),
                    "00",
                    string(topic),
                    "01",
                    string("$share/g/secret/#"),
                    "02",
                    string("a#"),
                    "00"));
            String subAck = frame(socket);
            String invalid = version.isV5() ? "8f" : "80";
            assertTrue(subAck.endsWith(code + "01" + code + invalid), subAck);
            socket.publish(topic, "m", Qos.AT_MOST_ONCE);
            socket.expectPublish(topic, "m");
        }
    }

    @Test
    @Clause(edge = {"E138", "E184"})
    void deniedFilterOf31_isAcknowledgedSinceSubAckHasNoFailureCode() {
        String topic = unique("auth");
        try (MqttSocket socket = client(ProtocolVersion.MQTT_3_1)) {
            socket.sendHex(packet("82", "0001", string("secret"), "02", string(topic), "01"));
            assertEquals("900400010201", frame(socket));
            socket.publish(topic, "m", Qos.AT_MOST_ONCE);
            socket.expectPublish(topic, "m");
        }
    }

    @ParameterizedTest
    @CsvSource({"MQTT_5", "MQTT_3_1_1"})
    @Clause(edge = {"E139"})
    void refusedResubscribe_keepsTheOldSubscription(ProtocolVersion version) {
        String topic = unique("auth");
        String filter = topic + "/+/#";
        String denied = topic + "/denied/#";
        try (MqttSocket publisher = client(version);
                MqttSocket socket = client(version)) {
            socket.subscribe(denied, Qos.AT_LEAST_ONCE);
            assertTrue(subscribe(socket, 0, denied, Qos.EXACTLY_ONCE)
                    .reasons()
                    .get(0)
                    .isError());
            UnsubAck unsubAck = socket.unsubscribe(denied);
            if (version.isV5()) {
                assertEquals(List.of(ReasonCode.SUCCESS), unsubAck.reasons()); // it was still there
            }
            socket.subscribe(filter, Qos.AT_LEAST_ONCE);
            assertTrue(subscribe(socket, 0, filter.replace("+", "secret"), Qos.AT_LEAST_ONCE)
                    .reasons()
                    .get(0)
                    .isError());
            publisher.publish(topic + "/x", "m", Qos.EXACTLY_ONCE);
            assertEquals(
                    Qos.AT_LEAST_ONCE,
                    socket.expectPublish(topic + "/x", "m").message().qos());
        }
    }
}
