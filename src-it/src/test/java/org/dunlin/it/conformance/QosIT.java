package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.ack;
import static org.dunlin.it.conformance.Clients.begin;
import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.expectNothingMore;
import static org.dunlin.it.conformance.Clients.frame;
import static org.dunlin.it.conformance.Clients.noProperties;
import static org.dunlin.it.conformance.Clients.packet;
import static org.dunlin.it.conformance.Clients.pass;
import static org.dunlin.it.conformance.Clients.publish;
import static org.dunlin.it.conformance.Clients.resume;
import static org.dunlin.it.conformance.Clients.string;
import static org.dunlin.it.conformance.Clients.take;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The three qualities of service, as a receiver and as a sender, without a break of the connection. */
@Broker
class QosIT {
    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.3.1-1"},
            v3 = {"MQTT-4.3.1-1"})
    void qos0_goesOutOnceWithQos0AndDup0(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("qos0");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket subscriber = client(broker, version)) {
            subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
            publisher.publish(topic, "m", Qos.AT_MOST_ONCE);
            assertEquals(packet("30", string(topic), noProperties(version), "6d"), frame(subscriber));
            expectNothingMore(publisher, subscriber);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.3.2-1", "MQTT-4.3.2-2", "MQTT-4.3.3-1", "MQTT-4.3.3-2"},
            v3 = {"MQTT-4.3.2-1", "MQTT-4.3.3-1"})
    void newMessages_goOutWithDup0AndAnUnusedIdentifier(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("qos12");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket subscriber = client(broker, version)) {
            subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
            Set<Integer> open = new HashSet<>();
            for (int i = 0; i < 40; i++) {
                Qos qos = i % 2 == 0 ? Qos.AT_LEAST_ONCE : Qos.EXACTLY_ONCE;
                publisher.publish(topic, "" + i, qos);
                Publish publish = take(subscriber, "" + i);
                assertEquals(qos, publish.message().qos());
                assertFalse(publish.dup());
                assertTrue(publish.packetId() > 0);
                assertTrue(open.add(publish.packetId()), "in use: " + publish.packetId());
                // a third of them is acknowledged at once, a third goes half the way of QoS 2
                if (qos == Qos.AT_LEAST_ONCE && i % 3 == 0) {
                    ack(subscriber, PacketType.PUBACK, publish);
                    open.remove(publish.packetId());
                } else if (qos == Qos.EXACTLY_ONCE && i % 3 == 1) {
                    ack(subscriber, PacketType.PUBREC, publish);
                    assertEquals(
                            publish.packetId(),
                            subscriber.receiveAck(PacketType.PUBREL).packetId());
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.3.2-5"},
            v3 = {"MQTT-4.3.2-2"})
    void afterPubAck_theIdentifierMeansANewMessage(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("qos1");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket subscriber = client(broker, version)) {
            subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
            for (int i = 0; i < 3; i++) {
                publisher.send(publish(topic, "m", Qos.AT_LEAST_ONCE, 1, i > 0)); // DUP says nothing to the receiver
                assertEquals(1, publisher.receiveAck(PacketType.PUBACK).packetId());
                assertFalse(subscriber.expectPublish(topic, "m").dup());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.3.3-8", "MQTT-4.3.3-10", "MQTT-4.3.3-11", "MQTT-4.3.3-12"},
            v3 = {"MQTT-4.3.3-2"})
    void qos2_isDeliveredOnceHoweverOftenItIsSent(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("qos2");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket subscriber = client(broker, version)) {
            subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
            for (int flow = 0; flow < 2; flow++) {
                for (int i = 0; i < 3; i++) {
                    publisher.send(publish(topic, "m" + flow, Qos.EXACTLY_ONCE, 1, i > 0));
                    assertEquals(1, publisher.receiveAck(PacketType.PUBREC).packetId());
                }
                subscriber.expectPublish(topic, "m" + flow);
                publisher.send(new Ack(PacketType.PUBREL, 1));
                Ack pubComp = publisher.receiveAck(PacketType.PUBCOMP);
                assertEquals(1, pubComp.packetId());
                assertEquals(ReasonCode.SUCCESS, pubComp.reason());
                // once more: its PUBCOMP may have been lost
                publisher.send(new Ack(PacketType.PUBREL, 1));
                assertEquals(1, publisher.receiveAck(PacketType.PUBCOMP).packetId());
                expectNothingMore(publisher, subscriber);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.3.3-10", "MQTT-4.3.3-11", "MQTT-4.3.3-12"},
            v3 = {"MQTT-4.3.3-2"})
    void qos2_isDeliveredOnceAcrossConnections(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("qos2");
        String id = unique("client");
        try (MqttSocket subscriber = client(broker, version)) {
            subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
            try (MqttSocket publisher = begin(broker, version, id)) {
                publisher.send(publish(topic, "m", Qos.EXACTLY_ONCE, 9, false));
                publisher.receiveAck(PacketType.PUBREC);
                publisher.disconnect();
            }
            subscriber.expectPublish(topic, "m");
            try (MqttSocket publisher = resume(broker, version, id)) {
                publisher.send(publish(topic, "m", Qos.EXACTLY_ONCE, 9, true));
                Ack pubRec = publisher.receiveAck(PacketType.PUBREC);
                assertEquals(9, pubRec.packetId());
                assertFalse(pubRec.reason().isError());
                publisher.disconnect();
            }
            try (MqttSocket publisher = resume(broker, version, id)) {
                publisher.send(new Ack(PacketType.PUBREL, 9));
                Ack pubComp = publisher.receiveAck(PacketType.PUBCOMP);
                assertEquals(9, pubComp.packetId());
                assertEquals(ReasonCode.SUCCESS, pubComp.reason());
                expectNothingMore(publisher, subscriber);
                publisher.send(publish(topic, "new", Qos.EXACTLY_ONCE, 9, false));
                publisher.receiveAck(PacketType.PUBREC);
                subscriber.expectPublish(topic, "new");
            }
        }
    }

    @Test
    @Clause(v5 = {"MQTT-4.3.3-9"})
    void afterARefusedPubRec_theIdentifierMeansANewMessage(RunningBroker broker) {
        String topic = unique("qos2");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket subscriber = client(broker, MQTT_5)) {
            subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
            publisher.send(publish("$SYS/" + topic, "refused", Qos.EXACTLY_ONCE, 3, false));
            assertEquals(
                    ReasonCode.TOPIC_NAME_INVALID,
                    publisher.receiveAck(PacketType.PUBREC).reason());
            publisher.send(publish(topic, "m", Qos.EXACTLY_ONCE, 3, false));
            Ack pubRec = publisher.receiveAck(PacketType.PUBREC);
            assertEquals(3, pubRec.packetId());
            assertEquals(ReasonCode.SUCCESS, pubRec.reason());
            subscriber.expectPublish(topic, "m");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"80", "83", "87", "90", "91", "97", "99"})
    @Clause(
            v5 = {"MQTT-4.3.3-4"},
            edge = {"E105"})
    void refusingPubRec_endsTheFlowAndFreesThePlace(String code, RunningBroker broker) {
        String topic = unique("qos2");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket subscriber = client(broker, MQTT_5, connect -> connect.receiveMaximum(1))) {
            subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
            publisher.publish(topic, "1", Qos.EXACTLY_ONCE);
            publisher.publish(topic, "2", Qos.EXACTLY_ONCE);
            Publish first = take(subscriber, "1");
            subscriber.sendHex(packet("50", String.format("%04x", first.packetId()), code));
            subscriber.expectPublish(topic, "2"); // no PUBREL in between
            subscriber.expectNothing();
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.3.3-4", "MQTT-4.3.3-6"},
            v3 = {"MQTT-4.3.3-1"})
    void repeatedPubRec_isAnsweredByPubRelAgain(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("qos2");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket subscriber = client(broker, version)) {
            subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
            publisher.publish(topic, "m", Qos.EXACTLY_ONCE);
            Publish publish = take(subscriber, "m");
            for (int i = 0; i < 2; i++) {
                ack(subscriber, PacketType.PUBREC, publish);
                Ack pubRel = subscriber.receiveAck(PacketType.PUBREL);
                assertEquals(publish.packetId(), pubRel.packetId());
                assertEquals(ReasonCode.SUCCESS, pubRel.reason());
            }
            ack(subscriber, PacketType.PUBCOMP, publish);
            subscriber.expectNothing();
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E110"})
    void acknowledgementsInAnotherOrder_areTaken(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("qos");
        String id = unique("client");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket subscriber = begin(broker, version, id)) {
            subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
            List<Publish> open = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                publisher.publish(topic, "" + i, i % 2 == 0 ? Qos.AT_LEAST_ONCE : Qos.EXACTLY_ONCE);
                open.add(take(subscriber, "" + i));
            }
            for (int i = 9; i >= 0; i--) {
                if (i == 4) {
                    continue;
                }
                Publish publish = open.get(i);
                if (i % 2 == 0) {
                    ack(subscriber, PacketType.PUBACK, publish);
                } else {
                    ack(subscriber, PacketType.PUBREC, publish);
                    assertEquals(
                            publish.packetId(),
                            subscriber.receiveAck(PacketType.PUBREL).packetId());
                    ack(subscriber, PacketType.PUBCOMP, publish);
                }
            }
            subscriber.disconnect();
            try (MqttSocket resumed = resume(broker, version, id)) {
                resumed.expectPublish(topic, "4"); // the one that was left out
                expectNothingMore(publisher, resumed);
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-4.3.3-13"},
            v3 = {},
            edge = {"E115"})
    void expiryOfAnInboundMessage_doesNotStopItsAcknowledgement(RunningBroker broker) {
        String topic = unique("qos2");
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            // QoS 2, packet identifier 5, Message Expiry Interval 1
            publisher.sendHex(packet("34", string(topic), "0005", "05 02 00000001", "61"));
            publisher.receiveAck(PacketType.PUBREC);
            pass(1300);
            publisher.sendHex(packet("3c", string(topic), "0005", "05 02 00000001", "61"));
            assertFalse(publisher.receiveAck(PacketType.PUBREC).reason().isError());
            publisher.send(new Ack(PacketType.PUBREL, 5));
            assertEquals(
                    ReasonCode.SUCCESS, publisher.receiveAck(PacketType.PUBCOMP).reason());
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E111"})
    void packetIdentifiers_wrapAndSkipTheOpenOnes(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("qos1");
        int count = 66_000;
        try (MqttSocket publisher = client(broker, version);
                MqttSocket subscriber = client(broker, version)) {
            subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
            Set<Integer> held = new HashSet<>();
            int received = 0;
            for (int sent = 0; sent < count; sent += 50) {
                Packet[] batch = new Packet[50];
                for (int i = 0; i < 50; i++) {
                    batch[i] = publish(topic, "m", Qos.AT_LEAST_ONCE, i + 1, false);
                }
                publisher.send(batch);
                List<Packet> acks = new ArrayList<>();
                for (int i = 0; i < 50; i++, received++) {
                    Publish publish = subscriber.receive(Publish.class);
                    assertTrue(publish.packetId() >= 1 && publish.packetId() <= 65_535);
                    assertFalse(held.contains(publish.packetId()), "in use: " + publish.packetId());
                    if (received == 0 || received == 20 || received == 21) {
                        held.add(publish.packetId());
                    } else {
                        acks.add(new Ack(PacketType.PUBACK, publish.packetId()));
                    }
                }
                subscriber.send(acks.toArray(Packet[]::new));
                for (int i = 0; i < 50; i++) {
                    publisher.receiveAck(PacketType.PUBACK);
                }
            }
            assertEquals(3, held.size());
        }
    }
}
