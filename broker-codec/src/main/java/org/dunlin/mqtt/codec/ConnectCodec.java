package org.dunlin.mqtt.codec;

import static org.dunlin.mqtt.codec.ProtocolError.malformed;
import static org.dunlin.mqtt.codec.ProtocolError.violation;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.UserProperty;
import org.dunlin.mqtt.Will;
import org.dunlin.mqtt.codec.PacketDecoder.Role;
import org.jspecify.annotations.Nullable;

/** CONNECT and CONNACK. Any thread. */
final class ConnectCodec {
    private static final int USER_NAME = 0x80;
    private static final int PASSWORD = 0x40;
    private static final int WILL_RETAIN = 0x20;
    private static final int WILL_QOS = 0x18;
    private static final int WILL = 0x04;
    private static final int CLEAN_START = 0x02;
    private static final int RESERVED = 0x01;

    /** Set in the level by bridges of other brokers, by private convention. */
    private static final int BRIDGE = 0x80;

    private ConnectCodec() {}

    /**
     * Reads protocol name and level.
     *
     * @param known told the version to answer in, also if that version is not spoken; not called for a foreign protocol
     */
    static ProtocolVersion readVersion(Frame in, Consumer<ProtocolVersion> known) {
        String name = in.text("Protocol Name");
        if (name.equals(ProtocolVersion.MQTT_3_1.protocolName())) {
            known.accept(ProtocolVersion.MQTT_3_1);
        } else if (!name.equals(ProtocolVersion.MQTT_5.protocolName())) {
            throw new ProtocolError(
                    ReasonCode.UNSUPPORTED_PROTOCOL_VERSION,
                    "Protocol Name is neither MQTT nor MQIsdp"); // [MQTT-3.1.2-1]
        }
        int level = in.u8("Protocol Version");
        int plain = level & ~BRIDGE;
        ProtocolVersion version = ProtocolVersion.of(name, plain);
        if (version == null || plain != level && version.isV5()) {
            if (name.equals(ProtocolVersion.MQTT_5.protocolName())) {
                known.accept(level > 5 ? ProtocolVersion.MQTT_5 : ProtocolVersion.MQTT_3_1_1);
            }
            throw new ProtocolError(
                    ReasonCode.UNSUPPORTED_PROTOCOL_VERSION,
                    "Protocol Version " + level + " is not spoken here"); // [MQTT-3.1.2-2]
        }
        known.accept(version);
        return version;
    }

    static Connect decode(Frame in, Consumer<ProtocolVersion> known) {
        ProtocolVersion version = readVersion(in, known);
        int flags = in.u8("Connect Flags");
        checkFlags(flags, version);
        int keepAlive = in.u16("Keep Alive");
        ConnectProperties properties = new ConnectProperties(in);
        if (version.isV5()) {
            Property.readAll(in, Property.in(PacketType.CONNECT), Role.SERVER, properties);
            if (properties.data != null && properties.method == null) {
                throw violation("Authentication Data without Authentication Method");
            }
        }
        String clientId = in.text("Client Identifier");
        Will will = (flags & WILL) == 0 ? null : decodeWill(in, flags, version);
        String userName = has(USER_NAME, flags, in, version) ? in.text("User Name") : null;
        byte[] password = has(PASSWORD, flags, in, version) ? in.binary("Password") : null;
        boolean cleanStart = (flags & CLEAN_START) != 0;
        long expiry = version.isV5() ? properties.sessionExpiry : cleanStart ? 0 : Connect.NO_EXPIRY;
        return new Connect(
                version,
                clientId,
                cleanStart,
                keepAlive,
                will,
                userName,
                password,
                expiry,
                properties.receiveMaximum,
                properties.maximumPacketSize,
                properties.topicAliasMaximum,
                properties.responseInformation,
                properties.problemInformation,
                properties.method,
                properties.data,
                properties.users.list());
    }

    /** In 3.1 the Remaining Length wins over these flags: clients older still set them and have no such field. */
    private static boolean has(int credential, int flags, Frame in, ProtocolVersion version) {
        return (flags & credential) != 0 && (version != ProtocolVersion.MQTT_3_1 || in.remaining() > 0);
    }

    private static void checkFlags(int flags, ProtocolVersion version) {
        if ((flags & RESERVED) != 0) {
            throw malformed("The reserved bit of the Connect Flags is set"); // [MQTT-3.1.2-3]
        }
        if ((flags & WILL_QOS) == WILL_QOS) {
            throw malformed("Will QoS is 3"); // [MQTT-3.1.2-12]
        }
        if ((flags & WILL) == 0 && (flags & (WILL_QOS | WILL_RETAIN)) != 0) {
            throw malformed("Will QoS or Will Retain without Will Flag"); // [MQTT-3.1.2-11] [MQTT-3.1.2-13]
        }
        if (!version.isV5() && (flags & PASSWORD) != 0 && (flags & USER_NAME) == 0) {
            throw malformed("Password without User Name"); // [MQTT-3.1.2-22] of 3.1.1
        }
    }

