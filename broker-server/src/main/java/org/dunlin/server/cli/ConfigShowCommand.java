package org.dunlin.server.cli;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.ConfigLoader.Loaded;
import org.dunlin.server.config.ConfigText;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code dunlin config show}: what {@code start} with the same file, environment and flags would use. Main thread. */
@Command(
        name = "show",
        description = "Shows the effective configuration as YAML, with where each value came from; no secrets.")
final class ConfigShowCommand implements Callable<Integer> {
    private final Invocation invocation;

    @Spec
    private @Nullable CommandSpec spec;

    @Mixin
    private ConfigOptions options = new ConfigOptions();

    @Mixin
    private JsonOption json = new JsonOption();

    ConfigShowCommand(Invocation invocation) {
        this.invocation = invocation;
    }

    @Override
    public Integer call() throws ConfigException {
        CommandLine command = Objects.requireNonNull(spec).commandLine();
        Loaded loaded = invocation.load(options.file(), options.flags());
        for (String warning : loaded.warnings()) {
            command.getErr().println("warning: " + warning);
        }
        command.getErr().flush();
        if (json.isOn()) {
            List<?> items = loaded.settings().items().stream()
                    .map(item -> JsonOption.object(
                            "key", item.path(),
                            "value", item.value(),
                            "defaultValue", item.defaultValue(),
                            "origin", item.origin(),
                            "live", item.live(),
                            "secret", item.secret()))
                    .toList();
            JsonOption.print(JsonOption.object("items", items), command.getOut());
            return ExitCode.OK;
        }
        command.getOut().print(ConfigText.effective(loaded.settings()));
        command.getOut().flush();
        return ExitCode.OK;
    }
}
