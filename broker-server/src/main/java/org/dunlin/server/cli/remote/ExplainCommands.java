package org.dunlin.server.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import org.dunlin.server.cli.CommandGroup;
import org.dunlin.server.cli.Invocation;
import picocli.CommandLine;

/** Commands that tell why things are as they are. Main thread. */
final class ExplainCommands {
    private ExplainCommands() {}

    static CommandLine explain(Invocation invocation) {
        return CommandGroup.of(
                "explain",
                "Tells who would get a message and why, or what is the matter with a client.",
                message(invocation),
                client(invocation, "client"));
    }

    private static CommandLine message(Invocation invocation) {
        return new RemoteCommand(
                        invocation,
                        "message",
                        "Tells who would get a message at this moment, who would not and why. Publishes nothing.")
                .requiredOption("--topic", "TOPIC", "Its topic.")
                .option("--client", "ID", "Tells of this receiver only.")
                .option("--from", "ID", "Who would publish it: its rights are asked.")
                .number("--qos", "N", "0, 1 or 2; 0 if it is not said.")
                .flag("--retain", "It is to be retained.")
                .number("--bytes", "N", "Length of its payload; 0 if it is not said.")
                .get("explain/message", ExplainCommands::printReceivers)
                .line();
    }

    private static void printReceivers(JsonNode answer, PrintWriter out) {
        out.println(Table.plain(answer.path("summary").asText()));
        Table table = new Table("RECEIVER", "QOS", "FATE", "WHY");
        for (JsonNode each : answer.path("receivers")) {
            table.row(each.path("receiver"), each.path("qos"), each.path("fate"), each.path("why"));
            for (JsonNode member : each.path("members")) {
                table.row("  " + member.path("clientId").asText(), "", member.path("fate"), member.path("why"));
            }
        }
        if (!answer.path("receivers").isEmpty()) {
            out.println();
            table.print(out);
        }
        if (answer.path("note").isTextual()) {
            out.println("Note: " + Table.plain(answer.path("note").asText()) + ".");
        }
        if (answer.path("more").asBoolean()) {
            out.println("There are more receivers; name one with --client.");
        }
        if (!answer.path("nearest").isEmpty()) {
            out.println("What it has subscribed to comes nearest with:");
            answer.path("nearest").forEach(filter -> out.println("  " + Table.plain(filter.asText())));
        }
    }

    /** @param name since it is known by two */
    static CommandLine client(Invocation invocation, String name) {
        return new RemoteCommand(
                        invocation,
                        name,
                        "Tells what is known of a client, what has happened to it lately, and what to do about it.")
                .parameter("CLIENT", "Client identifier; it need not be connected.")
                .get("explain/client/{client}", ExplainCommands::printClient)
                .line();
    }

    private static void printClient(JsonNode answer, PrintWriter out) {
        Table known = new Table("", "");
        answer.path("session")
                .properties()
                .forEach(each -> known.row(StatusCommands.words(each.getKey()), each.getValue()));
        known.print(out);
        below(answer.path("subscriptions"), out, "FILTER=filter", "QOS=qos", "NO LOCAL=noLocal", "GUARDED=guarded");
        below(answer.path("events"), out, "AT=at", "WHAT=kind", "ADDRESS=address", "REASON=reason", "DETAIL=detail");
        out.println();
        for (JsonNode finding : answer.path("findings")) {
            out.println("- " + Table.plain(finding.asText()));
        }
        if (answer.path("findings").isEmpty()) {
            out.println("Nothing stands out.");
        }
    }

    private static void below(JsonNode items, PrintWriter out, String... columns) {
        if (!items.isEmpty()) {
            out.println();
            Table.of(items, columns).print(out);
        }
    }
}
