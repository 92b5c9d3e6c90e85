package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.expectNothingMore;
import static org.dunlin.it.conformance.Clients.noProperties;
import static org.dunlin.it.conformance.Clients.packet;
import static org.dunlin.it.conformance.Clients.publish;
import static org.dunlin.it.conformance.Clients.string;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.UnsubAck;
import org.dunlin.mqtt.Unsubscribe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Topic names and topic filters. */
@Broker
class TopicMatchingIT {
    /** What of these topics comes to a subscriber of the filter; "~" stands for a root of the test's own. */
    private static void expectMatches(
            RunningBroker broker, ProtocolVersion version, String filter, List<String> yes, List<String> no) {
        String root = unique("topic");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket subscriber = client(broker, version)) {
            subscriber.subscribe(filter.replace("~", root), Qos.AT_MOST_ONCE);
            for (String topic : yes) {
                publisher.publish(topic.replace("~", root), topic, Qos.AT_MOST_ONCE);
                subscriber.expectPublish(topic.replace("~", root), topic);
            }
            for (String topic : no) {
                publisher.publish(topic.replace("~", root), topic, Qos.AT_MOST_ONCE);
            }
            expectNothingMore(publisher, subscriber);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.7.1-1"},
            v3 = {"MQTT-4.7.1-2"},
            edge = {"E152"})
    void multiLevelWildcard_matchesTheParentAndAnyNumberOfLevels(ProtocolVersion version, RunningBroker broker) {
        expectMatches(
                broker,
                version,
                "~/sport/#",
                List.of("~/sport", "~/sport/", "~/sport/a", "~/sport/a/b", "~/sport//", "~/sport/a/b/c/d/e/f/g"),
                List.of("~", "~/", "~/sports", "~/sport1/a", "~/Sport", "x~/sport", "/~/sport"));
        expectMatches(
                broker,
                version,
                "~/+/b/#",
                List.of("~/a/b", "~//b", "~/a/b/", "~/a/b/c"),
                List.of("~/b", "~/a", "~/a/a/b"));
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.7.1-2"},
            v3 = {"MQTT-4.7.1-3"},
            edge = {"E153"})
    void singleLevelWildcard_matchesOneLevelEvenAnEmptyOne(ProtocolVersion version, RunningBroker broker) {
        expectMatches(
                broker,
                version,
                "~/+",
                List.of("~/", "~/a", "~/a b", "~/$x"),
                List.of("~", "~/a/b", "~//", "~/a/", "/~"));
        expectMatches(
                broker, version, "+/~/+", List.of("/~/", "a/~/b", "/~/b"), List.of("~/b", "a/b/~/c", "$a/~/b", "a/~"));
        expectMatches(
                broker, version, "/~+".replace("~+", "+/~"), List.of("/finance/~", "//~"), List.of("finance/~", "/~"));
        expectMatches(broker, version, "~/+/c", List.of("~/b/c", "~//c"), List.of("~/c", "~/b/b/c", "~/b/C"));
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.7.1-1", "MQTT-4.7.1-2"},
            v3 = {"MQTT-4.7.1-2", "MQTT-4.7.1-3"},
            edge = {"E153"})
    void wildcardsAlone_areValid(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("topic");
        for (String filter : List.of("#", "+", "+/+", "/+", "/#", "+/#", "+/+/#")) {
            try (MqttSocket subscriber = client(broker, version);
                    MqttSocket publisher = client(broker, version)) {
                subscriber.subscribe(filter, Qos.AT_MOST_ONCE);
                boolean one = filter.equals("#") || filter.equals("+") || filter.equals("+/#");
                boolean slash = !filter.equals("+");
                if (one) {
                    publisher.publish(topic, "plain", Qos.AT_MOST_ONCE);
                    awaitPublish(subscriber, topic);
                }
                if (slash) {
                    publisher.publish("/" + topic, "slash", Qos.AT_MOST_ONCE);
                    awaitPublish(subscriber, "/" + topic);
                }
            }
        }
    }

