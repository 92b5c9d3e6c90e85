package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.client;
import static org.dunlin.it.conformance.Parties.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.Subscribe.RetainHandling;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Several subscriptions of one client that match a message: one copy, at the highest QoS, with all identifiers. */
@Broker
class OverlapIT {
    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.3.4-2"},
            v3 = {"MQTT-3.3.5-1"},
            edge = {"E143"})
    void oneCopy_comesAtTheHighestQos(ProtocolVersion version, RunningBroker broker) {
        Qos[][] granted = {
            {Qos.AT_MOST_ONCE, Qos.EXACTLY_ONCE},
            {Qos.EXACTLY_ONCE, Qos.AT_MOST_ONCE},
            {Qos.AT_LEAST_ONCE, Qos.AT_MOST_ONCE},
            {Qos.AT_MOST_ONCE, Qos.AT_MOST_ONCE},
            {Qos.EXACTLY_ONCE, Qos.AT_LEAST_ONCE},
        };
        for (Qos[] pair : granted) {
            String prefix = unique("over");
            try (MqttSocket socket = client(broker, version);
                    MqttSocket publisher = client(broker, version)) {
                socket.subscribe(prefix + "/#", pair[0]);
                socket.subscribe(prefix + "/+", pair[1]);
                for (Qos qos : Qos.values()) {
                    publisher.publish(prefix + "/a", "x", qos);
                    Publish publish = socket.expectPublish(prefix + "/a", "x");
                    assertEquals(
                            Qos.min(qos, Qos.max(pair[0], pair[1])),
                            publish.message().qos());
                    socket.expectNothing();
                }
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.3.4-3", "MQTT-3.3.4-4"},
            edge = {"E143", "E182"})
    void subscriptionIdentifiers_areThoseOfAllMatchingSubscriptions(RunningBroker broker) {
        String prefix = unique("over");
        for (ProtocolVersion version : ProtocolVersion.values()) {
            try (MqttSocket socket = client(broker, MQTT_5);
                    MqttSocket publisher = client(broker, version)) {
                socket.subscribe(5, new Subscribe.Entry(prefix + "/a", Qos.AT_MOST_ONCE));
                socket.subscribe(0, new Subscribe.Entry(prefix + "/+", Qos.AT_LEAST_ONCE)); // has none
                publisher.publish(prefix + "/a", "1", Qos.AT_LEAST_ONCE);
                assertEquals(
                        List.of(5), socket.expectPublish(prefix + "/a", "1").subscriptionIds());
                socket.subscribe(268_435_455, new Subscribe.Entry(prefix + "/#", Qos.EXACTLY_ONCE));
                publisher.publish(prefix + "/a", "2", Qos.AT_LEAST_ONCE);
                assertEquals(
                        List.of(5, 268_435_455),
                        socket.expectPublish(prefix + "/a", "2").subscriptionIds().stream()
                                .sorted()
                                .toList());
                publisher.publish(prefix + "/b", "3", Qos.AT_LEAST_ONCE);
                assertEquals(
                        List.of(268_435_455),
                        socket.expectPublish(prefix + "/b", "3").subscriptionIds());
                socket.expectNothing();
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.3.1-12", "MQTT-3.3.1-13"},
            edge = {"E144"})
    void optionsThatDiffer_areJoined(RunningBroker broker) {
        String prefix = unique("over");
        try (MqttSocket socket = client(broker, MQTT_5);
                MqttSocket publisher = client(broker, MQTT_5)) {
            socket.subscribe(
                    new Subscribe.Entry(prefix + "/#", Qos.AT_LEAST_ONCE, true, true, RetainHandling.DO_NOT_SEND));
            socket.subscribe(
                    new Subscribe.Entry(prefix + "/+", Qos.AT_MOST_ONCE, false, false, RetainHandling.DO_NOT_SEND));
            publisher.publish(MqttSocket.message(prefix + "/a", "x", Qos.AT_LEAST_ONCE, true));
            Publish publish = socket.expectPublish(prefix + "/a", "x");
            assertEquals(true, publish.message().retain()); // 1, since one of them has Retain As Published
            assertEquals(Qos.AT_LEAST_ONCE, publish.message().qos());
            // Its own: not for the subscription with No Local, but for the other.
            socket.send(new Publish(MqttSocket.message(prefix + "/a", "own", Qos.AT_MOST_ONCE, false), 0, false));
            Publish own = socket.expectPublish(prefix + "/a", "own");
            assertEquals(Qos.AT_MOST_ONCE, own.message().qos());
            socket.expectNothing();
        }
    }
}
