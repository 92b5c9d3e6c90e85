package org.dunlin.mqtt.codec;

import static org.dunlin.mqtt.codec.ProtocolError.malformed;
import static org.dunlin.mqtt.codec.ProtocolError.violation;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.Subscribe.RetainHandling;
import org.dunlin.mqtt.UnsubAck;
import org.dunlin.mqtt.Unsubscribe;
import org.dunlin.mqtt.UserProperty;
import org.dunlin.mqtt.codec.AckCodec.Explanation;
import org.dunlin.mqtt.codec.PacketDecoder.Role;
import org.jspecify.annotations.Nullable;

/** SUBSCRIBE, SUBACK, UNSUBSCRIBE and UNSUBACK. Any thread. */
final class SubscribeCodec {
    private static final RetainHandling[] RETAIN_HANDLING = RetainHandling.values();
    private static final int NO_LOCAL = 0x04;
    private static final int RETAIN_AS_PUBLISHED = 0x08;
    private static final int V3_FAILURE = 0x80;

    private SubscribeCodec() {}

    static Subscribe decodeSubscribe(Frame in, boolean v5) {
        int packetId = in.packetId();
        int subscriptionId = 0;
        List<UserProperty> users = List.of();
        if (v5) {
            Explanation properties = Explanation.read(in, PacketType.SUBSCRIBE, Role.SERVER);
            subscriptionId = properties.subscriptionId();
            users = properties.userProperties();
        }
        if (in.remaining() == 0) {
            throw violation("SUBSCRIBE has no topic filter"); // [MQTT-3.8.3-2]
        }
        List<Subscribe.Entry> entries = new ArrayList<>(1);
        while (in.remaining() > 0) {
            String filter = in.topicFilter();
            int options = in.u8("Subscription Options");
            entries.add(v5 ? entry(filter, options) : entryOfV3(filter, options));
        }
        return new Subscribe(packetId, subscriptionId, Collections.unmodifiableList(entries), users);
    }

    private static Subscribe.Entry entry(String filter, int options) {
        if ((options & 0xC0) != 0) {
            throw malformed("A reserved bit of the Subscription Options is set"); // [MQTT-3.8.3-5]
        }
        int qos = options & 3;
        int handling = options >> 4;
        if (qos == 3) {
            throw violation("Maximum QoS of the Subscription Options is 3");
        }
        if (handling == 3) {
            throw violation("Retain Handling is 3");
        }
        boolean noLocal = (options & NO_LOCAL) != 0;
        if (noLocal && filter.startsWith("$share/")) {
            throw violation("No Local is set on a Shared Subscription"); // [MQTT-3.8.3-4]
        }
        boolean asPublished = (options & RETAIN_AS_PUBLISHED) != 0;
        return new Subscribe.Entry(filter, Qos.of(qos), noLocal, asPublished, RETAIN_HANDLING[handling]);
    }

    private static Subscribe.Entry entryOfV3(String filter, int options) {
        if (options > 2) {
            throw malformed("Requested QoS is none of 0, 1 and 2"); // [MQTT-3.8.3-4] of 3.1.1
        }
        return new Subscribe.Entry(filter, Qos.of(options));
    }

    static boolean encode(Subscribe subscribe, boolean v5, long maximum, ByteBuf out) {
        PropertyBlock properties = new PropertyBlock();
        long body = 2;
        if (v5) {
            int id = subscribe.subscriptionId();
            properties.when(id != 0, Property.SUBSCRIPTION_IDENTIFIER, id).users(subscribe.userProperties());
            body += properties.wireSize();
        }
        for (Subscribe.Entry entry : subscribe.entries()) {
            body += Wire.textSize(entry.filter()) + 1;
        }
        if (!Wire.fits(body, maximum)) {
            return false;
        }
        Wire.writeHeader(out, PacketType.SUBSCRIBE, (int) body);
        out.writeShort(subscribe.packetId());
        if (v5) {
            properties.write(out);
        }
        for (Subscribe.Entry entry : subscribe.entries()) {
            Wire.writeText(out, entry.filter());
            out.writeByte(v5 ? options(entry) : entry.qos().value());
        }
        return true;
    }

    private static int options(Subscribe.Entry entry) {
        return entry.qos().value()
                | (entry.noLocal() ? NO_LOCAL : 0)
                | (entry.retainAsPublished() ? RETAIN_AS_PUBLISHED : 0)
                | entry.retainHandling().ordinal() << 4;
    }

