package org.dunlin.mqtt.codec;

import static org.dunlin.mqtt.PacketType.AUTH;
import static org.dunlin.mqtt.PacketType.CONNACK;
import static org.dunlin.mqtt.PacketType.CONNECT;
import static org.dunlin.mqtt.PacketType.DISCONNECT;
import static org.dunlin.mqtt.PacketType.PUBACK;
import static org.dunlin.mqtt.PacketType.PUBCOMP;
import static org.dunlin.mqtt.PacketType.PUBLISH;
import static org.dunlin.mqtt.PacketType.PUBREC;
import static org.dunlin.mqtt.PacketType.PUBREL;
import static org.dunlin.mqtt.PacketType.SUBACK;
import static org.dunlin.mqtt.PacketType.SUBSCRIBE;
import static org.dunlin.mqtt.PacketType.UNSUBACK;
import static org.dunlin.mqtt.PacketType.UNSUBSCRIBE;
import static org.dunlin.mqtt.codec.ProtocolError.malformed;
import static org.dunlin.mqtt.codec.ProtocolError.violation;

import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.codec.PacketDecoder.Role;
import org.jspecify.annotations.Nullable;

/**
 * Any thread. The properties of MQTT 5: identifier, type with its legal values, the packets each may stand in; and
 * the one loop that reads the properties of every packet by this table.
 */
enum Property {
    PAYLOAD_FORMAT_INDICATOR(0x01, "Payload Format Indicator", Kind.BIT, Property.WILL | in(PUBLISH)),
    MESSAGE_EXPIRY_INTERVAL(0x02, "Message Expiry Interval", Kind.U32, Property.WILL | in(PUBLISH)),
    CONTENT_TYPE(0x03, "Content Type", Kind.TEXT, Property.WILL | in(PUBLISH)),
    RESPONSE_TOPIC(0x08, "Response Topic", Kind.TOPIC, Property.WILL | in(PUBLISH)),
    CORRELATION_DATA(0x09, "Correlation Data", Kind.BINARY, Property.WILL | in(PUBLISH)),
    SUBSCRIPTION_IDENTIFIER(0x0B, "Subscription Identifier", Kind.VBI_NOT_ZERO, in(PUBLISH, SUBSCRIBE)),
    SESSION_EXPIRY_INTERVAL(0x11, "Session Expiry Interval", Kind.U32, in(CONNECT, CONNACK, DISCONNECT)),
    ASSIGNED_CLIENT_IDENTIFIER(0x12, "Assigned Client Identifier", Kind.TEXT, in(CONNACK)),
    SERVER_KEEP_ALIVE(0x13, "Server Keep Alive", Kind.U16, in(CONNACK)),
    AUTHENTICATION_METHOD(0x15, "Authentication Method", Kind.TEXT, in(CONNECT, CONNACK, AUTH)),
    AUTHENTICATION_DATA(0x16, "Authentication Data", Kind.BINARY, in(CONNECT, CONNACK, AUTH)),
    REQUEST_PROBLEM_INFORMATION(0x17, "Request Problem Information", Kind.BIT, in(CONNECT)),
    WILL_DELAY_INTERVAL(0x18, "Will Delay Interval", Kind.U32, Property.WILL),
    REQUEST_RESPONSE_INFORMATION(0x19, "Request Response Information", Kind.BIT, in(CONNECT)),
    RESPONSE_INFORMATION(0x1A, "Response Information", Kind.TEXT, in(CONNACK)),
    SERVER_REFERENCE(0x1C, "Server Reference", Kind.TEXT, in(CONNACK, DISCONNECT)),
    REASON_STRING(
            0x1F,
            "Reason String",
            Kind.TEXT,
            in(CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT, AUTH)),
    RECEIVE_MAXIMUM(0x21, "Receive Maximum", Kind.U16_NOT_ZERO, in(CONNECT, CONNACK)),
    TOPIC_ALIAS_MAXIMUM(0x22, "Topic Alias Maximum", Kind.U16, in(CONNECT, CONNACK)),
    TOPIC_ALIAS(0x23, "Topic Alias", Kind.ALIAS, in(PUBLISH)),
    MAXIMUM_QOS(0x24, "Maximum QoS", Kind.BIT, in(CONNACK)),
    RETAIN_AVAILABLE(0x25, "Retain Available", Kind.BIT, in(CONNACK)),
    USER_PROPERTY(
            0x26,
            "User Property",
            Kind.PAIR,
            Property.WILL
                    | in(CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP)
                    | in(SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, DISCONNECT, AUTH)),
    MAXIMUM_PACKET_SIZE(0x27, "Maximum Packet Size", Kind.U32_NOT_ZERO, in(CONNECT, CONNACK)),
    WILDCARD_SUBSCRIPTION_AVAILABLE(0x28, "Wildcard Subscription Available", Kind.BIT, in(CONNACK)),
    SUBSCRIPTION_IDENTIFIER_AVAILABLE(0x29, "Subscription Identifier Available", Kind.BIT, in(CONNACK)),
    SHARED_SUBSCRIPTION_AVAILABLE(0x2A, "Shared Subscription Available", Kind.BIT, in(CONNACK));

