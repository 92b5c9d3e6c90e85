package org.dunlin.server.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import org.dunlin.core.limits.Limits;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.server.net.tls.CertificateWatch;
import org.dunlin.server.net.tls.Pair;
import org.dunlin.server.net.tls.TlsProvider;
import org.dunlin.server.net.tls.TlsSettings;
import org.dunlin.server.net.tls.TlsSettings.ClientAuth;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** TLS over real sockets: who gets in, files that change, and clients that do not speak it. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
@ParameterizedClass
@EnumSource(
        value = TlsProvider.class,
        names = {"JDK", "AUTO"})
class TlsTest {
    private static final ch.qos.logback.classic.Logger LOGGER =
            (ch.qos.logback.classic.Logger) LoggerFactory.getLogger("org.dunlin.server.net.tls");

    @TempDir
    Path folder;

    private final TlsProvider provider;
    private final CertificateWatch watch;
    private final Queue<String> logged = new ConcurrentLinkedQueue<>();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            logged.add(event.getFormattedMessage());
        }
    };

    TlsTest(TlsProvider provider) {
        this.provider = provider;
        watch = new CertificateWatch(Duration.ofMillis(20), provider);
    }

    @BeforeEach
    void listen() {
        appender.start();
        LOGGER.setLevel(Level.INFO);
        LOGGER.addAppender(appender);
    }

    @AfterEach
    void close() {
        LOGGER.detachAppender(appender);
        LOGGER.setLevel(null);
        watch.close();
    }

    private Rig rig(TlsSettings settings, long connectTimeoutMillis) throws Exception {
        Limits limits = ChannelMoveTest.limits(connectTimeoutMillis);
        return new Rig(
                Transport.best(),
                Rig.Layer.TLS,
                Rig.Setting.of(limits).layers(List.of(watch.open("test", settings))),
                Rig::echo);
    }

    static SSLSocket connect(Rig rig, SSLContext context) throws Exception {
        SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket();
        socket.connect(rig.address);
        socket.setSoTimeout((int) Rig.WAIT_MILLIS);
        return socket;
    }

    /** Says CONNECT and a message, and expects the message. @return whom the broker has shown itself as */
    static X509Certificate roundTrip(SSLSocket socket) throws Exception {
        byte[] publish = Rig.publishBytes(3000, 1);
        socket.getOutputStream().write(Rig.join(Rig.connectBytes(), publish));
        assertArrayEquals(publish, socket.getInputStream().readNBytes(publish.length));
        return (X509Certificate) socket.getSession().getPeerCertificates()[0];
    }

    private boolean isLogged(String text) {
        return logged.stream().anyMatch(line -> line.contains(text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void clientAuth_requiredAndOptional(String protocol) throws Exception {
        Pair server = Pair.make("server");
        Pair known = Pair.make("known");
        Pair stranger = Pair.make("stranger");
        Path ca = Files.writeString(folder.resolve("ca.pem"), known.certificatePem());
        for (ClientAuth clientAuth : List.of(ClientAuth.REQUIRED, ClientAuth.OPTIONAL)) {
            try (Rig rig = rig(server.settings(folder, ca, clientAuth), Rig.WAIT_MILLIS)) {
                for (Pair shown : java.util.Arrays.asList(known, stranger, null)) {
                    boolean welcome = shown == known || (shown == null && clientAuth == ClientAuth.OPTIONAL);
                    try (SSLSocket socket = connect(rig, Pair.client(shown))) {
                        socket.setEnabledProtocols(new String[] {protocol});
                        if (welcome) {
                            assertEquals(server.certificate(), roundTrip(socket));
                            assertEquals(protocol, socket.getSession().getProtocol());
                            assertEquals(
                                    Optional.ofNullable(shown).map(Pair::certificate),
                                    certificate(rig.probe(rig.probes.size() - 1)));
                        } else if (shown == null) {
                            assertThrows(IOException.class, () -> roundTrip(socket));
                        } else { // who does not see the name of his signer in the request shows nothing
                            String what = clientAuth + " " + protocol;
                            if (clientAuth == ClientAuth.REQUIRED) {
                                assertThrows(IOException.class, () -> roundTrip(socket), what);
                            } else {
                                roundTrip(socket);
                            }
                        }
                    }
                }
            }
        }
    }

    /** Whom the broker takes the client for. */
    private static Optional<X509Certificate> certificate(Rig.Probe probe) throws Exception {
        return CompletableFuture.supplyAsync(
                        () -> Optional.ofNullable(probe.connection.certificate()), probe.connection.loop()::execute)
                .get(Rig.WAIT_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** A resumed session shows no certificate anew: the one of the first handshake counts. */
    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void certificate_ofAResumedSession_isTheSame(String protocol) throws Exception {
        Pair known = Pair.make("known");
        Path ca = Files.writeString(folder.resolve("ca.pem"), known.certificatePem());
        SSLContext client = Pair.client(known);
        try (Rig rig = rig(Pair.make("server").settings(folder, ca, ClientAuth.REQUIRED), Rig.WAIT_MILLIS)) {
            for (int i = 0; i < 3; i++) {
                try (SSLSocket socket = connect(rig, client)) {
                    socket.setEnabledProtocols(new String[] {protocol});
                    roundTrip(socket);
                    assertEquals(Optional.of(known.certificate()), certificate(rig.probe(i)));
                }
            }
        }
    }

    /** Java's client updates its keys when it is told to begin a handshake on a connection of TLS 1.3. */
    @Test
    void updatesOfKeys_areTakenNowAndThen_andEndTheConnectionWhenTheyFlood() throws Exception {
        try (Rig rig = rig(Pair.make("server").settings(folder), Rig.WAIT_MILLIS);
                SSLSocket socket = connect(rig, Pair.client(null))) {
            roundTrip(socket);
            byte[] publish = Rig.publishBytes(100, 2);
            for (int i = 0; i < 5; i++) {
                socket.startHandshake();
                socket.getOutputStream().write(publish);
                assertArrayEquals(publish, socket.getInputStream().readNBytes(publish.length));
            }
            assertThrows(IOException.class, () -> {
                for (int i = 0; i < 100_000; i++) {
                    socket.startHandshake();
                }
            });
            Rig.await("the end", () -> rig.probe().closed == 1);
            assertEquals(
                    provider == TlsProvider.JDK
                            ? "TLS failed: more than 100 records within a second that carry nothing, such as updates of"
                                    + " keys"
                            : "TLS failed: too many key updates",
                    rig.probe().cause);
        }
    }

    /** A client may not have handshake after handshake for the price of one connection. */
    @Test
    void renegotiation_isRefused() throws Exception {
        try (Rig rig = rig(Pair.make("server").settings(folder), Rig.WAIT_MILLIS);
                SSLSocket socket = connect(rig, Pair.client(null))) {
            socket.setEnabledProtocols(new String[] {"TLSv1.2"});
            roundTrip(socket);
            socket.startHandshake();
            assertThrows(IOException.class, () -> {
                while (socket.getInputStream().read() >= 0) {
                    // until it fails
                }
                throw new IOException("ended");
            });
            Rig.await("the end", () -> rig.probe().closed == 1);
        }
    }

    @Test
    void protocols_onlyThoseThatAreSet() throws Exception {
        TlsSettings all = Pair.make("server").settings(folder);
        TlsSettings newest = new TlsSettings(
                all.cert(),
                all.key(),
                null,
                "",
                null,
                null,
                "",
                ClientAuth.NONE,
                List.of("TLSv1.3"),
                List.of(),
                null,
                List.of());
        try (Rig rig = rig(newest, Rig.WAIT_MILLIS);
                SSLSocket old = connect(rig, Pair.client(null));
                SSLSocket current = connect(rig, Pair.client(null))) {
            old.setEnabledProtocols(new String[] {"TLSv1.2"});
            assertThrows(IOException.class, () -> roundTrip(old));
            roundTrip(current);
        }
    }

    @Test
    void ciphers_onlyThoseThatAreSet() throws Exception {
        String cipher = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
        TlsSettings all = Pair.make("server").settings(folder);
        TlsSettings one = new TlsSettings(
                all.cert(),
                all.key(),
                null,
                "",
                null,
                null,
                "",
                ClientAuth.NONE,
                all.protocols(),
                List.of(cipher),
                null,
                List.of());
        try (Rig rig = rig(one, Rig.WAIT_MILLIS);
                SSLSocket socket = connect(rig, Pair.client(null))) {
            roundTrip(socket);
            assertEquals(cipher, socket.getSession().getCipherSuite());
        }
        TlsSettings unknown = new TlsSettings(
                all.cert(),
                all.key(),
                null,
                "",
                null,
                null,
                "",
                ClientAuth.NONE,
                all.protocols(),
                List.of("TLS_X"),
                null,
                List.of());
        ListenException refused = assertThrows(ListenException.class, () -> watch.open("test", unknown));
        assertEquals(
                "listener test: ciphers has TLS_X, which this Java does not know; remove it", refused.getMessage());
    }

    @Test
    void open_withFaultyFiles_namesTheListener() throws Exception {
        TlsSettings settings = Pair.make("a").settings(folder);
        Files.writeString(folder.resolve("key.pem"), Pair.make("b").keyPem());
        ListenException refused = assertThrows(ListenException.class, () -> watch.open("front", settings));
        assertTrue(
                String.valueOf(refused.getMessage()).startsWith("listener front: the private key in "),
                refused.getMessage());
    }

    @Test
    void newFiles_serveNewHandshakes_whileOldConnectionsGoOn() throws Exception {
        Pair first = Pair.make("first");
        Pair second = Pair.make("second");
        try (Rig rig = rig(first.settings(folder), Rig.WAIT_MILLIS);
                SSLSocket before = connect(rig, Pair.client(null))) {
            assertEquals(first.certificate(), roundTrip(before));
            second.settings(folder);
            Rig.await("the new certificate", () -> isLogged("new handshakes get the new certificate CN=second"));
            try (SSLSocket after = connect(rig, Pair.client(null))) {
                assertEquals(second.certificate(), roundTrip(after));
            }
            byte[] publish = Rig.publishBytes(100, 2);
            before.getOutputStream().write(publish);
            assertArrayEquals(publish, before.getInputStream().readNBytes(publish.length));
        }
    }

    /** As Kubernetes changes a mounted secret: the files are links through a link that is put in place at once. */
    @Test
    void newFiles_behindLinks_areSeen() throws Exception {
        Pair first = Pair.make("first");
        Pair second = Pair.make("second");
        first.settings(Files.createDirectory(folder.resolve("1")));
        second.settings(Files.createDirectory(folder.resolve("2")));
        Files.createSymbolicLink(folder.resolve("data"), Path.of("1"));
        Path cert = Files.createSymbolicLink(folder.resolve("c.pem"), Path.of("data", "cert.pem"));
        Path key = Files.createSymbolicLink(folder.resolve("k.pem"), Path.of("data", "key.pem"));
        TlsSettings settings = new TlsSettings(
                cert,
                key,
                null,
                "",
                null,
                null,
                "",
                ClientAuth.NONE,
                List.of("TLSv1.2", "TLSv1.3"),
                List.of(),
                null,
                List.of());
        try (Rig rig = rig(settings, Rig.WAIT_MILLIS)) {
            Files.createSymbolicLink(folder.resolve("next"), Path.of("2"));
            Files.move(
                    folder.resolve("next"),
                    folder.resolve("data"),
                    java.nio.file.StandardCopyOption.ATOMIC_MOVE,
                    java.nio.file.StandardCopyOption.REPLACE_EXISTING);
            Rig.await("the new certificate", () -> isLogged("new handshakes get the new certificate CN=second"));
            try (SSLSocket after = connect(rig, Pair.client(null))) {
                assertEquals(second.certificate(), roundTrip(after));
            }
        }
    }

    @Test
    void faultyNewFiles_areRefusedWithOneLine_andTheOldGoOn() throws Exception {
        Pair first = Pair.make("first");
        try (Rig rig = rig(first.settings(folder), Rig.WAIT_MILLIS)) {
            Files.writeString(folder.resolve("key.pem"), Pair.make("other").keyPem());
            Rig.await("the refusal", () -> isLogged("goes on with the certificate it has: the private key in"));
            try (SSLSocket socket = connect(rig, Pair.client(null))) {
                assertEquals(first.certificate(), roundTrip(socket));
            }
            Files.delete(folder.resolve("cert.pem"));
            Rig.await("the refusal", () -> isLogged("cert.pem does not exist"));
            Pair.make("third").settings(folder);
            Rig.await("the new certificate", () -> isLogged("the new certificate CN=third"));
            assertEquals(3, logged.size(), logged::toString);
        }
    }

    @Test
    void certificateThatHasExpired_isServedWithAWarning() throws Exception {
        Pair old = Pair.make(
                "old",
                List.of("-keyalg", "EC", "-groupname", "secp256r1"),
                List.of("-startdate", "-9d", "-validity", "3"));
        try (Rig rig = rig(old.settings(folder), Rig.WAIT_MILLIS);
                SSLSocket socket = connect(rig, Pair.client(null))) {
            assertEquals(old.certificate(), roundTrip(socket));
            assertTrue(isLogged("Listener test: the certificate has expired: CN=old, valid until "), logged::toString);
        }
    }

    @Test
    void closeNotify_isTheEndOfTheInput() throws Exception {
        try (Rig rig = rig(Pair.make("server").settings(folder), Rig.WAIT_MILLIS);
                SSLSocket socket = connect(rig, Pair.client(null))) {
            roundTrip(socket);
            byte[] last = Rig.publishBytes(100, 2);
            socket.getOutputStream().write(Rig.join(last, Rig.bytes(new Disconnect(ReasonCode.SUCCESS))));
            socket.shutdownOutput();
            assertArrayEquals(last, socket.getInputStream().readNBytes(last.length));
            assertEquals(-1, socket.getInputStream().read(), "close_notify comes back, without an error");
            Rig.await("the end", () -> rig.probe().closed == 1);
            assertNull(rig.probe().cause);
        }
    }

    @Test
    void closeNotify_withoutDisconnect_isAFailureOfTheClient() throws Exception {
        try (Rig rig = rig(Pair.make("server").settings(folder), Rig.WAIT_MILLIS);
                SSLSocket socket = connect(rig, Pair.client(null))) {
            roundTrip(socket);
            socket.shutdownOutput();
            Rig.await("the end", () -> rig.probe().closed == 1);
            assertEquals("closed by the peer without DISCONNECT", rig.probe().cause);
        }
    }

    /** What it sent may be a password: nothing of it is in the cause, which is logged. */
    @Test
    void clientWithoutTls_isClosed_andNothingItSentIsTold() throws Exception {
        try (Rig rig = rig(Pair.make("server").settings(folder), Rig.WAIT_MILLIS);
                Socket socket = new Socket()) {
            socket.connect(rig.address);
            socket.setSoTimeout((int) Rig.WAIT_MILLIS);
            socket.getOutputStream().write(Rig.connectBytes());
            Rig.await("the end", () -> rig.probe().closed == 1);
            assertEquals("TLS failed: what the client sent is not TLS", rig.probe().cause);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"nothing", "part of a handshake", "a byte now and then", "no CONNECT"})
    void slowClient_isCutAtTheConnectTimeout(String what) throws Exception {
        try (Rig rig = rig(Pair.make("server").settings(folder), 500)) {
            try (Socket plain = new Socket();
                    SSLSocket secure = connect(rig, Pair.client(null))) {
                if (what.equals("no CONNECT")) {
                    secure.startHandshake();
                } else {
                    plain.connect(rig.address);
                    if (!what.equals("nothing")) {
                        plain.getOutputStream().write(new byte[] {22, 3, 1, 2, 0, 1, 0});
                    }
                }
                Rig.await("the cut", () -> {
                    if (what.equals("a byte now and then") && !rig.probes.isEmpty()) {
                        try {
                            plain.getOutputStream().write(0);
                            TimeUnit.MILLISECONDS.sleep(10);
                        } catch (IOException | InterruptedException cut) {
                            // as it should be
                        }
                    }
                    return rig.probes.stream().anyMatch(probe -> probe.closed == 1);
                });
                assertFalse(rig.probes.isEmpty());
                String cause = rig.probes.stream()
                        .filter(probe -> probe.closed == 1)
                        .findFirst()
                        .orElseThrow()
                        .cause;
                assertEquals("timeout: no CONNECT within 500 ms", cause);
            }
        }
    }
}
