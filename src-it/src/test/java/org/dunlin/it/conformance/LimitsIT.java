package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Clients.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.Unsubscribe;
import org.dunlin.mqtt.UserProperty;
import org.junit.jupiter.api.Test;

/** Bounds that an operator sets: each is answered with the reason code that the standard has for it, and says what to do. */
@Broker(
        settings = {
            "limits.max-subscriptions-per-client=3",
            "limits.max-retained=3",
            "limits.max-delayed=2",
            "limits.max-delay=1h",
            "limits.max-client-id-length=40",
            "limits.max-user-properties=2",
            "limits.publish-rate=100",
            "server.response-information=answers/",
            "sys-topics.interval=0s"
        })
class LimitsIT {
    private static Ack answer(MqttSocket client, String topic, Qos qos, boolean retain) {
        int id = client.nextId();
        client.send(new Publish(MqttSocket.message(topic, "m", qos, retain), id, false));
        Ack ack = client.receiveAck(qos == Qos.AT_LEAST_ONCE ? PacketType.PUBACK : PacketType.PUBREC);
        assertEquals(id, ack.packetId());
        return ack;
    }

    @Test
    @Clause(edge = {"E151"})
    void subscriptionsBeyondTheLimit_areRefusedOneByOne_andReplacingGoesOn(RunningBroker broker) {
        try (MqttSocket client = broker.socket().connect(MQTT_5, unique("client"))) {
            String topic = unique("limits");
            List<Subscribe.Entry> entries = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                entries.add(new Subscribe.Entry(topic + "/" + i, Qos.AT_LEAST_ONCE));
            }
            SubAck subAck = client.subscribe(entries.toArray(new Subscribe.Entry[0]));
            assertEquals(
                    List.of(
                            ReasonCode.GRANTED_QOS_1,
                            ReasonCode.GRANTED_QOS_1,
                            ReasonCode.GRANTED_QOS_1,
                            ReasonCode.QUOTA_EXCEEDED,
                            ReasonCode.QUOTA_EXCEEDED),
                    subAck.reasons());
            String text = subAck.reasonString();
            assertNotNull(text);
            assertTrue(text.contains("limits.max-subscriptions-per-client"), text);
            client.subscribe(topic + "/0", Qos.EXACTLY_ONCE);
        }
    }

    /** Without a bound ten megabytes of SUBSCRIBE would become some two hundred of objects. */
    @Test
    @Clause(edge = {"E151"})
    void filtersOfOnePacket_areAnsweredUpToTheirBound_andOneMoreEndsTheConnection(RunningBroker broker) {
        int most = 65_536;
        List<Subscribe.Entry> entries =
                new ArrayList<>(Collections.nCopies(most, new Subscribe.Entry("a", Qos.AT_MOST_ONCE)));
        try (MqttSocket client = broker.socket().connect(MQTT_5, unique("client"))) {
            SubAck subAck = client.subscribe(entries.toArray(new Subscribe.Entry[0]));
            assertEquals(most, subAck.reasons().size());
            entries.add(new Subscribe.Entry("a", Qos.AT_MOST_ONCE));
            client.send(new Subscribe(client.nextId(), 0, entries, List.of()));
            client.expectDisconnect(ReasonCode.QUOTA_EXCEEDED);
        }
        try (MqttSocket client = broker.socket().connect(MQTT_5, unique("client"))) {
            client.send(new Unsubscribe(client.nextId(), Collections.nCopies(most + 1, "a"), List.of()));
            client.expectDisconnect(ReasonCode.QUOTA_EXCEEDED);
        }
    }

    @Test
    void retainedMessagesBeyondTheLimit_areRefused_andReplacingAndClearingGoOn(RunningBroker broker) {
        String topic = unique("limits");
        try (MqttSocket client = broker.socket().connect(MQTT_5, unique("client"))) {
            for (int i = 0; i < 3; i++) {
                assertTrue(!answer(client, topic + "/" + i, Qos.AT_LEAST_ONCE, true)
                        .reason()
                        .isError());
            }
            Ack refused = answer(client, topic + "/3", Qos.AT_LEAST_ONCE, true);
            assertEquals(ReasonCode.QUOTA_EXCEEDED, refused.reason());
            String text = refused.reasonString();
            assertNotNull(text);
            assertTrue(text.contains("limits.max-retained"), text);
            assertEquals(
                    ReasonCode.QUOTA_EXCEEDED,
                    answer(client, topic + "/3", Qos.EXACTLY_ONCE, true).reason());
            assertTrue(!answer(client, topic + "/0", Qos.AT_LEAST_ONCE, true)
                    .reason()
                    .isError());
            for (int i = 0; i < 3; i++) {
                client.publish(MqttSocket.message(topic + "/" + i, "", Qos.AT_LEAST_ONCE, true));
            }
            assertTrue(!answer(client, topic + "/3", Qos.AT_LEAST_ONCE, true)
                    .reason()
                    .isError());
            client.publish(MqttSocket.message(topic + "/3", "", Qos.AT_LEAST_ONCE, true));
        }
    }

    @Test
    void delayedMessage_comesAfterItsDelay_andNotBefore(RunningBroker broker) {
        String topic = unique("limits");
        try (MqttSocket publisher = broker.socket().connect(MQTT_5, unique("client"));
                MqttSocket subscriber = broker.socket().connect(MQTT_5, unique("client"))) {
            subscriber.subscribe(topic + "/#", Qos.EXACTLY_ONCE);
            long sent = System.nanoTime();
            publisher.publish("$delayed/1/" + topic + "/later", "1", Qos.EXACTLY_ONCE);
            publisher.publish(topic + "/now", "2", Qos.AT_LEAST_ONCE);
            subscriber.expectPublish(topic + "/now", "2");
            subscriber.expectPublish(topic + "/later", "1");
            long waited = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - sent);
            assertTrue(waited >= 900, "after " + waited + " ms");
        }
    }

    @Test
    void delayedMessages_thatAreTooMany_tooLate_orBadlyFormed_areRefused(RunningBroker broker) {
        String topic = unique("limits");
        try (MqttSocket client = broker.socket().connect(MQTT_5, unique("client"))) {
            for (String bad : List.of(
                    "$delayed/x/" + topic,
                    "$delayed/1",
                    "$delayed/1/",
                    "$delayed//" + topic,
                    "$delayed/-1/" + topic,
                    "$delayed/99999999999999999999/" + topic,
                    "$delayed/3601/" + topic,
                    "$delayed/1/$SYS/x",
                    "$delayed/1/$delayed/1/" + topic)) {
                assertEquals(
                        ReasonCode.TOPIC_NAME_INVALID,
                        answer(client, bad, Qos.AT_LEAST_ONCE, false).reason(),
                        bad);
            }
            client.publish("$delayed/2/" + topic, "1", Qos.AT_LEAST_ONCE);
            client.publish("$delayed/2/" + topic, "2", Qos.AT_LEAST_ONCE);
            assertEquals(
                    ReasonCode.QUOTA_EXCEEDED,
                    answer(client, "$delayed/2/" + topic, Qos.AT_LEAST_ONCE, false)
                            .reason());
            client.subscribe(topic, Qos.AT_LEAST_ONCE);
            client.expectPublish(topic, "1");
            client.expectPublish(topic, "2");
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.3-8"},
            v3 = {"MQTT-3.1.3-9"},
            edge = {"E032"})
    void clientIdentifierThatIsTooLong_isRefused(RunningBroker broker) {
        for (ProtocolVersion version : List.of(MQTT_5, MQTT_3_1_1)) {
            try (MqttSocket client = broker.socket()) {
                client.expectRefused(
                        Connect.builder(version, "x".repeat(41)).build(), ReasonCode.CLIENT_IDENTIFIER_NOT_VALID);
            }
        }
    }

    @Test
    void userPropertiesBeyondTheLimit_endTheConnection(RunningBroker broker) {
        try (MqttSocket client = broker.socket().connect(MQTT_5, unique("client"))) {
            UserProperty property = new UserProperty("name", "value");
            client.send(new Subscribe(
                    1,
                    0,
                    List.of(new Subscribe.Entry(unique("limits"), Qos.AT_MOST_ONCE)),
                    List.of(property, property, property)));
            client.expectDisconnect(ReasonCode.QUOTA_EXCEEDED);
        }
    }

    @Test
    void publisherThatIsTooFast_isSlowedAndLosesNothing(RunningBroker broker) {
        String topic = unique("limits");
        try (MqttSocket publisher = broker.socket().connect(MQTT_3_1_1, unique("client"));
                MqttSocket subscriber = broker.socket().connect(MQTT_3_1_1, unique("client"))) {
            subscriber.subscribe(topic, Qos.AT_MOST_ONCE);
            long begun = System.nanoTime();
            Publish[] burst = new Publish[350];
            for (int i = 0; i < burst.length; i++) {
                burst[i] = new Publish(MqttSocket.message(topic, "" + i, Qos.AT_MOST_ONCE, false), 0, false);
            }
            publisher.send(burst);
            for (int i = 0; i < burst.length; i++) {
                subscriber.expectPublish(topic, "" + i);
            }
            long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun);
            assertTrue(took >= 1900, "350 messages at 100 a second took " + took + " ms");
        }
    }

    @Test
    void sessionsBeyondTheLimit_areRefused_andThoseThereGoOn() {
        try (RunningBroker small = RunningBroker.start(List.of("limits.max-sessions=2"));
                MqttSocket one = small.socket().connect(MQTT_5, "one");
                MqttSocket two = small.socket().connect(MQTT_3_1_1, "two")) {
            try (MqttSocket three = small.socket()) {
                three.expectRefused(Connect.builder(MQTT_5, "three").build(), ReasonCode.QUOTA_EXCEEDED);
            }
            try (MqttSocket three = small.socket()) {
                three.expectRefused(Connect.builder(MQTT_3_1_1, "three").build(), ReasonCode.QUOTA_EXCEEDED);
            }
            two.expectNothing();
            one.disconnect();
            try (MqttSocket three = small.socket()) {
                three.connect(MQTT_5, "three").expectNothing();
            }
        }
    }

    @Test
    void sessionsOfAUserBeyondTheLimit_areRefused_thoseOfOthersAreNot() {
        try (RunningBroker small = RunningBroker.start(List.of("limits.max-sessions-per-user=1"))) {
            try (MqttSocket one = small.socket();
                    MqttSocket two = small.socket();
                    MqttSocket other = small.socket()) {
                one.connect(Connect.builder(MQTT_5, "one").userName("ann").build());
                ConnAck refused = two.expectRefused(
                        Connect.builder(MQTT_5, "two").userName("ann").build(), ReasonCode.QUOTA_EXCEEDED);
                String why = String.valueOf(refused.properties().reasonString());
                assertTrue(why.contains("limits.max-sessions-per-user"), why);
                other.connect(Connect.builder(MQTT_5, "two").userName("ben").build());
            }
            small.awaitLog("limits.max-sessions-per-user");
        }
    }

    @Test
    void connectsBeyondTheRate_areRefused() {
        try (RunningBroker slow = RunningBroker.start(List.of("limits.connect-rate=3"))) {
            int refused = 0;
            for (int i = 0; i < 12 && refused == 0; i++) {
                try (MqttSocket client = slow.socket()) {
                    client.send(Connect.builder(MQTT_5, "client" + i).build());
                    ReasonCode reason = client.receive(ConnAck.class).reason();
                    if (reason == ReasonCode.CONNECTION_RATE_EXCEEDED) {
                        refused++;
                        client.expectClosed();
                    } else {
                        assertEquals(ReasonCode.SUCCESS, reason);
                    }
                }
            }
            assertEquals(1, refused, "of 12 connects at once not one was refused");
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.2-28"},
            edge = {"E038"})
    void responseInformation_isGivenToWhomAsksForIt(RunningBroker broker) {
        for (boolean asks : List.of(true, false)) {
            try (MqttSocket client = broker.socket()) {
                String given = client.connect(Connect.builder(MQTT_5, unique("client"))
                                .requestResponseInformation(asks)
                                .build())
                        .properties()
                        .responseInformation();
                assertEquals(asks ? "answers/" : null, given);
            }
        }
    }
}
