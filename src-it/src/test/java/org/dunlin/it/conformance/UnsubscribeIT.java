package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.ack;
import static org.dunlin.it.conformance.Clients.begin;
import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.expectExplanationToFit;
import static org.dunlin.it.conformance.Clients.expectNothingMore;
import static org.dunlin.it.conformance.Clients.frame;
import static org.dunlin.it.conformance.Clients.noProperties;
import static org.dunlin.it.conformance.Clients.packet;
import static org.dunlin.it.conformance.Clients.resume;
import static org.dunlin.it.conformance.Clients.string;
import static org.dunlin.it.conformance.Clients.take;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.UnsubAck;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** UNSUBSCRIBE and UNSUBACK. */
@Broker
class UnsubscribeIT {
    private static final ReasonCode SUCCESS = ReasonCode.SUCCESS;
    private static final ReasonCode NONE = ReasonCode.NO_SUBSCRIPTION_EXISTED;

    @ParameterizedTest
    @CsvSource({"MQTT_5,a0", "MQTT_5,a1", "MQTT_5,a3", "MQTT_5,aa", "MQTT_3_1_1,a0", "MQTT_3_1_1,a3"})
    @Clause(
            v5 = {"MQTT-3.10.1-1"},
            v3 = {"MQTT-3.10.1-1"})
    void wrongFlags_close(ProtocolVersion version, String first, RunningBroker broker) {
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex(packet(first, "0001", noProperties(version), string("a")));
            socket.expectDisconnect(ReasonCode.MALFORMED_PACKET);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "0002 c328", // a two-byte sequence whose second byte is none
        "0003 eda080", // a surrogate
        "0003 610062", // U+0000
        "0005 6162", // longer than the packet
        "00", // half a length
    })
    @Clause(
            v5 = {"MQTT-3.10.3-1", "MQTT-4.7.3-2"},
            v3 = {"MQTT-3.10.3-1", "MQTT-4.7.3-2"})
    void filterThatIsNoUtf8String_closes(String field, RunningBroker broker) {
        for (ProtocolVersion version : List.of(MQTT_5, MQTT_3_1_1)) {
            try (MqttSocket socket = client(broker, version)) {
                socket.sendHex(packet("a2", "0001", noProperties(version), string("ok"), field));
                socket.expectDisconnect(ReasonCode.MALFORMED_PACKET);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.10.3-2"},
            v3 = {"MQTT-3.10.3-2"},
            edge = {"E135"})
    void withoutFilters_closes(ProtocolVersion version, RunningBroker broker) {
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex(packet("a2", "0001", noProperties(version)));
            socket.expectDisconnect(ReasonCode.PROTOCOL_ERROR);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.10.4-4", "MQTT-3.10.4-5", "MQTT-3.10.4-6", "MQTT-3.11.3-1", "MQTT-3.11.3-2", "MQTT-3.8.4-3"},
            edge = {"E147"})
    void unsubAck_hasACodeForEachFilterInOrder(RunningBroker broker) {
        String a = unique("unsubscribe");
        String b = unique("unsubscribe");
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.subscribe(a, Qos.AT_LEAST_ONCE);
            socket.subscribe(b, Qos.AT_LEAST_ONCE);
            socket.sendHex(packet("a2", "abcd", "00", string(a), string(a + "/none"), string(b), string(a)));
            // UNSUBACK, identifier, no properties, and a sequence: the second time a is gone
            assertEquals("b007abcd0000110011", frame(socket));
            assertEquals(List.of(NONE), socket.unsubscribe(a).reasons());
        }
    }

    @ParameterizedTest
    @CsvSource({"MQTT_3_1", "MQTT_3_1_1"})
    @Clause(
            v3 = {"MQTT-3.10.4-4", "MQTT-3.10.4-5", "MQTT-3.10.4-6"},
            edge = {"E147"})
    void unsubAckOfV3_isEmptyAndComesAlways(ProtocolVersion version, RunningBroker broker) {
        String a = unique("unsubscribe");
        try (MqttSocket socket = client(broker, version)) {
            socket.subscribe(a, Qos.AT_LEAST_ONCE);
            socket.sendHex(packet("a2", "abcd", string(a), string("none"), string(a)));
            assertEquals("b002abcd", frame(socket));
            socket.sendHex(packet("a2", "abce", string(a)));
            assertEquals("b002abce", frame(socket));
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.10.4-1"},
            v3 = {"MQTT-3.10.4-1"},
            edge = {"E148"})
    void filters_areComparedCharacterByCharacter(ProtocolVersion version, RunningBroker broker) {
        String root = unique("unsubscribe");
        String topic = root + "/a/b";
        try (MqttSocket socket = client(broker, version)) {
            socket.subscribe(topic, Qos.AT_LEAST_ONCE);
            for (String other :
                    List.of("#", root + "/#", root + "/+/b", root + "/a/B", topic + "/", "$share/g/" + topic)) {
                UnsubAck unsubAck = socket.unsubscribe(other);
                if (version.isV5()) {
                    assertEquals(List.of(NONE), unsubAck.reasons(), other);
                }
                socket.publish(topic, "m", Qos.AT_MOST_ONCE);
                socket.expectPublish(topic, "m");
            }
            socket.unsubscribe(topic);
            socket.publish(topic, "m", Qos.AT_MOST_ONCE);
            expectNothingMore(socket, socket);
            // and the other way round
            socket.subscribe(root + "/+/b", Qos.AT_LEAST_ONCE);
            socket.unsubscribe(topic);
            socket.publish(topic, "m", Qos.AT_MOST_ONCE);
            socket.expectPublish(topic, "m");
            socket.unsubscribe(root + "/+/b");
            // a shared one by its whole text alone
            socket.subscribe("$share/g/" + topic, Qos.AT_LEAST_ONCE);
            socket.unsubscribe(topic, "$share/h/" + topic, "$share/g/" + root);
            socket.publish(topic, "m", Qos.AT_MOST_ONCE);
            socket.expectPublish(topic, "m");
            UnsubAck unsubAck = socket.unsubscribe("$share/g/" + topic);
            if (version.isV5()) {
                assertEquals(List.of(SUCCESS), unsubAck.reasons());
            }
            socket.publish(topic, "m", Qos.AT_MOST_ONCE);
            expectNothingMore(socket, socket);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.10.4-2"},
            v3 = {"MQTT-3.10.4-2"},
            edge = {"E149"})
    void afterUnsubscribe_nothingNewComes(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("unsubscribe");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket subscriber = client(broker, version)) {
            subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
            publisher.publish(topic, "1", Qos.AT_LEAST_ONCE);
            subscriber.expectPublish(topic, "1");
            subscriber.unsubscribe(topic);
            for (Qos qos : Qos.values()) {
                publisher.publish(topic, "2", qos);
            }
            expectNothingMore(publisher, subscriber);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.10.4-3"},
            v3 = {"MQTT-3.10.4-3"},
            edge = {"E149"})
    void begunDeliveries_areCompletedAfterUnsubscribe(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("unsubscribe");
        String id = unique("client");
        try (MqttSocket publisher = client(broker, version)) {
            Publish first;
            Publish second;
            Publish third;
            try (MqttSocket subscriber = begin(broker, version, id)) {
                subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
                publisher.publish(topic, "1", Qos.AT_LEAST_ONCE);
                publisher.publish(topic, "2", Qos.EXACTLY_ONCE);
                publisher.publish(topic, "3", Qos.EXACTLY_ONCE);
                first = take(subscriber, "1");
                second = take(subscriber, "2");
                third = take(subscriber, "3");
                subscriber.unsubscribe(topic);
                ack(subscriber, PacketType.PUBREC, third);
                assertEquals(
                        third.packetId(),
                        subscriber.receiveAck(PacketType.PUBREL).packetId());
                ack(subscriber, PacketType.PUBCOMP, third);
                subscriber.disconnect();
            }
            publisher.publish(topic, "4", Qos.AT_LEAST_ONCE);
            try (MqttSocket subscriber = resume(broker, version, id)) {
                Publish again = subscriber.expectPublish(topic, "1");
                assertEquals(first.packetId(), again.packetId());
                assertTrue(again.dup());
                again = subscriber.expectPublish(topic, "2");
                assertEquals(second.packetId(), again.packetId());
                assertTrue(again.dup());
                expectNothingMore(publisher, subscriber);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E149"})
    void queuedMessages_areDeliveredAfterUnsubscribe(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("unsubscribe");
        int count = 70; // more than limits.max-inflight
        try (MqttSocket publisher = client(broker, version);
                MqttSocket subscriber = client(broker, version)) {
            subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
            for (int i = 0; i < count; i++) {
                publisher.publish(topic, "" + i, Qos.AT_LEAST_ONCE);
            }
            List<Publish> open = new ArrayList<>();
            for (int i = 0; i < 64; i++) {
                open.add(take(subscriber, "" + i));
            }
            subscriber.unsubscribe(topic);
            publisher.publish(topic, "after", Qos.AT_LEAST_ONCE);
            open.forEach(publish -> ack(subscriber, PacketType.PUBACK, publish));
            for (int i = 64; i < count; i++) {
                subscriber.expectPublish(topic, "" + i);
            }
            expectNothingMore(publisher, subscriber);
        }
    }

    @Test
    @Clause(v5 = {"MQTT-3.11.2-1", "MQTT-3.11.2-2"})
    void explanation_beyondMaximumPacketSize_isLeftOut(RunningBroker broker) {
        expectExplanationToFit(
                broker, packet("a2", "0001", "00", string(unique("unsubscribe"))), new UnsubAck(1, List.of(NONE)));
    }

    @Test
    @Clause(v5 = {"MQTT-3.11.3-2"})
    void invalidFilter_hasAnAnswerOfTheTable(RunningBroker broker) {
        try (MqttSocket socket = client(broker, MQTT_5)) {
            UnsubAck unsubAck = socket.unsubscribe("a#", "b/#/c", "$share//x");
            assertEquals(3, unsubAck.reasons().size());
            for (ReasonCode code : unsubAck.reasons()) {
                // nobody can have it, and it is not a filter
                assertTrue(code == NONE || code == ReasonCode.TOPIC_FILTER_INVALID, code.toString());
            }
        }
    }
}
