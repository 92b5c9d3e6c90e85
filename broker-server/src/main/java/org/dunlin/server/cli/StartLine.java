package org.dunlin.server.cli;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.server.config.ConfigLoader.Flag;
import org.dunlin.server.config.ConfigLoader.Loaded;
import org.dunlin.server.logging.Logging;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * What {@code dunlin start} was told, and the start itself. A plain line is understood here without the command line's
 * library, which Java cannot keep in its archive of classes, so that it would take a fifth of the start. Main thread.
 *
 * @param flags what options set
 */
record StartLine(@Nullable Path file, List<Flag> flags) {
    /**
     * Of a line in which everything is as it should be, each option and its value for itself; null if there is anything to
     * look at more closely: help, faults, other ways to write an option.
     */
    static @Nullable StartLine plain(String... arguments) {
        if (arguments.length == 0 || arguments.length % 2 == 0 || !arguments[0].equals("start")) {
            return null;
        }
        String file = null;
        String port = null;
        String bind = null;
        String dataDirectory = null;
        List<Flag> flags = new ArrayList<>();
        for (int i = 1; i < arguments.length; i += 2) {
            String value = arguments[i + 1];
            boolean again;
            switch (arguments[i]) {
                case "--set" -> {
                    int equals = value.indexOf('=');
                    again = equals <= 0; // to be told that it is none
                    if (!again) {
                        flags.add(set(value, equals));
                    }
                }
                case "-c", "--config" -> {
                    again = file != null;
                    file = value;
                }
                case "-p", "--port" -> {
                    again = port != null;
                    port = value;
                }
                case "--bind" -> {
                    again = bind != null;
                    bind = value;
                }
                case "-d", "--data-dir" -> {
                    again = dataDirectory != null;
                    dataDirectory = value;
                }
                default -> again = true;
            }
            if (again || value.isEmpty() || value.startsWith("-")) {
                return null;
            }
        }
        try {
            return of(file == null ? null : Path.of(file), flags, port, bind, dataDirectory);
        } catch (InvalidPathException unreadable) {
            return null;
        }
    }

    /** @param flags what --set says; the other options win over it */
    static StartLine of(
            @Nullable Path file,
            List<Flag> flags,
            @Nullable String port,
            @Nullable String bind,
            @Nullable String dataDirectory) {
        List<Flag> all = new ArrayList<>(flags);
        addTo(all, "-p", "listeners[0].port", port);
        addTo(all, "--bind", "listeners[0].bind", bind);
        addTo(all, "-d", "storage.path", dataDirectory);
        return new StartLine(file, all);
    }

    /** What --set says. @param equals where the sign is, above 0 */
    static Flag set(String assignment, int equals) {
        return new Flag("--set", assignment.substring(0, equals).strip(), assignment.substring(equals + 1));
    }

    private static void addTo(List<Flag> flags, String option, String path, @Nullable String text) {
        if (text != null) {
            flags.add(new Flag(option, path, text));
        }
    }

    int run(Invocation invocation, Launcher launcher) throws Exception {
        Runnable ahead = launcher.ahead();
        Loaded loaded;
        try {
            loaded = invocation.load(file, flags);
        } finally {
            ahead.run();
        }
        launcher.check(loaded);
        Logging.start(loaded.config().log());
        for (String warning : loaded.warnings()) {
            LoggerFactory.getLogger(StartCommand.class).warn(warning);
        }
        return launcher.run(loaded);
    }
}
