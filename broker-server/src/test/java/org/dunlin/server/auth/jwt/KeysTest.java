package org.dunlin.server.auth.jwt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.crypto.spec.SecretKeySpec;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.files.NamedFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys from files and from servers that are slow, endless or lie. */
class KeysTest {
    private static final String EXAMPLE =
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

    @TempDir
    Path folder;

    private ServerSocket server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch end = new CountDownLatch(1);

    @AfterEach
    void stop() throws IOException {
        end.countDown();
        if (server != null) {
            server.close();
        }
        threads.shutdownNow();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static VerificationKeys jwks(String... keys) throws KeyFile.Unfit {
        return KeyFile.jwks(bytes("{\"keys\":[" + String.join(",", keys) + "]}"), List.of());
    }

    /** RFC 7515, A.1 and A.3. */
    @Test
    void tokensOfTheStandard_areVerified() throws Exception {
        byte[] secret = Base64.getUrlDecoder()
                .decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
        Token hmac = Token.parse(
                "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + EXAMPLE + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assertEquals(
                "joe", hmac.verify(List.of(new SecretKeySpec(secret, "HMAC"))).getIssuer());

        VerificationKeys keys = jwks("{\"kty\":\"EC\",\"crv\":\"P-256\","
                + "\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                + "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}");
        Token curve = Token.parse("eyJhbGciOiJFUzI1NiJ9." + EXAMPLE
                + ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
        assertEquals("joe", curve.verify(keys.candidates("ES256", null)).getIssuer());
    }

    /** CVE-2022-21449: a signature of nothing but zeros. */
    @Test
    void signatureOfZeros_isNone() throws Exception {
        VerificationKeys keys = jwks(JwtAuthenticatorTest.jwk(Signer.pair("P-256"), "a"));
        String zeros = Base64.getUrlEncoder().withoutPadding().encodeToString(new byte[64]);
        Token token = Token.parse("eyJhbGciOiJFUzI1NiJ9." + EXAMPLE + "." + zeros);

        assertThrows(Token.Unfit.class, () -> token.verify(keys.candidates("ES256", null)));
    }

    @Test
    void keySet_isReadForWhatItIsFor() throws Exception {
        KeyPair one = Signer.pair("P-256");
        String usual = JwtAuthenticatorTest.jwk(one, "a");
        String encryption = usual.replace("{\"kty\"", "{\"use\":\"enc\",\"kty\"");
        String secret = "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T\"}";
        String other =
                JwtAuthenticatorTest.jwk(Signer.pair("RSA"), "b").replace("{\"kty\"", "{\"alg\":\"RS384\",\"kty\"");

        VerificationKeys keys = jwks(usual, encryption, secret, other, "{}", "7", "{\"kty\":\"RSA\",\"n\":\"AQ\"}");

        assertEquals(2, keys.count());
        assertEquals(1, keys.candidates("ES256", "a").size());
        assertEquals(0, keys.candidates("ES256", "b").size());
        assertEquals(1, keys.candidates("RS384", "b").size());
        assertFalse(keys.knowsAlgorithm("RS256"));
        assertFalse(keys.knowsAlgorithm("HS256"));
        assertThrows(KeyFile.Unfit.class, () -> jwks(encryption, secret));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[]}", "{\"keys\":[{}]}", "<html>", "{\"keys\":[[[["})
    void otherContent_isNoKeySet(String content) {
        assertThrows(KeyFile.Unfit.class, () -> KeyFile.jwks(bytes(content), List.of()));
    }

    @Test
    void pem_saysWhatIsWrong() throws Exception {
        String rsa = Signer.pem(Signer.pair("RSA").getPublic());
        assertEquals(
                2,
                KeyFile.pem(
                                bytes(rsa + "\ntext\n"
                                        + Signer.pem(Signer.pair("Ed25519").getPublic())),
                                List.of())
                        .count());
        assertTrue(pemFault("nothing").startsWith("has no public key in PEM"));
        assertTrue(pemFault(rsa.replace("PUBLIC KEY", "PRIVATE KEY")).startsWith("has a private key instead"));
        assertTrue(pemFault(rsa.replace("PUBLIC KEY", "RSA PUBLIC KEY")).contains("openssl rsa -RSAPublicKey_in"));
        assertEquals("has a damaged PUBLIC KEY", pemFault(rsa.replace("MII", "MIJ")));
        assertTrue(pemFault(Signer.pem(Signer.pair("X25519").getPublic())).contains("damaged"));
        assertTrue(pemFault(Signer.pem(Signer.pair("Ed448").getPublic())).contains("has a key that is of the kind"));
        assertTrue(assertThrows(KeyFile.Unfit.class, () -> KeyFile.pem(bytes(rsa), List.of("ES256")))
                .getMessage()
                .contains("fits none of auth.jwt.algorithms"));
    }

    private static String pemFault(String text) {
        return assertThrows(KeyFile.Unfit.class, () -> KeyFile.pem(bytes(text), List.of()))
                .getMessage();
    }

    @Test
    void keyFile_isFollowed_andAFaultyOneIsNotUsed() throws Exception {
        Path file = Files.writeString(
                folder.resolve("key.pem"), Signer.pem(Signer.pair("P-256").getPublic()));
        NamedFile named = new NamedFile(file, "key file", "auth.jwt.public-key", "", KeyFile.BYTES_MAX);
        FileKeys keys = new FileKeys(named, KeyFile::pem, List.of());

        Files.writeString(file, "gone");
        keys.look();
        assertTrue(keys.keys().knowsAlgorithm("ES256"));
        Files.writeString(file, Signer.pem(Signer.pair("RSA").getPublic()));
        keys.look();
        assertFalse(keys.keys().knowsAlgorithm("ES256"));
        assertTrue(keys.keys().knowsAlgorithm("PS256"));

        Files.writeString(file, "gone");
        ConfigException thrown =
                assertThrows(ConfigException.class, () -> new FileKeys(named, KeyFile::pem, List.of()));
        assertTrue(thrown.getMessage().contains("key.pem: the key file has no public key in PEM"));
    }

    // ---- servers

    /** What a server answers, which speaks HTTP itself. */
    private interface Answering {
        void to(OutputStream client) throws IOException;
    }

    private FetchedKeys from(Duration timeout, Answering answering) throws IOException {
        server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        threads.execute(() -> {
            while (!server.isClosed()) {
                try {
                    Socket client = server.accept();
                    threads.execute(() -> serve(client, answering));
                } catch (IOException closed) {
                    return;
                }
            }
        });
        URI url = URI.create("http://127.0.0.1:" + server.getLocalPort() + "/jwks");
        return new FetchedKeys(url, Duration.ofHours(1), Duration.ofMillis(1), timeout, List.of());
    }

    private static void serve(Socket client, Answering answering) {
        try (client) {
            InputStream in = client.getInputStream();
            int ends = 0;
            while (ends < 4) { // carriage return and line feed, twice
                int next = in.read();
                ends = next == '\r' || next == '\n' ? ends + 1 : 0;
                if (next < 0) {
                    return;
                }
            }
            answering.to(client.getOutputStream());
        } catch (IOException gone) {
            // as it is meant to be where too much is sent
        }
    }

    private static void answer(OutputStream client, String status, String body) throws IOException {
        client.write(bytes("HTTP/1.1 " + status + "\r\nContent-Length: " + bytes(body).length
                + "\r\nConnection: close\r\n\r\n" + body));
    }

    private static void begin(OutputStream client) throws IOException {
        client.write(bytes("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{"));
        client.flush();
    }

    @Test
    void keysOfAServer_stayWhenItFails() throws Exception {
        String good = "{\"keys\":[" + JwtAuthenticatorTest.jwk(Signer.pair("P-256"), "a") + "]}";
        AtomicInteger turn = new AtomicInteger();
        FetchedKeys keys = from(Duration.ofSeconds(5), client -> {
            switch (turn.getAndIncrement()) {
                case 0 -> answer(client, "500 Error", good);
                case 1 -> answer(client, "200 OK", good);
                case 2 -> answer(client, "200 OK", "{\"keys\":[]}");
                case 3 -> answer(client, "404 Not Found", "");
                case 4 -> answer(client, "302 Found\r\nLocation: /elsewhere", "");
                default -> answer(client, "200 OK", "<html>sign in</html>");
            }
        });
        keys.fetch();
        assertNull(keys.keys());
        keys.fetch();
        VerificationKeys first = keys.keys();
        assertNotNull(first);
        for (int i = 0; i < 4; i++) {
            keys.fetch();
            assertEquals(first, keys.keys());
        }
        assertEquals(6, turn.get(), "a redirection is not followed");
    }

    @Test
    void endlessAnswer_isCutOff() throws Exception {
        FetchedKeys keys = from(Duration.ofSeconds(20), client -> {
            begin(client);
            while (end.getCount() > 0) {
                client.write(new byte[8192]); // fails once nobody reads
            }
        });
        keys.fetch();
        assertNull(keys.keys());
    }

    @Test
    void slowAnswer_isNotAwaited() throws Exception {
        FetchedKeys keys = from(Duration.ofMillis(100), client -> {
            begin(client);
            try {
                end.await();
            } catch (InterruptedException stopped) {
                Thread.currentThread().interrupt();
            }
        });
        keys.fetch();
        assertNull(keys.keys());
    }

    @Test
    void unknownKey_makesItAskEarlier() throws Exception {
        CountDownLatch three = new CountDownLatch(3);
        String good = "{\"keys\":[" + JwtAuthenticatorTest.jwk(Signer.pair("P-256"), "a") + "]}";
        FetchedKeys keys = from(Duration.ofSeconds(5), client -> {
            answer(client, "200 OK", good);
            three.countDown();
        });
        keys.watch();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (three.getCount() > 0 && System.nanoTime() < deadline) {
            keys.missed();
            Thread.onSpinWait();
        }
        keys.close();
        assertEquals(0, three.getCount(), "three fetches within an interval of an hour");
    }
}
