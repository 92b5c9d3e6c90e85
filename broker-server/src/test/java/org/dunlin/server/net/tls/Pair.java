package org.dunlin.server.net.tls;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.Executor;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.jspecify.annotations.Nullable;

/** A key and its own certificate, made by the JDK's keytool while the test runs. Any thread. */
public record Pair(PrivateKey key, X509Certificate certificate) {
    public static final String PASSWORD = "changeit";

    private static final List<String> P256 = List.of("-keyalg", "EC", "-groupname", "secp256r1");

    /** A new pair on a usual curve, valid from now on. */
    public static Pair make(String name) throws Exception {
        return make(name, P256, List.of());
    }

    /** @param options such as "-validity", "1" */
    public static Pair make(String name, List<String> algorithm, List<String> options) throws Exception {
        Path folder = Files.createTempDirectory("dunlin-pair");
        Path file = folder.resolve("k.p12");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "k",
                "-dname",
                "CN=" + name,
                "-ext",
                "SAN=dns:localhost,ip:127.0.0.1",
                "-storetype",
                "PKCS12",
                "-keystore",
                file.toString(),
                "-storepass",
                PASSWORD));
        command.addAll(algorithm);
        command.addAll(options);
        Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, keytool.waitFor(), said);
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD.toCharArray());
        }
        Files.delete(file);
        Files.delete(folder);
        return new Pair(
                (PrivateKey) store.getKey("k", PASSWORD.toCharArray()), (X509Certificate) store.getCertificate("k"));
    }

    public static String pem(String type, byte[] der) {
        return "-----BEGIN " + type + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der) + "\n-----END " + type + "-----\n";
    }

    public String certificatePem() throws Exception {
        return pem("CERTIFICATE", certificate.getEncoded());
    }

    public String keyPem() {
        return pem("PRIVATE KEY", key.getEncoded());
    }

    /** Certificate and key as PEM files in the folder, over those that are there. */
    public TlsSettings settings(Path folder) throws Exception {
        return settings(folder, null, TlsSettings.ClientAuth.NONE);
    }

    public TlsSettings settings(Path folder, @Nullable Path ca, TlsSettings.ClientAuth clientAuth) throws Exception {
        Path cert = Files.writeString(folder.resolve("cert.pem"), certificatePem());
        Path keyFile = Files.writeString(folder.resolve("key.pem"), keyPem());
        return new TlsSettings(
                cert,
                keyFile,
                null,
                "",
                ca,
                null,
                "",
                clientAuth,
                List.of("TLSv1.2", "TLSv1.3"),
                List.of(),
                null,
                List.of());
    }

    /** A listener's TLS whose handshakes are computed where the test says. */
    public static TlsLayer layer(TlsSettings settings, TlsProvider provider, Executor handshakes) throws Exception {
        HandshakeQueue queue = new HandshakeQueue(handshakes, new HandshakeQueue.Room(100), 100);
        return TlsLayer.open("test", settings, provider, queue);
    }

    /** In the form of PKCS12. */
    public byte[] store(String type, boolean withKey) throws Exception {
        KeyStore store = KeyStore.getInstance(type);
        store.load(null, null);
        if (withKey) {
            store.setKeyEntry("k", key, PASSWORD.toCharArray(), new X509Certificate[] {certificate});
        } else {
            store.setCertificateEntry("k", certificate);
        }
        var out = new java.io.ByteArrayOutputStream();
        store.store(out, PASSWORD.toCharArray());
        return out.toByteArray();
    }

    /** For a client that trusts everybody and shows the pair, if there is one. */
    public static SSLContext client(@Nullable Pair pair) throws Exception {
        KeyManager @Nullable [] keys = null;
        if (pair != null) {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            store.setKeyEntry("k", pair.key(), new char[0], new X509Certificate[] {pair.certificate()});
            KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
            factory.init(store, new char[0]);
            keys = factory.getKeyManagers();
        }
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys, new TrustManager[] {new TrustAll()}, null);
        return context;
    }

    private static final class TrustAll implements X509TrustManager {
        @Override
        public void checkClientTrusted(X509Certificate[] chain, String type) {}

        @Override
        public void checkServerTrusted(X509Certificate[] chain, String type) {}

        @Override
        public X509Certificate[] getAcceptedIssuers() {
            return new X509Certificate[0];
        }
    }
}
