package org.dunlin.it.conformance;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.dunlin.mqtt.ProtocolVersion;

/**
 * One thread. A packet, or a part of one, put together field by field without the broker's own codec, so that it may be as
 * wrong as a test wants it.
 */
final class RawPacket {
    /** Bits of the connect flags. */
    static final int CLEAN = 0x02;

    static final int WILL = 0x04;
    static final int WILL_QOS_1 = 0x08;
    static final int WILL_QOS_2 = 0x10;
    static final int WILL_RETAIN = 0x20;
    static final int PASSWORD = 0x40;
    static final int USER_NAME = 0x80;

    private final int first;
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();

    private RawPacket(int first) {
        this.first = first;
    }

    /** A packet with that first byte; its Remaining Length is made from the fields. */
    static RawPacket of(int first) {
        return new RawPacket(first);
    }

    /** Fields alone, for {@link #properties(RawPacket)}. */
    static RawPacket part() {
        return new RawPacket(-1);
    }

    /** A CONNECT up to and without its payload; v5 with a Property Length of 0. */
    static RawPacket connect(ProtocolVersion version, int flags) {
        return connect(version, flags, part());
    }

    /** A CONNECT up to and without its payload; properties are written for v5 only. */
    static RawPacket connect(ProtocolVersion version, int flags, RawPacket properties) {
        RawPacket packet = of(0x10).utf8(version.protocolName())
                .u8(version.level())
                .u8(flags)
                .u16(0);
        return version.isV5() ? packet.properties(properties) : packet;
    }

    RawPacket u8(int value) {
        body.write(value);
        return this;
    }

    RawPacket u16(int value) {
        return u8(value >> 8).u8(value);
    }

    RawPacket u32(long value) {
        return u16((int) (value >> 16)).u16((int) value);
    }

    /** A Variable Byte Integer in its shortest form. */
    RawPacket vbi(int value) {
        writeVbi(body, value);
        return this;
    }

    RawPacket utf8(String text) {
        return binary(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Two bytes of length and these bytes, which need be no UTF-8. */
    RawPacket binary(byte[] bytes) {
        return u16(bytes.length).bytes(bytes);
    }

    RawPacket hex(String digits) {
        return bytes(HexFormat.of().parseHex(digits.replaceAll("\\s", "")));
    }

    RawPacket bytes(byte[] bytes) {
        body.writeBytes(bytes);
        return this;
    }

    /** The Property Length and these properties. */
    RawPacket properties(RawPacket properties) {
        return vbi(properties.body.size()).bytes(properties.body.toByteArray());
    }

    /** Properties for v5, nothing for the versions before. */
    RawPacket properties(ProtocolVersion version, RawPacket properties) {
        return version.isV5() ? properties(properties) : this;
    }

    byte[] bytes() {
        if (first < 0) {
            return body.toByteArray();
        }
        ByteArrayOutputStream packet = new ByteArrayOutputStream();
        packet.write(first);
        writeVbi(packet, body.size());
        packet.writeBytes(body.toByteArray());
        return packet.toByteArray();
    }

    private static void writeVbi(ByteArrayOutputStream out, int value) {
        int rest = value;
        while (rest > 127) {
            out.write(rest & 127 | 128);
            rest >>= 7;
        }
        out.write(rest);
    }
}
