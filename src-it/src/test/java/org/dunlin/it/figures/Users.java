package org.dunlin.it.figures;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;

/** Password files. All users of one have the same password, salt and hash: the broker does not notice. Any thread. */
final class Users {
    static final String PASSWORD = "open sesame";

    private static final byte[] SALT = "twelve bytes".getBytes(StandardCharsets.UTF_8);
    private static final int ITERATIONS = 210_000;
    private static final int HASH_BITS = 512;

    private Users() {}

    /** @param kind 6 for one round of SHA-512, 7 for PBKDF2 as the broker makes it */
    static String hash(String kind) {
        Base64.Encoder base64 = Base64.getEncoder();
        String salt = base64.encodeToString(SALT);
        try {
            return switch (kind) {
                case "6" -> {
                    MessageDigest sha512 = MessageDigest.getInstance("SHA-512");
                    sha512.update(PASSWORD.getBytes(StandardCharsets.UTF_8));
                    sha512.update(SALT);
                    yield "$6$" + salt + "$" + base64.encodeToString(sha512.digest());
                }
                case "7" -> {
                    byte[] hash = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA512")
                            .generateSecret(new PBEKeySpec(PASSWORD.toCharArray(), SALT, ITERATIONS, HASH_BITS))
                            .getEncoded();
                    yield "$7$" + ITERATIONS + "$" + salt + "$" + base64.encodeToString(hash);
                }
                default -> throw new IllegalArgumentException("no kind of hash: " + kind + "; known are none, 6 and 7");
            };
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("every Java has SHA-512", missing);
        }
    }

    static void write(Path file, Iterable<String> names, String hash) throws IOException {
        StringBuilder text = new StringBuilder();
        for (String name : names) {
            text.append(name).append(':').append(hash).append('\n');
        }
        Files.writeString(file, text);
    }
}
