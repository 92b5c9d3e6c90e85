package org.dunlin.server.cli.remote;

import org.dunlin.server.cli.CommandGroup;
import org.dunlin.server.cli.Invocation;
import picocli.CommandLine;

/** {@code dunlin retained} and {@code dunlin publish}. Main thread. */
final class MessageCommands {
    private MessageCommands() {}

    static CommandLine retained(Invocation invocation) {
        return CommandGroup.of(
                "retained",
                "Lists, shows or deletes retained messages.",
                new RemoteCommand(invocation, "list", "Lists them, in the order of their topics.")
                        .optionalParameter("FILTER", "A topic filter; # if it is not given.")
                        .page()
                        .get(
                                "retained",
                                View.list(
                                        "TOPIC=topic",
                                        "QOS=qos",
                                        "BYTES=bytes",
                                        "PUBLISHER=publisher",
                                        "EXPIRES IN=expiresInSeconds",
                                        "PAYLOAD=text|base64"))
                        .line(),
                new RemoteCommand(invocation, "show", "Shows the message that is retained at a topic.")
                        .parameter("TOPIC", "The topic name.")
                        .get("retained/message", View.FIELDS)
                        .line(),
                new RemoteCommand(invocation, "delete", "Deletes the retained messages under a topic filter.")
                        .parameter("FILTER", "A topic filter, or a topic name.")
                        .flag("--dry-run", "Tells which they are, and deletes none.")
                        .post("retained/delete", View.selected("message", "deleted"))
                        .line());
    }

    static CommandLine topics(Invocation invocation) {
        return new RemoteCommand(
                        invocation,
                        "topics",
                        "Lists the levels below a topic at which something is retained, or further below.")
                .optionalParameter("PARENT", "Levels with slashes between; the top if it is not given.")
                .page()
                .get("topics", View.list("LEVEL=level", "TOPIC=topic", "MORE BELOW=hasMore"))
                .line();
    }

    static CommandLine publish(Invocation invocation) {
        return new RemoteCommand(invocation, "publish", "Publishes a message through a running broker's admin port.")
                .parameter("TOPIC", "The topic name.")
                .optionalParameter("TEXT", "The payload; empty if not given.")
                .number("-q, --qos", "QOS", "0, 1 or 2; 0 if not given.")
                .flag("-r, --retain", "It stays; an empty one deletes what is retained there.")
                .number("--expiry", "SECONDS", "After which nobody gets it any more.")
                .as("expirySeconds")
                .post("publish", View.DONE)
                .line();
    }
}
