package org.dunlin.server.cli.store;

import java.io.PrintWriter;
import java.util.Map;
import java.util.concurrent.Callable;
import org.dunlin.core.spi.StoreException;
import org.dunlin.persistence.StoreFiles.Fault;
import org.dunlin.persistence.StoreFiles.Repair;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.cli.JsonOption;
import org.dunlin.server.cli.Line;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code dunlin store repair}: gives up what cannot be read. Main thread. */
@Command(
        name = "repair",
        description = "Makes new files of all that can be read of damaged ones, which are put aside.",
        footer = {"", "Needs as much free space again as the files take. A backup is better if there is one."})
final class StoreRepairCommand implements Callable<Integer> {
    private final Invocation invocation;

    @Mixin
    private StoreOptions options = new StoreOptions();

    @Option(names = "--accept-loss", description = "What cannot be read is lost; without this nothing is done.")
    private boolean acceptLoss;

    @Mixin
    private JsonOption json = new JsonOption();

    StoreRepairCommand(Invocation invocation) {
        this.invocation = invocation;
    }

    @Override
    public Integer call() throws ConfigException, StoreException, CommandException {
        StoreOptions.Chosen store = options.choose(invocation);
        if (!acceptLoss) {
            throw StoreOptions.wrong("nothing was done. If storage.path " + store.path()
                    + " is damaged, store repair moves its files into a folder salvage-<time> in it and makes new ones"
                    + " of what can still be read; the rest is lost. 'dunlin store verify' shows what is damaged;"
                    + " add --accept-loss to go on");
        }
        Repair repair = store.files().repair();
        PrintWriter out = options.out();
        if (json.isOn()) {
            Map<String, @Nullable Object> answer = StoreOptions.object(repair.found());
            answer.putAll(JsonOption.object(
                    "kept", repair.kept(),
                    "dropped", repair.dropped(),
                    "unreadable", repair.gaps(),
                    "missing", repair.lostChanges(),
                    "damagedFiles", repair.aside().toString()));
            JsonOption.print(answer, out);
            return ExitCode.OK;
        }
        if (repair.found().faults().isEmpty() && repair.aside().equals(store.path())) {
            out.println(Line.of(store.path() + ": no fault found, nothing was changed"));
            out.flush();
            return ExitCode.OK;
        }
        for (Fault fault : repair.found().faults()) {
            out.println(Line.of("fault: " + fault.what() + " (" + fault.count() + "): " + fault.where()));
        }
        repair.found().notes().forEach(note -> out.println(Line.of(note)));
        out.println("kept           " + repair.kept() + " records");
        out.println("dropped        " + repair.dropped() + " records that were damaged or belong to what is lost");
        out.println("unreadable     " + repair.gaps() + " places in tables, with an unknown number of records");
        out.println("missing        " + repair.lostChanges()
                + " changes at the end of the log at least; what was lost within it cannot be counted");
        out.println(Line.of("repaired " + store.path() + "; the damaged files are in " + repair.aside()));
        out.flush();
        return ExitCode.OK;
    }
}
