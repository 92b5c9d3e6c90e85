package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.ack;
import static org.dunlin.it.conformance.Clients.await;
import static org.dunlin.it.conformance.Clients.begin;
import static org.dunlin.it.conformance.Clients.client;
import static org.dunlin.it.conformance.Clients.expectNothingMore;
import static org.dunlin.it.conformance.Clients.lasting;
import static org.dunlin.it.conformance.Clients.packet;
import static org.dunlin.it.conformance.Clients.resume;
import static org.dunlin.it.conformance.Clients.retained;
import static org.dunlin.it.conformance.Clients.subscribe;
import static org.dunlin.it.conformance.Clients.take;
import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Ping;
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

/** Shared subscriptions. */
@Broker
class SharedSubscriptionIT {
    /** Payloads of all that has come to a client, at the time of its PINGRESP; completes QoS 1. */
    private static List<String> arrived(MqttSocket socket) {
        List<String> payloads = new ArrayList<>();
        socket.send(Ping.REQUEST);
        for (Packet packet = socket.receive(); packet != Ping.RESPONSE; packet = socket.receive()) {
            Publish publish = (Publish) packet;
            payloads.add(MqttSocket.text(publish));
            if (publish.message().qos() == Qos.AT_LEAST_ONCE) {
                ack(socket, PacketType.PUBACK, publish);
            }
        }
        return payloads;
    }

    /** Collects until all of the members together have that many. */
    private static List<List<String>> collect(int count, MqttSocket... members) {
        List<List<String>> all = new ArrayList<>();
        for (int i = 0; i < members.length; i++) {
            all.add(new ArrayList<>());
        }
        await(count + " messages at the members", () -> {
            int sum = 0;
            for (int i = 0; i < members.length; i++) {
                all.get(i).addAll(arrived(members[i]));
                sum += all.get(i).size();
            }
            return sum >= count;
        });
        for (int i = 0; i < members.length; i++) {
            all.get(i).addAll(arrived(members[i])); // too many show up, too
        }
        assertEquals(count, all.stream().mapToInt(List::size).sum(), all::toString);
        return all;
    }

