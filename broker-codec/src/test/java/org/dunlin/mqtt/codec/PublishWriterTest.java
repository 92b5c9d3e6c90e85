package org.dunlin.mqtt.codec;

import static org.dunlin.mqtt.codec.Packets.aPublish;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.codec.PacketDecoder.Role;
import org.dunlin.mqtt.codec.PublishWriter.Result;
import org.junit.jupiter.api.Test;

/** [MQTT-3.1.2-24..27] [MQTT-3.3.2-6..11], E112 to E119, E181, E182. */
class PublishWriterTest {
    private static final int[] NO_IDS = {};

    private final PublishWriter writer = new PublishWriter();
    private final ByteBuf out = Unpooled.buffer();

    @Test
    void write_everyLayoutManyTimes_equalsTheEncoder() {
        Message plain = aPublish("a/b").payload("hello").message();
        Message rich = aPublish("a/b")
                .payload("hello")
                .expirySeconds(70)
                .user("n", "v")
                .contentType("x")
                .message();
        Message empty = aPublish("t").message();
        Message manyProperties = aPublish("t")
                .user("n", "v".repeat(300))
                .expirySeconds(5)
                .payload("p")
                .message();
        for (Message message : List.of(plain, rich, empty, manyProperties)) {
            int id = 100;
            for (int round = 0; round < 4; round++) {
                for (ProtocolVersion version : ProtocolVersion.values()) {
                    for (Qos qos : Qos.values()) {
                        for (int flags = 0; flags < 4; flags++) {
                            for (int[] ids : new int[][] {NO_IDS, {1}, {7, 300_000, 7}}) {
                                boolean dup = (flags & 1) != 0;
                                boolean retain = (flags & 2) != 0;
                                expectSame(message, version, qos, retain, dup, ++id, ids, round * 1500L);
                            }
                        }
                    }
                }
            }
        }
    }

    private void expectSame(
            Message message,
            ProtocolVersion version,
            Qos qos,
            boolean retain,
            boolean dup,
            int id,
            int[] ids,
            long laterMillis) {
        out.clear();
        OutboundTerms to = new OutboundTerms(version, Long.MAX_VALUE, 0);
        long now = Packets.NOW + laterMillis;
        assertEquals(Result.WRITTEN, writer.write(out, to, message, qos, retain, dup, id, ids, now));
        byte[] expected = encoded(message, version, qos, retain, dup, id, ids, 0, now);
        assertArrayEquals(expected, ByteBufUtil.getBytes(out));
    }

    private static byte[] encoded(
            Message message,
            ProtocolVersion version,
            Qos qos,
            boolean retain,
            boolean dup,
            int id,
            int[] ids,
            int alias,
            long now) {
        Message sent = new Message(
                0,
                "",
                message.topic(),
                message.payload(),
                qos,
                retain,
                message.expiresAtMillis(),
                message.properties());
        List<Integer> list = new ArrayList<>();
        for (int one : ids) {
            list.add(one);
        }
        ByteBuf expected = Unpooled.buffer();
        PacketEncoder encoder = new PacketEncoder(Role.SERVER).version(version).clock(() -> now);
        encoder.encode(new Publish(sent, qos == Qos.AT_MOST_ONCE ? 0 : id, dup, alias, list), expected);
        return ByteBufUtil.getBytes(expected);
    }

    private byte[] written(OutboundTerms to, Message message, Qos qos, int id) {
        out.clear();
        assertEquals(Result.WRITTEN, writer.write(out, to, message, qos, false, false, id, NO_IDS, Packets.NOW));
        return ByteBufUtil.getBytes(out);
    }

    private static OutboundTerms v5(long maximum, int aliases) {
        return new OutboundTerms(ProtocolVersion.MQTT_5, maximum, aliases);
    }

