package org.dunlin.server.cli.store;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.dunlin.core.spi.StoreException;
import org.dunlin.persistence.StoreExport;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code dunlin store export}: writes all that is kept as lines of JSON. Main thread. */
@Command(
        name = "export",
        description = "Writes all that is kept as lines of JSON, which any engine and later version can import.",
        footer = {"", "The file holds all messages and user names in the clear: keep it as safe as the directory."})
final class StoreExportCommand implements Callable<Integer> {
    private final Invocation invocation;

    @Mixin
    private StoreOptions options = new StoreOptions();

    @Parameters(paramLabel = "FILE", description = "A new file, or - for standard output.")
    private @Nullable Path file;

    StoreExportCommand(Invocation invocation) {
        this.invocation = invocation;
    }

    @Override
    public Integer call() throws ConfigException, StoreException, CommandException {
        Path target = Objects.requireNonNull(file);
        StoreOptions.Chosen store = options.choose(invocation);
        Map<String, Long> counts = target.toString().equals("-") ? toStandardOutput(store) : toFile(store, target);
        options.err().println("exported " + summary(counts));
        options.err().flush();
        return ExitCode.OK;
    }

    /** Like "2 queued, 1 session". */
    static String summary(Map<String, Long> counts) {
        return counts.isEmpty()
                ? "nothing but the time, since nothing else is kept"
                : new TreeMap<>(counts)
                        .entrySet().stream()
                                .map(count -> count.getValue() + " " + count.getKey())
                                .collect(Collectors.joining(", "));
    }

    private Map<String, Long> toStandardOutput(StoreOptions.Chosen store) throws StoreException, CommandException {
        try {
            Map<String, Long> counts = StoreExport.write(store.files(), options.out());
            if (options.out().checkError()) {
                throw new CommandException(ExitCode.UNEXPECTED, "standard output was closed before all was written");
            }
            return counts;
        } catch (IOException e) {
            throw new CommandException(ExitCode.UNEXPECTED, "standard output cannot be written to: " + e, e);
        }
    }

    private static Map<String, Long> toFile(StoreOptions.Chosen store, Path target)
            throws StoreException, CommandException {
        if (Files.exists(target)) {
            throw StoreOptions.wrong(target + " exists already; name a new file");
        }
        Path part = target.resolveSibling(target.getFileName() + ".part");
        try {
            Writer out = Files.newBufferedWriter(
                    part, StandardCharsets.UTF_8, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            try {
                Map<String, Long> counts;
                try (out) {
                    counts = StoreExport.write(store.files(), out);
                }
                Files.move(part, target);
                return counts;
            } finally {
                Files.deleteIfExists(part);
            }
        } catch (FileAlreadyExistsException e) {
            throw StoreOptions.wrong(part + " exists already; another export writes it, or was ended: remove it then");
        } catch (IOException e) {
            throw StoreOptions.wrong(target + " cannot be written: " + e + "; name a file in a folder that is there");
        }
    }
}
