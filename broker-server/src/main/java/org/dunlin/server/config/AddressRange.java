package org.dunlin.server.config;

import java.net.InetAddress;
import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * Any thread. Addresses that begin with the same bits, written like 10.0.0.0/8, 2001:db8::/32 or, for a single one,
 * 127.0.0.1.
 */
public final class AddressRange {
    private final byte[] first;
    private final int bits;

    private AddressRange(byte[] first, int bits) {
        this.first = first;
        this.bits = bits;
    }

    /** Null for a text that is none: no address, too many bits, or bits set behind those that count. Asks no DNS. */
    public static @Nullable AddressRange parse(String text) {
        int slash = text.indexOf('/');
        String address = slash < 0 ? text : text.substring(0, slash);
        String length = slash < 0 ? "" : text.substring(slash + 1);
        byte[] bytes = bytes(address);
        if (bytes == null || (slash >= 0 && !length.matches("0|[1-9][0-9]{0,2}"))) {
            return null;
        }
        int bits = slash < 0 ? 8 * bytes.length : Integer.parseInt(length);
        if (bits > 8 * bytes.length || !Arrays.equals(bytes, masked(bytes, bits))) {
            return null;
        }
        return new AddressRange(bytes, bits);
    }

    private static byte @Nullable [] bytes(String address) {
        try {
            boolean special = address.equals("localhost") || address.indexOf('%') >= 0;
            return special ? null : ValueType.literal(address).getAddress();
        } catch (ValueType.Unfit none) {
            return null;
        }
    }

    private static byte[] masked(byte[] bytes, int bits) {
        byte[] kept = bytes.clone();
        for (int i = 0; i < kept.length; i++) {
            int here = Math.max(0, Math.min(8, bits - 8 * i));
            kept[i] &= (byte) (0xff00 >> here);
        }
        return kept;
    }

    public boolean contains(InetAddress address) {
        byte[] bytes = address.getAddress();
        return bytes.length == first.length && Arrays.equals(masked(bytes, bits), first);
    }

    @Override
    public String toString() {
        return HexFormat.of().formatHex(first) + "/" + bits;
    }
}
