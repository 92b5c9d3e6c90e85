package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.ack;
import static org.dunlin.it.conformance.Clients.begin;
import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.expectNothingMore;
import static org.dunlin.it.conformance.Clients.frame;
import static org.dunlin.it.conformance.Clients.lasting;
import static org.dunlin.it.conformance.Clients.packet;
import static org.dunlin.it.conformance.Clients.pass;
import static org.dunlin.it.conformance.Clients.resume;
import static org.dunlin.it.conformance.Clients.retained;
import static org.dunlin.it.conformance.Clients.string;
import static org.dunlin.it.conformance.Clients.take;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Message Expiry Interval on the way through the broker. */
@Broker
class QueuedExpiryIT {
    /** Publishes at QoS 1 with that Message Expiry Interval. */
    private static void publish(MqttSocket publisher, String first, String topic, int seconds, String payload) {
        publisher.sendHex(packet(first, string(topic), "0001", "05 02", String.format("%08x", seconds), payload));
        publisher.receiveAck(PacketType.PUBACK);
    }

    /** The interval of the next PUBLISH, at QoS 1 with that property alone. */
    private static int interval(MqttSocket subscriber, String topic) {
        String frame = frame(subscriber);
        int at = 2 + 2 + 4 + 2 * topic.length() + 4; // first byte, length, topic, packet identifier
        assertEquals("0502", frame.substring(at, at + 4), frame);
        return Integer.parseInt(frame.substring(at + 4, at + 12), 16);
    }

    @Test
    @Clause(edge = {"E114"})
    void timeInTheQueueAndAsRetained_isTakenOff(RunningBroker broker) {
        String topic = unique("expiry");
        String id = unique("client");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket live = client(broker, MQTT_5)) {
            begin(broker, MQTT_5, id).subscribe(topic, Qos.AT_LEAST_ONCE).disconnect();
            live.subscribe(topic, Qos.AT_LEAST_ONCE);
            long before = System.nanoTime();
            publish(publisher, "33", topic, 100, "61");
            int atOnce = interval(live, topic);
            assertTrue(atOnce == 100 || atOnce == 99, "" + atOnce);
            pass(2_100);
            try (MqttSocket queued = broker.socket();
                    MqttSocket later = client(broker, MQTT_5)) {
                queued.connect(lasting(MQTT_5, id).build());
                int left = interval(queued, topic);
                later.subscribe(topic, Qos.AT_LEAST_ONCE);
                int retained = interval(later, topic);
                long waited = 1 + (System.nanoTime() - before) / 1_000_000_000L;
                assertTrue(left <= 98 && left >= 100 - waited, left + " after " + waited);
                assertTrue(retained <= 98 && retained >= 100 - waited, retained + " after " + waited);
            }
            publisher.publish(retained(topic, "", Qos.AT_MOST_ONCE));
        }
    }

    @Test
    @Clause(edge = {"E114"})
    void expiredMessages_areDropped(RunningBroker broker) {
        String topic = unique("expiry");
        String id = unique("client");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket full = client(broker, MQTT_5, connect -> connect.receiveMaximum(1))) {
            begin(broker, MQTT_5, id).subscribe(topic, Qos.AT_LEAST_ONCE).disconnect();
            full.subscribe(topic, Qos.AT_LEAST_ONCE);
            publish(publisher, "32", topic, 100, "61");
            publish(publisher, "33", topic, 1, "62");
            publish(publisher, "32", topic, 100, "63");
            Publish first = take(full, "a");
            pass(1_500);
            ack(full, PacketType.PUBACK, first);
            take(full, "c");
            try (MqttSocket queued = resume(broker, MQTT_5, id);
                    MqttSocket later = client(broker, MQTT_5)) {
                queued.expectPublish(topic, "a");
                queued.expectPublish(topic, "c");
                expectNothingMore(publisher, queued);
                later.subscribe(topic, Qos.AT_LEAST_ONCE);
                expectNothingMore(publisher, later);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E116"})
    void withoutTheProperty_thereIsNone(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("expiry");
        String id = unique("client");
        begin(broker, MQTT_5, id).subscribe(topic, Qos.AT_LEAST_ONCE).disconnect();
        try (MqttSocket publisher = client(broker, version)) {
            publisher.publish(topic, "m", Qos.AT_LEAST_ONCE);
            try (MqttSocket queued = resume(broker, MQTT_5, id)) {
                assertTrue(frame(queued).endsWith("006d")); // no properties, payload
            }
        }
    }
}
