package org.dunlin.it.scenario;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.Test;

/** A small heap and more to keep than it holds: the broker says no, says why, and goes on. */
class MemoryBudgetIT {
    private static final String CHUNK = "x".repeat(16 * 1024);
    private static final long BUDGET = 32L << 20;
    /** Ten times the heap. */
    private static final int MESSAGES_MOST = 80_000;

    private static RunningBroker smallBroker() {
        return RunningBroker.run(RunningBroker.command(
                List.of("-Xmx128m"),
                List.of(
                        "memory.budget=32MB",
                        "queue.hold-timeout=1s",
                        "sys-topics.interval=1s",
                        "limits.max-connections=1000")));
    }

    @Test
    void receiversThatTakeNothing_useUpTheBudget_andPublishersAreToldSo() {
        try (RunningBroker broker = smallBroker();
                MqttSocket publisher = broker.socket().connect(ProtocolVersion.MQTT_5, "publisher");
                MqttSocket watcher = broker.socket().connect(ProtocolVersion.MQTT_5, "watcher")) {
            List<MqttSocket> idle = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                idle.add(broker.socket().connect(ProtocolVersion.MQTT_5, "idle" + i));
                idle.get(i).subscribe("idle/" + i, Qos.AT_LEAST_ONCE);
            }
            watcher.subscribe("$SYS/broker/memory/used", Qos.AT_MOST_ONCE);

            Ack refusal = publishUntil(publisher, ReasonCode.QUOTA_EXCEEDED);

            assertTrue(String.valueOf(refusal.reasonString()).contains("memory.budget"), refusal.toString());
            long most = 0;
            for (int i = 0; i < 3; i++) {
                most = Math.max(most, Long.parseLong(MqttSocket.text(watcher.receivePublish())));
            }
            assertTrue(most > BUDGET / 2 && most < BUDGET * 3 / 2, most + " bytes are used");
            idle.forEach(MqttSocket::close);
            publishUntil(publisher, ReasonCode.NO_MATCHING_SUBSCRIBERS);
            assertTrue(broker.isAlive());
        }
    }

    /** @return the first acknowledgement that says so */
    private static Ack publishUntil(MqttSocket publisher, ReasonCode reason) {
        for (int sent = 0; sent < MESSAGES_MOST; sent += 20) {
            Packet[] packets = new Packet[20];
            for (int i = 0; i < packets.length; i++) {
                packets[i] =
                        new Publish(MqttSocket.message("idle/" + i, CHUNK, Qos.AT_LEAST_ONCE, false), i + 1, false);
            }
            publisher.send(packets);
            Ack found = null;
            for (int i = 0; i < packets.length; i++) {
                Ack ack = publisher.receiveAck(PacketType.PUBACK);
                found = found == null && ack.reason() == reason ? ack : found;
            }
            if (found != null) {
                return found;
            }
        }
        throw new AssertionError("no PUBACK has said " + reason);
    }

    @Test
    void largePacketsThatNeverEnd_areCutOff_andOthersServed() {
        byte[] part = new byte[5 << 20];
        Arrays.fill(part, (byte) 'x');
        byte[] header = {0x30, (byte) 0x80, (byte) 0x80, (byte) 0x80, 0x04, 0, 1, 't', 0}; // PUBLISH of 8 MB
        try (RunningBroker broker = smallBroker();
                MqttSocket reader = broker.socket().connect(ProtocolVersion.MQTT_5, "reader")) {
            reader.subscribe("calm", Qos.AT_LEAST_ONCE);
            List<MqttSocket> senders = new ArrayList<>();
            for (int i = 0; i < 30; i++) {
                senders.add(broker.socket().connect(ProtocolVersion.MQTT_5, "large" + i));
            }
            for (MqttSocket sender : senders) {
                Thread thread = new Thread(() -> sendQuietly(sender, header, part), "sender");
                thread.setDaemon(true);
                thread.start();
            }
            assertEquals(ReasonCode.QUOTA_EXCEEDED, firstDisconnect(senders).reason());
            senders.forEach(MqttSocket::close);

            Await.until("there is memory for another session", () -> isServed(broker));
            reader.expectPublish("calm", "served");
            assertTrue(broker.isAlive());
        }
    }

    private static boolean isServed(RunningBroker broker) {
        try (MqttSocket other = broker.socket()) {
            other.send(Connect.builder(ProtocolVersion.MQTT_5, "other").build());
            ConnAck answer = other.receive(ConnAck.class);
            if (answer.reason().isError()) {
                assertEquals(ReasonCode.QUOTA_EXCEEDED, answer.reason());
                return false;
            }
            other.send(new Publish(MqttSocket.message("calm", "served", Qos.AT_LEAST_ONCE, false), 1, false));
            return !other.receiveAck(PacketType.PUBACK).reason().isError();
        }
    }

    private static void sendQuietly(MqttSocket sender, byte[] header, byte[] part) {
        try {
            sender.send(header);
            sender.send(part);
        } catch (RuntimeException | AssertionError e) {
            // cut off in the middle, as some of them have to be
        }
    }

    private static Disconnect firstDisconnect(List<MqttSocket> senders) {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (System.nanoTime() < deadline) {
            for (MqttSocket sender : senders) {
                try {
                    if (sender.poll(20) instanceof Disconnect disconnect) {
                        return disconnect;
                    }
                } catch (UncheckedIOException e) {
                    continue; // it was still sending when it was cut off, and did not get to read why
                }
            }
        }
        throw new AssertionError("nobody was cut off");
    }
}
