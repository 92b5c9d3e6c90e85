package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.ack;
import static org.dunlin.it.conformance.Clients.await;
import static org.dunlin.it.conformance.Clients.begin;
import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.expectNothingMore;
import static org.dunlin.it.conformance.Clients.expectNumbers;
import static org.dunlin.it.conformance.Clients.publish;
import static org.dunlin.it.conformance.Clients.resume;
import static org.dunlin.it.conformance.Clients.take;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Queues that are full, by each of the policies. */
@Broker(
        settings = {
            "queue.max-messages=10",
            "queue.rules[0].filter=newest/#",
            "queue.rules[0].overflow=drop-newest",
            "queue.rules[1].filter=reject/#",
            "queue.rules[1].overflow=reject",
            "queue.rules[2].filter=hold/#",
            "queue.rules[2].overflow=hold-ack",
            "queue.hold-timeout=500ms",
            "limits.max-subscriptions-per-client=20",
            "sys-topics.interval=1s"
        })
class QueueOverflowIT {
    private static final int FULL = 10;

    /** Lets a session wait for that topic, and fills its queue with the numbers from 0 on. */
    private static String fill(RunningBroker broker, ProtocolVersion version, String topic, MqttSocket publisher) {
        return fill(broker, version, topic, topic, publisher);
    }

    private static String fill(
            RunningBroker broker, ProtocolVersion version, String filter, String topic, MqttSocket publisher) {
        String id = unique("client");
        begin(broker, version, id).subscribe(filter, Qos.AT_LEAST_ONCE).disconnect();
        for (int i = 0; i < FULL; i++) {
            publisher.publish(topic, "" + i, Qos.AT_LEAST_ONCE);
        }
        return id;
    }

    @ParameterizedTest
    @CsvSource({"oldest,5,15", "newest,0,10"})
    @Clause(edge = {"E060"})
    void fullQueue_dropsWithoutTouchingOthers(String policy, int first, int last, RunningBroker broker) {
        for (ProtocolVersion version : ProtocolVersion.values()) {
            String topic = policy + "/" + unique("queue");
            try (MqttSocket publisher = client(broker, version);
                    MqttSocket other = client(broker, version)) {
                other.subscribe(topic, Qos.AT_LEAST_ONCE);
                String id = fill(broker, version, topic, publisher);
                for (int i = FULL; i < 15; i++) {
                    publisher.publish(topic, "" + i, Qos.AT_LEAST_ONCE);
                }
                expectNumbers(other, 0, 15);
                try (MqttSocket subscriber = resume(broker, version, id)) {
                    expectNumbers(subscriber, first, last);
                    expectNothingMore(publisher, subscriber);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"oldest,6,16", "newest,1,11"})
    @Clause(edge = {"E060"})
    void fullQueueOfAConnectedClient_dropsTheSame(String policy, int first, int last, RunningBroker broker) {
        String topic = policy + "/" + unique("queue");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket subscriber = client(broker, MQTT_5, connect -> connect.receiveMaximum(1))) {
            subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
            subscriber.subscribe(topic + "/behind", Qos.AT_MOST_ONCE);
            for (int i = 0; i < 16; i++) {
                publisher.publish(topic, "" + i, Qos.AT_LEAST_ONCE);
            }
            // behind them all on the way to the subscriber's event loop, and past its queue: they are in there when it
            // comes
            publisher.publish(topic + "/behind", "x", Qos.AT_MOST_ONCE);
            Publish underWay = take(subscriber, "0"); // it is not in the queue, it is under way
            subscriber.expectPublish(topic + "/behind", "x");
            ack(subscriber, PacketType.PUBACK, underWay);
            expectNumbers(subscriber, first, last);
            expectNothingMore(publisher, subscriber);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"dropped/queue-full", "publish/messages/dropped"})
    @Clause(edge = {"E060"})
    void drops_areCountedAndVisible(String count, RunningBroker broker) {
        String topic = "oldest/" + unique("queue");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket watcher = client(broker, MQTT_5)) {
            fill(broker, MQTT_5, topic, publisher);
            watcher.subscribe("$SYS/broker/" + count, Qos.AT_MOST_ONCE);
            long before = Long.parseLong(MqttSocket.text(watcher.receivePublish()));
            for (int i = 0; i < 7; i++) {
                publisher.publish(topic, "x", Qos.AT_LEAST_ONCE);
            }
            await("seven drops more", () -> Long.parseLong(MqttSocket.text(watcher.receivePublish())) >= before + 7);
        }
    }

