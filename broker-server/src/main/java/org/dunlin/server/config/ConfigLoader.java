package org.dunlin.server.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.dunlin.server.config.KeyTable.Known;
import org.dunlin.server.config.KeyTable.Unknown;
import org.jspecify.annotations.Nullable;

/**
 * Reads file, environment and flags, the later winning over the earlier, and finds every fault at once. Opens no
 * socket, asks no DNS, writes nothing. One thread.
 */
public final class ConfigLoader {
    private static final int LISTENERS_MAX = 64;
    private static final int RULES_MAX = 1000;
    private static final int VALUE_FILE_BYTES_MAX = 64 * 1024;
    private static final int UNKNOWN_VARIABLES_MAX = 20;
    private static final int FAULTS_MAX = 200;
    private static final String FILE_SUFFIX = "_FILE";
    /** What Kubernetes sets for a service whose name begins with "dunlin". */
    private static final Pattern SERVICE_VARIABLE = Pattern.compile(
            "DUNLIN_(.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT_[0-9]+_(TCP|UDP|SCTP)_(PORT|PROTO|ADDR))");

    private static final Pattern SERVICE_VALUE = Pattern.compile("(?i)(tcp|udp|sctp)://.*", Pattern.DOTALL);

    private final KeyTable table;
    private final Settings settings;
    private final List<Fault> faults = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();
    /** The paths of values that are wrong, with their origins. */
    private final Map<String, String> faulty = new HashMap<>();

    ConfigLoader(KeyTable table) {
        this.table = table;
        this.settings = new Settings(table);
    }

    /**
     * What one option of the command line says.
     *
     * @param option as typed, like "--set" or "-p"
     * @param path of the key, like "limits.max-qos"
     */
    public record Flag(String option, String path, String text) {}

    /**
     * @param settings the same values with their origins
     * @param warnings what the operator should know although the broker can start
     * @param sources what they were read from
     */
    public record Loaded(Config config, Settings settings, List<String> warnings, Sources sources) {}

    /**
     * Where a configuration comes from, to be read again.
     *
     * @param file null for none
     */
    public record Sources(@Nullable Path file, Map<String, String> environment, List<Flag> flags) {
        public Sources {
            environment = Map.copyOf(environment);
            flags = List.copyOf(flags);
        }

        /** As it is now. @throws ConfigException with every fault found */
        public Loaded load() throws ConfigException {
            return ConfigLoader.load(file, environment, flags);
        }
    }

    /**
     * @param file null for none
     * @param environment all variables; those that do not begin with DUNLIN_ are not looked at
     * @throws ConfigException with every fault found
     */
    public static Loaded load(@Nullable Path file, Map<String, String> environment, List<Flag> flags)
            throws ConfigException {
        return new ConfigLoader(Keys.TABLE).run(file, environment, flags);
    }

    Loaded run(@Nullable Path file, Map<String, String> environment, List<Flag> flags) throws ConfigException {
        fill(file, environment, flags);
        if (faults.isEmpty()) {
            Config config = settings.config();
            return new Loaded(config, settings, List.copyOf(warnings), new Sources(file, environment, flags));
        }
        throw new ConfigException(faults);
    }

    /** Also for tables that do not make a {@link Config}. */
    Settings fill(@Nullable Path file, Map<String, String> environment, List<Flag> flags) {
        if (file != null) {
            readFile(file);
        }
        readEnvironment(environment);
        readFlags(flags);
        completeLists();
        if (table == Keys.TABLE) {
            settings.nameListeners();
            new CrossCheck(settings, faulty.keySet(), faults, warnings).run();
        }
        return settings;
    }

    List<Fault> faults() {
        return faults;
    }

    private void readFile(Path path) {
        YamlDocument document = YamlDocument.read(path);
        Set<String> noLists = new HashSet<>();
        for (YamlDocument.Entry entry : joined(document)) {
            if (faults.size() >= FAULTS_MAX) {
                break;
            }
            String where = document.where(entry.line());
            int bracket = entry.path().indexOf('[');
            if (bracket >= 0 && !table.isList(entry.path().substring(0, bracket))) {
                String noList = entry.path().substring(0, bracket);
                if (noLists.add(noList)) {
                    noList(noList, where);
                }
                continue;
            }
            boolean container = table.isSection(entry.path()) || table.isList(entry.path());
            switch (entry.shape()) {
                case VALUE -> set(entry.path(), entry.text(), where);
                case NOTHING -> {
                    if (!container) {
                        nothing(entry.path(), where);
                    }
                }
                case EMPTY_LIST -> emptyList(entry.path(), where);
            }
        }
        faults.addAll(document.faults());
        faults.sort((a, b) -> Integer.compare(lineOf(a), lineOf(b)));
    }

