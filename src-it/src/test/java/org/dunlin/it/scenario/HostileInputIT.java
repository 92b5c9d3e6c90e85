package org.dunlin.it.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Subscribe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What nobody means well: topics as deep as they can be, filters that match everything, bytes at random. */
class HostileInputIT {
    /** Levels of a topic that is as long as a topic can be, less one. */
    private static final int DEEPEST = 65_535;

    @Test
    void deepestTopicsAndFilters_doNotSlowOthersDown() {
        List<String> settings = List.of("limits.max-topic-levels=65535", "limits.max-connections=1000");
        try (RunningBroker broker = RunningBroker.start(settings);
                MqttSocket hostile = broker.socket().connect(ProtocolVersion.MQTT_5, "deep");
                MqttSocket receiver = broker.socket().connect(ProtocolVersion.MQTT_5, "deep-receiver");
                MqttSocket other = broker.socket().connect(ProtocolVersion.MQTT_5, "shallow")) {
            other.subscribe("shallow", Qos.AT_LEAST_ONCE);
            String topic = "/".repeat(DEEPEST - 1);
            receiver.subscribe("/".repeat(DEEPEST - 2) + "#", Qos.AT_LEAST_ONCE);
            receiver.subscribe("+/".repeat(DEEPEST / 2) + "#", Qos.AT_LEAST_ONCE);
            for (int i = 0; i < 20; i++) {
                hostile.publish(MqttSocket.message(topic, "deep" + i, Qos.AT_LEAST_ONCE, i % 2 == 0));
                receiver.expectPublish(topic, "deep" + i);
                expectQuick(other);
            }
            receiver.unsubscribe("+/".repeat(DEEPEST / 2) + "#");
            hostile.publish(MqttSocket.message(topic, "", Qos.AT_LEAST_ONCE, true));
            expectQuick(other);
            assertTrue(broker.isAlive());
            expectCleanLog(broker);
        }
    }

