package org.dunlin.it.overload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RealClient;
import org.dunlin.it.compare.LoadGenerator;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * More work than the machine can do. Healthy clients on the same broker keep their connections and get each message once and in
 * order, in less than a bound; who is owed something gets it, and what is not delivered is counted. {@code
 * -Ddunlin.it.overload=full} is what docs/performance.md has.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class OverloadIT {
    private static final int NARROW_BYTES = 4096;
    private static final int WAITING_MOST = 1000;
    /** Connections of one process, whose limit of open files is 20,000 on the machine of docs/performance.md. */
    private static final int ONLINE = Stage.size(2000, 16_000);

    private static final String PAD = "x".repeat(56);

    /** Payload of a message that tells which one of its publisher it is, of eight digits and more. */
    private static String numbered(int number) {
        return "%08d".formatted(number) + PAD;
    }

    private static int number(Publish publish) {
        return Integer.parseInt(MqttSocket.text(publish), 0, 8, 10);
    }

    private static Publish publish(String topic, int number, Qos qos) {
        int id = qos == Qos.AT_MOST_ONCE ? 0 : number % 60_000 + 1;
        return new Publish(MqttSocket.message(topic, numbered(number), qos, false), id, false);
    }

    // ---- subscribers that never read

    @Test
    void subscribersThatNeverRead_costNobodyElseAnything_andWhatTheyMissIsCounted() throws Exception {
        try (Stage stage = new Stage("never read", "queue.max-messages=" + WAITING_MOST);
                MqttSocket qos0 = narrow(stage, "deaf-0", 0);
                MqttSocket qos1 = narrow(stage, "deaf-1", 0);
                MqttSocket stored = narrow(stage, "deaf-stored", 3600);
                MqttSocket reader = stage.broker().socket().connect(ProtocolVersion.MQTT_5, "reader");
                MqttSocket loud = stage.broker().socket().connect(ProtocolVersion.MQTT_5, "loud");
                MqttSocket sure = stage.broker().socket().connect(ProtocolVersion.MQTT_5, "sure")) {
            qos0.subscribe("flood/#", Qos.AT_MOST_ONCE);
            qos1.subscribe("flood/#", Qos.AT_LEAST_ONCE);
            stored.subscribe("flood/sure", Qos.AT_LEAST_ONCE);
            reader.subscribe("flood/sure", Qos.AT_LEAST_ONCE);
            AtomicInteger read = new AtomicInteger();
            AtomicInteger last = new AtomicInteger(Integer.MAX_VALUE);
            CompletableFuture<Void> reading = CompletableFuture.runAsync(() -> readInOrder(reader, read, last));
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Stage.size(4, 20));
            CompletableFuture<Integer> shouting = CompletableFuture.supplyAsync(() -> shout(loud, end));
            last.set(sendSurely(sure, end, read));
            int shouted = shouting.get(30, TimeUnit.SECONDS);
            reading.get(30, TimeUnit.SECONDS);

            int sent = last.get();
            Await.until(
                    "all that qos0 and qos1 have not been sent is counted",
                    () -> stage.vitals().dropped("slow-consumer") > shouted / 2);
            assertTrue(stage.vitals().dropped("queue-full") > sent, "queue-full");
            double waiting = stage.vitals().metric("dunlin_queued_messages{owner=\"session\"");
            assertTrue(waiting <= 2 * WAITING_MOST, waiting + " messages wait");
            stored.reset();
            assertNewestAreThere(stage, sent);
            stage.end();
        }
    }

    private static MqttSocket narrow(Stage stage, String clientId, long expirySeconds) {
        MqttSocket socket = MqttSocket.open(stage.broker().port(), "127.0.0.1", NARROW_BYTES);
        socket.connect(Connect.builder(ProtocolVersion.MQTT_5, clientId)
                .sessionExpirySeconds(expirySeconds)
                .build());
        return socket;
    }

    /** Takes all messages up to the last, which is known later. */
    private static void readInOrder(MqttSocket reader, AtomicInteger read, AtomicInteger last) {
        while (read.get() < last.get()) {
            Packet packet = reader.poll(100);
            if (packet != null) {
                Publish publish = (Publish) packet;
                assertEquals(read.get() + 1, number(publish));
                reader.send(new Ack(PacketType.PUBACK, publish.packetId()));
                read.incrementAndGet();
            }
        }
        reader.expectNothing();
    }

    /** Publishes at QoS 0 as fast as it is let to. @return how many */
    private static int shout(MqttSocket publisher, long end) {
        Packet[] packets = new Packet[500];
        int sent = 0;
        while (System.nanoTime() < end) {
            for (int i = 0; i < packets.length; i++) {
                packets[i] = publish("flood/loud", ++sent, Qos.AT_MOST_ONCE);
            }
            publisher.send(packets);
        }
        return sent;
    }

    /** Publishes at QoS 1 several queues full, not further ahead of the reader than its queue is long. @return how many */
    private static int sendSurely(MqttSocket publisher, long end, AtomicInteger read) {
        Packet[] packets = new Packet[100];
        int sent = 0;
        while (System.nanoTime() < end || sent <= 5 * WAITING_MOST) {
            int first = sent;
            for (int i = 0; i < packets.length; i++) {
                packets[i] = publish("flood/sure", ++sent, Qos.AT_LEAST_ONCE);
            }
            publisher.send(packets);
            for (int i = 0; i < packets.length; i++) {
                assertAccepted(publisher.receiveAck(PacketType.PUBACK));
            }
            Await.until("the reader is not far behind", () -> read.get() > first - WAITING_MOST / 2);
        }
        return sent;
    }

    private static void assertAccepted(Ack ack) {
        assertTrue(!ack.reason().isError(), ack.toString());
    }

    /** The session that was away from its queue has the newest messages, and before them those that were on their way. */
    private static void assertNewestAreThere(Stage stage, int sent) {
        try (MqttSocket back = stage.broker().socket()) {
            ConnAck connAck = back.connect(Connect.builder(ProtocolVersion.MQTT_5, "deaf-stored")
                    .cleanStart(false)
                    .sessionExpirySeconds(0)
                    .build());
            assertTrue(connAck.sessionPresent());
            int before = 0;
            int unbroken = 0;
            while (before < sent) {
                int number = number(back.receivePublish());
                assertTrue(number > before, number + " after " + before);
                unbroken = number == before + 1 ? unbroken + 1 : 1;
                before = number;
            }
            assertEquals(sent, before);
            assertTrue(unbroken >= WAITING_MOST - 1, "the newest " + unbroken + " are there");
            back.expectNothing();
        }
    }

    // ---- all come back at once

    @Test
    void allSessionsAreCutAndComeBackAtOnce() throws Exception {
        int count = Stage.size(2000, 50_000);
        int online = Math.min(ONLINE, count);
        try (Stage stage = new Stage(count + " come back");
                Crowd crowd = crowd(stage, count, "crowd/all");
                MqttSocket watcher = stage.broker().socket().connect(ProtocolVersion.MQTT_5, "watcher");
                MqttSocket publisher = stage.broker().socket().connect(ProtocolVersion.MQTT_5, "publisher")) {
            watcher.subscribe("will/#", Qos.AT_LEAST_ONCE);
            AtomicInteger wills = new AtomicInteger();
            CompletableFuture<Void> watching = CompletableFuture.runAsync(() -> countWills(watcher, wills, count));
            for (int from = 0; from < count; from += online) {
                join(crowd, from, Math.min(count, from + online), false);
                crowd.command("cut");
            }
            watching.get(60, TimeUnit.SECONDS);
            publisher.publish(MqttSocket.message("crowd/all", numbered(1), Qos.AT_LEAST_ONCE, false));
            for (int from = 0; from < count; from += online) {
                join(crowd, from, Math.min(count, from + online), true);
                expectMessage(crowd, 1);
                crowd.command("cut");
            }
            stage.end();
        }
    }

    private static Crowd crowd(Stage stage, int count, String filter) {
        return new Crowd(
                stage.broker(), "count=" + count, "keep=" + ONLINE, "addresses=64", "filter=" + filter, "qos=1");
    }

    private static void join(Crowd crowd, int from, int to, boolean present) {
        Map<String, Double> joined = crowd.command("join %d %d %d", from, to, 120);
        assertEquals(to - from, joined.get("joined"), joined.toString());
        assertEquals(present ? to - from : 0, joined.get("present"), joined.toString());
    }

    /** All who are connected get the messages up to that, each once and in order. */
    private static void expectMessage(Crowd crowd, int number) {
        Map<String, Double> awaited = crowd.command("await %d %d", number, 120);
        for (String fault : List.of("behind", "doubled", "missing", "lost")) {
            assertEquals(0, awaited.get(fault), fault + " " + awaited);
        }
    }

    private static void countWills(MqttSocket watcher, AtomicInteger wills, int count) {
        while (wills.get() < count) {
            if (watcher.poll(100) instanceof Publish will) {
                watcher.send(new Ack(PacketType.PUBACK, will.packetId()));
                wills.incrementAndGet();
            }
        }
    }

    // ---- one message to many

    @Test
    void messagesToManySessions_reachEachOnce_thoseThatAreAwayWhenTheyCome() throws Exception {
        int count = Stage.size(3000, 50_000);
        int messages = Stage.size(300, 50);
        try (Stage stage = new Stage("to " + count + " sessions");
                Crowd crowd = crowd(stage, count, "fan/all");
                MqttSocket publisher = stage.broker().socket().connect(ProtocolVersion.MQTT_5, "publisher")) {
            for (int from = ONLINE; from < count; from += ONLINE) {
                int to = Math.min(count, from + ONLINE);
                join(crowd, from, to, false);
                crowd.command("leave %d %d", from, to);
            }
            join(crowd, 0, ONLINE, false);
            CompletableFuture<Void> publishing = CompletableFuture.runAsync(() -> publishAll(publisher, messages));
            expectMessage(crowd, messages);
            publishing.get(120, TimeUnit.SECONDS);
            crowd.command("leave %d %d", 0, ONLINE);
            for (int from = ONLINE; from < count; from += ONLINE) {
                int to = Math.min(count, from + ONLINE);
                join(crowd, from, to, true);
                expectMessage(crowd, messages);
                crowd.command("leave %d %d", from, to);
            }
            stage.end();
        }
    }

    /** All at once; acknowledgements may take as long as they do. */
    private static void publishAll(MqttSocket publisher, int messages) {
        Packet[] packets = new Packet[messages];
        for (int i = 0; i < messages; i++) {
            packets[i] = publish("fan/all", i + 1, Qos.AT_LEAST_ONCE);
        }
        publisher.send(packets);
        for (int acked = 0; acked < messages; ) {
            Packet packet = publisher.poll(100);
            if (packet != null) {
                assertAccepted((Ack) packet);
                acked++;
            }
        }
    }

    // ---- a flood

    @Test
    void floodAtQos0_isDroppedForSlowReceivers_andEachDropIsCounted() throws Exception {
        try (Stage stage = new Stage("flood, QoS 0")) {
            long messages = Stage.size(30_000, 150_000);
            JsonNode load = flood(stage, "-q 0 -d 60 --drain 40 -n " + messages);
            long delivered = load.path("received").asLong();
            assertEquals(messages, load.path("sent").asLong(), load.toString());
            assertTrue(delivered > messages, load.toString());
            long missed = stage.vitals().dropped("slow-consumer");
            long refused = stage.vitals().dropped("memory-budget");
            assertEquals(messages * SUBSCRIBERS, delivered + missed + refused * SUBSCRIBERS, load.toString());
            stage.end();
        }
    }

    @Test
    void floodAtQos1_isSlowed_andAllThatWasAcknowledgedArrives() throws Exception {
        try (Stage stage = new Stage("flood, QoS 1")) {
            JsonNode load = flood(stage, "-q 1 --drain 40 -d " + Stage.size(4, 20));
            long accepted = load.path("acked").asLong() - load.path("nack").asLong();
            assertTrue(accepted > 0, load.toString());
            long owed = accepted * SUBSCRIBERS - stage.vitals().dropped("queue-full");
            assertTrue(load.path("received").asLong() >= owed, "owed " + owed + ": " + load);
            stage.end();
        }
    }

    private static final int PUBLISHERS = 20;
    private static final int SUBSCRIBERS = 500;

    /** @return what the load generator says of clients none of which lost its connection, nor got anything twice */
    private static JsonNode flood(Stage stage, String options) throws Exception {
        RealClient.program("cc");
        Path folder = Files.createDirectories(Path.of("target", "overload").toAbsolutePath());
        String arguments = "pubsub -V 5 -p %d --pubs %d --subs %d --topics 1 -w 200 --warmup 0 %s"
                .formatted(stage.broker().port(), PUBLISHERS, SUBSCRIBERS, options);
        JsonNode load = LoadGenerator.build(folder).run(List.of(arguments.split(" ")), 200);
        List<String> faults = new ArrayList<>();
        for (String fault : List.of("dup", "ooo", "foreign", "closed_by_server", "conn_fail", "proto_err")) {
            if (load.path(fault).asLong() != 0) {
                faults.add(fault);
            }
        }
        assertTrue(faults.isEmpty(), faults + " in " + load);
        return load;
    }
}
