package org.dunlin.mqtt.codec;

import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_3_1_1;
import static org.dunlin.mqtt.ProtocolVersion.MQTT_5;
import static org.dunlin.mqtt.codec.PacketDecoder.Role.CLIENT;
import static org.dunlin.mqtt.codec.PacketDecoder.Role.SERVER;
import static org.dunlin.mqtt.codec.Packets.aPublish;
import static org.dunlin.mqtt.codec.Packets.frame;
import static org.dunlin.mqtt.codec.Packets.hex;
import static org.dunlin.mqtt.codec.Packets.join;
import static org.dunlin.mqtt.codec.Packets.text;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Ingress;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.codec.PacketDecoder.Role;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What a decoder knows beyond the single packet: moment, version, limits, aliases, topics. */
class PacketDecoderTest {
    private static final byte[] CONNECT_5 = hex("10 0D 00 04", "'MQTT'", "05 02 00 00 00 00 00");

    private static ReasonCode reasonOf(PacketDecoder decoder, byte[] bytes) {
        return assertThrows(ProtocolError.class, () -> decoder.decode(Unpooled.wrappedBuffer(bytes)))
                .reason();
    }

    private static Publish publish(PacketDecoder decoder, byte[] bytes) {
        return (Publish) Packets.decode(decoder, bytes).get(0);
    }

    /** All 256 first bytes in every state, against the table of flags written down again. */
    @Test
    void decode_everyFirstByte_isJudgedAtOnce() {
        List<ProtocolVersion> versions = List.of(ProtocolVersion.values());
        for (Role us : Role.values()) {
            for (int state = us == CLIENT ? 1 : 0; state <= 3; state++) {
                ProtocolVersion version = state == 0 ? null : versions.get(state - 1);
                for (int first = 0; first < 256; first++) {
                    PacketDecoder decoder = version == null ? new PacketDecoder(SERVER) : Packets.decoder(us, version);
                    ByteBuf in = Unpooled.wrappedBuffer(new byte[] {(byte) first});
                    ReasonCode reason = null;
                    try {
                        assertNull(decoder.decode(in));
                    } catch (ProtocolError error) {
                        reason = error.reason();
                    }
                    assertEquals(
                            expected(first, us, version),
                            reason,
                            us + " " + version + " " + Integer.toHexString(first));
                }
            }
        }
    }

    private static @Nullable ReasonCode expected(int first, Role us, @Nullable ProtocolVersion version) {
        int type = first >> 4;
        int flags = first & 15;
        List<Integer> toServer = List.of(1, 3, 4, 5, 6, 7, 8, 10, 12, 14, 15);
        List<Integer> toClient = List.of(2, 3, 4, 5, 6, 7, 9, 11, 13, 14, 15);
        if (type == 0) {
            return ReasonCode.MALFORMED_PACKET;
        }
        boolean wrongWay = !(us == SERVER ? toServer : toClient).contains(type);
        boolean wrongMoment = (version == null) != (type == 1);
        boolean notInV3 = version != MQTT_5 && (type == 15 || type == 14 && us == CLIENT);
        if (wrongWay || wrongMoment || notInV3) {
            return ReasonCode.PROTOCOL_ERROR;
        }
        boolean repeat = version == MQTT_3_1;
        boolean good = switch (type) {
            case 3 -> List.of(0, 1, 2, 3, 4, 5, 10, 11, 12, 13).contains(flags) || repeat && (flags == 8 || flags == 9);
            case 6, 8, 10 -> flags == 2 || repeat && flags == 10;
            default -> flags == 0;
        };
        return good ? null : ReasonCode.MALFORMED_PACKET;
    }

