package org.dunlin.server.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.config.ConfigException;
import picocli.CommandLine;

/** Shows packets as they come and go, a line for each. Main thread. */
final class TraceCommand {
    private TraceCommand() {}

    static CommandLine trace(Invocation invocation) {
        return new RemoteCommand(
                        invocation,
                        "trace",
                        "Shows the packets of a client, address or topic as they come and go, until it is stopped.",
                        "The client need not be connected yet. Passwords, tokens and authentication data are not shown.")
                .oneOf(
                        RemoteCommand.text("--client", "ID", "A client identifier."),
                        RemoteCommand.text("--topic", "FILTER", "Topics: each PUBLISH to one."),
                        RemoteCommand.text(
                                "--address",
                                "ADDR[/LEN]",
                                "An address or block of addresses, from the first byte of a connection on."))
                .option(
                        "--payload",
                        "none|head|full",
                        "How much of each payload; head is the first 64 bytes, and what it is if not said.")
                .number("--count", "N", "Ends after so many packets.")
                .number("--seconds", "N", "Ends after that time; 600 if it is not said.")
                .does(TraceCommand::follow)
                .line();
    }

    private static int follow(RemoteCommand command) throws ConfigException, CommandException {
        PrintWriter out = command.out();
        boolean[] ended = {false};
        command.client().follow(command.target("trace"), (type, data) -> {
            ended[0] |= type.equals("end");
            if (command.json()) {
                out.println(data);
            } else {
                out.println(type.equals("end") ? end(data) : line(data));
            }
            out.flush();
        });
        if (!ended[0]) {
            throw new CommandException(ExitCode.UNEXPECTED, "the broker has ended the trace; it may have been stopped");
        }
        return ExitCode.OK;
    }

    private static String end(JsonNode end) {
        int leftOut = end.path("leftOut").asInt();
        return "-- " + end.path("packets").asLong() + " packets shown"
                + (leftOut == 0 ? "" : ", " + leftOut + " packets left out") + ": "
                + Table.plain(end.path("why").asText());
    }

    /** "12:00:01.123 in  sensor-7 PUBLISH id 12 qos 1 retain topic plant/a 4 bytes: 21.5". */
    static String line(JsonNode packet) {
        StringBuilder line = new StringBuilder();
        int leftOut = packet.path("leftOut").asInt();
        if (leftOut > 0) {
            line.append("-- ").append(leftOut).append(" packets left out").append(System.lineSeparator());
        }
        String time = packet.path("time").asText();
        line.append(time.replaceFirst("^[^T]*T", "").replaceFirst("Z$", "")).append(' ');
        String direction = packet.path("direction").asText();
        line.append(direction).append(" ".repeat(4 - Math.min(3, direction.length())));
        JsonNode client = packet.path("clientId");
        String who = client.isTextual() && !client.asText().isEmpty()
                ? client.asText()
                : packet.path("address").asText();
        line.append(Table.plain(who)).append(' ').append(packet.path("packet").asText());
        if (packet.path("packetId").isNumber()) {
            line.append(" id ").append(packet.path("packetId").asInt());
        }
        packet.path("flags").forEach(flag -> line.append(' ').append(Table.plain(flag.asText())));
        if (packet.path("topic").isTextual()) {
            line.append(" topic ").append(Table.plain(packet.path("topic").asText()));
        }
        if (packet.path("reason").isTextual()) {
            line.append(" reason ").append(Table.plain(packet.path("reason").asText()));
        }
        String before = " [";
        for (JsonNode detail : packet.path("details")) {
            line.append(before).append(Table.plain(detail.asText()));
            before = "; ";
        }
        line.append(before.equals("; ") ? "]" : "");
        if (packet.path("payloadBytes").isNumber()) {
            payload(packet, line);
        }
        return line.toString();
    }

    private static void payload(JsonNode packet, StringBuilder line) {
        line.append(' ').append(packet.path("payloadBytes").asInt()).append(" bytes");
        JsonNode payload = packet.path("payload");
        if (payload.isTextual() && !payload.asText().isEmpty()) {
            line.append(packet.path("payloadIsHex").asBoolean() ? " 0x" : ": ").append(Table.plain(payload.asText()));
        }
    }
}
