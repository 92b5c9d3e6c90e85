package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.client;
import static org.dunlin.it.conformance.Parties.unique;
import static org.dunlin.it.conformance.Parties.will;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Subscribe;
import org.junit.jupiter.api.Test;

/** A broker with QoS 0 alone and no topic aliases. */
@Broker(settings = {"limits.max-qos=0", "limits.topic-alias-maximum=0"})
class LeastBrokerIT {
    @Test
    @Clause(
            v5 = {"MQTT-3.2.2-9"},
            edge = {"E034"})
    void connAck_announcesQos0AndNoAliases(RunningBroker broker) {
        try (MqttSocket socket = broker.socket()) {
            ConnAck.Properties announced = socket.connect(
                            Connect.builder(MQTT_5, unique("least")).build())
                    .properties();
            assertEquals(0, announced.maximumQos());
            Integer aliases = announced.topicAliasMaximum();
            assertTrue(aliases == null || aliases == 0);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.2.2-10", "MQTT-3.2.2-11", "MQTT-3.2.2-12"},
            edge = {"E071", "E088"})
    void qos1And2_areGranted0AndRefused(RunningBroker broker) {
        String topic = unique("least");
        for (Qos qos : new Qos[] {Qos.AT_LEAST_ONCE, Qos.EXACTLY_ONCE}) {
            try (MqttSocket socket = client(broker, MQTT_5)) {
                assertEquals(
                        ReasonCode.SUCCESS,
                        socket.subscribe(new Subscribe.Entry(topic, qos))
                                .reasons()
                                .get(0));
                socket.publish(topic, "x", Qos.AT_MOST_ONCE);
                socket.expectPublish(topic, "x");
                socket.send(new Publish(MqttSocket.message(topic, "x", qos, false), 1, false));
                assertEquals(
                        ReasonCode.QOS_NOT_SUPPORTED,
                        socket.receive(Disconnect.class).reason());
                socket.expectClosed();
            }
            try (MqttSocket socket = broker.socket()) {
                socket.expectRefused(
                        Connect.builder(MQTT_5, unique("least"))
                                .will(will(topic, "will", qos, false, 0))
                                .build(),
                        ReasonCode.QOS_NOT_SUPPORTED);
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.2.2-18", "MQTT-3.1.2-27"},
            edge = {"E080"})
    void topicAlias_isInvalid(RunningBroker broker) {
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.send(RawPacket.of(0x30)
                    .utf8(unique("least"))
                    .properties(RawPacket.part().hex("23 0001"))
                    .bytes());
            socket.expectDisconnect(ReasonCode.TOPIC_ALIAS_INVALID);
        }
    }
}
