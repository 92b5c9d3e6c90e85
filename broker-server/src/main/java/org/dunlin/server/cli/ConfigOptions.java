package org.dunlin.server.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.server.config.ConfigLoader.Flag;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options by which a command takes its configuration. Main thread. */
public final class ConfigOptions {
    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec spec;

    @Option(
            names = {"-c", "--config"},
            paramLabel = "FILE",
            description = "Configuration file (YAML); without it the defaults.")
    private @Nullable Path file;

    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = "Sets any key, like limits.max-qos=1 or listeners[0].port=1884; wins over environment"
                    + " and file. May be given several times.")
    private List<String> assignments = new ArrayList<>();

    @Mixin
    private HelpOption help = new HelpOption();

    /** The configuration file that is named; null if none is. */
    public @Nullable Path file() {
        return file;
    }

    /** What --set says, in the order given. */
    public List<Flag> flags() {
        List<Flag> flags = new ArrayList<>();
        for (String assignment : assignments) {
            int equals = assignment.indexOf('=');
            if (equals <= 0) {
                CommandLine command = spec == null ? new CommandLine(this) : spec.commandLine();
                throw new ParameterException(command, "--set takes KEY=VALUE, not '" + assignment + "'");
            }
            flags.add(StartLine.set(assignment, equals));
        }
        return flags;
    }
}
