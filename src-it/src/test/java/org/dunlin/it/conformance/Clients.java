package org.dunlin.it.conformance;

import static org.dunlin.mqtt.Qos.AT_LEAST_ONCE;
import static org.dunlin.mqtt.Qos.AT_MOST_ONCE;
import static org.dunlin.mqtt.Qos.EXACTLY_ONCE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;

/** Any thread. Clients of the usual kinds, packets byte by byte, and proofs that nothing comes. */
final class Clients {
    private static final AtomicInteger NEXT = new AtomicInteger();
    private static final long SESSION_SECONDS = 300;
    /** CONNACK fits it. */
    private static final int SMALLEST_PACKET_SIZE = 32;

    private Clients() {}

    /** A name for a client or a topic that no other test has. */
    static String unique(String name) {
        return "b-" + name + "-" + NEXT.incrementAndGet();
    }

    /** A client with a session that ends with its connection. */
    static MqttSocket client(RunningBroker broker, ProtocolVersion version) {
        return broker.socket().connect(version, unique("client"));
    }

    /** As {@link #client(RunningBroker, ProtocolVersion)}, with more said in CONNECT. */
    static MqttSocket client(RunningBroker broker, ProtocolVersion version, UnaryOperator<Connect.Builder> said) {
        MqttSocket socket = broker.socket();
        socket.connect(said.apply(Connect.builder(version, unique("client"))).build());
        return socket;
    }

    /** A CONNECT that takes up a session, or begins one that outlives the connection. */
    static Connect.Builder lasting(ProtocolVersion version, String clientId) {
        return Connect.builder(version, clientId).cleanStart(false).sessionExpirySeconds(SESSION_SECONDS);
    }

    /** A client that begins such a session. */
    static MqttSocket begin(RunningBroker broker, ProtocolVersion version, String clientId) {
        MqttSocket socket = broker.socket();
        if (socket.connect(lasting(version, clientId).build()).sessionPresent()) {
            throw new AssertionError("the session of " + clientId + " exists already");
        }
        return socket;
    }

    /** A client that takes up its session. */
    static MqttSocket resume(RunningBroker broker, ProtocolVersion version, String clientId) {
        MqttSocket socket = broker.socket();
        boolean present = socket.connect(lasting(version, clientId).build()).sessionPresent();
        if (!present && version != ProtocolVersion.MQTT_3_1) {
            throw new AssertionError("the session of " + clientId + " is gone");
        }
        return socket;
    }

    // ---- bytes

    /** A packet in hexadecimal digits: first byte, Remaining Length as it has to be, fields. */
    static String packet(String first, String... fields) {
        String rest = String.join("", fields).replaceAll("\\s", "");
        return first + length(rest.length() / 2) + rest;
    }

    /** A Variable Byte Integer. */
    static String length(int value) {
        StringBuilder digits = new StringBuilder();
        int left = value;
        do {
            digits.append(String.format("%02x", left % 128 | (left >= 128 ? 128 : 0)));
            left /= 128;
        } while (left > 0);
        return digits.toString();
    }

    /** A UTF-8 Encoded String. */
    static String string(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return String.format("%04x", bytes.length) + HexFormat.of().formatHex(bytes);
    }

    /** What stands between packet identifier and payload: an empty property list for v5, nothing for 3.x. */
    static String noProperties(ProtocolVersion version) {
        return version.isV5() ? "00" : "";
    }

    /** The next packet as it is on the wire, in hexadecimal digits. */
    static String frame(MqttSocket socket) {
        StringBuilder digits = new StringBuilder(HexFormat.of().formatHex(socket.receiveBytes(1)));
        int length = 0;
        int shift = 0;
        int octet;
        do {
            octet = socket.receiveBytes(1)[0] & 0xFF;
            digits.append(String.format("%02x", octet));
            length |= (octet & 127) << shift;
            shift += 7;
        } while (octet >= 128);
        return digits.append(HexFormat.of().formatHex(socket.receiveBytes(length)))
                .toString();
    }

    // ---- messages

