package org.dunlin.server.config;

import java.util.List;
import java.util.stream.Collectors;

/** The configuration cannot be used; carries every fault at once, never none, and no secret. Any thread. */
public final class ConfigException extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient List<Fault> faults;

    public ConfigException(List<Fault> faults) {
        super(faults.stream().map(Fault::toString).collect(Collectors.joining("\n")), null, false, false);
        this.faults = List.copyOf(faults);
    }

    /** In the order of the sources: file by line, environment, flags, then what concerns several keys. */
    public List<Fault> faults() {
        return faults;
    }
}