    @ParameterizedTest
    @CsvSource({"AT_LEAST_ONCE,PUBACK", "EXACTLY_ONCE,PUBREC"})
    @Clause(
            v5 = {"MQTT-3.4.2-1", "MQTT-3.5.2-1"},
            edge = {"E060"})
    void reject_tellsThePublisherIfNobodyTookIt(Qos qos, PacketType answer, RunningBroker broker) {
        String topic = "reject/" + unique("queue");
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            String id = fill(broker, MQTT_5, topic, publisher);
            publisher.send(publish(topic, "refused", qos, 500, false));
            Ack ack = publisher.receiveAck(answer);
            assertEquals(ReasonCode.QUOTA_EXCEEDED, ack.reason());
            assertEquals(500, ack.packetId());
            try (MqttSocket other = client(broker, MQTT_5)) { // where another one takes it, it is a success
                other.subscribe(topic, Qos.AT_LEAST_ONCE);
                publisher.publish(topic, "taken", Qos.AT_LEAST_ONCE);
                other.expectPublish(topic, "taken");
            }
            try (MqttSocket subscriber = resume(broker, MQTT_5, id)) {
                expectNumbers(subscriber, 0, FULL);
                expectNothingMore(publisher, subscriber);
                publisher.publish(topic, "room again", Qos.AT_LEAST_ONCE);
                subscriber.expectPublish(topic, "room again");
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"MQTT_3_1,reject", "MQTT_3_1_1,reject", "MQTT_3_1_1,hold"})
    @Clause(edge = {"E060"})
    void reject_closesTheConnectionOfAV3Publisher(ProtocolVersion version, String policy, RunningBroker broker) {
        String topic = policy + "/" + unique("queue");
        try (MqttSocket publisher = client(broker, version)) {
            fill(broker, version, topic, publisher);
            publisher.send(publish(topic, "refused", Qos.AT_LEAST_ONCE, 500, false));
            publisher.expectClosed();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "$share/group/"})
    @Clause(edge = {"E060"})
    void holdAck_waitsForRoom(String share, RunningBroker broker) {
        String topic = "hold/" + unique("queue");
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            String id = fill(broker, MQTT_5, share + topic, topic, publisher);
            long begin = System.nanoTime();
            publisher.send(publish(topic, "too late", Qos.AT_LEAST_ONCE, 500, false));
            assertEquals(
                    ReasonCode.QUOTA_EXCEEDED,
                    publisher.receiveAck(PacketType.PUBACK).reason());
            assertTrue(System.nanoTime() - begin >= 400_000_000L, "held for queue.hold-timeout");
            publisher.send(publish(topic, "" + FULL, Qos.AT_LEAST_ONCE, 501, false));
            try (MqttSocket subscriber = resume(broker, MQTT_5, id)) {
                expectNumbers(subscriber, 0, FULL + 1);
                assertEquals(
                        ReasonCode.SUCCESS,
                        publisher.receiveAck(PacketType.PUBACK).reason());
                expectNothingMore(publisher, subscriber);
            }
        }
    }

    @Test
    @Clause(edge = {"E059"})
    void qos0_isNotQueuedForThoseWhoAreAway(RunningBroker broker) {
        String topic = unique("queue");
        String id = unique("client");
        begin(broker, MQTT_5, id).subscribe(topic, Qos.AT_LEAST_ONCE).disconnect();
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            publisher.publish(topic, "0", Qos.AT_MOST_ONCE);
            publisher.publish(topic, "1", Qos.AT_LEAST_ONCE);
            try (MqttSocket subscriber = resume(broker, MQTT_5, id)) {
                subscriber.expectPublish(topic, "1"); // queue.qos0-offline is false
                expectNothingMore(publisher, subscriber);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"MQTT_5,QUOTA_EXCEEDED", "MQTT_3_1_1,UNSPECIFIED_ERROR"})
    @Clause(
            v5 = {"MQTT-3.9.3-1", "MQTT-3.9.3-2"},
            v3 = {"MQTT-3.9.3-1", "MQTT-3.9.3-2"},
            edge = {"E138", "E151"})
    void filtersBeyondTheLimit_areRefusedOneByOne(ProtocolVersion version, ReasonCode refusal, RunningBroker broker) {
        String topic = unique("queue");
        Subscribe.Entry[] entries = new Subscribe.Entry[25];
        for (int i = 0; i < 25; i++) {
            // filter 5 comes again as number 22: that is no new one
            entries[i] = new Subscribe.Entry(topic + "/" + (i == 22 ? 5 : i), Qos.AT_LEAST_ONCE);
        }
        try (MqttSocket socket = client(broker, version)) {
            SubAck subAck = socket.subscribe(entries);
            for (int i = 0; i < 25; i++) {
                assertEquals(
                        i < 20 || i == 22 ? ReasonCode.granted(Qos.AT_LEAST_ONCE) : refusal,
                        subAck.reasons().get(i),
                        "filter " + i);
            }
        }
    }

    @Test
    @Clause(edge = {"E151", "E184"})
    void filterOf31BeyondTheLimit_closes(RunningBroker broker) {
        Subscribe.Entry[] entries = new Subscribe.Entry[21];
        for (int i = 0; i < 21; i++) {
            entries[i] = new Subscribe.Entry(unique("queue"), Qos.AT_LEAST_ONCE);
        }
        try (MqttSocket socket = client(broker, ProtocolVersion.MQTT_3_1)) {
            socket.send(new Subscribe(1, 0, List.of(entries), List.of()));
            socket.expectClosed();
        }
    }
}
