package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.client;
import static org.dunlin.it.conformance.Parties.subscriber;
import static org.dunlin.it.conformance.Parties.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.Subscribe.RetainHandling;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Retained messages: 3.3.1.3 of both standards. */
@Broker
class RetainedIT {
    private static void retain(MqttSocket publisher, String topic, String payload, Qos qos) {
        publisher.publish(MqttSocket.message(topic, payload, qos, true));
    }

    /** What a new subscriber of that version gets: this retained message, or nothing if it is null. */
    private static void expectRetained(
            RunningBroker broker, ProtocolVersion version, String topic, @Nullable String payload) {
        try (MqttSocket socket = subscriber(broker, version, topic, Qos.EXACTLY_ONCE)) {
            if (payload != null) {
                assertTrue(socket.expectPublish(topic, payload).message().retain());
            }
            socket.expectNothing();
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.3.1-5", "MQTT-3.3.1-6", "MQTT-3.3.1-7", "MQTT-3.3.1-8", "MQTT-3.3.1-12"},
            v3 = {
                "MQTT-3.3.1-5",
                "MQTT-3.3.1-6",
                "MQTT-3.3.1-8",
                "MQTT-3.3.1-9",
                "MQTT-3.3.1-10",
                "MQTT-3.3.1-11",
                "MQTT-3.3.1-12"
            },
            edge = {"E122", "E123", "E124"})
    void retain_setsReplacesAndClears(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("ret");
        try (MqttSocket live = subscriber(broker, version, topic, Qos.EXACTLY_ONCE);
                MqttSocket publisher = client(broker, version)) {
            for (Qos qos : Qos.values()) {
                retain(publisher, topic, "first", qos);
                assertEquals(false, live.expectPublish(topic, "first").message().retain());
                retain(publisher, topic, "second", qos);
                assertEquals(
                        false, live.expectPublish(topic, "second").message().retain());
                expectRetained(broker, version, topic, "second");
                publisher.publish(topic, "plain", Qos.AT_LEAST_ONCE);
                publisher.publish(topic, "", Qos.AT_LEAST_ONCE); // without RETAIN, clears nothing
                live.expectPublish(topic, "plain");
                live.expectPublish(topic, "");
                expectRetained(broker, version, topic, "second");
                retain(publisher, topic, "", qos);
                Publish cleared = live.expectPublish(topic, "");
                assertEquals(false, cleared.message().retain());
                assertEquals(qos, cleared.message().qos());
                expectRetained(broker, version, topic, null);
                retain(publisher, topic, "", Qos.EXACTLY_ONCE); // of nothing, and acknowledged
                live.expectPublish(topic, "");
            }
            live.expectNothing();
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.3.1-5"},
            v3 = {"MQTT-3.3.1-5", "MQTT-3.3.1-7"},
            edge = {"E118", "E130"})
    void retainedMessage_comesAtTheLowerQosAndQos0ReplacesOthers(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("ret");
        try (MqttSocket publisher = client(broker, version)) {
            for (Qos published : new Qos[] {Qos.EXACTLY_ONCE, Qos.AT_LEAST_ONCE, Qos.AT_MOST_ONCE}) {
                retain(publisher, topic, "qos" + published, published);
                publisher.expectNothing(); // QoS 0 has been processed, too
                for (Qos granted : Qos.values()) {
                    try (MqttSocket socket = subscriber(broker, version, topic, granted)) {
                        Publish publish = socket.expectPublish(topic, "qos" + published);
                        assertEquals(
                                Qos.min(published, granted), publish.message().qos());
                        assertTrue(publish.message().retain());
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v3 = {"MQTT-3.3.1-6"},
            edge = {"E132", "E133"})
    void wildcardSubscription_getsTheLastOfEachMatchingTopicAfterSuback(ProtocolVersion version, RunningBroker broker) {
        String prefix = unique("ret");
        try (MqttSocket publisher = client(broker, version)) {
            for (String end : new String[] {"", "/a", "/b", "/a/c", "/", "/d/e/f"}) {
                retain(publisher, prefix + end, "old", Qos.AT_LEAST_ONCE);
                retain(publisher, prefix + end, prefix + end, Qos.AT_LEAST_ONCE);
            }
            String dollar = "$" + prefix;
            retain(publisher, dollar, "not for wildcards", Qos.AT_LEAST_ONCE);
            expectAll(broker, version, prefix + "/+", prefix + "/", prefix + "/a", prefix + "/b");
            expectAll(
                    broker,
                    version,
                    prefix + "/#",
                    prefix,
                    prefix + "/",
                    prefix + "/a",
                    prefix + "/a/c",
                    prefix + "/b",
                    prefix + "/d/e/f");
            expectAll(broker, version, prefix + "/+/c", prefix + "/a/c");
            try (MqttSocket all = client(broker, version)) {
                all.send(new Subscribe(1, 0, List.of(new Subscribe.Entry("#", Qos.AT_MOST_ONCE)), List.of()));
                all.send(new Subscribe(2, 0, List.of(new Subscribe.Entry("+", Qos.AT_MOST_ONCE)), List.of()));
                int mine = 0;
                while (mine < 7) { // six by "#" and one by "+"
                    Packet packet = all.receive();
                    if (packet instanceof Publish publish) {
                        String topic = publish.message().topic().text();
                        assertTrue(!topic.startsWith("$"), topic);
                        mine += topic.startsWith(prefix) ? 1 : 0;
                    }
                }
            }
            try (MqttSocket exact = subscriber(broker, version, dollar, Qos.AT_MOST_ONCE)) {
                exact.expectPublish(dollar, "not for wildcards");
            }
            for (String end : new String[] {"", "/a", "/b", "/a/c", "/", "/d/e/f"}) {
                retain(publisher, prefix + end, "", Qos.AT_LEAST_ONCE);
            }
            retain(publisher, dollar, "", Qos.AT_LEAST_ONCE);
        }
    }

    private static void expectAll(RunningBroker broker, ProtocolVersion version, String filter, String... topics) {
        try (MqttSocket socket = subscriber(broker, version, filter, Qos.AT_LEAST_ONCE)) { // SUBACK has come
            List<String> found = new ArrayList<>();
            for (int i = 0; i < topics.length; i++) {
                Publish publish = socket.receivePublish();
                assertTrue(publish.message().retain());
                assertEquals(publish.message().topic().text(), MqttSocket.text(publish));
                found.add(publish.message().topic().text());
            }
            found.sort(null);
            assertEquals(List.of(topics), found);
            socket.expectNothing();
        }
    }

    private static void subscribe(MqttSocket socket, String filter, boolean asPublished, RetainHandling handling) {
        socket.subscribe(new Subscribe.Entry(filter, Qos.AT_LEAST_ONCE, false, asPublished, handling));
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.3.1-9", "MQTT-3.3.1-10", "MQTT-3.3.1-11"},
            edge = {"E126"})
    void retainHandling_saysWhenRetainedMessagesAreSent(RunningBroker broker) {
        String topic = unique("rh");
        Connect connect = Connect.builder(MQTT_5, unique("rh"))
                .cleanStart(false)
                .sessionExpirySeconds(60)
                .build();
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            retain(publisher, topic, "kept", Qos.AT_LEAST_ONCE);
            try (MqttSocket socket = broker.socket()) {
                socket.connect(connect);
                subscribe(socket, topic, false, RetainHandling.SEND_IF_NEW);
                socket.expectPublish(topic, "kept");
                subscribe(socket, topic, false, RetainHandling.SEND_IF_NEW);
                socket.expectNothing();
                for (int i = 0; i < 2; i++) {
                    subscribe(socket, topic, false, RetainHandling.SEND);
                    assertTrue(socket.expectPublish(topic, "kept").message().retain());
                }
                subscribe(socket, topic, false, RetainHandling.DO_NOT_SEND);
                socket.expectNothing();
                socket.unsubscribe(topic);
                subscribe(socket, topic, false, RetainHandling.DO_NOT_SEND);
                socket.expectNothing();
                publisher.publish(topic, "live", Qos.AT_LEAST_ONCE);
                socket.expectPublish(topic, "live");
                socket.unsubscribe(topic);
                subscribe(socket, topic, false, RetainHandling.SEND_IF_NEW);
                socket.expectPublish(topic, "kept");
                socket.disconnect();
            }
            try (MqttSocket socket = broker.socket()) {
                assertTrue(socket.connect(connect).sessionPresent());
                socket.expectNothing(); // to resume is not to subscribe
                subscribe(socket, topic, false, RetainHandling.SEND_IF_NEW);
                socket.expectNothing(); // the session had it already
                subscribe(socket, topic, false, RetainHandling.SEND);
                socket.expectPublish(topic, "kept");
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_3_1", "MQTT_3_1_1"})
    @Clause(
            v3 = {"MQTT-3.3.1-6", "MQTT-3.3.1-8"},
            edge = {"E126"})
    void resubscribingOf3_getsRetainedMessagesAgain(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("rh");
        try (MqttSocket socket = client(broker, version)) {
            retain(socket, topic, "kept", Qos.AT_LEAST_ONCE);
            for (int i = 0; i < 2; i++) {
                socket.subscribe(topic, Qos.AT_LEAST_ONCE);
                assertTrue(socket.expectPublish(topic, "kept").message().retain());
            }
            socket.expectNothing();
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.3.1-12", "MQTT-3.3.1-13"},
            edge = {"E122", "E124", "E125"})
    void retainAsPublished_keepsTheFlagOfLiveMessages(RunningBroker broker) {
        String topic = unique("rap");
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            for (boolean asPublished : new boolean[] {false, true}) {
                Connect connect = Connect.builder(MQTT_5, unique("rap"))
                        .cleanStart(false)
                        .sessionExpirySeconds(60)
                        .build();
                try (MqttSocket socket = broker.socket()) {
                    socket.connect(connect);
                    subscribe(socket, topic, asPublished, RetainHandling.SEND);
                    expectFlags(publisher, socket, topic, asPublished);
                    retain(publisher, topic, "", Qos.AT_LEAST_ONCE);
                    assertEquals(
                            asPublished,
                            socket.expectPublish(topic, "").message().retain());
                    socket.disconnect();
                }
                retain(publisher, topic, "r", Qos.AT_LEAST_ONCE);
                publisher.publish(topic, "p", Qos.AT_LEAST_ONCE);
                try (MqttSocket socket = broker.socket()) { // what was queued is live, too
                    socket.connect(connect);
                    assertEquals(
                            asPublished,
                            socket.expectPublish(topic, "r").message().retain());
                    assertEquals(
                            false, socket.expectPublish(topic, "p").message().retain());
                    subscribe(socket, topic, asPublished, RetainHandling.SEND);
                    assertTrue(socket.expectPublish(topic, "r").message().retain());
                    socket.disconnect();
                }
                retain(publisher, topic, "", Qos.AT_LEAST_ONCE);
            }
        }
    }

    private static void expectFlags(MqttSocket publisher, MqttSocket socket, String topic, boolean asPublished) {
        for (Qos qos : Qos.values()) {
            retain(publisher, topic, "r" + qos, qos);
            publisher.publish(topic, "p" + qos, qos);
            assertEquals(
                    asPublished,
                    socket.expectPublish(topic, "r" + qos).message().retain());
            assertEquals(false, socket.expectPublish(topic, "p" + qos).message().retain());
        }
    }

    @Test
    @Clause(edge = {"E127"})
    void sharedSubscription_getsNoRetainedMessages(RunningBroker broker) {
        String topic = unique("shared");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket socket = client(broker, MQTT_5)) {
            retain(publisher, topic, "kept", Qos.AT_LEAST_ONCE);
            for (RetainHandling handling : RetainHandling.values()) {
                subscribe(socket, "$share/g/" + topic, false, handling);
                socket.expectNothing();
            }
            publisher.publish(topic, "live", Qos.AT_LEAST_ONCE);
            socket.expectPublish(topic, "live");
        }
    }

    @Test
    @Clause(edge = {"E128"})
    void overlappingFiltersOfOneSubscribe_eachGetTheRetainedMessage(RunningBroker broker) {
        String topic = unique("over");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket socket = client(broker, MQTT_5)) {
            retain(publisher, topic + "/a", "kept", Qos.AT_LEAST_ONCE);
            SubAck subAck = socket.subscribe(
                    9,
                    new Subscribe.Entry(topic + "/a", Qos.AT_MOST_ONCE),
                    new Subscribe.Entry(topic + "/#", Qos.AT_LEAST_ONCE));
            assertEquals(2, subAck.reasons().size());
            for (int i = 0; i < 2; i++) {
                Publish publish = socket.expectPublish(topic + "/a", "kept");
                assertTrue(publish.message().retain());
                assertEquals(List.of(9), publish.subscriptionIds());
            }
            socket.expectNothing();
        }
    }

    @Test
    @Clause(edge = {"E131"})
    void noLocal_holdsForRetainedMessages(RunningBroker broker) {
        String topic = unique("local");
        Subscribe.Entry entry = new Subscribe.Entry(topic + "/+", Qos.AT_LEAST_ONCE, true, false, RetainHandling.SEND);
        try (MqttSocket socket = client(broker, MQTT_5);
                MqttSocket other = client(broker, MQTT_5)) {
            retain(socket, topic + "/own", "own", Qos.AT_LEAST_ONCE);
            retain(other, topic + "/other", "other", Qos.AT_LEAST_ONCE);
            socket.subscribe(entry);
            socket.expectPublish(topic + "/other", "other");
            socket.expectNothing();
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.3.1-5"},
            v3 = {"MQTT-3.3.1-5"},
            edge = {"E090", "E134"})
    void retainedMessageWithoutSubscriber_isStored(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("alone");
        try (MqttSocket publisher = client(broker, version)) {
            retain(publisher, topic, "kept", Qos.EXACTLY_ONCE);
        }
        for (ProtocolVersion other : ProtocolVersion.values()) {
            expectRetained(broker, other, topic, "kept");
        }
        try (MqttSocket publisher = client(broker, MQTT_3_1)) {
            retain(publisher, topic, "", Qos.AT_LEAST_ONCE);
        }
        expectRetained(broker, version, topic, null);
    }
}
