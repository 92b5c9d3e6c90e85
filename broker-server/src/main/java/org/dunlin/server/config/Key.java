package org.dunlin.server.config;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One thing that can be set. Any thread.
 *
 * @param name kebab-case with dots, "[]" for "of each item": "limits.max-qos", "listeners[].port"
 * @param defaultValue null for a key that each item of a list has to have
 * @param example shown where there is no default
 * @param explanation one line, without the range
 * @param secret its value is never shown
 * @param live whether a reload changes it; else a restart does
 */
record Key<T>(
        String name,
        ValueType<T> type,
        @Nullable T defaultValue,
        String example,
        String explanation,
        boolean secret,
        boolean live) {
    static final String ENVIRONMENT_PREFIX = "DUNLIN_";
    private static final String INDEX = "([0-9]{1,4})";

    static <T> Key<T> of(String name, ValueType<T> type, T defaultValue, String explanation) {
        return new Key<>(name, type, defaultValue, "", explanation, false, false);
    }

    /** Its value is never shown. */
    static <T> Key<T> secret(String name, ValueType<T> type, T defaultValue, String explanation) {
        return new Key<>(name, type, defaultValue, "", explanation, true, false);
    }

    /** Has no default: each item of its list has to say it. */
    static <T> Key<T> required(String name, ValueType<T> type, String example, String explanation) {
        return new Key<>(name, type, null, example, explanation, false, false);
    }

    /** The same, but a reload changes it. */
    Key<T> whileRunning() {
        return new Key<>(name, type, defaultValue, example, explanation, secret, true);
    }

    /** The default as it is written, or null. */
    @Nullable
    String defaultText() {
        T value = defaultValue;
        return value == null ? null : type.format(value);
    }

    /** The list of which it describes an item, like "listeners", or null. */
    @Nullable
    String list() {
        int brackets = name.indexOf("[]");
        return brackets < 0 ? null : name.substring(0, brackets);
    }

    /** The last part of its name. */
    String leaf() {
        return name.substring(name.lastIndexOf('.') + 1);
    }

    /** Where its value is, like "listeners[0].port"; the index is of no matter outside a list. */
    String path(int index) {
        return name.replace("[]", "[" + index + "]");
    }

    /** Like DUNLIN_LIMITS_MAX_QOS or DUNLIN_LISTENERS_0_PORT. */
    String environmentName(int index) {
        return ENVIRONMENT_PREFIX + path(index).replaceAll("[.\\[\\]-]+", "_").toUpperCase(Locale.ROOT);
    }

    /** The path that an environment variable of this name sets, or null. */
    @Nullable
    String pathOfEnvironment(String variable) {
        Matcher m = Pattern.compile(environmentName(0).replaceFirst("_0_", "_" + INDEX + "_"))
                .matcher(variable);
        if (!m.matches()) {
            return null;
        }
        return path(m.groupCount() == 0 ? 0 : Integer.parseInt(m.group(1)));
    }

    /** By its name alone, as no two have the same: what Java makes for a record of seven parts takes 20 ms of each start. */
    @Override
    public boolean equals(@Nullable Object other) {
        return this == other || other instanceof Key<?> that && name.equals(that.name);
    }

    @Override
    public int hashCode() {
        return name.hashCode();
    }
}
