package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.expectExplanationToFit;
import static org.dunlin.it.conformance.Clients.expectNothingMore;
import static org.dunlin.it.conformance.Clients.frame;
import static org.dunlin.it.conformance.Clients.publish;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Will;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** DISCONNECT, in both directions. */
@Broker
class DisconnectIT {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "c000", // a PINGREQ
                "30 03 0001 61", // a PUBLISH
                "e000", // a DISCONNECT
                "f000", // an AUTH
                "10 02 0004", // a CONNECT that ends in its protocol name
                "11 00", // a CONNECT with a reserved flag
                "10 10 0004 4d515454 05 03 0000 00 0003 616263", // the reserved connect flag
                "10 0d 0004 4d515454 05 02 0000 00 0001", // the client identifier is missing
                "ffffffff7f", // type 15 with flags
            })
    @Clause(v5 = {"MQTT-3.14.0-1"})
    void beforeConnAck_thereIsNoDisconnect(String hex, RunningBroker broker) {
        try (MqttSocket socket = broker.socket()) {
            socket.sendHex(hex);
            String first = "";
            try {
                first = frame(socket);
            } catch (AssertionError closed) {
                assertTrue(closed.getMessage().startsWith("the broker has closed"), closed.getMessage());
            }
            assertTrue(first.isEmpty() || first.startsWith("20") && !first.startsWith("00", 6), first);
            socket.expectClosed();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"e1", "e2", "e8"})
    @Clause(
            v5 = {"MQTT-3.14.1-1"},
            v3 = {"MQTT-3.14.1-1"})
    void wrongFlags_closeAndTheWillIsPublished(String first, RunningBroker broker) {
        for (ProtocolVersion version : List.of(MQTT_5, MQTT_3_1_1)) {
            String topic = unique("disconnect");
            try (MqttSocket subscriber = client(broker, version);
                    MqttSocket socket = client(broker, version, connect -> connect.will(will(topic)))) {
                subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
                socket.sendHex(first + "00");
                socket.expectDisconnect(ReasonCode.MALFORMED_PACKET);
                subscriber.expectPublish(topic, "will");
            }
        }
    }

    private static Will will(String topic) {
        return new Will(
                TopicName.of(topic),
                "will".getBytes(StandardCharsets.UTF_8),
                Qos.AT_LEAST_ONCE,
                false,
                Message.NO_BYTES,
                -1,
                0);
    }

    @ParameterizedTest
    @CsvSource({
        "e0 01 01,PROTOCOL_ERROR", // unknown
        "e0 01 81,", // a client may say that what it got was malformed
        "e0 01 87,PROTOCOL_ERROR", // only a server may say so
        "e0 01 8b,PROTOCOL_ERROR",
        "e0 01 8e,PROTOCOL_ERROR",
        "e0 01 a2,PROTOCOL_ERROR",
        "e0 01 10,PROTOCOL_ERROR", // of PUBACK
        "e0 01 ff,PROTOCOL_ERROR", // nobody's
        "e0 01 04,",
        "e0 02 82 00,",
        "e0 01 98,",
    })
    @Clause(v5 = {"MQTT-3.14.2-1"})
    void reasonCodeOfAClient_hasToBeOneOfItsTable(String hex, ReasonCode answer, RunningBroker broker) {
        String topic = unique("disconnect");
        try (MqttSocket subscriber = client(broker, MQTT_5);
                MqttSocket socket = client(broker, MQTT_5, connect -> connect.will(will(topic)))) {
            subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
            socket.sendHex(hex);
            if (answer == null) {
                socket.expectClosed();
            } else {
                socket.expectDisconnect(answer);
            }
            subscriber.expectPublish(topic, "will"); // none of these is a normal disconnection
        }
    }

    @ParameterizedTest
    @CsvSource({
        "c001 00,MALFORMED_PACKET",
        "82 03 0001 00,PROTOCOL_ERROR", // no filter
        "20 03 000000,PROTOCOL_ERROR", // a CONNACK from a client
        "32 06 0001 61 0000 00,", // packet identifier 0
        "30 07 0001 61 03 230000,TOPIC_ALIAS_INVALID",
        "30 07 0001 61 03 23ffff,TOPIC_ALIAS_INVALID",
        "30 04 0001 23 00,", // a topic name with a wildcard
    })
    @Clause(v5 = {"MQTT-3.14.2-1", "MQTT-3.14.2-2", "MQTT-3.14.4-1", "MQTT-3.14.4-2", "MQTT-4.13.2-1"})
    void disconnectOfTheBroker_hasACodeOfItsTableAndIsTheLastThing(
            String hex, ReasonCode reason, RunningBroker broker) {
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.sendHex(hex + "c000 c000");
            Disconnect disconnect = socket.receive(Disconnect.class);
            assertTrue(disconnect.reason().isError());
            assertTrue(disconnect.reason().allowedIn(PacketType.DISCONNECT), disconnect.toString());
            assertNull(disconnect.sessionExpirySeconds());
            if (reason != null) {
                assertEquals(reason, disconnect.reason());
            }
            socket.expectClosed();
        }
    }

    @Test
    @Clause(v5 = {"MQTT-3.14.2-3", "MQTT-3.14.2-4"})
    void explanation_beyondMaximumPacketSize_isLeftOut(RunningBroker broker) {
        expectExplanationToFit(broker, "c001 00", new Disconnect(ReasonCode.MALFORMED_PACKET));
        expectExplanationToFit(broker, "82 03 0001 00", new Disconnect(ReasonCode.PROTOCOL_ERROR));
    }

    @ParameterizedTest
    @CsvSource({"MQTT_5,e000", "MQTT_5,e00100", "MQTT_5,e0020000", "MQTT_3_1_1,e000", "MQTT_3_1,e000"})
    @Clause(
            v5 = {"MQTT-3.14.4-2", "MQTT-3.14.4-3"},
            v3 = {"MQTT-3.14.4-1", "MQTT-3.14.4-3"})
    void normalDisconnection_closesAndDeletesTheWill(ProtocolVersion version, String hex, RunningBroker broker) {
        String topic = unique("disconnect");
        try (MqttSocket subscriber = client(broker, version);
                MqttSocket socket = client(broker, version, connect -> connect.will(will(topic)))) {
            subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
            socket.sendHex(hex);
            socket.expectClosed(); // the broker closes if the client does not
            assertTrue(subscriber.staysSilent(300));
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.14.4-1"},
            v3 = {"MQTT-3.14.4-2"})
    void whatFollowsADisconnect_isNotProcessed(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("disconnect");
        try (MqttSocket subscriber = client(broker, version);
                MqttSocket publisher = client(broker, version);
                MqttSocket socket = client(broker, version)) {
            subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
            socket.send(
                    publish(topic, "before", Qos.AT_MOST_ONCE, 0, false),
                    new Disconnect(ReasonCode.SUCCESS),
                    publish(topic, "after", Qos.AT_MOST_ONCE, 0, false));
            socket.expectClosed();
            subscriber.expectPublish(topic, "before");
            assertTrue(subscriber.staysSilent(200));
            expectNothingMore(publisher, subscriber);
        }
    }

    @Test
    @Clause(v3 = {"MQTT-4.8.0-1"})
    void disconnectWithABody_fromV3Client_closesAndTheWillIsPublished(RunningBroker broker) {
        String topic = unique("disconnect");
        try (MqttSocket subscriber = client(broker, MQTT_3_1_1);
                MqttSocket socket = client(broker, MQTT_3_1_1, connect -> connect.will(will(topic)))) {
            subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
            socket.sendHex("e0 01 00");
            socket.expectClosed();
            subscriber.expectPublish(topic, "will");
        }
    }
}
