package org.dunlin.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.dunlin.server.net.tls.CertificateWatch;
import org.dunlin.server.net.tls.NativeTls;
import org.dunlin.server.net.tls.Pair;
import org.dunlin.server.net.tls.TlsLayer;
import org.dunlin.server.net.tls.TlsProvider;
import org.dunlin.server.net.tls.TlsSettings;
import org.dunlin.server.net.tls.TlsSettings.ClientAuth;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is BoringSSL's own: when it is taken, what it resumes, and that nothing of it stays behind. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
@EnabledOnOs(OS.LINUX)
class NativeTlsTest {
    private static final List<String> BOTH = List.of("TLSv1.2", "TLSv1.3");
    private static final List<String> ALL_OF_13 =
            List.of("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256");
    private static final String OF_12 = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";

    /** Of TLS 1.2, and whole: it makes the broker sign. */
    private static final byte[] CLIENT_HELLO = HexFormat.of()
            .parseHex("1603010045010000410303" + "00".repeat(32)
                    + "000002c02b01000016000a000400020017000b00020100000d000400020403");

    @TempDir
    Path folder;

    private final CertificateWatch openSsl = new CertificateWatch(Duration.ofMillis(20), TlsProvider.OPENSSL);
    private final CertificateWatch auto = new CertificateWatch(Duration.ofMillis(20), TlsProvider.AUTO);

    @BeforeEach
    void hasLibrary() {
        assertNull(NativeTls.missing());
        assertEquals("BoringSSL", NativeTls.describe());
    }

    @AfterEach
    void close() {
        openSsl.close();
        auto.close();
    }

    private Rig rig(TlsLayer layer) throws Exception {
        return new Rig(
                Transport.best(),
                Rig.Layer.BORING_TLS,
                Rig.Setting.of(ChannelMoveTest.limits(Rig.WAIT_MILLIS)).layers(List.of(layer)),
                Rig::echo);
    }

    private TlsSettings settings(Pair pair, List<String> protocols, List<String> ciphers) throws Exception {
        TlsSettings usual = pair.settings(folder);
        return new TlsSettings(
                usual.cert(),
                usual.key(),
                null,
                "",
                null,
                null,
                "",
                ClientAuth.NONE,
                protocols,
                ciphers,
                null,
                List.of());
    }

    // ------------------------------------------------------------------------------------------- when it is taken

    @Test
    void keyThatItDoesNotSignWith_isJavas_orAFault() throws Exception {
        TlsSettings settings =
                Pair.make("ed", List.of("-keyalg", "Ed25519"), List.of()).settings(folder);
        try (Rig rig = rig(open(auto, settings, false));
                SSLSocket socket = TlsTest.connect(rig, Pair.client(null))) {
            TlsTest.roundTrip(socket);
        }
        assertEquals("Java", auto.providers());
        assertFault(
                settings,
                "the key of CN=ed is of the kind EdDSA, which BoringSSL does not sign with here; take RSA or EC, or set"
                        + " server.tls-provider to auto or jdk");
    }

    private static TlsLayer open(CertificateWatch watch, TlsSettings settings, boolean isNative) throws Exception {
        TlsLayer layer = watch.open("test", settings);
        assertEquals(isNative, layer.isNative());
        return layer;
    }

    private void assertFault(TlsSettings settings, String text) {
        ListenException refused = assertThrows(ListenException.class, () -> openSsl.open("test", settings));
        assertEquals("listener test: " + text, refused.getMessage());
        assertEquals(List.of(text), TlsLayer.faults(settings, TlsProvider.OPENSSL));
        assertEquals(List.of(), TlsLayer.faults(settings, TlsProvider.AUTO));
    }

