package org.dunlin.server.cli.remote;

import java.util.List;
import org.dunlin.server.cli.Invocation;
import picocli.CommandLine;

/** All commands that ask a running broker. Any thread. */
public final class RemoteCommands {
    private RemoteCommands() {}

    /** For {@link CommandLine#addSubcommand(Object)}. */
    public static List<CommandLine> all(Invocation invocation) {
        return List.of(
                StatusCommands.status(invocation),
                StatusCommands.health(invocation),
                StatusCommands.listeners(invocation),
                StatusCommands.rates(invocation),
                StatusCommands.settings(invocation),
                StatusCommands.log(invocation),
                StatusCommands.drops(invocation),
                SessionCommands.clients(invocation),
                SessionCommands.sessions(invocation),
                SessionCommands.subscriptions(invocation),
                MessageCommands.retained(invocation),
                MessageCommands.topics(invocation),
                MessageCommands.publish(invocation),
                SessionCommands.groups(invocation),
                SessionCommands.refusals(invocation),
                StatusCommands.logLevel(invocation),
                StatusCommands.drain(invocation),
                StatusCommands.reload(invocation),
                TraceCommand.trace(invocation),
                ExplainCommands.explain(invocation),
                TokenCommands.token(invocation));
    }
}
