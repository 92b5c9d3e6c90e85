package org.dunlin.it.overload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.Unsubscribe;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * A {@code #} subscriber of a broker with many retained messages, far more than a queue may have: it gets each exactly once,
 * however it takes them, and healthy clients beside it get theirs in less than a bound. {@code -Ddunlin.it.overload=full} has a
 * million of them.
 */
@Timeout(value = 15, unit = TimeUnit.MINUTES)
class RetainedCursorIT {
    private static final int COUNT = Stage.size(50_000, 1_000_000);
    private static final int QUEUE = 500;
    private static final int BATCH = 500;
    private static final int IDLE_MILLIS = 10_000;

    private static Stage stage;

    @BeforeAll
    @Timeout(value = 5, unit = TimeUnit.MINUTES)
    static void retain() {
        stage = new Stage(
                COUNT + " retained",
                "queue.max-messages=" + QUEUE,
                "queue.max-bytes=1MB",
                "limits.max-retained=2000000");
        try (MqttSocket publisher = stage.broker().socket().connect(ProtocolVersion.MQTT_5, "retainer")) {
            Packet[] packets = new Packet[BATCH];
            for (int from = 0; from < COUNT; from += BATCH) {
                for (int i = 0; i < BATCH; i++) {
                    packets[i] = retained(from + i, 0, i + 1);
                }
                publisher.send(packets);
                for (int i = 0; i < BATCH; i++) {
                    assertFalse(publisher.receiveAck(PacketType.PUBACK).reason().isError());
                }
            }
        }
    }

    @AfterAll
    static void end() throws IOException {
        try (Stage ending = stage) {
            for (String reason : List.of("queue-full", "slow-consumer", "memory-budget")) {
                assertEquals(0, ending.vitals().dropped(reason), reason);
            }
            ending.end();
        }
    }

    private static Publish retained(int index, int version, int packetId) {
        String topic = "kept/%d/%d".formatted(index % 1000, index);
        return new Publish(MqttSocket.message(topic, index + " " + version, Qos.AT_LEAST_ONCE, true), packetId, false);
    }

    private static int index(Publish publish) {
        String text = MqttSocket.text(publish);
        return Integer.parseInt(text, 0, text.indexOf(' '), 10);
    }

    private static int version(Publish publish) {
        String text = MqttSocket.text(publish);
        return Integer.parseInt(text, text.indexOf(' ') + 1, text.length(), 10);
    }

    private static MqttSocket client(String clientId, int receiveMaximum, long expirySeconds) {
        MqttSocket client = stage.broker().socket();
        client.connect(connect(clientId, receiveMaximum, expirySeconds));
        return client;
    }

    private static Connect connect(String clientId, int receiveMaximum, long expirySeconds) {
        return Connect.builder(ProtocolVersion.MQTT_5, clientId)
                .cleanStart(false)
                .receiveMaximum(receiveMaximum)
                .sessionExpirySeconds(expirySeconds)
                .build();
    }

    /** Asks for them; the SUBACK comes first. */
    private static void subscribe(MqttSocket client, Qos qos) {
        client.subscribe(new Subscribe.Entry("kept/#", qos));
    }

    /** Takes messages until so many are there that were not before. @param pauseNanos for each hundred */
    private static void take(MqttSocket client, BitSet got, int count, long pauseNanos) {
        for (int taken = 0; taken < count; taken++) {
            Publish publish = receive(client);
            assertTrue(publish.message().retain(), publish.toString());
            int index = index(publish);
            assertFalse(got.get(index) && !publish.dup(), index + " came twice");
            taken -= got.get(index) ? 1 : 0;
            got.set(index);
            acknowledge(client, publish);
            if (pauseNanos > 0 && taken % 100 == 0) {
                LockSupport.parkNanos(pauseNanos);
            }
        }
    }

    private static Publish receive(MqttSocket client) {
        Packet packet = client.poll(IDLE_MILLIS);
        if (!(packet instanceof Publish publish)) {
            throw new AssertionError("expected a message, got " + packet);
        }
        return publish;
    }

    private static void acknowledge(MqttSocket client, Publish publish) {
        if (publish.message().qos() == Qos.AT_LEAST_ONCE) {
            client.send(new Ack(PacketType.PUBACK, publish.packetId()));
        }
    }

    private static void expectAll(MqttSocket client, BitSet got) {
        take(client, got, COUNT - got.cardinality(), 0);
        client.expectNothing();
        assertEquals(COUNT, got.cardinality());
    }

    @Test
    void atQos0_eachComesOnce() {
        try (MqttSocket client = client("once-0", 65_535, 0)) {
            subscribe(client, Qos.AT_MOST_ONCE);
            expectAll(client, new BitSet());
        }
    }

    @Test
    void atQos1_withASmallReceiveMaximum_eachComesOnce() {
        try (MqttSocket client = client("once-1", Stage.size(3, 20), 0)) {
            subscribe(client, Qos.AT_LEAST_ONCE);
            expectAll(client, new BitSet());
        }
    }

    @Test
    void toAStoredSession_withASmallReceiveMaximum_eachComesOnce() {
        try (MqttSocket client = client("once-stored", 20, 3600)) {
            subscribe(client, Qos.AT_LEAST_ONCE);
            expectAll(client, new BitSet());
        }
    }

    @Test
    void toOneThatReadsSlowly_eachComesOnce() {
        for (Qos qos : new Qos[] {Qos.AT_MOST_ONCE, Qos.AT_LEAST_ONCE}) {
            try (MqttSocket client = MqttSocket.open(stage.broker().port(), "127.0.0.1", 4096)) {
                client.connect(connect("slow-" + qos, 65_535, 0));
                subscribe(client, qos);
                BitSet got = new BitSet();
                take(client, got, COUNT / 2, 1_000_000);
                expectAll(client, got);
            }
        }
    }

    @Test
    void connectionThatEndsInTheMiddle_theStoredSessionGoesOnWithTheNext() {
        BitSet got = new BitSet();
        try (MqttSocket client = client("returns", 50, 3600)) {
            subscribe(client, Qos.AT_LEAST_ONCE);
            take(client, got, COUNT / 3, 0);
            client.reset();
        }
        for (int part = 0; part < 2; part++) {
            try (MqttSocket client = stage.broker().socket()) {
                ConnAck connAck = client.connect(connect("returns", 50, 3600));
                assertTrue(connAck.sessionPresent());
                if (part == 0) {
                    take(client, got, COUNT / 3, 0);
                    client.reset();
                } else {
                    expectAll(client, got);
                }
            }
        }
    }

    @Test
    void unsubscribeInTheMiddle_endsThem_andTheNextSubscribeHasThemAll() {
        for (Qos qos : new Qos[] {Qos.AT_MOST_ONCE, Qos.AT_LEAST_ONCE}) {
            try (MqttSocket client = client("leaves-" + qos, 50, 0)) {
                subscribe(client, qos);
                take(client, new BitSet(), COUNT / 10, 0);
                client.send(new Unsubscribe(client.nextId(), List.of("kept/#"), List.of()), Ping.REQUEST);
                int after = 0;
                for (Packet packet = client.receive(); packet != Ping.RESPONSE; packet = client.receive()) {
                    if (packet instanceof Publish publish) {
                        acknowledge(client, publish);
                        after++;
                    }
                }
                // At QoS 0 as much as the sockets hold was on its way.
                assertTrue(qos == Qos.AT_MOST_ONCE || after <= 50, after + " have come after UNSUBSCRIBE");
                client.expectNothing();
                subscribe(client, qos);
                expectAll(client, new BitSet());
            }
        }
    }

    /** Of each topic the old one or a new one, and the newest last. */
    @Test
    void messagesThatChangeMeanwhile_newestIsTheLastToBeSeen() throws Exception {
        long seed = Long.getLong("dunlin.it.seed", System.nanoTime());
        System.out.println("seed " + seed);
        int changes = 3000;
        int[] newest = new int[COUNT];
        try (MqttSocket client = client("changes", 50, 0);
                MqttSocket publisher = client("changer", 65_535, 0)) {
            subscribe(client, Qos.AT_LEAST_ONCE);
            CompletableFuture<Void> changing =
                    CompletableFuture.runAsync(() -> change(publisher, new Random(seed), newest, changes));
            Sight retained = new Sight();
            Sight live = new Sight();
            BitSet seen = new BitSet();
            int count = 0;
            for (long quiet = System.nanoTime(); count < COUNT || !changing.isDone() || !live.has(newest); ) {
                Packet packet = client.poll(100);
                if (packet instanceof Publish publish) {
                    (publish.message().retain() ? retained : live).see(publish, live);
                    count += seen.get(index(publish)) ? 0 : 1;
                    seen.set(index(publish));
                    acknowledge(client, publish);
                    quiet = System.nanoTime();
                }
                long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - quiet);
                assertTrue(
                        millis < IDLE_MILLIS,
                        () -> "nothing more comes; " + seen.cardinality() + " topics; " + live.missing(newest));
            }
            changing.get();
            client.expectNothing();
        }
    }

    /** What one subscriber has seen of each topic, as it was kept or as it came. */
    private static final class Sight {
        private final int[] versions = new int[COUNT];
        private final BitSet got = new BitSet();

        private boolean has(int[] newest) {
            return Arrays.equals(versions, newest);
        }

        private String missing(int[] newest) {
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < newest.length; i++) {
                if (versions[i] != newest[i]) {
                    text.append(i)
                            .append(": ")
                            .append(versions[i])
                            .append(" of ")
                            .append(newest[i])
                            .append(' ');
                }
            }
            return text.toString();
        }

        /** @param live what has been published since it subscribed; nothing older may follow that */
        private void see(Publish publish, Sight live) {
            int index = index(publish);
            int version = version(publish);
            boolean first = !got.get(index);
            got.set(index);
            assertTrue(
                    version >= live.versions[index] && (first || version > versions[index]),
                    () -> "%d: %d after %d".formatted(index, version, live.versions[index]));
            versions[index] = version;
        }
    }

    private static void change(MqttSocket publisher, Random random, int[] newest, int changes) {
        for (int i = 0; i < changes; i++) {
            int index = random.nextInt(COUNT);
            publisher.send(retained(index, ++newest[index], i % 60_000 + 1));
            assertFalse(publisher.receiveAck(PacketType.PUBACK).reason().isError());
        }
    }
}
