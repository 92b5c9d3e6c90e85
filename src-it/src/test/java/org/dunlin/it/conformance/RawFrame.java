package org.dunlin.it.conformance;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.ProtocolVersion;
import org.jspecify.annotations.Nullable;

/**
 * One thread. A packet as the broker sent it, cut from the stream and taken apart without the broker's own codec.
 *
 * @param first the first byte
 * @param body what follows the Remaining Length
 * @param size bytes of the whole packet
 */
record RawFrame(int first, byte[] body, int size) {
    /** The next packet, whose Remaining Length has to be in its shortest form. */
    static RawFrame read(MqttSocket socket) {
        int first = socket.receiveBytes(1)[0] & 0xFF;
        int length = 0;
        int count = 0;
        int digit;
        do {
            digit = socket.receiveBytes(1)[0] & 0xFF;
            length |= (digit & 127) << 7 * count++;
        } while (digit > 127 && count < 4);
        if (digit > 127 || digit == 0 && count > 1) {
            throw new AssertionError(
                    "not the shortest form of a Remaining Length: " + length + " in " + count + " bytes");
        }
        return new RawFrame(first, socket.receiveBytes(length), 1 + count + length);
    }

    int type() {
        return first >> 4;
    }

    String hex() {
        return HexFormat.of().formatHex(body);
    }

    /** The bytes of the properties that a CONNACK, DISCONNECT, SUBACK ... has from this offset of the body on. */
    List<Property> propertiesAt(int offset) {
        ByteBuffer in = ByteBuffer.wrap(body);
        in.position(offset);
        return properties(in);
    }

    Publish publish(ProtocolVersion version) {
        if (type() != 3) {
            throw new AssertionError("expected PUBLISH, got " + this);
        }
        ByteBuffer in = ByteBuffer.wrap(body);
        byte[] topic = take(in, in.getShort() & 0xFFFF);
        int qos = first >> 1 & 3;
        int id = qos == 0 ? 0 : in.getShort() & 0xFFFF;
        List<Property> properties = version.isV5() ? properties(in) : List.of();
        return new Publish(
                (first & 8) != 0,
                qos,
                (first & 1) != 0,
                new String(topic, StandardCharsets.UTF_8),
                HexFormat.of().formatHex(topic),
                id,
                properties,
                new String(take(in, in.remaining()), StandardCharsets.ISO_8859_1));
    }

    private static List<Property> properties(ByteBuffer in) {
        int end = vbi(in);
        end += in.position();
        List<Property> properties = new ArrayList<>();
        while (in.position() < end) {
            int id = vbi(in);
            int length = switch (id) {
                case 0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2A -> 1;
                case 0x13, 0x21, 0x22, 0x23 -> 2;
                case 0x02, 0x11, 0x18, 0x27 -> 4;
                case 0x0B -> 0;
                case 0x26 -> -2;
                default -> -1;
            };
            if (length > 0) {
                properties.add(new Property(id, take(in, length)));
            } else if (length == 0) {
                properties.add(
                        new Property(id, ByteBuffer.allocate(4).putInt(vbi(in)).array()));
            } else {
                int start = in.position();
                for (int i = length; i < 0; i++) {
                    take(in, in.getShort() & 0xFFFF);
                }
                byte[] value = new byte[in.position() - start];
                in.get(start, value);
                properties.add(new Property(id, value));
            }
        }
        if (in.position() != end) {
            throw new AssertionError("the properties end after their Property Length");
        }
        return properties;
    }

    private static int vbi(ByteBuffer in) {
        int value = 0;
        int shift = 0;
        int digit;
        do {
            digit = in.get() & 0xFF;
            value |= (digit & 127) << shift;
            shift += 7;
        } while (digit > 127);
        if (digit == 0 && shift > 7) {
            throw new AssertionError("not the shortest form of a Variable Byte Integer");
        }
        return value;
    }

    private static byte[] take(ByteBuffer in, int count) {
        byte[] bytes = new byte[count];
        in.get(bytes);
        return bytes;
    }

    @Override
    public String toString() {
        return "packet " + Integer.toHexString(first) + " " + hex();
    }

    /** One property: numbers as they stand, a Subscription Identifier as four bytes, texts with their lengths. */
    record Property(int id, byte[] value) {
        long number() {
            long number = 0;
            for (byte octet : value) {
                number = number << 8 | octet & 0xFF;
            }
            return number;
        }

        /** The bytes in hexadecimal digits. */
        String hex() {
            return HexFormat.of().formatHex(value);
        }

        /** Of a string. */
        String text() {
            return new String(value, 2, value.length - 2, StandardCharsets.UTF_8);
        }
    }

    /** A PUBLISH; the payload is read as ISO 8859-1, so that no byte gets lost. */
    record Publish(
            boolean dup,
            int qos,
            boolean retain,
            String topic,
            String topicHex,
            int packetId,
            List<Property> properties,
            String payload) {
        @Nullable
        Property property(int id) {
            return find(properties, id);
        }
    }

    static @Nullable Property find(List<Property> properties, int id) {
        for (Property property : properties) {
            if (property.id() == id) {
                return property;
            }
        }
        return null;
    }
}
