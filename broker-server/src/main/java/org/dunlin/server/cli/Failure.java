package org.dunlin.server.cli;

import java.io.PrintWriter;
import java.net.BindException;
import java.util.List;
import org.dunlin.core.spi.StoreException;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.Fault;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Why a command failed, in a line for each fault and an exit code. Main thread. */
final class Failure {
    private static final Logger LOG = LoggerFactory.getLogger(CommandLineInterface.class);
    private static final int FAULTS_SHOWN = 100;

    private Failure() {}

    /** Tells it. @return one of {@link ExitCode} */
    static int told(Throwable fault, PrintWriter err) {
        int code;
        if (fault instanceof ConfigException config) {
            code = ExitCode.USAGE;
            print(config.faults(), err);
        } else if (fault instanceof CommandException known) {
            code = known.exitCode();
            err.println("dunlin: " + Line.of(String.valueOf(known.getMessage())));
        } else if (fault instanceof StoreException store) {
            code = store.kind() == StoreException.Kind.UNSUPPORTED ? ExitCode.USAGE : ExitCode.DATA_DIRECTORY;
            err.println("dunlin: " + Line.of(String.valueOf(store.getMessage())));
        } else if (fault instanceof BindException bind) {
            code = ExitCode.ADDRESS_IN_USE;
            err.println("dunlin: cannot listen: " + Line.of(String.valueOf(bind.getMessage()))
                    + "; stop the other program, or choose another port with -p or in listeners");
        } else {
            code = ExitCode.UNEXPECTED;
            err.println("dunlin: unexpected: " + Line.of(fault.toString())
                    + "; --set log.level=debug shows where; please report it");
        }
        if (LOG.isDebugEnabled()) {
            fault.printStackTrace(err);
        }
        err.flush();
        return code;
    }

    static void print(List<Fault> faults, PrintWriter err) {
        faults.stream().limit(FAULTS_SHOWN).forEach(err::println);
        if (faults.size() > FAULTS_SHOWN) {
            err.println("... and " + (faults.size() - FAULTS_SHOWN) + " more");
        }
        err.flush();
    }
}
