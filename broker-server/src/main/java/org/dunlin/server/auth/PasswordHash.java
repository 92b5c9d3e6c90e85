package org.dunlin.server.auth;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What a password file keeps instead of a password, in the forms of mosquitto: {@code $6$salt$hash}, SHA-512 over password and
 * salt, and {@code $7$iterations$salt$hash}, PBKDF2 with HMAC-SHA-512; salt and hash in base64. Immutable; any thread, but
 * {@link #matches} and {@link #of} take up to a second of a processor.
 */
public final class PasswordHash {
    /** Of hashes made here: what OWASP asks for with SHA-512. */
    public static final int ITERATIONS = 210_000;

    /** As mosquitto 2.0 wants them. */
    private static final int SALT_BYTES = 12;

    private static final int HASH_BYTES = 64;
    private static final int SALT_BYTES_MAX = 256;
    private static final int ITERATIONS_MAX = 10_000_000;
    /** Fewer are no hindrance to guessing: mosquitto 2.0 makes 101. */
    private static final int ITERATIONS_WEAK = 10_000;

    private static final Pattern FORM = Pattern.compile("\\$([67])\\$(?:([0-9]{1,9})\\$)?([^$]*)\\$([^$]*)");
    private static final SecureRandom RANDOM = new SecureRandom();

    /** 0 for one round of SHA-512. */
    private final int iterations;

    private final byte[] salt;
    private final byte[] hash;

    private PasswordHash(int iterations, byte[] salt, byte[] hash) {
        this.iterations = iterations;
        this.salt = salt;
        this.hash = hash;
    }

    /** A text that is no hash; the message completes the sentence "the hash ...", and quotes nothing of it. */
    public static final class Unfit extends Exception {
        private static final long serialVersionUID = 1L;

        Unfit(String what) {
            super(what, null, false, false);
        }
    }

    public static PasswordHash parse(String text) throws Unfit {
        if (text.isEmpty()) {
            throw new Unfit("is missing");
        }
        if (!text.startsWith("$")) {
            throw new Unfit("is none; a password may not stand there in the clear");
        }
        if (!text.startsWith("$6$") && !text.startsWith("$7$")) {
            throw new Unfit("is of a kind that is not known here; known are $6$ and $7$");
        }
        Matcher m = FORM.matcher(text);
        boolean derived = text.startsWith("$7$");
        if (!m.matches() || (m.group(2) != null) != derived) {
            throw new Unfit(
                    derived ? "does not have the form $7$ITERATIONS$SALT$HASH" : "does not have the form $6$SALT$HASH");
        }
        int iterations = derived ? Integer.parseInt(m.group(2)) : 0;
        if (derived && (iterations < 1 || iterations > ITERATIONS_MAX)) {
            throw new Unfit("has " + iterations + " iterations; allowed: 1 to " + ITERATIONS_MAX);
        }
        byte[] salt = decode("salt", m.group(3));
        if (salt.length == 0 || salt.length > SALT_BYTES_MAX) {
            throw new Unfit("has a salt of " + salt.length + " bytes; allowed: 1 to " + SALT_BYTES_MAX);
        }
        byte[] hash = decode("hash", m.group(4));
        if (hash.length != HASH_BYTES) {
            throw new Unfit("has " + hash.length + " bytes instead of " + HASH_BYTES + "; the line may be cut off");
        }
        return new PasswordHash(iterations, salt, hash);
    }

    private static byte[] decode(String part, String text) throws Unfit {
        try {
            return Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException malformed) {
            throw new Unfit("has a " + part + " that is not base64");
        }
    }

    /** A new hash with a salt of its own. */
    public static PasswordHash of(byte[] password) {
        byte[] salt = randomBytes(SALT_BYTES);
        return new PasswordHash(ITERATIONS, salt, compute(ITERATIONS, salt, password));
    }

    /** One that no password is known for, and that takes as long as this one. */
    PasswordHash decoy() {
        return decoy(iterations);
    }

    /** @param iterations 0 for one round of SHA-512 */
    static PasswordHash decoy(int iterations) {
        return new PasswordHash(iterations, randomBytes(SALT_BYTES), randomBytes(HASH_BYTES));
    }

    private static byte[] randomBytes(int count) {
        byte[] bytes = new byte[count];
        RANDOM.nextBytes(bytes);
        return bytes;
    }

    /** How long its computation takes; the same number, the same time. */
    int iterations() {
        return iterations;
    }

    /** Whether whoever steals the file has an easy time. */
    boolean isWeak() {
        return iterations < ITERATIONS_WEAK;
    }

    /** Takes the same time whether it matches or not. */
    public boolean matches(byte[] password) {
        byte[] computed = compute(iterations, salt, password);
        try {
            return MessageDigest.isEqual(computed, hash);
        } finally {
            Arrays.fill(computed, (byte) 0);
        }
    }

    private static byte[] compute(int iterations, byte[] salt, byte[] password) {
        try {
            return iterations == 0 ? sha512(salt, password) : pbkdf2(iterations, salt, password);
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException("every Java has SHA-512", missing);
        }
    }

    private static byte[] sha512(byte[] salt, byte[] password) throws GeneralSecurityException {
        MessageDigest digest = MessageDigest.getInstance("SHA-512");
        digest.update(password);
        digest.update(salt);
        return digest.digest();
    }

    /**
     * One block of RFC 8018, which is all that 64 bytes need. Java's own key factory takes characters only, and the password of a
     * CONNECT is any bytes.
     */
    private static byte[] pbkdf2(int iterations, byte[] salt, byte[] password) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA512");
        // HMAC fills a key up with zeros, so that this one is the same as none, which Java refuses
        mac.init(new SecretKeySpec(password.length == 0 ? new byte[1] : password, "HmacSHA512"));
        mac.update(salt);
        mac.update(new byte[] {0, 0, 0, 1});
        byte[] round = mac.doFinal();
        byte[] sum = round.clone();
        for (int i = 1; i < iterations; i++) {
            mac.update(round);
            mac.doFinal(round, 0);
            for (int j = 0; j < HASH_BYTES; j++) {
                sum[j] ^= round[j];
            }
        }
        return sum;
    }

    /** As it stands in the file. */
    public String encoded() {
        Base64.Encoder base64 = Base64.getEncoder();
        String tail = base64.encodeToString(salt) + "$" + base64.encodeToString(hash);
        return iterations == 0 ? "$6$" + tail : "$7$" + iterations + "$" + tail;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof PasswordHash that
                && iterations == that.iterations
                && Arrays.equals(salt, that.salt)
                && MessageDigest.isEqual(hash, that.hash);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(salt) * 31 + iterations;
    }

    /** Leaves out all that helps to guess. */
    @Override
    public String toString() {
        return iterations == 0 ? "PasswordHash[SHA-512]" : "PasswordHash[PBKDF2 " + iterations + "]";
    }
}
