package org.dunlin.it.clients;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.dunlin.it.Await;
import org.dunlin.it.Broker;
import org.dunlin.it.CuttingProxy;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.it.clients.LibraryClient.Library;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What applications do with the client libraries of Java. */
@Broker
class LibrariesIT {
    private static final Duration BRIEFLY = Duration.ofMillis(1);

    @ParameterizedTest
    @EnumSource
    void publish_atEachQos_arrivesAtThatQosAndInOrder(Library library, RunningBroker broker) {
        try (LibraryClient subscriber = library.connected("lib-q-sub-" + library, broker.port());
                LibraryClient publisher = library.connected("lib-q-pub-" + library, broker.port())) {
            String topic = "lib/qos/" + library;
            subscriber.subscribe(topic, 2);
            for (int i = 0; i < 60; i++) {
                publisher.publish(AppMessage.of(topic, "m" + i, i % 3));
            }
            int[] next = {0, 1, 2};
            for (int i = 0; i < 60; i++) {
                AppMessage message = subscriber.receive();
                assertFalse(message.retain());
                expectNext(message, next, 3);
            }
        }
    }

    /** In order by QoS: Paho hands out a QoS 2 message at its PUBREL, when later ones of QoS 0 and 1 are through already. */
    private static void expectNext(AppMessage message, int[] nextByQos, int step) {
        assertEquals("m" + nextByQos[message.qos()], message.text());
        nextByQos[message.qos()] += step;
    }

