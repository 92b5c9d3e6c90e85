package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.expectExplanationToFit;
import static org.dunlin.it.conformance.Clients.frame;
import static org.dunlin.it.conformance.Clients.noProperties;
import static org.dunlin.it.conformance.Clients.packet;
import static org.dunlin.it.conformance.Clients.string;
import static org.dunlin.it.conformance.Clients.take;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
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

/** PUBACK and PUBREC, in both directions: form, codes and size. */
@Broker
class PubAckIT {
    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.3.2-4", "MQTT-4.3.3-8"},
            v3 = {"MQTT-4.3.2-2"})
    void publish_isAnsweredWithItsPacketIdentifier(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("puback");
        try (MqttSocket subscriber = client(broker, version);
                MqttSocket publisher = client(broker, version)) {
            subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
            publisher.sendHex(packet("32", string(topic), "abcd", noProperties(version), "61"));
            String pubAck = frame(publisher);
            assertEquals("abcd", pubAck.substring(4, 8));
            assertEquals("40", pubAck.substring(0, 2));
            publisher.sendHex(packet("34", string(topic), "abce", noProperties(version), "62"));
            String pubRec = frame(publisher);
            assertEquals("abce", pubRec.substring(4, 8));
            assertEquals("50", pubRec.substring(0, 2));
            if (!version.isV5()) {
                assertEquals("4002abcd", pubAck);
                assertEquals("5002abce", pubRec);
            }
            subscriber.expectPublish(topic, "a");
            subscriber.expectPublish(topic, "b");
        }
    }

    @ParameterizedTest
    @CsvSource({"AT_LEAST_ONCE,PUBACK", "EXACTLY_ONCE,PUBREC"})
    @Clause(v5 = {"MQTT-3.4.2-1", "MQTT-3.5.2-1"})
    void reasonCodes_areThoseOfTheTable(Qos qos, PacketType answer, RunningBroker broker) {
        String heard = unique("puback");
        Map<String, ReasonCode> expected = Map.of(
                heard,
                ReasonCode.SUCCESS,
                unique("unheard"),
                ReasonCode.NO_MATCHING_SUBSCRIBERS,
                "$SYS/" + heard,
                ReasonCode.TOPIC_NAME_INVALID,
                "x" + "/x".repeat(128),
                ReasonCode.TOPIC_NAME_INVALID);
        try (MqttSocket subscriber = client(broker, MQTT_5);
                MqttSocket publisher = client(broker, MQTT_5)) {
            subscriber.subscribe(heard, Qos.AT_MOST_ONCE);
            expected.forEach((topic, code) -> {
                int id = publisher.nextId();
                publisher.send(Clients.publish(topic, "m", qos, id, false));
                ReasonCode got = publisher.receiveAck(answer).reason();
                assertEquals(code, got, topic);
                assertTrue(got.allowedIn(answer));
            });
        }
    }

    @ParameterizedTest
    @CsvSource({"32,PUBACK", "34,PUBREC"})
    @Clause(v5 = {"MQTT-3.4.2-2", "MQTT-3.4.2-3", "MQTT-3.5.2-2", "MQTT-3.5.2-3"})
    void explanation_beyondMaximumPacketSize_isLeftOut(String first, PacketType answer, RunningBroker broker) {
        // to a topic that is the broker's own
        String publish = packet(first, string("$SYS/" + unique("puback")), "0001", "00", "61");
        expectExplanationToFit(broker, publish, new Ack(answer, 1, ReasonCode.TOPIC_NAME_INVALID));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "00", // 0x00, no property length
                "10", // 0x10 is a server's word, yet means success
                "80", // failure: the message is done with all the same
                "97 00", // with an empty property list
                "87 05 1f 0002 6e6f", // with a Reason String "no"
                "83 07 26 0001 61 0001 62", // with a User Property
            })
    @Clause(
            v5 = {"MQTT-4.4.0-2"},
            edge = {"E106"})
    void pubAckOfAClient_inAnyForm_endsTheDelivery(String fields, RunningBroker broker) {
        String topic = unique("puback");
        try (MqttSocket subscriber = client(broker, MQTT_5, connect -> connect.receiveMaximum(1));
                MqttSocket publisher = client(broker, MQTT_5)) {
            subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
            publisher.publish(topic, "1", Qos.AT_LEAST_ONCE);
            publisher.publish(topic, "2", Qos.AT_LEAST_ONCE);
            Publish first = take(subscriber, "1");
            subscriber.expectNothing();
            subscriber.sendHex(packet("40", String.format("%04x", first.packetId()), fields));
            take(subscriber, "2");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "40 01 00", // half a packet identifier
                "40 00", // none
                "40 05 0001 00 02 01", // property length beyond the end
                "40 05 0001 00 00 00", // a byte behind the property list
                "41 02 0001", // reserved flag
                "52 02 0001", // the flags of PUBREL
            })
    @Clause(v5 = {"MQTT-4.13.1-1"})
    void malformedAcknowledgement_closes(String hex, RunningBroker broker) {
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.sendHex(hex);
            socket.expectDisconnect(ReasonCode.MALFORMED_PACKET);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "40 03 0001 01", // 0x01 is of SUBACK
                "40 03 0001 92", // 0x92 is of PUBREL and PUBCOMP
                "50 03 0001 04", // 0x04 is of DISCONNECT
                "50 03 0001 ff", // nobody's
            })
    @Clause(v5 = {"MQTT-3.4.2-1", "MQTT-3.5.2-1"})
    void reasonCodeThatIsNotOfTheTable_closes(String hex, RunningBroker broker) {
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.sendHex(hex);
            socket.expectDisconnect(ReasonCode.PROTOCOL_ERROR);
        }
    }

    @Test
    @Clause(v3 = {"MQTT-4.8.0-1"})
    void acknowledgementOfV5Form_fromV3Client_closes(RunningBroker broker) {
        try (MqttSocket socket = client(broker, ProtocolVersion.MQTT_3_1_1)) {
            socket.sendHex("40 03 0001 00"); // 3.1.1 has no reason code
            socket.expectClosed();
        }
    }
}
