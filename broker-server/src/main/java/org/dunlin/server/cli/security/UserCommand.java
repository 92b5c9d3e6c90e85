package org.dunlin.server.cli.security;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.Callable;
import org.dunlin.server.auth.PasswordFile;
import org.dunlin.server.auth.PasswordFileEditor;
import org.dunlin.server.auth.PasswordHash;
import org.dunlin.server.cli.CommandException;
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

/** {@code dunlin user}: its subcommands change and show the users of a password file. Main thread. */
@Command(
        name = "user",
        description = "Adds, removes and lists the users of a password file; a running broker follows by itself.",
        synopsisSubcommandLabel = "COMMAND")
public final class UserCommand implements Runnable {
    @Spec
    private @Nullable CommandSpec spec;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean help;

    /**
     * What to say of arguments that none of these commands knows, without repeating them: they may be a password.
     *
     * @return null if it is another command
     */
    public static @Nullable String unmatched(CommandSpec command) {
        CommandSpec parent = command.parent();
        if (command.userObject() instanceof UserCommand) {
            return "there is no such command";
        } else if (parent != null && parent.userObject() instanceof UserCommand) {
            return "an argument is not known; a password is never an argument, since other users of the machine could"
                    + " see it: it is asked for, or read with --stdin";
        }
        return null;
    }

    public static CommandLine with(Invocation invocation) {
        return new CommandLine(new UserCommand())
                .addSubcommand(new Add(invocation))
                .addSubcommand(new Passwd(invocation))
                .addSubcommand(new Remove(invocation))
                .addSubcommand(new ListUsers(invocation));
    }

    @Override
    public void run() {
        if (spec != null) {
            throw new ParameterException(spec.commandLine(), "no command is given: add, passwd, remove or list");
        }
    }

    /** {@code dunlin user add}. Main thread. */
    @Command(
            name = "add",
            description = "Adds a user; makes the password file if there is none.",
            footer = {"", "The password is asked for, or read from standard input with --stdin; never an argument."})
    static final class Add implements Callable<Integer> {
        private final Invocation invocation;

        @Mixin
        private UserOptions options = new UserOptions();

        @Mixin
        private Name name = new Name();

        @Mixin
        private PasswordInput input = new PasswordInput();

        @Mixin
        private UserOptions.Hash kind = new UserOptions.Hash();

        Add(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            String user = name.value();
            kind.check();
            Path file = options.file(invocation);
            if (Files.exists(file) && PasswordFile.read(file).users().contains(user)) { // before anybody is asked
                throw present(user, file);
            }
            PasswordHash hash = hash(input, kind, null, user);
            if (!ConfiguredFile.change(file, () -> new PasswordFileEditor(file).add(user, hash))) {
                throw present(user, file);
            }
            return ConfiguredFile.done(options.out(), "added " + user + " to " + file);
        }

        private static CommandException present(String user, Path file) {
            return new CommandException(
                    ExitCode.USAGE,
                    file + " has a user " + user + " already; 'dunlin user passwd " + user + "' sets another password");
        }
    }

    /** {@code dunlin user passwd}. Main thread. */
    @Command(
            name = "passwd",
            description = "Gives a user another password; a user of SCRAM stays one.",
            footer = {"", "The password is asked for, or read from standard input with --stdin; never an argument."})
    static final class Passwd implements Callable<Integer> {
        private final Invocation invocation;

        @Mixin
        private UserOptions options = new UserOptions();

        @Mixin
        private Name name = new Name();

        @Mixin
        private PasswordInput input = new PasswordInput();

        @Mixin
        private UserOptions.Hash kind = new UserOptions.Hash();

        Passwd(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            String user = name.value();
            kind.check();
            Path file = options.file(invocation);
            PasswordFile users = PasswordFile.read(file);
            if (!users.users().contains(user)) {
                throw absent(user, file);
            }
            PasswordHash hash = hash(input, kind, users.scramKind(user), user);
            if (!ConfiguredFile.change(file, () -> new PasswordFileEditor(file).replace(user, hash))) {
                throw absent(user, file);
            }
            return ConfiguredFile.done(options.out(), "changed the password of " + user + " in " + file);
        }
    }

    /** {@code dunlin user remove}. Main thread. */
    @Command(
            name = "remove",
            description = "Removes a user, who cannot connect any more.",
            footer = {"", "A running broker ends the connections that are there."})
    static final class Remove implements Callable<Integer> {
        private final Invocation invocation;

        @Mixin
        private UserOptions options = new UserOptions();

        @Mixin
        private Name name = new Name();

        Remove(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            String user = name.value();
            Path file = options.file(invocation);
            if (!ConfiguredFile.change(file, () -> new PasswordFileEditor(file).remove(user))) {
                throw absent(user, file);
            }
            return ConfiguredFile.done(options.out(), "removed " + user + " from " + file);
        }
    }

    /** {@code dunlin user list}. Main thread. */
    @Command(name = "list", description = "Lists the users, one a line.")
    static final class ListUsers implements Callable<Integer> {
        private final Invocation invocation;

        @Mixin
        private UserOptions options = new UserOptions();

        ListUsers(Invocation invocation) {
            this.invocation = invocation;
        }

        @Override
        public Integer call() throws ConfigException, CommandException {
            PrintWriter out = options.out();
            PasswordFile.read(options.file(invocation)).users().forEach(out::println);
            out.flush();
            return ExitCode.OK;
        }
    }

    private static PasswordHash hash(
            PasswordInput input, UserOptions.Hash kind, PasswordHash.@Nullable ScramKind former, String user)
            throws CommandException {
        byte[] password = input.read(user);
        try {
            return kind.hash(password, former);
        } finally {
            Arrays.fill(password, (byte) 0);
        }
    }

    private static CommandException absent(String user, Path file) {
        return new CommandException(
                ExitCode.USAGE, file + " has no user " + user + "; 'dunlin user list' shows who is there");
    }

    /** The user that a command is about. */
    static final class Name {
        @Parameters(paramLabel = "NAME", description = "User name, as clients send it.")
        private @Nullable String name;

        String value() throws CommandException {
            String given = String.valueOf(name);
            String unfit = PasswordFile.unfit(given);
            if (unfit != null) {
                throw new CommandException(ExitCode.USAGE, "the user name " + unfit + "; choose another one");
            }
            return given;
        }
    }
}