    @ParameterizedTest
    @CsvSource({
        "$share//a",
        "$share/",
        "$share/g",
        "$share/g/",
        "$share/+/a",
        "$share/g+/a",
        "$share/g#/a",
        "$share/#",
        "$share/#/a",
        "$share/+",
        "$share/g/a#",
        "$share/g/+a",
        "$share/g/a/#/b"
    })
    @Clause(
            v5 = {"MQTT-4.8.2-1", "MQTT-4.8.2-2"},
            edge = {"E157"})
    void wrongShare_isRefused(String filter, RunningBroker broker) {
        for (ProtocolVersion version : List.of(MQTT_5, MQTT_3_1_1)) {
            try (MqttSocket socket = client(broker, version)) {
                SubAck subAck = subscribe(socket, 0, filter, Qos.AT_LEAST_ONCE);
                assertEquals(
                        version.isV5() ? ReasonCode.TOPIC_FILTER_INVALID : ReasonCode.UNSPECIFIED_ERROR,
                        subAck.reasons().get(0));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.8.2-1", "MQTT-4.8.2-2"},
            edge = {"E157", "E169"})
    void filterBehindTheShareName_isWhatMatches(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("share");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket member = client(broker, version)) {
            member.subscribe("$share/g//" + topic, Qos.AT_LEAST_ONCE);
            publisher.publish("/" + topic, "slash", Qos.AT_LEAST_ONCE);
            member.expectPublish("/" + topic, "slash");
            publisher.publish(topic, "none", Qos.AT_LEAST_ONCE);
            expectNothingMore(publisher, member);
            member.subscribe("$share/\u00e9 $/" + topic + "/#", Qos.AT_LEAST_ONCE);
            publisher.publish(topic + "/a", "wild", Qos.AT_LEAST_ONCE);
            member.expectPublish(topic + "/a", "wild");
            // only "$share/" with a slash is special
            member.subscribe("$shared/g/" + topic, Qos.AT_LEAST_ONCE);
            member.subscribe("$SHARE/g/" + topic, Qos.AT_LEAST_ONCE);
            publisher.publish("$shared/g/" + topic, "1", Qos.AT_LEAST_ONCE);
            publisher.publish("$SHARE/g/" + topic, "2", Qos.AT_LEAST_ONCE);
            member.expectPublish("$shared/g/" + topic, "1");
            member.expectPublish("$SHARE/g/" + topic, "2");
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.8.2-3"},
            edge = {"E159", "E160", "E169"})
    void eachGroupGetsOneCopy(ProtocolVersion version, RunningBroker broker) {
        String root = unique("share");
        int count = 60;
        try (MqttSocket publisher = client(broker, version);
                MqttSocket a = client(broker, version);
                MqttSocket b = client(broker, version);
                MqttSocket otherName = client(broker, version);
                MqttSocket otherFilter = client(broker, version);
                MqttSocket plain = client(broker, version)) {
            a.subscribe("$share/g/" + root + "/x", Qos.AT_LEAST_ONCE);
            b.subscribe("$share/g/" + root + "/x", Qos.AT_LEAST_ONCE);
            otherName.subscribe("$share/h/" + root + "/x", Qos.AT_LEAST_ONCE);
            otherFilter.subscribe("$share/g/" + root + "/+", Qos.AT_LEAST_ONCE);
            plain.subscribe(root + "/x", Qos.AT_LEAST_ONCE);
            plain.subscribe("$share/p/" + root + "/x", Qos.AT_LEAST_ONCE);
            for (int i = 0; i < count; i++) {
                publisher.publish(root + "/x", "" + i, i % 2 == 0 ? Qos.AT_LEAST_ONCE : Qos.AT_MOST_ONCE);
            }
            List<List<String>> shares = collect(count, a, b);
            assertFalse(shares.get(0).isEmpty(), "one member has all");
            assertFalse(shares.get(1).isEmpty(), "one member has all");
            Set<String> all = new HashSet<>(shares.get(0));
            all.addAll(shares.get(1));
            assertEquals(count, all.size());
            collect(count, otherName);
            collect(count, otherFilter);
            collect(2 * count, plain);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-4.8.2-3"},
            edge = {"E165"})
    void member_getsItsOwnQosIdentifierAndRetainAsPublished(RunningBroker broker) {
        String topic = unique("share");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket low = client(broker, MQTT_5);
                MqttSocket high = client(broker, MQTT_5)) {
            low.subscribe(5, new Subscribe.Entry("$share/g/" + topic, Qos.AT_MOST_ONCE));
            high.subscribe(
                    6,
                    new Subscribe.Entry(
                            "$share/g/" + topic, Qos.AT_LEAST_ONCE, false, true, Subscribe.RetainHandling.SEND));
            for (int i = 0; i < 40; i++) {
                publisher.publish(retained(topic, "" + i, Qos.EXACTLY_ONCE));
            }
            int lows = 0;
            int highs = 0;
            low.send(Ping.REQUEST);
            high.send(Ping.REQUEST);
            for (Packet packet = low.receive(); packet != Ping.RESPONSE; packet = low.receive(), lows++) {
                Publish publish = (Publish) packet;
                assertEquals(Qos.AT_MOST_ONCE, publish.message().qos());
                assertEquals(List.of(5), publish.subscriptionIds());
                assertFalse(publish.message().retain());
            }
            for (Packet packet = high.receive(); packet != Ping.RESPONSE; packet = high.receive(), highs++) {
                Publish publish = (Publish) packet;
                assertEquals(Qos.AT_LEAST_ONCE, publish.message().qos());
                assertEquals(List.of(6), publish.subscriptionIds());
                assertTrue(publish.message().retain());
            }
            assertTrue(lows > 0 && highs > 0, lows + " and " + highs);
            publisher.publish(retained(topic, "", Qos.AT_MOST_ONCE));
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E166"})
    void secondSubscribeOfAMember_replacesTheFirst(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("share");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket member = client(broker, version)) {
            member.subscribe("$share/g/" + topic, Qos.AT_MOST_ONCE);
            member.subscribe("$share/g/" + topic, Qos.AT_LEAST_ONCE);
            publisher.publish(topic, "m", Qos.EXACTLY_ONCE);
            assertEquals(
                    Qos.AT_LEAST_ONCE,
                    member.expectPublish(topic, "m").message().qos());
            expectNothingMore(publisher, member);
            member.unsubscribe("$share/g/" + topic);
            publisher.publish(topic, "m", Qos.EXACTLY_ONCE);
            expectNothingMore(publisher, member);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E161"})
    void connectedMembers_arePreferred(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("share");
        String id = unique("client");
        begin(broker, version, id)
                .subscribe("$share/g/" + topic, Qos.AT_LEAST_ONCE)
                .disconnect();
        try (MqttSocket publisher = client(broker, version);
                MqttSocket connected = client(broker, version)) {
            connected.subscribe("$share/g/" + topic, Qos.AT_LEAST_ONCE);
            for (int i = 0; i < 20; i++) {
                publisher.publish(topic, "" + i, Qos.AT_LEAST_ONCE);
                connected.expectPublish(topic, "" + i);
            }
            connected.unsubscribe("$share/g/" + topic);
            // nobody is connected: it waits for the one whose session goes on
            publisher.publish(topic, "waits", Qos.AT_LEAST_ONCE);
            try (MqttSocket resumed = resume(broker, version, id)) {
                resumed.expectPublish(topic, "waits");
                expectNothingMore(publisher, resumed);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E161"})
    void unacknowledgedQos1OfAMemberThatLeaves_goesToAnother(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("share");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket second = client(broker, version)) {
            MqttSocket first = client(broker, version);
            first.subscribe("$share/g/" + topic, Qos.AT_LEAST_ONCE);
            publisher.publish(topic, "0", Qos.AT_LEAST_ONCE);
            publisher.publish(topic, "1", Qos.AT_LEAST_ONCE);
            take(first, "0");
            take(first, "1");
            second.subscribe("$share/g/" + topic, Qos.AT_LEAST_ONCE);
            first.close();
            for (String payload : List.of("0", "1")) {
                assertFalse(second.expectPublish(topic, payload).dup()); // to this member it is the first time
            }
            expectNothingMore(publisher, second);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.8.2-4"},
            edge = {"E162"})
    void begunQos2_isCompletedWithItsMember(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("share");
        String id = unique("client");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket second = client(broker, version)) {
            Publish received;
            Publish sent;
            try (MqttSocket first = begin(broker, version, id)) {
                first.subscribe("$share/g/" + topic, Qos.EXACTLY_ONCE);
                publisher.publish(topic, "received", Qos.EXACTLY_ONCE);
                publisher.publish(topic, "sent", Qos.EXACTLY_ONCE);
                received = take(first, "received");
                sent = take(first, "sent");
                second.subscribe("$share/g/" + topic, Qos.EXACTLY_ONCE);
                ack(first, PacketType.PUBREC, received);
                first.receiveAck(PacketType.PUBREL);
                first.disconnect();
            }
            expectNothingMore(publisher, second);
            try (MqttSocket first = resume(broker, version, id)) {
                assertEquals(
                        received.packetId(), first.receiveAck(PacketType.PUBREL).packetId());
                ack(first, PacketType.PUBCOMP, received);
                Publish again = first.expectPublish(topic, "sent");
                assertEquals(sent.packetId(), again.packetId());
                assertTrue(again.dup());
            }
            expectNothingMore(publisher, second);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-4.8.2-5"},
            edge = {"E162"})
    void begunQos2_endsWithItsSession(RunningBroker broker) {
        String topic = unique("share");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket second = client(broker, MQTT_5)) {
            MqttSocket first = client(broker, MQTT_5);
            first.subscribe("$share/g/" + topic, Qos.EXACTLY_ONCE);
            publisher.publish(topic, "sent", Qos.EXACTLY_ONCE);
            publisher.publish(topic, "received", Qos.EXACTLY_ONCE);
            take(first, "sent");
            Publish received = take(first, "received");
            second.subscribe("$share/g/" + topic, Qos.EXACTLY_ONCE);
            ack(first, PacketType.PUBREC, received);
            first.receiveAck(PacketType.PUBREL);
            first.disconnect(); // Session Expiry Interval 0: the session ends
            assertTrue(second.staysSilent(200));
            publisher.publish(topic, "next", Qos.EXACTLY_ONCE);
            second.expectPublish(topic, "next");
            expectNothingMore(publisher, second);
        }
    }

    @ParameterizedTest
    @CsvSource({"AT_LEAST_ONCE,40,80", "AT_LEAST_ONCE,40,97", "EXACTLY_ONCE,50,80", "EXACTLY_ONCE,50,87"})
    @Clause(
            v5 = {"MQTT-4.8.2-6"},
            edge = {"E163"})
    void negativeAcknowledgement_endsTheMessage(Qos qos, String first, String code, RunningBroker broker) {
        String topic = unique("share");
        String id = unique("client");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket other = client(broker, MQTT_5);
                MqttSocket member = begin(broker, MQTT_5, id)) {
            member.subscribe("$share/g/" + topic, qos);
            publisher.publish(topic, "m", qos);
            Publish publish = take(member, "m");
            other.subscribe("$share/g/" + topic, qos);
            member.sendHex(packet(first, String.format("%04x", publish.packetId()), code));
            member.expectNothing();
            member.disconnect();
            assertTrue(other.staysSilent(200));
            expectNothingMore(publisher, other);
            try (MqttSocket resumed = resume(broker, MQTT_5, id)) {
                expectNothingMore(publisher, resumed);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Qos.class)
    @Clause(edge = {"E164"})
    void messageTooLargeForOneMember_goesToAnother(Qos qos, RunningBroker broker) {
        String topic = unique("share");
        String large = "x".repeat(500);
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket small = client(broker, MQTT_5, connect -> connect.maximumPacketSize(200));
                MqttSocket any = client(broker, MQTT_5)) {
            small.subscribe("$share/g/" + topic, Qos.AT_LEAST_ONCE);
            any.subscribe("$share/g/" + topic, Qos.AT_LEAST_ONCE);
            for (int i = 0; i < 20; i++) {
                publisher.publish(topic, large, qos);
            }
            List<List<String>> shares = collect(20, small, any);
            assertEquals(0, shares.get(0).size());
            assertEquals(20, shares.get(1).size());
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E167"})
    void lastMember_takesTheGroupAndWhatWaitedWithIt(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("share");
        for (boolean byUnsubscribe : new boolean[] {true, false}) {
            String id = unique("client");
            try (MqttSocket publisher = client(broker, version)) {
                begin(broker, version, id)
                        .subscribe("$share/g/" + topic, Qos.AT_LEAST_ONCE)
                        .disconnect();
                publisher.publish(topic, "waits", Qos.AT_LEAST_ONCE);
                if (byUnsubscribe) {
                    MqttSocket member = broker.socket();
                    member.connect(lasting(version, id).build());
                    take(member, "waits");
                    member.unsubscribe("$share/g/" + topic);
                    member.close();
                } else {
                    broker.socket().connect(version, id).disconnect(); // a clean start ends the session
                }
                try (MqttSocket next = client(broker, version)) {
                    next.subscribe("$share/g/" + topic, Qos.AT_LEAST_ONCE);
                    expectNothingMore(publisher, next);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-4.7.2-1"},
            edge = {"E168"})
    void sharedWildcards_doNotMatchDollarTopics(ProtocolVersion version, RunningBroker broker) {
        String root = unique("share");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket member = client(broker, version)) {
            member.subscribe("$share/" + root + "/+/" + root + "/#", Qos.AT_MOST_ONCE);
            publisher.publish("$x/" + root, "dollar", Qos.AT_MOST_ONCE);
            publisher.publish("x/" + root, "plain", Qos.AT_MOST_ONCE);
            member.expectPublish("x/" + root, "plain");
            member.subscribe("$share/" + root + "/$x/" + root + "/#", Qos.AT_MOST_ONCE);
            publisher.publish("$x/" + root, "dollar", Qos.AT_MOST_ONCE);
            member.expectPublish("$x/" + root, "dollar");
            expectNothingMore(publisher, member);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E161"})
    void whatWasHandedOver_doesNotComeBackToTheMemberThatLeft(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("share");
        String id = unique("client");
        try (MqttSocket publisher = client(broker, version);
                MqttSocket second = client(broker, version)) {
            try (MqttSocket first = begin(broker, version, id)) {
                first.subscribe("$share/g/" + topic, Qos.AT_LEAST_ONCE);
                publisher.publish(topic, "m", Qos.AT_LEAST_ONCE);
                take(first, "m");
                second.subscribe("$share/g/" + topic, Qos.AT_LEAST_ONCE);
                first.disconnect(); // its session goes on
            }
            second.expectPublish(topic, "m");
            try (MqttSocket first = resume(broker, version, id)) {
                expectNothingMore(publisher, first);
            }
            expectNothingMore(publisher, second);
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(edge = {"E161"})
    void unacknowledgedQos1OfTheOnlyMember_waitsForIt(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("share");
        String id = unique("client");
        try (MqttSocket publisher = client(broker, version)) {
            try (MqttSocket member = begin(broker, version, id)) {
                member.subscribe("$share/g/" + topic, Qos.AT_LEAST_ONCE);
                for (int i = 0; i < 3; i++) {
                    publisher.publish(topic, "" + i, Qos.AT_LEAST_ONCE);
                }
                take(member, "0");
                ack(member, PacketType.PUBACK, take(member, "1"));
                take(member, "2");
                member.disconnect();
            }
            publisher.publish(topic, "3", Qos.AT_LEAST_ONCE);
            try (MqttSocket member = resume(broker, version, id)) {
                member.expectPublish(topic, "0");
                member.expectPublish(topic, "2");
                member.expectPublish(topic, "3");
                expectNothingMore(publisher, member);
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-4.9.0-2"},
            edge = {"E099", "E159"})
    void memberWithoutRoom_isPassedOver(RunningBroker broker) {
        String topic = unique("share");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket full = client(broker, MQTT_5, connect -> connect.receiveMaximum(1));
                MqttSocket other = client(broker, MQTT_5)) {
            full.subscribe("$share/g/" + topic, Qos.AT_LEAST_ONCE);
            other.subscribe("$share/g/" + topic, Qos.AT_LEAST_ONCE);
            for (int i = 0; i < 20; i++) {
                publisher.publish(topic, "" + i, Qos.AT_LEAST_ONCE);
            }
            full.receive(Publish.class);
            collect(19, other);
            expectNothingMore(publisher, full);
        }
    }
}
