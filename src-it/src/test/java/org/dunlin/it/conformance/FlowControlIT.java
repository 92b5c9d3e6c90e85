package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.ack;
import static org.dunlin.it.conformance.Clients.begin;
import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.expectNothingMore;
import static org.dunlin.it.conformance.Clients.lasting;
import static org.dunlin.it.conformance.Clients.packet;
import static org.dunlin.it.conformance.Clients.retained;
import static org.dunlin.it.conformance.Clients.take;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
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
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Receive Maximum, towards the client. */
@Broker
class FlowControlIT {
    private static MqttSocket subscriber(RunningBroker broker, String topic, int receiveMaximum) {
        MqttSocket socket = client(broker, MQTT_5, connect -> connect.receiveMaximum(receiveMaximum));
        return socket.subscribe(topic, Qos.EXACTLY_ONCE);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 5})
    @Clause(
            v5 = {"MQTT-4.9.0-1", "MQTT-4.9.0-2"},
            edge = {"E099"})
    void atMostReceiveMaximum_areOpen(int receiveMaximum, RunningBroker broker) {
        String topic = unique("flow");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket subscriber = subscriber(broker, topic, receiveMaximum)) {
            for (int i = 0; i < 12; i++) {
                publisher.publish(topic, "" + i, i % 2 == 0 ? Qos.AT_LEAST_ONCE : Qos.EXACTLY_ONCE);
            }
            List<Publish> open = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                open.add(take(subscriber, "" + i));
                if (open.size() == receiveMaximum && i < 11) {
                    expectNothingMore(publisher, subscriber);
                    Publish first = open.remove(0);
                    if (first.message().qos() == Qos.AT_LEAST_ONCE) {
                        ack(subscriber, PacketType.PUBACK, first);
                    } else {
                        ack(subscriber, PacketType.PUBREC, first);
                        assertEquals(
                                first.packetId(),
                                subscriber.receiveAck(PacketType.PUBREL).packetId());
                        expectNothingMore(publisher, subscriber); // PUBREC does not free the place
                        ack(subscriber, PacketType.PUBCOMP, first);
                    }
                }
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-4.9.0-2", "MQTT-4.9.0-3"},
            edge = {"E099", "E100"})
    void atZeroQuota_everythingElseGoesOn(RunningBroker broker) {
        String topic = unique("flow");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket subscriber = subscriber(broker, topic, 1)) {
            publisher.publish(topic, "1", Qos.EXACTLY_ONCE);
            publisher.publish(topic, "2", Qos.AT_LEAST_ONCE);
            Publish open = take(subscriber, "1");
            subscriber.expectNothing(); // PINGRESP
            subscriber.subscribe(topic + "/other", Qos.AT_MOST_ONCE); // SUBACK
            publisher.publish(topic + "/other", "qos 0", Qos.AT_MOST_ONCE);
            subscriber.expectPublish(topic + "/other", "qos 0");
            assertEquals(
                    List.of(ReasonCode.SUCCESS),
                    subscriber.unsubscribe(topic + "/other").reasons());
            subscriber.publish(topic + "/elsewhere", "own", Qos.AT_LEAST_ONCE); // PUBACK
            subscriber.publish(topic + "/elsewhere", "own", Qos.EXACTLY_ONCE); // PUBREC, PUBCOMP
            ack(subscriber, PacketType.PUBREC, open);
            subscriber.receiveAck(PacketType.PUBREL);
            ack(subscriber, PacketType.PUBCOMP, open);
            subscriber.expectPublish(topic, "2");
        }
    }

    @ParameterizedTest
    @CsvSource({"PUBREC,80", "PUBREC,97", "PUBACK,00", "PUBACK,80"})
    @Clause(
            v5 = {"MQTT-4.9.0-1", "MQTT-4.9.0-2"},
            edge = {"E099"})
    void endOfADelivery_givesOnePlaceBackAndNotMore(PacketType type, String code, RunningBroker broker) {
        String topic = unique("flow");
        Qos qos = type == PacketType.PUBREC ? Qos.EXACTLY_ONCE : Qos.AT_LEAST_ONCE;
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket subscriber = subscriber(broker, topic, 2)) {
            for (int i = 0; i < 6; i++) {
                publisher.publish(topic, "" + i, qos);
            }
            Publish first = take(subscriber, "0");
            take(subscriber, "1");
            String id = String.format("%04x", first.packetId());
            String ack = packet(type == PacketType.PUBREC ? "50" : "40", id, code);
            if (type == PacketType.PUBACK) {
                ack += ack; // the second one is for nothing
            }
            subscriber.sendHex(ack);
            take(subscriber, "2");
            expectNothingMore(publisher, subscriber);
        }
    }

    @Test
    @Clause(edge = {"E099"})
    void pubCompOfAResentPubRel_doesNotLiftTheQuota(RunningBroker broker) {
        String topic = unique("flow");
        String id = unique("client");
        Connect connect = lasting(MQTT_5, id).receiveMaximum(2).build();
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            Publish first;
            Publish second;
            try (MqttSocket subscriber = broker.socket()) {
                subscriber.connect(connect);
                subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
                for (int i = 0; i < 8; i++) {
                    publisher.publish(topic, "" + i, Qos.EXACTLY_ONCE);
                }
                first = take(subscriber, "0");
                second = take(subscriber, "1");
                ack(subscriber, PacketType.PUBREC, first);
                subscriber.receiveAck(PacketType.PUBREL);
                ack(subscriber, PacketType.PUBREC, second);
                subscriber.receiveAck(PacketType.PUBREL);
                subscriber.disconnect();
            }
            try (MqttSocket subscriber = broker.socket()) {
                subscriber.connect(connect);
                int open = 0;
                int pubRels = 0;
                subscriber.send(Ping.REQUEST);
                for (Packet packet = subscriber.receive(); packet != Ping.RESPONSE; packet = subscriber.receive()) {
                    if (packet instanceof Ack) {
                        pubRels++;
                    } else {
                        open++;
                    }
                }
                assertEquals(2, pubRels);
                assertTrue(open <= 2, open + " open PUBLISHes");
                ack(subscriber, PacketType.PUBCOMP, first);
                ack(subscriber, PacketType.PUBCOMP, second);
                for (; open < 2; open++) { // they may have to be read from disk first
                    subscriber.receive(Publish.class);
                }
                expectNothingMore(publisher, subscriber);
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-4.9.0-1", "MQTT-4.9.0-2"},
            edge = {"E101"})
    void quotaOfTheNewConnection_countsForWhatIsSentAgain(RunningBroker broker) {
        String topic = unique("flow");
        String id = unique("client");
        int count = 30;
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            try (MqttSocket subscriber = begin(broker, MQTT_5, id)) {
                subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
                for (int i = 0; i < count; i++) {
                    publisher.publish(topic, "" + i, Qos.AT_LEAST_ONCE);
                    take(subscriber, "" + i);
                }
                subscriber.disconnect();
            }
            try (MqttSocket subscriber = broker.socket()) {
                subscriber.connect(lasting(MQTT_5, id).receiveMaximum(3).build());
                List<Publish> open = new ArrayList<>();
                for (int i = 0; i < count; i++) {
                    Publish publish = take(subscriber, "" + i);
                    assertTrue(publish.dup());
                    open.add(publish);
                    if (open.size() == 3 && i < count - 1) {
                        subscriber.expectNothing();
                        ack(subscriber, PacketType.PUBACK, open.remove(0));
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E111"})
    void atTheServersOwnLimit_deliveryWaitsAndGoesOn(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("flow");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket subscriber = client(broker, version)) {
            subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
            for (int i = 0; i < 100; i++) {
                publisher.publish(topic, "" + i, Qos.AT_LEAST_ONCE);
            }
            List<Publish> open = new ArrayList<>();
            for (int i = 0; i < 64; i++) { // limits.max-inflight
                open.add(take(subscriber, "" + i));
            }
            expectNothingMore(publisher, subscriber);
            open.forEach(publish -> ack(subscriber, PacketType.PUBACK, publish));
            for (int i = 64; i < 100; i++) {
                subscriber.expectPublish(topic, "" + i);
            }
        }
    }

    @Test
    @Clause(v5 = {"MQTT-4.9.0-1", "MQTT-4.9.0-2"})
    void retainedMessages_keepToTheQuota(RunningBroker broker) {
        String topic = unique("flow");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket subscriber = client(broker, MQTT_5, connect -> connect.receiveMaximum(3))) {
            for (int i = 0; i < 20; i++) {
                publisher.publish(retained(topic + "/" + i, "m", Qos.AT_LEAST_ONCE));
            }
            subscriber.subscribe(topic + "/#", Qos.AT_LEAST_ONCE);
            Set<String> topics = new HashSet<>();
            for (int i = 0; i < 20; i++) {
                Publish publish = take(subscriber, "m");
                assertTrue(publish.message().retain());
                topics.add(publish.message().topic().text());
                if (i == 2) {
                    subscriber.expectNothing();
                }
                if (i >= 2) {
                    ack(subscriber, PacketType.PUBACK, publish);
                }
            }
            assertEquals(20, topics.size());
            for (String name : topics) {
                publisher.publish(retained(name, "", Qos.AT_MOST_ONCE));
            }
        }
    }
}
