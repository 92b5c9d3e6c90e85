package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.client;
import static org.dunlin.it.conformance.Parties.expectNothingOn;
import static org.dunlin.it.conformance.Parties.subscriber;
import static org.dunlin.it.conformance.Parties.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Topic aliases of both directions. The broker announces a Topic Alias Maximum of 64. */
@Broker
class TopicAliasIT {
    private static final int MAXIMUM = 64;

    private static byte[] publish(String topic, int alias, String payload) {
        return RawPacket.of(0x30)
                .utf8(topic)
                .properties(RawPacket.part().u8(0x23).u16(alias))
                .bytes(payload.getBytes(java.nio.charset.StandardCharsets.UTF_8))
                .bytes();
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.3.2-12"},
            edge = {"E080"})
    void everyAliasUpToTheMaximum_canBeSetUsedAndChanged(RunningBroker broker) {
        String topic = unique("alias");
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic + "/#", Qos.AT_MOST_ONCE);
                MqttSocket publisher = client(broker, MQTT_5)) {
            for (int round = 0; round < 2; round++) {
                for (int alias = 1; alias <= MAXIMUM; alias++) {
                    publisher.send(publish(topic + "/" + round + "/" + alias, alias, "set"));
                    subscriber.expectPublish(topic + "/" + round + "/" + alias, "set");
                }
                for (int alias = MAXIMUM; alias >= 1; alias--) {
                    publisher.send(publish("", alias, "used"));
                    subscriber.expectPublish(topic + "/" + round + "/" + alias, "used");
                }
            }
            // QoS 1 and 2 set and use them as well.
            publisher.send(RawPacket.of(0x32)
                    .utf8(topic + "/q")
                    .u16(1)
                    .properties(RawPacket.part().hex("23 0001"))
                    .hex("31")
                    .bytes());
            assertEquals(0x40, RawFrame.read(publisher).first());
            subscriber.expectPublish(topic + "/q", "1");
            publisher.send(RawPacket.of(0x34)
                    .utf8("")
                    .u16(2)
                    .properties(RawPacket.part().hex("23 0001"))
                    .hex("32")
                    .bytes());
            assertEquals(0x50, RawFrame.read(publisher).first());
            subscriber.expectPublish(topic + "/q", "2");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, MAXIMUM + 1, 65_535})
    @Clause(
            v5 = {"MQTT-3.3.2-8", "MQTT-3.3.2-9", "MQTT-3.2.2-17"},
            edge = {"E080"})
    void aliasOutOfRange_isInvalid(int alias, RunningBroker broker) {
        String topic = unique("alias");
        try (MqttSocket subscriber = subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE);
                MqttSocket publisher = client(broker, MQTT_5)) {
            publisher.send(publish(topic, alias, "x")).expectDisconnect(ReasonCode.TOPIC_ALIAS_INVALID);
            expectNothingOn(broker, subscriber, topic);
        }
    }

    @Test
    @Clause(edge = {"E080"})
    void unknownAliasWithoutTopic_isAProtocolError(RunningBroker broker) {
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            publisher.send(publish(unique("alias"), 1, "x"));
            publisher.expectNothing();
            publisher.send(publish("", 2, "x")).expectDisconnect(ReasonCode.PROTOCOL_ERROR);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.3.2-7"},
            edge = {"E082"})
    void aliases_endWithTheConnection(RunningBroker broker) {
        Connect connect = Connect.builder(MQTT_5, unique("alias"))
                .cleanStart(false)
                .sessionExpirySeconds(60)
                .build();
        try (MqttSocket socket = broker.socket()) {
            socket.connect(connect);
            socket.send(publish(unique("alias"), 1, "x"));
            socket.expectNothing();
            socket.disconnect();
        }
        try (MqttSocket socket = broker.socket()) {
            assertTrue(socket.connect(connect).sessionPresent());
            socket.send(publish("", 1, "x")).expectDisconnect(ReasonCode.PROTOCOL_ERROR);
        }
    }

    @Test
    @Clause(edge = {"E082"})
    void aliases_areOfOneConnectionAndNotStored(RunningBroker broker) {
        String topic = unique("alias");
        Connect offline = Connect.builder(MQTT_5, unique("alias"))
                .cleanStart(false)
                .sessionExpirySeconds(60)
                .build();
        try (MqttSocket socket = broker.socket()) {
            socket.connect(offline);
            socket.subscribe(topic + "/+", Qos.AT_LEAST_ONCE);
            socket.disconnect();
        }
        try (MqttSocket one = client(broker, MQTT_5);
                MqttSocket other = client(broker, MQTT_5)) {
            one.send(publish(topic + "/one", 1, "set"));
            other.send(publish(topic + "/other", 1, "set"));
            for (int i = 0; i < 2; i++) {
                MqttSocket socket = i == 0 ? one : other;
                socket.send(RawPacket.of(0x33)
                        .utf8("")
                        .u16(1)
                        .properties(RawPacket.part().hex("23 0001"))
                        .hex("78")
                        .bytes());
                assertEquals(0x40, RawFrame.read(socket).first());
            }
        }
        try (MqttSocket socket = broker.socket()) {
            socket.connect(offline);
            for (String end : new String[] {"/one", "/other"}) {
                RawFrame.Publish queued = RawFrame.read(socket).publish(MQTT_5);
                assertEquals(topic + end, queued.topic());
                assertEquals(0, queued.properties().size());
            }
        }
        try (MqttSocket socket = subscriber(broker, MQTT_5, topic + "/one", Qos.AT_MOST_ONCE)) {
            assertEquals(topic + "/one", RawFrame.read(socket).publish(MQTT_5).topic());
        }
    }

    @Test
    @Clause(edge = {"E081"})
    void aliasOfARefusedPublish_isKept(RunningBroker broker) {
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            publisher.send(RawPacket.of(0x32)
                    .utf8("$SYS/refused")
                    .u16(1)
                    .properties(RawPacket.part().hex("23 0001"))
                    .bytes());
            assertTrue(RawFrame.read(publisher).hex().startsWith("000190"));
            publisher.send(RawPacket.of(0x32)
                    .utf8("")
                    .u16(2)
                    .properties(RawPacket.part().hex("23 0001"))
                    .bytes());
            assertTrue(RawFrame.read(publisher).hex().startsWith("000290")); // refused for its topic, not its alias
            publisher.expectNothing();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 5})
    @Clause(
            v5 = {"MQTT-3.1.2-26", "MQTT-3.1.2-27", "MQTT-3.3.2-7", "MQTT-3.3.2-8", "MQTT-3.3.2-11"},
            edge = {"E082"})
    void aliasesOfTheBroker_stayWithinTheClientsMaximum(int maximum, RunningBroker broker) {
        String topic = unique("out");
        Connect connect = Connect.builder(MQTT_5, unique("out"))
                .cleanStart(false)
                .sessionExpirySeconds(60)
                .topicAliasMaximum(maximum)
                .build();
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            for (int connection = 0; connection < 2; connection++) {
                try (MqttSocket subscriber = broker.socket()) {
                    subscriber.connect(connect);
                    if (connection == 0) {
                        subscriber.subscribe(topic + "/+", Qos.AT_MOST_ONCE);
                    }
                    Map<Long, String> known = new HashMap<>(); // nothing is known of the connection before
                    for (int i = 0; i < 40; i++) {
                        String name = topic + "/" + i % 8;
                        publisher.publish(name, "m" + i, Qos.AT_MOST_ONCE);
                        RawFrame.Publish publish = RawFrame.read(subscriber).publish(MQTT_5);
                        assertEquals("m" + i, publish.payload());
                        RawFrame.Property alias = publish.property(0x23);
                        if (alias != null) {
                            assertTrue(alias.number() >= 1 && alias.number() <= maximum, "alias " + alias.number());
                            if (!publish.topic().isEmpty()) {
                                known.put(alias.number(), publish.topic());
                            }
                            assertEquals(name, known.get(alias.number()));
                        } else {
                            assertEquals(name, publish.topic());
                        }
                    }
                    assertEquals(maximum > 0, !known.isEmpty());
                    subscriber.disconnect();
                }
            }
        }
    }
}
