package org.dunlin.server.share;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.net.InetAddress;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressBlockTest {
    private static AddressBlock block(String text) {
        AddressBlock block = AddressBlock.parse(text);
        assertNotNull(block, text);
        return block;
    }

    private static InetAddress address(String text) {
        InetAddress address = AddressBlock.literal(text);
        assertNotNull(address, text);
        return address;
    }

    @ParameterizedTest
    @CsvSource({
        "10.1.0.0/16, 10.1.255.255, 10.2.0.0",
        "10.0.0.7, 10.0.0.7, 10.0.0.8",
        "0.0.0.0/0, 255.255.255.255, ::1",
        "192.0.2.128/25, 192.0.2.128, 192.0.2.127",
        "2001:db8::/32, 2001:db8:ffff::1, 2001:db9::",
        "::/0, ffff::, 10.0.0.1",
        "2001:db8::1, 2001:db8::1, 2001:db8::2",
        "2001:db8:0:0:8000::/65, 2001:db8::8000:0:0:1, 2001:db8::1",
    })
    void block_containsItsAddresses(String text, String inside, String outside) {
        assertTrue(block(text).contains(address(inside)));
        assertFalse(block(text).contains(address(outside)));
        assertEquals(block(text), block(block(text).toString()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "10",
                "10.0.0",
                "10.0.0.256",
                "10.0.0.0/33",
                "10.0.0.1/8",
                "10.0.0.0/",
                "10.0.0.0/-1",
                "example.org",
                "2001:db8::/129",
                "2001:db8::1/64",
                "::g",
                "fe80::1%eth0",
                "10.0.0.0/8/8",
                "1.2.3.4:80",
                ":::::::::::"
            })
    void whatIsNoBlock_isNone(String text) {
        assertNull(AddressBlock.parse(text));
    }

    @Test
    void source_isOneAddressOfIpv4_orA64OfIpv6() {
        assertEquals(block("10.0.0.7"), AddressBlock.source(address("10.0.0.7")));
        assertEquals(block("2001:db8:0:1::/64"), AddressBlock.source(address("2001:db8:0:1:a:b:c:d")));
        assertEquals(block("10.0.0.7"), AddressBlock.source(address("::ffff:10.0.0.7")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"::", "::1", "2001:db8::", "2001:db8::1", "1:0:2::3", "1:2:3:4:5:6:7:8", "10.0.0.0/8", "::/0"})
    void block_isShownAsShortAsItCanBe(String text) {
        assertEquals(text, block(text).toString());
    }

    @Test
    void peer_isReadWithoutItsPort() {
        assertEquals(address("10.0.0.7"), AddressBlock.ofPeer("10.0.0.7:1883"));
        assertEquals(address("::1"), AddressBlock.ofPeer("[0:0:0:0:0:0:0:1]:1883"));
        assertEquals(address("fe80::1"), AddressBlock.ofPeer("[fe80::1%eth0]:1883"));
        assertNull(AddressBlock.ofPeer("embedded"));
        assertNull(AddressBlock.ofPeer("unresolved.example:1883"));
        assertNull(AddressBlock.ofPeer(""));
    }

    @Test
    void anyPrefix_containsWhatBeginsLikeIt() throws Exception {
        long seed = Long.getLong("dunlin.seed", System.nanoTime());
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            byte[] one = new byte[random.nextBoolean() ? 4 : 16];
            random.nextBytes(one);
            byte[] other = one.clone();
            int flipped = random.nextInt(8 * one.length);
            other[flipped / 8] ^= (byte) (0x80 >> flipped % 8);
            int bits = random.nextInt(8 * one.length + 1);
            AddressBlock block = AddressBlock.of(InetAddress.getByAddress(one)).within(bits);

            assertEquals(
                    same(one, other, bits),
                    block.contains(InetAddress.getByAddress(other)),
                    "seed " + seed + " " + block + " bit " + flipped);
            assertTrue(block.contains(InetAddress.getByAddress(one)), "seed " + seed);
        }
    }

    private static boolean same(byte[] one, byte[] other, int bits) {
        int rest = 8 * one.length - bits;
        return new BigInteger(1, one).shiftRight(rest).equals(new BigInteger(1, other).shiftRight(rest));
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.0/8, 10.255.0.1, true",
        "10.0.0.0/8, 11.0.0.0, false",
        "192.0.2.128/25, 192.0.2.129, true",
        "192.0.2.128/25, 192.0.2.127, false",
        "127.0.0.1, 127.0.0.1, true",
        "127.0.0.1, 127.0.0.2, false",
        "0.0.0.0/0, 203.0.113.9, true",
        "0.0.0.0/0, ::1, false",
        "2001:db8::/32, 2001:db8:ffff::1, true",
        "2001:db8::/32, 2001:db9::1, false",
        "::1, ::1, true"
    })
    void contains_whatBeginsWithTheSameBits(String range, String address, boolean inside) throws Exception {
        AddressBlock parsed = AddressBlock.parse(range);
        assertNotNull(parsed);
        assertEquals(inside, parsed.contains(InetAddress.getByName(address)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "10",
                "10.0.0.0/",
                "10.0.0.0/33",
                "10.0.0.0/08",
                "10.0.0.1/8",
                "::/129",
                "::1/0",
                "localhost",
                "fe80::1%lo",
                "[::1]",
                "1.2.3.256",
                "1.2.3"
            })
    void parse_ofWhatIsNone_isNull(String text) {
        assertNull(AddressBlock.parse(text));
    }
}
