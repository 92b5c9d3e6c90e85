package org.dunlin.server.net.tls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import org.junit.jupiter.api.Test;

class ClientHelloTest {
    private static final Set<String> BOTH = Set.of("EC", "RSA");

    private static ByteBuffer hello(List<String> protocols, List<String> suites) throws Exception {
        SSLEngine client = Pair.client(null).createSSLEngine();
        client.setUseClientMode(true);
        SSLParameters parameters = client.getSSLParameters();
        parameters.setProtocols(protocols.toArray(new String[0]));
        if (!suites.isEmpty()) {
            parameters.setCipherSuites(suites.toArray(new String[0]));
        }
        client.setSSLParameters(parameters);
        ByteBuffer record = ByteBuffer.allocate(1 << 16);
        client.wrap(ByteBuffer.allocate(0), record);
        return record.flip();
    }

    private static List<String> kinds(ByteBuffer record, boolean has13, Set<String> own) {
        ClientHello hello = ClientHello.read(record);
        assertNotNull(hello);
        assertEquals(0, record.position());
        return hello.kinds(has13, own);
    }

    @Test
    void kinds_areThoseOfTheHandshakeThatWillBe() throws Exception {
        ByteBuffer both = hello(List.of("TLSv1.2", "TLSv1.3"), List.of());
        assertEquals(List.of("EC", "RSA"), kinds(both, true, Set.of()));
        assertEquals(List.of("RSA"), kinds(both, false, Set.of("RSA")));
        ByteBuffer rsa = hello(List.of("TLSv1.2"), List.of("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
        assertEquals(List.of("RSA"), kinds(rsa, true, BOTH));
        assertEquals(List.of(), kinds(rsa, true, Set.of("EC")));
    }

    @Test
    void kinds_withoutAnExtension_areThoseOfTheSuites() {
        String hello = "0303" + "00".repeat(32) + "00" + "0004c02fc02b" + "0100";
        ByteBuffer record = ByteBuffer.wrap(HexFormat.of().parseHex("160301002f" + "0100002b" + hello));
        assertEquals(Set.of("EC", "RSA"), Set.copyOf(kinds(record, true, BOTH)));
    }

    /** Each of its bytes cut off, and each changed: an answer or none, and no failure. */
    @Test
    void read_ofWhatIsDamaged_isNull_orWithoutWhatIsMissing() throws Exception {
        ByteBuffer whole = hello(List.of("TLSv1.2", "TLSv1.3"), List.of());
        for (int i = 0; i < whole.limit(); i++) {
            assertNull(ClientHello.read(whole.duplicate().limit(i).slice()));
            ByteBuffer changed =
                    ByteBuffer.allocate(whole.limit()).put(whole.duplicate()).flip();
            for (int bit = 1; bit < 256; bit <<= 1) {
                changed.put(i, (byte) (whole.get(i) ^ bit));
                ClientHello read = ClientHello.read(changed);
                if (read != null) {
                    read.kinds(true, BOTH);
                }
            }
        }
        assertNull(ClientHello.read(ByteBuffer.wrap(new byte[] {23, 3, 3, 0, 1, 1})));
    }
}
