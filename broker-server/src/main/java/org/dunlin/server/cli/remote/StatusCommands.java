package org.dunlin.server.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.net.http.HttpResponse;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Commands that look at the broker as a whole. Main thread. */
final class StatusCommands {
    private StatusCommands() {}

    @Command(name = "status", description = "Shows how a running broker is, and its listeners.")
    static final class Status implements Callable<Integer> {
        private final Invocation invocation;

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        Status(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            AdminClient client = options.client(invocation);
            JsonNode status = client.get(AdminClient.path("status"), new AdminClient.Query());
            if (options.json()) {
                return options.show(status, (node, out) -> {});
            }
            JsonNode listeners = client.get(AdminClient.path("listeners"), new AdminClient.Query());
            return options.show(status, (node, out) -> {
                Table table = new Table("", "");
                node.properties().forEach(each -> table.row(words(each.getKey()), each.getValue()));
                table.print(out);
                out.println();
                Table open = new Table("LISTENER", "ADDRESS", "CONNECTIONS", "WHO", "CERTIFICATE ENDS");
                listeners
                        .path("items")
                        .forEach(each -> open.row(
                                each.path("name"),
                                each.path("url"),
                                each.path("connections"),
                                each.path("whoMayConnect"),
                                each.path("certificateEnds")));
                open.print(out);
            });
        }

        /** "uptimeSeconds" is "uptime seconds". */
        static String words(String name) {
            return name.replaceAll("([a-z])([A-Z])", "$1 $2").toLowerCase(Locale.ROOT);
        }
    }

    @Command(
            name = "health",
            description =
                    "Asks a running broker whether it serves clients: exit code 0 if so, 1 if not. For containers.")
    static final class Health implements Callable<Integer> {
        private final Invocation invocation;

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        Health(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            HttpResponse<String> answer = options.client(invocation, false).ask("GET", "/ready", null);
            PrintWriter out = options.out();
            out.println(Table.plain(answer.body()));
            out.flush();
            return answer.statusCode() == 200 ? ExitCode.OK : ExitCode.UNEXPECTED;
        }
    }

    @Command(name = "drops", description = "Shows what was lost since the start, by reason; by whom; or one by one.")
    static final class Drops implements Callable<Integer> {
        private final Invocation invocation;

        @Option(names = "--clients", description = "By client, in the order of their identifiers.")
        private boolean clients;

        @Option(names = "--last", description = "The last ones, one by one.")
        private boolean last;

        @Option(names = "--after", paramLabel = "WHERE", description = "Goes on behind the former page.")
        private @Nullable String after;

        @Option(names = "--limit", paramLabel = "N", description = "Rows, up to 1000; 100 if it is not said.")
        private @Nullable Integer limit;

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        Drops(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            AdminClient.Query page =
                    new AdminClient.Query().with("after", after).with("limit", limit);
            AdminClient client = options.client(invocation);
            if (clients) {
                return options.show(client.get(AdminClient.path("drops", "clients"), page), Drops::printClients);
            } else if (last) {
                return options.show(client.get(AdminClient.path("drops", "last"), page), Drops::printLast);
            }
            return options.show(client.get(AdminClient.path("drops"), new AdminClient.Query()), (node, out) -> {
                Table table = new Table("REASON", "MESSAGES");
                node.path("byReason").properties().forEach(each -> table.row(each.getKey(), each.getValue()));
                table.row("total", node.path("total")).print(out);
            });
        }

        private static void printClients(JsonNode node, PrintWriter out) {
            Table table = new Table("CLIENT", "MESSAGES", "BY REASON");
            node.path("items")
                    .forEach(each -> table.row(each.path("client"), each.path("total"), each.path("byReason")));
            table.print(out);
            RemotePage.more(node, out);
        }

        private static void printLast(JsonNode node, PrintWriter out) {
            Table table = new Table("NUMBER", "AT", "CLIENT", "TOPIC", "REASON", "MESSAGES");
            node.path("items")
                    .forEach(each -> table.row(
                            each.path("number"),
                            each.path("at"),
                            each.path("client"),
                            each.path("topic"),
                            each.path("reason"),
                            each.path("messages")));
            table.print(out);
        }
    }
}