    @Test
    void filtersThatMatchOneTopicInThousandsOfWays_doNotSlowOthersDown() {
        try (RunningBroker broker = RunningBroker.start(List.of("limits.max-connections=1000"));
                MqttSocket hostile = broker.socket().connect(ProtocolVersion.MQTT_3_1_1, "ways");
                MqttSocket publisher = broker.socket().connect(ProtocolVersion.MQTT_5, "ways-publisher");
                MqttSocket other = broker.socket().connect(ProtocolVersion.MQTT_5, "ways-other")) {
            other.subscribe("shallow", Qos.AT_LEAST_ONCE);
            int levels = 12;
            List<Subscribe.Entry> entries = new ArrayList<>();
            for (int bits = 0; bits < 1 << levels; bits++) {
                StringBuilder filter = new StringBuilder();
                for (int level = 0; level < levels; level++) {
                    filter.append((bits >> level & 1) == 0 ? "a/" : "+/");
                }
                entries.add(new Subscribe.Entry(filter.append('#').toString(), Qos.AT_MOST_ONCE));
            }
            hostile.subscribe(entries.toArray(new Subscribe.Entry[0]));
            for (int i = 0; i < 50; i++) {
                String topic = "a/".repeat(levels) + i;
                publisher.publish(topic, "m" + i, Qos.AT_LEAST_ONCE);
                hostile.expectPublish(topic, "m" + i);
                expectQuick(other);
            }
            List<MqttSocket> everything = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                everything.add(broker.socket()
                        .connect(ProtocolVersion.MQTT_5, "everything-" + i)
                        .subscribe("#", Qos.AT_MOST_ONCE)); // and does not read
            }
            for (int i = 0; i < 200; i++) {
                publisher.publish("flood/" + i, "x".repeat(1000), Qos.AT_LEAST_ONCE);
            }
            expectQuick(other);
            everything.forEach(MqttSocket::close);
            expectCleanLog(broker);
        }
    }

    /** A message to itself comes back within a time that only a stuck broker misses. */
    private static void expectQuick(MqttSocket client) {
        long start = System.nanoTime();
        int id = client.nextId();
        client.send(new Publish(MqttSocket.message("shallow", "m" + id, Qos.AT_LEAST_ONCE, false), id, false));
        boolean acknowledged = false;
        boolean received = false;
        while (!acknowledged || !received) {
            if (client.receive() instanceof Publish publish) {
                assertEquals("m" + id, MqttSocket.text(publish));
                client.send(new Ack(PacketType.PUBACK, publish.packetId()));
                received = true;
            } else {
                acknowledged = true;
            }
        }
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        assertTrue(took.toMillis() < 5000, "took " + took);
    }

    @Test
    void randomBytes_leaveTheBrokerHealthy() {
        long seed = Long.getLong("dunlin.it.seed", new Random().nextLong());
        System.out.println("HostileInputIT: seed " + seed);
        Random random = new Random(seed);
        try (RunningBroker broker = RunningBroker.start(List.of("limits.max-connections=1000"));
                MqttSocket other = broker.socket().connect(ProtocolVersion.MQTT_5, "sane")) {
            other.subscribe("shallow", Qos.AT_LEAST_ONCE);
            long end = System.nanoTime() + Duration.ofSeconds(3).toNanos();
            int connections = 0;
            while (System.nanoTime() < end) {
                try (MqttSocket socket = broker.socket()) {
                    connections++;
                    ProtocolVersion version = ProtocolVersion.values()[random.nextInt(3)];
                    if (random.nextBoolean()) {
                        socket.connect(version, "random-" + random.nextInt(10));
                    }
                    for (int i = random.nextInt(5); i >= 0; i--) {
                        socket.send(bytes(socket, random));
                    }
                    if (random.nextBoolean()) {
                        socket.reset();
                    }
                } catch (UncheckedIOException e) {
                    // the broker has closed, as it should
                }
                if (connections % 50 == 0) {
                    expectQuick(other);
                }
            }
            expectQuick(other);
            expectCleanLog(broker);
        }
    }

    /** Noise, or a packet with a byte that is not as it was. */
    private static byte[] bytes(MqttSocket socket, Random random) {
        if (random.nextBoolean()) {
            byte[] noise = new byte[1 + random.nextInt(300)];
            random.nextBytes(noise);
            return noise;
        }
        byte[] packet = random.nextBoolean()
                ? socket.bytes(Connect.builder(ProtocolVersion.MQTT_5, "mutant")
                        .keepAliveSeconds(10)
                        .build())
                : socket.bytes(
                        new Publish(MqttSocket.message("a/b", "payload", Qos.EXACTLY_ONCE, true), 7, false),
                        new Subscribe(8, 0, List.of(new Subscribe.Entry("a/#", Qos.AT_LEAST_ONCE)), List.of()));
        packet[random.nextInt(packet.length)] = (byte) random.nextInt();
        return packet;
    }

    private static void expectCleanLog(RunningBroker broker) {
        for (String line : broker.log()) {
            assertTrue(!line.contains(" ERROR ") && !line.contains("Exception"), line);
        }
    }

    @ParameterizedTest
    @EnumSource
    void packetOfTheMaximumSize_passes_oneByteMoreDoesNot(ProtocolVersion version) {
        int maximum = 1024 * 1024;
        List<String> settings = List.of("limits.max-packet-size=1MB", "limits.max-connections=1000");
        try (RunningBroker broker = RunningBroker.start(settings);
                MqttSocket subscriber = broker.socket().connect(version, "size-sub");
                MqttSocket publisher = broker.socket().connect(version, "size-pub")) {
            subscriber.subscribe("size", Qos.AT_LEAST_ONCE);
            int overhead = publisher.bytes(new Publish(sized(maximum / 2), 1, false)).length - maximum / 2;
            publisher.publish(sized(maximum - overhead));
            assertEquals(
                    maximum - overhead, subscriber.receivePublish().message().payload().length);
            publisher.send(new Publish(sized(maximum - overhead + 1), 9, false));
            publisher.expectDisconnect(ReasonCode.PACKET_TOO_LARGE);
            subscriber.expectNothing();
        }
    }

    private static Message sized(int bytes) {
        return MqttSocket.message("size", "x".repeat(bytes), Qos.AT_LEAST_ONCE, false);
    }
}
