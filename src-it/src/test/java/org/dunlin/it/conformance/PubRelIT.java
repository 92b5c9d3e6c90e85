package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.ack;
import static org.dunlin.it.conformance.Clients.begin;
import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.expectExplanationToFit;
import static org.dunlin.it.conformance.Clients.frame;
import static org.dunlin.it.conformance.Clients.packet;
import static org.dunlin.it.conformance.Clients.publish;
import static org.dunlin.it.conformance.Clients.resume;
import static org.dunlin.it.conformance.Clients.take;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** PUBREL and PUBCOMP, in both directions: form, codes and size. */
@Broker
class PubRelIT {
    @ParameterizedTest
    @CsvSource({"MQTT_5,60", "MQTT_5,61", "MQTT_5,63", "MQTT_5,66", "MQTT_3_1_1,60", "MQTT_3_1_1,61", "MQTT_3_1_1,66"})
    @Clause(
            v5 = {"MQTT-3.6.1-1"},
            v3 = {"MQTT-3.6.1-1"})
    void wrongFlags_close(ProtocolVersion version, String first, RunningBroker broker) {
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex(first + "02 0001");
            socket.expectDisconnect(ReasonCode.MALFORMED_PACKET);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.6.1-1", "MQTT-3.6.2-1", "MQTT-4.3.3-4"},
            v3 = {"MQTT-3.6.1-1", "MQTT-4.3.3-1"})
    void pubRelOfTheBroker_hasFlags0010AndTheIdentifier(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("pubrel");
        try (MqttSocket subscriber = client(broker, version);
                MqttSocket publisher = client(broker, version)) {
            subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
            publisher.publish(topic, "m", Qos.EXACTLY_ONCE);
            Publish publish = take(subscriber, "m");
            ack(subscriber, PacketType.PUBREC, publish);
            String pubRel = frame(subscriber);
            String id = String.format("%04x", publish.packetId());
            // v5 may add the reason code 0x00 and an empty property list
            assertTrue(
                    pubRel.equals("6202" + id)
                            || version.isV5()
                                    && (pubRel.equals("6203" + id + "00") || pubRel.equals("6204" + id + "0000")),
                    pubRel);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.7.2-1", "MQTT-4.3.3-11"},
            v3 = {"MQTT-4.3.3-2"})
    void pubRelWithUnknownIdentifier_isAnsweredByPubComp(ProtocolVersion version, RunningBroker broker) {
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex("62 02 1234");
            Ack pubComp = socket.receiveAck(PacketType.PUBCOMP);
            assertEquals(0x1234, pubComp.packetId());
            assertEquals(
                    version.isV5() ? ReasonCode.PACKET_IDENTIFIER_NOT_FOUND : ReasonCode.SUCCESS, pubComp.reason());
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.6.2-1"},
            edge = {"E108"})
    void pubRecWithUnknownIdentifier_isAnsweredByPubRel(ProtocolVersion version, RunningBroker broker) {
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex("50 02 1234");
            Ack pubRel = socket.receiveAck(PacketType.PUBREL);
            assertEquals(0x1234, pubRel.packetId());
            assertEquals(version.isV5() ? ReasonCode.PACKET_IDENTIFIER_NOT_FOUND : ReasonCode.SUCCESS, pubRel.reason());
            socket.sendHex("70 02 1234"); // the PUBCOMP for it
            socket.expectNothing();
        }
    }

    @ParameterizedTest
    @CsvSource({"MQTT_5,40", "MQTT_5,70", "MQTT_3_1_1,40", "MQTT_3_1_1,70", "MQTT_3_1,40", "MQTT_3_1,70"})
    @Clause(edge = {"E107", "E108"})
    void pubAckAndPubCompWithUnknownIdentifier_areIgnored(ProtocolVersion version, String first, RunningBroker broker) {
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex(first + "02 1234");
            socket.expectNothing();
        }
    }

    @Test
    @Clause(v5 = {"MQTT-3.6.2-2", "MQTT-3.6.2-3", "MQTT-3.7.2-2", "MQTT-3.7.2-3"})
    void explanation_beyondMaximumPacketSize_isLeftOut(RunningBroker broker) {
        expectExplanationToFit(
                broker, "50 02 1234", new Ack(PacketType.PUBREL, 0x1234, ReasonCode.PACKET_IDENTIFIER_NOT_FOUND));
        expectExplanationToFit(
                broker, "62 02 1234", new Ack(PacketType.PUBCOMP, 0x1234, ReasonCode.PACKET_IDENTIFIER_NOT_FOUND));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "62 03 0001 10", // 0x10 is of PUBACK and PUBREC
                "62 03 0001 80", // 0x80 too
                "70 03 0001 80",
                "70 03 0001 11", // 0x11 is of UNSUBACK
            })
    @Clause(v5 = {"MQTT-3.6.2-1", "MQTT-3.7.2-1"})
    void reasonCodeThatIsNotOfTheTable_closes(String hex, RunningBroker broker) {
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.sendHex(hex);
            socket.expectDisconnect(ReasonCode.PROTOCOL_ERROR);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "", // 0x00, no property length
                "00",
                "00 00", // with an empty property list
                "92", // the client knows no such identifier; the flow ends all the same
                "00 05 1f 0002 6e6f", // with a Reason String
            })
    @Clause(v5 = {"MQTT-4.3.3-11"})
    void pubRelOfAClient_inAnyForm_isAnswered(String fields, RunningBroker broker) {
        String topic = unique("pubrel");
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            publisher.send(publish(topic, "m", Qos.EXACTLY_ONCE, 0x77, false));
            assertEquals(0x77, publisher.receiveAck(PacketType.PUBREC).packetId());
            publisher.sendHex(packet("62", "0077", fields));
            Ack pubComp = publisher.receiveAck(PacketType.PUBCOMP);
            assertEquals(0x77, pubComp.packetId());
            assertEquals(ReasonCode.SUCCESS, pubComp.reason());
        }
    }

    @ParameterizedTest
    @CsvSource({"MQTT_5", "MQTT_3_1_1", "MQTT_3_1"})
    @Clause(
            v5 = {"MQTT-4.13.1-1"},
            v3 = {"MQTT-4.8.0-1"},
            edge = {"E109"})
    void acknowledgementOfTheWrongKind_closesAndTheMessageIsKept(ProtocolVersion version, RunningBroker broker) {
        for (Qos qos : List.of(Qos.AT_LEAST_ONCE, Qos.EXACTLY_ONCE)) {
            String id = unique("client");
            String topic = unique("pubrel");
            try (MqttSocket publisher = client(broker, version);
                    MqttSocket subscriber = begin(broker, version, id)) {
                subscriber.subscribe(topic, qos);
                publisher.publish(topic, "m", qos);
                Publish publish = take(subscriber, "m");
                ack(subscriber, qos == Qos.AT_LEAST_ONCE ? PacketType.PUBREC : PacketType.PUBACK, publish);
                subscriber.expectDisconnect(ReasonCode.PROTOCOL_ERROR);
                try (MqttSocket resumed = resume(broker, version, id)) {
                    assertEquals(
                            publish.packetId(),
                            resumed.expectPublish(topic, "m").packetId());
                }
            }
        }
    }
}
