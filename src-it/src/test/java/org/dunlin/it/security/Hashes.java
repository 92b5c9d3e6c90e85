package org.dunlin.it.security;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;

/** Any thread. Lines of a password file that cost no time to check: one round of SHA-512, as mosquitto 1.6 made them. */
final class Hashes {
    private Hashes() {}

    static String line(String user, String password) {
        byte[] salt = ("salt of " + user).getBytes(StandardCharsets.UTF_8);
        try {
            MessageDigest sha512 = MessageDigest.getInstance("SHA-512");
            sha512.update(password.getBytes(StandardCharsets.UTF_8));
            sha512.update(salt);
            Base64.Encoder base64 = Base64.getEncoder();
            return user + ":$6$" + base64.encodeToString(salt) + "$" + base64.encodeToString(sha512.digest()) + "\n";
        } catch (NoSuchAlgorithmException missing) {
            throw new IllegalStateException("every Java has SHA-512", missing);
        }
    }
}
