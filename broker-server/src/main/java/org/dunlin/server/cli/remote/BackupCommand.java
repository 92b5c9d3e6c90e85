package org.dunlin.server.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.config.ConfigException;
import picocli.CommandLine;

/** {@code dunlin backup}: copies of the data directory of a running broker. Main thread. */
final class BackupCommand {
    private static final long BETWEEN_LOOKS_NANOS = 500_000_000;
    private static final String PATH = AdminClient.path("backups");

    private BackupCommand() {}

    static CommandLine backup(Invocation invocation) {
        return new RemoteCommand(
                        invocation,
                        "backup",
                        "Has a running broker copy its data directory, to the directory that admin.backup-path names.")
                .optionalParameter("NAME", "Of the new backup; the time of day if it is not said.")
                .flag("--list", "Lists the backups, newest first.")
                .option("--delete", "NAME", "Removes a backup.")
                .footer(
                        "",
                        "A broker can be started from each copy; 'dunlin store verify -d COPY' reads one. For a broker that",
                        "is stopped there is 'dunlin store backup'.")
                .does(BackupCommand::run)
                .line();
    }

    private static int run(RemoteCommand command) throws ConfigException, CommandException {
        Arguments given = command.arguments();
        int asked =
                (given.isGiven("list") ? 1 : 0) + (given.isGiven("delete") ? 1 : 0) + (given.isGiven("name") ? 1 : 0);
        if (asked > 1) {
            throw new CommandException(ExitCode.USAGE, "give NAME, --list or --delete, one of them");
        }
        AdminClient client = command.client();
        if (given.isGiven("list")) {
            command.show(client.get(PATH), BackupCommand::list);
        } else if (given.isGiven("delete")) {
            String name = given.text("delete");
            command.show(client.ask("DELETE", AdminClient.path("backups", name), null), View.DONE);
        } else {
            command.show(
                    made(client, given.isGiven("name") ? Map.of("name", given.text("name")) : Map.of()),
                    (node, out) -> out.println("made " + Table.text(node.path("name")) + ", "
                            + Table.text(node.path("bytes")) + " bytes"));
        }
        return ExitCode.OK;
    }

    private static void list(JsonNode answer, PrintWriter out) {
        Table.of(answer.path("items"), "NAME=name", "MADE=time", "BYTES=bytes").print(out);
        JsonNode running = answer.path("running");
        if (running.isObject()) {
            out.println(
                    "Under way since " + Table.text(running.path("since")) + ": " + Table.text(running.path("name")));
        }
        JsonNode failed = answer.path("failed");
        if (failed.isObject()) {
            out.println("Failed at " + Table.text(failed.path("at")) + ": " + Table.text(failed.path("name")) + ": "
                    + Table.text(failed.path("error")));
        }
    }

    /** Waits for one that takes its time. */
    private static JsonNode made(AdminClient client, Map<String, Object> wanted) throws CommandException {
        JsonNode begun = client.ask("POST", PATH, wanted);
        if (begun.has("bytes")) {
            return begun;
        }
        String name = begun.path("name").asText();
        while (true) {
            JsonNode all = client.get(PATH);
            for (JsonNode each : all.path("items")) {
                if (each.path("name").asText().equals(name)) {
                    return each;
                }
            }
            if (!all.path("running").path("name").asText().equals(name)) {
                throw new CommandException(
                        ExitCode.UNEXPECTED,
                        "the backup was not made: "
                                + Table.text(all.path("failed").path("error")));
            }
            LockSupport.parkNanos(BETWEEN_LOOKS_NANOS);
        }
    }
}
