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

/** {@code dunlin clients} and {@code dunlin sessions}. Main thread. */
final class SessionCommands {
    private SessionCommands() {}

    static CommandLine clients(Invocation invocation) {
        return new CommandLine(new Clients())
                .addSubcommand("list", new ListAll(invocation, "clients"))
                .addSubcommand("show", new Show(invocation, "clients"))
                .addSubcommand("events", new Events(invocation))
                .addSubcommand("explain", new ExplainCommands.Client(invocation))
                .addSubcommand("kick", new Kick(invocation));
    }

    static CommandLine sessions(Invocation invocation) {
        return new CommandLine(new Sessions())
                .addSubcommand("list", new ListAll(invocation, "sessions"))
                .addSubcommand("show", new Show(invocation, "sessions"))
                .addSubcommand("end", new End(invocation));
    }

    @Command(
            name = "clients",
            aliases = "client",
            description = "Lists, shows or sends away the clients that are connected.",
            synopsisSubcommandLabel = "COMMAND")
    private static final class Clients implements Runnable {
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
                    Objects.requireNonNull(spec).commandLine(),
                    "no command is given: list, show, events, explain or kick");
        }
    }

    @Command(
            name = "sessions",
            description = "Lists, shows or ends sessions, whether their clients are connected or not.",
            synopsisSubcommandLabel = "COMMAND")
    private static final class Sessions implements Runnable {
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
                    Objects.requireNonNull(spec).commandLine(), "no command is given: list, show or end");
        }
    }

    @Command(description = "Lists them, by client identifier.")
    private static final class ListAll implements Callable<Integer> {
        private final Invocation invocation;
        private final String what;

        @Option(names = "--search", paramLabel = "TEXT", description = "Part of the client identifier, in any case.")
        private @Nullable String search;

        @Option(names = "--user", paramLabel = "NAME", description = "Of this user.")
        private @Nullable String user;

        @Option(names = "--address", paramLabel = "ADDR", description = "Beginning of the client's address.")
        private @Nullable String address;

        @Option(
                names = "--sort",
                paramLabel = "queue|age",
                description = "Of sessions: the longest queues, or the longest away, first.")
        private @Nullable String sort;

        @Mixin
        private ListCommands.PageOptions page = new ListCommands.PageOptions();

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        ListAll(Invocation invocation, String what) {
            this.invocation = invocation;
            this.what = what;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            AdminClient.Query query = page.query()
                    .with("search", search)
                    .with("user", user)
                    .with("address", address)
                    .with("sort", sort);
            return options.show(
                    options.client(invocation).get(AdminClient.path(what), query), ListCommands::printSessions);
        }
    }

    @Command(description = "Shows all that the broker knows of one.")
    private static final class Show implements Callable<Integer> {
        private final Invocation invocation;
        private final String what;

        @Parameters(paramLabel = "ID", description = "Client identifier.")
        private String clientId = "";

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        Show(Invocation invocation, String what) {
            this.invocation = invocation;
            this.what = what;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            return options.show(
                    options.client(invocation).get(AdminClient.path(what, clientId), new AdminClient.Query()),
                    ListCommands::printOne);
        }
    }

    @Command(description = "Lists what has happened to a client lately, newest first; it need not be there.")
    private static final class Events implements Callable<Integer> {
        private final Invocation invocation;

        @Parameters(paramLabel = "ID", description = "Client identifier.")
        private String clientId = "";

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        Events(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            return options.show(
                    options.client(invocation)
                            .get(AdminClient.path("clients", clientId, "events"), new AdminClient.Query()),
                    ListCommands::printEvents);
        }
    }

    @Command(description = "Sends a client away; its session stays as long as it may.")
    private static final class Kick implements Callable<Integer> {
        private final Invocation invocation;

        @Parameters(paramLabel = "ID", description = "Client identifier.")
        private String clientId = "";

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        Kick(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            return options.done(options.client(invocation)
                    .change(
                            "POST",
                            AdminClient.path("clients", clientId, "disconnect"),
                            new AdminClient.Query(),
                            null));
        }
    }

    @Command(description = "Ends one session, or those that the options mean; what waits in them is lost, and counted.")
    private static final class End implements Callable<Integer> {
        private final Invocation invocation;

        @Parameters(arity = "0..1", paramLabel = "ID", description = "Client identifier.")
        private @Nullable String clientId;

        @Option(names = "--search", paramLabel = "TEXT", description = "Part of the client identifier, in any case.")
        private @Nullable String search;

        @Option(names = "--user", paramLabel = "NAME", description = "Of this user.")
        private @Nullable String user;

        @Option(names = "--away-seconds", paramLabel = "N", description = "Whose clients have been away for so long.")
        private @Nullable Long awaySeconds;

        @Option(names = "--queued", paramLabel = "N", description = "In which so many messages wait, or more.")
        private @Nullable Long queued;

        @Option(names = "--dry-run", description = "Tells which they are, and ends none.")
        private boolean dryRun;

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        End(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            AdminClient client = options.client(invocation);
            if (clientId != null) {
                return options.done(
                        client.change("DELETE", AdminClient.path("sessions", clientId), new AdminClient.Query(), null));
            }
            Map<String, Object> selection = new LinkedHashMap<>();
            selection.put("search", search);
            selection.put("user", user);
            selection.put("awaySeconds", awaySeconds);
            selection.put("queuedMessages", queued);
            selection.put("dryRun", dryRun);
            JsonNode ended =
                    client.change("POST", AdminClient.path("sessions", "end"), new AdminClient.Query(), selection);
            return options.show(ended, (node, out) -> {
                out.println(node.path("matched") + " session(s) meant, " + node.path("ended") + " ended"
                        + (node.path("more").asBoolean() ? "; there may be more: call again" : ""));
                node.path("examples").forEach(each -> out.println("  " + Table.text(each)));
            });
        }
    }
}
