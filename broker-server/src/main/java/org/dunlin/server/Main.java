package org.dunlin.server;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.CommandLineInterface;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Launcher;
import org.dunlin.server.config.Config;
import org.dunlin.server.logging.Logging;

/** The way in. Main thread. */
public final class Main {
    private static final Duration LOG_FLUSH = Duration.ofSeconds(2);

    private Main() {}

    public static void main(String[] arguments) {
        int exitCode = run(Main::start, arguments);
        System.exit(exitCode);
    }

    /** @return one of {@link ExitCode}, once the log is written or two seconds have passed */
    static int run(Launcher launcher, String... arguments) {
        String home = System.getProperty("dunlin.home");
        List<Path> defaultConfig = home == null ? List.of() : List.of(Path.of(home, "conf", "dunlin.yaml"));
        try {
            return new CommandLineInterface(launcher, System.getenv(), defaultConfig).run(arguments);
        } finally {
            Logging.flush(LOG_FLUSH);
        }
    }

    private static int start(Config config) throws CommandException {
        throw new CommandException(ExitCode.UNEXPECTED, "this build serves no clients: it has the command line only");
    }
}
