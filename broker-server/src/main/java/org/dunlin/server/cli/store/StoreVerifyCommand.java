package org.dunlin.server.cli.store;

import java.util.List;
import java.util.concurrent.Callable;
import org.dunlin.core.spi.StoreException;
import org.dunlin.persistence.StoreFiles.Fault;
import org.dunlin.persistence.StoreFiles.Inspection;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ExitCode;
import org.dunlin.server.cli.Invocation;
import org.dunlin.server.cli.JsonOption;
import org.dunlin.server.cli.Line;
import org.dunlin.server.config.ConfigException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code dunlin store verify}: reads every file and record of a data directory. Main thread. */
@Command(
        name = "verify",
        description = "Reads every file and every record, counts them and names every kind of fault; changes nothing.",
        footer = {"", "Exit code 0 if no fault is found, 3 if there is one or a broker uses the directory."})
final class StoreVerifyCommand implements Callable<Integer> {
    private final Invocation invocation;

    @Mixin
    private StoreOptions options = new StoreOptions();

    @Mixin
    private JsonOption json = new JsonOption();

    StoreVerifyCommand(Invocation invocation) {
        this.invocation = invocation;
    }

    @Override
    public Integer call() throws ConfigException, StoreException, CommandException {
        StoreOptions.Chosen store = options.choose(invocation);
        Inspection found = store.files().inspect();
        List<Fault> faults = found.faults();
        if (json.isOn()) {
            JsonOption.print(StoreOptions.object(found), options.out());
        } else {
            StoreOptions.print(found, options.out());
        }
        if (faults.isEmpty()) {
            options.out().print(json.isOn() ? "" : "no fault found" + System.lineSeparator());
            options.out().flush();
            return ExitCode.OK;
        }
        for (Fault fault : json.isOn() ? List.<Fault>of() : faults) {
            options.err().println(Line.of("fault: " + fault.what() + " (" + fault.count() + "): " + fault.where()));
        }
        throw new CommandException(
                ExitCode.DATA_DIRECTORY,
                "storage.path " + store.path()
                        + " is damaged. Nothing was changed. Restore a backup, or give up what is"
                        + " lost with 'dunlin store repair --accept-loss'");
    }
}
