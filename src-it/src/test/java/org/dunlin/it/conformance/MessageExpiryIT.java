package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.client;
import static org.dunlin.it.conformance.Parties.pass;
import static org.dunlin.it.conformance.Parties.unique;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.Test;

/** Message Expiry Interval: 3.3.2.3.3 of v5. One wait of two seconds serves all who wait. */
@Broker
class MessageExpiryIT {
    private static byte[] publish(int first, String topic, int id, long expiry, String payload) {
        return RawPacket.of(first)
                .utf8(topic)
                .u16(id)
                .properties(RawPacket.part().u8(0x02).u32(expiry))
                .bytes(payload.getBytes(java.nio.charset.StandardCharsets.UTF_8))
                .bytes();
    }

    private static long expiryOf(RawFrame.Publish publish) {
        RawFrame.Property found = publish.property(0x02);
        return found == null ? -1 : found.number();
    }

    private static Connect lasting(String id) {
        return Connect.builder(MQTT_5, id)
                .cleanStart(false)
                .sessionExpirySeconds(60)
                .receiveMaximum(1)
                .build();
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.3.2-5", "MQTT-3.3.2-6"},
            edge = {"E129", "E181"})
    void waitingMessages_loseTheTimeTheyWaitAndExpire(RunningBroker broker) {
        String topic = unique("expiry");
        Connect offline = lasting(unique("expiry"));
        Connect older =
                Connect.builder(MQTT_3_1_1, unique("expiry")).cleanStart(false).build();
        for (Connect connect : new Connect[] {offline, older}) {
            try (MqttSocket socket = broker.socket()) {
                socket.connect(connect);
                socket.subscribe(topic + "/#", Qos.AT_LEAST_ONCE);
                socket.disconnect();
            }
        }
        try (MqttSocket publisher = client(broker, MQTT_5);
                MqttSocket full = broker.socket()) {
            full.connect(lasting(unique("expiry")));
            full.subscribe(topic + "/#", Qos.AT_LEAST_ONCE);
            publisher.publish(topic + "/open", "open", Qos.AT_LEAST_ONCE);
            int open = full.receive(Publish.class).packetId(); // and its window is full
            publisher.send(publish(0x33, topic + "/short", 1, 1, "short"));
            publisher.send(publish(0x33, topic + "/long", 2, 100, "long"));
            publisher.send(publish(0x32, topic + "/longest", 3, 0xFFFF_FFFFL, "longest"));
            for (int i = 0; i < 3; i++) {
                assertEquals(0x40, RawFrame.read(publisher).first());
            }
            pass(2_100);
            full.send(new Ack(PacketType.PUBACK, open));
            expectWaited(full, topic);
            try (MqttSocket socket = broker.socket()) {
                socket.connect(offline);
                RawFrame.Publish first = RawFrame.read(socket).publish(MQTT_5);
                assertEquals("open", first.payload());
                assertEquals(-1, expiryOf(first)); // none came in, none goes out
                socket.send(new Ack(PacketType.PUBACK, first.packetId()));
                expectWaited(socket, topic);
            }
            try (MqttSocket socket = broker.socket()) {
                socket.connect(older);
                for (String name : new String[] {"open", "long", "longest"}) {
                    socket.expectPublish(topic + "/" + name, name);
                }
                socket.expectNothing();
            }
            try (MqttSocket socket = client(broker, MQTT_5)) { // the retained ones
                socket.subscribe(topic + "/short", Qos.AT_LEAST_ONCE);
                socket.expectNothing();
                socket.subscribe(topic + "/long", Qos.AT_MOST_ONCE);
                RawFrame.Publish retained = RawFrame.read(socket).publish(MQTT_5);
                assertTrue(retained.retain());
                assertWaited(expiryOf(retained), 100);
            }
        }
    }

    private static void expectWaited(MqttSocket socket, String topic) {
        for (String name : new String[] {"long", "longest"}) {
            RawFrame.Publish publish = RawFrame.read(socket).publish(MQTT_5);
            assertEquals(topic + "/" + name, publish.topic());
            assertWaited(expiryOf(publish), name.equals("long") ? 100 : 0xFFFF_FFFFL);
            socket.send(new Ack(PacketType.PUBACK, publish.packetId()));
        }
        socket.expectNothing();
    }

    /** Two seconds and some have gone. */
    private static void assertWaited(long left, long set) {
        assertTrue(left <= set - 2 && left >= set - 30, "left " + left + " of " + set);
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.3.2-6"},
            edge = {"E114", "E116"})
    void messagesThatDoNotWait_keepTheirInterval(RunningBroker broker) {
        String topic = unique("expiry");
        try (MqttSocket subscriber = Parties.subscriber(broker, MQTT_5, topic, Qos.AT_MOST_ONCE);
                MqttSocket publisher = client(broker, MQTT_5)) {
            for (long expiry : new long[] {5, 60, 0x7FFF_FFFFL, 0x8000_0000L, 0xFFFF_FFFFL}) {
                publisher.send(publish(0x32, topic, 1, expiry, "x"));
                assertEquals(0x40, RawFrame.read(publisher).first());
                long left = expiryOf(RawFrame.read(subscriber).publish(MQTT_5));
                assertTrue(left == expiry || left == expiry - 1, "left " + left + " of " + expiry);
                assertTrue(left > 0);
            }
            publisher.publish(topic, "none", Qos.AT_MOST_ONCE);
            assertEquals(-1, expiryOf(RawFrame.read(subscriber).publish(MQTT_5)));
        }
    }
}
