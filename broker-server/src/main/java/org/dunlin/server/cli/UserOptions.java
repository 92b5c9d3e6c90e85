package org.dunlin.server.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Objects;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Which password file a command is about. Main thread. */
final class UserOptions {
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
        Path named = file;
        if (named != null) {
            return named;
        }
        String configured =
                invocation.load(options.file, options.flags()).config().auth().passwordFile();
        if (configured.isEmpty()) {
            throw new CommandException(
                    ExitCode.USAGE,
                    "no password file is named; give one with -f FILE, or -c with a configuration that has"
                            + " auth.password-file");
        }
        return Path.of(configured);
    }

    PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }
}
