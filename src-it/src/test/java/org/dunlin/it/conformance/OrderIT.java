package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.ack;
import static org.dunlin.it.conformance.Clients.begin;
import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.frame;
import static org.dunlin.it.conformance.Clients.publish;
import static org.dunlin.it.conformance.Clients.resume;
import static org.dunlin.it.conformance.Clients.take;
import static org.dunlin.it.conformance.Clients.unique;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The order of messages and of acknowledgements. */
@Broker
class OrderIT {
    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.6.0-2", "MQTT-4.6.0-3"},
            v3 = {"MQTT-4.6.0-2", "MQTT-4.6.0-3", "MQTT-4.6.0-6"})
    void acknowledgements_leaveInTheOrderOfThePublishes(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("order");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket subscriber = begin(broker, version, unique("client"))) {
            subscriber.subscribe(topic + "/heard", Qos.EXACTLY_ONCE);
            for (Qos qos : List.of(Qos.AT_LEAST_ONCE, Qos.EXACTLY_ONCE)) {
                Packet[] publishes = new Packet[100];
                for (int i = 0; i < 100; i++) {
                    // some have to wait for another event loop or a store, some for nobody
                    publishes[i] = publish(topic + (i % 3 == 0 ? "/heard" : ""), "" + i, qos, 1000 - i, false);
                }
                publisher.send(publishes);
                PacketType type = qos == Qos.AT_LEAST_ONCE ? PacketType.PUBACK : PacketType.PUBREC;
                for (int i = 0; i < 100; i++) {
                    assertEquals(1000 - i, publisher.receiveAck(type).packetId());
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.6.0-4"},
            v3 = {"MQTT-4.6.0-4", "MQTT-4.6.0-6"})
    void pubRels_leaveInTheOrderOfThePubRecs(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("order");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket subscriber = client(broker, version)) {
            subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
            List<Publish> open = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                publisher.publish(topic, "" + i, Qos.EXACTLY_ONCE);
                open.add(take(subscriber, "" + i));
            }
            List<Integer> answered = new ArrayList<>();
            Packet[] pubRecs = new Packet[20];
            for (int i = 0; i < 20; i++) {
                int id = open.get(i * 7 % 20).packetId();
                answered.add(id);
                pubRecs[i] = new Ack(PacketType.PUBREC, id);
            }
            subscriber.send(pubRecs);
            for (int id : answered) {
                assertEquals(id, subscriber.receiveAck(PacketType.PUBREL).packetId());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.6.0-5", "MQTT-4.6.0-6"},
            v3 = {"MQTT-4.6.0-5", "MQTT-4.6.0-6"},
            edge = {"E120"})
    void messagesOfOnePublisherAndQos_keepTheirOrder(ProtocolVersion version, RunningBroker broker)
            throws InterruptedException {
        String topic = unique("order");
        int count = 2000;
        try (MqttSocket subscriber = client(broker, version)) {
            subscriber.subscribe(topic + "/#", Qos.EXACTLY_ONCE);
            List<Thread> publishers = new ArrayList<>();
            for (Qos qos : Qos.values()) {
                for (int p = 0; p < 2; p++) {
                    publishers.add(stream(broker, version, topic + "/" + qos.value() + p, qos, count));
                }
            }
            publishers.forEach(Thread::start);
            Map<String, Integer> last = new HashMap<>();
            int received = 0;
            while (received < 6 * count) {
                Packet packet = subscriber.receive();
                if (packet instanceof Ack pubRel) {
                    subscriber.send(new Ack(PacketType.PUBCOMP, pubRel.packetId()));
                    continue;
                }
                Publish publish = (Publish) packet;
                received++;
                int number = Integer.parseInt(MqttSocket.text(publish));
                assertEquals(
                        last.getOrDefault(publish.message().topic().text(), -1) + 1,
                        number,
                        () -> "" + publish.message());
                last.put(publish.message().topic().text(), number);
                if (publish.message().qos() != Qos.AT_MOST_ONCE) {
                    ack(
                            subscriber,
                            publish.message().qos() == Qos.AT_LEAST_ONCE ? PacketType.PUBACK : PacketType.PUBREC,
                            publish);
                }
            }
            for (Thread publisher : publishers) {
                publisher.join();
            }
        }
    }

    /** Publishes numbers, as many at a time as the broker lets a client have open. */
    private static Thread stream(RunningBroker broker, ProtocolVersion version, String topic, Qos qos, int count) {
        return new Thread(() -> {
            try (MqttSocket publisher = client(broker, version)) {
                for (int i = 0; i < count; i += 50) {
                    Packet[] batch = new Packet[50];
                    for (int j = 0; j < 50; j++) {
                        batch[j] = publish(topic, "" + (i + j), qos, qos == Qos.AT_MOST_ONCE ? 0 : j + 1, false);
                    }
                    publisher.send(batch);
                    for (int j = 0; j < 50 && qos == Qos.AT_LEAST_ONCE; j++) {
                        publisher.receiveAck(PacketType.PUBACK);
                    }
                    for (int j = 0; j < 50 && qos == Qos.EXACTLY_ONCE; j++) {
                        publisher.send(new Ack(
                                PacketType.PUBREL,
                                publisher.receiveAck(PacketType.PUBREC).packetId()));
                    }
                    for (int j = 0; j < 50 && qos == Qos.EXACTLY_ONCE; j++) {
                        publisher.receiveAck(PacketType.PUBCOMP);
                    }
                    publisher.expectNothing();
                }
            }
        });
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.6.0-1", "MQTT-4.6.0-5"},
            v3 = {"MQTT-4.6.0-1", "MQTT-4.6.0-6"},
            edge = {"E120"})
    void queueAndReconnects_keepTheOrder(ProtocolVersion version, RunningBroker broker) throws InterruptedException {
        String topic = unique("order");
        String id = unique("client");
        int count = 3000;
        begin(broker, version, id).subscribe(topic, Qos.AT_LEAST_ONCE).disconnect();
        Thread publisher = stream(broker, version, topic, Qos.AT_LEAST_ONCE, count);
        publisher.start();
        int next = 0;
        // each connection takes some, acknowledges some of them, and leaves while the stream goes on
        for (int connection = 0; next < count; connection++) {
            try (MqttSocket subscriber = resume(broker, version, id)) {
                int unacknowledged = next;
                for (int i = 0; i < 200 + connection * 37 % 100 && next < count; i++) {
                    Publish publish = take(subscriber, "" + next);
                    next++;
                    if (i < 150) {
                        ack(subscriber, PacketType.PUBACK, publish);
                        unacknowledged = next;
                    }
                    if (next - unacknowledged >= 40) {
                        break;
                    }
                }
                subscriber.send(new Disconnect(ReasonCode.SUCCESS));
                awaitEnd(subscriber);
                next = unacknowledged; // the others come again
            }
        }
        publisher.join();
    }

    /** Reads past what was under way when the client left. */
    private static void awaitEnd(MqttSocket socket) {
        while (true) {
            try {
                frame(socket);
            } catch (AssertionError closed) {
                assertTrue(closed.getMessage().startsWith("the broker has closed"), closed.getMessage());
                return;
            }
        }
    }
}
