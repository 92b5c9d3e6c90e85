package org.dunlin.server.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows packets as they come and go, a line for each. Main thread. */
@Command(
        name = "trace",
        description = {
            "Shows the packets of a client, address or topic as they come and go, until it is stopped.",
            "The client need not be connected yet. Passwords, tokens and authentication data are not shown."
        })
final class TraceCommand implements Callable<Integer> {
    private final Invocation invocation;

    @ArgGroup(multiplicity = "1")
    private Whose whose = new Whose();

    @Option(
            names = "--payload",
            paramLabel = "HOW",
            description = "How much of each payload: none, head for the first 64 bytes, or full; head if not said.")
    private @Nullable String payload;

    @Option(names = "--count", paramLabel = "N", description = "Ends after so many packets.")
    private @Nullable Long count;

    @Option(names = "--seconds", paramLabel = "N", description = "Ends after that time; 600 if it is not said.")
    private @Nullable Long seconds;

    @Mixin
    private RemoteOptions options = new RemoteOptions();

    TraceCommand(Invocation invocation) {
        this.invocation = invocation;
    }

    /** One of them. */
    private static final class Whose {
        @Option(names = "--client", paramLabel = "ID", required = true, description = "A client identifier.")
        private @Nullable String client;

        @Option(names = "--topic", paramLabel = "FILTER", required = true, description = "Topics: each PUBLISH to one.")
        private @Nullable String topic;

        @Option(
                names = "--address",
                paramLabel = "ADDR[/LEN]",
                required = true,
                description = "An address or block of addresses, from the first byte of a connection on.")
        private @Nullable String address;
    }

    @Override
    public Integer call() throws ConfigException, CommandException {
        AdminClient.Query query = new AdminClient.Query()
                .with("client", whose.client)
                .with("topic", whose.topic)
                .with("address", whose.address)
                .with("payload", payload)
                .with("count", count)
                .with("seconds", seconds);
        PrintWriter out = options.out();
        boolean[] ended = {false};
        options.client(invocation).follow(AdminClient.path("trace") + query, (type, data) -> {
            ended[0] |= type.equals("end");
            if (options.json()) {
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
