package org.dunlin.server.cli;

import java.io.PrintWriter;
import java.net.BindException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.dunlin.core.spi.StoreException;
import org.dunlin.server.cli.remote.RemoteCommands;
import org.dunlin.server.cli.security.AclCommand;
import org.dunlin.server.cli.security.BanCommand;
import org.dunlin.server.cli.security.UserCommand;
import org.dunlin.server.cli.store.StoreCommand;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.Fault;
import org.dunlin.server.config.Nearest;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command {@code dunlin}: parses, runs, and turns whatever happens into lines and an exit code. Main thread. */
public final class CommandLineInterface {
    private static final Logger LOG = LoggerFactory.getLogger(CommandLineInterface.class);
    private static final int FAULTS_SHOWN = 100;
    /** Its script is of all commands. */
    private static final String COMPLETION = "completion";

    private final Map<String, Supplier<?>> commands = new LinkedHashMap<>();
    private @Nullable PrintWriter out;
    private @Nullable PrintWriter err;

    /**
     * @param natives what was found of native libraries on this machine, each as one line
     * @param environment of the process; tests give their own
     * @param defaultConfig read by {@code start} and {@code config show} without -c if it exists; may not exist
     */
    public CommandLineInterface(
            Launcher launcher,
            Supplier<List<String>> natives,
            Map<String, String> environment,
            List<Path> defaultConfig) {
        Invocation invocation = new Invocation(environment, defaultConfig);
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

    /** Where the answers and where the errors go; standard output and standard error unless told. */
    public CommandLineInterface printTo(PrintWriter answers, PrintWriter errors) {
        out = answers;
        err = errors;
        return this;
    }

    /** @return one of {@link ExitCode} */
    public int run(String... arguments) {
        CommandLine line = line(arguments);
        try {
            return line.execute(arguments);
        } catch (Error fault) { // which picocli lets through, and other threads would keep the process alive
            return failed(fault, line);
        }
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
        line.registerConverter(Path.class, CommandLineInterface::path);
        line.setExpandAtFiles(false);
        line.setParameterExceptionHandler(CommandLineInterface::wrongUsage);
        line.setExecutionExceptionHandler((fault, command, parsed) -> failed(fault, command));
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

        @Option(
                names = {"-h", "--help"},
                usageHelp = true,
                description = "Show this help.")
        private boolean help;

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

    private static int failed(Throwable fault, CommandLine command) {
        PrintWriter err = command.getErr();
        int code;
        if (fault instanceof ConfigException config) {
            code = ExitCode.USAGE;
            printFaults(config.faults(), err);
        } else if (fault instanceof CommandException known) {
            code = known.exitCode();
            err.println("dunlin: " + Line.of(String.valueOf(known.getMessage())));
        } else if (fault instanceof StoreException store) {
            code = store.kind() == StoreException.Kind.UNSUPPORTED ? ExitCode.USAGE : ExitCode.DATA_DIRECTORY;
            err.println("dunlin: " + Line.of(String.valueOf(store.getMessage())));
        } else if (fault instanceof BindException bind) {
            code = ExitCode.ADDRESS_IN_USE;
            err.println("dunlin: cannot listen: " + Line.of(String.valueOf(bind.getMessage()))
                    + "; stop the other program, or choose another port with -p or in listeners");
        } else {
            code = ExitCode.UNEXPECTED;
            err.println("dunlin: unexpected: " + Line.of(fault.toString())
                    + "; --set log.level=debug shows where; please report it");
        }
        if (LOG.isDebugEnabled()) {
            fault.printStackTrace(err);
        }
        err.flush();
        return code;
    }

    static void printFaults(List<Fault> faults, PrintWriter err) {
        faults.stream().limit(FAULTS_SHOWN).forEach(err::println);
        if (faults.size() > FAULTS_SHOWN) {
            err.println("... and " + (faults.size() - FAULTS_SHOWN) + " more");
        }
        err.flush();
    }
}
