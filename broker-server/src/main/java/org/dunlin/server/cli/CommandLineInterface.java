package org.dunlin.server.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The command {@code dunlin}: parses, runs, and turns whatever happens into lines and an exit code. Main thread. */
public final class CommandLineInterface {
    private final Invocation invocation;
    private final Launcher launcher;
    private final Supplier<List<String>> natives;
    private @Nullable PrintWriter out;
    private @Nullable PrintWriter err;

    /**
     * @param natives what was found of native libraries on this machine, each as one line
     * @param environment of the process; tests give their own
     * @param defaultConfig read by {@code start} and {@code config show} without -c if it exists; may not exist
     */
    public CommandLineInterface(
            Launcher launcher,
            Supplier<List<String>> natives,
            Map<String, String> environment,
            List<Path> defaultConfig) {
        this.invocation = new Invocation(environment, defaultConfig);
        this.launcher = launcher;
        this.natives = natives;
    }

    /** Where the answers and where the errors go; standard output and standard error unless told. */
    public CommandLineInterface printTo(PrintWriter answers, PrintWriter errors) {
        out = answers;
        err = errors;
        return this;
    }

    /** @return one of {@link ExitCode} */
    public int run(String... arguments) {
        StartLine start = StartLine.plain(arguments);
        PrintWriter errors = err;
        if (start == null || errors == null) {
            return new Commands(invocation, launcher, natives, out, err).run(arguments);
        }
        try {
            return start.run(invocation, launcher);
        } catch (Throwable fault) { // other threads would keep the process alive
            return Failure.told(fault, errors);
        }
    }
}
