package org.dunlin.server.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpResponse;
import java.util.Locale;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.config.ConfigException;
import picocli.CommandLine;

/** Commands that look at the broker as a whole, or change how it runs. Main thread. */
final class StatusCommands {
    private static final View LISTENERS = View.list(
            "LISTENER=name",
            "ADDRESS=url",
            "CONNECTIONS=connections",
            "WHO=whoMayConnect",
            "CERTIFICATE ENDS=certificateEnds");

    private StatusCommands() {}

    static CommandLine status(Invocation invocation) {
        return new RemoteCommand(invocation, "status", "Shows how a running broker is, and its listeners.")
                .does(StatusCommands::showStatus)
                .line();
    }

    private static int showStatus(RemoteCommand command) throws ConfigException, CommandException {
        AdminClient client = command.client();
        JsonNode status = client.get(AdminClient.path("status"));
        JsonNode listeners = command.json() ? status : client.get(AdminClient.path("listeners"));
        command.show(status, (node, out) -> {
            Table table = new Table("", "");
            node.properties().forEach(each -> table.row(words(each.getKey()), each.getValue()));
            table.print(out);
            out.println();
            LISTENERS.print(listeners, out);
        });
        return ExitCode.OK;
    }

    /** "uptimeSeconds" is "uptime seconds". */
    static String words(String name) {
        return name.replaceAll("([a-z])([A-Z])", "$1 $2").toLowerCase(Locale.ROOT);
    }

    static CommandLine listeners(Invocation invocation) {
        return new RemoteCommand(invocation, "listeners", "Lists the listeners that are open.")
                .get("listeners", LISTENERS)
                .line();
    }

    static CommandLine rates(Invocation invocation) {
        return new RemoteCommand(invocation, "rates", "Lists what came and went in the last ten minutes, oldest first.")
                .get(
                        "rates",
                        View.list(
                                "UNTIL=at",
                                "CONNECTIONS=connections",
                                "MESSAGES IN=messagesIn",
                                "MESSAGES OUT=messagesOut",
                                "BYTES IN=bytesIn",
                                "BYTES OUT=bytesOut",
                                "DROPPED=dropped"))
                .line();
    }

    static CommandLine log(Invocation invocation) {
        return new RemoteCommand(invocation, "log", "Shows the last lines of the log, oldest first.")
                .number("--after", "N", "Those behind the line of that number, as --json shows it.")
                .limit()
                .get(
                        "log",
                        (node, out) -> node.path("items")
                                .forEach(each ->
                                        out.println(Table.plain(each.path("at").asText() + " "
                                                + each.path("level").asText() + " "
                                                + each.path("logger").asText() + " "
                                                + each.path("message").asText()))))
                .line();
    }

    static CommandLine settings(Invocation invocation) {
        return new RemoteCommand(
                        invocation,
                        "settings",
                        "Lists every key with its value in force at a running broker; no secrets.")
                .get("config", View.list("KEY=key", "VALUE=value", "FROM=origin"))
                .line();
    }

    static CommandLine health(Invocation invocation) {
        return new RemoteCommand(
                        invocation,
                        "health",
                        "Asks a running broker whether it serves clients: exit code 0 if so, 1 if not. For containers.")
                .does(command -> {
                    HttpResponse<String> answer = command.clientWithoutToken().answer("GET", "/ready", null);
                    command.show(
                            AdminClient.parsed(answer.body()),
                            (node, out) -> out.println(Table.text(node.has("status") ? node.path("status") : node)));
                    return answer.statusCode() == 200 ? ExitCode.OK : ExitCode.UNEXPECTED;
                })
                .line();
    }

    static CommandLine drops(Invocation invocation) {
        return new RemoteCommand(
                        invocation, "drops", "Shows what was lost since the start, by reason; by whom; or one by one.")
                .flag("--clients", "By client, in the order of their identifiers.")
                .flag("--last", "The last ones, one by one.")
                .page()
                .when("clients")
                .get("drops/clients", View.list("CLIENT=client", "MESSAGES=total", "BY REASON=byReason"))
                .when("last")
                .get(
                        "drops/last",
                        View.list(
                                "NUMBER=number",
                                "AT=at",
                                "CLIENT=client",
                                "TOPIC=topic",
                                "REASON=reason",
                                "MESSAGES=messages"))
                .get("drops", (node, out) -> {
                    Table table = new Table("REASON", "MESSAGES");
                    node.path("byReason").properties().forEach(each -> table.row(each.getKey(), each.getValue()));
                    table.row("total", node.path("total")).print(out);
                })
                .without("after", "limit")
                .line();
    }

    static CommandLine reload(Invocation invocation) {
        return new RemoteCommand(
                        invocation,
                        "reload",
                        "Has a running broker read its configuration again: all of it or, if it has a fault, nothing."
                                + " Exit code 2 if it has one.")
                .flag("--dry-run", "Shows what would change, and changes nothing.")
                .when("dryRun")
                .post("config/check", changes("with a reload"))
                .post("config/reload", changes("now"))
                .exit(outcome -> outcome.path("faults").isEmpty() ? ExitCode.OK : ExitCode.USAGE)
                .line();
    }

    private static View changes(String whenLive) {
        return (outcome, out) -> {
            outcome.path("faults").forEach(fault -> out.println(Table.plain(fault.asText())));
            if (!outcome.path("faults").isEmpty()) {
                return;
            } else if (outcome.path("changes").isEmpty()) {
                out.println("nothing changes");
                return;
            }
            Table table = new Table("KEY", "FROM", "TO", "WHEN");
            outcome.path("changes")
                    .forEach(each -> table.row(
                            each.path("key"),
                            each.path("from"),
                            each.path("to"),
                            each.path("live").asBoolean() ? whenLive : "with a restart"));
            table.print(out);
        };
    }

    static CommandLine drain(Invocation invocation) {
        return new RemoteCommand(
                        invocation,
                        "drain",
                        "Stops a running broker in order, as SIGTERM does: clients are told, what is theirs is written.")
                .post("drain", View.DONE)
                .line();
    }

    static CommandLine logLevel(Invocation invocation) {
        return new RemoteCommand(
                        invocation, "log-level", "Shows or sets the least weight of what a running broker logs.")
                .optionalParameter("LEVEL", "error, warn, info, debug or trace; without it the present one is shown.")
                .when("level")
                .put("log/level", View.DONE)
                .get("log/level", (node, out) -> out.println(Table.text(node.path("level"))))
                .line();
    }
}
