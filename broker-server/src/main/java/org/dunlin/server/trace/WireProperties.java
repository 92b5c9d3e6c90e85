package org.dunlin.server.trace;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** The properties of a message, which it carries as they were sent. Any thread. */
final class WireProperties {
    private static final int PAYLOAD_FORMAT_INDICATOR = 0x01;
    private static final int CONTENT_TYPE = 0x03;
    private static final int RESPONSE_TOPIC = 0x08;
    private static final int CORRELATION_DATA = 0x09;
    private static final int USER_PROPERTY = 0x26;

    private WireProperties() {}

    /** @param properties as in {@link org.dunlin.mqtt.Message#properties()}, which have been checked before */
    static void add(byte[] properties, PacketText to) {
        ByteBuffer in = ByteBuffer.wrap(properties);
        while (in.hasRemaining()) {
            switch (in.get()) {
                case PAYLOAD_FORMAT_INDICATOR -> to.property("Payload Format Indicator", in.get());
                case CONTENT_TYPE -> to.property("Content Type", text(in));
                case RESPONSE_TOPIC -> to.property("Response Topic", text(in));
                case CORRELATION_DATA -> {
                    byte[] data = bytes(in);
                    to.property("Correlation Data", PayloadText.hex(data, 64) + (data.length > 64 ? "..." : ""));
                }
                case USER_PROPERTY -> to.property("User Property", text(in) + "=" + text(in));
                default -> {
                    return; // nothing else goes to receivers
                }
            }
        }
    }

    private static String text(ByteBuffer in) {
        return new String(bytes(in), StandardCharsets.UTF_8);
    }

    private static byte[] bytes(ByteBuffer in) {
        byte[] bytes = new byte[in.getShort() & 0xFFFF];
        in.get(bytes);
        return bytes;
    }
}
