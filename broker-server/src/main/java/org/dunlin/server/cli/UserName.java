package org.dunlin.server.cli;

import org.dunlin.server.auth.PasswordFile;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Parameters;

/** The user that a command is about. Main thread. */
final class UserName {
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
