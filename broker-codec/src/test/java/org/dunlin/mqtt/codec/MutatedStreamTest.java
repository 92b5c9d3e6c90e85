package org.dunlin.mqtt.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.codec.PacketDecoder.Role;
import org.junit.jupiter.api.Test;

/**
 * Whole connections with faults in them: how the bytes are split and what buffers they lie in makes no difference to
 * what is read, nor to the error that ends it, its text and the version to answer in.
 */
class MutatedStreamTest {
    private static final int STREAMS = 800;
    private static final int LARGE = 1000;

    private final long seed = RandomPackets.seed();
    private final Random random = new Random(seed);
    private final RandomPackets packets = new RandomPackets(seed);

    /** E001 E005 */
    @Test
    void decode_aMutatedConnectionInPieces_endsAsTheWhole() {
        int failed = 0;
        for (int i = 0; i < STREAMS; i++) {
            byte[] stream = connection(ProtocolVersion.values()[random.nextInt(3)]);
            if (stream.length > LARGE) { // byte by byte these take most of the time and show nothing more
                continue;
            }
            for (int faults = random.nextInt(3); faults > 0; faults--) {
                stream = mutated(stream);
            }
            byte[] sent = stream;
            String whole = read(sent, sent.length);
            for (int piece : new int[] {1, 30}) {
                assertEquals(
                        whole,
                        read(sent, piece),
                        () -> "seed " + seed + ": " + HexFormat.ofDelimiter(" ").formatHex(sent));
            }
            failed += whole.contains("failed") ? 1 : 0;
        }
        int errors = failed;
        assertTrue(errors > STREAMS / 10 && errors < STREAMS, () -> errors + " streams failed, seed " + seed);
    }

    private byte[] connection(ProtocolVersion version) {
        List<byte[]> parts = new ArrayList<>();
        parts.add(Packets.bytes(Role.CLIENT, version, packets.packet(PacketType.CONNECT, Role.CLIENT, version)));
        List<PacketType> types = new ArrayList<>(RandomPackets.types(Role.CLIENT, version));
        types.remove(PacketType.CONNECT);
        for (int n = random.nextInt(8); n > 0; n--) {
            PacketType type = random.nextBoolean() ? PacketType.PUBLISH : types.get(random.nextInt(types.size()));
            parts.add(Packets.bytes(Role.CLIENT, version, packets.packet(type, Role.CLIENT, version)));
        }
        return Packets.join(parts.toArray(byte[][]::new));
    }

    private byte[] mutated(byte[] stream) {
        int at = random.nextInt(stream.length);
        byte[] before = Arrays.copyOf(stream, at);
        byte[] after = Arrays.copyOfRange(stream, at, stream.length);
        switch (random.nextInt(5)) {
            case 0 -> after[0] ^= (byte) (1 << random.nextInt(8));
            case 1 -> after[0] = (byte) random.nextInt();
            case 2 -> after = Arrays.copyOfRange(after, 1, after.length);
            case 3 -> before = Packets.join(before, new byte[] {(byte) random.nextInt()});
            default -> {
                return at == 0 ? stream : before;
            }
        }
        byte[] whole = Packets.join(before, after);
        return whole.length == 0 ? stream : whole;
    }

    /** What a server reads: the packets, the error or how many bytes are left, and the version. */
    private String read(byte[] stream, int upTo) {
        PacketDecoder decoder = new PacketDecoder(Role.SERVER)
                .ingress(Packets.INGRESS)
                .topicAliasMaximum(8)
                .maximumUserProperties(6)
                .maximumTopicFilters(3);
        StringBuilder seen = new StringBuilder();
        ByteBuf in = buffer();
        try {
            int at = 0;
            while (at < stream.length) {
                int bytes = upTo == stream.length ? upTo : Math.min(stream.length - at, 1 + random.nextInt(upTo));
                in = appended(in, stream, at, bytes);
                at += bytes;
                Packet packet;
                while ((packet = decoder.decode(in)) != null) {
                    seen.append(Packets.describe(packet)).append('\n');
                }
            }
            return seen.append(in.readableBytes())
                    .append(" left ")
                    .append(decoder.version())
                    .toString();
        } catch (ProtocolError error) {
            // a CONNECT that is too large is refused by its header, when its version may be still to come
            Object version = error.reason() == ReasonCode.PACKET_TOO_LARGE ? "" : decoder.version();
            return seen.append("failed: ")
                    .append(error.reason())
                    .append(error.text())
                    .append(version)
                    .toString();
        } finally {
            in.release();
        }
    }

    private ByteBuf buffer() {
        return switch (random.nextInt(3)) {
            case 0 -> Unpooled.directBuffer();
            case 1 -> Unpooled.compositeBuffer(1 << 20);
            default -> Unpooled.buffer();
        };
    }

    private ByteBuf appended(ByteBuf in, byte[] stream, int from, int bytes) {
        if (in instanceof CompositeByteBuf parts) {
            return parts.addComponent(true, Unpooled.wrappedBuffer(Arrays.copyOfRange(stream, from, from + bytes)));
        }
        if (random.nextBoolean()) {
            in.discardReadBytes();
        }
        return in.writeBytes(stream, from, bytes);
    }
}