    @Test
    void write_withAliases_firstTopicsGetThemAndStay() {
        OutboundTerms to = v5(Long.MAX_VALUE, 2);
        Message a = aPublish("topic/a").payload("1").expirySeconds(9).message();
        Message b = aPublish("topic/b").payload("2").message();
        Message c = aPublish("topic/c").payload("3").message();
        PacketDecoder decoder =
                Packets.decoder(Role.CLIENT, ProtocolVersion.MQTT_5).topicAliasMaximum(2);
        List<Integer> sizes = new ArrayList<>();
        int id = 0;
        for (Message message : List.of(a, a, b, c, a, a, a, b, b, c)) {
            byte[] bytes = written(to, message, Qos.AT_LEAST_ONCE, ++id);
            Publish publish = (Publish) Packets.decode(decoder, bytes).get(0);
            assertEquals(message.topic(), publish.message().topic());
            assertEquals(message.expiresAtMillis(), publish.message().expiresAtMillis());
            assertArrayEquals(message.payload(), publish.message().payload());
            assertEquals(id, publish.packetId());
            assertEquals(message == a ? 1 : message == b ? 2 : 0, publish.topicAlias());
            sizes.add(bytes.length);
        }
        assertEquals(List.of(23, 16, 18, 15, 16, 16, 16, 11, 11, 15), sizes);
    }

