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
import static org.dunlin.it.conformance.Clients.retained;
import static org.dunlin.it.conformance.Clients.string;
import static org.dunlin.it.conformance.Clients.subscribe;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Packet;
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
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** SUBSCRIBE and SUBACK. */
@Broker
class SubscribeIT {
    private static final ReasonCode INVALID = ReasonCode.TOPIC_FILTER_INVALID;

    @ParameterizedTest
    @CsvSource({"MQTT_5,80", "MQTT_5,81", "MQTT_5,83", "MQTT_5,8a", "MQTT_3_1_1,80", "MQTT_3_1_1,83", "MQTT_3_1_1,8a"})
    @Clause(
            v5 = {"MQTT-3.8.1-1"},
            v3 = {"MQTT-3.8.1-1"})
    void wrongFlags_close(ProtocolVersion version, String first, RunningBroker broker) {
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex(packet(first, "0001", noProperties(version), string("a"), "00"));
            socket.expectDisconnect(ReasonCode.MALFORMED_PACKET);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "c328", // a two-byte sequence whose second byte is none
        "eda080", // a surrogate
        "c0af", // an overlong slash
        "f4908080", // beyond U+10FFFF
        "61c3", // cut off
        "610062", // U+0000
    })
    @Clause(
            v5 = {"MQTT-3.8.3-1", "MQTT-4.7.3-2"},
            v3 = {"MQTT-3.8.3-1", "MQTT-4.7.3-2"})
    void filterThatIsNoUtf8String_closes(String filter, RunningBroker broker) {
        String field = String.format("%04x", filter.length() / 2) + filter;
        for (ProtocolVersion version : List.of(MQTT_5, MQTT_3_1_1)) {
            try (MqttSocket socket = client(broker, version)) {
                socket.sendHex(packet("82", "0001", noProperties(version), field, "00"));
                socket.expectDisconnect(ReasonCode.MALFORMED_PACKET);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.8.3-2"},
            v3 = {"MQTT-3.8.3-3"},
            edge = {"E135"})
    void withoutFilters_closes(ProtocolVersion version, RunningBroker broker) {
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex(packet("82", "0001", noProperties(version)));
            socket.expectDisconnect(ReasonCode.PROTOCOL_ERROR);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.13.1-1"},
            v3 = {"MQTT-4.8.0-1"})
    void filterWithoutOptions_closes(ProtocolVersion version, RunningBroker broker) {
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex(packet("82", "0001", noProperties(version), string("a")));
            socket.expectDisconnect(ReasonCode.MALFORMED_PACKET);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "40,MALFORMED_PACKET", // reserved
        "80,MALFORMED_PACKET", // reserved
        "c2,MALFORMED_PACKET",
        "03,PROTOCOL_ERROR", // QoS 3
        "30,PROTOCOL_ERROR", // Retain Handling 3
    })
    @Clause(
            v5 = {"MQTT-3.8.3-5"},
            edge = {"E136"})
    void wrongOptions_close(String options, ReasonCode reason, RunningBroker broker) {
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.sendHex(packet("82", "0001", "00", string("a"), options));
            socket.expectDisconnect(reason);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"03", "04", "08", "10", "20", "40", "80", "fe"})
    @Clause(
            v3 = {"MQTT-3.8.3-4"},
            edge = {"E136"})
    void wrongQosByteOfV3_closes(String qos, RunningBroker broker) {
        for (ProtocolVersion version : List.of(MQTT_3_1, MQTT_3_1_1)) {
            try (MqttSocket socket = client(broker, version)) {
                socket.sendHex(packet("82", "0001", string("a"), qos));
                socket.expectClosed();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.8.4-1", "MQTT-3.8.4-2", "MQTT-3.8.4-6", "MQTT-3.8.4-7", "MQTT-3.9.3-1", "MQTT-3.9.3-2"},
            v3 = {"MQTT-3.8.4-1", "MQTT-3.8.4-2", "MQTT-3.8.4-4", "MQTT-3.8.4-5", "MQTT-3.9.3-1", "MQTT-3.9.3-2"})
    void subAck_hasTheIdentifierAndACodeForEachFilterInOrder(ProtocolVersion version, RunningBroker broker) {
        String a = string(unique("subscribe"));
        String b = string(unique("subscribe"));
        String c = string(unique("subscribe"));
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex(packet("82", "abcd", noProperties(version), a, "02", b, "00", c, "01"));
            assertEquals("90" + (version.isV5() ? "06abcd00" : "05abcd") + "020001", frame(socket));
        }
    }

    @ParameterizedTest
    @CsvSource({"MQTT_5,8f", "MQTT_3_1_1,80"})
    @Clause(
            v5 = {"MQTT-3.8.4-1", "MQTT-3.8.4-5", "MQTT-3.9.3-1", "MQTT-3.9.3-2"},
            v3 = {"MQTT-3.8.4-1", "MQTT-3.8.4-4", "MQTT-3.9.3-1", "MQTT-3.9.3-2"},
            edge = {"E137", "E138"})
    void failedFilter_hasItsCodeAndDoesNotAffectTheOthers(ProtocolVersion version, String code, RunningBroker broker) {
        String topic = unique("subscribe");
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex(packet(
                    "82",
                    "0007",
                    noProperties(version),
                    string("a#"),
                    "00",
                    string(topic),
                    "01",
                    string("a/#/b"),
                    "02",
                    string(topic + "/2"),
                    "02"));
            String subAck = frame(socket);
            assertEquals(code + "01" + code + "02", subAck.substring(subAck.length() - 8));
            assertEquals("0007", subAck.substring(4, 8));
            socket.publish(topic, "1", Qos.AT_MOST_ONCE);
            socket.publish(topic + "/2", "2", Qos.AT_MOST_ONCE);
            socket.expectPublish(topic, "1");
            socket.expectPublish(topic + "/2", "2");
            // all failed
            socket.sendHex(packet("82", "0008", noProperties(version), string("a+"), "00"));
            subAck = frame(socket);
            assertEquals("0008", subAck.substring(4, 8));
            assertEquals(code, subAck.substring(subAck.length() - 2));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a#", "a/#/b", "#/a", "##", "a+", "+a", "a/+b/c", "a/b+", "", "$share//a", "$share/g"})
    @Clause(
            v5 = {"MQTT-4.7.1-1", "MQTT-4.7.1-2", "MQTT-4.7.3-1", "MQTT-4.8.2-1", "MQTT-4.8.2-2"},
            v3 = {"MQTT-4.7.1-2", "MQTT-4.7.1-3", "MQTT-4.7.3-1"},
            edge = {"E137"})
    void invalidFilter_isRefused(String filter, RunningBroker broker) {
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.sendHex(packet("82", "0001", "00", string(filter), "00"));
            assertEquals(List.of(INVALID), socket.receive(SubAck.class).reasons());
        }
        try (MqttSocket socket = client(broker, MQTT_3_1_1)) {
            socket.sendHex(packet("82", "0001", string(filter), "00"));
            assertEquals("9003000180", frame(socket));
        }
        try (MqttSocket socket = client(broker, MQTT_3_1)) {
            socket.sendHex(packet("82", "0001", string(filter), "00"));
            socket.expectClosed(); // 3.1 has no failure code
        }
    }

    @Test
    @Clause(v5 = {"MQTT-3.9.2-1", "MQTT-3.9.2-2"})
    void explanation_beyondMaximumPacketSize_isLeftOut(RunningBroker broker) {
        expectExplanationToFit(broker, packet("82", "0001", "00", string("a#"), "00"), new SubAck(1, List.of(INVALID)));
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.8.4-8"},
            v3 = {"MQTT-3.8.4-6"})
    void delivery_isAtTheLowerOfPublishedAndGrantedQos(ProtocolVersion version, RunningBroker broker) {
        for (Qos granted : Qos.values()) {
            for (Qos published : Qos.values()) {
                String topic = unique("subscribe");
                String id = unique("client");
                Qos expected = Qos.min(granted, published);
                try (MqttSocket subscriber = begin(broker, version, id);
                        MqttSocket publisher = client(broker, version)) {
                    publisher.publish(retained(topic, "retained", published));
                    publisher.publish(topic, "before the subscription", published);
                    publisher.expectNothing();
                    subscriber.subscribe(topic, granted);
                    assertEquals(
                            expected,
                            subscriber
                                    .expectPublish(topic, "retained")
                                    .message()
                                    .qos());
                    publisher.publish(topic, "live", published);
                    assertEquals(
                            expected,
                            subscriber.expectPublish(topic, "live").message().qos());
                    subscriber.disconnect();
                    publisher.publish(topic, "queued", published);
                    publisher.expectNothing();
                    try (MqttSocket resumed = resume(broker, version, id)) {
                        if (expected == Qos.AT_MOST_ONCE) {
                            expectNothingMore(publisher, resumed);
                        } else {
                            assertEquals(
                                    expected,
                                    resumed.expectPublish(topic, "queued")
                                            .message()
                                            .qos());
                        }
                    }
                    publisher.publish(retained(topic, "", Qos.AT_MOST_ONCE));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.8.4-3"},
            v3 = {"MQTT-3.8.4-3"},
            edge = {"E140"})
    void sameFilterAgain_replacesTheSubscription(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("subscribe");
        try (MqttSocket subscriber = client(broker, version);
                MqttSocket publisher = client(broker, version)) {
            subscriber.subscribe(topic, Qos.AT_MOST_ONCE);
            subscriber.subscribe(topic, Qos.EXACTLY_ONCE);
            publisher.publish(topic, "1", Qos.EXACTLY_ONCE);
            assertEquals(
                    Qos.EXACTLY_ONCE,
                    subscriber.expectPublish(topic, "1").message().qos());
            subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
            publisher.publish(topic, "2", Qos.EXACTLY_ONCE);
            assertEquals(
                    Qos.AT_LEAST_ONCE,
                    subscriber.expectPublish(topic, "2").message().qos());
            expectNothingMore(publisher, subscriber);
            subscriber.unsubscribe(topic); // one subscription, not three
            publisher.publish(topic, "3", Qos.EXACTLY_ONCE);
            expectNothingMore(publisher, subscriber);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.8.4-3"},
            edge = {"E140"})
    void sameFilterAgain_replacesOptionsAndIdentifier(RunningBroker broker) {
        String topic = unique("subscribe");
        try (MqttSocket subscriber = client(broker, MQTT_5)) {
            subscriber.subscribe(
                    7, new Subscribe.Entry(topic, Qos.AT_LEAST_ONCE, true, true, Subscribe.RetainHandling.SEND));
            subscriber.publish(topic, "own, not local", Qos.AT_MOST_ONCE);
            expectNothingMore(subscriber, subscriber);
            subscribe(subscriber, 9, topic, Qos.AT_LEAST_ONCE);
            subscriber.publish(topic, "own", Qos.AT_MOST_ONCE);
            Publish publish = subscriber.expectPublish(topic, "own");
            assertEquals(List.of(9), publish.subscriptionIds());
            subscribe(subscriber, 0, topic, Qos.AT_LEAST_ONCE);
            subscriber.publish(topic, "own", Qos.AT_MOST_ONCE);
            assertEquals(List.of(), subscriber.expectPublish(topic, "own").subscriptionIds());
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.8.4-4"},
            v3 = {"MQTT-3.8.4-3"},
            edge = {"E140"})
    void sameFilterAgain_sendsRetainedAndLosesNothingLive(ProtocolVersion version, RunningBroker broker)
            throws InterruptedException {
        String topic = unique("subscribe");
        int count = 300;
        try (MqttSocket publisher = client(broker, version);
                MqttSocket subscriber = client(broker, version)) {
            subscriber.subscribe(topic + "/#", Qos.AT_LEAST_ONCE);
            publisher.publish(retained(topic + "/retained", "r", Qos.AT_MOST_ONCE));
            subscriber.expectPublish(topic + "/retained", "r");
            Thread stream = new Thread(() -> {
                for (int i = 0; i < count; i++) {
                    publisher.publish(topic + "/live", "" + i, Qos.AT_LEAST_ONCE);
                }
            });
            stream.start();
            int next = 0;
            int retained = 0;
            int subAcks = 0;
            int asked = 0;
            while (next < count || retained < asked || subAcks < asked) {
                if (asked < 20 && next >= asked * 10) {
                    subscriber.send(new Subscribe(
                            1000 + asked++,
                            0,
                            List.of(new Subscribe.Entry(topic + "/#", Qos.AT_LEAST_ONCE)),
                            List.of()));
                }
                Packet packet = subscriber.receive();
                if (packet instanceof SubAck) {
                    subAcks++;
                } else if (((Publish) packet).message().retain()) {
                    retained++;
                } else {
                    take(subscriber, (Publish) packet, "" + next++);
                }
            }
            stream.join();
            assertEquals(20, retained);
            expectNothingMore(publisher, subscriber);
            publisher.publish(retained(topic + "/retained", "", Qos.AT_MOST_ONCE));
        }
    }

    private static void take(MqttSocket subscriber, Publish publish, String payload) {
        assertEquals(payload, MqttSocket.text(publish));
        ack(subscriber, PacketType.PUBACK, publish);
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.8.4-5", "MQTT-3.8.4-6"},
            v3 = {"MQTT-3.8.4-4", "MQTT-3.8.4-5"},
            edge = {"E141"})
    void severalFilters_actAsASequence(ProtocolVersion version, RunningBroker broker) {
        String root = unique("subscribe");
        try (MqttSocket subscriber = client(broker, version);
                MqttSocket publisher = client(broker, version)) {
            publisher.publish(retained(root + "/b", "retained", Qos.AT_LEAST_ONCE));
            SubAck subAck = subscriber.subscribe(
                    new Subscribe.Entry(root + "/b", Qos.EXACTLY_ONCE),
                    new Subscribe.Entry(root + "/c", Qos.AT_LEAST_ONCE),
                    new Subscribe.Entry(root + "/b", Qos.AT_MOST_ONCE));
            assertEquals(3, subAck.reasons().size());
            assertEquals(ReasonCode.granted(Qos.EXACTLY_ONCE), subAck.reasons().get(0));
            assertEquals(ReasonCode.granted(Qos.AT_MOST_ONCE), subAck.reasons().get(2));
            // each of the sequence sends the retained message by its own options; for what is live the last one rules
            Publish first = subscriber.expectPublish(root + "/b", "retained");
            Publish second = subscriber.expectPublish(root + "/b", "retained");
            assertEquals(
                    List.of(Qos.AT_LEAST_ONCE, Qos.AT_MOST_ONCE),
                    List.of(first.message().qos(), second.message().qos()));
            publisher.publish(root + "/b", "live", Qos.EXACTLY_ONCE);
            assertEquals(
                    Qos.AT_MOST_ONCE,
                    subscriber.expectPublish(root + "/b", "live").message().qos());
            expectNothingMore(publisher, subscriber);
            publisher.publish(retained(root + "/b", "", Qos.AT_MOST_ONCE));
        }
    }

    @ParameterizedTest
    @CsvSource({"SEND,2", "SEND_IF_NEW,1", "DO_NOT_SEND,1"})
    @Clause(
            v5 = {"MQTT-3.8.4-5", "MQTT-3.3.1-9", "MQTT-3.3.1-10", "MQTT-3.3.1-11"},
            edge = {"E141"})
    void sameFilterTwice_secondCountsAsExisting(Subscribe.RetainHandling second, int copies, RunningBroker broker) {
        String topic = unique("subscribe");
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.publish(retained(topic, "retained", Qos.AT_MOST_ONCE));
            socket.subscribe(
                    new Subscribe.Entry(topic, Qos.AT_LEAST_ONCE, false, false, Subscribe.RetainHandling.SEND_IF_NEW),
                    new Subscribe.Entry(topic, Qos.AT_LEAST_ONCE, false, false, second));
            for (int i = 0; i < copies; i++) {
                socket.expectPublish(topic, "retained");
            }
            expectNothingMore(socket, socket);
            socket.publish(retained(topic, "", Qos.AT_MOST_ONCE));
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_5", "MQTT_3_1_1"})
    @Clause(
            v5 = {"MQTT-3.8.4-5", "MQTT-3.8.4-6"},
            v3 = {"MQTT-3.8.4-4", "MQTT-3.8.4-5"},
            edge = {"E151"})
    void thousandsOfFilters_getOneSubAck(ProtocolVersion version, RunningBroker broker) {
        String root = unique("subscribe");
        int count = 5000;
        Subscribe.Entry[] entries = new Subscribe.Entry[count];
        for (int i = 0; i < count; i++) {
            entries[i] = new Subscribe.Entry(i % 1000 == 500 ? "a#" : root + "/" + i, Qos.of(i % 3));
        }
        try (MqttSocket socket = client(broker, version)) {
            SubAck subAck = socket.subscribe(entries);
            for (int i = 0; i < count; i++) {
                ReasonCode code = subAck.reasons().get(i);
                if (i % 1000 == 500) {
                    assertTrue(code.isError());
                } else {
                    assertEquals(ReasonCode.granted(Qos.of(i % 3)), code);
                }
            }
            socket.publish(root + "/4999", "last", Qos.AT_MOST_ONCE);
            socket.expectPublish(root + "/4999", "last");
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_5", "MQTT_3_1_1"})
    @Clause(edge = {"E156"})
    void moreLevelsThanTheLimit_areRefused(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("subscribe") + "/x".repeat(127);
        try (MqttSocket socket = client(broker, version)) {
            SubAck subAck = socket.subscribe(
                    new Subscribe.Entry(topic, Qos.AT_LEAST_ONCE),
                    new Subscribe.Entry(topic + "/x", Qos.AT_LEAST_ONCE));
            assertEquals(ReasonCode.granted(Qos.AT_LEAST_ONCE), subAck.reasons().get(0));
            assertEquals(
                    version.isV5() ? INVALID : ReasonCode.UNSPECIFIED_ERROR,
                    subAck.reasons().get(1));
            socket.publish(topic, "m", Qos.AT_MOST_ONCE);
            socket.expectPublish(topic, "m");
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.8.3-3"},
            edge = {"E146"})
    void noLocal_keepsOwnMessagesAwayByClientIdentifier(RunningBroker broker) {
        String topic = unique("subscribe");
        String id = unique("client");
        try (MqttSocket other = client(broker, MQTT_5);
                MqttSocket socket = begin(broker, MQTT_5, id)) {
            socket.subscribe(new Subscribe.Entry(topic, Qos.AT_LEAST_ONCE, true, false, Subscribe.RetainHandling.SEND));
            socket.publish(topic, "own", Qos.AT_LEAST_ONCE);
            other.publish(topic, "other", Qos.AT_LEAST_ONCE);
            socket.expectPublish(topic, "other");
            socket.expectNothing();
            try (MqttSocket again = resume(broker, MQTT_5, id)) { // takes over
                again.publish(topic, "own, of the next connection", Qos.AT_LEAST_ONCE);
                other.publish(topic, "other 2", Qos.AT_LEAST_ONCE);
                again.expectPublish(topic, "other 2");
                expectNothingMore(again, again);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"04", "05", "2e"})
    @Clause(
            v5 = {"MQTT-3.8.3-4"},
            edge = {"E158"})
    void noLocalOnASharedSubscription_closes(String options, RunningBroker broker) {
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.sendHex(packet("82", "0001", "00", string("$share/g/" + unique("subscribe")), options));
            socket.expectDisconnect(ReasonCode.PROTOCOL_ERROR);
        }
    }

    @Test
    @Clause(edge = {"E139"})
    void refusedSubscribe_keepsTheOtherSubscriptions(RunningBroker broker) {
        String topic = unique("subscribe");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket socket = client(broker, MQTT_5)) {
            subscribe(socket, 3, topic, Qos.AT_LEAST_ONCE);
            assertEquals(
                    List.of(INVALID),
                    subscribe(socket, 4, topic + "#", Qos.AT_MOST_ONCE).reasons());
            publisher.publish(topic, "m", Qos.AT_LEAST_ONCE);
            Publish publish = socket.expectPublish(topic, "m");
            assertEquals(Qos.AT_LEAST_ONCE, publish.message().qos());
            assertEquals(List.of(3), publish.subscriptionIds());
        }
    }
}
