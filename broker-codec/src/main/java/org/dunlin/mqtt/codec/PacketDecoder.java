package org.dunlin.mqtt.codec;

import static org.dunlin.mqtt.codec.ProtocolError.malformed;
import static org.dunlin.mqtt.codec.ProtocolError.violation;

import io.netty.buffer.ByteBuf;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Ingress;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.ReasonCode;
import org.jspecify.annotations.Nullable;

/**
 * Thread of the connection only; one for each connection. Turns the bytes of one direction into packets, strictly:
 * what it hands out has passed every rule of the packet's format.
 *
 * <p>Where the standard leaves a choice: QoS 0 with DUP is malformed but in 3.1; overlong Variable Byte Integers are
 * malformed; control characters and non-characters in strings are let through; an illegal value is a Protocol Error
 * and an alias out of range Topic Alias invalid; in 3.1 SUBSCRIBE, UNSUBSCRIBE and PUBREL may carry DUP, and a
 * CONNECT may end before the user name or password that its flags announce; bit 7 of the protocol level, which some
 * bridges set for 3.1 and 3.1.1, is ignored. Left to others: which topic filters are valid, which client identifiers,
 * whether a server answers CONNACK first, and which packet identifiers are in use.
 */
public final class PacketDecoder {
    /** Which side we are. */
    public enum Role {
        SERVER,
        CLIENT
    }

    /** Bytes of a packet that a server takes before it has accepted the CONNECT. */
    public static final int MAXIMUM_BEFORE_CONNECT = 64 * 1024;

    private final Role role;
    private int maximumPacketSize;
    private int topicAliasMaximum;
    private int maximumUserProperties = Integer.MAX_VALUE;
    private int maximumTopicFilters = Integer.MAX_VALUE;
    private Ingress ingress = Ingress.NONE;
    private @Nullable ProtocolVersion version;
    private boolean connected;
    private boolean sessionEndsWithConnection;
    private @Nullable InboundTopics topics;
    private @Nullable ProtocolError failure;

    /** A client reads MQTT 5 and packets of any size unless told otherwise. */
    public PacketDecoder(Role role) {
        this.role = role;
        if (role == Role.CLIENT) {
            version = ProtocolVersion.MQTT_5;
            connected = true;
            maximumPacketSize = Wire.PACKET_MAX;
        } else {
            maximumPacketSize = MAXIMUM_BEFORE_CONNECT;
        }
    }

    /** For a client: what its CONNECT says. For a server: as if a CONNECT of that version had been read. */
    public PacketDecoder version(ProtocolVersion spoken) {
        version = spoken;
        connected = true;
        return this;
    }

    /**
     * The version of the peer, which is known once protocol name and level of its CONNECT were read, even if the rest
     * was bad. If the level was none of ours, it is the version to refuse it in; null if it speaks another protocol.
     */
    public @Nullable ProtocolVersion version() {
        return version;
    }

    /** Bytes of a whole packet, its first byte and length included. */
    public PacketDecoder maximumPacketSize(int bytes) {
        maximumPacketSize = bytes;
        return this;
    }

    /**
     * Topic aliases that the peer may use, 0 to 65,535; initially 0. The names they stand for may have 1,024 bytes on
     * average, or 256 KiB in all if that is more; beyond it a PUBLISH fails with Quota exceeded.
     */
    public PacketDecoder topicAliasMaximum(int aliases) {
        topicAliasMaximum = aliases;
        return this;
    }

    /** User Properties in one packet, beyond which it fails with Quota exceeded; initially without bound. */
    public PacketDecoder maximumUserProperties(int properties) {
        maximumUserProperties = properties;
        return this;
    }

    /**
     * Topic filters in one SUBSCRIBE or UNSUBSCRIBE, beyond which it fails with Quota exceeded; initially without
     * bound. As objects they take up to some twenty times what they take on the wire.
     */
    public PacketDecoder maximumTopicFilters(int filters) {
        maximumTopicFilters = filters;
        return this;
    }

