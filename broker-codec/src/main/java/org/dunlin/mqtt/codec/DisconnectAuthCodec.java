package org.dunlin.mqtt.codec;

import static org.dunlin.mqtt.codec.ProtocolError.violation;

import io.netty.buffer.ByteBuf;
import org.dunlin.mqtt.Auth;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.codec.PacketDecoder.Role;
import org.jspecify.annotations.Nullable;

/** DISCONNECT and AUTH. Any thread. */
final class DisconnectAuthCodec {
    private DisconnectAuthCodec() {}

    static Disconnect decodeDisconnect(Frame in, boolean v5, Role us) {
        if (!v5 || in.remaining() == 0) {
            return new Disconnect(ReasonCode.SUCCESS);
        }
        ReasonCode reason = AckCodec.reason(in.u8("Disconnect Reason Code"), PacketType.DISCONNECT);
        if (!mayCome(reason, us)) {
            throw violation("DISCONNECT has a reason code of the other side"); // [MQTT-3.14.2-1]
        }
        if (in.remaining() == 0) {
            return new Disconnect(reason);
        }
        Properties properties = new Properties(in);
        Property.readAll(in, Property.in(PacketType.DISCONNECT), us, properties);
        return new Disconnect(
                reason,
                properties.sessionExpiry,
                properties.reasonString,
                properties.serverReference,
                properties.users.list());
    }

    /** Whether a DISCONNECT from the other side may have it, by the table of section 3.14.2.1. */
    private static boolean mayCome(ReasonCode reason, Role us) {
        if (us == Role.CLIENT) {
            return reason != ReasonCode.DISCONNECT_WITH_WILL;
        }
        return switch (reason) {
            case SUCCESS,
                    DISCONNECT_WITH_WILL,
                    UNSPECIFIED_ERROR,
                    MALFORMED_PACKET,
                    PROTOCOL_ERROR,
                    IMPLEMENTATION_SPECIFIC_ERROR,
                    TOPIC_NAME_INVALID,
                    RECEIVE_MAXIMUM_EXCEEDED,
                    TOPIC_ALIAS_INVALID,
                    PACKET_TOO_LARGE,
                    MESSAGE_RATE_TOO_HIGH,
                    QUOTA_EXCEEDED,
                    ADMINISTRATIVE_ACTION,
                    PAYLOAD_FORMAT_INVALID -> true;
            default -> false;
        };
    }

    static boolean encode(Disconnect disconnect, boolean v5, Role us, long maximum, ByteBuf out) {
        if (!v5) {
            if (us == Role.SERVER || !Wire.fits(0, maximum)) {
                return false; // a server of 3.x has no DISCONNECT
            }
            Wire.writeHeader(out, PacketType.DISCONNECT, 0);
            return true;
        }
        PropertyBlock properties = new PropertyBlock();
        if (us == Role.CLIENT) {
            properties.number(Property.SESSION_EXPIRY_INTERVAL, disconnect.sessionExpirySeconds()); // [MQTT-3.14.2-2]
        } else {
            properties.text(Property.SERVER_REFERENCE, disconnect.serverReference());
        }
        properties.explanation(disconnect.reasonString(), disconnect.userProperties());
        boolean fits = properties.thinOutToFit(1, maximum);
        if (!properties.isEmpty()) {
            if (!fits) {
                return false;
            }
            Wire.writeHeader(out, PacketType.DISCONNECT, 1 + properties.wireSize());
            out.writeByte(disconnect.reason().code());
            properties.write(out);
            return true;
        }
        int body = disconnect.reason() == ReasonCode.SUCCESS ? 0 : 1;
        if (!Wire.fits(body, maximum)) {
            return false;
        }
        Wire.writeHeader(out, PacketType.DISCONNECT, body);
        if (body == 1) {
            out.writeByte(disconnect.reason().code());
        }
        return true;
    }

    static Auth decodeAuth(Frame in, Role us) {
        ReasonCode reason = ReasonCode.SUCCESS;
        Properties properties = new Properties(in);
        if (in.remaining() > 0) {
            reason = AckCodec.reason(in.u8("Authenticate Reason Code"), PacketType.AUTH);
            if (reason == (us == Role.SERVER ? ReasonCode.SUCCESS : ReasonCode.RE_AUTHENTICATE)) {
                throw violation("AUTH has a reason code of the other side"); // [MQTT-3.15.2-1]
            }
            Property.readAll(in, Property.in(PacketType.AUTH), us, properties);
        }
        String method = properties.method;
        if (method == null) {
            throw violation("AUTH has no Authentication Method");
        }
        return new Auth(reason, method, properties.data, properties.reasonString, properties.users.list());
    }

    static boolean encode(Auth auth, boolean v5, boolean explain, long maximum, ByteBuf out) {
        if (!v5) {
            return false;
        }
        PropertyBlock properties = new PropertyBlock()
                .text(Property.AUTHENTICATION_METHOD, auth.method())
                .binary(Property.AUTHENTICATION_DATA, auth.data());
        if (explain) {
            properties.explanation(auth.reasonString(), auth.userProperties());
        }
        if (!properties.thinOutToFit(1, maximum)) {
            return false;
        }
        Wire.writeHeader(out, PacketType.AUTH, 1 + properties.wireSize());
        out.writeByte(auth.reason().code());
        properties.write(out);
        return true;
    }

    private static final class Properties implements Property.Sink {
        private final Frame in;
        private final ConnectCodec.Users users = new ConnectCodec.Users();
        private @Nullable Long sessionExpiry;
        private @Nullable String reasonString;
        private @Nullable String serverReference;
        private @Nullable String method;
        private byte @Nullable [] data;

        private Properties(Frame in) {
            this.in = in;
        }

        @Override
        public void take(Property property, long number, int start, int value) {
            switch (property) {
                case SESSION_EXPIRY_INTERVAL -> sessionExpiry = number;
                case REASON_STRING -> reasonString = in.textAt(value);
                case SERVER_REFERENCE -> serverReference = in.textAt(value);
                case AUTHENTICATION_METHOD -> method = in.textAt(value);
                case AUTHENTICATION_DATA -> data = in.binaryAt(value);
                default -> users.add(in.pairAt(value));
            }
        }
    }
}