    @Test
    void version_ofConnect_isKnownEvenIfTheRestIsBad() {
        Object[][] rows = {
            {"00 04 4D 51 54 54 05 01", MQTT_5, ReasonCode.MALFORMED_PACKET},
            {"00 04 4D 51 54 54 04 01", MQTT_3_1_1, ReasonCode.MALFORMED_PACKET},
            {"00 06 4D 51 49 73 64 70 03", MQTT_3_1, ReasonCode.MALFORMED_PACKET},
            {"00 04 4D 51 54 54 06 00", MQTT_5, ReasonCode.UNSUPPORTED_PROTOCOL_VERSION},
            {"00 04 4D 51 54 54 FF 00", MQTT_5, ReasonCode.UNSUPPORTED_PROTOCOL_VERSION},
            {"00 04 4D 51 54 54 85 00", MQTT_5, ReasonCode.UNSUPPORTED_PROTOCOL_VERSION},
            {"00 04 4D 51 54 54 03 00", MQTT_3_1_1, ReasonCode.UNSUPPORTED_PROTOCOL_VERSION},
            {"00 04 4D 51 54 54 00 00", MQTT_3_1_1, ReasonCode.UNSUPPORTED_PROTOCOL_VERSION},
            {"00 06 4D 51 49 73 64 70 04", MQTT_3_1, ReasonCode.UNSUPPORTED_PROTOCOL_VERSION},
            {"00 04 48 54 54 50 05 00", null, ReasonCode.UNSUPPORTED_PROTOCOL_VERSION},
            {"00 04 4D 51 54 54", null, ReasonCode.MALFORMED_PACKET},
            {"00 FF 4D", null, ReasonCode.MALFORMED_PACKET},
        };
        for (Object[] row : rows) {
            PacketDecoder decoder = new PacketDecoder(SERVER);
            assertNull(decoder.version());
            assertEquals(row[2], reasonOf(decoder, frame(0x10, hex((String) row[0]))), (String) row[0]);
            assertEquals(row[1], decoder.version(), (String) row[0]);
        }
    }

    @Test
    void version_ofConnectTooLarge_isKnownIfItsBytesAreThere() {
        PacketDecoder whole = new PacketDecoder(SERVER).maximumPacketSize(12);
        assertEquals(ReasonCode.PACKET_TOO_LARGE, reasonOf(whole, CONNECT_5));
        assertEquals(MQTT_5, whole.version());
        PacketDecoder header = new PacketDecoder(SERVER).maximumPacketSize(12);
        assertEquals(ReasonCode.PACKET_TOO_LARGE, reasonOf(header, hex("10 0D")));
        assertNull(header.version());
        PacketDecoder foreign = new PacketDecoder(SERVER).maximumPacketSize(12);
        assertEquals(ReasonCode.PACKET_TOO_LARGE, reasonOf(foreign, hex("10 0D 00 04", "'HTTP'")));
        assertNull(foreign.version());
    }

    @Test
    void decode_connectThenPackets_speaksItsVersion() {
        PacketDecoder decoder = new PacketDecoder(SERVER);
        byte[] rest = hex("30 05 00 01", "'a'", "00", "'p'", "C0 00 E0 01 04");
        List<Packet> packets = Packets.decode(decoder, join(CONNECT_5, rest));
        assertEquals(
                List.of(PacketType.CONNECT, PacketType.PUBLISH, PacketType.PINGREQ, PacketType.DISCONNECT),
                packets.stream().map(Packet::type).toList());
        assertEquals(MQTT_5, decoder.version());
        assertArrayEquals(hex("'p'"), ((Publish) packets.get(1)).message().payload());
        assertEquals(new Disconnect(ReasonCode.DISCONNECT_WITH_WILL), packets.get(3));
    }

    /** E018, also after the first CONNECT was taken; the error stays. */
    @Test
    void decode_secondConnect_failsForGood() {
        PacketDecoder decoder = new PacketDecoder(SERVER);
        ByteBuf in = Unpooled.wrappedBuffer(join(CONNECT_5, CONNECT_5, hex("C0 00")));
        assertNotNull(decoder.decode(in));
        ProtocolError error = assertThrows(ProtocolError.class, () -> decoder.decode(in));
        assertEquals(ReasonCode.PROTOCOL_ERROR, error.reason());
        in.readerIndex(in.writerIndex() - 2);
        assertSame(error, assertThrows(ProtocolError.class, () -> decoder.decode(in)));
    }

    /** E004: the limit counts the whole packet and is held by the header alone. */
    @Test
    void decode_atTheMaximum_isTakenAndOneMoreIsNot() {
        byte[] fits = frame(0x30, join(hex("00 01", "'a'"), new byte[124]));
        assertEquals(129, fits.length);
        byte[] larger = frame(0x30, join(hex("00 01", "'a'"), new byte[125]));
        assertEquals(131, larger.length);
        for (int maximum = 128; maximum < 132; maximum++) {
            for (byte[] bytes : List.of(fits, larger)) {
                PacketDecoder decoder = Packets.decoder(SERVER, MQTT_3_1_1).maximumPacketSize(maximum);
                if (bytes.length <= maximum) {
                    assertEquals(1, Packets.decode(decoder, bytes).size());
                } else {
                    byte[] header = Arrays.copyOf(bytes, bytes.length > 129 ? 3 : 2);
                    assertEquals(ReasonCode.PACKET_TOO_LARGE, reasonOf(decoder, header));
                }
            }
        }
    }

