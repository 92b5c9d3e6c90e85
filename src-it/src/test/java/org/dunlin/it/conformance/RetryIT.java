package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.ack;
import static org.dunlin.it.conformance.Clients.begin;
import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.expectNothingMore;
import static org.dunlin.it.conformance.Clients.packet;
import static org.dunlin.it.conformance.Clients.pass;
import static org.dunlin.it.conformance.Clients.resume;
import static org.dunlin.it.conformance.Clients.string;
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
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is sent again when a session is resumed, and that nothing is at any other time. */
@Broker
class RetryIT {
    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.3.2-3", "MQTT-4.3.3-3", "MQTT-4.3.3-5", "MQTT-4.3.3-6", "MQTT-4.4.0-1"},
            v3 = {"MQTT-4.3.2-1", "MQTT-4.3.3-1", "MQTT-4.4.0-1", "MQTT-4.6.0-1"},
            edge = {"E103", "E104"})
    void resume_sendsOpenPublishesAndPubRelsAgainInOrder(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("retry");
        String id = unique("client");
        try (MqttSocket publisher = client(broker, version)) {
            List<Publish> sent = new ArrayList<>();
            try (MqttSocket subscriber = begin(broker, version, id)) {
                subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
                for (int i = 0; i < 20; i++) {
                    publisher.publish(topic, "" + i, i % 2 == 0 ? Qos.AT_LEAST_ONCE : Qos.EXACTLY_ONCE);
                    sent.add(take(subscriber, "" + i));
                }
                // 2 is done; 5 and 7 are released; 9 is done
                ack(subscriber, PacketType.PUBACK, sent.get(2));
                for (int i : new int[] {5, 7, 9}) {
                    ack(subscriber, PacketType.PUBREC, sent.get(i));
                    assertEquals(
                            sent.get(i).packetId(),
                            subscriber.receiveAck(PacketType.PUBREL).packetId());
                }
                ack(subscriber, PacketType.PUBCOMP, sent.get(9));
                subscriber.expectNothing();
                subscriber.disconnect();
            }
            publisher.publish(topic, "new", Qos.AT_LEAST_ONCE);
            for (int round = 0; round < 2; round++) { // the second time all of it again
                try (MqttSocket subscriber = resume(broker, version, id)) {
                    List<Integer> released = new ArrayList<>();
                    int next = 0;
                    while (next < 20 || released.size() < 2) {
                        Packet packet = subscriber.receive();
                        if (packet instanceof Ack ack) {
                            assertEquals(PacketType.PUBREL, ack.type());
                            released.add(ack.packetId());
                            continue;
                        }
                        while (List.of(2, 5, 7, 9).contains(next)) {
                            next++;
                        }
                        Publish publish = (Publish) packet;
                        assertEquals("" + next, MqttSocket.text(publish));
                        assertEquals(sent.get(next).packetId(), publish.packetId());
                        assertEquals(
                                sent.get(next).message().qos(),
                                publish.message().qos());
                        assertTrue(publish.dup());
                        next++;
                    }
                    assertEquals(List.of(sent.get(5).packetId(), sent.get(7).packetId()), released);
                    Publish fresh = take(subscriber, "new");
                    assertEquals(round > 0, fresh.dup());
                    expectNothingMore(publisher, subscriber);
                    subscriber.disconnect();
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.3.3-5", "MQTT-4.3.3-6"},
            v3 = {"MQTT-4.3.3-1"})
    void pubCompAfterResume_endsTheFlow(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("retry");
        String id = unique("client");
        try (MqttSocket publisher = client(broker, version)) {
            Publish publish;
            try (MqttSocket subscriber = begin(broker, version, id)) {
                subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
                publisher.publish(topic, "m", Qos.EXACTLY_ONCE);
                publish = take(subscriber, "m");
                ack(subscriber, PacketType.PUBREC, publish);
                subscriber.receiveAck(PacketType.PUBREL);
                subscriber.reset(); // the network fails
            }
            try (MqttSocket subscriber = resume(broker, version, id)) {
                assertEquals(
                        publish.packetId(),
                        subscriber.receiveAck(PacketType.PUBREL).packetId());
                ack(subscriber, PacketType.PUBCOMP, publish);
                expectNothingMore(publisher, subscriber);
                subscriber.disconnect();
            }
            try (MqttSocket subscriber = resume(broker, version, id)) {
                expectNothingMore(publisher, subscriber);
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-4.4.0-1"},
            edge = {"E102"})
    void openConnection_getsNothingAgain(RunningBroker broker) {
        String topic = unique("retry");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket subscriber = client(broker, MQTT_5)) {
            subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
            publisher.publish(topic, "1", Qos.AT_LEAST_ONCE);
            publisher.publish(topic, "2", Qos.EXACTLY_ONCE);
            publisher.publish(topic, "3", Qos.EXACTLY_ONCE);
            take(subscriber, "1");
            take(subscriber, "2");
            ack(subscriber, PacketType.PUBREC, take(subscriber, "3"));
            subscriber.receiveAck(PacketType.PUBREL);
            assertTrue(subscriber.staysSilent(5_000));
            publisher.publish(topic, "4", Qos.AT_LEAST_ONCE); // nor does new traffic bring it about
            take(subscriber, "4");
            expectNothingMore(publisher, subscriber);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"80", "83", "87", "90", "91", "97", "99"})
    @Clause(
            v5 = {"MQTT-4.4.0-2"},
            edge = {"E105", "E106"})
    void negativeAcknowledgement_isAnAcknowledgement(String code, RunningBroker broker) {
        String topic = unique("retry");
        String id = unique("client");
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            try (MqttSocket subscriber = begin(broker, MQTT_5, id)) {
                subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
                publisher.publish(topic, "1", Qos.AT_LEAST_ONCE);
                publisher.publish(topic, "2", Qos.EXACTLY_ONCE);
                Publish first = take(subscriber, "1");
                Publish second = take(subscriber, "2");
                subscriber.sendHex(packet("40", String.format("%04x", first.packetId()), code));
                subscriber.sendHex(packet("50", String.format("%04x", second.packetId()), code));
                subscriber.expectNothing();
                subscriber.disconnect();
            }
            try (MqttSocket subscriber = resume(broker, MQTT_5, id)) {
                expectNothingMore(publisher, subscriber);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.4.0-1"},
            v3 = {"MQTT-4.4.0-1"})
    void cleanStart_getsNothingAgain(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("retry");
        String id = unique("client");
        try (MqttSocket publisher = client(broker, version)) {
            try (MqttSocket subscriber = begin(broker, version, id)) {
                subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
                publisher.publish(topic, "1", Qos.AT_LEAST_ONCE);
                publisher.publish(topic, "2", Qos.EXACTLY_ONCE);
                take(subscriber, "1");
                take(subscriber, "2");
                subscriber.disconnect();
            }
            publisher.publish(topic, "3", Qos.AT_LEAST_ONCE);
            try (MqttSocket subscriber = broker.socket().connect(version, id)) {
                expectNothingMore(publisher, subscriber);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.3.3-7"},
            v3 = {},
            edge = {"E115"})
    void begunDeliveries_outliveTheirExpiry(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("retry");
        String id = unique("client");
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            Publish released;
            try (MqttSocket subscriber = begin(broker, version, id)) {
                subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
                // QoS 2, Message Expiry Interval 1
                publisher.sendHex(packet("34", string(topic), "0001", "05 02 00000001", "61"));
                publisher.receiveAck(PacketType.PUBREC);
                publisher.sendHex(packet("34", string(topic), "0002", "05 02 00000001", "62"));
                publisher.receiveAck(PacketType.PUBREC);
                take(subscriber, "a");
                released = take(subscriber, "b");
                ack(subscriber, PacketType.PUBREC, released);
                subscriber.receiveAck(PacketType.PUBREL);
                subscriber.disconnect();
            }
            pass(1300);
            try (MqttSocket subscriber = resume(broker, version, id)) {
                assertTrue(take(subscriber, "a").dup());
                assertEquals(
                        released.packetId(),
                        subscriber.receiveAck(PacketType.PUBREL).packetId());
                expectNothingMore(publisher, subscriber);
            }
        }
    }
}
