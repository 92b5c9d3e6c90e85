package org.dunlin.server.cli.store;

import org.dunlin.server.cli.Invocation;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code dunlin store}: names its subcommands. Main thread. */
@Command(
        name = "store",
        description = "Verifies, copies, mends, exports or fills a data directory that no broker is using.",
        synopsisSubcommandLabel = "COMMAND")
public final class StoreCommand implements Runnable {
    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean help;

    public static CommandLine with(Invocation invocation) {
        return new CommandLine(new StoreCommand())
                .addSubcommand(new StoreVerifyCommand(invocation))
                .addSubcommand(new StoreBackupCommand(invocation))
                .addSubcommand(new StoreRepairCommand(invocation))
                .addSubcommand(new StoreExportCommand(invocation))
                .addSubcommand(new StoreImportCommand(invocation));
    }

    @Override
    public void run() {
        if (spec != null) {
            throw new ParameterException(
                    spec.commandLine(), "no command is given: verify, backup, repair, export or import");
        }
    }
}
