package org.dunlin.it.doors;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A key with its own certificate, made by the JDK's keytool while the test runs, as files in a folder. Any thread. */
public record Identity(Path cert, Path key, KeyStore store) {
    private static final String PASSWORD = "changeit";

    /** With an EC key on P-256. */
    public static Identity make(Path folder, String name) throws Exception {
        return make(folder, name, "-keyalg", "EC", "-groupname", "secp256r1");
    }

    public static Identity makeRsa(Path folder, String name) throws Exception {
        return make(folder, name, "-keyalg", "RSA", "-keysize", "2048");
    }

    /** With an EC key, a subject as keytool takes it, and alternative names like {@code dns:a.example,uri:urn:a}. */
    public static Identity makeNamed(Path folder, String name, String subject, String alternativeNames)
            throws Exception {
        return generate(folder, name, subject, alternativeNames, "-keyalg", "EC", "-groupname", "secp256r1");
    }

    private static Identity make(Path folder, String name, String... kind) throws Exception {
        return generate(folder, name, "CN=" + name, "dns:localhost,ip:127.0.0.1", kind);
    }

    private static Identity generate(Path folder, String name, String subject, String alternativeNames, String... kind)
            throws Exception {
        Path file = folder.resolve(name + ".p12");
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair", "-alias", "k"));
        command.addAll(List.of("-dname", subject, "-ext", "SAN=" + alternativeNames));
        command.addAll(List.of(kind));
        command.addAll(List.of("-storetype", "PKCS12", "-keystore", file.toString(), "-storepass", PASSWORD));
        Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, keytool.waitFor(), said);
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(file)) {
            store.load(in, PASSWORD.toCharArray());
        }
        Identity made = new Identity(folder.resolve(name + ".crt"), folder.resolve(name + ".key"), store);
        made.write(made.cert, made.key);
        return made;
    }

    /** Writes it over what is there. */
    void write(Path certFile, Path keyFile) throws Exception {
        write(certFile, "CERTIFICATE", store.getCertificate("k").getEncoded());
        write(keyFile, "PRIVATE KEY", store.getKey("k", PASSWORD.toCharArray()).getEncoded());
    }

    private static void write(Path file, String type, byte[] der) throws IOException {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        Files.writeString(file, "-----BEGIN " + type + "-----\n" + body + "\n-----END " + type + "-----\n");
    }

    public Certificate certificate() throws Exception {
        return store.getCertificate("k");
    }

    /** For clients that trust this one alone. */
    public TrustManagerFactory trust() throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("k", certificate());
        TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
        factory.init(trusted);
        return factory;
    }

    public KeyManagerFactory keys() throws Exception {
        KeyManagerFactory factory = KeyManagerFactory.getInstance("PKIX");
        factory.init(store, PASSWORD.toCharArray());
        return factory;
    }

    /** For a server that shows this one and asks for nothing. */
    public SSLContext serverContext() throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys().getKeyManagers(), null, null);
        return context;
    }

    /** Options for a java that trusts this one alone; they name a file, which is made. */
    public List<String> trustOptions(Path file) throws Exception {
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("k", certificate());
        try (OutputStream out = Files.newOutputStream(file)) {
            trusted.store(out, PASSWORD.toCharArray());
        }
        return List.of("-Djavax.net.ssl.trustStore=" + file, "-Djavax.net.ssl.trustStorePassword=" + PASSWORD);
    }

    /** For a client that trusts this one and shows nothing. */
    SSLContext context() throws Exception {
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust().getTrustManagers(), null);
        return context;
    }
}
