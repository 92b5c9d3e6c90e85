package org.dunlin.mqtt.codec;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.codec.PacketCases.Case;
import org.dunlin.mqtt.codec.PacketDecoder.Role;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Many packets in a row, by chance: what was written is read, however it is split, and bad bytes do no more than fail. */
class StreamTest {
    private static final int PACKETS = 3000;
    private static final int MUTANTS = 100_000;

    private final long seed = RandomPackets.seed();

    @Test
    void decode_whatWasEncoded_isTheSameForAllTypesAndVersions() {
        RandomPackets random = new RandomPackets(seed);
        for (ProtocolVersion version : ProtocolVersion.values()) {
            for (Role sender : Role.values()) {
                for (PacketType type : RandomPackets.types(sender, version)) {
                    for (int i = 0; i < PACKETS / 30; i++) {
                        Packet packet = random.packet(type, sender, version);
                        byte[] bytes = Packets.bytes(sender, version, packet);
                        Packet read = Packets.decode(receiver(sender, version, type), bytes)
                                .get(0);
                        assertEquals(Packets.describe(packet), Packets.describe(read), () -> "seed " + seed);
                    }
                }
            }
        }
    }

    private static PacketDecoder receiver(Role sender, ProtocolVersion version, PacketType type) {
        return type == PacketType.CONNECT
                ? new PacketDecoder(Role.SERVER).ingress(Packets.INGRESS)
                : Packets.decoder(sender == Role.SERVER ? Role.CLIENT : Role.SERVER, version);
    }

    /** E001 */
    @Test
    void decode_aStreamInPieces_givesThePacketsOfTheWhole() {
        Random random = new Random(seed);
        RandomPackets packets = new RandomPackets(seed);
        for (ProtocolVersion version : ProtocolVersion.values()) {
            for (Role sender : Role.values()) {
                Role us = sender == Role.SERVER ? Role.CLIENT : Role.SERVER;
                List<PacketType> types = new ArrayList<>(RandomPackets.types(sender, version));
                types.remove(PacketType.CONNECT);
                List<String> sent = new ArrayList<>();
                List<byte[]> parts = new ArrayList<>();
                for (int i = 0; i < 400; i++) {
                    Packet packet = packets.packet(types.get(random.nextInt(types.size())), sender, version);
                    sent.add(Packets.describe(packet));
                    parts.add(Packets.bytes(sender, version, packet));
                }
                byte[] stream = Packets.join(parts.toArray(byte[][]::new));
                for (int piece : new int[] {1, 2, 7, 100, 5000}) {
                    assertEquals(sent, inPieces(Packets.decoder(us, version), stream, piece, random), "seed " + seed);
                }
            }
        }
    }

    private static List<String> inPieces(PacketDecoder decoder, byte[] stream, int upTo, Random random) {
        List<String> seen = new ArrayList<>();
        ByteBuf in = Unpooled.buffer();
        int at = 0;
        while (at < stream.length) {
            int piece = Math.min(stream.length - at, 1 + random.nextInt(upTo));
            in.discardReadBytes().writeBytes(stream, at, piece);
            at += piece;
            Packet packet;
            while ((packet = decoder.decode(in)) != null) {
                seen.add(Packets.describe(packet));
            }
        }
        assertEquals(0, in.readableBytes());
        return seen;
    }

    /** Mutated packets: a packet or a ProtocolError, the same whatever lies behind the frame, and what is read can be said. */
    @Test
    void decode_mutatedPackets_failsCleanlyWithinTheFrame() {
        Random random = new Random(seed);
        List<Case> cases = PacketCases.all().stream()
                .filter(row -> row.bytes().length < 300)
                .toList();
        int good = 0;
        for (int i = 0; i < MUTANTS; i++) {
            Case row = cases.get(random.nextInt(cases.size()));
            byte[] bytes =
                    mutate(row.bytes(), cases.get(random.nextInt(cases.size())).bytes(), random);
            String first = outcome(row, bytes, (byte) 0x00);
            assertEquals(first, outcome(row, bytes, (byte) 0xFF), () -> trace(row, bytes));
            good += first.contains("[") ? 1 : 0;
        }
        int accepted = good;
        assertTrue(accepted > MUTANTS / 100, () -> accepted + " of the mutants are packets, seed " + seed);
    }