    /** Reads past what others publish meanwhile. */
    private static void awaitPublish(MqttSocket subscriber, String topic) {
        while (!subscriber.receive(Publish.class).message().topic().text().equals(topic)) {}
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E155"})
    void emptyLevels_areLevels(ProtocolVersion version, RunningBroker broker) {
        List<String> topics = List.of("~", "~/", "~//", "/~", "/~/", "~/a", "~//a", "~/a/");
        for (String filter : topics) {
            List<String> others = new ArrayList<>(topics);
            others.remove(filter);
            expectMatches(broker, version, filter, List.of(filter), others);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "//", "///"})
    @Clause(edge = {"E155"})
    void topicsOfSlashesAlone_areLegal(String topic, RunningBroker broker) {
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.subscribe(topic, Qos.AT_MOST_ONCE);
            socket.publish(topic, "m", Qos.AT_MOST_ONCE);
            socket.expectPublish(topic, "m");
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.7.2-1"},
            v3 = {"MQTT-4.7.2-1"},
            edge = {"E154"})
    void leadingWildcards_doNotMatchDollarTopics(ProtocolVersion version, RunningBroker broker) {
        String root = unique("topic");
        List<String> filters = List.of("#", "+/#", "+/" + root, "+/" + root + "/#", "+/+");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket subscriber = client(broker, version);
                MqttSocket fence = client(broker, version)) {
            fence.subscribe("$" + root + "/#", Qos.AT_MOST_ONCE);
            for (String filter : filters) {
                subscriber.subscribe(filter, Qos.AT_MOST_ONCE);
                publisher.publish("$" + root + "/" + root, "dollar", Qos.AT_MOST_ONCE);
                publisher.publish("$" + root, "dollar", Qos.AT_MOST_ONCE);
                fence.expectPublish("$" + root + "/" + root, "dollar");
                fence.expectPublish("$" + root, "dollar");
                publisher.publish(root + "/" + root, "plain", Qos.AT_MOST_ONCE);
                String topic;
                do { // others publish, too, but nothing that begins with $ may come
                    topic = subscriber.receive(Publish.class).message().topic().text();
                    assertFalse(topic.startsWith("$"), topic);
                } while (!topic.equals(root + "/" + root));
                subscriber.send(new Unsubscribe(77, List.of(filter), List.of()));
                while (!(subscriber.receive() instanceof UnsubAck)) {}
            }
        }
        expectMatches(broker, version, "~/+", List.of("~/$x"), List.of());
        expectMatches(broker, version, "$~/#", List.of("$~", "$~/a"), List.of("~", "~/$~"));
        expectMatches(broker, version, "$~/+", List.of("$~/a"), List.of("$~", "~/a"));
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.7.2-1"},
            v3 = {"MQTT-4.7.2-1"},
            edge = {"E154"})
    void sysTopics_comeToThoseWhoAskForThem(ProtocolVersion version, RunningBroker broker) {
        try (MqttSocket subscriber = client(broker, version)) {
            subscriber.subscribe("$SYS/#", Qos.AT_MOST_ONCE);
            assertTrue(
                    subscriber.receive(Publish.class).message().topic().text().startsWith("$SYS/"));
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.7.3-4"},
            v3 = {"MQTT-4.7.3-4"})
    void matching_changesNoCharacter(ProtocolVersion version, RunningBroker broker) {
        // e with acute as one character, and as e with a combining accent
        expectMatches(broker, version, "~/\u00e9", List.of("~/\u00e9"), List.of("~/e\u0301", "~/e", "~/\u00c9"));
        expectMatches(broker, version, "~/e\u0301/+", List.of("~/e\u0301/\u00e9"), List.of("~/\u00e9/\u00e9"));
        // the ligature fi, case, white space, a fullwidth slash, a BOM
        expectMatches(
                broker,
                version,
                "~/fi",
                List.of("~/fi"),
                List.of("~/\ufb01", "~/FI", "~/fi ", "~\uff0ffi", "~/\ufefffi"));
        expectMatches(broker, version, "~/ /\t", List.of("~/ /\t"), List.of("~//", "~/\u00a0/\t"));
        expectMatches(broker, version, "~/\ud83d\ude00", List.of("~/\ud83d\ude00"), List.of("~/?", "~/\ufffd"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a/#", "a/+/b", "#", "+", "a#", "+a"})
    @Clause(
            v5 = {"MQTT-4.7.0-1"},
            v3 = {"MQTT-4.7.1-1"})
    void topicNameWithAWildcard_closes(String topic, RunningBroker broker) {
        for (ProtocolVersion version : ProtocolVersion.values()) {
            try (MqttSocket socket = client(broker, version)) {
                socket.sendHex(packet("30", string(topic), noProperties(version), "61"));
                if (version.isV5()) {
                    assertTrue(socket.receive(Disconnect.class).reason().isError());
                }
                socket.expectClosed();
            }
            try (MqttSocket socket = broker.socket()) { // a will, clean session, keep alive 0, client identifier "w"
                socket.sendHex(packet(
                        "10",
                        string(version.protocolName()),
                        String.format("%02x", version.level()),
                        "06 0000",
                        noProperties(version),
                        string(unique("w")),
                        noProperties(version),
                        string(topic),
                        string("m")));
                if (version.isV5()) {
                    assertTrue(socket.receive(ConnAck.class).reason().isError());
                }
                socket.expectClosed();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.7.3-1"},
            v3 = {"MQTT-4.7.3-1"})
    void emptyTopicName_closes(ProtocolVersion version, RunningBroker broker) {
        try (MqttSocket socket = client(broker, version)) {
            socket.sendHex(packet("30", "0000", noProperties(version), "61"));
            socket.expectDisconnect(ReasonCode.PROTOCOL_ERROR);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.7.3-2"},
            v3 = {"MQTT-4.7.3-2"})
    void topicNameWithNul_closesAndIsNotForwarded(ProtocolVersion version, RunningBroker broker) {
        String root = unique("topic");
        try (MqttSocket subscriber = client(broker, version);
                MqttSocket publisher = client(broker, version);
                MqttSocket socket = client(broker, version)) {
            subscriber.subscribe(root + "/#", Qos.AT_MOST_ONCE);
            socket.sendHex(packet("30", string(root + "/a\u0000b"), noProperties(version), "61"));
            socket.expectDisconnect(ReasonCode.MALFORMED_PACKET);
            expectNothingMore(publisher, subscriber);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.7.3-3"},
            v3 = {"MQTT-4.7.3-3"})
    void longestTopic_works(ProtocolVersion version, RunningBroker broker) {
        String root = unique("topic") + "/";
        String topic = root + "\u20ac".repeat((65_535 - root.length()) / 3); // three bytes each
        topic += "x".repeat(65_535 - topic.getBytes(StandardCharsets.UTF_8).length);
        try (MqttSocket socket = client(broker, version)) {
            socket.subscribe(topic, Qos.AT_MOST_ONCE);
            socket.publish(topic, "m", Qos.AT_MOST_ONCE);
            socket.expectPublish(topic, "m");
        }
    }

    @Test
    @Clause(edge = {"E156"})
    void topicDeeperThanTheLimit_isRefused(RunningBroker broker) {
        try (MqttSocket socket = client(broker, MQTT_5)) {
            socket.subscribe("#", Qos.AT_MOST_ONCE);
            for (String topic : List.of("/".repeat(128), "a/".repeat(30_000) + "a", "/".repeat(65_535))) {
                socket.send(publish(topic, "m", Qos.AT_LEAST_ONCE, 9, false));
                Packet packet = socket.receive();
                while (packet instanceof Publish other) { // other tests publish meanwhile
                    assertTrue(other.message().topic().text().length() < topic.length());
                    packet = socket.receive();
                }
                assertEquals(ReasonCode.TOPIC_NAME_INVALID, ((Ack) packet).reason());
            }
        }
    }
}
