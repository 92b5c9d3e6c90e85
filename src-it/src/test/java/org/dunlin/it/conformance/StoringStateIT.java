package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.ack;
import static org.dunlin.it.conformance.Clients.begin;
import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.expectNothingMore;
import static org.dunlin.it.conformance.Clients.expectNumbers;
import static org.dunlin.it.conformance.Clients.pass;
import static org.dunlin.it.conformance.Clients.publish;
import static org.dunlin.it.conformance.Clients.resume;
import static org.dunlin.it.conformance.Clients.retained;
import static org.dunlin.it.conformance.Clients.take;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Will;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Session state: what is kept, for how long, and what ends with it. */
@Broker
class StoringStateIT {
    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.1.0-1"},
            v3 = {"MQTT-4.1.0-1", "MQTT-4.1.0-2"})
    void stateOfAnIdleConnection_stays(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("state");
        // v5 with a Session Expiry Interval of 0, 3.x with a clean session: the state is the connection's
        try (MqttSocket publisher = client(broker, version);
                MqttSocket subscriber = client(broker, version)) {
            subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
            publisher.publish(topic, "1", Qos.EXACTLY_ONCE);
            Publish first = take(subscriber, "1");
            publisher.send(publish(topic, "2", Qos.EXACTLY_ONCE, 4, false));
            publisher.receiveAck(PacketType.PUBREC);
            take(subscriber, "2");
            pass(2_000);
            ack(subscriber, PacketType.PUBREC, first);
            Ack pubRel = subscriber.receiveAck(PacketType.PUBREL);
            assertEquals(ReasonCode.SUCCESS, pubRel.reason());
            publisher.send(new Ack(PacketType.PUBREL, 4));
            assertEquals(
                    ReasonCode.SUCCESS, publisher.receiveAck(PacketType.PUBCOMP).reason());
            publisher.publish(topic, "3", Qos.AT_LEAST_ONCE);
            take(subscriber, "3");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_3_1_1", "MQTT_5"})
    @Clause(
            v5 = {"MQTT-4.1.0-1"},
            v3 = {"MQTT-4.1.0-1"})
    void stateOfALastingSession_outlivesItsConnection(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("state");
        String id = unique("client");
        begin(broker, version, id).subscribe(topic, Qos.AT_LEAST_ONCE).disconnect();
        pass(1_200);
        try (MqttSocket publisher = client(broker, version)) {
            publisher.publish(topic, "m", Qos.AT_LEAST_ONCE);
            try (MqttSocket subscriber = resume(broker, version, id)) {
                subscriber.expectPublish(topic, "m");
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-4.1.0-2"},
            edge = {"E061"})
    void stateIsDiscarded_onceTheExpiryIntervalHasPassed(RunningBroker broker) {
        String topic = unique("state");
        String id = unique("client");
        Connect connect = Connect.builder(MQTT_5, id)
                .cleanStart(false)
                .sessionExpirySeconds(1)
                .build();
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            try (MqttSocket subscriber = broker.socket()) {
                subscriber.connect(connect);
                subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
                subscriber.subscribe("$share/g/" + topic + "/shared", Qos.AT_LEAST_ONCE);
                publisher.publish(topic, "open", Qos.EXACTLY_ONCE);
                take(subscriber, "open");
                subscriber.send(publish(topic + "/nobody", "x", Qos.EXACTLY_ONCE, 17, false));
                subscriber.receiveAck(PacketType.PUBREC);
                subscriber.reset();
            }
            publisher.publish(topic, "queued", Qos.AT_LEAST_ONCE);
            publisher.publish(retained(topic + "/retained", "r", Qos.AT_LEAST_ONCE));
            pass(2_500);
            try (MqttSocket subscriber = broker.socket()) {
                assertFalse(subscriber.connect(connect).sessionPresent());
                publisher.publish(topic, "nobody's", Qos.AT_LEAST_ONCE);
                expectNothingMore(publisher, subscriber);
                subscriber.send(new Ack(PacketType.PUBREL, 17)); // the open inbound QoS 2 identifier is gone, too
                assertEquals(
                        ReasonCode.PACKET_IDENTIFIER_NOT_FOUND,
                        subscriber.receiveAck(PacketType.PUBCOMP).reason());
                subscriber.subscribe(topic + "/retained", Qos.AT_LEAST_ONCE); // retained messages stay
                subscriber.expectPublish(topic + "/retained", "r");
            }
            publisher.publish(retained(topic + "/retained", "", Qos.AT_LEAST_ONCE));
        }
    }

    @Test
    @Clause(edge = {"E061"})
    void endOfTheSession_publishesThePendingWill(RunningBroker broker) {
        String topic = unique("state");
        Will will = new Will(
                TopicName.of(topic),
                "will".getBytes(StandardCharsets.UTF_8),
                Qos.AT_LEAST_ONCE,
                false,
                Message.NO_BYTES,
                -1,
                3600);
        try (MqttSocket subscriber = client(broker, MQTT_5)) {
            subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
            MqttSocket socket =
                    client(broker, MQTT_5, connect -> connect.will(will).sessionExpirySeconds(1));
            socket.close();
            subscriber.expectPublish(topic, "will");
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.5.0-1"},
            v3 = {"MQTT-4.5.0-1"},
            edge = {"E059", "E121"})
    void message_isAddedToEverySessionThatMatches(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("state");
        String offline = unique("client");
        String failed = unique("client");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket connected = client(broker, version);
                MqttSocket other = client(broker, version);
                MqttSocket gone = begin(broker, version, failed)) {
            begin(broker, version, offline)
                    .subscribe(topic + "/#", Qos.AT_LEAST_ONCE)
                    .disconnect();
            gone.subscribe(topic, Qos.EXACTLY_ONCE);
            gone.reset();
            connected.subscribe(topic, Qos.EXACTLY_ONCE);
            other.subscribe(topic + "/+", Qos.AT_MOST_ONCE); // does not match
            for (Qos qos : List.of(Qos.AT_LEAST_ONCE, Qos.EXACTLY_ONCE)) {
                publisher.publish(topic, "m" + qos.value(), qos);
            }
            // acknowledged, so they are in all of the sessions by now
            connected.expectPublish(topic, "m1");
            connected.expectPublish(topic, "m2");
            expectNothingMore(publisher, other);
            try (MqttSocket subscriber = resume(broker, version, offline)) {
                for (String payload : List.of("m1", "m2")) {
                    assertEquals(
                            Qos.AT_LEAST_ONCE,
                            subscriber.expectPublish(topic, payload).message().qos());
                }
                expectNothingMore(publisher, subscriber);
            }
            try (MqttSocket subscriber = resume(broker, version, failed)) {
                assertEquals(
                        Qos.AT_LEAST_ONCE,
                        subscriber.expectPublish(topic, "m1").message().qos());
                assertEquals(
                        Qos.EXACTLY_ONCE,
                        subscriber.expectPublish(topic, "m2").message().qos());
                expectNothingMore(publisher, subscriber);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E121"})
    void acknowledgedMessages_surviveTheEndOfTheirPublisher(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("state");
        String id = unique("client");
        begin(broker, version, id).subscribe(topic, Qos.EXACTLY_ONCE).disconnect();
        for (int i = 0; i < 20; i++) {
            try (MqttSocket publisher = client(broker, version)) {
                if (i % 2 == 0) {
                    publisher.publish(topic, "" + i, Qos.AT_LEAST_ONCE);
                } else { // a QoS 2 message is the broker's from PUBREC on
                    publisher.send(publish(topic, "" + i, Qos.EXACTLY_ONCE, 1, false));
                    publisher.receiveAck(PacketType.PUBREC);
                }
                publisher.reset();
            }
        }
        try (MqttSocket subscriber = resume(broker, version, id)) {
            expectNumbers(subscriber, 0, 20);
        }
    }
}
