package org.dunlin.it.overload;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;

/**
 * Healthy clients beside those that make too much work: two publishers with a subscriber each, which exchange one message at a
 * time at QoS 1, and a client with a keep alive of 5 s that says PINGREQ and nothing else. None of them may notice more than
 * some delay. Threads of their own; the methods are for one thread.
 */
final class Bystanders implements AutoCloseable {
    private static final int PAIRS = 2;
    private static final int KEEP_ALIVE_SECONDS = 5;
    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final long PING_NANOS = TimeUnit.SECONDS.toNanos(KEEP_ALIVE_SECONDS) / 2;

    private final RunningBroker broker;
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final List<Witness> witnesses = new ArrayList<>();
    private volatile boolean over;

    /** Milliseconds from PUBLISH to its receipt by the subscriber. */
    record Latency(int messages, double p50, double p99, double max, double slowestPing) {
        void assertWithin(long millis) {
            assertTrue(max < millis && slowestPing < millis, "slower than " + millis + " ms: " + this);
        }
    }

    Bystanders(RunningBroker broker) {
        this.broker = broker;
        witnesses.add(new Witness("pair 5.0", nanos -> exchange("bystander-5", ProtocolVersion.MQTT_5, nanos)));
        witnesses.add(new Witness("pair 3.1.1", nanos -> exchange("bystander-4", ProtocolVersion.MQTT_3_1_1, nanos)));
        witnesses.add(new Witness("idle client", this::ping));
        witnesses.forEach(Thread::start);
    }

    /** Ends them. None may have lost its connection, and no message may have been lost, doubled or out of order. */
    Latency end() {
        over = true;
        try {
            for (Witness witness : witnesses) {
                witness.join(TimeUnit.SECONDS.toMillis(30));
                assertFalse(witness.isAlive(), witness.getName() + " has not ended");
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        Throwable failed = failure.get();
        if (failed != null) {
            throw new AssertionError("a bystander has failed: " + failed, failed);
        }
        long[] sorted = witnesses.stream()
                .limit(PAIRS)
                .flatMapToLong(witness -> witness.nanos.stream().mapToLong(nanos -> nanos))
                .sorted()
                .toArray();
        double ping = Collections.max(witnesses.get(PAIRS).nanos) / 1e6;
        assertTrue(sorted.length > 1, "no message in all that time");
        return new Latency(
                sorted.length,
                sorted[sorted.length / 2] / 1e6,
                sorted[(int) (sorted.length * 99L / 100)] / 1e6,
                sorted[sorted.length - 1] / 1e6,
                ping);
    }

    @Override
    public void close() {
        over = true;
    }

    private interface Part {
        /** @param nanos what each exchange took is added to it */
        void play(List<Long> nanos) throws Exception;
    }

    /** A thread, what it found, and why it ended if it should not have. */
    private final class Witness extends Thread {
        private final Part part;
        private final List<Long> nanos = new ArrayList<>();

        Witness(String name, Part part) {
            super(name);
            this.part = part;
            setDaemon(true);
        }

        @Override
        public void run() {
            try {
                part.play(nanos);
            } catch (Throwable e) {
                failure.compareAndSet(null, new AssertionError(getName() + ": " + e, e));
            }
        }
    }

    private void exchange(String name, ProtocolVersion version, List<Long> nanos) {
        String topic = "calm/" + name;
        try (MqttSocket publisher = broker.socket().connect(version, name + "-p");
                MqttSocket subscriber = broker.socket().connect(version, name + "-s")) {
            subscriber.subscribe(topic, Qos.AT_LEAST_ONCE);
            for (int number = 0; !over; number++) {
                String payload = Integer.toString(number);
                int id = number % 60_000 + 1;
                long began = System.nanoTime();
                publisher.send(new Publish(MqttSocket.message(topic, payload, Qos.AT_LEAST_ONCE, false), id, false));
                subscriber.expectPublish(topic, payload);
                nanos.add(System.nanoTime() - began);
                Ack ack = publisher.receiveAck(PacketType.PUBACK);
                assertEquals(id, ack.packetId());
                assertFalse(ack.reason().isError(), ack.toString());
                LockSupport.parkNanos(PAUSE_NANOS);
            }
            subscriber.expectNothing();
        }
    }

    private void ping(List<Long> nanos) {
        try (MqttSocket client = broker.socket()) {
            client.connect(Connect.builder(ProtocolVersion.MQTT_5, "bystander-idle")
                    .keepAliveSeconds(KEEP_ALIVE_SECONDS)
                    .build());
            while (!over) {
                long due = System.nanoTime() + PING_NANOS;
                while (!over && System.nanoTime() < due) {
                    LockSupport.parkNanos(PING_NANOS / 50);
                }
                long began = System.nanoTime();
                client.send(Ping.REQUEST);
                Packet answer = client.receive();
                nanos.add(System.nanoTime() - began);
                assertSame(Ping.RESPONSE, answer);
            }
        }
    }
}
