package org.dunlin.server.auth;

import com.ongres.stringprep.Profile;
import com.ongres.stringprep.Stringprep;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a server keeps for SCRAM: {@code $scram-sha-256$iterations$salt$stored-key$server-key} (or 512), all but the number in base64.
 * Who steals it can neither log in with it nor read the password, and a plain password can be compared with it, too. Immutable; any
 * thread.
 */
record ScramHash(ScramMechanism mechanism, int iterations, byte[] salt, byte[] storedKey, byte[] serverKey)
        implements PasswordHash {
    /** RFC 7677, 4. */
    static final int ITERATIONS_MIN = 4096;

    static final int ITERATIONS_MAX = 10_000_000;
    private static final int ITERATIONS_WEAK = 10_000;
    static final int SALT_BYTES = 16;
    private static final int SALT_BYTES_MAX = 256;
    private static final byte[] CLIENT_KEY = "Client Key".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] SERVER_KEY = "Server Key".getBytes(StandardCharsets.US_ASCII);
    private static final Profile SASLPREP = Stringprep.getProvider("SASLprep");
    private static final Pattern FORM =
            Pattern.compile("\\$scram-sha-(256|512)\\$([0-9]{1,9})\\$([^$]*)\\$([^$]*)\\$([^$]*)");

    /** What whoever begins an exchange learns of an account. */
    record Shape(int iterations, int saltBytes) {}

    Shape shape() {
        return new Shape(iterations, salt.length);
    }

    static ScramHash parse(String text) throws Unfit {
        Matcher m = FORM.matcher(text);
        if (!m.matches()) {
            throw new Unfit("does not have the form $scram-sha-256$ITERATIONS$SALT$STOREDKEY$SERVERKEY (or 512)");
        }
        ScramMechanism mechanism = m.group(1).equals("256") ? ScramMechanism.SHA_256 : ScramMechanism.SHA_512;
        int iterations = Integer.parseInt(m.group(2));
        if (iterations < ITERATIONS_MIN || iterations > ITERATIONS_MAX) {
            throw new Unfit("has " + iterations + " iterations; allowed: " + ITERATIONS_MIN + " to " + ITERATIONS_MAX);
        }
        byte[] salt = PasswordHash.decode("salt", m.group(3));
        if (salt.length == 0 || salt.length > SALT_BYTES_MAX) {
            throw new Unfit("has a salt of " + salt.length + " bytes; allowed: 1 to " + SALT_BYTES_MAX);
        }
        return new ScramHash(
                mechanism,
                iterations,
                salt,
                key(mechanism, "stored key", m.group(4)),
                key(mechanism, "server key", m.group(5)));
    }

    private static byte[] key(ScramMechanism mechanism, String part, String text) throws Unfit {
        byte[] key = PasswordHash.decode(part, text);
        if (key.length != mechanism.length()) {
            throw new Unfit("has a " + part + " of " + key.length + " bytes instead of " + mechanism.length()
                    + "; the line may be cut off");
        }
        return key;
    }

    /**
     * @param password in UTF-8
     * @throws Unfit if SASLprep (RFC 4013) does not allow the password; the message completes "the password ..."
     */
    static ScramHash of(ScramMechanism mechanism, int iterations, byte[] password) throws Unfit {
        byte[] prepared;
        try {
            prepared = utf8(SASLPREP.prepareStored(text(password)));
        } catch (CharacterCodingException | IllegalArgumentException | IndexOutOfBoundsException not) {
            throw new Unfit("has characters that SCRAM does not allow, or none that count (SASLprep, RFC 4013)");
        }
        return of(mechanism, iterations, PasswordHash.randomBytes(SALT_BYTES), prepared);
    }

    /** @param prepared password */
    static ScramHash of(ScramMechanism mechanism, int iterations, byte[] salt, byte[] prepared) {
        byte[] salted = mechanism.saltedPassword(prepared, salt, iterations);
        byte[] storedKey = mechanism.hash(mechanism.hmac(salted, CLIENT_KEY));
        return new ScramHash(mechanism, iterations, salt, storedKey, mechanism.hmac(salted, SERVER_KEY));
    }

    /** The password of a CONNECT is compared as a client of SCRAM would have sent it. */
    @Override
    public boolean matches(byte[] password) {
        byte[] prepared;
        try {
            prepared = utf8(SASLPREP.prepareQuery(text(password)));
        } catch (CharacterCodingException | IllegalArgumentException | IndexOutOfBoundsException not) {
            prepared = password; // which takes its time and matches nothing
        }
        return MessageDigest.isEqual(of(mechanism, iterations, salt, prepared).storedKey, storedKey);
    }

    /** Without a character the library goes out of its bounds: whoever calls it has to expect that. */
    private static String text(byte[] utf8) throws CharacterCodingException {
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(utf8)).toString();
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public ScramHash decoy() {
        return new ScramHash(
                mechanism,
                iterations,
                PasswordHash.randomBytes(salt.length),
                PasswordHash.randomBytes(mechanism.length()),
                PasswordHash.randomBytes(mechanism.length()));
    }

    @Override
    public long work() {
        return (long) mechanism.roundNanos() * iterations;
    }

    @Override
    public boolean isWeak() {
        return iterations < ITERATIONS_WEAK;
    }

    @Override
    public String encoded() {
        Base64.Encoder base64 = Base64.getEncoder();
        return "$scram-sha-" + (mechanism == ScramMechanism.SHA_256 ? "256" : "512") + "$" + iterations + "$"
                + base64.encodeToString(salt) + "$" + base64.encodeToString(storedKey) + "$"
                + base64.encodeToString(serverKey);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ScramHash that
                && mechanism == that.mechanism
                && iterations == that.iterations
                && Arrays.equals(salt, that.salt)
                && MessageDigest.isEqual(storedKey, that.storedKey)
                && MessageDigest.isEqual(serverKey, that.serverKey);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(salt);
    }

    /** Leaves out all that helps to guess. */
    @Override
    public String toString() {
        return "ScramHash[" + mechanism.title() + " " + iterations + "]";
    }
}