    /** Where messages get their publisher, identity and clock; initially {@link Ingress#NONE}. */
    public PacketDecoder ingress(Ingress source) {
        ingress = source;
        return this;
    }

    /**
     * The next packet, or null if it is not there whole; then nothing has been taken from the buffer. What the first
     * byte and the length say is checked as soon as they are there, without waiting for the rest.
     *
     * @throws ProtocolError if the bytes are no packet that may come here; the connection is of no use from then on,
     *     and every later call throws the same
     */
    public @Nullable Packet decode(ByteBuf in) {
        return decode(in, new Frame());
    }

    /** As {@link #decode(ByteBuf)}, with a frame that the thread has for all its decoders. */
    public @Nullable Packet decode(ByteBuf in, Frame frame) {
        ProtocolError failed = failure;
        if (failed != null) {
            throw failed;
        }
        try {
            return next(in, frame);
        } catch (ProtocolError error) {
            failure = error;
            topics = null;
            throw error;
        } finally {
            frame.close();
        }
    }

    private @Nullable Packet next(ByteBuf in, Frame frame) {
        int readable = in.readableBytes();
        if (readable == 0) {
            return null;
        }
        int start = in.readerIndex();
        int first = in.getUnsignedByte(start);
        PacketType type = checkFirstByte(first);
        int length = 0;
        int at = 1;
        for (int shift = 0; ; shift += 7) {
            if (at == readable) {
                return null;
            }
            int part = in.getUnsignedByte(start + at++);
            length |= (part & 0x7F) << shift;
            if (part < 0x80) {
                if (part == 0 && shift > 0) {
                    throw malformed("Remaining Length is not encoded in the fewest bytes"); // [MQTT-1.5.5-1]
                }
                break;
            }
            if (shift == 21) {
                throw malformed("Remaining Length has more than four bytes");
            }
        }
        checkLength(type, length);
        if (at + length > maximumPacketSize) {
            if (type == PacketType.CONNECT) {
                learnVersion(in, start + at, Math.min(readable - at, length), frame);
            }
            throw new ProtocolError(
                    ReasonCode.PACKET_TOO_LARGE,
                    "A packet of " + (at + length) + " bytes; " + maximumPacketSize + " are taken"); // [MQTT-3.2.2-15]
        }
        if (length > readable - at) {
            return null;
        }
        frame.open(in, start + at, start + at + length, maximumUserProperties, maximumTopicFilters);
        Packet packet = body(type, first & 0x0F, frame);
        frame.expectEnd();
        in.readerIndex(start + at + length);
        return packet;
    }

    /** Kind, direction, moment and flags. */
    private PacketType checkFirstByte(int first) {
        if (first >> 4 == 0) {
            throw malformed("There is no packet of type 0");
        }
        PacketType type = PacketType.of(first >> 4);
        if (!mayCome(type)) {
            throw violation(role == Role.SERVER ? type + " from a client" : type + " from a server");
        }
        if (connected == (type == PacketType.CONNECT)) {
            throw violation(connected ? "A second CONNECT" : "The first packet is " + type + ", not CONNECT");
        }
        if (type == PacketType.AUTH && !isV5()) {
            throw violation("AUTH, which there is only in MQTT 5");
        }
        int flags = first & 0x0F;
        if (type == PacketType.PUBLISH) {
            checkPublishFlags(flags);
        } else if (flags != type.flags() && !isRepeatOf31(type, flags)) {
            throw malformed("The flags of " + type + " are not those of the standard"); // [MQTT-2.1.3-1]
        }
        return type;
    }

    private boolean mayCome(PacketType type) {
        return switch (type) {
            case CONNECT, SUBSCRIBE, UNSUBSCRIBE, PINGREQ -> role == Role.SERVER;
            case CONNACK, SUBACK, UNSUBACK, PINGRESP -> role == Role.CLIENT;
            case DISCONNECT -> role == Role.SERVER || isV5();
            case PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, AUTH -> true;
        };
    }

