package org.dunlin.server.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.Map;
import java.util.concurrent.Callable;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Commands that list what a running broker has. Main thread. */
final class ListCommands {
    private ListCommands() {}

    /** A page of a list. */
    static final class PageOptions {
        @Option(names = "--after", paramLabel = "WHERE", description = "Goes on behind the former page.")
        private @Nullable String after;

        @Option(names = "--limit", paramLabel = "N", description = "Rows, up to 1000; 100 if it is not said.")
        private @Nullable Integer limit;

        AdminClient.Query query() {
            return new AdminClient.Query().with("after", after).with("limit", limit);
        }
    }

    /** Clients or sessions. */
    static void printSessions(JsonNode page, PrintWriter out) {
        Table table = new Table(
                "CLIENT", "USER", "CONNECTED", "ADDRESS", "VERSION", "SINCE", "SUBSCRIPTIONS", "QUEUED", "INFLIGHT");
        page.path("items")
                .forEach(each -> table.row(
                        each.path("clientId"),
                        each.path("user"),
                        each.path("connected"),
                        each.path("address"),
                        each.path("version"),
                        each.path("since"),
                        each.path("subscriptions"),
                        each.path("queuedMessages"),
                        each.path("inflight")));
        table.print(out);
        RemotePage.more(page, out);
    }

    /** One thing, a line for each of its fields. */
    static void printOne(JsonNode one, PrintWriter out) {
        Table table = new Table("", "");
        one.properties().forEach(each -> table.row(each.getKey(), each.getValue()));
        table.print(out);
    }

    @Command(name = "subscriptions", description = "Lists what clients have subscribed to, or one of them.")
    static final class Subscriptions implements Callable<Integer> {
        private final Invocation invocation;

        @Option(names = "--client", paramLabel = "ID", description = "Of this client only.")
        private @Nullable String client;

        @Option(names = "--filter", paramLabel = "TEXT", description = "Part of the topic filter.")
        private @Nullable String filter;

        @Mixin
        private PageOptions page = new PageOptions();

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        Subscriptions(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            String path = client == null
                    ? AdminClient.path("subscriptions")
                    : AdminClient.path("sessions", client, "subscriptions");
            JsonNode found = options.client(invocation).get(path, page.query().with("filter", filter));
            return options.show(found, (node, out) -> {
                Table table =
                        new Table("CLIENT", "FILTER", "QOS", "NO LOCAL", "IDENTIFIER", "EACH MESSAGE ASKED ABOUT");
                node.path("items")
                        .forEach(each -> table.row(
                                each.path("clientId"),
                                each.path("filter"),
                                each.path("qos"),
                                each.path("noLocal"),
                                each.path("identifier"),
                                each.path("guarded")));
                table.print(out);
                RemotePage.more(node, out);
            });
        }
    }

    @Command(name = "groups", description = "Lists the shared groups with what waits, and what each member has.")
    static final class Groups implements Callable<Integer> {
        private final Invocation invocation;

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        Groups(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            JsonNode groups = options.client(invocation).get(AdminClient.path("groups"), new AdminClient.Query());
            return options.show(groups, (node, out) -> {
                Table table = new Table("GROUP", "LAG", "QUEUED", "MEMBER", "CONNECTED", "HAS", "COULD HAVE MORE");
                for (JsonNode group : node.path("items")) {
                    table.row(group.path("filter"), group.path("lag"), group.path("queuedMessages"), "", "", "", "");
                    group.path("members")
                            .forEach(each -> table.row(
                                    "",
                                    "",
                                    "",
                                    each.path("clientId"),
                                    each.path("connected"),
                                    each.path("lent"),
                                    each.path("credits")));
                }
                table.print(out);
            });
        }
    }

    @Command(name = "refusals", description = "Lists who was refused, denied something or banned lately, and why.")
    static final class Refusals implements Callable<Integer> {
        private final Invocation invocation;

        @Option(names = "--address", paramLabel = "ADDR", description = "Beginning of the address.")
        private @Nullable String address;

        @Option(names = "--limit", paramLabel = "N", description = "Rows, up to 1000; 100 if it is not said.")
        private @Nullable Integer limit;

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        Refusals(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            AdminClient.Query query =
                    new AdminClient.Query().with("address", address).with("limit", limit);
            return options.show(
                    options.client(invocation).get(AdminClient.path("refusals"), query), ListCommands::printEvents);
        }
    }

    /** What has happened, newest first. */
    static void printEvents(JsonNode node, PrintWriter out) {
        Table table = new Table("AT", "WHAT", "CLIENT", "USER", "ADDRESS", "REASON", "DETAIL");
        node.path("items")
                .forEach(each -> table.row(
                        each.path("at"),
                        each.path("kind"),
                        each.path("clientId"),
                        each.path("user"),
                        each.path("address"),
                        each.path("reason"),
                        each.path("detail")));
        table.print(out);
    }

    @Command(
            name = "drain",
            description =
                    "Stops a running broker in order, as SIGTERM does: clients are told, what is theirs is written.")
    static final class Drain implements Callable<Integer> {
        private final Invocation invocation;

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        Drain(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            return options.done(options.client(invocation)
                    .change("POST", AdminClient.path("drain"), new AdminClient.Query(), null));
        }
    }

    @Command(name = "log-level", description = "Shows or sets the least weight of what a running broker logs.")
    static final class LogLevel implements Callable<Integer> {
        private final Invocation invocation;

        @Parameters(
                arity = "0..1",
                paramLabel = "LEVEL",
                description = "error, warn, info, debug or trace; without it the present one is shown.")
        private @Nullable String level;

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        LogLevel(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            AdminClient client = options.client(invocation);
            String path = AdminClient.path("log", "level");
            if (level == null) {
                return options.show(
                        client.get(path, new AdminClient.Query()),
                        (node, out) -> out.println(Table.text(node.path("level"))));
            }
            int done = options.done(client.change("PUT", path, new AdminClient.Query(), Map.of("level", level)));
            return done == ExitCode.OK ? ExitCode.OK : ExitCode.UNEXPECTED;
        }
    }
}
