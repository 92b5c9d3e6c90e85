package org.dunlin.server.net.tls;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Any thread. What a client has said of the certificates that it can check [RFC 8446, 4.1.2].
 *
 * @param isOf13 whether it speaks TLS 1.3
 * @param suites kinds of keys that its cipher suites of TLS 1.2 go with
 * @param of12 kinds of keys that it takes signatures of in TLS 1.2, the one it likes best first
 * @param of13 the same for TLS 1.3
 */
record ClientHello(boolean isOf13, Set<String> suites, List<String> of12, List<String> of13) {
    /** Of the handshake that this thread computes a step of. */
    static final ThreadLocal<@Nullable ClientHello> CURRENT = new ThreadLocal<>();

    private static final int HANDSHAKE = 22;
    private static final int CLIENT_HELLO = 1;
    private static final int VERSION_AND_RANDOM = 34;
    private static final int SIGNATURE_ALGORITHMS = 13;
    private static final int SUPPORTED_VERSIONS = 43;
    private static final int TLS_1_3 = 0x0304;
    private static final Set<Integer> SUITES_EC = Set.of(0xc02b, 0xc02c, 0xcca9, 0xc009, 0xc00a, 0xc023, 0xc024);
    private static final Set<Integer> SUITES_RSA = Set.of(0xc02f, 0xc030, 0xcca8, 0xc013, 0xc014, 0xc027, 0xc028);

    /** Elliptic curves. */
    static final String EC = "EC";

    static final String RSA = "RSA";

    /** @param record the first of a connection; untouched. @return null if it has no whole one */
    static @Nullable ClientHello read(ByteBuffer record) {
        try {
            ByteBuffer in = record.duplicate();
            if (in.get() != HANDSHAKE) {
                return null;
            }
            in.getShort();
            in = part(in, in.getShort() & 0xffff);
            if (in.get() != CLIENT_HELLO) {
                return null;
            }
            in = part(in, (in.get() & 0xff) << 16 | in.getShort() & 0xffff);
            part(in, VERSION_AND_RANDOM);
            part(in, in.get() & 0xff);
            Set<String> suites = suites(part(in, in.getShort() & 0xffff));
            part(in, in.get() & 0xff);
            return extensions(suites, in.hasRemaining() ? part(in, in.getShort() & 0xffff) : in);
        } catch (BufferUnderflowException damagedOrInSeveralRecords) {
            return null;
        }
    }

    /** The next bytes, which are then behind. */
    private static ByteBuffer part(ByteBuffer in, int bytes) {
        if (bytes > in.remaining()) {
            throw new BufferUnderflowException();
        }
        ByteBuffer part = in.slice(in.position(), bytes);
        in.position(in.position() + bytes);
        return part;
    }

    private static Set<String> suites(ByteBuffer in) {
        Set<String> kinds = new LinkedHashSet<>();
        while (in.hasRemaining()) {
            int suite = in.getShort() & 0xffff;
            if (SUITES_EC.contains(suite)) {
                kinds.add(EC);
            } else if (SUITES_RSA.contains(suite)) {
                kinds.add(RSA);
            }
        }
        return kinds;
    }

    private static ClientHello extensions(Set<String> suites, ByteBuffer in) {
        boolean isOf13 = false;
        Set<String> of12 = new LinkedHashSet<>();
        Set<String> of13 = new LinkedHashSet<>();
        while (in.hasRemaining()) {
            int type = in.getShort() & 0xffff;
            ByteBuffer extension = part(in, in.getShort() & 0xffff);
            if (type == SUPPORTED_VERSIONS) {
                ByteBuffer versions = part(extension, extension.get() & 0xff);
                while (versions.hasRemaining()) {
                    isOf13 |= (versions.getShort() & 0xffff) == TLS_1_3;
                }
            } else if (type == SIGNATURE_ALGORITHMS) {
                ByteBuffer schemes = part(extension, extension.getShort() & 0xffff);
                while (schemes.hasRemaining()) {
                    scheme(schemes.getShort() & 0xffff, of12, of13);
                }
            }
        }
        if (of12.isEmpty() && of13.isEmpty()) { // what TLS 1.2 means by saying nothing
            of12.addAll(suites);
        }
        return new ClientHello(isOf13, suites, List.copyOf(of12), List.copyOf(of13));
    }

    private static void scheme(int scheme, Set<String> of12, Set<String> of13) {
        switch (scheme) {
            case 0x0403, 0x0503, 0x0603 -> { // ECDSA
                of12.add(EC);
                of13.add(EC);
            }
            case 0x0804, 0x0805, 0x0806 -> { // RSA by PSS
                of12.add(RSA);
                of13.add(RSA);
            }
            case 0x0401, 0x0501, 0x0601, 0x0201 -> of12.add(RSA); // RSA by PKCS#1
            case 0x0203 -> of12.add(EC);
            default -> {
                // of no kind of key that is shown
            }
        }
    }

    /**
     * Kinds of keys that it can check in the handshake that will be.
     *
     * @param has13 whether the listener speaks TLS 1.3
     * @param own kinds of keys that the listener's cipher suites of TLS 1.2 go with
     */
    List<String> kinds(boolean has13, Set<String> own) {
        if (isOf13 && has13) {
            return of13;
        }
        List<String> kinds = new ArrayList<>(of12);
        kinds.retainAll(suites);
        kinds.retainAll(own);
        return kinds;
    }
}