    @Test
    void ciphersThatItCannotKeepTo_areJavas_orAFault() throws Exception {
        Pair pair = Pair.make("server");
        TlsSettings some = settings(pair, BOTH, List.of("TLS_AES_256_GCM_SHA384", OF_12));
        try (Rig rig = rig(open(auto, some, false));
                SSLSocket socket = TlsTest.connect(rig, Pair.client(null))) {
            TlsTest.roundTrip(socket);
            assertEquals("TLS_AES_256_GCM_SHA384", socket.getSession().getCipherSuite());
        }
        assertFault(
                some,
                "ciphers leaves some of TLS 1.3 out, which BoringSSL cannot; name all three, or leave TLSv1.3 out of"
                        + " protocols, or set server.tls-provider to auto or jdk");
        assertFault(
                settings(pair, BOTH, ALL_OF_13),
                "ciphers has none of TLS 1.2, which BoringSSL does without only by protocols; add one, or set"
                        + " server.tls-provider to auto or jdk");
        assertFault(
                settings(pair, List.of("TLSv1.2"), List.of("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256")),
                "ciphers has TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, which BoringSSL does not know; remove it, or set"
                        + " server.tls-provider to auto or jdk");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void ciphersThatItKnows_areKept(boolean with13) throws Exception {
        List<String> ciphers = new ArrayList<>(List.of(OF_12));
        if (with13) {
            ciphers.addAll(ALL_OF_13);
        }
        TlsSettings settings = settings(Pair.make("server"), with13 ? BOTH : List.of("TLSv1.2"), ciphers);
        try (Rig rig = rig(open(openSsl, settings, true));
                SSLSocket socket = TlsTest.connect(rig, Pair.client(null))) {
            socket.setEnabledProtocols(new String[] {"TLSv1.2"});
            TlsTest.roundTrip(socket);
            assertEquals(OF_12, socket.getSession().getCipherSuite());
            try (SSLSocket other = TlsTest.connect(rig, Pair.client(null))) {
                other.setEnabledCipherSuites(new String[] {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"});
                assertThrows(IOException.class, () -> TlsTest.roundTrip(other));
            }
            Rig.await("the end", () -> rig.probe(1).closed == 1);
            assertEquals("TLS failed: no shared cipher", rig.probe(1).cause);
        }
    }

    // ------------------------------------------------------------------------------------------------- resumption

    /** A client that counts how often it is shown a certificate: in a resumed session it is not. */
    private static SSLContext counting(AtomicInteger handshakes, @Nullable Pair shown) throws Exception {
        KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        if (shown != null) {
            store.setKeyEntry("k", shown.key(), new char[0], new X509Certificate[] {shown.certificate()});
        }
        keys.init(store, new char[0]);
        SSLContext context = SSLContext.getInstance("TLS");
        X509TrustManager trust = new X509TrustManager() {
            @Override
            public void checkClientTrusted(X509Certificate[] chain, String type) {}

            @Override
            public void checkServerTrusted(X509Certificate[] chain, String type) {
                handshakes.incrementAndGet();
            }

            @Override
            public X509Certificate[] getAcceptedIssuers() {
                return new X509Certificate[0];
            }
        };
        context.init(keys.getKeyManagers(), new TrustManager[] {trust}, null);
        return context;
    }

    @ParameterizedTest
    @CsvSource({"TLSv1.2, NONE, 1", "TLSv1.3, NONE, 1", "TLSv1.2, OPTIONAL, 3", "TLSv1.3, REQUIRED, 3"})
    void sessions_areResumed_unlessClientsAreAskedForCertificates(String protocol, ClientAuth clientAuth, int whole)
            throws Exception {
        Pair known = Pair.make("known");
        Path ca = Files.writeString(folder.resolve("ca.pem"), known.certificatePem());
        TlsSettings settings = Pair.make("server").settings(folder, ca, clientAuth);
        AtomicInteger handshakes = new AtomicInteger();
        SSLContext client = counting(handshakes, known);
        try (Rig rig = rig(open(openSsl, settings, true))) {
            for (int i = 0; i < 3; i++) {
                roundTrip(rig, client, protocol);
            }
            assertEquals(whole, handshakes.get());
        }
    }

    private static void roundTrip(Rig rig, SSLContext client, String protocol) throws Exception {
        try (SSLSocket socket = TlsTest.connect(rig, client)) {
            socket.setEnabledProtocols(new String[] {protocol});
            TlsTest.roundTrip(socket);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void sessions_ofBeforeNewFiles_areNotResumed(String protocol) throws Exception {
        Pair first = Pair.make("first");
        AtomicInteger handshakes = new AtomicInteger();
        SSLContext client = counting(handshakes, null);
        try (Rig rig = rig(open(openSsl, first.settings(folder), true))) {
            roundTrip(rig, client, protocol);
            roundTrip(rig, client, protocol);
            assertEquals(1, handshakes.get());
            Pair second = Pair.make("second");
            second.settings(folder);
            Rig.await("the new certificate", () -> {
                try (SSLSocket socket = TlsTest.connect(rig, Pair.client(null))) {
                    return TlsTest.roundTrip(socket).equals(second.certificate());
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
            roundTrip(rig, client, protocol);
            assertEquals(2, handshakes.get());
        }
    }

    // ---------------------------------------------------------------------------------------------------- its ends

    @Test
    void clientWithoutItsCertificate_isToldWhy() throws Exception {
        Path ca = Files.writeString(folder.resolve("ca.pem"), Pair.make("known").certificatePem());
        TlsSettings settings = Pair.make("server").settings(folder, ca, ClientAuth.REQUIRED);
        try (Rig rig = rig(open(openSsl, settings, true));
                SSLSocket socket = TlsTest.connect(rig, Pair.client(null))) {
            assertThrows(IOException.class, () -> TlsTest.roundTrip(socket));
            Rig.await("the end", () -> rig.probe().closed == 1);
            assertEquals("TLS failed: peer did not return a certificate", rig.probe().cause);
        }
    }

    /** The rig counts at its end that neither contexts nor engines nor buffers are left. */
    @Test
    void newFiles_whileClientsComeAndGo_leaveNothingBehind() throws Exception {
        Pair[] pairs = {Pair.make("zero"), Pair.make("one")};
        AtomicBoolean over = new AtomicBoolean();
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try (Rig rig = rig(open(openSsl, pairs[0].settings(folder), true))) {
            List<CompletableFuture<Integer>> clients = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                boolean cut = i == 0;
                clients.add(CompletableFuture.supplyAsync(() -> comeAndGo(rig, over, cut), threads));
            }
            for (int i = 1; i <= 10; i++) {
                X509Certificate next = pairs[i % 2].certificate();
                pairs[i % 2].settings(folder);
                Rig.await("the new certificate", () -> {
                    try (SSLSocket socket = TlsTest.connect(rig, Pair.client(null))) {
                        return TlsTest.roundTrip(socket).equals(next);
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                });
            }
            over.set(true);
            for (CompletableFuture<Integer> client : clients) {
                assertTrue(client.get(Rig.WAIT_MILLIS, TimeUnit.MILLISECONDS) > 0);
            }
        } finally {
            over.set(true);
            threads.shutdown();
            assertTrue(threads.awaitTermination(Rig.WAIT_MILLIS, TimeUnit.MILLISECONDS));
        }
    }

    /** @param cut whether it ends in the middle of handshakes */
    private static int comeAndGo(Rig rig, AtomicBoolean over, boolean cut) {
        int times = 0;
        try {
            while (!over.get()) {
                if (cut) {
                    try (Socket plain = new Socket()) {
                        plain.connect(rig.address);
                        plain.setSoLinger(true, 0);
                        plain.getOutputStream().write(CLIENT_HELLO);
                    }
                } else {
                    try (SSLSocket socket = TlsTest.connect(rig, Pair.client(null))) {
                        TlsTest.roundTrip(socket);
                    }
                }
                times++;
            }
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        return times;
    }
}
