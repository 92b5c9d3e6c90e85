package org.dunlin.server.cli.security;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dunlin.server.ban.Ban;
import org.dunlin.server.ban.BanFile;
import org.dunlin.server.ban.BanFileEditor;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.CommandGroup;
import org.dunlin.server.cli.ConfiguredFile;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.cli.JsonOption;
import org.dunlin.server.cli.Line;
import org.dunlin.server.cli.remote.Arguments;
import org.dunlin.server.cli.remote.RemoteCommand;
import org.dunlin.server.cli.remote.View;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** {@code dunlin ban}: the bans of a ban file, or of a running broker. Main thread. */
public final class BanCommand {
    private static final ConfiguredFile BANS = new ConfiguredFile(
            "ban file",
            "-f",
            "-f, --file",
            "auth.ban-file",
            config -> config.bans().file(),
            "");
    private static final Pattern TIME = Pattern.compile("([1-9][0-9]{0,5})([smhd])");

    private BanCommand() {}

    public static CommandLine with(Invocation invocation) {
        return CommandGroup.of(
                "ban",
                "Bans addresses, users and client identifiers by a ban file, which a running broker follows by itself;"
                        + " or, with --url, those of a running broker.",
                ofSubject(
                                invocation,
                                "add",
                                "Bans somebody, in place of an older ban of the same; makes the ban file if there is"
                                        + " none.")
                        .option("--for", "TIME", "How long, like 90s, 10m, 12h or 7d; else for ever.")
                        .unsent()
                        .option("--until", "TIME", "Until when, like 2026-11-22T10:00:00Z.")
                        .unsent()
                        .option("--reason", "TEXT", "Why; the log and the banned are told.")
                        .field("expiresInSeconds", BanCommand::seconds)
                        .post("bans", View.DONE)
                        .onFile(BANS, BanCommand::add)
                        .footer("", "Whoever is connected is sent away.")
                        .line(),
                ofSubject(invocation, "remove", "Lets somebody in again who is banned.")
                        .delete("bans/{kind}/{subject}")
                        .onFile(BANS, BanCommand::remove)
                        .footer(
                                "",
                                "A ban for failed logins is in no file: with --url it is ended, too, else by itself.")
                        .line(),
                new RemoteCommand(invocation, "list", "Lists the bans, one a line as in the file.")
                        .get("bans", BanCommand::print)
                        .onFile(BANS, BanCommand::list)
                        .line());
    }

    private static RemoteCommand ofSubject(Invocation invocation, String name, String description) {
        return new RemoteCommand(invocation, name, description)
                .parameter("KIND", "address, user or client-id.")
                .parameter(
                        "SUBJECT",
                        "An address like 10.1.2.3 or a block like 10.1.2.0/24; a user name; a client identifier.");
    }

    private static Ban ban(Arguments given, @Nullable Instant until, String reason) throws ConfigException {
        return BanFileEditor.ban(given.text("kind"), given.text("subject"), until, reason);
    }

    private static String subject(Arguments given) {
        return given.text("kind") + " " + given.text("subject");
    }

    private static Object add(Path file, Arguments given) throws IOException, ConfigException, CommandException {
        Ban ban = ban(given, end(given), given.text("reason"));
        new BanFileEditor(file).add(ban);
        String until = ban.until() == null ? "" : " until " + ban.until();
        return JsonOption.object("done", BANS.followed("banned " + subject(given) + until + " in " + file));
    }

    private static @Nullable Instant end(Arguments given) throws ConfigException, CommandException {
        boolean lasts = given.isGiven("for");
        if (lasts && given.isGiven("until")) {
            throw new CommandException(ExitCode.USAGE, "both --for and --until are given; keep one of them");
        } else if (!lasts) {
            return given.isGiven("until") ? BanFileEditor.time(given.text("until")) : null;
        }
        Matcher m = TIME.matcher(given.text("for"));
        if (!m.matches()) {
            throw new CommandException(ExitCode.USAGE, "--for takes a time like 90s, 10m, 12h or 7d");
        }
        long count = Long.parseLong(m.group(1));
        Duration time = switch (m.group(2)) {
            case "s" -> Duration.ofSeconds(count);
            case "m" -> Duration.ofMinutes(count);
            case "h" -> Duration.ofHours(count);
            default -> Duration.ofDays(count);
        };
        return Instant.ofEpochSecond(Instant.now().plus(time).getEpochSecond());
    }

    private static @Nullable Long seconds(Arguments given) throws ConfigException, CommandException {
        Instant end = end(given);
        ban(given, end, given.text("reason")); // faults are told as for a file
        return end == null
                ? null
                : Math.max(1, (Duration.between(Instant.now(), end).toMillis() + 999) / 1000);
    }

    private static Object remove(Path file, Arguments given) throws IOException, ConfigException, CommandException {
        if (!new BanFileEditor(file).remove(ban(given, null, ""))) {
            throw new CommandException(
                    ExitCode.USAGE,
                    file + " does not ban " + subject(given) + "; 'dunlin ban list' shows whom it bans");
        }
        return JsonOption.object("done", BANS.followed("removed the ban of " + subject(given) + " from " + file));
    }

    private static Object list(Path file, Arguments given) throws ConfigException {
        List<Object> items = new ArrayList<>();
        for (Ban ban : BanFile.read(file).bans()) {
            String until = ban.until() == null ? null : ban.until().toString();
            items.add(JsonOption.object(
                    "kind", ban.kind().word(), "subject", ban.subject(), "until", until, "reason", ban.reason()));
        }
        return JsonOption.object("items", items);
    }

    private static void print(JsonNode bans, PrintWriter out) {
        for (JsonNode each : bans.path("items")) {
            Ban.Kind kind = Ban.Kind.of(each.path("kind").asText());
            Instant until = each.path("until").isTextual()
                    ? Instant.parse(each.path("until").asText())
                    : null;
            if (kind != null) {
                Ban ban = new Ban(
                        kind,
                        each.path("subject").asText(),
                        until,
                        each.path("reason").asText());
                boolean ended = until != null && !Instant.now().isBefore(until);
                out.println(Line.of(BanFile.line(ban)) + (ended ? " (has ended)" : ""));
            }
        }
    }
}
