package org.dunlin.server.cli.store;

import org.dunlin.server.cli.CommandGroup;
import org.dunlin.server.cli.Invocation;
import picocli.CommandLine;

/** {@code dunlin store}: its subcommands look after a data directory that no broker uses. Main thread. */
public final class StoreCommand {
    private StoreCommand() {}

    public static CommandLine with(Invocation invocation) {
        return CommandGroup.of(
                "store",
                "Verifies, copies, mends, exports or fills a data directory that no broker is using.",
                new StoreVerifyCommand(invocation),
                new StoreBackupCommand(invocation),
                new StoreRepairCommand(invocation),
                new StoreExportCommand(invocation),
                new StoreImportCommand(invocation));
    }
}
