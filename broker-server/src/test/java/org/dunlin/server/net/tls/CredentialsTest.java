package org.dunlin.server.net.tls;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.PrivateKey;
import java.security.interfaces.ECPrivateKey;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import org.dunlin.server.net.tls.TlsSettings.ClientAuth;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CredentialsTest {
    private static final String SECRET = "correct horse";

    /** One key, which opens nothing, in the forms that openssl writes. */
    private static final String CLEAR = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgOan1JANvHSqlVCGFymdhSTQMzA8K"
            + "Z+aO1lJNU6W8+IKhRANCAAT1ehOhkGcrK7c74p1xeZI32Cl+xyPbbEIsMWITp2e/KK/P1rypm7C4"
            + "AKM8dSCCQNcSUjyd+lez8zYFZB7OM7J3";

    private static final String OLDER = "MHcCAQEEIDmp9SQDbx0qpVQhhcpnYUk0DMwPCmfmjtZSTVOlvPiCoAoGCCqGSM49AwEHoUQDQgAE"
            + "9XoToZBnKyu3O+KdcXmSN9gpfscj22xCLDFiE6dnvyivz9a8qZuwuACjPHUggkDXElI8nfpXs/M2"
            + "BWQezjOydw==";

    private static final String ENCRYPTED_SHA256 =
            "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAg6N3v0ZBeuswICCAAwDAYIKoZIhvcN"
                    + "AgkFADAdBglghkgBZQMEASoEEPKQ+v7YhMBtMLw51zDnguYEgZC5wG1g5ZQ+wviZ7KlwtHduVmL+"
                    + "HyQYRnehkrWDIUo2piFLBfd063TxJInXKvRnFRJ7ErBw+41xYmlN8xK4Dmtxrc5itOgKhHIPMTar"
                    + "zmTUK88tFUXFBiK32xeMuSbyzJd+4vQB31UgEbg+o04APQRTm9Gb4NFysqVjoI4EWLhmtIU4X+jJ"
                    + "X3abO69pDi+vqBw=";

    private static final String ENCRYPTED_SHA1 =
            "MIHeMEkGCSqGSIb3DQEFDTA8MBsGCSqGSIb3DQEFDDAOBAgHlb0mkDPXYwICCAAwHQYJYIZIAWUD"
                    + "BAECBBCxdh2D6a0/en3E77JA35ILBIGQIHN86KGAknZ//1nb3MS4F2TZb5E5+yG1vv6BMZxl4zb1"
                    + "a7Wxrk66GnvJhLq4BGdv0pUiHZpo2E4t1sffU1BepGzvBCZRF3YInmj3wBTTYWmoEzFpYALFjZI0"
                    + "XFNHSrzo45iKSPSsGa1jTc4dj0eisZMASihSi4Xq1cvSCq6p64hdGic5dTutZjcm9RJJ8fvq";

    @TempDir
    Path folder;

    private Pair ec;
    private Pair rsa;

    @BeforeAll
    void make() throws Exception {
        ec = Pair.make("ec");
        rsa = Pair.make("rsa", List.of("-keyalg", "RSA", "-keysize", "2048"), List.of());
    }

    private Path file(String name, byte[] content) throws Exception {
        return Files.write(folder.resolve(name), content);
    }

    private Path file(String name, String content) throws Exception {
        return Files.writeString(folder.resolve(name), content);
    }

    private static TlsSettings pem(Path cert, Path key, String password) {
        return new TlsSettings(
                cert, key, null, password, null, null, "", ClientAuth.NONE, List.of(), List.of(), null, List.of());
    }

    private static TlsSettings store(Path keystore, String password) {
        return new TlsSettings(
                null, null, keystore, password, null, null, "", ClientAuth.NONE, List.of(), List.of(), null, List.of());
    }

    private static Credentials read(TlsSettings settings) throws TlsFault {
        return Credentials.read(settings, Credentials.Snapshot.of(settings));
    }

    private static void assertFault(String expected, TlsSettings settings) {
        TlsFault fault = assertThrows(TlsFault.class, () -> read(settings));
        assertTrue(fault.text().contains(expected), fault.text());
        assertFalse(fault.text().contains(SECRET), fault.text());
    }

    /** The content of the last element of PKCS#8 is the older form. */
    private static byte[] older(PrivateKey key) {
        byte[] pkcs8 = key.getEncoded();
        for (int at = 10; ; at++) {
            if (pkcs8[at] == 4) {
                int first = pkcs8[at + 1] & 0xff;
                int from = at + 2 + (first > 0x80 ? first & 0x7f : 0);
                if (pkcs8[from] == 0x30) {
                    return Arrays.copyOfRange(pkcs8, from, pkcs8.length);
                }
            }
        }
    }

    @Test
    void read_pkcs8_ofAllKinds() throws Exception {
        Pair ed = Pair.make("ed", List.of("-keyalg", "Ed25519"), List.of());
        for (Pair pair : List.of(ec, rsa, ed)) {
            Credentials read = read(pair.settings(folder));
            assertEquals(pair.key(), read.key());
            assertEquals(List.of(pair.certificate()), read.chain());
        }
    }

    @Test
    void read_olderFormOfRsa() throws Exception {
        Path key = file("k.pem", Pair.pem("RSA PRIVATE KEY", older(rsa.key())));
        assertEquals(
                rsa.key(),
                read(pem(file("c.pem", rsa.certificatePem()), key, "")).key());
    }

    /** By openssl pkcs8 -topk8 -v2, with the pseudo-random functions that it has used by default. */
    @ParameterizedTest
    @ValueSource(strings = {ENCRYPTED_SHA256, ENCRYPTED_SHA1})
    void key_encrypted_needsItsPassword(String body) throws Exception {
        Path file = Path.of("k.pem");
        byte[] content = Pair.pem("ENCRYPTED PRIVATE KEY", Base64.getDecoder().decode(body))
                .getBytes(StandardCharsets.US_ASCII);
        byte[] clear =
                Pair.pem("PRIVATE KEY", Base64.getDecoder().decode(CLEAR)).getBytes(StandardCharsets.US_ASCII);
        assertEquals(Pem.key(file, clear, ""), Pem.key(file, content, SECRET));
        for (String wrong : List.of("", "Correct horse")) {
            TlsFault fault = assertThrows(TlsFault.class, () -> Pem.key(file, content, wrong));
            assertEquals(
                    wrong.isEmpty()
                            ? "k.pem has a private key that is encrypted; set key-password"
                            : "k.pem has a private key that key-password does not open; set the right one",
                    fault.text());
        }
    }

    /** By openssl ecparam -genkey. */
    @Test
    void key_olderFormOfEllipticCurves() throws Exception {
        String text = Pair.pem("EC PARAMETERS", new byte[] {6, 8, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 3, 1, 7})
                + Pair.pem("EC PRIVATE KEY", Base64.getDecoder().decode(OLDER));
        byte[] clear =
                Pair.pem("PRIVATE KEY", Base64.getDecoder().decode(CLEAR)).getBytes(StandardCharsets.US_ASCII);
        ECPrivateKey read = (ECPrivateKey) Pem.key(Path.of("k"), text.getBytes(StandardCharsets.US_ASCII), "");
        assertEquals(((ECPrivateKey) Pem.key(Path.of("k"), clear, "")).getS(), read.getS());
    }

    @Test
    void read_keyInOldEncryption_saysHowToConvert() throws Exception {
        Path key = file(
                "k.pem",
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n"
                        + "-----END RSA PRIVATE KEY-----\n");
        assertFault("convert it with openssl pkcs8", pem(file("c.pem", rsa.certificatePem()), key, SECRET));
    }

    @Test
    void read_ofWhatIsNotThere_saysWhichFile() throws Exception {
        Path cert = file("c.pem", ec.certificatePem());
        assertFault("none.pem does not exist; check the path", pem(cert, folder.resolve("none.pem"), ""));
        assertFault("cannot be read", pem(folder, cert, ""));
        Path hidden = file("hidden.pem", ec.keyPem());
        Files.setPosixFilePermissions(hidden, PosixFilePermissions.fromString("---------"));
        if (!Files.isReadable(hidden)) { // root may read everything
            assertFault("hidden.pem may not be read by this user", pem(cert, hidden, ""));
        }
    }

    @Test
    void read_ofFilesThatAreSomethingElse_saysSo() throws Exception {
        Path cert = file("c.pem", ec.certificatePem());
        Path key = file("k.pem", ec.keyPem());
        assertFault("k.pem has no certificate", pem(key, key, ""));
        assertFault("c.pem has no private key", pem(cert, cert, ""));
        assertFault("empty.pem has no certificate", pem(file("empty.pem", ""), key, ""));
        assertFault(
                "has a damaged certificate (number 1)",
                pem(file("d.pem", Pair.pem("CERTIFICATE", "no".getBytes(StandardCharsets.UTF_8))), key, ""));
        assertFault(
                "damaged or of an unknown kind", pem(cert, file("e.pem", Pair.pem("PRIVATE KEY", new byte[9])), ""));
        assertFault("is no keystore in the form of PKCS12 or JKS", store(cert, ""));
    }

    @Test
    void read_keyOfAnotherCertificate_isFault() throws Exception {
        Path cert = file("c.pem", ec.certificatePem());
        Pair other = Pair.make("other");
        for (Pair pair : List.of(other, rsa)) {
            assertFault("does not belong to the certificate in", pem(cert, file("k.pem", pair.keyPem()), ""));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"PKCS12", "JKS"})
    void read_keystore(String type) throws Exception {
        Path keystore = file("k.store", ec.store(type, true));
        Credentials read = read(store(keystore, Pair.PASSWORD));
        assertEquals(ec.key(), read.key());
        assertEquals(List.of(ec.certificate()), read.chain());
        assertFault("is not opened by key-password; set the right one", store(keystore, SECRET));
        assertFault("has no private key", store(file("t.store", ec.store(type, false)), Pair.PASSWORD));
    }

    @ParameterizedTest
    @ValueSource(strings = {"PKCS12", "JKS"})
    void read_truststoreAndCa(String type) throws Exception {
        Path truststore = file("t.store", rsa.store(type, false));
        TlsSettings own = ec.settings(folder);
        TlsSettings trusting = new TlsSettings(
                own.cert(),
                own.key(),
                null,
                "",
                null,
                truststore,
                Pair.PASSWORD,
                ClientAuth.REQUIRED,
                List.of(),
                List.of(),
                null,
                List.of());
        assertEquals(List.of(rsa.certificate()), read(trusting).trusted());
        Path ca = file("ca.pem", "# comment\n" + rsa.certificatePem() + "\n" + ec.certificatePem());
        assertEquals(
                List.of(rsa.certificate(), ec.certificate()),
                read(ec.settings(folder, ca, ClientAuth.OPTIONAL)).trusted());
        assertFault("ca.pem has no certificate", ec.settings(folder, file("ca.pem", ""), ClientAuth.OPTIONAL));
        assertFault(
                "wrong.store is not opened by truststore-password",
                new TlsSettings(
                        own.cert(),
                        own.key(),
                        null,
                        "",
                        null,
                        file("wrong.store", rsa.store(type, false)),
                        SECRET,
                        ClientAuth.REQUIRED,
                        List.of(),
                        List.of(),
                        null,
                        List.of()));
    }

    @Test
    void settings_neverShowTheirPasswords() {
        TlsSettings settings = new TlsSettings(
                null,
                null,
                Path.of("k"),
                SECRET,
                null,
                null,
                SECRET,
                ClientAuth.NONE,
                List.of(),
                List.of(),
                null,
                List.of());
        assertFalse(settings.toString().contains(SECRET));
    }
}
