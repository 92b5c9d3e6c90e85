package org.dunlin.server.config;

import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.dunlin.core.limits.Fairness;
import org.dunlin.core.limits.Limits;
import org.dunlin.server.share.Addresses;
import org.jspecify.annotations.Nullable;

/** The value of every key, and where each came from. Not safe while the loader fills it; then any thread. */
public final class Settings {
    static final String DEFAULT = "default";

    private final KeyTable table;
    private final Map<String, Setting> byPath = new LinkedHashMap<>();
    private final Map<String, Integer> counts = new LinkedHashMap<>();

    Settings(KeyTable table) {
        this.table = table;
    }

    /**
     * @param text as written, normalised to the form the type prints
     * @param origin like "conf/dunlin.yaml:12", "DUNLIN_LIMITS_MAX_QOS", "--set" or "default"
     */
    record Setting(Key<?> key, Object value, String text, String origin) {}

    static Settings defaults(KeyTable table) {
        Settings settings = new Settings(table);
        settings.complete("listeners", 1);
        return settings;
    }

    KeyTable table() {
        return table;
    }

    <T> void put(Key<T> key, int index, T value, String origin) {
        byPath.put(key.path(index), new Setting(key, value, key.type().format(value), origin));
        String list = key.list();
        if (list != null) {
            counts.merge(list, index + 1, Math::max);
        }
    }

    /** Sees to it that a list has so many items. */
    void complete(String list, int atLeast) {
        counts.merge(list, atLeast, Math::max);
    }

    int count(String list) {
        return counts.getOrDefault(list, 0);
    }

    /** What was said about the path, or null if nobody said anything. */
    @Nullable
    Setting said(String path) {
        return byPath.get(path);
    }

    /** Where the value of a path came from: "default" if nobody set it. */
    public String origin(String path) {
        Setting setting = byPath.get(path);
        return setting == null ? DEFAULT : setting.origin();
    }

    <T> T get(Key<T> key) {
        return get(key, 0);
    }

    /** Every value was stored under a key of its own type. */
    @SuppressWarnings("unchecked")
    <T> T get(Key<T> key, int index) {
        Setting setting = byPath.get(key.path(index));
        if (setting != null) {
            return (T) setting.value();
        }
        T value = key.defaultValue();
        if (value == null) {
            throw new IllegalStateException(key.path(index) + " has no value");
        }
        return value;
    }

    /**
     * One value.
     *
     * @param path of its key, like "listeners[0].port"
     * @param value as it is written; "***" for a secret
     * @param defaultValue null for a key that each item of a list has to have
     * @param origin like "conf/dunlin.yaml:12", or "default"
     * @param live whether a reload changes it
     */
    public record Item(
            String path, String value, @Nullable String defaultValue, String origin, boolean live, boolean secret) {}

    /** Every value, in the order in which people read them. */
    public List<Item> items() {
        List<Item> items = new ArrayList<>();
        for (Key<?> key : table.keys()) {
            String list = key.list();
            for (int i = 0; i < (list == null ? 1 : count(list)); i++) {
                Setting said = byPath.get(key.path(i));
                String text = said == null ? String.valueOf(key.defaultText()) : said.text();
                items.add(new Item(
                        key.path(i),
                        key.secret() && !text.isEmpty() ? "***" : text,
                        key.secret() ? "" : key.defaultText(),
                        said == null ? DEFAULT : said.origin(),
                        key.live(),
                        key.secret()));
            }
        }
        return items;
    }

    /**
     * What another configuration says otherwise.
     *
     * @param from null if there was no such item of a list
     * @param to null if there is none any more
     */
    public record Change(
            String path, @Nullable String from, @Nullable String to, boolean live) {}

    /** What changes with the next; secrets are said to change, not how. */
    public List<Change> changes(Settings next) {
        Map<String, Item> before = new LinkedHashMap<>();
        items().forEach(item -> before.put(item.path(), item));
        List<Change> changes = new ArrayList<>();
        for (Item now : next.items()) {
            Item former = before.remove(now.path());
            boolean same = former != null
                    && (now.secret()
                            ? sameSecret(next, now.path())
                            : former.value().equals(now.value()));
            if (!same) {
                String was = former == null ? null : former.value();
                changes.add(new Change(now.path(), was, now.value(), takes(now.path(), next)));
            }
        }
        before.values()
                .forEach(gone -> changes.add(new Change(gone.path(), gone.value(), null, takes(gone.path(), next))));
        return changes;
    }

    private boolean sameSecret(Settings next, String path) {
        Setting mine = byPath.get(path);
        Setting theirs = next.byPath.get(path);
        return (mine == null ? "" : mine.text()).equals(theirs == null ? "" : theirs.text());
    }

    private boolean takes(String path, Settings next) {
        return table.find(path) instanceof KeyTable.Known known && takes(known.key(), known.index(), next);
    }

