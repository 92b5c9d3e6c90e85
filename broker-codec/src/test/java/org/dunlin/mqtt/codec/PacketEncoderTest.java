package org.dunlin.mqtt.codec;

import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.dunlin.mqtt.codec.PacketDecoder.Role.CLIENT;
import static org.dunlin.mqtt.codec.PacketDecoder.Role.SERVER;
import static org.dunlin.mqtt.codec.Packets.aPublish;
import static org.dunlin.mqtt.codec.Packets.hex;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.List;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Auth;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.UnsubAck;
import org.dunlin.mqtt.Unsubscribe;
import org.dunlin.mqtt.UserProperty;
import org.dunlin.mqtt.codec.PacketDecoder.Role;
import org.junit.jupiter.api.Test;

/** What an encoder does beyond the bytes of the table: sizes, problem information, and what older versions cannot say. */
class PacketEncoderTest {
    private static final List<UserProperty> USER = List.of(new UserProperty("key", "value"));

    private final ByteBuf out = Unpooled.buffer();

    private byte[] written(PacketEncoder encoder, Packet packet) {
        out.clear();
        assertTrue(encoder.encode(packet, out));
        return ByteBufUtil.getBytes(out);
    }

    private static ConnAck.Properties explained() {
        return new ConnAck.Properties(
                null, null, null, false, null, null, null, "because", USER, false, false, false, null, null, null, null,
                null);
    }

    /** Each with a Reason String and User Properties, with the Reason String gone, and with nothing that explains. */
    private static List<List<Packet>> explaining() {
        ReasonCode no = ReasonCode.UNSPECIFIED_ERROR;
        List<ReasonCode> codes = List.of(no, no);
        return List.of(
                List.of(
                        new ConnAck(false, no, explained()),
                        new ConnAck(
                                false,
                                no,
                                new ConnAck.Properties(
                                        null, null, null, false, null, null, null, null, USER, false, false, false,
                                        null, null, null, null, null)),
                        new ConnAck(false, no)),
                acks(PacketType.PUBACK, no),
                acks(PacketType.PUBREC, no),
                acks(PacketType.PUBREL, ReasonCode.PACKET_IDENTIFIER_NOT_FOUND),
                acks(PacketType.PUBCOMP, ReasonCode.SUCCESS),
                List.of(new SubAck(1, codes, "because", USER), new SubAck(1, codes, null, USER), new SubAck(1, codes)),
                List.of(
                        new UnsubAck(1, codes, "because", USER),
                        new UnsubAck(1, codes, null, USER),
                        new UnsubAck(1, codes)),
                List.of(
                        new Disconnect(no, null, "because", null, USER),
                        new Disconnect(no, null, null, null, USER),
                        new Disconnect(no)),
                List.of(
                        new Auth(ReasonCode.CONTINUE_AUTHENTICATION, "m", new byte[3], "because", USER),
                        new Auth(ReasonCode.CONTINUE_AUTHENTICATION, "m", new byte[3], null, USER),
                        new Auth(ReasonCode.CONTINUE_AUTHENTICATION, "m", new byte[3])));
    }

    private static List<Packet> acks(PacketType type, ReasonCode reason) {
        return List.of(
                new Ack(type, 1, reason, "because", USER),
                new Ack(type, 1, reason, null, USER),
                new Ack(type, 1, reason));
    }

    /** [MQTT-3.1.2-24] [MQTT-3.2.2-19] [MQTT-3.2.2-20] [MQTT-3.4.2-2] [MQTT-3.4.2-3] and likewise; E037 E112. */
    @Test
    void encode_underEveryMaximum_leavesOutReasonStringThenUserPropertiesThenAll() {
        for (List<Packet> steps : explaining()) {
            byte[] full = written(new PacketEncoder(), steps.get(0));
            byte[] noReason = written(new PacketEncoder(), steps.get(1));
            byte[] bare = written(new PacketEncoder(), steps.get(2));
            for (int maximum = 1; maximum <= full.length + 1; maximum++) {
                PacketEncoder encoder = new PacketEncoder().maximumPacketSize(maximum);
                if (maximum < bare.length) {
                    out.clear();
                    assertFalse(encoder.encode(steps.get(0), out), steps + " in " + maximum);
                    assertEquals(0, out.readableBytes());
                    continue;
                }
                byte[] expected = maximum >= full.length ? full : maximum >= noReason.length ? noReason : bare;
                assertArrayEquals(expected, written(encoder, steps.get(0)), steps + " in " + maximum);
            }
        }
    }

