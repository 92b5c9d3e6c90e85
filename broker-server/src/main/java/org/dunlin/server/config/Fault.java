package org.dunlin.server.config;

/**
 * One thing wrong with the configuration, as one line: where, what, what to do. Any thread.
 *
 * @param where like "conf/dunlin.yaml:12", "DUNLIN_LIMITS_MAX_QOS" or "--set"
 * @param key the key concerned, or "" if it is not about one
 */
public record Fault(String where, String key, String what, String cure) {
    @Override
    public String toString() {
        String about = key.isEmpty() ? "" : key + ": ";
        return where + ": " + about + what + "; " + cure;
    }
}
