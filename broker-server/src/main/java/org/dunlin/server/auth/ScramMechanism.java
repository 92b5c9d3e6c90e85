package org.dunlin.server.auth;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/** The functions of RFC 5802 with one of its digests (RFC 7677). Any thread. */
public enum ScramMechanism {
    SHA_256("SCRAM-SHA-256", "SHA-256", "HmacSHA256", 32, 600_000, 250),
    SHA_512("SCRAM-SHA-512", "SHA-512", "HmacSHA512", 64, DigestHash.ITERATIONS, 700);

    private final String title;
    private final String digest;
    private final String hmac;
    private final int length;
    private final int iterations;
    private final int roundNanos;

    ScramMechanism(String title, String digest, String hmac, int length, int iterations, int roundNanos) {
        this.title = title;
        this.digest = digest;
        this.hmac = hmac;
        this.length = length;
        this.iterations = iterations;
        this.roundNanos = roundNanos;
    }

    /** The one of that name, or null. */
    static @Nullable ScramMechanism of(String title) {
        for (ScramMechanism each : values()) {
            if (each.title.equals(title)) {
                return each;
            }
        }
        return null;
    }

    /** As Authentication Method: "SCRAM-SHA-256". */
    String title() {
        return title;
    }

    /** Bytes of a digest. */
    int length() {
        return length;
    }

    /** What OWASP asks for with this digest. */
    int iterations() {
        return iterations;
    }

    int roundNanos() {
        return roundNanos;
    }

    byte[] saltedPassword(byte[] password, byte[] salt, int rounds) {
        try {
            return Pbkdf2.derive(hmac, rounds, salt, password);
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("every Java has " + hmac, missing);
        }
    }

    byte[] hmac(byte[] key, byte[] text) {
        try {
            Mac mac = Mac.getInstance(hmac);
            mac.init(new SecretKeySpec(key, hmac));
            return mac.doFinal(text);
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("every Java has " + hmac, missing);
        }
    }

    byte[] hash(byte[] text) {
        try {
            return MessageDigest.getInstance(digest).digest(text);
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("every Java has " + digest, missing);
        }
    }
}
