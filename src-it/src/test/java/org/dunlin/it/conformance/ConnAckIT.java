package org.dunlin.it.conformance;

import static org.dunlin.it.conformance.Parties.client;
import static org.dunlin.it.conformance.Parties.unique;
import static org.dunlin.it.conformance.RawPacket.CLEAN;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import org.dunlin.it.Broker;
import org.dunlin.it.Clause;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the broker answers to a CONNECT it accepts: chapter 3.2. */
@Broker
class ConnAckIT {
    private static RawFrame connAck(RunningBroker broker, int flags, String properties, String id) {
        try (MqttSocket socket = broker.socket()) {
            socket.send(RawPacket.connect(MQTT_5, flags, RawPacket.part().hex(properties))
                    .utf8(id)
                    .bytes());
            RawFrame frame = RawFrame.read(socket);
            socket.sendHex("E0 00");
            Parties.expectEnd(socket);
            return frame;
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_3_1", "MQTT_3_1_1"})
    @Clause(
            v3 = {"MQTT-3.1.4-4", "MQTT-3.2.0-1", "MQTT-3.2.2-1", "MQTT-3.2.2-2", "MQTT-3.2.2-3"},
            edge = {"E027", "E033", "E184"})
    void connAckOf3_isFourBytes(ProtocolVersion version, RunningBroker broker) {
        String id = unique("four");
        String present = version == MQTT_3_1 ? "00" : "01"; // 3.1 has no such flag
        String[][] steps = {
            {"00", "00"}, // clean session 0, nothing stored
            {"00", present}, // clean session 0, stored
            {"02", "00"}, // clean session 1, stored
            {"00", "00"}, // clean session 0, ended with the connection before
        };
        for (String[] step : steps) {
            try (MqttSocket socket = broker.socket()) {
                socket.send(RawPacket.connect(version, Integer.parseInt(step[0], 16))
                        .utf8(id)
                        .bytes());
                RawFrame frame = RawFrame.read(socket);
                assertEquals("packet 20 " + step[1] + "00", frame.toString());
                assertEquals(4, frame.size());
                socket.sendHex("E0 00");
                Parties.expectEnd(socket);
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.2.2-1", "MQTT-3.2.2-2", "MQTT-3.2.2-3", "MQTT-3.1.4-5", "MQTT-3.1.2-23"},
            edge = {"E027"})
    void sessionPresent_isSetExactlyWhenAStoredSessionIsResumed(RunningBroker broker) {
        String id = unique("present");
        String stays = "11 0000003C"; // Session Expiry Interval 60
        assertEquals("0000", connAck(broker, 0, stays, id).hex().substring(0, 4)); // a new one
        assertEquals("0100", connAck(broker, 0, stays, id).hex().substring(0, 4)); // stored, though empty
        assertEquals("0000", connAck(broker, CLEAN, stays, id).hex().substring(0, 4)); // thrown away
        assertEquals("0100", connAck(broker, 0, "11 00000000", id).hex().substring(0, 4)); // ends with this connection
        assertEquals("0000", connAck(broker, 0, "", id).hex().substring(0, 4)); // so does this
        assertEquals("0000", connAck(broker, 0, "", id).hex().substring(0, 4));
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.2.2-9", "MQTT-3.2.2-22", "MQTT-3.1.2-28"},
            edge = {"E034", "E038"})
    void connAck_announcesOnlyWhatDiffersFromTheStandard(RunningBroker broker) {
        RawFrame frame = connAck(broker, CLEAN, "11 0000003C", unique("plain"));
        Set<Integer> deviations = Set.of(0x13, 0x21, 0x22, 0x27);
        for (RawFrame.Property property : frame.propertiesAt(2)) {
            assertTrue(deviations.contains(property.id()), property.toString());
        }
        // The defaults of the product: receive maximum 1024, 64 aliases, 10 MB, keep alive of at most an hour.
        assertEquals(1024, number(frame, 0x21));
        assertEquals(64, number(frame, 0x22));
        assertEquals(10 * 1024 * 1024, number(frame, 0x27));
        assertEquals(3600, number(frame, 0x13));
    }

    private static long number(RawFrame frame, int id) {
        RawFrame.Property property = RawFrame.find(frame.propertiesAt(2), id);
        return property == null ? -1 : property.number();
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.2.2-22"},
            edge = {"E034", "E035"})
    void serverKeepAlive_isAnnouncedOnlyIfItDiffers(RunningBroker broker) {
        for (int asked : new int[] {1, 60, 3600, 3601, 65_535, 0}) {
            try (MqttSocket socket = broker.socket()) {
                Integer announced = socket.connect(Connect.builder(MQTT_5, unique("ka"))
                                .keepAliveSeconds(asked)
                                .build())
                        .properties()
                        .serverKeepAliveSeconds();
                assertEquals(asked == 0 || asked > 3600 ? Integer.valueOf(3600) : null, announced, "asked " + asked);
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.2-23"},
            edge = {"E034", "E036", "E057"})
    void sessionExpiry_isAnnouncedOnlyIfItIsCapped(RunningBroker broker) {
        long week = 7 * 24 * 3600;
        for (long asked : new long[] {0, 60, week, week + 1, 0xFFFF_FFFFL}) {
            String id = unique("exp");
            try (MqttSocket socket = broker.socket()) {
                Connect connect = Connect.builder(MQTT_5, id)
                        .cleanStart(false)
                        .sessionExpirySeconds(asked)
                        .build();
                Long announced = socket.connect(connect).properties().sessionExpirySeconds();
                assertEquals(asked > week ? Long.valueOf(week) : null, announced, "asked " + asked);
                socket.disconnect();
                try (MqttSocket again = broker.socket()) {
                    // Nothing overflows: even the longest one still lasts.
                    assertEquals(asked > 0, again.connect(connect).sessionPresent());
                }
            }
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-3.1.2-28"},
            edge = {"E038"})
    void responseInformation_isNotGivenUnlessAskedFor(RunningBroker broker) {
        for (String properties : new String[] {"", "19 00"}) {
            RawFrame frame = connAck(broker, CLEAN, properties, unique("ri"));
            assertEquals(null, RawFrame.find(frame.propertiesAt(2), 0x1A));
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    @Clause(
            v5 = {"MQTT-3.2.0-1", "MQTT-3.2.0-2", "MQTT-3.1.2-5"},
            v3 = {"MQTT-3.2.0-1", "MQTT-3.1.2-4", "MQTT-3.1.2-5"},
            edge = {"E019"})
    void connAck_comesBeforeEverythingElse(ProtocolVersion version, RunningBroker broker) {
        String topic = unique("first");
        Connect connect = Connect.builder(version, unique("first"))
                .cleanStart(false)
                .sessionExpirySeconds(60)
                .build();
        try (MqttSocket socket = broker.socket()) {
            socket.connect(connect);
            socket.subscribe(topic, Qos.AT_LEAST_ONCE);
            socket.disconnect();
        }
        try (MqttSocket publisher = client(broker, version)) {
            for (int i = 0; i < 20; i++) {
                publisher.publish(topic, "m" + i, Qos.AT_LEAST_ONCE);
            }
        }
        try (MqttSocket socket = broker.socket().speak(version)) {
            socket.send(RawPacket.part()
                    .bytes(socket.bytes(connect))
                    .bytes(RawPacket.of(0x82)
                            .u16(5)
                            .properties(version, RawPacket.part())
                            .utf8(topic + "/x")
                            .u8(0)
                            .bytes())
                    .hex("C0 00")
                    .bytes());
            assertEquals(2, RawFrame.read(socket).type());
            int publishes = 0;
            boolean subAck = false;
            boolean pingResp = false;
            for (int i = 0; i < 22; i++) {
                RawFrame frame = RawFrame.read(socket);
                switch (frame.type()) {
                    case 3 ->
                        assertEquals("m" + publishes++, frame.publish(version).payload());
                    case 9 -> subAck = true;
                    case 13 -> pingResp = true;
                    default -> throw new AssertionError(frame);
                }
            }
            assertTrue(publishes == 20 && subAck && pingResp);
            socket.sendHex("E0 00");
        }
    }
}