    private static Will decodeWill(Frame in, int flags, ProtocolVersion version) {
        MessageProperties properties = new MessageProperties(in);
        if (version.isV5()) {
            Property.readAll(in, Property.WILL, Role.SERVER, properties);
        }
        int from = in.skipText("Will Topic") + 2;
        int to = in.position();
        String fault = from == to
                ? "Will Topic is empty"
                : in.hasWildcard(from, to) ? "Will Topic has a wildcard; only a topic filter may have wildcards" : null;
        if (fault != null) {
            throw version.isV5() ? new ProtocolError(ReasonCode.TOPIC_NAME_INVALID, fault) : malformed(fault);
        }
        TopicName topic = TopicName.ofChecked(in.text(from, to), in.bytes(from, to));
        byte[] payload = in.binary("Will Payload");
        return new Will(
                topic,
                payload,
                Qos.of((flags & WILL_QOS) >> 3),
                (flags & WILL_RETAIN) != 0,
                properties.passedThrough(),
                properties.expirySeconds,
                properties.delaySeconds);
    }

    static boolean encode(Connect connect, long maximum, ByteBuf out) {
        ProtocolVersion version = connect.version();
        Will will = connect.will();
        String userName = connect.userName();
        byte[] password = connect.password();
        PropertyBlock properties = new PropertyBlock();
        PropertyBlock willProperties = new PropertyBlock();
        long body = 2 + version.protocolName().length() + 4 + Wire.textSize(connect.clientId());
        if (version.isV5()) {
            gather(connect, properties);
            body += properties.wireSize();
        }
        if (will != null) {
            if (version.isV5()) {
                willProperties
                        .when(will.delaySeconds() > 0, Property.WILL_DELAY_INTERVAL, will.delaySeconds())
                        .when(will.expirySeconds() >= 0, Property.MESSAGE_EXPIRY_INTERVAL, will.expirySeconds())
                        .encoded(will.properties());
                body += willProperties.wireSize();
            }
            body += Wire.binarySize(will.topic().utf8()) + Wire.binarySize(will.payload());
        }
        body += userName == null ? 0 : Wire.textSize(userName);
        body += password == null ? 0 : Wire.binarySize(password);
        if (!Wire.fits(body, maximum)) {
            return false;
        }
        Wire.writeHeader(out, PacketType.CONNECT, (int) body);
        Wire.writeBinary(out, version.protocolName().getBytes(StandardCharsets.US_ASCII));
        out.writeByte(version.level());
        out.writeByte(flags(connect));
        out.writeShort(connect.keepAliveSeconds());
        if (version.isV5()) {
            properties.write(out);
        }
        Wire.writeText(out, connect.clientId());
        if (will != null) {
            if (version.isV5()) {
                willProperties.write(out);
            }
            Wire.writeBinary(out, will.topic().utf8());
            Wire.writeBinary(out, will.payload());
        }
        if (userName != null) {
            Wire.writeText(out, userName);
        }
        if (password != null) {
            Wire.writeBinary(out, password);
        }
        return true;
    }

    private static void gather(Connect connect, PropertyBlock properties) {
        long expiry = connect.sessionExpirySeconds();
        int receiveMaximum = connect.receiveMaximum();
        properties
                .when(expiry != 0, Property.SESSION_EXPIRY_INTERVAL, expiry)
                .when(receiveMaximum != Connect.DEFAULT_RECEIVE_MAXIMUM, Property.RECEIVE_MAXIMUM, receiveMaximum)
                .when(
                        connect.maximumPacketSize() != Long.MAX_VALUE,
                        Property.MAXIMUM_PACKET_SIZE,
                        connect.maximumPacketSize())
                .when(connect.topicAliasMaximum() != 0, Property.TOPIC_ALIAS_MAXIMUM, connect.topicAliasMaximum())
                .when(connect.requestResponseInformation(), Property.REQUEST_RESPONSE_INFORMATION, 1)
                .when(!connect.requestProblemInformation(), Property.REQUEST_PROBLEM_INFORMATION, 0)
                .text(Property.AUTHENTICATION_METHOD, connect.authenticationMethod())
                .binary(Property.AUTHENTICATION_DATA, connect.authenticationData())
                .users(connect.userProperties());
    }

    private static int flags(Connect connect) {
        int flags = connect.cleanStart() ? CLEAN_START : 0;
        Will will = connect.will();
        if (will != null) {
            flags |= WILL | will.qos().value() << 3 | (will.retain() ? WILL_RETAIN : 0);
        }
        return flags | (connect.userName() != null ? USER_NAME : 0) | (connect.password() != null ? PASSWORD : 0);
    }

