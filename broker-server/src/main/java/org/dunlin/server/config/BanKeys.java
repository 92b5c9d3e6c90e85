package org.dunlin.server.config;

import static org.dunlin.server.config.ValueType.addressBlocks;
import static org.dunlin.server.config.ValueType.duration;
import static org.dunlin.server.config.ValueType.file;
import static org.dunlin.server.config.ValueType.integer;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.server.share.AddressBlock;

/** What can be set of who may not connect. Any thread. */
final class BanKeys {
    static final List<Key<?>> ALL = new ArrayList<>();
    private static final int MANY = 1_000_000;

    static final Key<String> FILE = live(Key.of(
            "auth.ban-file",
            file(),
            "",
            "Addresses, users and client identifiers that may not connect, as 'dunlin ban' writes them; watched."));
    static final Key<Integer> AFTER = live(Key.of(
            "auth.ban.after",
            integer(0, MANY),
            10,
            "Failed logins as one user from one address, before that address may not come as it; 0 bans nobody."));
    static final Key<Integer> ADDRESS_AFTER = live(Key.of(
            "auth.ban.address-after",
            integer(1, MANY),
            50,
            "Failed logins from one address before it is banned, or as one user before new addresses wait."));
    static final Key<Duration> WINDOW = live(Key.of(
            "auth.ban.window",
            duration(Duration.ofSeconds(1), Duration.ofDays(1)),
            Duration.ofMinutes(10),
            "Time in which failed logins are counted together."));
    static final Key<Duration> TIME = live(Key.of(
            "auth.ban.time",
            duration(Duration.ofSeconds(1), Duration.ofDays(30)),
            Duration.ofMinutes(1),
            "How long a first ban for failed logins lasts; each that follows takes twice as long."));
    static final Key<Duration> MAX_TIME = live(Key.of(
            "auth.ban.max-time",
            duration(Duration.ofSeconds(1), Duration.ofDays(30)),
            Duration.ofHours(1),
            "Longest ban for failed logins."));
    static final Key<List<AddressBlock>> EXEMPT = live(Key.of(
            "auth.ban.exempt",
            addressBlocks(),
            ValueType.blocks("127.0.0.0/8", "::1"),
            "Addresses whose failed logins are not counted; auth.ban-file counts for them, too."));

    private BanKeys() {}

    private static <T> Key<T> live(Key<T> key) {
        return add(key.whileRunning());
    }

    private static <T> Key<T> add(Key<T> key) {
        ALL.add(key);
        return key;
    }
}
