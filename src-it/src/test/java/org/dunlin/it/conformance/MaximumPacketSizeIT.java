package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.begin;
import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.expectNothingMore;
import static org.dunlin.it.conformance.Clients.frame;
import static org.dunlin.it.conformance.Clients.lasting;
import static org.dunlin.it.conformance.Clients.resume;
import static org.dunlin.it.conformance.Clients.retained;
import static org.dunlin.it.conformance.Clients.subscribe;
import static org.dunlin.it.conformance.Clients.take;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.Subscribe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Maximum Packet Size of the client, and that a message too large counts as delivered. */
@Broker
class MaximumPacketSizeIT {
    /** What comes to that topic as a packet of that size: header, topic, identifier, property length, payload. */
    private static String payloadFor(int size, String topic, Qos qos) {
        return "x".repeat(size - 2 - (size > 129 ? 1 : 0) - 2 - topic.length() - (qos == Qos.AT_MOST_ONCE ? 0 : 2) - 1);
    }

    @ParameterizedTest
    @CsvSource({
        "AT_MOST_ONCE,100",
        "AT_LEAST_ONCE,100",
        "EXACTLY_ONCE,100",
        "AT_MOST_ONCE,400",
        "AT_LEAST_ONCE,400",
        "EXACTLY_ONCE,400"
    })
    @Clause(edge = {"E112"})
    void publishOfAByteTooMuch_isDroppedAndCountsAsDelivered(Qos qos, int size, RunningBroker broker) {
        String topic = unique("size");
        String id = unique("client");
        Connect connect =
                lasting(MQTT_5, id).maximumPacketSize(size).receiveMaximum(1).build();
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket subscriber = broker.socket()) {
            subscriber.connect(connect);
            subscriber.subscribe(topic, qos);
            String fits = payloadFor(size, topic, qos);
            for (int i = 0; i < 3; i++) { // takes no place of the window, either
                publisher.publish(topic, fits + "y", qos);
            }
            publisher.publish(topic, fits, qos);
            assertEquals(size * 2, frame(subscriber).length());
            if (qos != Qos.AT_MOST_ONCE) { // the one that fits comes again on resume, the others do not
                subscriber.disconnect();
                try (MqttSocket resumed = broker.socket()) {
                    assertTrue(resumed.connect(connect).sessionPresent());
                    resumed.expectPublish(topic, fits);
                    expectNothingMore(publisher, resumed);
                }
            } else {
                expectNothingMore(publisher, subscriber);
            }
        }
    }

    @Test
    @Clause(edge = {"E113"})
    void size_dependsOnTheSubscriber(RunningBroker broker) {
        String topic = unique("size");
        String payload = payloadFor(100, topic, Qos.AT_LEAST_ONCE);
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket plain = client(broker, MQTT_5, connect -> connect.maximumPacketSize(100));
                MqttSocket identified = client(broker, MQTT_5, connect -> connect.maximumPacketSize(100));
                MqttSocket larger = client(broker, MQTT_5, connect -> connect.maximumPacketSize(102));
                MqttSocket older = client(broker, MQTT_3_1_1)) {
            plain.subscribe(topic, Qos.AT_LEAST_ONCE);
            subscribe(identified, 1, topic, Qos.AT_LEAST_ONCE); // two bytes more: they do not fit
            subscribe(larger, 1, topic, Qos.AT_LEAST_ONCE);
            older.subscribe(topic, Qos.AT_LEAST_ONCE);
            publisher.publish(topic, payload, Qos.AT_LEAST_ONCE);
            plain.expectPublish(topic, payload);
            larger.expectPublish(topic, payload);
            older.expectPublish(topic, payload);
            expectNothingMore(publisher, identified);
        }
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    @Clause(edge = {"E112", "E113"})
    void limitOfTheNewConnection_countsForWhatWaited(boolean begun, RunningBroker broker) {
        String topic = unique("size");
        String id = unique("client");
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            MqttSocket first = begin(broker, MQTT_5, id).subscribe(topic, Qos.AT_LEAST_ONCE);
            if (!begun) {
                first.disconnect();
            }
            publisher.publish(topic, "x".repeat(300), Qos.AT_LEAST_ONCE);
            publisher.publish(topic, "small", Qos.AT_LEAST_ONCE);
            if (begun) {
                take(first, "x".repeat(300));
                take(first, "small");
                first.disconnect();
            }
            try (MqttSocket second = broker.socket()) {
                second.connect(lasting(MQTT_5, id).maximumPacketSize(200).build());
                second.expectPublish(topic, "small");
                expectNothingMore(publisher, second);
                second.disconnect();
            }
            try (MqttSocket third = resume(broker, MQTT_5, id)) { // it counted as delivered
                expectNothingMore(publisher, third);
            }
        }
    }

    @Test
    @Clause(edge = {"E112"})
    void retainedMessageTooLarge_isLeftOut(RunningBroker broker) {
        String topic = unique("size");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket subscriber = client(broker, MQTT_5, connect -> connect.maximumPacketSize(150))) {
            publisher.publish(retained(topic + "/1", "x".repeat(300), Qos.AT_LEAST_ONCE));
            publisher.publish(retained(topic + "/2", "small", Qos.AT_LEAST_ONCE));
            subscriber.subscribe(topic + "/#", Qos.AT_LEAST_ONCE);
            subscriber.expectPublish(topic + "/2", "small");
            expectNothingMore(publisher, subscriber);
            publisher.publish(retained(topic + "/1", "", Qos.AT_LEAST_ONCE));
            publisher.publish(retained(topic + "/2", "", Qos.AT_LEAST_ONCE));
        }
    }

    @Test
    @Clause(edge = {"E112"})
    void subAckThatCannotFit_isNotSent(RunningBroker broker) {
        String topic = unique("size");
        Subscribe.Entry[] entries = new Subscribe.Entry[200];
        for (int i = 0; i < entries.length; i++) {
            entries[i] = new Subscribe.Entry(topic + "/" + i, Qos.AT_MOST_ONCE);
        }
        try (MqttSocket socket = client(broker, MQTT_5, connect -> connect.maximumPacketSize(100))) {
            socket.send(new Subscribe(1, 0, List.of(entries), List.of()), Ping.REQUEST);
            String next = frame(socket);
            assertTrue(next.length() / 2 <= 100, next);
            // the client learns that it has to give up, or the connection goes on without the answer
            assertTrue(next.equals("d000") || next.startsWith("e0"), next);
        }
    }
}
