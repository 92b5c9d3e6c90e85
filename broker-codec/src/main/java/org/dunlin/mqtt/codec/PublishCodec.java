package org.dunlin.mqtt.codec;

import static org.dunlin.mqtt.codec.ProtocolError.malformed;
import static org.dunlin.mqtt.codec.ProtocolError.violation;

import io.netty.buffer.ByteBuf;
import java.util.List;
import org.dunlin.mqtt.Ingress;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.codec.PacketDecoder.Role;

/** PUBLISH. Any thread. */
final class PublishCodec {
    static final int DUP = 8;
    static final int RETAIN = 1;
    static final int[] NO_IDS = new int[0];

    private static final int PLACE = Property.in(PacketType.PUBLISH);

    private PublishCodec() {}

    static Publish decode(
            Frame in, int flags, boolean v5, Role us, InboundTopics topics, int aliasMaximum, Ingress ingress) {
        Qos qos = Qos.of(flags >> 1 & 3);
        int length = in.u16("Topic Name");
        int from = in.take(length, "Topic Name");
        TopicName topic = length == 0 ? null : topics.name(in, from, from + length, v5);
        int packetId = qos == Qos.AT_MOST_ONCE ? 0 : in.packetId(); // [MQTT-2.2.1-2]
        long expiresAt = Message.NEVER;
        byte[] properties = Message.NO_BYTES;
        int alias = 0;
        List<Integer> subscriptionIds = List.of();
        if (v5 && !in.skipZero("Property Length")) {
            MessageProperties found = new MessageProperties(in);
            Property.readAll(in, PLACE, us, found);
            alias = found.topicAlias;
            if (alias > aliasMaximum) { // [MQTT-3.3.2-9]
                throw new ProtocolError(
                        ReasonCode.TOPIC_ALIAS_INVALID,
                        "Topic Alias is above the Topic Alias Maximum of " + aliasMaximum);
            }
            if (found.expirySeconds >= 0) {
                expiresAt = ingress.nowMillis() + found.expirySeconds * 1000;
            }
            properties = found.passedThrough();
            subscriptionIds = found.subscriptionIds();
        }
        byte[] payload = in.rest();
        if (topic == null) {
            topic = topicOf(alias, v5, topics);
        } else if (alias != 0) {
            topics.alias(alias, topic, aliasMaximum);
        }
        Message message = new Message(
                ingress.nextMessageId(),
                ingress.publisher(),
                topic,
                payload,
                qos,
                (flags & RETAIN) != 0,
                expiresAt,
                properties);
        boolean dup = (flags & DUP) != 0 && qos != Qos.AT_MOST_ONCE;
        return new Publish(message, packetId, dup, alias, subscriptionIds);
    }

    private static TopicName topicOf(int alias, boolean v5, InboundTopics topics) {
        if (!v5) {
            throw malformed("Topic Name is empty"); // [MQTT-4.7.3-1]
        }
        if (alias == 0) {
            throw violation("Topic Name is empty and there is no Topic Alias");
        }
        TopicName topic = topics.aliased(alias);
        if (topic == null) {
            throw violation("Topic Name is empty and the Topic Alias has not been set");
        }
        return topic;
    }

    static boolean encode(Publish publish, boolean v5, long maximum, long nowMillis, ByteBuf out) {
        Message message = publish.message();
        List<Integer> ids = publish.subscriptionIds();
        int[] subscriptionIds = NO_IDS;
        if (v5 && !ids.isEmpty()) {
            subscriptionIds = new int[ids.size()];
            for (int i = 0; i < subscriptionIds.length; i++) {
                subscriptionIds[i] = ids.get(i);
            }
        }
        int alias = v5 ? publish.topicAlias() : 0;
        boolean withId = message.qos() != Qos.AT_MOST_ONCE;
        long body = bodySize(message, true, withId, v5, alias, subscriptionIds);
        if (!Wire.fits(body, maximum)) {
            return false;
        }
        int first = firstByte(message.qos(), message.retain(), publish.dup());
        writeHead(out, message, first, (int) body, true, publish.packetId(), v5, alias, subscriptionIds, nowMillis);
        out.writeBytes(message.payload());
        return true;
    }

    /** DUP is never set with QoS 0 [MQTT-3.3.1-2]. */
    static int firstByte(Qos qos, boolean retain, boolean dup) {
        return PacketType.PUBLISH.value() << 4
                | (dup && qos != Qos.AT_MOST_ONCE ? DUP : 0)
                | qos.value() << 1
                | (retain ? RETAIN : 0);
    }

    /** Bytes after the Remaining Length, payload included. */
    static long bodySize(
            Message message, boolean withTopic, boolean withId, boolean v5, int alias, int[] subscriptionIds) {
        long size = 2L + (withTopic ? message.topic().utf8().length : 0) + (withId ? 2 : 0);
        if (v5) {
            int properties = propertySize(message, alias, subscriptionIds);
            size += Wire.vbiSize(properties) + properties;
        }
        return size + message.payload().length;
    }

    private static int propertySize(Message message, int alias, int[] subscriptionIds) {
        int size = message.properties().length + (message.hasExpiry() ? 5 : 0) + (alias != 0 ? 3 : 0);
        for (int id : subscriptionIds) {
            size += 1 + Wire.vbiSize(id);
        }
        return size;
    }

    /**
     * Writes all but the payload. Properties come in the order expiry, alias, subscription identifiers, those of the
     * publisher; {@link PublishWriter} relies on it.
     *
     * @param packetId used if the first byte has a QoS above 0
     */
    static void writeHead(
            ByteBuf out,
            Message message,
            int first,
            int body,
            boolean withTopic,
            int packetId,
            boolean v5,
            int alias,
            int[] subscriptionIds,
            long nowMillis) {
        out.writeByte(first);
        Wire.writeVbi(out, body);
        if (withTopic) {
            Wire.writeBinary(out, message.topic().utf8());
        } else {
            out.writeShort(0);
        }
        if ((first & 6) != 0) {
            out.writeShort(packetId);
        }
        if (!v5) {
            return;
        }
        Wire.writeVbi(out, propertySize(message, alias, subscriptionIds));
        if (message.hasExpiry()) {
            out.writeByte(Property.MESSAGE_EXPIRY_INTERVAL.id());
            out.writeInt(expiry(message, nowMillis));
        }
        if (alias != 0) {
            out.writeByte(Property.TOPIC_ALIAS.id());
            out.writeShort(alias);
        }
        for (int id : subscriptionIds) {
            out.writeByte(Property.SUBSCRIPTION_IDENTIFIER.id());
            Wire.writeVbi(out, id);
        }
        out.writeBytes(message.properties());
    }

    /** The remaining Message Expiry Interval as it stands on the wire [MQTT-3.3.2-6]. */
    static int expiry(Message message, long nowMillis) {
        return (int) Math.min(message.remainingExpirySeconds(nowMillis), 0xFFFF_FFFFL);
    }
}
