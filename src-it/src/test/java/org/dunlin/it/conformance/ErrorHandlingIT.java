package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.ack;
import static org.dunlin.it.conformance.Clients.begin;
import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.noProperties;
import static org.dunlin.it.conformance.Clients.packet;
import static org.dunlin.it.conformance.Clients.resume;
import static org.dunlin.it.conformance.Clients.string;
import static org.dunlin.it.conformance.Clients.take;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Will;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Errors, and that they are nobody else's. */
@Broker
class ErrorHandlingIT {
    private static final String PINGREQ_WITH_BODY = "c00100";

    @ParameterizedTest
    @ValueSource(
            strings = {
                PINGREQ_WITH_BODY,
                "82 03 0001 00", // SUBSCRIBE without filters
                "00 00", // packet type 0
                "36 05 0001 61 0001", // PUBLISH of QoS 3
                "f1 00", // AUTH with flags
                "90 03 0001 00", // a SUBACK from a client
                "10 0d 0004 4d515454 05 02 0000 00 0000", // a second CONNECT
                "30 ff ff ff ff 01", // a Remaining Length of five bytes
            })
    @Clause(
            v5 = {"MQTT-4.13.1-1", "MQTT-4.13.2-1"},
            v3 = {"MQTT-4.8.0-1"},
            edge = {"E180"})
    void errorOfOneClient_hasNoConsequenceForOthers(String hex, RunningBroker broker) {
        for (ProtocolVersion version : ProtocolVersion.values()) {
            String topic = unique("error");
            String id = unique("client");
            try (MqttSocket publisher = client(broker, version);
                    MqttSocket other = client(broker, version)) {
                other.subscribe(topic, Qos.EXACTLY_ONCE);
                publisher.publish(topic, "open", Qos.EXACTLY_ONCE);
                Publish open = take(other, "open");
                try (MqttSocket faulty = begin(broker, version, id)) {
                    faulty.subscribe(topic, Qos.AT_LEAST_ONCE);
                    // what came before the error in the same segment is done
                    faulty.sendHex(packet("30", string(topic), noProperties(version), "62") + hex);
                    take(other, "b");
                    take(faulty, "b");
                    if (version.isV5()) {
                        assertTrue(faulty.receive(Disconnect.class).reason().isError());
                    }
                    faulty.expectClosed();
                }
                ack(other, PacketType.PUBREC, open);
                assertEquals(
                        open.packetId(), other.receiveAck(PacketType.PUBREL).packetId());
                publisher.publish(topic, "after", Qos.AT_LEAST_ONCE);
                take(other, "after");
                // nor for his own session
                try (MqttSocket resumed = resume(broker, version, id)) {
                    take(resumed, "after");
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    @Clause(edge = {"E178"})
    void abruptEnd_isAFailure(boolean reset, RunningBroker broker) {
        for (ProtocolVersion version : ProtocolVersion.values()) {
            String topic = unique("error");
            Will will = new Will(
                    TopicName.of(topic),
                    "will".getBytes(StandardCharsets.UTF_8),
                    Qos.AT_LEAST_ONCE,
                    false,
                    Message.NO_BYTES,
                    -1,
                    0);
            try (MqttSocket subscriber = client(broker, version);
                    MqttSocket socket = client(broker, version, connect -> connect.will(will))) {
                subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
                if (reset) {
                    socket.reset();
                } else {
                    socket.closeOutput(); // FIN, while the client still reads
                    socket.expectClosed();
                }
                subscriber.expectPublish(topic, "will");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.2.0-1"},
            v3 = {"MQTT-7.1.1-1", "MQTT-7.0.0-2"})
    void tcp_carriesPacketsInAnyPieces(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("error");
        String id = string(unique("client"));
        String session = packet(
                        "10",
                        string(version.protocolName()),
                        String.format("%02x", version.level()),
                        "02 0000",
                        noProperties(version),
                        id)
                + packet("82", "0001", noProperties(version), string(topic), "01")
                + packet("32", string(topic), "0002", noProperties(version), "61")
                + "c000";
        for (int step : new int[] {1, 3, 7, session.length()}) {
            try (MqttSocket socket = broker.socket().speak(version)) {
                for (int i = 0; i < session.length(); i += 2 * step) {
                    socket.sendHex(session.substring(i, Math.min(session.length(), i + 2 * step)));
                }
                socket.receive(ConnAck.class);
                socket.receive(SubAck.class);
                boolean pubAck = false;
                boolean publish = false;
                for (int i = 0; i < 2; i++) { // in either order
                    Packet packet = socket.receive();
                    pubAck |= packet instanceof Ack;
                    publish |= packet instanceof Publish;
                }
                assertTrue(pubAck && publish);
                assertEquals(Ping.RESPONSE, socket.receive());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "ff00,MALFORMED_PACKET",
        "c100,MALFORMED_PACKET",
        "8200,MALFORMED_PACKET",
        "3001 00,MALFORMED_PACKET",
        "3100,MALFORMED_PACKET",
        "3005 0001 61 01 01,MALFORMED_PACKET", // a property without its value
        "3006 0001 61 02 7f 00,MALFORMED_PACKET", // an unknown property
        "3008 0001 61 04 01 00 01 00,PROTOCOL_ERROR", // Payload Format Indicator twice
        "3006 0001 61 02 01 02,PROTOCOL_ERROR", // Payload Format Indicator 2
        "3006 0001 61 02 0b 01,PROTOCOL_ERROR", // a Subscription Identifier from a client
        "b000,PROTOCOL_ERROR",
        "d000,PROTOCOL_ERROR",
        "300a 0001 61 07 02 00000001 24 00,MALFORMED_PACKET", // Maximum QoS is of CONNACK
        "820a 0001 02 0b 00 0001 61 00 00,PROTOCOL_ERROR", // Subscription Identifier 0
        "8209 0001 02 0b 00 0001 61 00,PROTOCOL_ERROR", // Subscription Identifier 0
        "820b 0001 04 0b 01 0b 02 0001 61 00,PROTOCOL_ERROR", // two of them
    })
    @Clause(v5 = {"MQTT-4.13.1-1"})
    void error_isAnsweredByItsReasonCode(String hex, ReasonCode reason, RunningBroker broker) {
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.sendHex(hex);
            socket.expectDisconnect(reason);
        }
    }
}
