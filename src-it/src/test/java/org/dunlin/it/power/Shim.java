package org.dunlin.it.power;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.CProgram;

/** powercut.c, compiled once for all tests by the C compiler of the machine. Any thread. */
final class Shim {
    private static final int SYNC_MICROS = 2000;

    private Shim() {}

    /**
     * What a command has to be put behind so that a journal is kept of what it does below a folder.
     *
     * @param lies syncs of files whose names end so are not; empty for a disk that keeps its word
     */
    static List<String> watching(Path folder, Path journal, String lies) {
        List<String> prefix = new ArrayList<>(List.of(
                "env",
                "LD_PRELOAD=" + CProgram.compiled("powercut", "powercut.so", "-shared", "-fPIC", "-ldl"),
                "POWERCUT_DIR=" + folder,
                "POWERCUT_JOURNAL=" + journal,
                "POWERCUT_SYNC_MICROS=" + SYNC_MICROS));
        if (!lies.isEmpty()) {
            prefix.add("POWERCUT_LIES=" + lies);
        }
        return prefix;
    }
}
