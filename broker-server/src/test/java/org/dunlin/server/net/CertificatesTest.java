package org.dunlin.server.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.dunlin.server.net.tls.Authority;
import org.dunlin.server.net.tls.CertificateWatch;
import org.dunlin.server.net.tls.Pair;
import org.dunlin.server.net.tls.TlsProvider;
import org.dunlin.server.net.tls.TlsSettings;
import org.dunlin.server.net.tls.TlsSettings.ClientAuth;
import org.jspecify.annotations.Nullable;
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

/** Which of several certificates is shown, and which clients are not let in any more, over real sockets. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
@ParameterizedClass
@EnumSource(
        value = TlsProvider.class,
        names = {"JDK", "AUTO"})
class CertificatesTest {
    private static final ch.qos.logback.classic.Logger LOGGER =
            (ch.qos.logback.classic.Logger) LoggerFactory.getLogger("org.dunlin.server.net.tls");
    private static final List<String> PROTOCOLS = List.of("TLSv1.2", "TLSv1.3");

    @TempDir
    Path folder;

    private final CertificateWatch watch;
    private final Queue<String> logged = new ConcurrentLinkedQueue<>();
    private final AppenderBase<ILoggingEvent> appender = new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
            logged.add(event.getFormattedMessage());
        }
    };

    CertificatesTest(TlsProvider provider) {
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

    private Rig rig(TlsSettings settings) throws Exception {
        return new Rig(
                Transport.best(),
                Rig.Layer.TLS,
                Rig.Setting.of(ChannelMoveTest.limits(Rig.WAIT_MILLIS)).layers(List.of(watch.open("test", settings))),
                Rig::echo);
    }

    private boolean isLogged(String text) {
        return logged.stream().anyMatch(line -> line.contains(text));
    }

    private static SSLSocket connect(Rig rig, SSLContext context, @Nullable String host, String protocol)
            throws Exception {
        SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket();
        socket.connect(rig.address);
        socket.setSoTimeout((int) Rig.WAIT_MILLIS);
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setServerNames(host == null ? List.of() : List.of(new SNIHostName(host)));
        parameters.setProtocols(new String[] {protocol});
        socket.setSSLParameters(parameters);
        return socket;
    }

    private static X509Certificate shown(Rig rig, @Nullable String host, String protocol) throws Exception {
        try (SSLSocket socket = connect(rig, Pair.client(null), host, protocol)) {
            return roundTrip(socket);
        }
    }

    private static X509Certificate roundTrip(SSLSocket socket) throws Exception {
        byte[] publish = Rig.publishBytes(3000, 1);
        socket.getOutputStream().write(Rig.join(Rig.connectBytes(), publish));
        assertArrayEquals(publish, socket.getInputStream().readNBytes(publish.length));
        return (X509Certificate) socket.getSession().getPeerCertificates()[0];
    }

    private TlsSettings.Named named(String name, Pair pair) throws Exception {
        Path cert = Files.writeString(folder.resolve(name + ".crt"), pair.certificatePem());
        return new TlsSettings.Named(cert, Files.writeString(folder.resolve(name + ".key"), pair.keyPem()));
    }

    private TlsSettings settings(Pair main, List<TlsSettings.Named> sni) throws Exception {
        TlsSettings.Named own = named("main", main);
        return new TlsSettings(
                own.cert(), own.key(), null, "", null, null, "", ClientAuth.NONE, PROTOCOLS, List.of(), null, sni);
    }

    // -------------------------------------------------------------------------------------------------------- SNI

    @Test
    void certificate_isChosenByTheHostThatIsAskedFor() throws Exception {
        Authority authority = new Authority(folder, "authority");
        Pair main = Pair.make("main");
        Pair one = authority.sign("one", "EC", "one.example.org", "other.example.org");
        Pair two = authority.sign("two", "RSA", "*.example.org");
        Pair rsa = authority.sign("rsa", "RSA", "one.example.org");
        Path both = Files.writeString(folder.resolve("both.pem"), two.keyPem() + two.certificatePem());
        List<TlsSettings.Named> sni = List.of(new TlsSettings.Named(both, both), named("one", one), named("rsa", rsa));
        try (Rig rig = rig(settings(main, sni))) {
            for (String protocol : PROTOCOLS) {
                assertEquals(one.certificate(), shown(rig, "one.example.org", protocol));
                assertEquals(one.certificate(), shown(rig, "Other.EXAMPLE.org", protocol));
                assertEquals(two.certificate(), shown(rig, "third.example.org", protocol));
                assertEquals(main.certificate(), shown(rig, "a.third.example.org", protocol));
                assertEquals(main.certificate(), shown(rig, "example.org", protocol));
                assertEquals(main.certificate(), shown(rig, null, protocol));
            }
            try (SSLSocket socket = connect(rig, Pair.client(null), "one.example.org", "TLSv1.2")) {
                socket.setEnabledCipherSuites(new String[] {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"});
                assertEquals(rsa.certificate(), roundTrip(socket), "by the kind of key that the client knows");
            }
        }
    }

    @Test
    void faultyNewPair_takesNoOtherDown() throws Exception {
        Authority authority = new Authority(folder, "authority");
        Pair main = Pair.make("main");
        Pair one = authority.sign("one", "EC", "one.example.org");
        Pair two = authority.sign("two", "EC", "two.example.org");
        Pair next = authority.sign("next", "EC", "two.example.org");
        List<TlsSettings.Named> sni = List.of(named("one", one), named("two", two));
        try (Rig rig = rig(settings(main, sni))) {
            Files.writeString(sni.get(0).key(), "no key");
            named("two", next);
            Rig.await(
                    "the refusal",
                    () -> isLogged(
                            "goes on with the certificate it has: " + sni.get(0).key()));
            Rig.await("the new certificate", () -> isLogged("new handshakes get the new certificate CN=next"));
            assertEquals(one.certificate(), shown(rig, "one.example.org", "TLSv1.3"));
            assertEquals(next.certificate(), shown(rig, "two.example.org", "TLSv1.3"));
            assertEquals(main.certificate(), shown(rig, null, "TLSv1.3"));
        }
        ListenException refused = assertThrows(ListenException.class, () -> watch.open("front", settings(main, sni)));
        assertTrue(String.valueOf(refused.getMessage()).contains("one.key"), refused.getMessage());
    }

    @Test
    void certificateForNoHost_isRefusedInSni() throws Exception {
        Pair nameless = new Authority(folder, "authority").sign("nameless", "EC");
        ListenException refused = assertThrows(
                ListenException.class,
                () -> watch.open("front", settings(Pair.make("main"), List.of(named("nameless", nameless)))));
        assertTrue(String.valueOf(refused.getMessage()).contains("names no host"), refused.getMessage());
    }

    // -------------------------------------------------------------------------------------------- revocation lists

    private TlsSettings checking(Path crl, Path ca, ClientAuth clientAuth) throws Exception {
        TlsSettings.Named own = named("main", Pair.make("main"));
        return new TlsSettings(
                own.cert(), own.key(), null, "", ca, null, "", clientAuth, PROTOCOLS, List.of(), crl, List.of());
    }

    private static Instant inDays(int days) {
        return Instant.now().plus(Duration.ofDays(days));
    }

    /** @return why it ended */
    private static @Nullable String refused(Rig rig, SSLContext client, String protocol) throws Exception {
        int before = rig.probes.size();
        try (SSLSocket socket = connect(rig, client, null, protocol)) {
            assertThrows(IOException.class, () -> roundTrip(socket));
            Rig.await("the end", () -> rig.probe(before).closed == 1);
            return rig.probe(before).cause;
        }
    }

    private static void welcome(Rig rig, SSLContext client, String protocol) throws Exception {
        try (SSLSocket socket = connect(rig, client, null, protocol)) {
            roundTrip(socket);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"TLSv1.2", "TLSv1.3"})
    void revokedClient_isRefused_alsoWhenItResumesASession(String protocol) throws Exception {
        Authority authority = new Authority(folder, "authority");
        Pair good = authority.sign("good", "EC");
        Pair bad = authority.sign("bad", "EC");
        Path ca = Files.writeString(folder.resolve("ca.pem"), authority.own().certificatePem());
        Path crl = Files.write(folder.resolve("list.crl"), authority.list(inDays(-1), inDays(1)));
        SSLContext goodClient = Pair.client(good);
        SSLContext badClient = Pair.client(bad);
        try (Rig rig = rig(checking(crl, ca, ClientAuth.REQUIRED))) {
            welcome(rig, goodClient, protocol);
            welcome(rig, badClient, protocol);
            byte[] list = authority.list(inDays(-1), inDays(1), bad.certificate());
            Files.writeString(crl, Pair.pem("X509 CRL", list));
            Rig.await("the new list", () -> isLogged("clients of new handshakes are checked by the new ca and crl"));
            welcome(rig, goodClient, protocol);
            String cause = refused(rig, badClient, protocol);
            assertTrue(String.valueOf(cause).contains("the certificate of CN=bad was revoked on "), cause);
        }
    }

    @Test
    void listThatIsOver_refusesClients_untilItIsRenewed() throws Exception {
        Authority authority = new Authority(folder, "authority");
        SSLContext client = Pair.client(authority.sign("good", "EC"));
        Path ca = Files.writeString(folder.resolve("ca.pem"), authority.own().certificatePem());
        Path crl = Files.write(folder.resolve("list.crl"), authority.list(inDays(-2), inDays(-1)));
        try (Rig rig = rig(checking(crl, ca, ClientAuth.OPTIONAL))) {
            assertTrue(isLogged("revocation lists are out of force: CN=authority on "), logged::toString);
            String cause = refused(rig, client, "TLSv1.3");
            assertTrue(
                    String.valueOf(cause).contains("the revocation list of CN=authority is not in force any more"),
                    cause);
            welcome(rig, Pair.client(null), "TLSv1.3");
            Files.write(crl, authority.list(inDays(-2), inDays(1)));
            Rig.await("the new list", () -> isLogged("clients of new handshakes are checked by the new ca and crl"));
            welcome(rig, client, "TLSv1.3");
            Files.writeString(crl, "nothing");
            Rig.await("the refusal", () -> isLogged("goes on with the revocation lists it has: " + crl));
            welcome(rig, client, "TLSv1.3");
        }
    }

    /** Also one that nobody resumes by: what was let in before the list was over is looked at anew. */
    @Test
    void listThatEndsMeanwhile_refusesResumption() throws Exception {
        Authority authority = new Authority(folder, "authority");
        SSLContext client = Pair.client(authority.sign("good", "EC"));
        Path ca = Files.writeString(folder.resolve("ca.pem"), authority.own().certificatePem());
        Instant end = Instant.now().plusSeconds(4);
        Path crl = Files.write(folder.resolve("list.crl"), authority.list(inDays(-2), end));
        try (Rig rig = rig(checking(crl, ca, ClientAuth.REQUIRED))) {
            welcome(rig, client, "TLSv1.3");
            Rig.await("the end of the list", () -> isLogged("revocation lists are out of force"));
            String cause = refused(rig, client, "TLSv1.3");
            assertTrue(String.valueOf(cause).contains("not in force any more"), cause);
        }
    }

    @Test
    void severalAuthorities_eachNeedsItsList() throws Exception {
        Authority one = new Authority(folder, "one");
        Authority two = new Authority(Files.createDirectory(folder.resolve("2")), "two");
        Pair itself = Pair.make("itself");
        Path ca = Files.writeString(
                folder.resolve("ca.pem"),
                one.own().certificatePem() + two.own().certificatePem() + itself.certificatePem());
        Path crl = Files.writeString(folder.resolve("list.crl"), Pair.pem("X509 CRL", one.list(inDays(-1), inDays(1))));
        try (Rig rig = rig(checking(crl, ca, ClientAuth.REQUIRED))) {
            welcome(rig, Pair.client(one.sign("a", "EC")), "TLSv1.3");
            welcome(rig, Pair.client(itself), "TLSv1.3");
            SSLContext ofTwo = Pair.client(two.sign("b", "RSA"));
            String cause = refused(rig, ofTwo, "TLSv1.3");
            assertTrue(String.valueOf(cause).contains("crl has no revocation list of CN=two"), cause);
            byte[] both = Rig.join(one.list(inDays(-1), inDays(1)), two.list(inDays(-1), inDays(1)));
            Files.write(crl, both); // one behind the other as DER
            Rig.await("the new list", () -> isLogged("clients of new handshakes are checked by the new ca and crl"));
            welcome(rig, ofTwo, "TLSv1.3");
        }
    }

    @Test
    void listOfAnImpostor_isRefused() throws Exception {
        Authority real = new Authority(folder, "authority");
        Authority impostor = new Authority(Files.createDirectory(folder.resolve("2")), "authority");
        Path ca = Files.writeString(folder.resolve("ca.pem"), real.own().certificatePem());
        Path crl = Files.write(folder.resolve("list.crl"), impostor.list(inDays(-1), inDays(1)));
        ListenException refused =
                assertThrows(ListenException.class, () -> watch.open("front", checking(crl, ca, ClientAuth.REQUIRED)));
        assertTrue(
                String.valueOf(refused.getMessage()).contains("a revocation list that CN=authority has not signed"),
                refused.getMessage());
    }
}