    @Test
    void decode_beforeConnect_takesNoMoreThan64KiB() {
        byte[] user = join(hex("26 00 01", "'k'"), text("v".repeat(65_400)));
        byte[] head = hex("00 04", "'MQTT'", "05 02 00 00");
        ByteBuf length = Unpooled.buffer();
        Wire.writeVbi(length, user.length);
        byte[] vbi = io.netty.buffer.ByteBufUtil.getBytes(length);
        byte[] bytes = frame(0x10, join(head, vbi, user, text("c")));
        assertTrue(bytes.length <= PacketDecoder.MAXIMUM_BEFORE_CONNECT);
        assertEquals(1, Packets.decode(new PacketDecoder(SERVER), bytes).size());
        byte[] larger = frame(0x10, join(head, vbi, user, text("c".repeat(200))));
        assertEquals(ReasonCode.PACKET_TOO_LARGE, reasonOf(new PacketDecoder(SERVER), larger));
    }

    /** E080 E081 */
    @Test
    void topicAlias_setUsedAndSetAnew_standsForTheLatestName() {
        PacketDecoder decoder = Packets.decoder(SERVER, MQTT_5).topicAliasMaximum(300);
        byte[] use = hex("30 06 00 00 03 23 00 05");
        Publish set = publish(
                decoder, Packets.bytes(CLIENT, MQTT_5, aPublish("a").alias(5).build()));
        assertEquals(5, set.topicAlias());
        Publish used = publish(decoder, use);
        assertSame(set.message().topic(), used.message().topic());
        assertEquals(5, used.topicAlias());
        publish(decoder, Packets.bytes(CLIENT, MQTT_5, aPublish("b").alias(5).build()));
        publish(decoder, Packets.bytes(CLIENT, MQTT_5, aPublish("c").alias(300).build()));
        publish(decoder, Packets.bytes(CLIENT, MQTT_5, aPublish("d").alias(299).build()));
        assertEquals("b", publish(decoder, use).message().topic().text());
        assertEquals(
                "c",
                publish(decoder, hex("30 06 00 00 03 23 01 2C"))
                        .message()
                        .topic()
                        .text());
        assertEquals(ReasonCode.PROTOCOL_ERROR, reasonOf(decoder, hex("30 06 00 00 03 23 00 06")));
    }

    /** [MQTT-3.3.2-12] */
    @Test
    void topicAlias_everyOneUpToTheMaximum_isTaken() {
        PacketDecoder decoder = Packets.decoder(SERVER, MQTT_5).topicAliasMaximum(65_535);
        for (int alias = 1; alias <= 65_535; alias += alias < 600 ? 1 : 977) {
            publish(
                    decoder,
                    Packets.bytes(
                            CLIENT, MQTT_5, aPublish("t/" + alias).alias(alias).build()));
        }
        for (int alias = 1; alias <= 65_535; alias += alias < 600 ? 1 : 977) {
            byte[] use = frame(0x30, hex("00 00 03 23", String.format("%04X", alias)));
            assertEquals("t/" + alias, publish(decoder, use).message().topic().text());
        }
    }

    /** What aliases stand for is kept as long as the connection lives, charged to no queue. */
    @Test
    void topicAlias_namesBeyondTheirBytes_exceedTheQuota() {
        PacketDecoder decoder = Packets.decoder(SERVER, MQTT_5); // ten aliases
        String longest = "x".repeat(65_535);
        for (int i = 0; i < 20; i++) { // setting one anew is charged once
            Packets.decode(
                    decoder,
                    Packets.bytes(
                            CLIENT, MQTT_5, aPublish(longest).alias(1 + i % 4).build()));
        }
        Packets.decode(
                decoder, Packets.bytes(CLIENT, MQTT_5, aPublish("abcd").alias(5).build()));
        byte[] more = Packets.bytes(CLIENT, MQTT_5, aPublish("e").alias(6).build());
        assertEquals(ReasonCode.QUOTA_EXCEEDED, reasonOf(decoder, more));
    }

    /** Every alias may stand for a name of 1,024 bytes. */
    @Test
    void topicAlias_manyLongNames_fit() {
        PacketDecoder decoder = Packets.decoder(SERVER, MQTT_5).topicAliasMaximum(1000);
        for (int alias = 1; alias <= 1000; alias++) {
            String name = String.format("%04d", alias) + "x".repeat(1020);
            Packets.decode(
                    decoder,
                    Packets.bytes(CLIENT, MQTT_5, aPublish(name).alias(alias).build()));
        }
        byte[] more = Packets.bytes(
                CLIENT, MQTT_5, aPublish("x".repeat(1025)).alias(1).build());
        assertEquals(ReasonCode.QUOTA_EXCEEDED, reasonOf(decoder, more));
    }