    /** Lists of words as the texts that they are in every other source, at the line of their first word. */
    private List<YamlDocument.Entry> joined(YamlDocument document) {
        Map<String, YamlDocument.Entry> joined = new LinkedHashMap<>();
        for (YamlDocument.Entry entry : document.entries()) {
            int bracket = entry.path().endsWith("]") ? entry.path().lastIndexOf('[') : -1;
            String list = bracket < 0 ? entry.path() : entry.path().substring(0, bracket);
            boolean item = bracket >= 0;
            if (!(item || entry.shape() == YamlDocument.Shape.EMPTY_LIST)
                    || !(table.find(list) instanceof Known known
                            && known.key().type().isList())) {
                joined.put(entry.path(), entry);
            } else if (item && (entry.text().isBlank() || entry.text().indexOf(',') >= 0)) {
                fault(
                        document.where(entry.line()),
                        entry.path(),
                        entry.text().isBlank() ? "is empty" : Quote.of(entry.text()) + " has a comma",
                        "write each word as an item of its own");
                faulty.put(known.path(), document.where(entry.line()));
            } else {
                YamlDocument.Entry before = joined.get(list);
                String text = before == null ? entry.text() : before.text() + "," + entry.text();
                int line = before == null ? entry.line() : before.line();
                joined.put(list, new YamlDocument.Entry(list, text, line, YamlDocument.Shape.VALUE));
            }
        }
        return List.copyOf(joined.values());
    }

    private static int lineOf(Fault fault) {
        String where = fault.where();
        String line = where.substring(where.lastIndexOf(':') + 1);
        return line.matches("[0-9]{1,9}") ? Integer.parseInt(line) : 0;
    }

    private void nothing(String path, String where) {
        if (table.find(path) instanceof Known known) {
            fault(where, known.path(), "has no value", "give it one, or remove the line for the default");
        } else {
            set(path, "", where);
        }
    }

    private void emptyList(String path, String where) {
        if (path.equals("listeners")) {
            fault(where, path, "has no item", "describe at least one listener, or remove it for the default");
        } else if (!table.isList(path)) {
            noList(path, where);
        }
    }

    private void noList(String path, String where) {
        if (table.isSection(path)) {
            fault(where, path, "is a section, not a list", "write its keys as KEY: VALUE below it");
        } else if (table.find(path) instanceof Unknown unknown) {
            fault(where, path, unknown.what(), unknown.cure());
        } else {
            fault(where, path, "takes one value, not a list", "write KEY: VALUE");
        }
    }

    private void readEnvironment(Map<String, String> environment) {
        int unknown = 0;
        for (Map.Entry<String, String> variable : new TreeMap<>(environment).entrySet()) {
            String name = variable.getKey();
            if (!name.startsWith(Key.ENVIRONMENT_PREFIX)) {
                continue;
            }
            String path = table.pathOfEnvironment(name);
            if (path != null) {
                setDecoded(path, variable.getValue(), name);
                continue;
            }
            if (name.endsWith(FILE_SUFFIX)) {
                String plain = name.substring(0, name.length() - FILE_SUFFIX.length());
                path = table.pathOfEnvironment(plain);
                if (path != null) {
                    setFromFile(path, name, variable.getValue(), environment.containsKey(plain) ? plain : null);
                    continue;
                }
            }
            boolean service = SERVICE_VARIABLE.matcher(name).matches()
                    || SERVICE_VALUE.matcher(variable.getValue()).matches();
            if (!service && unknown++ < UNKNOWN_VARIABLES_MAX) {
                String nearest = table.nearestEnvironment(name);
                warnings.add("environment variable " + Quote.bare(name) + " names no key and is ignored"
                        + (nearest == null ? "" : "; did you mean " + nearest + "?"));
            }
        }
    }

    private void setFromFile(String path, String variable, String file, @Nullable String rival) {
        if (rival != null) {
            fault(variable, path, "is set by " + rival + " too", "keep one of the two");
            return;
        }
        try (InputStream in = Files.newInputStream(Path.of(file))) {
            byte[] bytes = in.readNBytes(VALUE_FILE_BYTES_MAX + 1);
            if (bytes.length > VALUE_FILE_BYTES_MAX) {
                fault(variable, path, "names a file larger than 64KB", "put the bare value into the file");
                return;
            }
            String value = new String(bytes, StandardCharsets.UTF_8).replaceFirst("\\r?\\n\\z", "");
            if (value.isEmpty()) { // a secret that was not mounted must not turn off what it is for
                fault(
                        variable,
                        path,
                        "names the file " + Quote.path(file) + ", which is empty",
                        "put the value into it");
                return;
            }
            setDecoded(path, value, variable);
        } catch (IOException | InvalidPathException unreadable) {
            fault(
                    variable,
                    path,
                    "names the file " + Quote.path(file) + ", which cannot be read",
                    "check path and rights");
        }
    }

