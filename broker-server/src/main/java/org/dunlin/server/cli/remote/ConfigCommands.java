package org.dunlin.server.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.concurrent.Callable;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.config.ConfigException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Commands on the configuration of a running broker. Main thread. */
final class ConfigCommands {
    private ConfigCommands() {}

    @Command(
            name = "reload",
            description = "Has a running broker read its configuration again: all of it or, if it has a fault, nothing."
                    + " Exit code 2 if it has one.")
    static final class Reload implements Callable<Integer> {
        private final Invocation invocation;

        @Option(names = "--dry-run", description = "Shows what would change, and changes nothing.")
        private boolean dryRun;

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        Reload(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            JsonNode outcome = options.client(invocation)
                    .change(
                            "POST",
                            AdminClient.path("config", dryRun ? "check" : "reload"),
                            new AdminClient.Query(),
                            null);
            options.show(outcome, (node, out) -> {
                node.path("faults").forEach(fault -> out.println(Table.plain(fault.asText())));
                if (node.path("faults").isEmpty() && node.path("changes").isEmpty()) {
                    out.println("nothing changes");
                } else if (node.path("faults").isEmpty()) {
                    Table table = new Table("KEY", "FROM", "TO", "WHEN");
                    node.path("changes")
                            .forEach(each -> table.row(
                                    each.path("key"),
                                    each.path("from"),
                                    each.path("to"),
                                    each.path("live").asBoolean()
                                            ? dryRun ? "with a reload" : "now"
                                            : "with a restart"));
                    table.print(out);
                }
            });
            return outcome.path("faults").isEmpty() ? ExitCode.OK : ExitCode.USAGE;
        }
    }
}
