package org.dunlin.server.cli.store;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreSettings;
import org.dunlin.core.spi.StoreSettings.Durability;
import org.dunlin.persistence.StoreFiles;
import org.dunlin.persistence.StoreFiles.Census;
import org.dunlin.persistence.StoreFiles.Inspection;
import org.dunlin.persistence.Stores;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ConfigOptions;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.cli.JsonOption;
import org.dunlin.server.cli.Line;
import org.dunlin.server.config.Config.Storage;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.ConfigLoader.Flag;
import org.dunlin.server.config.ConfigLoader.Loaded;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What all commands on a data directory have: options that say which one, as for {@code start}. Main thread. */
final class StoreOptions {
    @Spec(Spec.Target.MIXEE)
    private @Nullable CommandSpec spec;

    @Mixin
    private ConfigOptions options = new ConfigOptions();

    @Option(
            names = {"-d", "--data-dir"},
            paramLabel = "DATA_DIR",
            description = "Data directory; same as --set storage.path=DATA_DIR.")
    private @Nullable String dataDirectory;

    /** What {@code start} with the same options, file and environment would open. */
    Chosen choose(Invocation invocation) throws ConfigException, StoreException {
        List<Flag> flags = new ArrayList<>(options.flags());
        if (dataDirectory != null) {
            flags.add(new Flag("-d", "storage.path", dataDirectory));
        }
        Loaded loaded = invocation.load(options.file(), flags);
        Storage storage = loaded.config().storage();
        StoreSettings settings = new StoreSettings(
                Path.of(storage.path()),
                Durability.FSYNC,
                0,
                storage.cacheSize(),
                storage.minFree(),
                storage.maxSize());
        return new Chosen(Stores.files(storage.engine().name().toLowerCase(Locale.ROOT), settings), settings.path());
    }

    /** A store's files and where they are. */
    record Chosen(StoreFiles files, Path path) {}

    PrintWriter out() {
        return Objects.requireNonNull(spec).commandLine().getOut();
    }

    PrintWriter err() {
        return Objects.requireNonNull(spec).commandLine().getErr();
    }

    static CommandException wrong(String message) {
        return new CommandException(ExitCode.USAGE, message);
    }

    static void print(Inspection inspection, PrintWriter out) {
        for (String note : inspection.notes()) {
            out.println(Line.of(note));
        }
        Census census = inspection.census();
        out.println("sessions       " + census.sessions());
        out.println("groups         " + census.groups());
        out.println("subscriptions  " + census.subscriptions());
        out.println("queued         " + census.queued() + " (" + census.queuedBytes() + " bytes)");
        out.println("shared         " + census.bodies());
        out.println("flows          " + census.flows());
        out.println("retained       " + census.retained());
        out.println("delayed        " + census.delayed());
        out.println("files          " + census.diskBytes() + " bytes");
        out.flush();
    }

    /** The same for programs. */
    static Map<String, @Nullable Object> object(Inspection inspection) {
        Census census = inspection.census();
        Map<String, @Nullable Object> object = JsonOption.object(
                "sessions", census.sessions(),
                "groups", census.groups(),
                "subscriptions", census.subscriptions(),
                "queued", census.queued(),
                "queuedBytes", census.queuedBytes(),
                "shared", census.bodies(),
                "flows", census.flows(),
                "retained", census.retained(),
                "delayed", census.delayed(),
                "fileBytes", census.diskBytes());
        object.put("notes", inspection.notes());
        object.put("faults", faults(inspection));
        return object;
    }

    private static List<?> faults(Inspection inspection) {
        return inspection.faults().stream()
                .map(fault -> JsonOption.object("what", fault.what(), "count", fault.count(), "where", fault.where()))
                .toList();
    }
}
