package org.dunlin.server.auth;

import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;

/**
 * Argon2id (RFC 9106) in the form of its reference implementation and of mosquitto 2.1:
 * {@code $argon2id$v=19$m=19456,t=2,p=1$salt$hash}, memory in KB, salt and hash in base64 without padding. Immutable; any thread.
 *
 * @param memory KB that its computation takes
 */
record Argon2Hash(int memory, int passes, int lanes, byte[] salt, byte[] hash) implements PasswordHash {
    /** The second of OWASP's equivalent choices: 19 MB, two passes, one lane. */
    private static final int MEMORY = 19_456;

    private static final int PASSES = 2;
    private static final int LANES = 1;
    private static final int SALT_BYTES = 16;
    private static final int HASH_BYTES = 32;
    private static final int BYTES_MAX = 256;
    private static final int MEMORY_MAX = 128 << 10;
    private static final int PASSES_MAX = 64;
    private static final int LANES_MAX = 16;
    /** Memory times passes; less is no hindrance to guessing. */
    private static final int WEAK = 8 << 10;
    /** Of one KB in one pass, on a usual processor. */
    private static final int BLOCK_NANOS = 1000;

    private static final Pattern FORM =
            Pattern.compile("\\$argon2id\\$v=19\\$m=([0-9]{1,9}),t=([0-9]{1,9}),p=([0-9]{1,9})"
                    + "\\$([A-Za-z0-9+/]*)\\$([A-Za-z0-9+/]*)");

    static Argon2Hash parse(String text) throws Unfit {
        Matcher m = FORM.matcher(text);
        if (!m.matches()) {
            throw new Unfit("does not have the form $argon2id$v=19$m=MEMORY,t=PASSES,p=LANES$SALT$HASH");
        }
        int lanes = within("lanes", m.group(3), 1, LANES_MAX);
        return new Argon2Hash(
                within("KB of memory", m.group(1), 8 * lanes, MEMORY_MAX),
                within("passes", m.group(2), 1, PASSES_MAX),
                lanes,
                bytes("salt", m.group(4), 8),
                bytes("hash", m.group(5), 16));
    }

    private static int within(String what, String digits, int least, int most) throws Unfit {
        int value = Integer.parseInt(digits);
        if (value < least || value > most) {
            throw new Unfit("has " + value + " " + what + "; allowed: " + least + " to " + most);
        }
        return value;
    }

    private static byte[] bytes(String part, String text, int least) throws Unfit {
        byte[] bytes = PasswordHash.decode(part, text);
        if (bytes.length < least || bytes.length > BYTES_MAX) {
            throw new Unfit("has a " + part + " of " + bytes.length + " bytes; allowed: " + least + " to " + BYTES_MAX);
        }
        return bytes;
    }

    static Argon2Hash of(byte[] password) {
        byte[] salt = PasswordHash.randomBytes(SALT_BYTES);
        return new Argon2Hash(MEMORY, PASSES, LANES, salt, compute(MEMORY, PASSES, LANES, salt, HASH_BYTES, password));
    }

    @Override
    public Argon2Hash decoy() {
        return new Argon2Hash(
                memory, passes, lanes, PasswordHash.randomBytes(salt.length), PasswordHash.randomBytes(hash.length));
    }

    /** As long as those made here. */
    static Argon2Hash usualDecoy() {
        return new Argon2Hash(
                MEMORY, PASSES, LANES, PasswordHash.randomBytes(SALT_BYTES), PasswordHash.randomBytes(HASH_BYTES));
    }

    @Override
    public boolean matches(byte[] password) {
        return MessageDigest.isEqual(compute(memory, passes, lanes, salt, hash.length, password), hash);
    }

    private static byte[] compute(int memory, int passes, int lanes, byte[] salt, int length, byte[] password) {
        Argon2BytesGenerator generator = new Argon2BytesGenerator();
        generator.init(new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
                .withVersion(Argon2Parameters.ARGON2_VERSION_13)
                .withMemoryAsKB(memory)
                .withIterations(passes)
                .withParallelism(lanes)
                .withSalt(salt)
                .build());
        byte[] computed = new byte[length];
        generator.generateBytes(password, computed);
        return computed;
    }

    @Override
    public long work() {
        return (long) BLOCK_NANOS * memory * passes;
    }

    @Override
    public boolean isWeak() {
        return memory * passes < WEAK;
    }

    @Override
    public String encoded() {
        Base64.Encoder base64 = Base64.getEncoder().withoutPadding();
        return "$argon2id$v=19$m=" + memory + ",t=" + passes + ",p=" + lanes + "$" + base64.encodeToString(salt) + "$"
                + base64.encodeToString(hash);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Argon2Hash that
                && memory == that.memory
                && passes == that.passes
                && lanes == that.lanes
                && Arrays.equals(salt, that.salt)
                && MessageDigest.isEqual(hash, that.hash);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(salt);
    }

    /** Leaves out all that helps to guess. */
    @Override
    public String toString() {
        return "Argon2Hash[m=" + memory + ",t=" + passes + ",p=" + lanes + "]";
    }
}
