package org.dunlin.it.figures;

import java.nio.file.Path;

/** One of the things that {@link DoorsBenchmark} measures. Main thread. */
interface Workload {
    /**
     * Measures it and reports.
     *
     * @param folder for files of its own
     * @throws IllegalStateException if a message was lost or doubled, or a connection that should stand was not there
     */
    void run(Options options, Meter meter, Report report, Path folder) throws Exception;
}