    @Test
    void topicAlias_withoutMaximum_isInvalid() {
        PacketDecoder decoder = Packets.decoder(SERVER, MQTT_5).topicAliasMaximum(0);
        assertEquals(ReasonCode.TOPIC_ALIAS_INVALID, reasonOf(decoder, hex("30 07 00 01 61 03 23 00 01")));
    }

    @Test
    void topic_thatRepeats_isTheSameObject() {
        PacketDecoder decoder = Packets.decoder(SERVER, MQTT_3_1_1);
        byte[] one = Packets.bytes(CLIENT, MQTT_3_1_1, aPublish("sensor/1/é").build());
        byte[] two = Packets.bytes(CLIENT, MQTT_3_1_1, aPublish("sensor/2/é").build());
        TopicName first = publish(decoder, one).message().topic();
        assertSame(first, publish(decoder, one).message().topic());
        TopicName second = publish(decoder, two).message().topic();
        assertSame(second, publish(decoder, two).message().topic());
        assertEquals("sensor/2/é", second.text());
        assertArrayEquals("sensor/2/é".getBytes(java.nio.charset.StandardCharsets.UTF_8), second.utf8());
    }

    /**
     * Names of one length that differ in the middle alone share no place, or the cache would be of no use to
     * gateways.
     */
    @Test
    void topic_fewInTurns_areMostlyTheSameObjects() {
        for (String form : List.of("site/room/%d/temperature", "sensor/room/%d/temperature", "d%d/state", "%d")) {
            PacketDecoder decoder = Packets.decoder(SERVER, MQTT_3_1_1);
            Set<TopicName> seen = Collections.newSetFromMap(new IdentityHashMap<>());
            for (int turn = 0; turn < 400; turn++) {
                String topic = String.format(form, turn % 4);
                byte[] bytes = Packets.bytes(CLIENT, MQTT_3_1_1, aPublish(topic).build());
                seen.add(publish(decoder, bytes).message().topic());
            }
            assertTrue(seen.size() < 10, () -> seen.size() + " objects for 4 topics of " + form);
        }
    }

