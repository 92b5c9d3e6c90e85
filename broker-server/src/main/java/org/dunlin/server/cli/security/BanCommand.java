package org.dunlin.server.cli.security;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dunlin.server.ban.Ban;
import org.dunlin.server.ban.BanFile;
import org.dunlin.server.ban.BanFileEditor;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ConfigOptions;
import org.dunlin.server.cli.ExitCode;
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

/** {@code dunlin ban}: its subcommands change and show a ban file. Main thread. */
@Command(
        name = "ban",
        description = "Bans addresses, users and client identifiers by a ban file; a running broker follows by itself.",
        synopsisSubcommandLabel = "COMMAND")
public final class BanCommand implements Runnable {
    private static final ConfiguredFile BANS = new ConfiguredFile(
            "ban file", "-f", "auth.ban-file", config -> config.bans().file(), "");
    private static final Pattern TIME = Pattern.compile("([1-9][0-9]{0,5})([smhd])");

    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean help;

    public static CommandLine with(Invocation invocation) {
        return new CommandLine(new BanCommand())
                .addSubcommand(new Add(invocation))
                .addSubcommand(new Remove(invocation))
                .addSubcommand(new ListBans(invocation));
    }

    @Override
    public void run() {
        if (spec != null) {
            throw new ParameterException(spec.commandLine(), "no command is given: add, remove or list");
        }
    }

    /** Which ban file a command is about. Main thread. */
    static final class Options {
        @Spec(Spec.Target.MIXEE)
        private @Nullable CommandSpec spec;

        @Mixin
        private ConfigOptions options = new ConfigOptions();

        @Option(
                names = {"-f", "--file"},
                paramLabel = "FILE",
                description = "Ban file; without it auth.ban-file of the configuration.")
        private @Nullable Path file;

        Path file(Invocation invocation) throws ConfigException, CommandException {
            return BANS.choose(file, options, invocation);
        }

        int done(String what) {
            return ConfiguredFile.done(out(), what);
        }

        PrintWriter out() {
            return Objects.requireNonNull(spec).commandLine().getOut();
        }
    }

    /** Whom a command is about. Main thread. */
    static final class Subject {
        @Parameters(index = "0", paramLabel = "KIND", description = "address, user or client-id.")
        private String kind = "";

        @Parameters(
                index = "1",
                paramLabel = "SUBJECT",
                description = "An address like 10.1.2.3 or a block like 10.1.2.0/24; a user name; a client identifier.")
        private String subject = "";

        Ban ban(@Nullable Instant until, String reason) throws ConfigException {
            return BanFileEditor.ban(kind, subject, until, reason);
        }

        String text() {
            return kind + " " + subject;
        }
    }

    /** {@code dunlin ban add}. Main thread. */
    @Command(
            name = "add",
            description = "Bans somebody, in place of an older ban of the same; makes the ban file if there is none.",
            footer = {"", "Whoever is connected is sent away."})
    static final class Add implements Callable<Integer> {
        private final Invocation invocation;

        @Mixin
        private Options options = new Options();

        @Mixin
        private Subject subject = new Subject();

        @Option(
                names = "--for",
                paramLabel = "TIME",
                description = "How long, like 90s, 10m, 12h or 7d; else for ever.")
        private @Nullable String time;

        @Option(names = "--until", paramLabel = "TIME", description = "Until when, like 2026-11-22T10:00:00Z.")
        private @Nullable String until;

        @Option(names = "--reason", paramLabel = "TEXT", description = "Why; the log and the banned are told.")
        private String reason = "";

        Add(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            Ban ban = subject.ban(end(), reason);
            Path file = options.file(invocation);
            ConfiguredFile.change(file, () -> {
                new BanFileEditor(file).add(ban);
                return true;
            });
            return options.done(
                    "banned " + subject.text() + (ban.until() == null ? "" : " until " + ban.until()) + " in " + file);
        }

        private @Nullable Instant end() throws ConfigException, CommandException {
            String asked = time;
            String end = until;
            if (asked != null && end != null) {
                throw new CommandException(ExitCode.USAGE, "both --for and --until are given; keep one of them");
            }
            if (asked == null) {
                return end == null ? null : BanFileEditor.time(end);
            }
            Matcher m = TIME.matcher(asked);
            if (!m.matches()) {
                throw new CommandException(ExitCode.USAGE, "--for takes a time like 90s, 10m, 12h or 7d");
            }
            long count = Long.parseLong(m.group(1));
            Duration lasts = switch (m.group(2)) {
                case "s" -> Duration.ofSeconds(count);
                case "m" -> Duration.ofMinutes(count);
                case "h" -> Duration.ofHours(count);
                default -> Duration.ofDays(count);
            };
            return Instant.ofEpochSecond(Instant.now().plus(lasts).getEpochSecond());
        }
    }

    /** {@code dunlin ban remove}. Main thread. */
    @Command(
            name = "remove",
            description = "Lets somebody in again whom the file bans.",
            footer = {"", "A ban for failed logins is in no file: it ends by itself."})
    static final class Remove implements Callable<Integer> {
        private final Invocation invocation;

        @Mixin
        private Options options = new Options();

        @Mixin
        private Subject subject = new Subject();

        Remove(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            Ban ban = subject.ban(null, "");
            Path file = options.file(invocation);
            if (!ConfiguredFile.change(file, () -> new BanFileEditor(file).remove(ban))) {
                throw new CommandException(
                        ExitCode.USAGE,
                        file + " does not ban " + subject.text() + "; 'dunlin ban list' shows whom it bans");
            }
            return options.done("removed the ban of " + subject.text() + " from " + file);
        }
    }

    /** {@code dunlin ban list}. Main thread. */
    @Command(name = "list", description = "Lists the bans, one a line as in the file.")
    static final class ListBans implements Callable<Integer> {
        private final Invocation invocation;

        @Mixin
        private Options options = new Options();

        ListBans(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            PrintWriter out = options.out();
            for (Ban ban : BanFile.read(options.file(invocation)).bans()) {
                boolean ended = ban.until() != null && !Instant.now().isBefore(ban.until());
                out.println(BanFile.line(ban) + (ended ? " (has ended)" : ""));
            }
            out.flush();
            return ExitCode.OK;
        }
    }
}
