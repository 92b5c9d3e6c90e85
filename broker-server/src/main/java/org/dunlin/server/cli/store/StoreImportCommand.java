package org.dunlin.server.cli.store;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.dunlin.core.spi.StoreException;
import org.dunlin.persistence.StoreExport;
import org.dunlin.persistence.StoreExport.ExportException;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.cli.JsonOption;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code dunlin store import}: makes a data directory of an export. Main thread. */
@Command(
        name = "import",
        description = "Makes a data directory of what 'store export' has written; it must be new or empty.",
        footer = {"", "If the file is damaged or cut nothing is left in the directory."})
final class StoreImportCommand implements Callable<Integer> {
    private final Invocation invocation;

    @Mixin
    private StoreOptions options = new StoreOptions();

    @Mixin
    private JsonOption json = new JsonOption();

    @Parameters(paramLabel = "FILE", description = "The file, or - for standard input.")
    private @Nullable Path file;

    StoreImportCommand(Invocation invocation) {
        this.invocation = invocation;
    }

    @Override
    public Integer call() throws ConfigException, StoreException, CommandException {
        Path source = Objects.requireNonNull(file);
        StoreOptions.Chosen store = options.choose(invocation);
        try (Reader in = open(source)) {
            Map<String, Long> counts = StoreExport.read(in, store.files());
            if (json.isOn()) {
                JsonOption.print(counts, options.out());
                return ExitCode.OK;
            }
            options.out().println("imported " + StoreExportCommand.summary(counts));
            options.out().flush();
            return ExitCode.OK;
        } catch (ExportException e) {
            throw new CommandException(
                    ExitCode.USAGE, source + ": " + e.getMessage() + ". Nothing was imported to " + store.path(), e);
        } catch (IOException e) {
            throw new CommandException(ExitCode.USAGE, source + " cannot be read: " + e, e);
        }
    }

    private static Reader open(Path source) throws IOException {
        return source.toString().equals("-")
                ? new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))
                : Files.newBufferedReader(source, StandardCharsets.UTF_8);
    }
}
