package org.dunlin.server.auth;

import java.security.SecureRandom;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/**
 * What a password file keeps instead of a password: Argon2id as mosquitto 2.1 writes it, what mosquitto 1.6 and 2.0 write, or SCRAM.
 * Immutable; any thread, but {@link #matches} and the making of one take up to a second of a processor.
 */
public sealed interface PasswordHash permits Argon2Hash, DigestHash, ScramHash {
    /** That a comparison takes on a busy machine, about. */
    long USUAL_NANOS = 100_000_000;

    int SCRAM_ITERATIONS_MIN = ScramHash.ITERATIONS_MIN;
    int SCRAM_ITERATIONS_MAX = ScramHash.ITERATIONS_MAX;

    /** A text that is no hash; the message completes the sentence "the hash ...", and quotes nothing of it. */
    final class Unfit extends Exception {
        private static final long serialVersionUID = 1L;

        Unfit(String what) {
            super(what, null, false, false);
        }
    }

    static PasswordHash parse(String text) throws Unfit {
        if (text.isEmpty()) {
            throw new Unfit("is missing");
        } else if (!text.startsWith("$")) {
            throw new Unfit("is none; a password may not stand there in the clear");
        } else if (text.startsWith("$6$") || text.startsWith("$7$")) {
            return DigestHash.parse(text);
        } else if (text.startsWith("$argon2id$")) {
            return Argon2Hash.parse(text);
        } else if (text.startsWith("$scram-")) {
            return ScramHash.parse(text);
        }
        throw new Unfit(
                "is of a kind that is not known here; known are $argon2id$, $6$, $7$ and $scram-sha-256$ or 512");
    }

    /** The kind that is recommended, with a salt of its own. */
    static PasswordHash of(byte[] password) {
        return Argon2Hash.of(password);
    }

    /** The kind that mosquitto 2.0 reads, too. */
    static PasswordHash forMosquitto(byte[] password) {
        return DigestHash.of(password);
    }

    /**
     * The kind with which its user can log in by SCRAM, too.
     *
     * @param password in UTF-8
     * @param iterations {@link #SCRAM_ITERATIONS_MIN} to {@link #SCRAM_ITERATIONS_MAX}; 0 for the usual number
     * @throws Unfit if it cannot be used with SCRAM; the message completes "the password ..."
     */
    static PasswordHash forScram(ScramMechanism mechanism, int iterations, byte[] password) throws Unfit {
        return ScramHash.of(mechanism, iterations == 0 ? mechanism.iterations() : iterations, password);
    }

    /** The mechanism and iterations of a user who can log in by SCRAM, or null. */
    static @Nullable ScramKind scramKind(PasswordHash hash) {
        return hash instanceof ScramHash scram ? new ScramKind(scram.mechanism(), scram.iterations()) : null;
    }

    /** How a hash for SCRAM is made. */
    record ScramKind(ScramMechanism mechanism, int iterations) {}

    /** Takes the same time whether it matches or not. */
    boolean matches(byte[] password);

    /** As it stands in the file. */
    String encoded();

    /** Whether whoever steals the file has an easy time. */
    boolean isWeak();

    /** About how many nanoseconds {@link #matches} takes; the same number, the same kind and time. */
    long work();

    /** One that no password is known for, and that takes as long as this one. */
    PasswordHash decoy();

    static byte[] randomBytes(int count) {
        byte[] bytes = new byte[count];
        new SecureRandom().nextBytes(bytes);
        return bytes;
    }

    static byte[] decode(String part, String text) throws Unfit {
        try {
            return Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException malformed) {
            throw new Unfit("has a " + part + " that is not base64");
        }
    }
}