    /**
     * Whether a reload takes the value of a key from the next. In a list of which other keys need a restart it has to be the same item,
     * by the name that it begins with. What keeps somebody out is not given up because it is not there any more: a file may have
     * been cut off, so that has to be said.
     */
    private boolean takes(Key<?> key, int index, Settings next) {
        if (!key.live() || AuthKeys.isLost(key, this, next)) {
            return false;
        }
        String list = key.list();
        if (list == null || table.isLive(list)) {
            return true;
        }
        Key<?> name = table.keysOf(list).get(0);
        return index < count(list)
                && index < next.count(list)
                && get(name, index).equals(next.get(name, index));
    }

    /** These, with what a reload changes as the next have it. */
    public Settings reloaded(Settings next) {
        Settings merged = new Settings(table);
        for (Key<?> key : table.keys()) {
            String list = key.list();
            int items = list == null ? 1 : Math.max(count(list), next.count(list));
            for (int i = 0; i < items; i++) {
                String path = key.path(i);
                Setting setting = (takes(key, i, next) ? next : this).byPath.get(path);
                if (setting != null) {
                    merged.byPath.put(path, setting);
                }
            }
        }
        for (String list : table.lists()) {
            merged.counts.put(list, (table.isLive(list) ? next : this).count(list));
        }
        return merged;
    }

    /** What does not fit together, though each value may be right. */
    public List<Fault> faults() {
        List<Fault> faults = new ArrayList<>();
        new CrossCheck(this, Set.of(), faults, new ArrayList<>()).run();
        return faults;
    }

    /** Only once every required key has a value. */
    public Config config() {
        return new Config(
                listeners(),
                AuthKeys.auth(this),
                bans(),
                limits(),
                addresses(),
                new Config.Queue(
                        get(Keys.QUEUE_MAX_MESSAGES),
                        get(Keys.QUEUE_MAX_BYTES),
                        get(Keys.QUEUE_OVERFLOW),
                        get(Keys.QUEUE_HOLD_TIMEOUT),
                        get(Keys.QUEUE_QOS0_OFFLINE),
                        rules()),
                new Config.Memory(get(Keys.MEMORY_BUDGET)),
                new Config.Storage(
                        get(Keys.STORAGE_ENGINE),
                        get(Keys.STORAGE_PATH),
                        get(Keys.STORAGE_DURABILITY),
                        get(Keys.STORAGE_SYNC_INTERVAL),
                        get(Keys.STORAGE_CACHE_SIZE),
                        get(Keys.STORAGE_MIN_FREE),
                        get(Keys.STORAGE_MAX_SIZE)),
                new Config.Server(
                        get(Keys.LOOPS),
                        get(Keys.TRANSPORT),
                        get(Keys.TLS_PROVIDER),
                        get(Keys.DRAIN_TIMEOUT),
                        get(Keys.RESPONSE_INFORMATION)),
                AdminKeys.admin(this),
                new Config.SysTopics(get(Keys.SYS_TOPICS_INTERVAL)),
                new Config.Log(get(Keys.LOG_LEVEL), get(Keys.LOG_FORMAT), get(Keys.LOG_AUDIT_FILE)));
    }

    private List<Config.Listener> listeners() {
        List<Config.Listener> listeners = new ArrayList<>();
        for (int i = 0; i < count("listeners"); i++) {
            List<Config.ListenerType> accept = accept(i);
            listeners.add(new Config.Listener(
                    get(ListenerKeys.NAME, i),
                    get(ListenerKeys.TYPE, i),
                    get(ListenerKeys.BIND, i),
                    get(ListenerKeys.PORT, i),
                    get(ListenerKeys.ALLOW_ANONYMOUS, i),
                    get(ListenerKeys.MAX_CONNECTIONS, i),
                    accept,
                    accept.stream().anyMatch(Config.ListenerType::isTls) ? tls(i) : null,
                    accept.stream().anyMatch(Config.ListenerType::isWebSocket)
                            ? new Config.WebSocket(get(ListenerKeys.PATH, i), get(ListenerKeys.ALLOWED_ORIGINS, i))
                            : null,
                    get(ListenerKeys.PROXY_PROTOCOL, i) == Config.ProxyProtocol.OFF
                            ? null
                            : new Config.Proxy(
                                    get(ListenerKeys.PROXY_PROTOCOL, i), get(ListenerKeys.PROXY_TRUSTED, i))));
        }
        return listeners;
    }

    /**
     * What clients of a listener may speak. Without a word an auto listener takes what is encrypted if it can, and what is
     * in the clear from this machine only.
     */
    List<Config.ListenerType> accept(int i) {
        Config.ListenerType type = get(ListenerKeys.TYPE, i);
        if (type != Config.ListenerType.AUTO) {
            return List.of(type);
        }
        Set<Config.ListenerType> accept = EnumSet.noneOf(Config.ListenerType.class);
        for (String word : get(ListenerKeys.ACCEPT, i)) {
            accept.add(Config.ListenerType.valueOf(word.toUpperCase(Locale.ROOT)));
        }
        if (accept.isEmpty()) {
            if (!get(ListenerKeys.CERT, i).isEmpty()
                    || !get(ListenerKeys.KEYSTORE, i).isEmpty()) {
                accept.addAll(List.of(Config.ListenerType.TLS, Config.ListenerType.WSS));
            }
            if (Config.isLoopback(get(ListenerKeys.BIND, i))) {
                accept.addAll(List.of(Config.ListenerType.TCP, Config.ListenerType.WS));
            }
        }
        return List.copyOf(new ArrayList<>(accept));
    }