    private void readFlags(List<Flag> flags) {
        Map<String, String> before = new HashMap<>();
        for (int i = 0; i < settings.count("listeners"); i++) {
            for (Key<?> key : table.keysOf("listeners")) {
                Settings.Setting said = settings.said(key.path(i));
                if (said != null) {
                    before.putIfAbsent("listeners", said.origin());
                }
            }
        }
        for (Flag flag : flags) {
            if (flag.option().equals("--set") && flag.path().startsWith("listeners")) {
                before.putIfAbsent("listeners", "--set " + Quote.bare(flag.path()));
            }
        }
        String configured = before.get("listeners");
        for (Flag flag : flags) {
            boolean shortcut = !flag.option().equals("--set") && flag.path().startsWith("listeners");
            if (shortcut && configured != null) {
                fault(
                        flag.option(),
                        "",
                        "describes the only listener, but listeners are configured (" + configured + ")",
                        "change the listener there, or use --set " + flag.path() + "=" + Quote.bare(flag.text()));
            } else {
                setDecoded(flag.path(), flag.text(), flag.option());
            }
        }
    }

    /** Java makes U+FFFD of what its locale cannot read, and would serve a topic that nobody meant. */
    private void setDecoded(String path, String text, String origin) {
        if (text.isBlank() && table.find(path) instanceof Known known && AuthKeys.PROTECTING.contains(known.key())) {
            faulty.put(path, origin);
            fault(
                    origin,
                    path,
                    "is empty, which would turn off what it protects",
                    "give it a value, or do not set it; only the configuration file can say that there is none");
            return;
        }
        if (text.indexOf('\uFFFD') < 0) {
            set(path, text, origin);
            return;
        }
        faulty.put(path, origin);
        fault(
                origin,
                path,
                "has a character that could not be read",
                "write UTF-8 and set LC_ALL=C.UTF-8, or put the value into the configuration file");
    }

    private void set(String path, String text, String origin) {
        KeyTable.Found found = table.find(path);
        if (found instanceof Unknown unknown) {
            fault(origin, path, unknown.what(), unknown.cure());
        } else if (found instanceof Known known) {
            store(known.key(), known.index(), text, origin);
        }
    }

    private <T> void store(Key<T> key, int index, String text, String origin) {
        try {
            settings.put(key, index, key.type().parse(text), origin);
        } catch (ValueType.Unfit unfit) {
            String shown = key.secret() ? "the value" : Quote.of(text);
            faulty.put(key.path(index), origin);
            fault(
                    origin,
                    key.path(index),
                    shown + " " + unfit.what(),
                    "allowed: " + key.type().allowed());
            String list = key.list();
            if (list != null) {
                settings.complete(list, Math.min(index, RULES_MAX) + 1);
            }
        }
    }

    /** Each list gets the items that nobody described, or a fault for each gap. */
    private void completeLists() {
        for (String list : table.lists()) {
            int max = list.equals("listeners") ? LISTENERS_MAX : RULES_MAX;
            if (list.equals("listeners")) {
                settings.complete(list, 1);
            }
            int count = settings.count(list);
            if (count > max) {
                fault(originOfLast(list, count), list, "has more than " + max + " items", "allowed: up to " + max);
                continue;
            }
            for (int i = 0; i < count; i++) {
                completeItem(list, i, count);
            }
        }
    }

    private void completeItem(String list, int index, int count) {
        String where = "default";
        boolean described = false;
        for (Key<?> key : table.keysOf(list)) {
            Settings.Setting said = settings.said(key.path(index));
            String origin = said != null ? said.origin() : faulty.get(key.path(index));
            if (origin != null && !described) {
                where = origin;
                described = true;
            }
        }
        if (!described && count > 1) {
            String item = list + "[" + index + "]";
            fault(originOfLast(list, count), item, "is not described", "number the items without a gap, from 0");
            table.keysOf(list).forEach(key -> faulty.put(key.path(index), Settings.DEFAULT));
            return;
        }
        for (Key<?> key : table.keysOf(list)) {
            String path = key.path(index);
            if (key.defaultValue() == null && settings.said(path) == null && !faulty.containsKey(path)) {
                fault(where, path, "is missing", "add it, like " + key.leaf() + ": " + key.example());
            }
        }
    }

    private String originOfLast(String list, int count) {
        String origin = "default";
        for (Key<?> key : table.keysOf(list)) {
            Settings.Setting said = settings.said(key.path(count - 1));
            origin = said != null ? said.origin() : origin;
        }
        return origin;
    }

    private void fault(String where, String path, String what, String cure) {
        if (faults.size() < FAULTS_MAX) {
            faults.add(new Fault(where, Quote.bare(path), what, cure));
        }
    }
}
