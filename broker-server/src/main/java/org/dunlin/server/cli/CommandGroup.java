package org.dunlin.server.cli;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A command that does nothing without one of its subcommands, and says so. Main thread. */
@Command(synopsisSubcommandLabel = "COMMAND")
public final class CommandGroup implements Runnable {
    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private HelpOption help = new HelpOption();

    private CommandGroup() {}

    /** @param subcommands in the order in which they are shown; annotated objects or {@link CommandLine}s */
    public static CommandLine of(String name, String description, Object... subcommands) {
        CommandLine group = new CommandLine(new CommandGroup()).setCommandName(name);
        group.getCommandSpec().usageMessage().description(description);
        for (Object each : subcommands) {
            group.addSubcommand(each);
        }
        return group;
    }

    @Override
    public void run() {
        CommandLine group = Objects.requireNonNull(spec).commandLine();
        List<String> names = List.copyOf(group.getSubcommands().keySet());
        int last = names.size() - 1;
        throw new ParameterException(
                group,
                "no command is given: "
                        + (last == 0 ? "" : String.join(", ", names.subList(0, last)) + " or ")
                        + names.get(last));
    }
}
