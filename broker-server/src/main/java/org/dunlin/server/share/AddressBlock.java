package org.dunlin.server.share;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Addresses that begin with the same bits, like 10.1.0.0/16 or 2001:db8::/32; one address is a block, too. Any thread.
 *
 * @param six whether it is of IPv6
 * @param high the first 64 bits of an address of IPv6, the 32 of one of IPv4; 0 behind the prefix
 * @param low the other 64 bits
 * @param bits of the prefix, 0 to 32 or 128
 */
public record AddressBlock(boolean six, long high, long low, int bits) {
    /** Of an IPv6 address: what one customer gets, in which it may take any address. */
    private static final int SOURCE_BITS = 64;

    private static final Pattern FOUR = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}");
    private static final Pattern SIX = Pattern.compile("[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*");

    /** Reads no DNS. @return null if it is no address, or no block, or has bits behind its prefix */
    public static @Nullable AddressBlock parse(String text) {
        int slash = text.indexOf('/');
        InetAddress address = literal(slash < 0 ? text : text.substring(0, slash));
        if (address == null) {
            return null;
        }
        AddressBlock one = of(address);
        if (slash < 0) {
            return one;
        }
        String length = text.substring(slash + 1);
        if (!length.matches("0|[1-9][0-9]{0,2}") || Integer.parseInt(length) > one.bits) {
            return null;
        }
        AddressBlock block = one.within(Integer.parseInt(length));
        return block.high == one.high && block.low == one.low ? block : null;
    }

    /** The address of a text like 10.0.0.1 or ::1; null if it is none. Reads no DNS. */
    public static @Nullable InetAddress literal(String text) {
        if (text.length() > 45
                || !FOUR.matcher(text).matches() && !SIX.matcher(text).matches()) {
            return null;
        }
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException malformed) {
            return null;
        }
    }

    /** The address in a text like "10.0.0.1:53211" or "[::1]:53211"; null if it is none. */
    public static @Nullable InetAddress ofPeer(String peer) {
        int end = peer.startsWith("[") ? peer.indexOf(']') : peer.lastIndexOf(':');
        if (end < 0) {
            return null;
        }
        String host = peer.startsWith("[") ? peer.substring(1, end) : peer.substring(0, end);
        int zone = host.indexOf('%');
        return literal(zone < 0 ? host : host.substring(0, zone));
    }

    /** That one address. */
    public static AddressBlock of(InetAddress address) {
        ByteBuffer bytes = ByteBuffer.wrap(address.getAddress());
        return bytes.remaining() == 4
                ? new AddressBlock(false, Integer.toUnsignedLong(bytes.getInt()), 0, 32)
                : new AddressBlock(true, bytes.getLong(), bytes.getLong(), 128);
    }

    /** Who is counted as one: an address of IPv4, or the first 64 bits of one of IPv6. */
    public static AddressBlock source(InetAddress address) {
        AddressBlock one = of(address);
        return one.six ? one.within(SOURCE_BITS) : one;
    }

    /** The same of a text like "10.0.0.1:53211" or "[::1]:53211"; null if it is none. */
    public static @Nullable AddressBlock sourceOf(String peer) {
        InetAddress address = ofPeer(peer);
        return address == null ? null : source(address);
    }

    /** The block of that many bits, no more than this one's, in which it lies. */
    public AddressBlock within(int prefix) {
        if (!six) {
            return new AddressBlock(false, prefix == 0 ? 0 : high & -1L << 32 - prefix & 0xFFFF_FFFFL, 0, prefix);
        }
        long first = prefix == 0 ? 0 : prefix >= 64 ? high : high & -1L << 64 - prefix;
        long last = prefix <= 64 ? 0 : prefix == 128 ? low : low & -1L << 128 - prefix;
        return new AddressBlock(true, first, last, prefix);
    }

    public boolean contains(InetAddress address) {
        return contains(of(address));
    }

    public boolean contains(AddressBlock other) {
        return other.six == six && other.bits >= bits && other.within(bits).equals(this);
    }

    /** "10.1.0.0/16"; without the length if it is one address. */
    @Override
    public String toString() {
        byte[] bytes = six
                ? ByteBuffer.allocate(16).putLong(high).putLong(low).array()
                : ByteBuffer.allocate(4).putInt((int) high).array();
        try {
            String address = shortest(InetAddress.getByAddress(bytes).getHostAddress());
            return bits == 8 * bytes.length ? address : address + "/" + bits;
        } catch (UnknownHostException impossible) {
            throw new IllegalStateException("4 or 16 bytes are an address", impossible);
        }
    }

    /** With the longest run of zero groups of an IPv6 address left out. */
    private static String shortest(String address) {
        String groups = ":" + address + ":";
        for (int run = 8; run > 1 && six(address); run--) {
            String zeros = ":" + "0:".repeat(run);
            if (groups.contains(zeros)) {
                String left = groups.replaceFirst(zeros, "::");
                return left.substring(
                        left.startsWith("::") ? 0 : 1, left.endsWith("::") ? left.length() : left.length() - 1);
            }
        }
        return address;
    }

    private static boolean six(String address) {
        return address.indexOf(':') >= 0;
    }
}
