package org.dunlin.server.cli.security;

import org.dunlin.server.auth.PasswordHash;
import org.dunlin.server.auth.ScramMechanism;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.remote.Arguments;
import org.jspecify.annotations.Nullable;

/**
 * Which kind of hash a password gets. Any thread.
 *
 * @param scram null unless the user may log in by SCRAM, too
 * @param iterations of SCRAM; 0 for as many as usual
 * @param pbkdf2 whether mosquitto has to read it
 */
record HashKind(@Nullable ScramMechanism scram, int iterations, boolean pbkdf2) {
    /** What --scram, --iterations and --pbkdf2 say. */
    static HashKind of(Arguments given) throws CommandException {
        boolean scram = given.isGiven("scram");
        boolean pbkdf2 = given.isGiven("pbkdf2");
        if (scram && pbkdf2) {
            throw wrong("--scram and --pbkdf2 are two kinds of hashes; give one of them");
        }
        int least = PasswordHash.SCRAM_ITERATIONS_MIN;
        int most = PasswordHash.SCRAM_ITERATIONS_MAX;
        long iterations = given.isGiven("iterations") ? Long.parseLong(given.text("iterations")) : 0;
        if (iterations != 0 && !scram) {
            throw wrong("--iterations is for --scram");
        } else if (iterations != 0 && (iterations < least || iterations > most)) {
            throw wrong("--iterations is " + iterations + "; allowed: " + least + " to " + most);
        }
        return new HashKind(scram ? mechanism(given.text("scram")) : null, (int) iterations, pbkdf2);
    }

    private static ScramMechanism mechanism(String digest) throws CommandException {
        return switch (digest) {
            case "sha-256" -> ScramMechanism.SHA_256;
            case "sha-512" -> ScramMechanism.SHA_512;
            default -> throw wrong("--scram takes sha-256 or sha-512");
        };
    }

    /** @param former of the user until now; stays the kind if no other is asked for */
    PasswordHash hash(byte[] password, PasswordHash.@Nullable ScramKind former) throws CommandException {
        try {
            if (scram != null) {
                return PasswordHash.forScram(scram, iterations, password);
            } else if (pbkdf2) {
                return PasswordHash.forMosquitto(password);
            } else if (former != null) {
                return PasswordHash.forScram(former.mechanism(), former.iterations(), password);
            }
            return PasswordHash.of(password);
        } catch (PasswordHash.Unfit unfit) {
            throw wrong("the password " + unfit.getMessage());
        }
    }

    private static CommandException wrong(String what) {
        return new CommandException(ExitCode.USAGE, what);
    }
}
