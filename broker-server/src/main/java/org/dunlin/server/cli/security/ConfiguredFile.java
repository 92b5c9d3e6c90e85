package org.dunlin.server.cli.security;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.function.Function;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ConfigOptions;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.cli.Line;
import org.dunlin.server.config.Config;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;

/**
 * A kind of file that commands read and change beside a broker that follows it. Main thread.
 *
 * @param kind like "ban file"
 * @param option that names one
 * @param key of the configuration that names it else
 * @param path what the configuration says; "" for nothing
 * @param without what is so if there is none, as a sentence; may be empty
 */
record ConfiguredFile(String kind, String option, String key, Function<Config, String> path, String without) {
    /** Which one a command is about: the one that is named, or that of {@code start} with the same options and environment. */
    Path choose(@Nullable Path named, ConfigOptions options, Invocation invocation)
            throws ConfigException, CommandException {
        if (named != null) {
            return named;
        }
        String configured =
                path.apply(invocation.load(options.file(), options.flags()).config());
        if (configured.isEmpty()) {
            throw new CommandException(
                    ExitCode.USAGE,
                    "no " + kind + " is named; give one with " + option + " FILE, or -c with a configuration that has "
                            + key + without);
        }
        return Path.of(configured);
    }

    /** What changes a file. @return false if there was nothing to change */
    interface Change {
        boolean apply() throws IOException, ConfigException;
    }

    static boolean change(Path file, Change change) throws ConfigException, CommandException {
        try {
            return change.apply();
        } catch (IOException e) {
            throw new CommandException(
                    ExitCode.USAGE,
                    file + " cannot be written: " + e.getMessage() + "; check that its directory exists and the rights",
                    e);
        }
    }

    static int done(PrintWriter out, String what) {
        out.println(Line.of(what + "; a running broker follows within 3 seconds"));
        out.flush();
        return ExitCode.OK;
    }
}
