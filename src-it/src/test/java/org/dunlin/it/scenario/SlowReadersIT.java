package org.dunlin.it.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.Test;

/** Clients that do not read, or not soon. */
class SlowReadersIT {
    private static final String KILOBYTE = "x".repeat(1024);

    @Test
    void subscriberThatNeverReads_costsNobodyElseAnything_andTheDropsAreCounted() {
        List<String> settings =
                List.of("sys-topics.interval=1s", "queue.max-bytes=16MB", "limits.max-connections=1000");
        try (RunningBroker broker = RunningBroker.run(RunningBroker.command(List.of("-Xmx256m"), settings));
                MqttSocket slow = broker.socket().connect(ProtocolVersion.MQTT_5, "slow");
                MqttSocket flood = broker.socket().connect(ProtocolVersion.MQTT_3_1_1, "flood");
                MqttSocket reader = broker.socket().connect(ProtocolVersion.MQTT_5, "reader");
                MqttSocket other = broker.socket().connect(ProtocolVersion.MQTT_5, "other")) {
            slow.subscribe("flood/#", Qos.AT_LEAST_ONCE);
            reader.subscribe("calm", Qos.AT_LEAST_ONCE);
            for (Qos qos : List.of(Qos.AT_MOST_ONCE, Qos.AT_LEAST_ONCE)) {
                for (int batch = 0; batch < 60; batch++) {
                    Packet[] packets = new Packet[500];
                    for (int i = 0; i < packets.length; i++) {
                        int id = qos == Qos.AT_MOST_ONCE ? 0 : i + 1;
                        packets[i] = new Publish(MqttSocket.message("flood/a", KILOBYTE, qos, false), id, false);
                    }
                    flood.send(packets);
                    for (int i = 0; qos != Qos.AT_MOST_ONCE && i < packets.length; i++) {
                        assertEquals(i + 1, flood.receiveAck(PacketType.PUBACK).packetId());
                    }
                    other.publish("calm", "m" + batch, Qos.AT_LEAST_ONCE);
                    reader.expectPublish("calm", "m" + batch);
                }
            }
            expectCount(reader, "slow-consumer", 1000);
            expectCount(reader, "queue-full", 1000);
            assertTrue(broker.isAlive());
        }
    }

    /** Waits for a count of dropped messages of at least that. */
    private static void expectCount(MqttSocket reader, String reason, long least) {
        String topic = "$SYS/broker/dropped/" + reason;
        reader.subscribe(topic, Qos.AT_MOST_ONCE);
        long count = 0;
        for (int i = 0; i < 5 && count < least; i++) {
            Publish publish = reader.receivePublish();
            assertEquals(topic, publish.message().topic().text());
            count = Long.parseLong(MqttSocket.text(publish));
        }
        assertTrue(count >= least, reason + " is " + count);
        reader.unsubscribe(topic);
    }

    @Test
    void clientsThatPublishToEachOther_withoutReadingForAWhile_doNotStopEachOther() throws Exception {
        int count = 30_000;
        try (RunningBroker broker = RunningBroker.start(List.of("limits.max-connections=1000"));
                MqttSocket a = broker.socket().connect(ProtocolVersion.MQTT_3_1_1, "mutual-a");
                MqttSocket b = broker.socket().connect(ProtocolVersion.MQTT_3_1_1, "mutual-b")) {
            a.subscribe("mutual/a", Qos.AT_LEAST_ONCE);
            b.subscribe("mutual/b", Qos.AT_LEAST_ONCE);
            CompletableFuture<Void> aSends = CompletableFuture.runAsync(() -> flood(a, "mutual/b", count));
            CompletableFuture<Void> bSends = CompletableFuture.runAsync(() -> flood(b, "mutual/a", count));
            aSends.get(30, TimeUnit.SECONDS); // nobody has read or acknowledged anything until here
            bSends.get(30, TimeUnit.SECONDS);
            CompletableFuture<Void> aReads = CompletableFuture.runAsync(() -> readAll(a, count));
            readAll(b, count);
            aReads.get(30, TimeUnit.SECONDS);
        }
    }

    private static void flood(MqttSocket client, String topic, int count) {
        Packet[] packets = new Packet[500];
        for (int sent = 0; sent < count; sent += packets.length) {
            for (int i = 0; i < packets.length; i++) {
                int number = sent + i;
                packets[i] = new Publish(
                        MqttSocket.message(topic, Integer.toString(number), Qos.AT_LEAST_ONCE, false),
                        number + 1,
                        false);
            }
            client.send(packets);
        }
    }

    /** All acknowledgements and all messages come, each in order. */
    private static void readAll(MqttSocket client, int count) {
        int acknowledged = 0;
        int received = 0;
        while (acknowledged < count || received < count) {
            Packet packet = client.receive();
            if (packet instanceof Publish publish) {
                assertEquals(Integer.toString(received), MqttSocket.text(publish));
                received++;
                client.send(new Ack(PacketType.PUBACK, publish.packetId()));
            } else {
                acknowledged++;
                assertEquals(acknowledged, ((Ack) packet).packetId());
            }
        }
    }
}
