package org.dunlin.server.cli;

import picocli.CommandLine.Option;

/** {@code --help}, as every command has it: shown instead of doing anything. Main thread. */
final class HelpOption {
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help.")
    private boolean asked;
}
