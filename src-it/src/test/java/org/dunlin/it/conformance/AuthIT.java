package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.packet;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** AUTH towards a broker that knows no method. */
@Broker
class AuthIT {
    @ParameterizedTest
    @ValueSource(strings = {"no-such", "SCRAM-SHA-1", ""})
    @Clause(
            v5 = {"MQTT-4.12.0-1"},
            edge = {"E170"})
    void unknownMethod_isRefused(String method, RunningBroker broker) {
        Connect connect = Connect.builder(MQTT_5, unique("client"))
                .authentication(method, new byte[] {1})
                .build();
        try (MqttSocket socket = broker.socket()) {
            socket.expectRefused(connect, ReasonCode.BAD_AUTHENTICATION_METHOD);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-4.12.0-6"},
            edge = {"E171"})
    void withoutMethod_thereIsNoneInConnAckAndNoAuth(RunningBroker broker) {
        try (MqttSocket socket = broker.socket()) {
            ConnAck connAck =
                    socket.connect(Connect.builder(MQTT_5, unique("client")).build()); // not an AUTH
            assertNull(connAck.properties().authenticationMethod());
            assertNull(connAck.properties().authenticationData());
            socket.expectNothing();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "f0 07 19 05 15 0002 6162", // re-authentication by method "ab"
                "f0 07 18 05 15 0002 6162", // to be continued
                "f0 07 00 05 15 0002 6162", // success
                "f0 00", // success, no properties
            })
    @Clause(
            v5 = {"MQTT-4.12.0-7", "MQTT-3.15.2-1"},
            edge = {"E171", "E175"})
    void authWithoutMethodInConnect_closes(String hex, RunningBroker broker) {
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.sendHex(hex);
            socket.expectDisconnect(ReasonCode.PROTOCOL_ERROR);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"f1", "f2", "f8"})
    @Clause(v5 = {"MQTT-3.15.1-1"})
    void wrongFlags_close(String first, RunningBroker broker) {
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.sendHex(packet(first, "19 05 15 0002 6162"));
            socket.expectDisconnect(ReasonCode.MALFORMED_PACKET);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"01", "04", "80", "87", "ff"})
    @Clause(v5 = {"MQTT-3.15.2-1"})
    void reasonCodeThatIsNotOfTheTable_closes(String code, RunningBroker broker) {
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.sendHex(packet("f0", code, "05 15 0002 6162"));
            socket.expectDisconnect(ReasonCode.PROTOCOL_ERROR);
        }
    }

    @ParameterizedTest
    @CsvSource({"MQTT_3_1", "MQTT_3_1_1"})
    @Clause(v3 = {"MQTT-4.8.0-1"})
    void authFromV3Client_closes(ProtocolVersion version, RunningBroker broker) {
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex("f000");
            socket.expectClosed();
        }
    }
}
