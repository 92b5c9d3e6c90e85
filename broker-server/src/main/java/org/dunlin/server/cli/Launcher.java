package org.dunlin.server.cli;

import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.ConfigLoader.Loaded;

/** Runs the broker in the foreground. Called once, on the main thread, with logging already set up. */
@FunctionalInterface
public interface Launcher {
    /**
     * Returns when the broker has stopped.
     *
     * @return one of {@link ExitCode}
     * @throws CommandException if the operator can do something about it; one line is shown, and its exit code taken
     * @throws java.net.BindException for exit code 4
     */
    int run(Loaded loaded) throws Exception;

    /**
     * Reads the files that a configuration names; opens and changes nothing.
     *
     * @throws ConfigException with every fault of theirs
     */
    default void check(Loaded loaded) throws ConfigException {}

    /**
     * Begins what takes its time and needs no configuration, beside the reading of it.
     *
     * @return waits until it is done, without which nothing may be logged
     */
    default Runnable ahead() {
        return () -> {};
    }
}