    static Publish publish(String topic, String payload, Qos qos, int packetId, boolean dup) {
        return new Publish(MqttSocket.message(topic, payload, qos, false), packetId, dup);
    }

    static Message retained(String topic, String payload, Qos qos) {
        return MqttSocket.message(topic, payload, qos, true);
    }

    /** Receives a PUBLISH with that payload and acknowledges nothing. */
    static Publish take(MqttSocket subscriber, String payload) {
        Publish publish = subscriber.receive(Publish.class);
        if (!MqttSocket.text(publish).equals(payload)) {
            throw new AssertionError(
                    "expected \"" + payload + "\", got " + publish + " \"" + MqttSocket.text(publish) + "\"");
        }
        return publish;
    }

    /** Receives PUBLISHes whose payloads count from the first to before the last, and completes them side by side. */
    static void expectNumbers(MqttSocket subscriber, int first, int last) {
        int next = first;
        int released = 0;
        while (next < last || released > 0) {
            Packet packet = subscriber.receive();
            if (packet instanceof Ack pubRel) {
                subscriber.send(new Ack(PacketType.PUBCOMP, pubRel.packetId()));
                released--;
                continue;
            }
            Publish publish = (Publish) packet;
            assertEquals("" + next++, MqttSocket.text(publish));
            switch (publish.message().qos()) {
                case AT_MOST_ONCE -> {}
                case AT_LEAST_ONCE -> ack(subscriber, PacketType.PUBACK, publish);
                case EXACTLY_ONCE -> {
                    ack(subscriber, PacketType.PUBREC, publish);
                    released++;
                }
            }
        }
    }

    static void ack(MqttSocket subscriber, PacketType type, Publish publish) {
        subscriber.send(new Ack(type, publish.packetId()));
    }

    /**
     * Nothing of what the publisher has sent is under way to the subscriber: what it sends now is the next that comes.
     * At QoS 0, so that no window holds it back; whatever was published at QoS 1 or 2 has to be acknowledged by now.
     */
    static void expectNothingMore(MqttSocket publisher, MqttSocket subscriber) {
        String topic = unique("fence");
        subscriber.subscribe(topic, Qos.AT_MOST_ONCE);
        publisher.publish(topic, "fence", Qos.AT_MOST_ONCE);
        subscriber.expectPublish(topic, "fence");
        subscriber.unsubscribe(topic);
    }

    /** Subscribes with any options; the codes of SUBACK. */
    static SubAck subscribe(MqttSocket subscriber, int subscriptionId, String filter, Qos qos) {
        return subscriber.subscribe(subscriptionId, new Subscribe.Entry(filter, qos));
    }

    /** Lets time pass that the test is about, such as the life of a message. */
    static void pass(long millis) {
        try {
            TimeUnit.MILLISECONDS.sleep(millis);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Waits until it is so. */
    static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("within 10 s it did not come to pass: " + what);
            }
            pass(5);
        }
    }

    /**
     * The answer to a request as a client gets it whose Maximum Packet Size it just fits: whole; with a byte less: the
     * bare one, no Reason String, no User Properties. Where the broker explains nothing the smallest limit that CONNACK
     * fits has to do.
     */
    static void expectExplanationToFit(RunningBroker broker, String request, Packet bare) {
        String whole;
        try (MqttSocket socket = client(broker, ProtocolVersion.MQTT_5)) {
            whole = frame(socket.sendHex(request));
        }
        int size = Math.max(whole.length() / 2, SMALLEST_PACKET_SIZE);
        try (MqttSocket socket = client(broker, ProtocolVersion.MQTT_5, connect -> connect.maximumPacketSize(size))) {
            assertEquals(whole, frame(socket.sendHex(request)));
        }
        int less = Math.max(size - 1, SMALLEST_PACKET_SIZE);
        try (MqttSocket socket = client(broker, ProtocolVersion.MQTT_5, connect -> connect.maximumPacketSize(less))) {
            assertEquals(bare, socket.sendHex(request).receive());
        }
    }
}
