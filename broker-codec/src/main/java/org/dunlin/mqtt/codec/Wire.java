package org.dunlin.mqtt.codec;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import java.nio.charset.StandardCharsets;
import org.dunlin.mqtt.PacketType;

/**
 * The data types of the standard: how long they are, how they are written, and what is well-formed UTF-8. Any thread.
 */
final class Wire {
    /** The largest number a Variable Byte Integer holds, and so the largest Remaining Length. */
    static final int VBI_MAX = 268_435_455;

    /** The largest packet there can be: first byte, four bytes of length and what they can announce. */
    static final int PACKET_MAX = VBI_MAX + 5;

    /** The longest string or binary data in bytes. */
    static final int FIELD_MAX = 65_535;

    static final int WELL_FORMED = 0;
    static final int ILL_FORMED = 1;
    static final int NUL = 2;

    private static final long HIGH_BITS = 0x8080_8080_8080_8080L;
    private static final long LOW_BITS = 0x0101_0101_0101_0101L;

    private Wire() {}

    /** Bytes that the value takes as Variable Byte Integer, 1 to 4. */
    static int vbiSize(int value) {
        if (value < 1 << 7) {
            return 1;
        }
        if (value < 1 << 14) {
            return 2;
        }
        return value < 1 << 21 ? 3 : 4;
    }

    /** In the fewest bytes [MQTT-1.5.5-1]. */
    static void writeVbi(ByteBuf out, int value) {
        int rest = value;
        while (rest > 0x7F) {
            out.writeByte(rest & 0x7F | 0x80);
            rest >>>= 7;
        }
        out.writeByte(rest);
    }

    /**
     * Whether a packet with that many bytes after its length can be sent to one who takes packets up to the maximum.
     */
    static boolean fits(long body, long maximumPacketSize) {
        return body <= VBI_MAX && 1 + vbiSize((int) body) + body <= maximumPacketSize;
    }

    /** First byte and Remaining Length. */
    static void writeHeader(ByteBuf out, PacketType type, int body) {
        out.writeByte(type.value() << 4 | type.flags());
        writeVbi(out, body);
    }

    /**
     * Bytes of a string with its length. A lone surrogate counts and is written as a question mark: ill-formed UTF-8
     * never leaves [MQTT-1.5.4-1].
     *
     * @throws IllegalArgumentException if it is too long for the wire
     */
    static int textSize(String text) {
        int size = ByteBufUtil.utf8Bytes(text);
        if (size > FIELD_MAX) {
            throw new IllegalArgumentException("A string of " + size + " bytes; the wire takes 65,535");
        }
        return 2 + size;
    }

    static void writeText(ByteBuf out, String text) {
        int at = out.writerIndex();
        out.writeShort(0);
        out.setShort(at, ByteBufUtil.writeUtf8(out, text));
    }

    /** @throws IllegalArgumentException if it is too long for the wire */
    static int binarySize(byte[] bytes) {
        if (bytes.length > FIELD_MAX) {
            throw new IllegalArgumentException("Binary data of " + bytes.length + " bytes; the wire takes 65,535");
        }
        return 2 + bytes.length;
    }

    static void writeBinary(ByteBuf out, byte[] bytes) {
        out.writeShort(bytes.length);
        out.writeBytes(bytes);
    }

    /**
     * Checks a string strictly: no overlong form, no surrogate, nothing above U+10FFFF, nothing cut off, no U+0000
     * [MQTT-1.5.4-1] [MQTT-1.5.4-2]. Control characters, non-characters and U+FEFF are let through and kept
     * [MQTT-1.5.4-3]: what a publisher may say is not ours to narrow.
     *
     * @return {@link #WELL_FORMED}, {@link #ILL_FORMED} or {@link #NUL}
     */
    static int check(ByteBuf in, int from, int to) {
        int at = from;
        while (at < to) {
            while (to - at >= 8 && isAsciiWithoutNul(in.getLong(at))) {
                at += 8;
            }
            if (at == to) {
                break;
            }
            int lead = in.getUnsignedByte(at);
            if (lead == 0) {
                return NUL;
            }
            if (lead < 0x80) {
                at++;
                continue;
            }
            int size = sequenceSize(in, at, to, lead);
            if (size == 0) {
                return ILL_FORMED;
            }
            at += size;
        }
        return WELL_FORMED;
    }

    private static boolean isAsciiWithoutNul(long eight) {
        return ((eight | eight - LOW_BITS) & HIGH_BITS) == 0;
    }

    /**
     * Bytes of the well-formed sequence of two to four bytes that stands there, 0 if none does (Unicode, table 3-7).
     */
    private static int sequenceSize(ByteBuf in, int at, int to, int lead) {
        if (lead < 0xC2 || lead > 0xF4) {
            return 0;
        }
        int size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
        if (to - at < size) {
            return 0;
        }
        int low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
        int high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
        int second = in.getUnsignedByte(at + 1);
        if (second < low || second > high) {
            return 0;
        }
        for (int i = 2; i < size; i++) {
            if ((in.getByte(at + i) & 0xC0) != 0x80) {
                return 0;
            }
        }
        return size;
    }

    /** The text of bytes that {@link #check} let pass. */
    static String text(ByteBuf in, int from, int to) {
        return from == to ? "" : in.toString(from, to - from, StandardCharsets.UTF_8);
    }
}
