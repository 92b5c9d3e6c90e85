package org.dunlin.server.auth;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The hashes of mosquitto 1.6 and 2.0: {@code $6$salt$hash}, SHA-512 over password and salt, and {@code $7$iterations$salt$hash},
 * PBKDF2 with HMAC-SHA-512; salt and hash in base64. Immutable; any thread.
 */
final class DigestHash implements PasswordHash {
    /** Of hashes made here: what OWASP asks for with SHA-512. */
    static final int ITERATIONS = 210_000;

    /** As mosquitto 2.0 wants them. */
    private static final int SALT_BYTES = 12;

    private static final int HASH_BYTES = 64;
    private static final int SALT_BYTES_MAX = 256;
    private static final int ITERATIONS_MAX = 10_000_000;
    /** Fewer are no hindrance to guessing: mosquitto 2.0 makes 101. */
    private static final int ITERATIONS_WEAK = 10_000;
    /** Of one round, on a usual processor. */
    private static final int ROUND_NANOS = 700;

    private static final Pattern FORM = Pattern.compile("\\$([67])\\$(?:([0-9]{1,9})\\$)?([^$]*)\\$([^$]*)");

    /** 0 for one round of SHA-512. */
    private final int iterations;

    private final byte[] salt;
    private final byte[] hash;

    private DigestHash(int iterations, byte[] salt, byte[] hash) {
        this.iterations = iterations;
        this.salt = salt;
        this.hash = hash;
    }

    static DigestHash parse(String text) throws Unfit {
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
        byte[] salt = PasswordHash.decode("salt", m.group(3));
        if (salt.length == 0 || salt.length > SALT_BYTES_MAX) {
            throw new Unfit("has a salt of " + salt.length + " bytes; allowed: 1 to " + SALT_BYTES_MAX);
        }
        byte[] hash = PasswordHash.decode("hash", m.group(4));
        if (hash.length != HASH_BYTES) {
            throw new Unfit("has " + hash.length + " bytes instead of " + HASH_BYTES + "; the line may be cut off");
        }
        return new DigestHash(iterations, salt, hash);
    }

    /** A new hash with a salt of its own. */
    static DigestHash of(byte[] password) {
        byte[] salt = PasswordHash.randomBytes(SALT_BYTES);
        return new DigestHash(ITERATIONS, salt, compute(ITERATIONS, salt, password));
    }

    @Override
    public DigestHash decoy() {
        return decoy(iterations);
    }

    /** @param iterations 0 for one round of SHA-512 */
    static DigestHash decoy(int iterations) {
        return new DigestHash(iterations, PasswordHash.randomBytes(SALT_BYTES), PasswordHash.randomBytes(HASH_BYTES));
    }

    @Override
    public long work() {
        return (long) ROUND_NANOS * Math.max(1, iterations);
    }

    @Override
    public boolean isWeak() {
        return iterations < ITERATIONS_WEAK;
    }

    @Override
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
            return iterations == 0 ? sha512(salt, password) : Pbkdf2.derive("HmacSHA512", iterations, salt, password);
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

    @Override
    public String encoded() {
        Base64.Encoder base64 = Base64.getEncoder();
        String tail = base64.encodeToString(salt) + "$" + base64.encodeToString(hash);
        return iterations == 0 ? "$6$" + tail : "$7$" + iterations + "$" + tail;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof DigestHash that
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
        return iterations == 0 ? "DigestHash[SHA-512]" : "DigestHash[PBKDF2 " + iterations + "]";
    }
}