    /** How the value is written and which values are legal. */
    enum Kind {
        /** One byte, 0 or 1. */
        BIT,
        U16,
        U16_NOT_ZERO,
        /** Two bytes; 0 has a reason code of its own. */
        ALIAS,
        U32,
        U32_NOT_ZERO,
        VBI_NOT_ZERO,
        TEXT,
        /** A string that is a topic name. */
        TOPIC,
        BINARY,
        PAIR
    }

    /** Gets the properties of a packet one by one. */
    interface Sink {
        /**
         * @param number the value if it is a number, else 0
         * @param start index in the frame of the identifier
         * @param value index in the frame of the value; the property ends at the frame's position
         */
        void take(Property property, long number, int start, int value);
    }

    /** The place of the will properties, beside the packet types with {@link #in}. */
    static final int WILL = 1;

    private static final @Nullable Property[] BY_ID = new @Nullable Property[0x2B];

    static {
        for (Property property : values()) {
            BY_ID[property.id] = property;
        }
    }

    private final int id;
    private final String label;
    private final Kind kind;
    private final int places;

    Property(int id, String label, Kind kind, int places) {
        this.id = id;
        this.label = label;
        this.kind = kind;
        this.places = places;
    }

    static int in(PacketType type) {
        return 1 << type.value();
    }

    private static int in(PacketType... types) {
        int places = 0;
        for (PacketType type : types) {
            places |= in(type);
        }
        return places;
    }

    int id() {
        return id;
    }

    Kind kind() {
        return kind;
    }

    /** The name in the standard. */
    String label() {
        return label;
    }

    boolean allowedIn(int place) {
        return (places & place) != 0;
    }

    /** Goes with a message from publisher to subscribers unaltered. */
    boolean isPassedThrough() {
        return switch (this) {
            case PAYLOAD_FORMAT_INDICATOR, CONTENT_TYPE, RESPONSE_TOPIC, CORRELATION_DATA, USER_PROPERTY -> true;
            default -> false;
        };
    }

    private boolean mayRepeat(int place) {
        return this == USER_PROPERTY || this == SUBSCRIPTION_IDENTIFIER && place == in(PUBLISH);
    }

    /** Allowed in that packet, but only from the other side [MQTT-3.3.4-6] [MQTT-3.14.2-2]. */
    private boolean isOfOtherSide(int place, Role us) {
        return switch (this) {
            case SUBSCRIPTION_IDENTIFIER -> place == in(PUBLISH) && us == Role.SERVER;
            case SESSION_EXPIRY_INTERVAL -> place == in(DISCONNECT) && us == Role.CLIENT;
            case SERVER_REFERENCE -> place == in(DISCONNECT) && us == Role.SERVER;
            default -> false;
        };
    }

    /**
     * Reads a property length and the properties after it. An unknown or misplaced one is malformed, a repeated one
     * an error.
     */
    static void readAll(Frame frame, int place, Role us, Sink sink) {
        int length = frame.vbi("Property Length");
        if (length == 0) {
            return;
        }
        if (length > frame.remaining()) {
            throw malformed("Property Length reaches past the end of the packet");
        }
        int outer = frame.limit(frame.position() + length);
        long seen = 0;
        while (frame.remaining() > 0) {
            int start = frame.position();
            int id = frame.vbi("Property Identifier");
            Property property = id < BY_ID.length ? BY_ID[id] : null;
            if (property == null) {
                throw malformed("There is no property with that identifier");
            }
            if (!property.allowedIn(place)) {
                throw malformed(property.label + " has no place in this packet");
            }
            if (property.isOfOtherSide(place, us)) {
                throw violation(property.label + " in this packet may only come from the other side");
            }
            if ((seen & 1L << id) != 0 && !property.mayRepeat(place)) {
                throw violation(property.label + " stands more than once");
            }
            seen |= 1L << id;
            int value = frame.position();
            sink.take(property, property.readValue(frame), start, value);
        }
        frame.limit(outer);
    }

    private long readValue(Frame frame) {
        switch (kind) {
            case BIT -> {
                int bit = frame.u8(label);
                if (bit > 1) {
                    throw violation(label + " is neither 0 nor 1");
                }
                return bit;
            }
            case U16, U16_NOT_ZERO, ALIAS -> {
                return legal(frame.u16(label));
            }
            case U32, U32_NOT_ZERO -> {
                return legal(frame.u32(label));
            }
            case VBI_NOT_ZERO -> {
                return legal(frame.vbi(label));
            }
            case BINARY -> frame.skipBinary(label);
            case TEXT -> frame.skipText(label);
            case TOPIC -> {
                int from = frame.skipText(label) + 2;
                if (from == frame.position()) {
                    throw violation(label + " is empty");
                }
                if (frame.hasWildcard(from, frame.position())) {
                    throw violation(label + " has a wildcard; only a topic filter may have wildcards");
                }
            }
            case PAIR -> {
                frame.countUserProperty();
                frame.skipText("Name of a User Property");
                frame.skipText("Value of a User Property");
            }
        }
        return 0;
    }

    private long legal(long number) {
        if (number == 0) {
            if (kind == Kind.ALIAS) {
                throw new ProtocolError(ReasonCode.TOPIC_ALIAS_INVALID, label + " is 0");
            }
            if (kind == Kind.U16_NOT_ZERO || kind == Kind.U32_NOT_ZERO || kind == Kind.VBI_NOT_ZERO) {
                throw violation(label + " is 0");
            }
        }
        return number;
    }
}
