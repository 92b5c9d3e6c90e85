package org.dunlin.mqtt.codec;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.dunlin.mqtt.Ingress;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.UserProperty;
import org.dunlin.mqtt.codec.PacketDecoder.Role;

/** Packets for tests: built, compared, and turned to bytes and back in one call. Any thread. */
public final class Packets {
    /** Time stands at this moment for {@link #INGRESS} and for {@link #encoder}. */
    public static final long NOW = 1_700_000_000_000L;

    /** A clock that stands, no publisher and no identities. */
    public static final Ingress INGRESS = new Ingress() {
        @Override
        public String publisher() {
            return "";
        }

        @Override
        public long nextMessageId() {
            return 0;
        }

        @Override
        public long nowMillis() {
            return NOW;
        }
    };

    private Packets() {}

    /** {@code hex("10 0C 00 04", "'MQTT'", "05")}: bytes in hexadecimal, and text between apostrophes as UTF-8. */
    public static byte[] hex(String... parts) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (String part : parts) {
            if (part.startsWith("'")) {
                bytes.writeBytes(part.substring(1, part.length() - 1).getBytes(UTF_8));
            } else {
                bytes.writeBytes(HexFormat.of().parseHex(part.replace(" ", "")));
            }
        }
        return bytes.toByteArray();
    }

    /** First byte, the length of the body, the body. */
    public static byte[] frame(int first, byte[] body) {
        ByteBuf out = Unpooled.buffer();
        out.writeByte(first);
        Wire.writeVbi(out, body.length);
        out.writeBytes(body);
        return ByteBufUtil.getBytes(out);
    }

    public static byte[] join(byte[]... parts) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            bytes.writeBytes(part);
        }
        return bytes.toByteArray();
    }

    /** A string as it stands on the wire. */
    public static byte[] text(String text) {
        byte[] utf8 = text.getBytes(UTF_8);
        return join(new byte[] {(byte) (utf8.length >> 8), (byte) utf8.length}, utf8);
    }

    /** An encoder whose time stands at {@link #NOW}. */
    public static PacketEncoder encoder(Role role, ProtocolVersion version) {
        return new PacketEncoder(role).version(version).clock(() -> NOW);
    }

    /** A decoder of a connection that is open in that version, with ten topic aliases and {@link #INGRESS}. */
    public static PacketDecoder decoder(Role us, ProtocolVersion version) {
        return new PacketDecoder(us)
                .version(version)
                .maximumPacketSize(Wire.PACKET_MAX)
                .topicAliasMaximum(10)
                .ingress(INGRESS);
    }

    /** The bytes of packets in a row, as a peer of that version sends them. */
    public static byte[] bytes(Role sender, ProtocolVersion version, Packet... packets) {
        ByteBuf out = Unpooled.buffer();
        PacketEncoder encoder = encoder(sender, version);
        for (Packet packet : packets) {
            if (!encoder.encode(packet, out)) {
                throw new IllegalArgumentException("There is no such packet in " + version + ": " + describe(packet));
            }
        }
        return ByteBufUtil.getBytes(out);
    }

    /** All packets in the bytes, which have to be whole. */
    public static List<Packet> decode(PacketDecoder decoder, byte[] bytes) {
        ByteBuf in = Unpooled.wrappedBuffer(bytes);
        List<Packet> packets = new ArrayList<>();
        while (in.isReadable()) {
            Packet packet = decoder.decode(in);
            if (packet == null) {
                throw new IllegalArgumentException("The last packet is not whole");
            }
            packets.add(packet);
        }
        return packets;
    }

    public static PublishBuilder aPublish(String topic) {
        return new PublishBuilder(topic);
    }

    /** Not thread safe; QoS 0 without payload and properties unless said. */
    public static final class PublishBuilder {
        private final String topic;
        private byte[] payload = Message.NO_BYTES;
        private Qos qos = Qos.AT_MOST_ONCE;
        private int packetId;
        private boolean dup;
        private boolean retain;
        private int alias;
        private long expiresAtMillis = Message.NEVER;
        private byte[] properties = Message.NO_BYTES;
        private List<Integer> subscriptionIds = List.of();

        private PublishBuilder(String topic) {
            this.topic = topic;
        }

        public PublishBuilder payload(String text) {
            return payload(text.getBytes(UTF_8));
        }

        public PublishBuilder payload(byte[] bytes) {
            payload = bytes;
            return this;
        }

        public PublishBuilder qos1(int id) {
            qos = Qos.AT_LEAST_ONCE;
            packetId = id;
            return this;
        }

        public PublishBuilder qos2(int id) {
            qos = Qos.EXACTLY_ONCE;
            packetId = id;
            return this;
        }

        public PublishBuilder dup() {
            dup = true;
            return this;
        }

        public PublishBuilder retain() {
            retain = true;
            return this;
        }

        public PublishBuilder alias(int value) {
            alias = value;
            return this;
        }

        /** Seconds from {@link Packets#NOW}. */
        public PublishBuilder expirySeconds(long seconds) {
            expiresAtMillis = NOW + seconds * 1000;
            return this;
        }

        /** Adds a property in wire form. */
        public PublishBuilder property(byte[] encoded) {
            properties = join(properties, encoded);
            return this;
        }

        public PublishBuilder contentType(String type) {
            return property(join(hex("03"), text(type)));
        }

        public PublishBuilder responseTopic(String name) {
            return property(join(hex("08"), text(name)));
        }

        public PublishBuilder user(String name, String value) {
            return property(join(hex("26"), text(name), text(value)));
        }

        public PublishBuilder subscriptionIds(Integer... ids) {
            subscriptionIds = List.of(ids);
            return this;
        }

        public Message message() {
            return new Message(0, "", TopicName.of(topic), payload, qos, retain, expiresAtMillis, properties);
        }

        public Publish build() {
            return new Publish(message(), packetId, dup, alias, subscriptionIds);
        }
    }

    /** All of a packet as text, arrays included, so that equal texts mean equal packets. */
    public static String describe(Object value) {
        if (value == null) {
            return "null";
        }
        if (value instanceof byte[] bytes) {
            return HexFormat.of().formatHex(bytes);
        }
        if (value instanceof int[] numbers) {
            return Arrays.toString(numbers);
        }
        if (value instanceof List<?> list) {
            List<String> parts = new ArrayList<>();
            list.forEach(part -> parts.add(describe(part)));
            return parts.toString();
        }
        if (value instanceof Message message) {
            return "Message[" + message.topic() + " " + describe(message.topic().utf8()) + " "
                    + describe(message.payload()) + " " + message.qos() + " retain=" + message.retain() + " expires="
                    + message.expiresAtMillis() + " " + describe(message.properties()) + " from="
                    + message.publisher() + "]";
        }
        if (value instanceof UserProperty || !(value instanceof Record)) {
            return value instanceof TopicName name ? name + " " + describe(name.utf8()) : "'" + value + "'";
        }
        StringBuilder text = new StringBuilder(value.getClass().getSimpleName()).append('[');
        for (RecordComponent component : value.getClass().getRecordComponents()) {
            try {
                text.append(component.getName())
                        .append('=')
                        .append(describe(component.getAccessor().invoke(value)))
                        .append(' ');
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }
        return text.append(']').toString();
    }
}