    /** [MQTT-3.1.2-29], E039 */
    @Test
    void encode_withoutProblemInformation_explainsInConnAckAndDisconnectAlone() {
        PacketEncoder encoder = new PacketEncoder().problemInformation(false);
        for (List<Packet> steps : explaining()) {
            PacketType type = steps.get(0).type();
            boolean explains = type == PacketType.CONNACK || type == PacketType.DISCONNECT;
            byte[] expected = written(new PacketEncoder(), steps.get(explains ? 0 : 2));
            assertArrayEquals(expected, written(encoder, steps.get(0)), type.name());
        }
        Publish publish = aPublish("a").user("k", "v").build();
        assertArrayEquals(written(new PacketEncoder(), publish), written(encoder, publish));
    }

    /** What a client says with its User Properties is not thinned out. */
    @Test
    void encode_clientPacketTooLarge_isNotWritten() {
        List<Packet> packets = List.of(
                Connect.builder(MQTT_5, "c").userProperties(USER).build(),
                new Subscribe(1, 0, List.of(new Subscribe.Entry("a", Qos.AT_MOST_ONCE)), USER),
                new Unsubscribe(1, List.of("a"), USER),
                aPublish("a").user("k", "v").build(),
                Ping.REQUEST);
        for (Packet packet : packets) {
            int size = written(new PacketEncoder(CLIENT), packet).length;
            assertEquals(size, written(new PacketEncoder(CLIENT).maximumPacketSize(size), packet).length);
            out.clear();
            assertFalse(new PacketEncoder(CLIENT).maximumPacketSize(size - 1).encode(packet, out));
            assertEquals(0, out.readableBytes());
        }
    }

    /** E181 E183 E184 */
    @Test
    void encode_forV3_saysWhatThereIs() {
        for (ProtocolVersion v3 : List.of(MQTT_3_1, MQTT_3_1_1)) {
            PacketEncoder encoder = new PacketEncoder().version(v3);
            assertArrayEquals(
                    hex("40 02 00 01"),
                    written(
                            encoder,
                            acks(PacketType.PUBACK, ReasonCode.QUOTA_EXCEEDED).get(0)));
            assertArrayEquals(hex("B0 02 00 01"), written(encoder, new UnsubAck(1, List.of(ReasonCode.SUCCESS))));
            assertArrayEquals(
                    hex("90 06 00 01 00 01 80 80"),
                    written(
                            encoder,
                            new SubAck(
                                    1,
                                    List.of(
                                            ReasonCode.SUCCESS,
                                            ReasonCode.GRANTED_QOS_1,
                                            ReasonCode.NOT_AUTHORIZED,
                                            ReasonCode.TOPIC_FILTER_INVALID),
                                    "because",
                                    USER)));
            assertArrayEquals(
                    hex("20 02 00 05"), written(encoder, new ConnAck(true, ReasonCode.NOT_AUTHORIZED, explained())));
            byte[] accepted = written(encoder, new ConnAck(true, ReasonCode.SUCCESS, explained()));
            assertArrayEquals(hex("20 02", v3 == MQTT_3_1 ? "00" : "01", "00"), accepted);
            Publish rich = aPublish("a")
                    .user("k", "v")
                    .expirySeconds(5)
                    .alias(3)
                    .subscriptionIds(7)
                    .payload("p")
                    .build();
            assertArrayEquals(hex("30 04 00 01", "'ap'"), written(encoder, rich));
        }
    }

    @Test
    void encode_whatV3CannotSay_isFalseAndNothing() {
        List<Packet> packets = List.of(
                new Disconnect(ReasonCode.SERVER_SHUTTING_DOWN),
                new Disconnect(ReasonCode.SUCCESS),
                new Auth(ReasonCode.CONTINUE_AUTHENTICATION, "m", null),
                new ConnAck(false, ReasonCode.MALFORMED_PACKET),
                new ConnAck(false, ReasonCode.PACKET_TOO_LARGE));
        for (Packet packet : packets) {
            assertFalse(new PacketEncoder(SERVER).version(MQTT_3_1_1).encode(packet, out), packet.toString());
            assertEquals(0, out.readableBytes());
        }
        assertArrayEquals(hex("E0 00"), written(new PacketEncoder(CLIENT).version(MQTT_3_1_1), packets.get(0)));
    }

