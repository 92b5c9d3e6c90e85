package org.dunlin.mqtt.codec;

import static org.dunlin.mqtt.codec.ProtocolError.malformed;
import static org.dunlin.mqtt.codec.ProtocolError.violation;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.UserProperty;

/**
 * One thread only; it holds nothing between two packets, so one can serve all connections of a thread. A cursor over the body of
 * one packet that lies in a buffer whole. Every read is held
 * within the body and fails as Malformed Packet where the body ends too early. The field names given to it are for
 * the text of that error.
 */
public final class Frame {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    /** 2^64 divided by the golden ratio. */
    private static final long SPREAD = 0x9E37_79B9_7F4A_7C15L;

    private ByteBuf in = Unpooled.EMPTY_BUFFER;
    private int at;
    private int end;
    private int userPropertiesLeft;
    private int topicFiltersLeft;

    /** For {@link PacketDecoder#decode(ByteBuf, Frame)}. */
    public Frame() {}

    void open(ByteBuf buffer, int from, int to, int maximumUserProperties, int maximumTopicFilters) {
        in = buffer;
        at = from;
        end = to;
        userPropertiesLeft = maximumUserProperties;
        topicFiltersLeft = maximumTopicFilters;
    }

    /** Lets go of the buffer. */
    void close() {
        in = Unpooled.EMPTY_BUFFER;
    }

    int remaining() {
        return end - at;
    }

    int position() {
        return at;
    }

    /** Makes the body end earlier, or where it did before. @return the end so far */
    int limit(int newEnd) {
        int before = end;
        end = newEnd;
        return before;
    }

    int u8(String field) {
        return in.getUnsignedByte(take(1, field));
    }

    /** Steps over a byte that is 0. @return false if it is another one, which stays */
    boolean skipZero(String field) {
        if (u8(field) == 0) {
            return true;
        }
        at--;
        return false;
    }

    int u16(String field) {
        return in.getUnsignedShort(take(2, field));
    }

    long u32(String field) {
        return in.getUnsignedInt(take(4, field));
    }

    /** [MQTT-2.2.1-3] */
    int packetId() {
        int id = u16("Packet Identifier");
        if (id == 0) {
            throw violation("Packet Identifier is 0");
        }
        return id;
    }

    /** A Variable Byte Integer in its shortest form [MQTT-1.5.5-1]. */
    int vbi(String field) {
        int value = 0;
        for (int shift = 0; shift <= 21; shift += 7) {
            int part = u8(field);
            value |= (part & 0x7F) << shift;
            if (part < 0x80) {
                if (part == 0 && shift > 0) {
                    throw malformed(field + " is not encoded in the fewest bytes");
                }
                return value;
            }
        }
        throw malformed(field + " is a Variable Byte Integer of more than four bytes");
    }

    /** Steps over that many bytes. @return where they start */
    int take(int bytes, String field) {
        int from = at;
        if (bytes > end - from) {
            throw malformed(field + " is cut off by the end of what holds it");
        }
        at = from + bytes;
        return from;
    }

    /** Steps over a checked UTF-8 string. @return where its length stands, for {@link #textAt} */
    int skipText(String field) {
        int start = at;
        int length = u16(field);
        int from = take(length, field);
        checkText(from, from + length, field);
        return start;
    }

    void checkText(int from, int to, String field) {
        int fault = Wire.check(in, from, to);
        if (fault != Wire.WELL_FORMED) {
            throw malformed(field + (fault == Wire.NUL ? " has the character U+0000" : " is not well-formed UTF-8"));
        }
    }

    int skipBinary(String field) {
        int start = at;
        take(u16(field), field);
        return start;
    }

    String text(String field) {
        return textAt(skipText(field));
    }

    byte[] binary(String field) {
        return binaryAt(skipBinary(field));
    }

    /** The string whose length stands there and which has been stepped over. */
    String textAt(int start) {
        int from = start + 2;
        return Wire.text(in, from, from + in.getUnsignedShort(start));
    }

    byte[] binaryAt(int start) {
        int from = start + 2;
        return bytes(from, from + in.getUnsignedShort(start));
    }

    UserProperty pairAt(int start) {
        return new UserProperty(textAt(start), textAt(start + 2 + in.getUnsignedShort(start)));
    }

    /** Whether one of the bytes is a wildcard of topic filters. */
    boolean hasWildcard(int from, int to) {
        for (int i = from; i < to; i++) {
            byte b = in.getByte(i);
            if (b == '+' || b == '#') {
                return true;
            }
        }
        return false;
    }

    byte[] rest() {
        int from = at;
        at = end;
        return bytes(from, end);
    }

    byte[] bytes(int from, int to) {
        if (from == to) {
            return Message.NO_BYTES;
        }
        byte[] copy = new byte[to - from];
        in.getBytes(from, copy);
        return copy;
    }

    void copy(int from, int to, byte[] into, int index) {
        in.getBytes(from, into, index, to - from);
    }

    String text(int from, int to) {
        return Wire.text(in, from, to);
    }

    boolean matches(int from, byte[] bytes) {
        int i = 0;
        for (; i <= bytes.length - 8; i += 8) {
            if (in.getLong(from + i) != (long) LONGS.get(bytes, i)) {
                return false;
            }
        }
        for (; i < bytes.length; i++) {
            if (in.getByte(from + i) != bytes[i]) {
                return false;
            }
        }
        return true;
    }

    /** A number that is likely to differ for different bytes, in its upper bits most. */
    long fingerprint(int from, int to) {
        long hash = to - from;
        int i = from;
        for (; i <= to - 8; i += 8) {
            hash = mix(hash, in.getLong(i));
        }
        for (; i < to; i++) {
            hash = mix(hash, in.getByte(i));
        }
        return (hash ^ hash >>> 32) * SPREAD;
    }

    private static long mix(long hash, long value) {
        long product = (Long.rotateLeft(hash, 29) ^ value) * SPREAD;
        return product ^ product >>> 29;
    }

    void countUserProperty() {
        if (--userPropertiesLeft < 0) {
            throw new ProtocolError(
                    ReasonCode.QUOTA_EXCEEDED,
                    "The packet has more User Properties than are taken here; see limits.max-user-properties");
        }
    }

    /** The next topic filter of SUBSCRIBE or UNSUBSCRIBE [MQTT-3.8.3-1] [MQTT-3.10.3-1]. */
    String topicFilter() {
        if (--topicFiltersLeft < 0) {
            throw new ProtocolError(
                    ReasonCode.QUOTA_EXCEEDED,
                    "The packet has more topic filters than are taken in one; see limits.max-subscriptions-per-client");
        }
        return text("Topic Filter");
    }

    /** After the last field nothing may be left. */
    void expectEnd() {
        if (at != end) {
            throw malformed("Bytes are left over after the last field");
        }
    }
}
