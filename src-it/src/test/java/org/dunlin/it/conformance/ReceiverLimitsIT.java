package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.client;
import static org.dunlin.it.conformance.Parties.unique;
import static org.dunlin.it.conformance.RawPacket.CLEAN;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a CONNECT of v5 asks the broker to keep to: Maximum Packet Size, Receive Maximum, Request Problem Information. */
@Broker
class ReceiverLimitsIT {
    @Test
    @Clause(
            v5 = {"MQTT-3.1.2-24", "MQTT-3.1.2-25"},
            edge = {"E112"})
    void publishAboveTheMaximumPacketSize_isDroppedAsIfDelivered(RunningBroker broker) {
        String topic = unique("size");
        int maximum = 50;
        Connect connect = Connect.builder(MQTT_5, unique("size"))
                .cleanStart(false)
                .sessionExpirySeconds(60)
                .maximumPacketSize(maximum)
                .receiveMaximum(1)
                .build();
        try (MqttSocket publisher = client(broker, MQTT_5)) {
            try (MqttSocket socket = broker.socket()) {
                socket.connect(connect);
                socket.subscribe(topic, Qos.EXACTLY_ONCE);
                for (Qos qos : Qos.values()) {
                    int head = 2 + 2 + topic.length() + (qos == Qos.AT_MOST_ONCE ? 0 : 2) + 1;
                    for (int size = maximum - 2; size <= maximum + 2; size++) {
                        publisher.publish(topic, "x".repeat(size - head), qos);
                    }
                    publisher.publish(topic, "y".repeat(1000), qos);
                    publisher.publish(topic, "small", qos);
                    for (int size = maximum - 2; size <= maximum; size++) {
                        assertEquals("x".repeat(size - head), MqttSocket.text(socket.receivePublish()));
                    }
                    socket.expectPublish(topic, "small");
                    socket.expectNothing();
                }
                socket.disconnect();
            }
            publisher.publish(topic, "z".repeat(1000), Qos.AT_LEAST_ONCE);
            publisher.publish(topic, "queued", Qos.AT_LEAST_ONCE);
            try (MqttSocket socket = broker.socket()) {
                assertTrue(socket.connect(connect).sessionPresent());
                socket.expectPublish(topic, "queued");
                socket.expectNothing();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    @Clause(
            v5 = {"MQTT-3.3.4-9", "MQTT-3.3.4-10"},
            edge = {"E099", "E100"})
    void openPublishesToAClient_stayWithinItsReceiveMaximum(int maximum, RunningBroker broker) {
        String topic = unique("rm");
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket socket = broker.socket()) {
            socket.connect(Connect.builder(MQTT_5, unique("rm"))
                    .receiveMaximum(maximum)
                    .build());
            socket.subscribe(topic, Qos.EXACTLY_ONCE);
            for (int i = 0; i < 10; i++) {
                publisher.publish(topic, "m" + i, i % 2 == 0 ? Qos.EXACTLY_ONCE : Qos.AT_LEAST_ONCE);
            }
            int[] ids = new int[10];
            for (int i = 0; i < maximum; i++) {
                ids[i] = receive(socket, i);
            }
            // The window is full, and everything but PUBLISH goes on.
            socket.expectNothing();
            socket.subscribe(topic + "/other", Qos.AT_MOST_ONCE);
            socket.publish(topic + "/elsewhere", "x", Qos.EXACTLY_ONCE);
            socket.publish(topic + "/elsewhere", "x", Qos.AT_LEAST_ONCE);
            socket.unsubscribe(topic + "/other");
            // PUBREC without error does not free a place, PUBCOMP does.
            socket.send(new Ack(PacketType.PUBREC, ids[0]));
            socket.receiveAck(PacketType.PUBREL);
            socket.expectNothing();
            socket.send(new Ack(PacketType.PUBCOMP, ids[0]));
            ids[maximum] = receive(socket, maximum);
            socket.expectNothing();
            for (int i = 1; i < 10; i++) {
                // An error in PUBREC frees one at once.
                socket.send(
                        i % 2 == 0
                                ? new Ack(PacketType.PUBREC, ids[i], ReasonCode.UNSPECIFIED_ERROR)
                                : new Ack(PacketType.PUBACK, ids[i]));
                if (i + maximum < 10) {
                    ids[i + maximum] = receive(socket, i + maximum);
                }
                socket.expectNothing();
            }
        }
    }

    private static int receive(MqttSocket socket, int number) {
        Publish publish = socket.receive(Publish.class);
        assertEquals("m" + number, MqttSocket.text(publish));
        return publish.packetId();
    }

    private static boolean explains(List<RawFrame.Property> properties) {
        return RawFrame.find(properties, 0x1F) != null || RawFrame.find(properties, 0x26) != null;
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.2-29"},
            edge = {"E039"})
    void requestProblemInformation0_leavesOutTheReasons(RunningBroker broker) {
        for (int asked = 0; asked <= 1; asked++) {
            try (MqttSocket socket = broker.socket()) {
                socket.send(RawPacket.connect(
                                MQTT_5, CLEAN, RawPacket.part().u8(0x17).u8(asked))
                        .utf8(unique("rpi"))
                        .bytes());
                assertEquals("0000", RawFrame.read(socket).hex().substring(0, 4));
                // PUBLISH to a topic of the broker
                socket.send(RawPacket.of(0x32).utf8("$SYS/x").u16(1).u8(0).bytes());
                expectReasonOnlyIf(asked == 1, RawFrame.read(socket), 0x40, 3);
                socket.send(RawPacket.of(0x34).utf8("$SYS/x").u16(2).u8(0).bytes());
                expectReasonOnlyIf(asked == 1, RawFrame.read(socket), 0x50, 3);
                socket.send(RawPacket.of(0x62).u16(3).bytes()); // PUBREL of nothing
                expectReasonOnlyIf(asked == 1, RawFrame.read(socket), 0x70, 3);
                // SUBSCRIBE with too many levels, UNSUBSCRIBE of what is not subscribed
                socket.send(RawPacket.of(0x82)
                        .u16(4)
                        .u8(0)
                        .utf8("a" + "/a".repeat(200))
                        .u8(0)
                        .bytes());
                RawFrame subAck = RawFrame.read(socket);
                assertTrue((subAck.body()[subAck.body().length - 1] & 0xFF) >= 0x80, subAck.toString());
                expectReasonOnlyIf(asked == 1, subAck, 0x90, 2);
                socket.send(RawPacket.of(0xA2).u16(5).u8(0).utf8("none").bytes());
                expectReasonOnlyIf(asked == 1, RawFrame.read(socket), 0xB0, 2);
            }
        }
    }

    private static void expectReasonOnlyIf(boolean asked, RawFrame frame, int first, int at) {
        assertEquals(first, frame.first());
        List<RawFrame.Property> properties = frame.body().length > at ? frame.propertiesAt(at) : List.of();
        assertFalse(!asked && explains(properties), frame.toString());
    }

    @ParameterizedTest
    @ValueSource(ints = {5, 6, 10, 20, 30, 60, 200})
    @Clause(
            v5 = {"MQTT-3.2.2-19", "MQTT-3.2.2-20", "MQTT-3.1.2-24"},
            edge = {"E037"})
    void refusal_staysWithinTheMaximumPacketSize(int maximum, RunningBroker broker) {
        try (MqttSocket socket = broker.socket()) {
            // Unknown authentication method: a fault that is not found before the properties have been read.
            socket.send(RawPacket.connect(
                            MQTT_5,
                            CLEAN,
                            RawPacket.part().u8(0x27).u32(maximum).u8(0x15).utf8("NONE-SUCH"))
                    .utf8(unique("refuse"))
                    .bytes());
            RawFrame connAck = RawFrame.read(socket);
            assertTrue(connAck.hex().startsWith("008c"), connAck.toString());
            assertTrue(connAck.size() <= maximum, connAck.toString());
            Parties.expectEnd(socket);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.2-24"},
            edge = {"E037"})
    void connAckThatDoesNotFit_isNotSent(RunningBroker broker) {
        for (int maximum : new int[] {1, 2, 4, 5, 10, 12}) {
            try (MqttSocket socket = broker.socket()) {
                socket.send(RawPacket.connect(
                                MQTT_5, CLEAN, RawPacket.part().u8(0x27).u32(maximum))
                        .utf8(unique("fit"))
                        .bytes());
                try {
                    RawFrame frame = RawFrame.read(socket);
                    assertTrue(frame.size() <= maximum, maximum + ": " + frame);
                } catch (AssertionError e) {
                    if (!String.valueOf(e.getMessage()).contains("closed")) {
                        throw e;
                    }
                }
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.2-30"},
            edge = {"E019", "E170"})
    void packetsAfterAnUnknownAuthenticationMethod_areNotProcessed(RunningBroker broker) {
        String topic = unique("auth");
        try (MqttSocket subscriber = Parties.subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE);
                MqttSocket socket = broker.socket()) {
            socket.send(RawPacket.part()
                    .bytes(RawPacket.connect(
                                    MQTT_5, CLEAN, RawPacket.part().u8(0x15).utf8("NONE-SUCH"))
                            .utf8(unique("auth"))
                            .bytes())
                    .bytes(RawPacket.of(0x30).utf8(topic).u8(0).bytes())
                    .bytes());
            assertTrue(RawFrame.read(socket).hex().startsWith("008c"));
            Parties.expectEnd(socket);
            Parties.expectNothingOn(broker, subscriber, topic);
        }
    }
}
