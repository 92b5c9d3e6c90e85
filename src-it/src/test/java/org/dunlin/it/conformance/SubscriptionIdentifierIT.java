package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.ack;
import static org.dunlin.it.conformance.Clients.begin;
import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.expectNothingMore;
import static org.dunlin.it.conformance.Clients.packet;
import static org.dunlin.it.conformance.Clients.resume;
import static org.dunlin.it.conformance.Clients.retained;
import static org.dunlin.it.conformance.Clients.string;
import static org.dunlin.it.conformance.Clients.subscribe;
import static org.dunlin.it.conformance.Clients.take;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.Subscribe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Subscription Identifiers, and subscriptions that overlap. */
@Broker
class SubscriptionIdentifierIT {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "02 0b00", // 0
                "04 0b01 0b01", // twice
                "03 0b8000", // 0 in two bytes
            })
    @Clause(edge = {"E142"})
    void wrongIdentifier_closes(String properties, RunningBroker broker) {
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.sendHex(packet("82", "0001", properties, string(unique("id")), "00"));
            assertTrue(socket.receive(Disconnect.class).reason().isError());
            socket.expectClosed();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 127, 128, 268_435_455})
    @Clause(edge = {"E142"})
    void identifier_countsForAllFiltersAndSurvivesResume(int identifier, RunningBroker broker) {
        String topic = unique("id");
        String id = unique("client");
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            try (MqttSocket subscriber = begin(broker, MQTT_5, id)) {
                subscriber.subscribe(
                        identifier,
                        new Subscribe.Entry(topic + "/a", Qos.AT_LEAST_ONCE),
                        new Subscribe.Entry(topic + "/b/#", Qos.AT_LEAST_ONCE));
                subscriber.subscribe(topic + "/c", Qos.AT_LEAST_ONCE);
                for (String level : List.of("/a", "/b", "/b/c")) {
                    publisher.publish(topic + level, "m", Qos.AT_LEAST_ONCE);
                    assertEquals(
                            List.of(identifier),
                            subscriber.expectPublish(topic + level, "m").subscriptionIds());
                }
                publisher.publish(topic + "/c", "m", Qos.AT_LEAST_ONCE);
                assertEquals(
                        List.of(), subscriber.expectPublish(topic + "/c", "m").subscriptionIds());
                subscriber.disconnect();
            }
            publisher.publish(topic + "/a", "queued", Qos.AT_LEAST_ONCE);
            try (MqttSocket subscriber = resume(broker, MQTT_5, id)) {
                assertEquals(
                        List.of(identifier),
                        subscriber.expectPublish(topic + "/a", "queued").subscriptionIds());
                publisher.publish(topic + "/a", "live", Qos.AT_LEAST_ONCE);
                assertEquals(
                        List.of(identifier),
                        subscriber.expectPublish(topic + "/a", "live").subscriptionIds());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E143"})
    void overlap_givesOneCopyAtTheHighestQos(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("id");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket subscriber = client(broker, version)) {
            subscriber.subscribe(topic + "/#", Qos.AT_MOST_ONCE);
            subscriber.subscribe(topic + "/+", Qos.EXACTLY_ONCE);
            subscriber.subscribe(topic + "/a", Qos.AT_LEAST_ONCE);
            publisher.publish(topic + "/a", "m", Qos.EXACTLY_ONCE);
            assertEquals(
                    Qos.EXACTLY_ONCE,
                    subscriber.expectPublish(topic + "/a", "m").message().qos());
            expectNothingMore(publisher, subscriber);
            subscriber.unsubscribe(topic + "/+");
            publisher.publish(topic + "/a", "m", Qos.EXACTLY_ONCE);
            assertEquals(
                    Qos.AT_LEAST_ONCE,
                    subscriber.expectPublish(topic + "/a", "m").message().qos());
            expectNothingMore(publisher, subscriber);
        }
    }

    @Test
    @Clause(edge = {"E143"})
    void overlap_carriesAllIdentifiers(RunningBroker broker) {
        String topic = unique("id");
        String id = unique("client");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket subscriber = begin(broker, MQTT_5, id)) {
            subscribe(subscriber, 3, topic + "/#", Qos.AT_LEAST_ONCE);
            subscribe(subscriber, 1, topic + "/+", Qos.AT_LEAST_ONCE);
            subscribe(subscriber, 0, topic + "/a/#", Qos.AT_LEAST_ONCE);
            subscribe(subscriber, 3, topic + "/a", Qos.AT_LEAST_ONCE); // an equal one is repeated
            for (Qos qos : Qos.values()) {
                publisher.publish(topic + "/a", "m", qos);
                List<Integer> ids = new ArrayList<>(
                        subscriber.expectPublish(topic + "/a", "m").subscriptionIds());
                ids.sort(null);
                assertEquals(List.of(1, 3, 3), ids);
                subscriber.expectNothing();
            }
            subscriber.disconnect();
            publisher.publish(topic + "/a", "queued", Qos.AT_LEAST_ONCE);
            try (MqttSocket resumed = resume(broker, MQTT_5, id)) {
                List<Integer> ids = new ArrayList<>(
                        resumed.expectPublish(topic + "/a", "queued").subscriptionIds());
                ids.sort(null);
                assertEquals(List.of(1, 3, 3), ids);
            }
        }
    }

    @Test
    @Clause(edge = {"E144"})
    void overlap_deliversIfAnyIsNotNoLocal_andRetainsIfAnyAsksForIt(RunningBroker broker) {
        String topic = unique("id");
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.subscribe(
                    1, new Subscribe.Entry(topic, Qos.AT_LEAST_ONCE, true, true, Subscribe.RetainHandling.DO_NOT_SEND));
            socket.subscribe(
                    2,
                    new Subscribe.Entry(topic + "/#", Qos.AT_MOST_ONCE, false, false, Subscribe.RetainHandling.SEND));
            socket.publish(topic, "own", Qos.AT_MOST_ONCE);
            assertEquals(List.of(2), socket.expectPublish(topic, "own").subscriptionIds());
            try (MqttSocket other = client(broker, MQTT_5)) {
                other.publish(retained(topic, "other", Qos.AT_LEAST_ONCE));
                Publish publish = socket.expectPublish(topic, "other");
                assertTrue(publish.message().retain());
                assertEquals(Qos.AT_LEAST_ONCE, publish.message().qos());
                assertEquals(2, publish.subscriptionIds().size());
                other.publish(retained(topic, "", Qos.AT_MOST_ONCE));
                socket.expectPublish(topic, "");
                expectNothingMore(other, socket);
            }
        }
    }

    @Test
    @Clause(edge = {"E145"})
    void queuedMessages_keepTheIdentifierOfTheirMatchOrHaveTheNewOne(RunningBroker broker) {
        String topic = unique("id");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket subscriber = client(broker, MQTT_5, connect -> connect.receiveMaximum(1))) {
            subscribe(subscriber, 1, topic, Qos.AT_LEAST_ONCE);
            for (int i = 0; i < 3; i++) {
                publisher.publish(topic, "" + i, Qos.AT_LEAST_ONCE);
            }
            Publish publish = take(subscriber, "0");
            assertEquals(List.of(1), publish.subscriptionIds());
            subscribe(subscriber, 2, topic, Qos.AT_LEAST_ONCE);
            publisher.publish(topic, "3", Qos.AT_LEAST_ONCE);
            boolean isNew = false;
            for (int i = 1; i < 4; i++) {
                ack(subscriber, PacketType.PUBACK, publish);
                publish = take(subscriber, "" + i);
                assertEquals(1, publish.subscriptionIds().size());
                int identifier = publish.subscriptionIds().get(0);
                assertTrue(identifier == 2 || identifier == 1 && !isNew);
                isNew |= identifier == 2;
            }
            assertTrue(isNew);
        }
    }
}
