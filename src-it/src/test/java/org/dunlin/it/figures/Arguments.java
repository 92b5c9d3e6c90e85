package org.dunlin.it.figures;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What the arguments of a program say: key=value, of keys that all have a default. Any thread. */
public final class Arguments {
    private final Map<String, String> values;

    /**
     * Reads them.
     *
     * @throws IllegalArgumentException that says what is wrong and which keys there are
     */
    public Arguments(Map<String, String> defaults, String... given) {
        values = new TreeMap<>(defaults);
        for (String argument : given) {
            int equals = argument.indexOf('=');
            if (equals < 0 || !defaults.containsKey(argument.substring(0, equals))) {
                throw new IllegalArgumentException(
                        "unknown argument " + argument + "; known, with defaults: " + new TreeMap<>(defaults));
            }
            values.put(argument.substring(0, equals), argument.substring(equals + 1));
        }
    }

    public String text(String key) {
        String value = values.get(key);
        if (value == null) {
            throw new IllegalStateException("no argument has the name " + key);
        }
        return value;
    }

    /** Its parts, with commas between. */
    public List<String> list(String key) {
        return List.of(text(key).split(","));
    }

    /** @throws IllegalArgumentException if it is none */
    public int number(String key) {
        try {
            return Integer.parseInt(text(key));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(key + "=" + text(key) + ": expected a whole number", e);
        }
    }

    /** @throws IllegalArgumentException if it is none */
    public double decimal(String key) {
        try {
            return Double.parseDouble(text(key));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(key + "=" + text(key) + ": expected a number", e);
        }
    }

    public Path path(String key) {
        return Path.of(text(key)).toAbsolutePath();
    }
}
