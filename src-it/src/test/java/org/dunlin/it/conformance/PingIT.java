package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.frame;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** PINGREQ and PINGRESP. */
@Broker
class PingIT {
    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.12.4-1"},
            v3 = {"MQTT-3.12.4-1"})
    void pingReq_isAnsweredByPingResp(ProtocolVersion version, RunningBroker broker) {
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex("c000");
            assertEquals("d000", frame(socket));
            socket.sendHex("c000 c000 c000");
            assertEquals("d000d000d000", frame(socket) + frame(socket) + frame(socket));
        }
    }

    @ParameterizedTest
    @CsvSource({"MQTT_5,c1 00", "MQTT_3_1_1,c1 00", "MQTT_5,c0 01 00", "MQTT_3_1_1,c0 01 00"})
    @Clause(
            v5 = {"MQTT-4.13.1-1"},
            v3 = {"MQTT-4.8.0-1"})
    void malformedPingReq_closes(ProtocolVersion version, String hex, RunningBroker broker) {
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex(hex);
            socket.expectDisconnect(ReasonCode.MALFORMED_PACKET);
        }
    }
}
