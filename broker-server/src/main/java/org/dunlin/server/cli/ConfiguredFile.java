package org.dunlin.server.cli;

import java.nio.file.Path;
import java.util.function.Function;
import org.dunlin.server.config.Config;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;

/**
 * A kind of file that commands read and change beside a broker that follows it. Main thread.
 *
 * @param kind like "ban file"
 * @param option that names one, in what is said to people
 * @param names of that option, like "-f, --file"
 * @param key of the configuration that names it else
 * @param path what the configuration says; "" for nothing
 * @param without what is so if there is none, as a sentence; may be empty
 */
public record ConfiguredFile(
        String kind, String option, String names, String key, Function<Config, String> path, String without) {
    /** Which one a command is about: the one that is named, or that of {@code start} with the same options and environment. */
    public Path choose(@Nullable Path named, ConfigOptions options, Invocation invocation)
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
                            + key + ", or --url for a running broker" + without);
        }
        return Path.of(configured);
    }

    /** What people are told of a change that is in the file. */
    public String followed(String what) {
        return Line.of(what + "; a running broker follows within 3 seconds");
    }
}