    @Test
    void decode_randomBytes_failsCleanly() {
        Random random = new Random(seed);
        for (int i = 0; i < MUTANTS; i++) {
            byte[] bytes = new byte[random.nextInt(40)];
            random.nextBytes(bytes);
            if (bytes.length > 1 && random.nextInt(4) > 0) {
                bytes[1] = (byte) (bytes.length - 2);
            }
            ProtocolVersion version = random.nextInt(4) == 0 ? null : ProtocolVersion.values()[random.nextInt(3)];
            Role us = version == null || random.nextBoolean() ? Role.SERVER : Role.CLIENT;
            Case row = new Case("random", us, version, bytes, null, null, false);
            outcome(row, bytes, (byte) 0);
        }
    }

    private String trace(Case row, byte[] bytes) {
        return "seed " + seed + ", " + row + ": " + HexFormat.ofDelimiter(" ").formatHex(bytes);
    }

    private static byte[] mutate(byte[] original, byte[] other, Random random) {
        byte[] bytes = original.clone();
        for (int n = 1 + random.nextInt(3); n > 0 && bytes.length > 0; n--) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(6)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) random.nextInt();
                case 2 -> bytes[at] = random.nextBoolean() ? 0 : (byte) 0xFF;
                case 3 ->
                    bytes = Packets.join(Arrays.copyOf(bytes, at), Arrays.copyOfRange(bytes, at + 1, bytes.length));
                case 4 -> {
                    byte[] more = new byte[1 + random.nextInt(4)];
                    random.nextBytes(more);
                    bytes = Packets.join(Arrays.copyOf(bytes, at), more, Arrays.copyOfRange(bytes, at, bytes.length));
                }
                default ->
                    bytes = Packets.join(
                            Arrays.copyOf(bytes, at),
                            Arrays.copyOfRange(other, random.nextInt(other.length), other.length));
            }
        }
        if (bytes.length > 2 && random.nextInt(3) > 0) {
            return Packets.frame(bytes[0], Arrays.copyOfRange(bytes, 2, bytes.length));
        }
        return bytes;
    }

    /** Decodes the bytes with others behind them; checks that a packet read says the same when written and read again. */
    private String outcome(Case row, byte[] bytes, byte behind) {
        int whole = wholeSize(bytes);
        ByteBuf in = Unpooled.buffer(bytes.length + 32);
        in.writeBytes(bytes, 0, whole < 0 ? bytes.length : whole);
        if (whole >= 0) {
            for (int i = 0; i < 32; i++) {
                in.writeByte(behind);
            }
        }
        PacketDecoder decoder = row.decoder();
        @Nullable Packet packet;
        try {
            packet = decoder.decode(in);
        } catch (ProtocolError error) {
            return error.reason() + " " + error.text();
        } catch (RuntimeException other) {
            throw new AssertionError(trace(row, bytes), other);
        }
        if (packet == null) {
            assertEquals(0, in.readerIndex());
            assertTrue(whole < 0, () -> trace(row, bytes));
            return "null";
        }
        assertEquals(whole, in.readerIndex(), () -> trace(row, bytes));
        String said = Packets.describe(packet);
        ProtocolVersion version = decoder.version();
        assertNotNull(version);
        byte[] again = Packets.bytes(row.sender(), version, packet);
        Packet read = row.decoder().decode(Unpooled.wrappedBuffer(again));
        assertEquals(said, Packets.describe(read), () -> trace(row, bytes));
        return said;
    }

    /** Bytes of the first packet, -1 if it is not whole. */
    private static int wholeSize(byte[] bytes) {
        int length = 0;
        for (int at = 1; at < Math.min(5, bytes.length); at++) {
            length |= (bytes[at] & 0x7F) << 7 * (at - 1);
            if (bytes[at] >= 0) {
                return length <= bytes.length - at - 1 ? at + 1 + length : -1;
            }
        }
        return -1;
    }
}
