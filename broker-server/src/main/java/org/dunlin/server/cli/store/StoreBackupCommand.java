package org.dunlin.server.cli.store;

import java.nio.file.Path;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.dunlin.core.spi.StoreException;
import org.dunlin.persistence.StoreFiles.Inspection;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.cli.JsonOption;
import org.dunlin.server.cli.Line;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code dunlin store backup}: copies a data directory. Main thread. */
@Command(
        name = "backup",
        description = "Copies the data directory to a new one, from which a broker can be started, and reads the copy.",
        footer = {"", "No broker may use the directory meanwhile."})
final class StoreBackupCommand implements Callable<Integer> {
    private final Invocation invocation;

    @Mixin
    private StoreOptions options = new StoreOptions();

    @Mixin
    private JsonOption json = new JsonOption();

    @Parameters(paramLabel = "DIR", description = "The directory of the copy; must be new or empty.")
    private @Nullable Path target;

    StoreBackupCommand(Invocation invocation) {
        this.invocation = invocation;
    }

    @Override
    public Integer call() throws ConfigException, StoreException {
        Path directory = Objects.requireNonNull(target);
        StoreOptions.Chosen store = options.choose(invocation);
        Inspection copy = store.files().backup(directory);
        if (json.isOn()) {
            JsonOption.print(StoreOptions.object(copy), options.out());
            return ExitCode.OK;
        }
        StoreOptions.print(copy, options.out());
        options.out().println(Line.of("copied " + store.path() + " to " + directory + "; no fault found in the copy"));
        options.out().flush();
        return ExitCode.OK;
    }
}
