package org.dunlin.server.net.tls;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;

/** Signs certificates and revocation lists, in a folder of its own, with the JDK's keytool. Any thread. */
public final class Authority {
    /** ecdsa-with-SHA256. */
    private static final byte[] ALGORITHM = {0x30, 10, 6, 8, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 4, 3, 2};

    private static final DateTimeFormatter UTC_TIME =
            DateTimeFormatter.ofPattern("yyMMddHHmmss'Z'").withZone(ZoneOffset.UTC);

    private final Path folder;
    private final Path store;
    private int signed;

    public Authority(Path folder, String name) throws Exception {
        this.folder = folder;
        this.store = folder.resolve(name + ".p12");
        keytool(
                "-genkeypair",
                "-alias",
                "ca",
                "-dname",
                "CN=" + name,
                "-keyalg",
                "EC",
                "-groupname",
                "secp256r1",
                "-ext",
                "bc:c");
    }

    private void keytool(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("-keystore", store.toString(), "-storetype", "PKCS12", "-storepass", Pair.PASSWORD));
        Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, keytool.waitFor(), said);
    }

    private KeyStore open() throws Exception {
        KeyStore opened = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            opened.load(in, Pair.PASSWORD.toCharArray());
        }
        return opened;
    }

    public Pair own() throws Exception {
        KeyStore opened = open();
        return new Pair((PrivateKey) opened.getKey("ca", Pair.PASSWORD.toCharArray()), (X509Certificate)
                opened.getCertificate("ca"));
    }

    /** @param algorithm "EC" or "RSA" */
    public Pair sign(String name, String algorithm, String... hosts) throws Exception {
        String alias = "c" + signed++;
        Path request = folder.resolve(alias + ".csr");
        Path certificate = folder.resolve(alias + ".der");
        keytool("-genkeypair", "-alias", alias, "-dname", "CN=" + name, "-keyalg", algorithm);
        keytool("-certreq", "-alias", alias, "-file", request.toString());
        List<String> gencert = new ArrayList<>(
                List.of("-gencert", "-alias", "ca", "-infile", request.toString(), "-outfile", certificate.toString()));
        if (hosts.length > 0) {
            gencert.addAll(List.of("-ext", "san=dns:" + String.join(",dns:", hosts)));
        }
        keytool(gencert.toArray(new String[0]));
        X509Certificate made = (X509Certificate) CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(Files.readAllBytes(certificate)));
        return new Pair((PrivateKey) open().getKey(alias, Pair.PASSWORD.toCharArray()), made);
    }

    /** A revocation list in the form of DER. */
    public byte[] list(Instant from, Instant to, X509Certificate... revoked) throws Exception {
        byte[][] entries = new byte[revoked.length][];
        for (int i = 0; i < revoked.length; i++) {
            entries[i] = der(0x30, number(revoked[i].getSerialNumber()), time(from));
        }
        byte[] unsigned = der(
                0x30,
                number(BigInteger.ONE),
                ALGORITHM,
                own().certificate().getSubjectX500Principal().getEncoded(),
                time(from),
                time(to),
                revoked.length == 0 ? new byte[0] : der(0x30, entries));
        Signature signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(own().key());
        signature.update(unsigned);
        return der(0x30, unsigned, ALGORITHM, der(3, new byte[1], signature.sign()));
    }

    private static byte[] number(BigInteger value) {
        return der(2, value.toByteArray());
    }

    private static byte[] time(Instant instant) {
        return der(0x17, UTC_TIME.format(instant).getBytes(StandardCharsets.US_ASCII));
    }

    private static byte[] der(int tag, byte[]... parts) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            content.writeBytes(part);
        }
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        whole.write(tag);
        if (content.size() >= 0x80) {
            whole.write(0x82);
            whole.write(content.size() >> 8);
        }
        whole.write(content.size());
        whole.writeBytes(content.toByteArray());
        return whole.toByteArray();
    }
}
