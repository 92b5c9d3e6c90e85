package org.dunlin.server.cli;

import java.io.PrintWriter;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code dunlin completion}: what has a shell complete commands and options. Main thread. */
@Command(
        name = "completion",
        description = "Prints a script for bash and zsh that completes commands and options.",
        footer = {
            "",
            "For this shell: source <(dunlin completion)",
            "For ever, with bash: dunlin completion > ~/.local/share/bash-completion/completions/dunlin"
        })
final class CompletionCommand implements Callable<Integer> {
    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private HelpOption help = new HelpOption();

    @Override
    public Integer call() {
        CommandSpec root = Objects.requireNonNull(spec).root();
        PrintWriter out = root.commandLine().getOut();
        out.print(AutoComplete.bash(root.name(), root.commandLine()));
        out.flush();
        return ExitCode.OK;
    }
}