    static Unsubscribe decodeUnsubscribe(Frame in, boolean v5) {
        int packetId = in.packetId();
        List<UserProperty> users = List.of();
        if (v5) {
            users = Explanation.read(in, PacketType.UNSUBSCRIBE, Role.SERVER).userProperties();
        }
        if (in.remaining() == 0) {
            throw violation("UNSUBSCRIBE has no topic filter"); // [MQTT-3.10.3-2]
        }
        List<String> filters = new ArrayList<>(1);
        while (in.remaining() > 0) {
            filters.add(in.topicFilter());
        }
        return new Unsubscribe(packetId, Collections.unmodifiableList(filters), users);
    }

    static boolean encode(Unsubscribe unsubscribe, boolean v5, long maximum, ByteBuf out) {
        PropertyBlock properties = new PropertyBlock();
        long body = 2;
        if (v5) {
            body += properties.users(unsubscribe.userProperties()).wireSize();
        }
        for (String filter : unsubscribe.filters()) {
            body += Wire.textSize(filter);
        }
        if (!Wire.fits(body, maximum)) {
            return false;
        }
        Wire.writeHeader(out, PacketType.UNSUBSCRIBE, (int) body);
        out.writeShort(unsubscribe.packetId());
        if (v5) {
            properties.write(out);
        }
        for (String filter : unsubscribe.filters()) {
            Wire.writeText(out, filter);
        }
        return true;
    }

    static SubAck decodeSubAck(Frame in, boolean v5) {
        int packetId = in.packetId();
        if (!v5) {
            return new SubAck(packetId, reasons(in, PacketType.SUBACK, false));
        }
        Explanation explanation = Explanation.read(in, PacketType.SUBACK, Role.CLIENT);
        return new SubAck(
                packetId,
                reasons(in, PacketType.SUBACK, true),
                explanation.reasonString(),
                explanation.userProperties());
    }

    static UnsubAck decodeUnsubAck(Frame in, boolean v5) {
        int packetId = in.packetId();
        if (!v5) {
            return new UnsubAck(packetId, List.of());
        }
        Explanation explanation = Explanation.read(in, PacketType.UNSUBACK, Role.CLIENT);
        return new UnsubAck(
                packetId,
                reasons(in, PacketType.UNSUBACK, true),
                explanation.reasonString(),
                explanation.userProperties());
    }

    private static List<ReasonCode> reasons(Frame in, PacketType type, boolean v5) {
        if (in.remaining() == 0) {
            throw violation(type + " has no reason code");
        }
        List<ReasonCode> reasons = new ArrayList<>(1);
        while (in.remaining() > 0) {
            int code = in.u8("Reason Code");
            if (!v5 && code > 2 && code != V3_FAILURE) {
                throw violation("SUBACK has a return code that is not of its table"); // [MQTT-3.9.3-2]
            }
            reasons.add(AckCodec.reason(code, type));
        }
        return Collections.unmodifiableList(reasons);
    }

    static boolean encode(SubAck subAck, boolean v5, boolean explain, long maximum, ByteBuf out) {
        if (v5) {
            return encodeV5(
                    PacketType.SUBACK,
                    subAck.packetId(),
                    subAck.reasons(),
                    explain ? subAck.reasonString() : null,
                    explain ? subAck.userProperties() : List.of(),
                    maximum,
                    out);
        }
        int body = 2 + subAck.reasons().size();
        if (!Wire.fits(body, maximum)) {
            return false;
        }
        Wire.writeHeader(out, PacketType.SUBACK, body);
        out.writeShort(subAck.packetId());
        for (ReasonCode reason : subAck.reasons()) {
            out.writeByte(reason.isError() ? V3_FAILURE : reason.code());
        }
        return true;
    }

    static boolean encode(UnsubAck unsubAck, boolean v5, boolean explain, long maximum, ByteBuf out) {
        if (v5) {
            return encodeV5(
                    PacketType.UNSUBACK,
                    unsubAck.packetId(),
                    unsubAck.reasons(),
                    explain ? unsubAck.reasonString() : null,
                    explain ? unsubAck.userProperties() : List.of(),
                    maximum,
                    out);
        }
        if (!Wire.fits(2, maximum)) {
            return false;
        }
        AckCodec.writeLean(PacketType.UNSUBACK, unsubAck.packetId(), ReasonCode.SUCCESS, false, out);
        return true;
    }

    private static boolean encodeV5(
            PacketType type,
            int packetId,
            List<ReasonCode> reasons,
            @Nullable String reasonString,
            List<UserProperty> users,
            long maximum,
            ByteBuf out) {
        PropertyBlock properties = new PropertyBlock().explanation(reasonString, users);
        int rest = 2 + reasons.size();
        if (!properties.thinOutToFit(rest, maximum)) {
            return false;
        }
        Wire.writeHeader(out, type, rest + properties.wireSize());
        out.writeShort(packetId);
        properties.write(out);
        for (ReasonCode reason : reasons) {
            out.writeByte(reason.code());
        }
        return true;
    }
}
