package org.dunlin.it.figures;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** What the arguments of a run say, key=value. Any thread. */
final class Options {
    /** Every key and its default. */
    private static final Map<String, String> DEFAULTS = Map.ofEntries(
            Map.entry("what", "transport,handshakes,passwords,rights"),
            Map.entry("rounds", "3"),
            Map.entry("seconds", "0.7"),
            Map.entry("warmup", "0.7"),
            Map.entry("pairs", "10"),
            Map.entry("window", "500"),
            Map.entry("write", "16384"),
            Map.entry("lanes", "20"),
            Map.entry("receivers", "500"),
            Map.entry("clients", "2000"),
            Map.entry("users", "0"),
            Map.entry("slow-users", "20"),
            Map.entry("hashes", "none,6,7"),
            Map.entry("acl-users", "100000"),
            Map.entry("threads", "0"),
            Map.entry("java", "-Xmx2g,-XX:+ExitOnOutOfMemoryError"),
            Map.entry("work", "target/doors"));

    private final Arguments given;

    Options(String[] arguments) {
        given = new Arguments(DEFAULTS, arguments);
    }

    String text(String key) {
        return given.text(key);
    }

    List<String> list(String key) {
        return given.list(key);
    }

    int number(String key) {
        return given.number(key);
    }

    private long millis(String key) {
        return Math.round(given.decimal(key) * 1000);
    }

    /** Messages that a publisher sends at once: half its window. */
    int batch() {
        return Math.max(1, number("window") / 2);
    }

    /** Event loops of the driver: half the processors, so that the broker has some, too. */
    int threads() {
        int asked = number("threads");
        return asked > 0 ? asked : Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
    }

    /** How long one reading takes, in milliseconds; round 0 warms up. */
    long millis(int round) {
        return millis(round == 0 ? "warmup" : "seconds");
    }

    Path work() {
        return given.path("work");
    }
}
