package org.dunlin.server.net.entry;

import io.netty.buffer.ByteBuf;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Any thread. Reads the header of the PROXY protocol, versions 1 and 2, strictly. What a proxy adds behind the addresses
 * (of TLS, say) is passed over.
 */
final class ProxyHeader {
    /** With its end of line. */
    static final int V1_BYTES_MAX = 107;

    static final int V2_BYTES_MAX = 536;

    private static final byte[] V1 = "PROXY ".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] V2 = {13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10};
    private static final int V2_HEAD_BYTES = 16;
    private static final int UNIX_BYTES = 216;
    private static final Pattern PORT = Pattern.compile("0|[1-9][0-9]{0,4}");
    private static final Pattern IPV4 =
            Pattern.compile("(0|[1-9][0-9]{0,2})\\.(0|[1-9][0-9]{0,2})\\.(0|[1-9][0-9]{0,2})\\.(0|[1-9][0-9]{0,2})");

    private ProxyHeader() {}

    /** What the bytes so far are. */
    sealed interface Beginning permits None, Undecided, Partial, Whole, Faulty {}

    /** Not a header, whatever follows. */
    record None() implements Beginning {}

    /** So far as a header begins. */
    record Undecided() implements Beginning {}

    /** A header that is not there whole. */
    record Partial(int version) implements Beginning {}

    /**
     * @param bytes of the header
     * @param source the address that the proxy speaks for; null if it speaks for itself or names no address of IP
     */
    record Whole(int version, int bytes, @Nullable InetSocketAddress source) implements Beginning {}

    record Faulty(int version, String what) implements Beginning {}

    /** Looks from the reader index on, which stays where it is. */
    static Beginning read(ByteBuf in) {
        if (!in.isReadable()) {
            return new Undecided();
        }
        byte first = in.getByte(in.readerIndex());
        if (first != V1[0] && first != V2[0]) {
            return new None();
        }
        byte[] signature = first == V1[0] ? V1 : V2;
        int there = Math.min(in.readableBytes(), signature.length);
        for (int i = 1; i < there; i++) {
            if (in.getByte(in.readerIndex() + i) != signature[i]) {
                return new None();
            }
        }
        if (there < signature.length) {
            return new Undecided();
        }
        return signature == V1 ? readText(in) : readBinary(in);
    }

    private static Beginning readText(ByteBuf in) {
        int from = in.readerIndex();
        int bytes = Math.min(in.readableBytes(), V1_BYTES_MAX);
        for (int i = 0; i < bytes; i++) {
            byte one = in.getByte(from + i);
            if (one == '\n' && in.getByte(from + i - 1) == '\r') {
                String line = in.toString(from, i - 1, StandardCharsets.US_ASCII);
                return ofLine(line, i + 1);
            }
            boolean afterReturn = in.getByte(from + Math.max(0, i - 1)) == '\r';
            if (afterReturn || (one != '\r' && (one < ' ' || one > '~'))) {
                return new Faulty(1, "a character that no header has");
            }
        }
        return bytes < V1_BYTES_MAX
                ? new Partial(1)
                : new Faulty(1, "no end of line within " + V1_BYTES_MAX + " bytes");
    }

    private static Beginning ofLine(String line, int bytes) {
        String[] words = line.split(" ", -1);
        if (words[1].equals("UNKNOWN")) {
            return new Whole(1, bytes, null);
        }
        boolean four = words[1].equals("TCP4");
        if (!four && !words[1].equals("TCP6")) {
            return new Faulty(1, "neither TCP4, TCP6 nor UNKNOWN");
        }
        if (words.length != 6) {
            return new Faulty(1, "not two addresses and two ports");
        }
        byte[] source = address(words[2], four);
        int port = port(words[4]);
        if (source == null || address(words[3], four) == null || port < 0 || port(words[5]) < 0) {
            return new Faulty(1, "an address or port that is none");
        }
        return new Whole(1, bytes, socketAddress(source, port));
    }

    private static byte @Nullable [] address(String text, boolean four) {
        boolean plain = four ? IPV4.matcher(text).matches() : text.indexOf('%') < 0 && text.indexOf('[') < 0;
        byte[] bytes = plain ? NetUtil.createByteArrayFromIpAddressString(text) : null;
        return bytes != null && bytes.length == (four ? 4 : 16) ? bytes : null;
    }

    private static int port(String text) {
        int port = PORT.matcher(text).matches() ? Integer.parseInt(text) : -1;
        return port <= 65_535 ? port : -1;
    }

    private static Beginning readBinary(ByteBuf in) {
        int from = in.readerIndex();
        int there = in.readableBytes();
        if (there < V2_HEAD_BYTES) {
            return new Partial(2);
        }
        int command = in.getUnsignedByte(from + 12);
        int family = in.getUnsignedByte(from + 13) >> 4;
        int transport = in.getUnsignedByte(from + 13) & 0x0f;
        int length = in.getUnsignedShort(from + 14);
        if (command >> 4 != 2 || (command & 0x0f) > 1) {
            return new Faulty(2, "a version or command that it does not have");
        }
        if (V2_HEAD_BYTES + length > V2_BYTES_MAX) {
            return new Faulty(2, (V2_HEAD_BYTES + length) + " bytes, more than " + V2_BYTES_MAX);
        }
        boolean local = (command & 0x0f) == 0;
        int least = family == 1 ? 12 : family == 2 ? 36 : family == 3 ? UNIX_BYTES : 0;
        if (!local && (family > 3 || transport > 2 || length < least)) {
            return new Faulty(2, "addresses of an unknown kind, or not all of them");
        }
        if (!local && transport == 2) {
            return new Faulty(2, "addresses of datagrams");
        }
        if (there < V2_HEAD_BYTES + length) {
            return new Partial(2);
        }
        InetSocketAddress source = null;
        if (!local && transport == 1 && (family == 1 || family == 2)) {
            byte[] address = new byte[family == 1 ? 4 : 16];
            in.getBytes(from + V2_HEAD_BYTES, address);
            source = socketAddress(address, in.getUnsignedShort(from + V2_HEAD_BYTES + 2 * address.length));
        }
        return new Whole(2, V2_HEAD_BYTES + length, source);
    }

    private static InetSocketAddress socketAddress(byte[] address, int port) {
        try {
            return new InetSocketAddress(InetAddress.getByAddress(address), port);
        } catch (UnknownHostException wrongLength) {
            throw new IllegalStateException(wrongLength);
        }
    }
}
