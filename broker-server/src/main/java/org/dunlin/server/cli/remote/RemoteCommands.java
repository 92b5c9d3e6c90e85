package org.dunlin.server.cli.remote;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.dunlin.server.cli.Invocation;
import picocli.CommandLine;

/** All commands that ask a running broker. Any thread. */
public final class RemoteCommands {
    private RemoteCommands() {}

    /** Each by its name, in the order in which help tells of them. */
    public static Map<String, Function<Invocation, CommandLine>> all() {
        Map<String, Function<Invocation, CommandLine>> commands = new LinkedHashMap<>();
        commands.put("status", StatusCommands::status);
        commands.put("health", StatusCommands::health);
        commands.put("listeners", StatusCommands::listeners);
        commands.put("rates", StatusCommands::rates);
        commands.put("settings", StatusCommands::settings);
        commands.put("log", StatusCommands::log);
        commands.put("drops", StatusCommands::drops);
        commands.put("clients", SessionCommands::clients);
        commands.put("sessions", SessionCommands::sessions);
        commands.put("subscriptions", SessionCommands::subscriptions);
        commands.put("retained", MessageCommands::retained);
        commands.put("topics", MessageCommands::topics);
        commands.put("publish", MessageCommands::publish);
        commands.put("groups", SessionCommands::groups);
        commands.put("refusals", SessionCommands::refusals);
        commands.put("log-level", StatusCommands::logLevel);
        commands.put("drain", StatusCommands::drain);
        commands.put("reload", StatusCommands::reload);
        commands.put("backup", BackupCommand::backup);
        commands.put("trace", TraceCommand::trace);
        commands.put("explain", ExplainCommands::explain);
        commands.put("token", TokenCommands::token);
        return commands;
    }
}
