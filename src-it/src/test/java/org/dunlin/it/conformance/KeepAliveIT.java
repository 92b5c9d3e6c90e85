package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.client;
import static org.dunlin.it.conformance.Parties.pass;
import static org.dunlin.it.conformance.Parties.subscriber;
import static org.dunlin.it.conformance.Parties.unique;
import static org.dunlin.it.conformance.Parties.will;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Keep alive: 3.1.2.10 of both standards. The shortest one is a second, so the connection ends after 1.5 s of silence. */
@Broker
class KeepAliveIT {
    private static final long LEAST_MILLIS = 1_400;

    private static Connect.Builder asking(ProtocolVersion version, int seconds) {
        return Connect.builder(version, unique("alive")).keepAliveSeconds(seconds);
    }

    private static long millisSince(long start) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start);
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.2-22", "MQTT-3.2.2-22", "MQTT-3.1.2-8"},
            v3 = {"MQTT-3.1.2-24", "MQTT-3.1.2-8"},
            edge = {"E044", "E046", "E072"})
    void silence_endsTheConnectionLikeAFailure(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("alive");
        Connect connect = asking(version, 2)
                .cleanStart(false)
                .sessionExpirySeconds(60)
                .will(will(topic, "will", Qos.AT_MOST_ONCE, false, 0))
                .build();
        try (MqttSocket subscriber = subscriber(broker, version, topic, Qos.AT_MOST_ONCE);
                MqttSocket silent = broker.socket()) {
            silent.connect(connect);
            // Output of the broker and bytes that make no packet do not count.
            silent.subscribe(topic + "/out", Qos.AT_MOST_ONCE);
            long start = System.nanoTime();
            pass(700);
            silent.sendHex("C0"); // half a PINGREQ
            subscriber.publish(topic + "/out", "x", Qos.AT_MOST_ONCE);
            silent.expectPublish(topic + "/out", "x");
            silent.expectDisconnect(ReasonCode.KEEP_ALIVE_TIMEOUT);
            assertTrue(millisSince(start) >= 2 * LEAST_MILLIS, "closed too early");
            subscriber.expectPublish(topic, "will");
            try (MqttSocket again = broker.socket()) {
                assertEquals(
                        version != ProtocolVersion.MQTT_3_1,
                        again.connect(connect).sessionPresent());
                again.disconnect();
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.1.2-22"},
            v3 = {"MQTT-3.1.2-24"},
            edge = {"E044"})
    void anyPacket_startsTheTimeAnew(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("alive");
        byte[] publish = RawPacket.of(0x30)
                .utf8(topic)
                .properties(version, RawPacket.part())
                .bytes();
        byte[] pubAck = RawPacket.of(0x40).u16(999).bytes(); // of nothing, which is ignored
        byte[] subscribe = RawPacket.of(0x82)
                .u16(1)
                .properties(version, RawPacket.part())
                .utf8(topic + "/x")
                .u8(0)
                .bytes();
        try (MqttSocket pinging = broker.socket();
                MqttSocket publishing = broker.socket();
                MqttSocket mixed = broker.socket();
                MqttSocket unbound = broker.socket();
                MqttSocket subscriber = subscriber(broker, version, topic, Qos.AT_MOST_ONCE)) {
            pinging.connect(asking(version, 2).build());
            publishing.connect(asking(version, 2).build());
            mixed.connect(asking(version, 2).build());
            unbound.connect(asking(version, 0).build());
            byte[][] rest = {pubAck, subscribe, publish, pubAck};
            for (byte[] packet : rest) {
                pass(1_000);
                pinging.expectNothing();
                publishing.send(publish);
                mixed.send(packet);
            }
            // 4 s, longer than the 3 s that silence may last; the last packet was sent just now.
            publishing.send(publish);
            for (int i = 0; i < 6; i++) {
                subscriber.expectPublish(topic, "");
            }
            mixed.send(publish);
            subscriber.expectPublish(topic, "");
            pinging.expectNothing();
            unbound.expectNothing(); // silent all the time, and 0 turns it off
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_3_1_1", "MQTT_5"})
    @Clause(
            v5 = {"MQTT-3.2.2-22"},
            v3 = {"MQTT-3.1.2-24"},
            edge = {"E044"})
    void longerKeepAlive_lastsLonger(ProtocolVersion version, RunningBroker broker) {
        try (MqttSocket socket = broker.socket();
                MqttSocket other = client(broker, version)) {
            socket.connect(asking(version, 2).build());
            long start = System.nanoTime();
            socket.expectDisconnect(ReasonCode.KEEP_ALIVE_TIMEOUT);
            assertTrue(millisSince(start) >= 2 * LEAST_MILLIS, "closed too early");
            other.expectNothing();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_3_1_1", "MQTT_5"})
    @Clause(
            v5 = {"MQTT-3.1.2-22"},
            v3 = {"MQTT-3.1.2-24"},
            edge = {"E044"})
    void bytesThatMakeNoPacket_doNotCount(ProtocolVersion version, RunningBroker broker) {
        try (MqttSocket socket = broker.socket()) {
            socket.connect(asking(version, 1).build());
            socket.sendHex("30 64 0001 61"); // the beginning of a PUBLISH of 100 bytes
            int drops = 0;
            while (socket.staysSilent(400)) {
                assertTrue(++drops < 20, "still open after " + drops * 400 + " ms without a packet");
                socket.sendHex("00");
            }
            socket.expectDisconnect(ReasonCode.KEEP_ALIVE_TIMEOUT);
        }
    }
}
