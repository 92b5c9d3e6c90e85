package org.dunlin.server.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
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

/** {@code dunlin token}: tokens of the admin port for others. Main thread. */
@Command(
        name = "token",
        description = "Makes, lists or removes tokens for the admin port of a running broker.",
        synopsisSubcommandLabel = "COMMAND")
final class TokenCommand implements Runnable {
    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean help;

    static CommandLine with(Invocation invocation) {
        return new CommandLine(new TokenCommand())
                .addSubcommand(new Add(invocation))
                .addSubcommand(new ListTokens(invocation))
                .addSubcommand(new Remove(invocation));
    }

    @Override
    public void run() {
        throw new ParameterException(
                Objects.requireNonNull(spec).commandLine(), "no command is given: add, list or remove");
    }

    @Command(name = "add", description = "Makes a token and shows it, this once.")
    static final class Add implements Callable<Integer> {
        private final Invocation invocation;

        @Parameters(paramLabel = "NAME", description = "For the audit log, and to remove it by.")
        private String name = "";

        @Option(
                names = "--scope",
                paramLabel = "read|write",
                description = "What it opens: read lets look at everything but change nothing; that if it is not said.")
        private String scope = "read";

        @Option(names = "--days", paramLabel = "N", description = "Ends after so many days; never if it is not said.")
        private @Nullable Integer days;

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        Add(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            Map<String, Object> wanted = new LinkedHashMap<>();
            wanted.put("name", name);
            wanted.put("scope", scope);
            if (days != null) {
                wanted.put("expiresInSeconds", Duration.ofDays(days).toSeconds());
            }
            JsonNode made = options.client(invocation)
                    .change("POST", AdminClient.path("tokens"), new AdminClient.Query(), wanted);
            return options.show(
                    made, (node, out) -> out.println(node.path("token").asText()));
        }
    }

    @Command(name = "list", description = "Lists the tokens, without what they are.")
    static final class ListTokens implements Callable<Integer> {
        private final Invocation invocation;

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        ListTokens(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            JsonNode tokens = options.client(invocation).get(AdminClient.path("tokens"), new AdminClient.Query());
            return options.show(tokens, (node, out) -> {
                Table table = new Table("NAME", "SCOPE", "MADE", "ENDS");
                node.path("items")
                        .forEach(each -> table.row(
                                each.path("name"), each.path("scope"), each.path("created"), each.path("expires")));
                table.print(out);
            });
        }
    }

    @Command(name = "remove", description = "Removes a token; whoever has it is shut out at once.")
    static final class Remove implements Callable<Integer> {
        private final Invocation invocation;

        @Parameters(paramLabel = "NAME", description = "Of the token.")
        private String name = "";

        @Mixin
        private RemoteOptions options = new RemoteOptions();

        Remove(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            return options.done(options.client(invocation)
                    .change("DELETE", AdminClient.path("tokens", name), new AdminClient.Query(), null));
        }
    }
}
