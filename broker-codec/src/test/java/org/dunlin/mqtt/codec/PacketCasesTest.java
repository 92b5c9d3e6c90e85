package org.dunlin.mqtt.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.codec.PacketCases.Case;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The table against the decoder and the encoder, whole, cut and split. */
class PacketCasesTest {
    private static final List<Case> ALL = PacketCases.all();
    private static final List<Case> GOOD = ALL.stream().filter(Case::isGood).toList();
    private static final List<Case> BAD =
            ALL.stream().filter(row -> !row.isGood()).toList();

    /** Tries every row, so that a failure names all rows that fail. */
    private static void each(List<Case> rows, Consumer<Case> check) {
        List<String> failures = new ArrayList<>();
        for (Case row : rows) {
            try {
                check.accept(row);
            } catch (AssertionError | RuntimeException e) {
                failures.add(row + ": " + e);
            }
        }
        assertTrue(failures.isEmpty(), () -> failures.size() + " rows fail\n" + String.join("\n", failures));
    }

    @Test
    void table_hasMostOfTheWire() {
        assertTrue(GOOD.size() > 700, () -> GOOD.size() + " good rows");
        assertTrue(BAD.size() > 2000, () -> BAD.size() + " bad rows");
    }

    @Test
    void decode_goodPacket_givesItAndTakesItsBytesAlone() {
        each(GOOD, PacketCasesTest::isDecoded);
    }

    private static void isDecoded(Case row) {
        ByteBuf in = Unpooled.directBuffer();
        in.writeZero(3).writeBytes(row.bytes()).writeBytes(new byte[] {-1, -1, -1, -1, -1, -1, -1, -1, -1});
        in.readerIndex(3);
        Packet packet = row.decoder().decode(in);
        assertNotNull(packet);
        assertEquals(3 + row.bytes().length, in.readerIndex());
        in.release();
        if (row.packet() != null) {
            assertEquals(Packets.describe(row.packet()), Packets.describe(packet));
        }
    }

    @Test
    void decode_badPacket_failsWithItsReasonForGood() {
        each(BAD, PacketCasesTest::failsForGood);
    }

    private static void failsForGood(Case row) {
        PacketDecoder decoder = row.decoder();
        ByteBuf in = Unpooled.wrappedBuffer(row.bytes());
        ProtocolError error = assertThrows(ProtocolError.class, () -> decoder.decode(in));
        assertEquals(row.error(), error.reason(), error.text());
        assertTrue(error.text().matches("[\\x20-\\x7E]{10,160}"), error.text());
        assertEquals(0, error.getStackTrace().length);
        ByteBuf fine = Unpooled.wrappedBuffer(new byte[] {(byte) 0xE0, 0});
        assertSame(error, assertThrows(ProtocolError.class, () -> decoder.decode(fine)));
    }

    @Test
    void encode_goodPacket_givesItsBytes() {
        each(GOOD, PacketCasesTest::isEncoded);
    }

    private static void isEncoded(Case row) {
        PacketDecoder decoder = row.decoder();
        Packet packet = decoder.decode(Unpooled.wrappedBuffer(row.bytes()));
        assertNotNull(packet);
        ProtocolVersion version = decoder.version();
        assertNotNull(version);
        byte[] bytes = Packets.bytes(row.sender(), version, packet);
        if (row.canonical()) {
            assertArrayEquals(row.bytes(), bytes);
        }
        Packet again = row.decoder().decode(Unpooled.wrappedBuffer(bytes));
        assertEquals(Packets.describe(packet), Packets.describe(again));
    }

    /** E001: byte by byte it is the same packet or the same error, and never an earlier packet. */
    @Test
    void decode_byteByByte_isTheSame() {
        each(ALL, PacketCasesTest::isTheSameByteByByte);
    }

    private static void isTheSameByteByByte(Case row) {
        if (row.bytes().length > 5000) {
            return; // its time grows with the square; StreamTest splits long ones
        }
        PacketDecoder whole = row.decoder();
        String expected = outcome(whole, Unpooled.wrappedBuffer(row.bytes()));
        PacketDecoder decoder = row.decoder();
        ByteBuf in = Unpooled.buffer();
        String seen = "null";
        for (int i = 0; i < row.bytes().length && seen.equals("null"); i++) {
            in.writeByte(row.bytes()[i]);
            seen = outcome(decoder, in);
            if (seen.equals("null")) {
                assertEquals(0, in.readerIndex());
            } else if (row.isGood()) {
                assertEquals(row.bytes().length - 1, i);
            }
        }
        assertEquals(expected, seen);
        if (!row.name().startsWith("E004")) {
            assertEquals(whole.version(), decoder.version());
        }
    }

    /** Whatever is cut off the end of the body: an error or a shorter packet, nothing else; the header alone: wait. */
    @Test
    void decode_cutAtEveryLength_failsOrWaits() {
        each(ALL, PacketCasesTest::failsOrWaitsWhenCut);
    }

    private static void failsOrWaitsWhenCut(Case row) {
        byte[] bytes = row.bytes();
        int header = headerSize(bytes);
        if (bytes.length > 5000 || header == 0) {
            return;
        }
        for (int length = 0; length < bytes.length - header; length++) {
            byte[] cut = Packets.frame(bytes[0], Arrays.copyOfRange(bytes, header, header + length));
            outcome(row.decoder(), Unpooled.wrappedBuffer(cut));
            if (row.isGood()) {
                byte[] part = Arrays.copyOf(bytes, header + length);
                assertNull(row.decoder().decode(Unpooled.wrappedBuffer(part)), () -> "at " + part.length);
            }
        }
    }

    /** Whatever stands behind a packet or before it does not change what it is. */
    @Test
    void decode_badPacketAmongOtherBytes_failsTheSame() {
        each(BAD, PacketCasesTest::failsAmongOtherBytes);
    }

    private static void failsAmongOtherBytes(Case row) {
        if (headerSize(row.bytes()) == 0) {
            return;
        }
        ByteBuf in = Unpooled.directBuffer();
        in.writeZero(2).writeBytes(row.bytes());
        for (int i = 0; i < 64; i++) {
            in.writeByte(i % 2 == 0 ? 0x00 : 0x61);
        }
        in.readerIndex(2);
        assertEquals(String.valueOf(row.error()), outcome(row.decoder(), in));
        in.release();
    }

    /** The packet as text, "null", or the reason of the error. */
    private static String outcome(PacketDecoder decoder, ByteBuf in) {
        try {
            @Nullable Packet packet = decoder.decode(in);
            return packet == null ? "null" : Packets.describe(packet);
        } catch (ProtocolError error) {
            return String.valueOf(error.reason());
        }
    }

    /** Bytes before the body, 0 if the packet is not whole. */
    private static int headerSize(byte[] bytes) {
        int length = 0;
        for (int at = 1; at < Math.min(5, bytes.length); at++) {
            length |= (bytes[at] & 0x7F) << 7 * (at - 1);
            if (bytes[at] >= 0) {
                return at + 1 + length == bytes.length ? at + 1 : 0;
            }
        }
        return 0;
    }
}
