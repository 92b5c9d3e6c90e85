package org.dunlin.server.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
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

/** {@code dunlin retained} and {@code dunlin publish}. Main thread. */
final class MessageCommands {
    private MessageCommands() {}

    static CommandLine retained(Invocation invocation) {
        return new CommandLine(new Retained())
                .addSubcommand(new ListRetained(invocation))
                .addSubcommand(new Show(invocation))
                .addSubcommand(new Delete(invocation));
    }

    @Command(
            name = "retained",
            description = "Lists, shows or deletes retained messages.",
            synopsisSubcommandLabel = "COMMAND")
    private static final class Retained implements Runnable {
        @Spec
        private @Nullable CommandSpec spec;

        @Option(
                names = {"-h", "--help"},
                usageHelp = true,
                description = "Show this help.")
        private boolean help;

        @Override
        public void run() {
            throw new ParameterException(
                    Objects.requireNonNull(spec).commandLine(), "no command is given: list, show or delete");
        }
    }

    @Command(name = "list", description = "Lists them, in the order of their topics.")
    private static final class ListRetained implements Callable<Integer> {
        private final Invocation invocation;

        @Parameters(arity = "0..1", paramLabel = "FILTER", description = "A topic filter; # if it is not given.")
        private @Nullable String filter;

        @Mixin
        private ListCommands.PageOptions page = new ListCommands.PageOptions();

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        ListRetained(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            JsonNode found = options.client(invocation)
                    .get(AdminClient.path("retained"), page.query().with("filter", filter));
            return options.show(found, (node, out) -> {
                Table table = new Table("TOPIC", "QOS", "BYTES", "PUBLISHER", "EXPIRES IN", "PAYLOAD");
                node.path("items")
                        .forEach(each -> table.row(
                                each.path("topic"),
                                each.path("qos"),
                                each.path("bytes"),
                                each.path("publisher"),
                                each.path("expiresInSeconds"),
                                each.path("text").isNull() ? each.path("base64") : each.path("text")));
                table.print(out);
                RemotePage.more(node, out);
            });
        }
    }

    @Command(name = "show", description = "Shows the message that is retained at a topic.")
    private static final class Show implements Callable<Integer> {
        private final Invocation invocation;

        @Parameters(paramLabel = "TOPIC", description = "The topic name.")
        private String topic = "";

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        Show(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            return options.show(
                    options.client(invocation)
                            .get(AdminClient.path("retained", "message"), new AdminClient.Query().with("topic", topic)),
                    ListCommands::printOne);
        }
    }

    @Command(name = "delete", description = "Deletes the retained messages under a topic filter.")
    private static final class Delete implements Callable<Integer> {
        private final Invocation invocation;

        @Parameters(paramLabel = "FILTER", description = "A topic filter, or a topic name.")
        private String filter = "";

        @Option(names = "--dry-run", description = "Tells which they are, and deletes none.")
        private boolean dryRun;

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        Delete(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            JsonNode deleted = options.client(invocation)
                    .change(
                            "POST",
                            AdminClient.path("retained", "delete"),
                            new AdminClient.Query(),
                            Map.of("filter", filter, "dryRun", dryRun));
            return options.show(deleted, (node, out) -> {
                out.println(node.path("matched") + " message(s) meant, " + node.path("deleted") + " deleted"
                        + (node.path("more").asBoolean() ? "; there may be more: call again" : ""));
                node.path("examples").forEach(each -> out.println("  " + Table.text(each)));
            });
        }
    }

    @Command(name = "publish", description = "Publishes a message through a running broker's admin port.")
    static final class Publish implements Callable<Integer> {
        private final Invocation invocation;

        @Parameters(index = "0", paramLabel = "TOPIC", description = "The topic name.")
        private String topic = "";

        @Parameters(index = "1", arity = "0..1", paramLabel = "TEXT", description = "The payload; empty if not given.")
        private @Nullable String text;

        @Option(
                names = {"-q", "--qos"},
                paramLabel = "QOS",
                description = "0, 1 or 2; 0 if not given.")
        private int qos;

        @Option(
                names = {"-r", "--retain"},
                description = "It stays; an empty one deletes what is retained there.")
        private boolean retain;

        @Option(names = "--expiry", paramLabel = "SECONDS", description = "After which nobody gets it any more.")
        private @Nullable Long expiry;

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        Publish(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            Map<String, Object> publication = new LinkedHashMap<>();
            publication.put("topic", topic);
            publication.put("text", text);
            publication.put("qos", qos);
            publication.put("retain", retain);
            publication.put("expirySeconds", expiry);
            return options.done(options.client(invocation)
                    .change("POST", AdminClient.path("publish"), new AdminClient.Query(), publication));
        }
    }
}