    private Config.Tls tls(int i) {
        return new Config.Tls(
                get(ListenerKeys.CERT, i),
                get(ListenerKeys.KEY, i),
                get(ListenerKeys.KEYSTORE, i),
                get(ListenerKeys.KEY_PASSWORD, i),
                get(ListenerKeys.CA, i),
                get(ListenerKeys.TRUSTSTORE, i),
                get(ListenerKeys.TRUSTSTORE_PASSWORD, i),
                get(ListenerKeys.CLIENT_AUTH, i),
                get(ListenerKeys.PROTOCOLS, i),
                get(ListenerKeys.CIPHERS, i),
                get(ListenerKeys.CRL, i),
                get(ListenerKeys.SNI, i));
    }

    /** Gives listeners that are not plain TCP the name and the port that are usual for their type, if none are set. */
    void nameListeners() {
        for (int i = 0; i < count("listeners"); i++) {
            Config.ListenerType type = get(ListenerKeys.TYPE, i);
            if (type != Config.ListenerType.TCP) {
                if (said(ListenerKeys.NAME.path(i)) == null) {
                    put(ListenerKeys.NAME, i, type.word(), DEFAULT);
                }
                if (said(ListenerKeys.PORT.path(i)) == null) {
                    put(ListenerKeys.PORT, i, type.usualPort(), DEFAULT);
                }
            }
        }
    }

    private List<Config.Rule> rules() {
        List<Config.Rule> rules = new ArrayList<>();
        for (int i = 0; i < count("queue.rules"); i++) {
            rules.add(new Config.Rule(get(Keys.RULE_FILTER, i), get(Keys.RULE_OVERFLOW, i)));
        }
        return rules;
    }

    private Limits limits() {
        return new Limits(
                Math.toIntExact(get(Keys.MAX_PACKET_SIZE)),
                get(Keys.RECEIVE_MAXIMUM),
                get(Keys.TOPIC_ALIAS_MAXIMUM),
                seconds(Keys.MAX_KEEP_ALIVE),
                get(Keys.MAX_QOS),
                get(Keys.RETAIN_AVAILABLE),
                get(Keys.WILDCARD_SUBSCRIPTIONS),
                get(Keys.SHARED_SUBSCRIPTIONS),
                get(Keys.SESSION_EXPIRY_MAX).toSeconds(),
                get(Keys.MAX_CONNECTIONS),
                get(Keys.MAX_SESSIONS),
                get(Keys.MAX_TOPIC_LEVELS),
                get(Keys.MAX_CLIENT_ID_LENGTH),
                get(Keys.CONNECT_TIMEOUT).toMillis(),
                get(Keys.CONNECT_RATE),
                get(Keys.PUBLISH_RATE),
                get(Keys.MAX_INFLIGHT),
                get(Keys.MAX_SUBSCRIPTIONS),
                get(Keys.MAX_RETAINED),
                get(Keys.MAX_RETAINED_BYTES),
                get(Keys.MAX_DELAYED),
                get(Keys.MAX_DELAY).toSeconds(),
                get(Keys.MAX_USER_PROPERTIES),
                Math.toIntExact(get(Keys.OUTBOUND_BUFFER)),
                new Fairness(
                        get(ShareKeys.PUBLISH_BYTE_RATE),
                        Math.toIntExact(get(ShareKeys.MAX_WILL_SIZE)),
                        get(ShareKeys.TAKEOVER_POLICY) == Config.Takeovers.BACK_OFF,
                        get(ShareKeys.MAX_SESSIONS_PER_USER)));
    }

    private Config.Bans bans() {
        return new Config.Bans(
                get(BanKeys.FILE),
                get(BanKeys.AFTER),
                get(BanKeys.ADDRESS_AFTER),
                get(BanKeys.WINDOW),
                get(BanKeys.TIME),
                get(BanKeys.MAX_TIME),
                get(BanKeys.EXEMPT));
    }

    private Addresses.Bounds addresses() {
        int each = get(ShareKeys.MAX_CONNECTIONS_PER_ADDRESS);
        return new Addresses.Bounds(
                each > 0 ? each : Math.max(1, get(Keys.MAX_CONNECTIONS) / 2),
                get(ShareKeys.ACCEPT_RATE),
                get(ShareKeys.ACCEPT_RATE_PER_ADDRESS),
                get(ShareKeys.EXEMPT_ADDRESSES));
    }

    private int seconds(Key<Duration> key) {
        return Math.toIntExact(get(key).toSeconds());
    }
}
