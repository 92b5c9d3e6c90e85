package org.dunlin.mqtt.codec;

import static org.dunlin.mqtt.codec.ProtocolError.violation;

import io.netty.buffer.ByteBuf;
import java.util.List;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.UserProperty;
import org.dunlin.mqtt.codec.PacketDecoder.Role;
import org.jspecify.annotations.Nullable;

/** PUBACK, PUBREC, PUBREL and PUBCOMP. Any thread. */
final class AckCodec {
    private AckCodec() {}

    static Ack decode(Frame in, PacketType type, boolean v5, Role us) {
        int packetId = in.packetId();
        if (!v5 || in.remaining() == 0) {
            return new Ack(type, packetId);
        }
        ReasonCode reason = reason(in.u8("Reason Code"), type);
        if (in.remaining() == 0) {
            return new Ack(type, packetId, reason);
        }
        Explanation explanation = Explanation.read(in, type, us);
        return new Ack(type, packetId, reason, explanation.reasonString(), explanation.userProperties());
    }

    /** [MQTT-3.4.2-1] and likewise for the other packets. */
    static ReasonCode reason(int code, PacketType type) {
        ReasonCode reason = ReasonCode.of(code);
        if (reason == null || !reason.allowedIn(type)) {
            throw violation(type + " has a reason code that is not of its table");
        }
        return reason;
    }

    static boolean encode(Ack ack, boolean v5, boolean explain, long maximum, ByteBuf out) {
        PropertyBlock properties = new PropertyBlock();
        if (v5 && explain) {
            properties.explanation(ack.reasonString(), ack.userProperties());
        }
        properties.thinOutToFit(3, maximum);
        if (properties.isEmpty()) {
            boolean bare = !v5 || ack.reason() == ReasonCode.SUCCESS;
            if (!Wire.fits(bare ? 2 : 3, maximum)) {
                return false;
            }
            writeLean(ack.type(), ack.packetId(), ack.reason(), v5, out);
            return true;
        }
        Wire.writeHeader(out, ack.type(), 3 + properties.wireSize());
        out.writeShort(ack.packetId());
        out.writeByte(ack.reason().code());
        properties.write(out);
        return true;
    }

    static void writeLean(PacketType type, int packetId, ReasonCode reason, boolean v5, ByteBuf out) {
        int first = type.value() << 4 | type.flags();
        if (!v5 || reason == ReasonCode.SUCCESS) {
            out.writeInt(first << 24 | 2 << 16 | packetId);
        } else {
            out.writeInt(first << 24 | 3 << 16 | packetId);
            out.writeByte(reason.code());
        }
    }

    /** Reason String and User Properties, which most packets have and nothing else. */
    static final class Explanation implements Property.Sink {
        private final Frame in;
        private final ConnectCodec.Users users = new ConnectCodec.Users();
        private @Nullable String reasonString;
        private int subscriptionId;

        private Explanation(Frame in) {
            this.in = in;
        }

        /** @param type one whose properties are Reason String, User Property and Subscription Identifier at most */
        static Explanation read(Frame in, PacketType type, Role us) {
            Explanation explanation = new Explanation(in);
            Property.readAll(in, Property.in(type), us, explanation);
            return explanation;
        }

        @Override
        public void take(Property property, long number, int start, int value) {
            switch (property) {
                case REASON_STRING -> reasonString = in.textAt(value);
                case SUBSCRIPTION_IDENTIFIER -> subscriptionId = (int) number;
                default -> users.add(in.pairAt(value));
            }
        }

        @Nullable
        String reasonString() {
            return reasonString;
        }

        List<UserProperty> userProperties() {
            return users.list();
        }

        /** 0 if there is none. */
        int subscriptionId() {
            return subscriptionId;
        }
    }
}
