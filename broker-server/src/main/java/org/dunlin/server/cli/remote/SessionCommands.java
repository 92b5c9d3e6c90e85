package org.dunlin.server.cli.remote;

import org.dunlin.server.cli.CommandGroup;
import org.dunlin.server.cli.Invocation;
import picocli.CommandLine;

/** {@code dunlin clients}, {@code dunlin sessions}, and what these have and what has happened to them. Main thread. */
final class SessionCommands {
    private static final View EVENTS = View.list(
            "AT=at", "WHAT=kind", "CLIENT=clientId", "USER=user", "ADDRESS=address", "REASON=reason", "DETAIL=detail");

    private SessionCommands() {}

    static CommandLine clients(Invocation invocation) {
        CommandLine clients = CommandGroup.of(
                "clients",
                "Lists, shows or sends away the clients that are connected.",
                list(invocation, "clients").line(),
                show(invocation, "clients"),
                new RemoteCommand(
                                invocation,
                                "events",
                                "Lists what has happened to a client lately, newest first; it need not be there.")
                        .parameter("ID", "Client identifier.")
                        .get("clients/{id}/events", EVENTS)
                        .line(),
                ExplainCommands.client(invocation, "explain"),
                new RemoteCommand(invocation, "kick", "Sends a client away; its session stays as long as it may.")
                        .parameter("ID", "Client identifier.")
                        .post("clients/{id}/disconnect", View.DONE)
                        .line());
        clients.getCommandSpec().aliases("client");
        return clients;
    }

    static CommandLine sessions(Invocation invocation) {
        return CommandGroup.of(
                "sessions",
                "Lists, shows or ends sessions, whether their clients are connected or not.",
                list(invocation, "sessions")
                        .option("--connected", "true|false", "Whether the client is there.")
                        .option("--sort", "queue|age", "The longest queues, or the longest away, first.")
                        .line(),
                show(invocation, "sessions"),
                end(invocation));
    }

    private static RemoteCommand list(Invocation invocation, String what) {
        return new RemoteCommand(invocation, "list", "Lists them, by client identifier.")
                .option("--search", "TEXT", "Part of the client identifier, in any case.")
                .option("--user", "NAME", "Of this user.")
                .option("--address", "ADDR", "Beginning of the client's address.")
                .page()
                .get(
                        what,
                        View.list(
                                "CLIENT=clientId",
                                "USER=user",
                                "CONNECTED=connected",
                                "ADDRESS=address",
                                "VERSION=version",
                                "SINCE=since",
                                "SUBSCRIPTIONS=subscriptions",
                                "QUEUED=queuedMessages",
                                "INFLIGHT=inflight"));
    }

    private static CommandLine show(Invocation invocation, String what) {
        return new RemoteCommand(invocation, "show", "Shows all that the broker knows of one.")
                .parameter("ID", "Client identifier.")
                .get(what + "/{id}", View.FIELDS)
                .line();
    }

    private static CommandLine end(Invocation invocation) {
        return new RemoteCommand(
                        invocation,
                        "end",
                        "Ends one session, or those that the options mean; what waits in them is lost, and counted.")
                .optionalParameter("ID", "Client identifier.")
                .option("--search", "TEXT", "Part of the client identifier, in any case.")
                .option("--user", "NAME", "Of this user.")
                .number("--away-seconds", "N", "Whose clients have been away for so long.")
                .number("--queued", "N", "In which so many messages wait, or more.")
                .as("queuedMessages")
                .flag("--dry-run", "Tells which they are, and ends none.")
                .when("id")
                .delete("sessions/{id}")
                .without("search", "user", "awaySeconds", "queuedMessages", "dryRun")
                .post("sessions/end", View.selected("session", "ended"))
                .line();
    }

    static CommandLine subscriptions(Invocation invocation) {
        View list = View.list(
                "CLIENT=clientId",
                "FILTER=filter",
                "QOS=qos",
                "NO LOCAL=noLocal",
                "IDENTIFIER=identifier",
                "EACH MESSAGE ASKED ABOUT=guarded");
        View view = (answer, out) -> {
            list.print(answer, out);
            answer.path("cut")
                    .forEach(each -> out.println("Only the first 1000 of " + Table.text(each)
                            + " are here; all of them: --client '" + Table.text(each) + "'"));
        };
        return new RemoteCommand(invocation, "subscriptions", "Lists what clients have subscribed to, or one of them.")
                .option("--client", "ID", "Of this client only.")
                .option("--filter", "TEXT", "Part of the topic filter.")
                .page()
                .when("client")
                .get("sessions/{client}/subscriptions", view)
                .without("filter", "after", "limit")
                .get("subscriptions", view)
                .line();
    }

    static CommandLine groups(Invocation invocation) {
        return new RemoteCommand(
                        invocation, "groups", "Lists the shared groups with what waits, and what each member has.")
                .get("groups", (node, out) -> {
                    Table table = new Table("GROUP", "LAG", "QUEUED", "MEMBER", "CONNECTED", "HAS", "COULD HAVE MORE");
                    node.path("items").forEach(group -> {
                        table.row(
                                group.path("filter"), group.path("lag"), group.path("queuedMessages"), "", "", "", "");
                        group.path("members")
                                .forEach(each -> table.row(
                                        "",
                                        "",
                                        "",
                                        each.path("clientId"),
                                        each.path("connected"),
                                        each.path("lent"),
                                        each.path("credits")));
                    });
                    table.print(out);
                })
                .line();
    }

    static CommandLine refusals(Invocation invocation) {
        return new RemoteCommand(
                        invocation, "refusals", "Lists who was refused, denied something or banned lately, and why.")
                .option("--address", "ADDR", "Beginning of the address.")
                .option("--kind", "refused|denied|banned|contested", "What has happened.")
                .limit()
                .get("refusals", EVENTS)
                .line();
    }
}
