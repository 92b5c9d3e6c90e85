package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.frame;
import static org.dunlin.it.conformance.Clients.packet;
import static org.dunlin.it.conformance.Clients.string;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Wildcards and shared subscriptions that the operator has switched off. */
@Broker(settings = {"limits.wildcard-subscriptions=false", "limits.shared-subscriptions=false"})
class SwitchedOffIT {
    @ParameterizedTest
    @ValueSource(strings = {"#", "a/#", "a/+/b", "+"})
    @Clause(edge = {"E150"})
    void wildcard_fromV5Client_disconnects(String filter, RunningBroker broker) {
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.sendHex(packet("82", "0001", "00", string("plain"), "00", string(filter), "00"));
            socket.expectDisconnect(ReasonCode.WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED);
        }
    }

    @Test
    @Clause(edge = {"E150"})
    void share_fromV5Client_disconnects(RunningBroker broker) {
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.sendHex(packet("82", "0001", "00", string("$share/g/a"), "00"));
            socket.expectDisconnect(ReasonCode.SHARED_SUBSCRIPTIONS_NOT_SUPPORTED);
        }
    }

    @Test
    @Clause(
            v3 = {"MQTT-3.8.3-2", "MQTT-3.9.3-2"},
            edge = {"E150"})
    void bothFromV311Client_areRefusedInSubAck(RunningBroker broker) {
        String topic = unique("plain");
        try (MqttSocket socket = client(broker, MQTT_3_1_1)) {
            socket.sendHex(packet(
                    "82",
                    "0001",
                    string("a/#"),
                    "00",
                    string(topic),
                    "01",
                    string("$share/g/a"),
                    "02",
                    string("+"),
                    "00"));
            assertEquals("9006000180018080", frame(socket));
            socket.publish(topic, "m", Qos.AT_MOST_ONCE);
            socket.expectPublish(topic, "m");
        }
    }
}
