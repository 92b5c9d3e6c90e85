package org.dunlin.server.cli.remote;

import java.util.List;
import org.dunlin.server.cli.Invocation;

/** All commands that ask a running broker. Any thread. */
public final class RemoteCommands {
    private RemoteCommands() {}

    /** For {@link picocli.CommandLine#addSubcommand}. */
    public static List<Object> all(Invocation invocation) {
        return List.of(
                new StatusCommands.Status(invocation),
                new StatusCommands.Health(invocation),
                new StatusCommands.Drops(invocation),
                SessionCommands.clients(invocation),
                SessionCommands.sessions(invocation),
                new ListCommands.Subscriptions(invocation),
                MessageCommands.retained(invocation),
                new MessageCommands.Publish(invocation),
                new ListCommands.Groups(invocation),
                new ListCommands.Refusals(invocation),
                new ListCommands.LogLevel(invocation),
                new ListCommands.Drain(invocation),
                new ConfigCommands.Reload(invocation),
                new TraceCommand(invocation),
                ExplainCommands.explain(invocation),
                TokenCommand.with(invocation));
    }
}
