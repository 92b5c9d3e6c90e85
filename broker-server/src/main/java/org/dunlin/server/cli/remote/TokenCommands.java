package org.dunlin.server.cli.remote;

import java.time.Duration;
import org.dunlin.server.cli.CommandGroup;
import org.dunlin.server.cli.Invocation;
import picocli.CommandLine;

/** {@code dunlin token}: tokens of the admin port for others. Main thread. */
final class TokenCommands {
    private TokenCommands() {}

    static CommandLine token(Invocation invocation) {
        return CommandGroup.of(
                "token",
                "Makes, lists or removes tokens for the admin port of a running broker.",
                new RemoteCommand(invocation, "add", "Makes a token and shows it, this once.")
                        .parameter("NAME", "For the audit log, and to remove it by.")
                        .option(
                                "--scope",
                                "read|write",
                                "What it opens: read lets look at everything but change nothing; that if it is not"
                                        + " said.")
                        .orElse("read")
                        .number("--days", "N", "Ends after so many days; never if it is not said.")
                        .as("expiresInSeconds", days -> Duration.ofDays(days).toSeconds())
                        .post(
                                "tokens",
                                (node, out) -> out.println(node.path("token").asText()))
                        .line(),
                new RemoteCommand(invocation, "list", "Lists the tokens, without what they are.")
                        .get("tokens", View.list("NAME=name", "SCOPE=scope", "MADE=created", "ENDS=expires"))
                        .line(),
                new RemoteCommand(invocation, "remove", "Removes a token; whoever has it is shut out at once.")
                        .parameter("NAME", "Of the token.")
                        .delete("tokens/{name}")
                        .line());
    }
}