    /** Names that share length, beginning or end are told apart, remembered or not. */
    @Test
    void topic_manyAlike_eachIsItself() {
        PacketDecoder decoder = Packets.decoder(SERVER, MQTT_3_1_1);
        String long256 = "x".repeat(255);
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 50; i++) {
                for (String topic : List.of(
                        "a" + i, i + "/temperature/celsius", "t/" + i + "/value", long256 + i, i + long256, "b")) {
                    byte[] bytes =
                            Packets.bytes(CLIENT, MQTT_3_1_1, aPublish(topic).build());
                    assertEquals(
                            topic, publish(decoder, bytes).message().topic().text());
                }
            }
        }
    }

    @Test
    void userProperties_beyondTheMaximum_exceedTheQuota() {
        byte[] three = hex("26 00 00 00 00 26 00 00 00 00 26 00 00 00 00");
        byte[] publish = frame(0x30, join(hex("00 01", "'a'", "0F"), three));
        assertEquals(
                1,
                Packets.decode(Packets.decoder(SERVER, MQTT_5).maximumUserProperties(3), publish)
                        .size());
        PacketDecoder two = Packets.decoder(SERVER, MQTT_5).maximumUserProperties(2);
        assertEquals(ReasonCode.QUOTA_EXCEEDED, reasonOf(two, publish));
        byte[] connect = frame(
                0x10,
                join(
                        hex("00 04", "'MQTT'", "05 06 00 00 0F"),
                        three,
                        hex("00 00 0F"),
                        three,
                        hex("00 01", "'w'", "00 00")));
        assertEquals(ReasonCode.QUOTA_EXCEEDED, reasonOf(new PacketDecoder(SERVER).maximumUserProperties(5), connect));
        PacketDecoder six = new PacketDecoder(SERVER).maximumUserProperties(6);
        assertEquals(1, Packets.decode(six, connect).size());
        byte[] again = frame(0x30, join(hex("00 01", "'a'", "0F"), three));
        assertEquals(1, Packets.decode(six, again).size());
    }

    /** A filter of four bytes on the wire takes some eighty as an object. */
    @Test
    void topicFilters_beyondTheMaximum_exceedTheQuota() {
        for (ProtocolVersion version : ProtocolVersion.values()) {
            byte[] head = hex(version.isV5() ? "00 01 00" : "00 01");
            byte[] subscribe = frame(0x82, join(head, hex("00 01", "'a'", "00 00 01", "'a'", "01 00 01", "'b'", "02")));
            byte[] unsubscribe = frame(0xA2, join(head, hex("00 01", "'a'", "00 01", "'a'", "00 01", "'b'")));
            for (byte[] packet : List.of(subscribe, unsubscribe)) {
                PacketDecoder three = Packets.decoder(SERVER, version).maximumTopicFilters(3);
                assertEquals(2, Packets.decode(three, join(packet, packet)).size());
                PacketDecoder two = Packets.decoder(SERVER, version).maximumTopicFilters(2);
                assertEquals(ReasonCode.QUOTA_EXCEEDED, reasonOf(two, packet));
            }
        }
    }

    @Test
    void publish_getsIdentityPublisherAndDeadlineFromIngress() {
        int[] asked = new int[3];
        Ingress ingress = new Ingress() {
            @Override
            public String publisher() {
                asked[0]++;
                return "client-7";
            }

            @Override
            public long nextMessageId() {
                return 40 + ++asked[1];
            }

            @Override
            public long nowMillis() {
                asked[2]++;
                return 5_000;
            }
        };
        PacketDecoder decoder = Packets.decoder(SERVER, MQTT_5).ingress(ingress);
        Message plain = publish(decoder, hex("30 04 00 01 61 00")).message();
        assertEquals(41, plain.id());
        assertEquals("client-7", plain.publisher());
        assertEquals(Message.NEVER, plain.expiresAtMillis());
        Message mortal =
                publish(decoder, hex("30 09 00 01 61 05 02 00 00 00 0A")).message();
        assertEquals(42, mortal.id());
        assertEquals(15_000, mortal.expiresAtMillis());
        assertEquals(2, asked[0]);
        assertEquals(2, asked[1]);
        assertTrue(asked[2] <= 2);
    }

    /** E050 E051 */
    @Test
    void disconnect_thatProlongsASessionOfNoLength_isAnError() {
        byte[] prolong = hex("E0 07 00 05 11 00 00 00 01");
        byte[] end = hex("E0 07 00 05 11 00 00 00 00");
        byte[] connectWith10 = hex("10 12 00 04", "'MQTT'", "05 02 00 00 05 11 00 00 00 0A 00 00");
        PacketDecoder none = new PacketDecoder(SERVER);
        Packets.decode(none, CONNECT_5);
        assertEquals(ReasonCode.PROTOCOL_ERROR, reasonOf(none, prolong));
        assertEquals(
                2,
                Packets.decode(new PacketDecoder(SERVER), join(CONNECT_5, end)).size());
        assertEquals(
                2,
                Packets.decode(new PacketDecoder(SERVER), join(connectWith10, prolong))
                        .size());
        assertEquals(
                2,
                Packets.decode(new PacketDecoder(SERVER), join(connectWith10, end))
                        .size());
    }

    @Test
    void decode_keepsNothingOfTheBuffer() {
        PacketDecoder decoder = new PacketDecoder(SERVER);
        ByteBuf in = Unpooled.directBuffer();
        byte[] will = hex(
                "00 04", "'MQTT'", "05 46 00 00 00 00 01", "'c'", "00 00 01", "'w'", "00 01", "'p'", "00 01", "'s'");
        in.writeBytes(frame(0x10, will)).writeBytes(hex("30 0B 00 01", "'a'", "06 09 00 03", "'abc'", "'p'"));
        Connect connect = (Connect) decoder.decode(in);
        Publish publish = (Publish) decoder.decode(in);
        assertEquals(1, in.refCnt());
        in.setZero(0, in.writerIndex());
        assertTrue(in.release());
        assertNotNull(connect);
        assertNotNull(publish);
        assertArrayEquals(hex("'s'"), connect.password());
        assertNotNull(connect.will());
        assertArrayEquals(hex("'p'"), connect.will().payload());
        assertArrayEquals(hex("'p'"), publish.message().payload());
        assertArrayEquals(hex("09 00 03", "'abc'"), publish.message().properties());
        assertEquals("a", publish.message().topic().text());
    }

    @Test
    void decode_noPropertiesAndNoPayload_shareOneEmptyArray() {
        Message message = publish(Packets.decoder(SERVER, MQTT_5), hex("30 04 00 01 61 00"))
                .message();
        assertSame(Message.NO_BYTES, message.payload());
        assertSame(Message.NO_BYTES, message.properties());
    }
}