    private void checkPublishFlags(int flags) {
        if ((flags & 6) == 6) {
            throw malformed("QoS of PUBLISH is 3"); // [MQTT-3.3.1-4]
        }
        if ((flags & 6) == 0 && (flags & PublishCodec.DUP) != 0 && version != ProtocolVersion.MQTT_3_1) {
            throw malformed("PUBLISH has DUP with QoS 0"); // [MQTT-3.3.1-2]
        }
    }

    /** In 3.1 these have QoS 1 and so DUP when they are sent again. */
    private boolean isRepeatOf31(PacketType type, int flags) {
        return version == ProtocolVersion.MQTT_3_1 && type.flags() == 2 && flags == (2 | PublishCodec.DUP);
    }

    /** What can be said of the length without the body. */
    private void checkLength(PacketType type, int length) {
        boolean good = switch (type) {
            case PINGREQ, PINGRESP -> length == 0;
            case PUBACK, PUBREC, PUBREL, PUBCOMP -> length == 2 || length > 2 && isV5();
            case DISCONNECT -> length == 0 || isV5();
            default -> true;
        };
        if (!good) {
            throw malformed("The Remaining Length is none that " + type + " can have");
        }
    }

    /** Reads protocol name and level of a CONNECT that is refused for its size, if they are there already. */
    private void learnVersion(ByteBuf in, int from, int bytes, Frame frame) {
        frame.open(in, from, from + bytes, 0, 0);
        try {
            ConnectCodec.readVersion(frame, this::learned);
        } catch (ProtocolError unreadable) {
            return; // the size is the fault to report
        }
    }

    private void learned(ProtocolVersion spoken) {
        version = spoken;
    }

    private boolean isV5() {
        return version == ProtocolVersion.MQTT_5;
    }

    private Packet body(PacketType type, int flags, Frame frame) {
        boolean v5 = isV5();
        return switch (type) {
            case CONNECT -> connect(frame);
            case CONNACK -> ConnectCodec.decodeConnAck(frame, spokenVersion());
            case PUBLISH -> PublishCodec.decode(frame, flags, v5, role, topics(), topicAliasMaximum, ingress);
            case PUBACK, PUBREC, PUBREL, PUBCOMP -> AckCodec.decode(frame, type, v5, role);
            case SUBSCRIBE -> SubscribeCodec.decodeSubscribe(frame, v5);
            case SUBACK -> SubscribeCodec.decodeSubAck(frame, v5);
            case UNSUBSCRIBE -> SubscribeCodec.decodeUnsubscribe(frame, v5);
            case UNSUBACK -> SubscribeCodec.decodeUnsubAck(frame, v5);
            case PINGREQ -> Ping.REQUEST;
            case PINGRESP -> Ping.RESPONSE;
            case DISCONNECT -> disconnect(v5, frame);
            case AUTH -> DisconnectAuthCodec.decodeAuth(frame, role);
        };
    }

    private Connect connect(Frame frame) {
        Connect connect = ConnectCodec.decode(frame, this::learned);
        frame.expectEnd();
        connected = true;
        sessionEndsWithConnection = connect.version().isV5() && connect.sessionExpirySeconds() == 0;
        return connect;
    }

    private Disconnect disconnect(boolean v5, Frame frame) {
        Disconnect disconnect = DisconnectAuthCodec.decodeDisconnect(frame, v5, role);
        Long expiry = disconnect.sessionExpirySeconds();
        if (sessionEndsWithConnection && expiry != null && expiry > 0) {
            throw violation("DISCONNECT sets a Session Expiry Interval after CONNECT had none");
        }
        return disconnect;
    }

    private ProtocolVersion spokenVersion() {
        ProtocolVersion spoken = version;
        return spoken == null ? ProtocolVersion.MQTT_5 : spoken;
    }

    private InboundTopics topics() {
        InboundTopics known = topics;
        if (known == null) {
            known = new InboundTopics();
            topics = known;
        }
        return known;
    }
}
