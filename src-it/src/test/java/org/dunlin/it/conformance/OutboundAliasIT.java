package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.frame;
import static org.dunlin.it.conformance.Clients.lasting;
import static org.dunlin.it.conformance.Clients.noProperties;
import static org.dunlin.it.conformance.Clients.packet;
import static org.dunlin.it.conformance.Clients.resume;
import static org.dunlin.it.conformance.Clients.string;
import static org.dunlin.it.conformance.Clients.take;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Topic aliases that the broker uses towards its clients. */
@Broker
class OutboundAliasIT {
    @Test
    @Clause(edge = {"E119"})
    void aliases_stayWithinTheMaximumAndStartWithTheFullTopic(RunningBroker broker) {
        String root = unique("alias");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket subscriber = client(broker, MQTT_5, connect -> connect.topicAliasMaximum(2))) {
            subscriber.subscribe(root + "/#", Qos.AT_LEAST_ONCE);
            Map<Integer, String> known = new HashMap<>();
            boolean used = false;
            for (int round = 0; round < 3; round++) {
                for (int i = 0; i < 4; i++) {
                    String topic = root + "/" + i;
                    publisher.publish(topic, "x", Qos.AT_MOST_ONCE);
                    String frame = frame(subscriber);
                    int length = Integer.parseInt(frame.substring(4, 8), 16);
                    String name = new String(
                            HexFormat.of().parseHex(frame.substring(8, 8 + 2 * length)), StandardCharsets.UTF_8);
                    String rest = frame.substring(8 + 2 * length);
                    if (rest.equals("0078")) { // no properties, payload
                        assertEquals(topic, name);
                        continue;
                    }
                    assertTrue(rest.matches("032300(01|02)78"), frame); // Topic Alias 1 or 2, payload
                    int alias = Integer.parseInt(rest.substring(4, 8), 16);
                    if (length == 0) {
                        used = true;
                        assertEquals(topic, known.get(alias));
                    } else {
                        assertEquals(topic, name);
                        known.put(alias, name);
                    }
                }
            }
            assertTrue(used);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E119"})
    void withoutTopicAliasMaximum_thereAreNone(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("alias");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket subscriber = client(broker, version)) {
            subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
            // the publisher's own alias 1 is between him and the broker
            publisher.sendHex(
                    packet("30", string(topic), "03 23 0001", "78") + packet("30", "0000", "03 23 0001", "78"));
            for (int i = 0; i < 2; i++) {
                assertEquals(packet("30", string(topic), noProperties(version), "78"), frame(subscriber));
            }
        }
    }

    @Test
    @Clause(edge = {"E119"})
    void droppedPublish_setsNoAlias(RunningBroker broker) {
        String topic = unique("alias");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket subscriber = client(
                        broker, MQTT_5, connect -> connect.topicAliasMaximum(10).maximumPacketSize(150))) {
            subscriber.subscribe(topic, Qos.AT_MOST_ONCE);
            publisher.publish(topic, "x".repeat(300), Qos.AT_MOST_ONCE);
            publisher.publish(topic, "small", Qos.AT_MOST_ONCE);
            assertTrue(frame(subscriber).contains(string(topic)));
        }
    }

    @Test
    @Clause(edge = {"E119"})
    void resentPublishes_carryTheFullTopicFirst(RunningBroker broker) {
        String topic = unique("alias");
        String id = unique("client");
        Connect connect = lasting(MQTT_5, id).topicAliasMaximum(10).build();
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            try (MqttSocket subscriber = broker.socket()) {
                subscriber.connect(connect);
                subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
                for (int i = 0; i < 3; i++) {
                    publisher.publish(topic, "" + i, Qos.AT_LEAST_ONCE);
                    take(subscriber, "" + i);
                }
                subscriber.disconnect();
            }
            try (MqttSocket subscriber = broker.socket()) {
                subscriber.connect(connect);
                assertTrue(frame(subscriber).contains(string(topic)));
            }
            try (MqttSocket subscriber = resume(broker, MQTT_5, id)) { // a client that takes no aliases
                for (int i = 0; i < 3; i++) {
                    assertEquals(
                            topic, take(subscriber, "" + i).message().topic().text());
                }
            }
        }
    }
}
