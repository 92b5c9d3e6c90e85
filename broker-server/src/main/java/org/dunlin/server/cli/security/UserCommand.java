package org.dunlin.server.cli.security;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.dunlin.server.auth.PasswordFile;
import org.dunlin.server.auth.PasswordFileEditor;
import org.dunlin.server.auth.PasswordHash;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.CommandGroup;
import org.dunlin.server.cli.ConfiguredFile;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.cli.JsonOption;
import org.dunlin.server.cli.remote.Arguments;
import org.dunlin.server.cli.remote.RemoteCommand;
import org.dunlin.server.cli.remote.View;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/** {@code dunlin user}: the users of a password file, or of a running broker. Main thread. */
public final class UserCommand {
    private static final String NAME = "user";
    private static final ConfiguredFile PASSWORDS = new ConfiguredFile(
            "password file",
            "-f",
            "-f, --file",
            "auth.password-file",
            config -> config.auth().passwordFile(),
            "");
    private static final String[] PASSWORD = {
        "", "The password is asked for, or read from standard input with --stdin; never an argument."
    };

    private UserCommand() {}

    /**
     * What to say of arguments that none of these commands knows, without repeating them: they may be a password.
     *
     * @return null if it is another command
     */
    public static @Nullable String unmatched(CommandSpec command) {
        CommandSpec parent = command.parent();
        if (command.name().equals(NAME)) {
            return "there is no such command";
        } else if (parent != null && parent.name().equals(NAME)) {
            return "an argument is not known; a password is never an argument, since other users of the machine could"
                    + " see it: it is asked for, or read with --stdin";
        }
        return null;
    }

    public static CommandLine with(Invocation invocation) {
        return CommandGroup.of(
                NAME,
                "Adds, removes and lists the users of a password file, which a running broker follows by itself; or,"
                        + " with --url, those of a running broker.",
                withPassword(invocation, "add", "Adds a user; makes the password file if there is none.")
                        .field("scram", UserCommand::scram)
                        .post("users", View.DONE)
                        .onFile(PASSWORDS, UserCommand::add)
                        .line(),
                withPassword(invocation, "passwd", "Gives a user another password; a user of SCRAM stays one.")
                        .forFile("scram")
                        .put("users/{name}/password", View.DONE)
                        .onFile(PASSWORDS, UserCommand::change)
                        .line(),
                new RemoteCommand(invocation, "remove", "Removes a user, who cannot connect any more.")
                        .parameter("NAME", "User name, as clients send it.")
                        .delete("users/{name}")
                        .onFile(PASSWORDS, UserCommand::remove)
                        .footer("", "A running broker ends the connections that are there.")
                        .line(),
                new RemoteCommand(invocation, "list", "Lists the users, one a line.")
                        .getAll(
                                "users",
                                (answer, out) -> answer.path("items")
                                        .forEach(each ->
                                                out.println(each.path("name").asText())))
                        .onFile(PASSWORDS, UserCommand::list)
                        .line());
    }

    private static RemoteCommand withPassword(Invocation invocation, String name, String description) {
        return new RemoteCommand(invocation, name, description)
                .parameter("NAME", "User name, as clients send it.")
                .flag("--stdin", "Read the password from standard input, up to the end of the first line.")
                .unsent()
                .option(
                        "--scram",
                        "DIGEST",
                        new RemoteCommand.Alone("sha-256"),
                        "Let the user log in by SCRAM, too, with sha-256 (if nothing follows) or sha-512.")
                .unsent()
                .number(
                        "--iterations",
                        "N",
                        "Of SCRAM; devices have to compute them at each login. Else 600000, of sha-512 210000.")
                .forFile("iterations")
                .flag("--pbkdf2", "Make a hash that mosquitto 2.0 can read, too.")
                .forFile("pbkdf2")
                .field("password", given -> {
                    HashKind.of(given);
                    return PasswordInput.text(given.isGiven("stdin"), user(given));
                })
                .footer(PASSWORD);
    }

    /** Faults before anybody is asked for a password. */
    private static String user(Arguments given) throws CommandException {
        String name = given.text("name");
        String unfit = PasswordFile.unfit(name);
        if (unfit != null) {
            throw new CommandException(ExitCode.USAGE, "the user name " + unfit + "; choose another one");
        }
        return name;
    }

    private static @Nullable Boolean scram(Arguments given) throws CommandException {
        if (given.text("scram").equals("sha-512")) {
            throw new CommandException(
                    ExitCode.USAGE, "--scram sha-512 is for a file only; with --url give --scram sha-256");
        }
        return given.isGiven("scram") ? true : null;
    }

    private static Object add(Path file, Arguments given) throws IOException, ConfigException, CommandException {
        String user = user(given);
        HashKind kind = HashKind.of(given);
        if (Files.exists(file) && PasswordFile.read(file).users().contains(user)) { // before anybody is asked
            throw present(user, file);
        }
        if (!new PasswordFileEditor(file).add(user, hash(given, kind, null, user))) {
            throw present(user, file);
        }
        return JsonOption.object("done", PASSWORDS.followed("added " + user + " to " + file));
    }

    private static Object change(Path file, Arguments given) throws IOException, ConfigException, CommandException {
        String user = user(given);
        HashKind kind = HashKind.of(given);
        PasswordFile users = PasswordFile.read(file);
        if (!users.users().contains(user)) {
            throw absent(user, file);
        }
        if (!new PasswordFileEditor(file).replace(user, hash(given, kind, users.scramKind(user), user))) {
            throw absent(user, file);
        }
        return JsonOption.object("done", PASSWORDS.followed("changed the password of " + user + " in " + file));
    }

    private static Object remove(Path file, Arguments given) throws IOException, ConfigException, CommandException {
        String user = user(given);
        if (!new PasswordFileEditor(file).remove(user)) {
            throw absent(user, file);
        }
        return JsonOption.object("done", PASSWORDS.followed("removed " + user + " from " + file));
    }

    private static Object list(Path file, Arguments given) throws ConfigException {
        PasswordFile users = PasswordFile.read(file);
        List<?> items = users.users().stream()
                .sorted()
                .map(name -> JsonOption.object("name", name, "scram", users.scramKind(name) != null))
                .toList();
        return JsonOption.object("items", items, "next", null);
    }

    private static PasswordHash hash(
            Arguments given, HashKind kind, PasswordHash.@Nullable ScramKind former, String user)
            throws CommandException {
        byte[] password = PasswordInput.read(given.isGiven("stdin"), user);
        try {
            return kind.hash(password, former);
        } finally {
            Arrays.fill(password, (byte) 0);
        }
    }

    private static CommandException present(String user, Path file) {
        return new CommandException(
                ExitCode.USAGE,
                file + " has a user " + user + " already; 'dunlin user passwd " + user + "' sets another password");
    }

    private static CommandException absent(String user, Path file) {
        return new CommandException(
                ExitCode.USAGE, file + " has no user " + user + "; 'dunlin user list' shows who is there");
    }
}
