package org.dunlin.server.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.ConfigLoader;
import org.dunlin.server.config.ConfigLoader.Flag;
import org.dunlin.server.config.ConfigLoader.Loaded;
import org.jspecify.annotations.Nullable;

/** What surrounds a command: the environment, and the file that is read if none is named. Main thread. */
public record Invocation(Map<String, String> environment, List<Path> defaultConfig) {
    /** @throws ConfigException with every fault */
    public Loaded load(@Nullable Path file, List<Flag> flags) throws ConfigException {
        return ConfigLoader.load(file != null ? file : existingDefault(), environment, flags);
    }

    private @Nullable Path existingDefault() {
        for (Path candidate : defaultConfig) {
            if (Files.isRegularFile(candidate)) {
                return candidate;
            }
        }
        return null;
    }
}
