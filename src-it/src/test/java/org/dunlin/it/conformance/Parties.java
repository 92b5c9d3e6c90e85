package org.dunlin.it.conformance;

import java.util.concurrent.atomic.AtomicInteger;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Will;

/** Any thread. The clients that take part in a test, and names that no other test has. */
final class Parties {
    private static final AtomicInteger NAMES = new AtomicInteger();

    private Parties() {}

    /** The prefix and a number: letters and digits alone, good for client identifiers and topics. */
    static String unique(String prefix) {
        return prefix + NAMES.incrementAndGet();
    }

    /** A connected client with a clean session and a name of its own. */
    static MqttSocket client(RunningBroker broker, ProtocolVersion version) {
        return broker.socket().connect(version, unique("client"));
    }

    static MqttSocket subscriber(RunningBroker broker, ProtocolVersion version, String filter, Qos qos) {
        return client(broker, version).subscribe(filter, qos);
    }

    static Will will(String topic, String payload, Qos qos, boolean retain, long delaySeconds) {
        return new Will(
                TopicName.of(topic),
                payload.getBytes(java.nio.charset.StandardCharsets.UTF_8),
                qos,
                retain,
                Message.NO_BYTES,
                -1,
                delaySeconds);
    }

    /** Nothing has come to the subscriber on this topic, and what is published there now is the next thing. */
    static void expectNothingOn(RunningBroker broker, MqttSocket subscriber, String topic) {
        if (!subscriber.staysSilent(150)) {
            throw new AssertionError("expected nothing, got " + RawFrame.read(subscriber));
        }
        try (MqttSocket other = client(broker, ProtocolVersion.MQTT_5)) {
            other.publish(topic, "end", Qos.AT_LEAST_ONCE);
        }
        subscriber.expectPublish(topic, "end");
    }

    /**
     * The CONNECT just sent is refused: v5 by CONNACK with this reason and session present 0, 3.x without a word; then the
     * connection is closed.
     */
    static void expectConnectRefused(MqttSocket socket, ProtocolVersion version, ReasonCode reason) {
        if (version.isV5()) {
            RawFrame frame = RawFrame.read(socket);
            String start = "00" + Integer.toHexString(reason.code());
            if (frame.first() != 0x20 || !frame.hex().startsWith(start)) {
                throw new AssertionError("expected CONNACK " + reason + ", got " + frame);
            }
        }
        expectEnd(socket);
    }

    /** The connection is closed without another byte. */
    static void expectEnd(MqttSocket socket) {
        byte[] more;
        try {
            more = socket.receiveBytes(1);
        } catch (AssertionError closed) {
            if (String.valueOf(closed.getMessage()).contains("closed")) {
                return;
            }
            throw closed;
        }
        throw new AssertionError("expected the end of the connection, got 0x" + Integer.toHexString(more[0] & 0xFF));
    }

    /** A moment of waiting that a test is about, such as half a session expiry; never to hope that something has happened. */
    static void pass(int millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