    static ConnAck decodeConnAck(Frame in, ProtocolVersion version) {
        int flags = in.u8("Connect Acknowledge Flags");
        int code = in.u8("Connect Reason Code");
        if (version != ProtocolVersion.MQTT_3_1 && flags > 1) {
            throw malformed("A reserved bit of the Connect Acknowledge Flags is set"); // [MQTT-3.2.2-1]
        }
        boolean sessionPresent = version != ProtocolVersion.MQTT_3_1 && flags == 1;
        ReasonCode reason = version.isV5() ? ReasonCode.of(code) : ofReturnCode(code);
        if (reason == null || !reason.allowedIn(PacketType.CONNACK)) {
            throw violation("CONNACK has a reason code that is not of its table"); // [MQTT-3.2.2-8]
        }
        if (sessionPresent && reason.isError()) {
            throw violation("CONNACK refuses the connection with Session Present 1"); // [MQTT-3.2.2-6]
        }
        if (!version.isV5()) {
            return new ConnAck(sessionPresent, reason);
        }
        ConnAckProperties properties = new ConnAckProperties(in);
        Property.readAll(in, Property.in(PacketType.CONNACK), Role.CLIENT, properties);
        if (properties.data != null && properties.method == null) {
            throw violation("Authentication Data without Authentication Method");
        }
        return new ConnAck(sessionPresent, reason, properties.build());
    }

    private static @Nullable ReasonCode ofReturnCode(int code) {
        return switch (code) {
            case 0 -> ReasonCode.SUCCESS;
            case 1 -> ReasonCode.UNSUPPORTED_PROTOCOL_VERSION;
            case 2 -> ReasonCode.CLIENT_IDENTIFIER_NOT_VALID;
            case 3 -> ReasonCode.SERVER_UNAVAILABLE;
            case 4 -> ReasonCode.BAD_USER_NAME_OR_PASSWORD;
            case 5 -> ReasonCode.NOT_AUTHORIZED;
            default -> null;
        };
    }

    static boolean encode(ConnAck connAck, ProtocolVersion version, long maximum, ByteBuf out) {
        boolean sessionPresent = connAck.sessionPresent() && !connAck.reason().isError(); // [MQTT-3.2.2-6]
        if (!version.isV5()) {
            int code = connAck.reason().v3ConnectReturnCode();
            if (code < 0 || !Wire.fits(2, maximum)) {
                return false; // [MQTT-3.2.2-6] of 3.1.1: closed without CONNACK
            }
            Wire.writeHeader(out, PacketType.CONNACK, 2);
            out.writeByte(sessionPresent && version == ProtocolVersion.MQTT_3_1_1 ? 1 : 0);
            out.writeByte(code);
            return true;
        }
        PropertyBlock properties = gather(connAck.properties());
        if (!properties.thinOutToFit(2, maximum)) {
            return false;
        }
        Wire.writeHeader(out, PacketType.CONNACK, 2 + properties.wireSize());
        out.writeByte(sessionPresent ? 1 : 0);
        out.writeByte(connAck.reason().code());
        properties.write(out);
        return true;
    }

    private static PropertyBlock gather(ConnAck.Properties given) {
        if (given == ConnAck.Properties.NONE) {
            return new PropertyBlock();
        }
        return new PropertyBlock()
                .number(Property.SESSION_EXPIRY_INTERVAL, given.sessionExpirySeconds())
                .number(Property.RECEIVE_MAXIMUM, given.receiveMaximum())
                .number(Property.MAXIMUM_QOS, given.maximumQos())
                .when(given.noRetain(), Property.RETAIN_AVAILABLE, 0)
                .number(Property.MAXIMUM_PACKET_SIZE, given.maximumPacketSize())
                .text(Property.ASSIGNED_CLIENT_IDENTIFIER, given.assignedClientId())
                .number(Property.TOPIC_ALIAS_MAXIMUM, given.topicAliasMaximum())
                .when(given.noWildcardSubscriptions(), Property.WILDCARD_SUBSCRIPTION_AVAILABLE, 0)
                .when(given.noSubscriptionIdentifiers(), Property.SUBSCRIPTION_IDENTIFIER_AVAILABLE, 0)
                .when(given.noSharedSubscriptions(), Property.SHARED_SUBSCRIPTION_AVAILABLE, 0)
                .number(Property.SERVER_KEEP_ALIVE, given.serverKeepAliveSeconds())
                .text(Property.RESPONSE_INFORMATION, given.responseInformation())
                .text(Property.SERVER_REFERENCE, given.serverReference())
                .text(Property.AUTHENTICATION_METHOD, given.authenticationMethod())
                .binary(Property.AUTHENTICATION_DATA, given.authenticationData())
                .explanation(given.reasonString(), given.userProperties());
    }

