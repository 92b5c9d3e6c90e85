package org.dunlin.server.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Commands that tell why things are as they are. Main thread. */
final class ExplainCommands {
    private ExplainCommands() {}

    /** {@code explain message} and {@code explain client}. */
    static CommandLine explain(Invocation invocation) {
        return new CommandLine(new Group())
                .addSubcommand("message", new Message(invocation))
                .addSubcommand("client", new Client(invocation));
    }

    @Command(
            name = "explain",
            description = "Tells who would get a message and why, or what is the matter with a client.",
            synopsisSubcommandLabel = "COMMAND")
    static final class Group implements Runnable {
        @Spec
        private @Nullable CommandSpec spec;

        @Option(
                names = {"-h", "--help"},
                usageHelp = true,
                description = "Show this help.")
        private boolean help;

        @Override
        public void run() {
            throw new ParameterException(Objects.requireNonNull(spec).commandLine(), "no command is given");
        }
    }

    @Command(
            name = "message",
            description = "Tells who would get a message at this moment, who would not and why. Publishes nothing.")
    static final class Message implements Callable<Integer> {
        private final Invocation invocation;

        @Option(names = "--topic", paramLabel = "TOPIC", required = true, description = "Its topic.")
        private String topic = "";

        @Option(names = "--client", paramLabel = "ID", description = "Tells of this receiver only.")
        private @Nullable String client;

        @Option(names = "--from", paramLabel = "ID", description = "Who would publish it: its rights are asked.")
        private @Nullable String from;

        @Option(names = "--qos", paramLabel = "N", description = "0, 1 or 2; 0 if it is not said.")
        private @Nullable Integer qos;

        @Option(names = "--retain", description = "It is to be retained.")
        private boolean retain;

        @Option(names = "--bytes", paramLabel = "N", description = "Length of its payload; 0 if it is not said.")
        private @Nullable Integer bytes;

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        Message(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            AdminClient.Query query = new AdminClient.Query()
                    .with("topic", topic)
                    .with("client", client)
                    .with("from", from)
                    .with("qos", qos)
                    .with("retain", retain ? "true" : null)
                    .with("bytes", bytes);
            JsonNode answer = options.client(invocation).get(AdminClient.path("explain", "message"), query);
            return options.show(answer, Message::print);
        }

        private static void print(JsonNode answer, PrintWriter out) {
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
    }

    @Command(
            name = "explain",
            description = "Tells what is known of a client, what has happened to it lately, and what to do about it.")
    static final class Client implements Callable<Integer> {
        private final Invocation invocation;

        @Parameters(paramLabel = "CLIENT", description = "Client identifier; it need not be connected.")
        private String clientId = "";

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        Client(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            JsonNode answer = options.client(invocation)
                    .get(AdminClient.path("explain", "client", clientId), new AdminClient.Query());
            return options.show(answer, Client::print);
        }

        private static void print(JsonNode answer, PrintWriter out) {
            Table known = new Table("", "");
            for (Map.Entry<String, JsonNode> each : answer.path("session").properties()) {
                known.row(words(each.getKey()), each.getValue());
            }
            known.print(out);
            if (!answer.path("subscriptions").isEmpty()) {
                out.println();
                Table filters = new Table("FILTER", "QOS", "NO LOCAL", "GUARDED");
                answer.path("subscriptions")
                        .forEach(each -> filters.row(
                                each.path("filter"), each.path("qos"), each.path("noLocal"), each.path("guarded")));
                filters.print(out);
            }
            if (!answer.path("events").isEmpty()) {
                out.println();
                Table events = new Table("AT", "WHAT", "ADDRESS", "REASON", "DETAIL");
                answer.path("events")
                        .forEach(each -> events.row(
                                each.path("at"),
                                each.path("kind"),
                                each.path("address"),
                                each.path("reason"),
                                each.path("detail")));
                events.print(out);
            }
            out.println();
            for (JsonNode finding : answer.path("findings")) {
                out.println("- " + Table.plain(finding.asText()));
            }
            if (answer.path("findings").isEmpty()) {
                out.println("Nothing stands out.");
            }
        }
    }

    /** "queuedMessages" is "queued messages". */
    private static String words(String name) {
        return name.replaceAll("([a-z])([A-Z])", "$1 $2").toLowerCase(Locale.ROOT);
    }
}