    @ParameterizedTest
    @EnumSource
    void retained_isSentToLaterSubscriber_untilItIsCleared(Library library, RunningBroker broker) {
        String topic = "lib/retained/" + library;
        try (LibraryClient publisher = library.connected("lib-r-pub-" + library, broker.port())) {
            publisher.publish(AppMessage.of(topic, "kept", 1).retained());
            try (LibraryClient subscriber = library.connected("lib-r-sub-" + library, broker.port())) {
                subscriber.subscribe(topic, 1);
                AppMessage message = subscriber.receive();
                assertEquals("kept", message.text());
                assertTrue(message.retain());
            }
            publisher.publish(AppMessage.of(topic, "", 1).retained());
            try (LibraryClient subscriber = library.connected("lib-r-sub-" + library, broker.port())) {
                subscriber.subscribe(topic, 1);
                publisher.publish(AppMessage.of(topic, "live", 1));
                assertEquals("live", subscriber.receive().text());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void will_goesOutWhenTheConnectionBreaks_butNotAfterDisconnect(Library library, RunningBroker broker) {
        String topic = "lib/will/" + library;
        try (CuttingProxy proxy = CuttingProxy.to(broker.port());
                LibraryClient watcher = library.connected("lib-w-sub-" + library, broker.port());
                LibraryClient mortal = library.client("lib-w-" + library, proxy.port())) {
            watcher.subscribe(topic, 2);
            mortal.connect(true, AppMessage.of(topic, "polite", 1));
            mortal.disconnect();
            mortal.connect(true, AppMessage.of(topic, "died", 1));
            proxy.cut();
            AppMessage will = watcher.receive();
            assertEquals("died", will.text());
            assertEquals(1, will.qos());
        }
    }

    @ParameterizedTest
    @EnumSource
    void sharedSubscription_dividesMessagesAmongItsMembers(Library library, RunningBroker broker) {
        String topic = "lib/shared/" + library;
        List<LibraryClient> members = new ArrayList<>();
        try (LibraryClient publisher = library.connected("lib-s-pub-" + library, broker.port())) {
            for (int i = 0; i < 3; i++) {
                LibraryClient member = library.connected("lib-s-" + library + i, broker.port());
                members.add(member);
                member.subscribe("$share/group/" + topic, 1);
            }
            for (int i = 0; i < 120; i++) {
                publisher.publish(AppMessage.of(topic, "m" + i, 1));
            }
            Set<String> seen = new HashSet<>();
            int[] counts = new int[members.size()];
            Await.until("120 messages", () -> {
                for (int i = 0; i < counts.length; i++) {
                    for (AppMessage m = members.get(i).poll(BRIEFLY);
                            m != null;
                            m = members.get(i).poll(BRIEFLY)) {
                        assertTrue(seen.add(m.text()), "twice: " + m.text());
                        counts[i]++;
                    }
                }
                return seen.size() == 120;
            });
            for (int count : counts) {
                assertTrue(count > 0, "a member got nothing of 120 messages");
            }
        } finally {
            members.forEach(LibraryClient::close);
        }
    }

    @ParameterizedTest
    @EnumSource
    void brokenConnection_resumesItsSession_withWhatCameMeanwhile(Library library, RunningBroker broker) {
        String topic = "lib/session/" + library;
        try (CuttingProxy proxy = CuttingProxy.to(broker.port());
                LibraryClient subscriber = library.client("lib-session-" + library, proxy.port());
                MqttSocket publisher = broker.socket().connect(ProtocolVersion.MQTT_5, "lib-session-pub-" + library)) {
            assertFalse(subscriber.connect(false, null));
            subscriber.subscribe(topic, 2);
            proxy.cut();
            Await.until("the client notices", () -> !subscriber.isConnected());
            for (int i = 0; i < 200; i++) {
                publisher.publish(topic, "m" + i, Qos.of(1 + i % 2));
            }
            assertTrue(subscriber.connect(false, null), "session present");
            int[] next = {-1, 0, 1};
            for (int i = 0; i < 200; i++) {
                expectNext(subscriber.receive(), next, 2);
            }
            subscriber.disconnect();
            publisher.publish(topic, "later", Qos.AT_LEAST_ONCE);
            assertTrue(subscriber.connect(false, null), "session present");
            assertEquals("later", subscriber.receive().text());
            subscriber.disconnect();
            assertFalse(subscriber.connect(true, null), "clean start ends the session");
        }
    }

    @ParameterizedTest
    @EnumSource
    void payloadOf256Kilobytes_arrivesUnaltered(Library library, RunningBroker broker) {
        try (LibraryClient subscriber = library.connected("lib-l-sub-" + library, broker.port());
                LibraryClient publisher = library.connected("lib-l-pub-" + library, broker.port())) {
            String topic = "lib/large/" + library;
            subscriber.subscribe(topic, 2);
            Random random = new Random(1);
            for (int i = 0; i < 6; i++) {
                byte[] payload = new byte[256 * 1024];
                random.nextBytes(payload);
                publisher.publish(AppMessage.of(topic, payload, i % 3, false));
                assertArrayEquals(payload, subscriber.receive().payload());
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void thousandsOfTopics_reachTheirSubscriptions(Library library, RunningBroker broker) {
        int topics = 1000;
        try (LibraryClient subscriber = library.connected("lib-t-sub-" + library, broker.port());
                LibraryClient publisher = library.connected("lib-t-pub-" + library, broker.port())) {
            for (int i = 0; i < topics / 10; i++) {
                subscriber.subscribe("lib/topics/" + library + "/" + i + "/+", 1);
            }
            for (int i = 0; i < topics; i++) {
                publisher.publish(AppMessage.of("lib/topics/" + library + "/" + i / 10 + "/" + i, "m" + i, 1));
            }
            for (int i = 0; i < topics; i++) {
                AppMessage message = subscriber.receive();
                assertEquals("lib/topics/" + library + "/" + i / 10 + "/" + i, message.topic());
                assertEquals("m" + i, message.text());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"HIVEMQ_5", "PAHO_5"})
    void properties_reachTheSubscriberInOrder(Library library, RunningBroker broker) {
        List<String> properties = List.of("b", "1", "a", "2", "b", "3", "größe", "µ");
        byte[] correlation = {0, 1, (byte) 0xFF};
        try (LibraryClient subscriber = library.connected("lib-p-sub-" + library, broker.port());
                LibraryClient publisher = library.connected("lib-p-pub-" + library, broker.port())) {
            String topic = "lib/properties/" + library;
            subscriber.subscribe(topic, 1);
            publisher.publish(new AppMessage(
                    topic,
                    "p".getBytes(StandardCharsets.UTF_8),
                    1,
                    true,
                    properties,
                    600,
                    "lib/answers",
                    correlation,
                    List.of()));
            AppMessage message = subscriber.receive();
            assertEquals(properties, message.userProperties());
            assertTrue(
                    message.expirySeconds() > 500 && message.expirySeconds() <= 600,
                    "expiry " + message.expirySeconds());
            assertEquals("lib/answers", message.responseTopic());
            assertArrayEquals(correlation, message.correlationData());
            assertTrue(message.retain(), "retain as published");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"HIVEMQ_5", "PAHO_5"})
    void expiredMessage_isNotDelivered_toSessionThatComesBack(Library library, RunningBroker broker) {
        String topic = "lib/expiry/" + library;
        try (LibraryClient subscriber = library.client("lib-e-sub-" + library, broker.port());
                LibraryClient publisher = library.connected("lib-e-pub-" + library, broker.port())) {
            subscriber.connect(false, null);
            subscriber.subscribe(topic, 1);
            subscriber.disconnect();
            byte[] payload = "short".getBytes(StandardCharsets.UTF_8);
            publisher.publish(new AppMessage(topic, payload, 1, false, List.of(), 1, null, null, List.of()));
            long published = System.nanoTime();
            publisher.publish(AppMessage.of(topic, "long", 1));
            Await.until(
                    "the message has expired",
                    () -> System.nanoTime() - published
                            > Duration.ofMillis(1100).toNanos());
            assertTrue(subscriber.connect(false, null), "session present");
            assertEquals("long", subscriber.receive().text());
            subscriber.disconnect();
            subscriber.connect(true, null);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"HIVEMQ_5", "PAHO_5"})
    void request_getsItsResponse(Library library, RunningBroker broker) {
        String service = "lib/service/" + library;
        String answers = "lib/answers/" + library;
        try (LibraryClient server = library.connected("lib-rr-server-" + library, broker.port());
                LibraryClient asker = library.connected("lib-rr-client-" + library, broker.port())) {
            server.subscribe(service, 1);
            asker.subscribe(answers, 1);
            byte[] correlation = "42".getBytes(StandardCharsets.UTF_8);
            byte[] payload = "ping".getBytes(StandardCharsets.UTF_8);
            asker.publish(new AppMessage(service, payload, 1, false, List.of(), -1, answers, correlation, List.of()));
            AppMessage request = server.receive();
            server.publish(new AppMessage(
                    String.valueOf(request.responseTopic()),
                    "pong".getBytes(StandardCharsets.UTF_8),
                    1,
                    false,
                    List.of(),
                    -1,
                    null,
                    request.correlationData(),
                    List.of()));
            AppMessage response = asker.receive();
            assertEquals("pong", response.text());
            assertArrayEquals(correlation, response.correlationData());
        }
    }

    @Test
    void subscriptionIdentifiers_sayWhichSubscriptionsMatched(RunningBroker broker) {
        try (Paho5Client client = new Paho5Client("lib-ids", broker.port())) {
            client.connect(true, null);
            client.subscribe("lib/ids/a", 1, 7);
            client.subscribe("lib/ids/+", 1, 268_435_455);
            client.publish(AppMessage.of("lib/ids/b", "one", 1));
            assertEquals(List.of(268_435_455), client.receive().subscriptionIds());
            client.publish(AppMessage.of("lib/ids/a", "both", 1));
            assertEquals(Set.of(7, 268_435_455), new HashSet<>(client.receive().subscriptionIds()));
        }
    }
}