    /** User Properties as they come. */
    static final class Users {
        private @Nullable List<UserProperty> found;

        void add(UserProperty user) {
            List<UserProperty> users = found;
            if (users == null) {
                users = new ArrayList<>();
                found = users;
            }
            users.add(user);
        }

        List<UserProperty> list() {
            List<UserProperty> users = found;
            return users == null ? List.of() : Collections.unmodifiableList(users);
        }
    }

    private static final class ConnectProperties implements Property.Sink {
        private final Frame in;
        private final Users users = new Users();
        private long sessionExpiry;
        private int receiveMaximum = Connect.DEFAULT_RECEIVE_MAXIMUM;
        private long maximumPacketSize = Long.MAX_VALUE;
        private int topicAliasMaximum;
        private boolean responseInformation;
        private boolean problemInformation = true;
        private @Nullable String method;
        private byte @Nullable [] data;

        private ConnectProperties(Frame in) {
            this.in = in;
        }

        @Override
        public void take(Property property, long number, int start, int value) {
            switch (property) {
                case SESSION_EXPIRY_INTERVAL -> sessionExpiry = number;
                case RECEIVE_MAXIMUM -> receiveMaximum = (int) number;
                case MAXIMUM_PACKET_SIZE -> maximumPacketSize = number;
                case TOPIC_ALIAS_MAXIMUM -> topicAliasMaximum = (int) number;
                case REQUEST_RESPONSE_INFORMATION -> responseInformation = number == 1;
                case REQUEST_PROBLEM_INFORMATION -> problemInformation = number == 1;
                case AUTHENTICATION_METHOD -> method = in.textAt(value);
                case AUTHENTICATION_DATA -> data = in.binaryAt(value);
                default -> users.add(in.pairAt(value));
            }
        }
    }

    private static final class ConnAckProperties implements Property.Sink {
        private final Frame in;
        private final Users users = new Users();
        private @Nullable Long sessionExpiry;
        private @Nullable Integer receiveMaximum;
        private @Nullable Integer maximumQos;
        private boolean noRetain;
        private @Nullable Long maximumPacketSize;
        private @Nullable String assignedClientId;
        private @Nullable Integer topicAliasMaximum;
        private @Nullable String reasonString;
        private boolean noWildcards;
        private boolean noIdentifiers;
        private boolean noShared;
        private @Nullable Integer keepAlive;
        private @Nullable String responseInformation;
        private @Nullable String serverReference;
        private @Nullable String method;
        private byte @Nullable [] data;

        private ConnAckProperties(Frame in) {
            this.in = in;
        }

        @Override
        public void take(Property property, long number, int start, int value) {
            switch (property) {
                case SESSION_EXPIRY_INTERVAL -> sessionExpiry = number;
                case RECEIVE_MAXIMUM -> receiveMaximum = (int) number;
                case MAXIMUM_QOS -> maximumQos = (int) number;
                case RETAIN_AVAILABLE -> noRetain = number == 0;
                case MAXIMUM_PACKET_SIZE -> maximumPacketSize = number;
                case ASSIGNED_CLIENT_IDENTIFIER -> assignedClientId = in.textAt(value);
                case TOPIC_ALIAS_MAXIMUM -> topicAliasMaximum = (int) number;
                case REASON_STRING -> reasonString = in.textAt(value);
                case WILDCARD_SUBSCRIPTION_AVAILABLE -> noWildcards = number == 0;
                case SUBSCRIPTION_IDENTIFIER_AVAILABLE -> noIdentifiers = number == 0;
                case SHARED_SUBSCRIPTION_AVAILABLE -> noShared = number == 0;
                case SERVER_KEEP_ALIVE -> keepAlive = (int) number;
                case RESPONSE_INFORMATION -> responseInformation = in.textAt(value);
                case SERVER_REFERENCE -> serverReference = in.textAt(value);
                case AUTHENTICATION_METHOD -> method = in.textAt(value);
                case AUTHENTICATION_DATA -> data = in.binaryAt(value);
                default -> users.add(in.pairAt(value));
            }
        }

        private ConnAck.Properties build() {
            return new ConnAck.Properties(
                    sessionExpiry,
                    receiveMaximum,
                    maximumQos,
                    noRetain,
                    maximumPacketSize,
                    assignedClientId,
                    topicAliasMaximum,
                    reasonString,
                    users.list(),
                    noWildcards,
                    noIdentifiers,
                    noShared,
                    keepAlive,
                    responseInformation,
                    serverReference,
                    method,
                    data);
        }
    }
}
