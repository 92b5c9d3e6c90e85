package org.dunlin.server.cli.security;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Objects;
import org.dunlin.server.auth.PasswordHash;
import org.dunlin.server.auth.ScramMechanism;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ConfigOptions;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Which password file a command is about. Main thread. */
final class UserOptions {
    private static final ConfiguredFile PASSWORDS = new ConfiguredFile(
            "password file", "-f", "auth.password-file", config -> config.auth().passwordFile(), "");

    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec spec;

    @Mixin
    private ConfigOptions options = new ConfigOptions();

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "Password file; without it auth.password-file of the configuration.")
    private @Nullable Path file;

    /** What -f says, or the one that {@code start} with the same options, file and environment would read. */
    Path file(Invocation invocation) throws ConfigException, CommandException {
        return PASSWORDS.choose(file, options, invocation);
    }

    PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }

    /** Which kind of hash a password gets. */
    static final class Hash {
        @Option(
                names = "--scram",
                arity = "0..1",
                fallbackValue = "sha-256",
                paramLabel = "DIGEST",
                description = "Let the user log in by SCRAM, too, with sha-256 (if nothing follows) or sha-512.")
        private @Nullable String scram;

        @Option(
                names = "--iterations",
                paramLabel = "N",
                description = "Of SCRAM; devices have to compute them at each login. Else 600000, of sha-512 210000.")
        private int iterations;

        @Option(names = "--pbkdf2", description = "Make a hash that mosquitto 2.0 can read, too.")
        private boolean pbkdf2;

        /** Faults, before anybody is asked for a password. */
        void check() throws CommandException {
            if (scram != null && pbkdf2) {
                throw wrong("--scram and --pbkdf2 are two kinds of hashes; give one of them");
            }
            if (iterations != 0 && scram == null) {
                throw wrong("--iterations is for --scram");
            }
            int least = PasswordHash.SCRAM_ITERATIONS_MIN;
            int most = PasswordHash.SCRAM_ITERATIONS_MAX;
            if (scram != null && iterations != 0 && (iterations < least || iterations > most)) {
                throw wrong("--iterations is " + iterations + "; allowed: " + least + " to " + most);
            }
            mechanism();
        }

        private @Nullable ScramMechanism mechanism() throws CommandException {
            if (scram == null) {
                return null;
            }
            return switch (scram) {
                case "sha-256" -> ScramMechanism.SHA_256;
                case "sha-512" -> ScramMechanism.SHA_512;
                default -> throw wrong("--scram takes sha-256 or sha-512");
            };
        }

        /** @param former of the user until now; stays the kind if no other is asked for */
        PasswordHash hash(byte[] password, PasswordHash.@Nullable ScramKind former) throws CommandException {
            ScramMechanism asked = mechanism();
            try {
                if (asked != null) {
                    return PasswordHash.forScram(asked, iterations, password);
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
}