    @Test
    void ack_isTheShortestFormOfEncode() {
        for (ProtocolVersion version : ProtocolVersion.values()) {
            PacketEncoder encoder = new PacketEncoder().version(version);
            for (PacketType type :
                    List.of(PacketType.PUBACK, PacketType.PUBREC, PacketType.PUBREL, PacketType.PUBCOMP)) {
                for (ReasonCode reason : ReasonCode.values()) {
                    byte[] expected = written(encoder, new Ack(type, 0xABCD, reason));
                    out.clear();
                    encoder.ack(type, 0xABCD, reason, out);
                    assertArrayEquals(expected, ByteBufUtil.getBytes(out));
                    assertEquals(version == MQTT_5 && reason != ReasonCode.SUCCESS ? 5 : 4, expected.length);
                }
            }
        }
    }

    /** [MQTT-3.14.2-2]; Server Reference is the server's alone. */
    @Test
    void disconnect_hasThePropertiesOfItsSide() {
        Disconnect all = new Disconnect(ReasonCode.SUCCESS, 5L, null, "host", List.of());
        assertArrayEquals(hex("E0 09 00 07 1C 00 04", "'host'"), written(new PacketEncoder(SERVER), all));
        assertArrayEquals(hex("E0 07 00 05 11 00 00 00 05"), written(new PacketEncoder(CLIENT), all));
    }

    /** [MQTT-3.2.2-6] */
    @Test
    void connAck_thatRefuses_neverSaysSessionPresent() {
        assertArrayEquals(
                hex("20 03 00 87 00"), written(new PacketEncoder(), new ConnAck(true, ReasonCode.NOT_AUTHORIZED)));
    }

    /** [MQTT-3.3.1-2] */
    @Test
    void publish_withQos0_neverHasDup() {
        Message message = aPublish("a").message();
        assertArrayEquals(hex("30 04 00 01", "'a'", "00"), written(new PacketEncoder(), new Publish(message, 0, true)));
    }

    /** E114 [MQTT-3.3.2-6] */
    @Test
    void publish_saysWhatIsLeftOfItsExpiry() {
        Publish publish = aPublish("a").expirySeconds(10).build();
        long[][] laterAndLeft = {{0, 10}, {1, 10}, {999, 10}, {1000, 9}, {9000, 1}, {9999, 1}};
        for (long[] row : laterAndLeft) {
            byte[] bytes = written(new PacketEncoder().clock(() -> Packets.NOW + row[0]), publish);
            assertEquals(row[1], bytes[bytes.length - 1], row[0] + " ms later");
        }
    }

    @Test
    void encode_tooLongAString_failsAndWritesNothing() {
        String tooLong = "é".repeat(32_768);
        List<Packet> packets = List.of(
                new Disconnect(ReasonCode.SUCCESS, tooLong),
                Connect.builder(MQTT_5, tooLong).build(),
                Connect.builder(MQTT_3_1_1, "c")
                        .userName("u")
                        .password(new byte[65_536])
                        .build(),
                new Subscribe(1, 0, List.of(new Subscribe.Entry(tooLong, Qos.AT_MOST_ONCE)), List.of()),
                new Unsubscribe(1, List.of("a", tooLong), List.of()));
        for (Packet packet : packets) {
            out.clear();
            assertThrows(
                    IllegalArgumentException.class,
                    () -> new PacketEncoder().encode(packet, out),
                    packet.type().name());
            assertEquals(0, out.readableBytes());
        }
    }

    /** [MQTT-1.5.4-1] */
    @Test
    void encode_loneSurrogate_leavesAsAQuestionMark() {
        byte[] bytes = written(new PacketEncoder(), new Disconnect(ReasonCode.SUCCESS, "a\uD800b"));
        assertArrayEquals(hex("E0 08 00 06 1F 00 03", "'a?b'"), bytes);
    }

    @Test
    void encode_manyUserProperties_takesALongerLength() {
        for (int length : new int[] {118, 119, 120, 121, 122, 123, 124, 16_000, 60_000}) {
            Role sender = CLIENT;
            Unsubscribe packet = new Unsubscribe(1, List.of("a"), List.of(new UserProperty("k", "v".repeat(length))));
            byte[] bytes = Packets.bytes(sender, MQTT_5, packet);
            assertEquals(List.of(packet), Packets.decode(Packets.decoder(SERVER, MQTT_5), bytes));
        }
    }
}
