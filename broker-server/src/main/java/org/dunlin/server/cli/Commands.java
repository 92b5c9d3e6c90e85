package org.dunlin.server.cli;

import java.io.PrintWriter;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.dunlin.server.cli.remote.RemoteCommands;
import org.dunlin.server.cli.security.AclCommand;
import org.dunlin.server.cli.security.BanCommand;
import org.dunlin.server.cli.security.UserCommand;
import org.dunlin.server.cli.store.StoreCommand;
import org.dunlin.server.config.Nearest;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** All commands, as the command line's library parses, explains and runs them. Main thread. */
final class Commands {
    /** Its script is of all commands. */
    private static final String COMPLETION = "completion";

    private static final String LIST = "list";
    private static final List<String> HELP = List.of("-h", "--help");

    private final Map<String, Supplier<?>> commands = new LinkedHashMap<>();
    private final @Nullable PrintWriter out;
    private final @Nullable PrintWriter err;

    /**
     * @param out where answers go; standard output if null
     * @param err where errors go; standard error if null
     */
    Commands(
            Invocation invocation,
            Launcher launcher,
            Supplier<List<String>> natives,
            @Nullable PrintWriter out,
            @Nullable PrintWriter err) {
        this.out = out;
        this.err = err;
        commands.put("start", () -> new StartCommand(invocation, launcher));
        commands.put(
                "config",
                () -> CommandGroup.of(
                        "config",
                        "Checks a configuration file, or shows what is in force.",
                        new ConfigCheckCommand(launcher),
                        new ConfigShowCommand(invocation)));
        commands.put("store", () -> StoreCommand.with(invocation));
        commands.put("acl", () -> AclCommand.with(invocation));
        commands.put("user", () -> UserCommand.with(invocation));
        commands.put("ban", () -> BanCommand.with(invocation));
        commands.put("version", () -> new VersionCommand(natives));
        commands.put(COMPLETION, CompletionCommand::new);
        RemoteCommands.all().forEach((name, command) -> commands.put(name, () -> command.apply(invocation)));
    }

    /** @return one of {@link ExitCode} */
    int run(String... arguments) {
        CommandLine line = line(arguments);
        try {
            return line.execute(listing(line, arguments));
        } catch (Error fault) { // which picocli lets through, and other threads would keep the process alive
            return Failure.told(fault, line.getErr());
        }
    }

    /** A group of commands that is given none of them lists, if it can: {@code dunlin clients --user ann}. */
    private static String[] listing(CommandLine line, String[] arguments) {
        CommandLine group = arguments.length == 0 ? null : line.getSubcommands().get(arguments[0]);
        String second = arguments.length < 2 ? "-" : arguments[1];
        if (group == null
                || !group.getSubcommands().containsKey(LIST)
                || !second.startsWith("-")
                || HELP.contains(second)) {
            return arguments;
        }
        List<String> words = new ArrayList<>(List.of(arguments));
        words.add(1, LIST);
        return words.toArray(String[]::new);
    }

    /** With the command that is meant, and no other: to look into all of them takes as long as half a start of the broker. */
    private CommandLine line(String... arguments) {
        CommandLine line = new CommandLine(new Root());
        String first = arguments.length == 0 ? "" : arguments[0];
        if (commands.containsKey(first) && !first.equals(COMPLETION)) {
            line.addSubcommand(first, commands.get(first).get());
        } else {
            commands.forEach((name, command) -> line.addSubcommand(name, command.get()));
        }
        line.registerConverter(Path.class, Commands::path);
        line.setExpandAtFiles(false);
        line.setParameterExceptionHandler(Commands::wrongUsage);
        line.setExecutionExceptionHandler((fault, command, parsed) -> Failure.told(fault, command.getErr()));
        line.setUsageHelpAutoWidth(false);
        line.setUsageHelpWidth(100);
        if (out != null && err != null) {
            line.setOut(out);
            line.setErr(err);
        }
        return line;
    }

    @Command(
            name = "dunlin",
            description = "An MQTT broker: every word of MQTT 3.1, 3.1.1 and 5.0.",
            synopsisSubcommandLabel = "COMMAND",
            mixinStandardHelpOptions = false,
            footer = {
                "",
                "Exit codes: 0 fine; 1 unexpected; 2 wrong usage or configuration; 3 data directory locked,",
                "damaged, from a newer version or not writable; 4 address in use; 5 denied (acl explain).",
                "",
                "'dunlin start' with nothing else serves MQTT on 127.0.0.1:1883."
            })
    private static final class Root implements Runnable {
        @Spec
        private @Nullable CommandSpec spec;

        @Mixin
        private HelpOption help = new HelpOption();

        @Override
        public void run() {
            throw new ParameterException(Objects.requireNonNull(spec).commandLine(), "no command is given");
        }
    }

    /** What the locale cannot read is no name of a file to Java. */
    private static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException unreadable) {
            throw new TypeConversionException(
                    "the name has a character that could not be read; write UTF-8 and set LC_ALL=C.UTF-8");
        }
    }

    private static int wrongUsage(ParameterException fault, String[] arguments) {
        CommandLine command = fault.getCommandLine();
        String what =
                fault instanceof UnmatchedArgumentException ? UserCommand.unmatched(command.getCommandSpec()) : null;
        StringBuilder line = new StringBuilder("dunlin: ").append(what != null ? what : Line.of(words(fault)));
        if (fault instanceof UnmatchedArgumentException unmatched) {
            String nearest = nearest(unmatched.getUnmatched().get(0), command);
            line.append(nearest == null ? "" : "; did you mean " + nearest + "?");
        }
        line.append("; '").append(command.getCommandSpec().qualifiedName()).append(" --help' shows what there is");
        command.getErr().println(line);
        command.getErr().flush();
        return ExitCode.USAGE;
    }

    private static String words(ParameterException fault) {
        return String.valueOf(fault.getMessage()).replaceFirst("^Error: ", ""); // groups of options begin so
    }

    /** The option or subcommand most like what was typed, or null if none is. */
    private static @Nullable String nearest(String typed, CommandLine command) {
        String word = typed.replaceFirst("^-+", "");
        if (command.getSubcommands().containsKey(word)) {
            return word; // --version
        }
        List<String> known = new ArrayList<>(command.getSubcommands().keySet());
        if (typed.startsWith("-")) {
            known.clear();
            command.getCommandSpec().options().forEach(option -> known.addAll(List.of(option.names())));
            known.removeIf(name -> name.length() == 2); // every letter is near to every other
        }
        return Nearest.of(typed, known);
    }
}
