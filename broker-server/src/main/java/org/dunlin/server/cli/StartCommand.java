package org.dunlin.server.cli;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code dunlin start}: runs the broker in the foreground. Main thread. */
@Command(
        name = "start",
        description = "Runs the broker in the foreground until it is told to stop.",
        footer = {
            "",
            "With nothing set it listens on 127.0.0.1:1883 and lets everybody on this machine in. To serve",
            "other machines without accounts say so: --bind 0.0.0.0 --set auth.allow-anonymous=true"
        })
final class StartCommand implements Callable<Integer> {
    private final Invocation invocation;
    private final Launcher launcher;

    @Mixin
    private ConfigOptions options = new ConfigOptions();

    @Option(
            names = {"-p", "--port"},
            paramLabel = "PORT",
            description = "Port of the only listener, 1883 by default; 0 takes a free one and logs it.")
    private @Nullable String port;

    @Option(
            names = "--bind",
            paramLabel = "ADDR",
            description = "Address of the only listener, 127.0.0.1 by default; 0.0.0.0 is all of this machine.")
    private @Nullable String bind;

    @Option(
            names = {"-d", "--data-dir"},
            paramLabel = "DATA_DIR",
            description = "Data directory; same as --set storage.path=DATA_DIR.")
    private @Nullable String dataDirectory;

    StartCommand(Invocation invocation, Launcher launcher) {
        this.invocation = invocation;
        this.launcher = launcher;
    }

    @Override
    public Integer call() throws Exception {
        return line().run(invocation, launcher);
    }

    /** What it was told. */
    StartLine line() {
        return StartLine.of(options.file(), options.flags(), port, bind, dataDirectory);
    }
}
