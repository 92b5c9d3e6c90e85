package org.dunlin.server.net.entry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.dunlin.server.net.entry.ProxyHeader.Beginning;
import org.dunlin.server.net.entry.ProxyHeader.Faulty;
import org.dunlin.server.net.entry.ProxyHeader.None;
import org.dunlin.server.net.entry.ProxyHeader.Partial;
import org.dunlin.server.net.entry.ProxyHeader.Undecided;
import org.dunlin.server.net.entry.ProxyHeader.Whole;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProxyHeaderTest {
    private static final String SIGNATURE = "0d0a0d0a000d0a515549540a";
    private static final long SEED = Long.getLong("dunlin.seed", new Random().nextLong());

    private static byte[] text(String line) {
        return line.getBytes(StandardCharsets.ISO_8859_1);
    }

    /** @param rest from the command on, in hexadecimal digits, without the length */
    static byte[] binary(String commandAndFamily, byte[] rest) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.writeBytes(HexFormat.of().parseHex(SIGNATURE + commandAndFamily));
        out.write(rest.length >> 8);
        out.write(rest.length);
        out.writeBytes(rest);
        return out.toByteArray();
    }

    private static byte[] hex(String digits) {
        return HexFormat.of().parseHex(digits);
    }

    private static Beginning read(byte[] bytes) {
        return ProxyHeader.read(Unpooled.wrappedBuffer(bytes));
    }

    static Stream<Arguments> headers() {
        byte[] four = hex("c0000207" + "c0000201" + "1267" + "075b");
        byte[] six = hex("20010db8000000000000000000000001" + "20010db8000000000000000000000002" + "1267" + "075b");
        byte[] tlv = new byte[12 + 508];
        System.arraycopy(four, 0, tlv, 0, 12);
        return Stream.of(
                Arguments.of(text("PROXY TCP4 192.0.2.7 192.0.2.1 4711 1883\r\n"), 1, "192.0.2.7"),
                Arguments.of(text("PROXY TCP6 2001:db8::1 2001:db8::2 4711 1883\r\n"), 1, "2001:db8:0:0:0:0:0:1"),
                Arguments.of(text("PROXY UNKNOWN\r\n"), 1, null),
                Arguments.of(text("PROXY UNKNOWN ffff::ffff ffff::ffff 65535 65535\r\n"), 1, null),
                Arguments.of(binary("2111", four), 2, "192.0.2.7"),
                Arguments.of(binary("2111", tlv), 2, "192.0.2.7"),
                Arguments.of(binary("2121", six), 2, "2001:db8:0:0:0:0:0:1"),
                Arguments.of(binary("2131", new byte[216]), 2, null),
                Arguments.of(binary("2100", new byte[0]), 2, null),
                Arguments.of(binary("2110", four), 2, null),
                Arguments.of(binary("2000", new byte[0]), 2, null),
                Arguments.of(binary("2011", four), 2, null),
                Arguments.of(binary("20ff", new byte[3]), 2, null));
    }

    @ParameterizedTest
    @MethodSource("headers")
    void read_headerAndItsBeginnings(byte[] header, int version, @Nullable String source) {
        byte[] withMore = java.util.Arrays.copyOf(header, header.length + 3);
        for (byte[] bytes : List.of(header, withMore)) {
            Whole whole = assertInstanceOf(Whole.class, read(bytes));
            assertEquals(version, whole.version());
            assertEquals(header.length, whole.bytes());
            InetSocketAddress named = whole.source();
            assertEquals(source, named == null ? null : named.getAddress().getHostAddress());
            assertEquals(source == null ? 0 : 4711, named == null ? 0 : named.getPort());
        }
        int signature = version == 1 ? 6 : 12;
        for (int length = 0; length < header.length; length++) {
            Beginning beginning = read(java.util.Arrays.copyOf(header, length));
            assertEquals(length < signature ? new Undecided() : new Partial(version), beginning, "at " + length);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "PROXY TCP4 192.0.2.7 192.0.2.1 4711\r\n",
                "PROXY TCP4 192.0.2.7 192.0.2.1 4711 1883 \r\n",
                "PROXY  TCP4 192.0.2.7 192.0.2.1 4711 1883\r\n",
                "PROXY TCP4 192.0.2.256 192.0.2.1 4711 1883\r\n",
                "PROXY TCP4 192.0.2.07 192.0.2.1 4711 1883\r\n",
                "PROXY TCP4 192.0.2 192.0.2.1 4711 1883\r\n",
                "PROXY TCP4 ::1 ::1 4711 1883\r\n",
                "PROXY TCP6 192.0.2.7 192.0.2.1 4711 1883\r\n",
                "PROXY TCP6 ::1%lo ::1 4711 1883\r\n",
                "PROXY TCP4 localhost 192.0.2.1 4711 1883\r\n",
                "PROXY TCP4 192.0.2.7 192.0.2.1 65536 1883\r\n",
                "PROXY TCP4 192.0.2.7 192.0.2.1 04711 1883\r\n",
                "PROXY TCP4 192.0.2.7 192.0.2.1 -1 1883\r\n",
                "PROXY UDP4 192.0.2.7 192.0.2.1 4711 1883\r\n",
                "PROXY \r\n",
                "PROXY TCP4 192.0.2.7\n",
                "PROXY TCP4 192.0.2.7\rx",
                "PROXY TCP4 \u0000",
                "PROXY UNKNOWN 1234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901"
                        + "234567890"
            })
    void read_faultyLine(String line) {
        assertInstanceOf(Faulty.class, read(text(line)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"1111", "3111", "2211", "2141", "2113", "2112", "2111", "2121", "2131"})
    void read_faultyBinary_atItsHead(String commandAndFamily) {
        byte[] header = binary(commandAndFamily, new byte[11]);
        assertInstanceOf(Faulty.class, read(java.util.Arrays.copyOf(header, 16)));
    }

    @Test
    void read_announcedBeyondTheBound_isFaultyAtItsHead() {
        byte[] header = hex(SIGNATURE + "2111" + "0209");
        assertEquals(new Faulty(2, "537 bytes, more than 536"), read(header));
    }

    @ParameterizedTest
    @ValueSource(strings = {"10", "1603", "474554", "5055", "50524f5859ff", "0d0b", "0d0a0d0a00ff", "00", "ff"})
    void read_somethingElse_isNone(String digits) {
        assertEquals(new None(), read(hex(digits)));
    }

    @Test
    void read_mutatedHeaders_neverThrowsAndStaysWithinBounds() {
        System.out.println("ProxyHeaderTest -Ddunlin.seed=" + SEED);
        Random random = new Random(SEED);
        List<byte[]> samples = headers().map(each -> (byte[]) each.get()[0]).toList();
        for (int i = 0; i < 100_000; i++) {
            byte[] bytes = samples.get(random.nextInt(samples.size())).clone();
            for (int changes = random.nextInt(4); changes >= 0; changes--) {
                int at = random.nextInt(bytes.length);
                bytes[at] = (byte) (random.nextBoolean() ? bytes[at] ^ 1 << random.nextInt(8) : random.nextInt());
            }
            ByteBuf in = Unpooled.wrappedBuffer(bytes);
            Beginning beginning = ProxyHeader.read(in);
            assertEquals(0, in.readerIndex());
            if (beginning instanceof Whole whole) {
                assertTrue(whole.bytes() <= bytes.length && whole.bytes() <= ProxyHeader.V2_BYTES_MAX);
            }
        }
    }
}