    @Test
    void write_oneMessageToReceiversWithOtherAliases_eachReadsItsTopic() {
        Message other = aPublish("other").message();
        Message message = aPublish("topic/a").payload("x").message();
        List<OutboundTerms> receivers = new ArrayList<>();
        List<PacketDecoder> decoders = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            OutboundTerms to = v5(Long.MAX_VALUE, 5);
            PacketDecoder decoder =
                    Packets.decoder(Role.CLIENT, ProtocolVersion.MQTT_5).topicAliasMaximum(5);
            if (i % 2 == 0) {
                Packets.decode(decoder, written(to, other, Qos.AT_MOST_ONCE, 0));
            }
            Packets.decode(decoder, written(to, message, Qos.AT_MOST_ONCE, 0));
            receivers.add(to);
            decoders.add(decoder);
        }
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 6; i++) {
                byte[] bytes = written(receivers.get(i), message, Qos.EXACTLY_ONCE, i + 1);
                Publish publish =
                        (Publish) Packets.decode(decoders.get(i), bytes).get(0);
                assertEquals("topic/a", publish.message().topic().text());
                assertEquals(i % 2 == 0 ? 2 : 1, publish.topicAlias());
                assertEquals(i + 1, publish.packetId());
            }
        }
    }

    /** E119: the mapping counts only once the packet that tells of it was written. */
    @Test
    void write_tooLargeWithNewAlias_leavesAliasUnset() {
        Message large = aPublish("topic").payload("x".repeat(50)).message();
        Message small = aPublish("topic").payload("x").message();
        OutboundTerms to = v5(30, 5);
        assertEquals(
                Result.TOO_LARGE, writer.write(out, to, large, Qos.AT_MOST_ONCE, false, false, 0, NO_IDS, Packets.NOW));
        assertEquals(0, out.readableBytes());
        assertArrayEquals(
                Packets.hex("30 0C 00 05", "'topic'", "03 23 00 01", "'x'"), written(to, small, Qos.AT_MOST_ONCE, 0));
    }

    /** E113: also for a receiver that only just takes the packet without the alias. */
    @Test
    void write_atTheMaximum_fitsToTheByte() {
        Message message = aPublish("topic").payload("0123456789").message();
        int exact = 2 + 2 + 5 + 1 + 10;
        for (int aliases = 0; aliases < 2; aliases++) {
            for (int round = 0; round < 3; round++) {
                OutboundTerms tooSmall = v5(exact - 1, aliases);
                out.clear();
                assertEquals(
                        Result.TOO_LARGE,
                        writer.write(out, tooSmall, message, Qos.AT_MOST_ONCE, false, false, 0, NO_IDS, Packets.NOW));
                assertEquals(0, out.readableBytes());
                assertEquals(exact, written(v5(exact, aliases), message, Qos.AT_MOST_ONCE, 0).length);
            }
        }
    }

    /** E113: an alias must never be what makes a packet too large. */
    @Test
    void write_atTheMaximumOnceAnAliasIsKnown_fitsToTheByte() {
        for (int topic = 1; topic < 9; topic++) {
            String name = "t".repeat(topic);
            for (int user = 110; user < 128; user++) { // with the alias the property length may take one byte more
                Message message = aPublish(name).user("", "v".repeat(user)).message();
                ProtocolVersion version = ProtocolVersion.MQTT_5;
                byte[] plain = encoded(message, version, Qos.AT_MOST_ONCE, false, false, 0, NO_IDS, 0, Packets.NOW);
                int exact = plain.length;
                OutboundTerms to = v5(exact, 2);
                PacketDecoder decoder =
                        Packets.decoder(Role.CLIENT, ProtocolVersion.MQTT_5).topicAliasMaximum(2);
                Packets.decode(decoder, written(to, aPublish(name).message(), Qos.AT_MOST_ONCE, 0));
                for (int round = 0; round < 3; round++) {
                    byte[] bytes = written(to, message, Qos.AT_MOST_ONCE, 0);
                    assertTrue(bytes.length <= exact);
                    Publish publish = (Publish) Packets.decode(decoder, bytes).get(0);
                    assertEquals(name, publish.message().topic().text());
                }
            }
        }
    }

    /** Aliases are few: a topic that is no longer than what an alias takes is given none. */
    @Test
    void write_shortTopics_leaveTheAliasesToLongOnes() {
        OutboundTerms to = v5(Long.MAX_VALUE, 1);
        for (int round = 0; round < 3; round++) {
            assertArrayEquals(
                    Packets.hex("30 07 00 04", "'a/bc'", "00"),
                    written(to, aPublish("a/bc").message(), Qos.AT_MOST_ONCE, 0));
        }
        written(to, aPublish("a/bcd").message(), Qos.AT_MOST_ONCE, 0);
        assertArrayEquals(
                Packets.hex("30 06 00 00 03 23 00 01"),
                written(to, aPublish("a/bcd").message(), Qos.AT_MOST_ONCE, 0));
    }

    @Test
    void write_largePayload_leavesItToTheCaller() {
        byte[] payload = new byte[PublishWriter.INLINE_PAYLOAD_MAX + 1];
        Message message = aPublish("t").payload(payload).expirySeconds(3).message();
        for (ProtocolVersion version : ProtocolVersion.values()) {
            for (int id = 1; id < 4; id++) {
                OutboundTerms to = new OutboundTerms(version, Long.MAX_VALUE, 0);
                out.clear();
                assertEquals(
                        Result.HEADER_WRITTEN,
                        writer.write(out, to, message, Qos.AT_LEAST_ONCE, false, false, id, NO_IDS, Packets.NOW + id));
                out.writeBytes(payload);
                assertArrayEquals(
                        encoded(message, version, Qos.AT_LEAST_ONCE, false, false, id, NO_IDS, 0, Packets.NOW + id),
                        ByteBufUtil.getBytes(out));
            }
        }
    }

    @Test
    void write_payloadAtTheThreshold_isInline() {
        byte[] payload = new byte[PublishWriter.INLINE_PAYLOAD_MAX];
        Message message = aPublish("t").payload(payload).message();
        for (int i = 0; i < 3; i++) {
            assertEquals(
                    payload.length + 1 + 2 + 3 + 1,
                    written(v5(Long.MAX_VALUE, 0), message, Qos.AT_MOST_ONCE, 0).length);
        }
    }

    /** Layouts that are too large to be kept are written anew each time. */
    @Test
    void write_hugeProperties_staysRight() {
        Message message =
                aPublish("t").user("n", "v".repeat(60_000)).payload("p").message();
        for (int id = 1; id < 5; id++) {
            assertArrayEquals(
                    encoded(
                            message,
                            ProtocolVersion.MQTT_5,
                            Qos.AT_LEAST_ONCE,
                            false,
                            false,
                            id,
                            NO_IDS,
                            0,
                            Packets.NOW),
                    written(v5(Long.MAX_VALUE, 0), message, Qos.AT_LEAST_ONCE, id));
        }
    }

    @Test
    void forget_betweenMessages_nothingOfTheOldOneComesBack() {
        OutboundTerms to = v5(Long.MAX_VALUE, 0);
        Message one = aPublish("one").payload("1").message();
        Message two = aPublish("two").payload("2").message();
        byte[] first = written(to, one, Qos.AT_MOST_ONCE, 0);
        assertArrayEquals(first, written(to, one, Qos.AT_MOST_ONCE, 0));
        assertArrayEquals(first, written(to, one, Qos.AT_MOST_ONCE, 0));
        writer.forget();
        byte[] second = written(to, two, Qos.AT_MOST_ONCE, 0);
        assertArrayEquals(Packets.hex("30 07 00 03", "'two'", "00", "'2'"), second);
        assertArrayEquals(second, written(to, two, Qos.AT_MOST_ONCE, 0));
        writer.forget();
        assertArrayEquals(first, written(to, one, Qos.AT_MOST_ONCE, 0));
    }
}
