package org.dunlin.server.config;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** All keys, in the order people read them, and the way from a written path to a key. Any thread. */
final class KeyTable {
    private static final Pattern ITEM = Pattern.compile("\\[([0-9]{1,4})\\]|\\.([0-9]{1,4})(?=\\.|$)");
    private static final int PATH_MAX = 256;

    private final List<Key<?>> keys;
    private final Set<String> lists = new LinkedHashSet<>();
    private final Set<String> sections = new LinkedHashSet<>();

    KeyTable(List<Key<?>> keys) {
        this.keys = List.copyOf(keys);
        for (Key<?> key : keys) {
            String list = key.list();
            if (list != null) {
                lists.add(list);
            }
            String section = list != null ? list : key.name();
            for (int dot = section.indexOf('.'); dot >= 0; dot = section.indexOf('.', dot + 1)) {
                sections.add(section.substring(0, dot));
            }
        }
    }

    /** What a path stands for. */
    sealed interface Found permits Known, Unknown {}

    /** @param path in its one spelling, like "listeners[0].port" */
    record Known(Key<?> key, int index, String path) implements Found {}

    record Unknown(String what, String cure) implements Found {}

    List<Key<?>> keys() {
        return keys;
    }

    Set<String> lists() {
        return lists;
    }

    List<Key<?>> keysOf(String list) {
        return keys.stream().filter(key -> list.equals(key.list())).toList();
    }

    /** Whether a reload changes every item of the list as a whole. */
    boolean isLive(String list) {
        return keysOf(list).stream().allMatch(Key::live);
    }

    boolean isSection(String path) {
        return sections.contains(path);
    }

    boolean isList(String path) {
        return lists.contains(path);
    }

    /** The key that a path like "listeners[0].port" or "listeners.0.port" names, or why there is none. */
    Found find(String path) {
        if (path.length() > PATH_MAX) {
            return new Unknown("is no key", "keys are short words in lower case, like limits.max-qos");
        }
        Matcher item = ITEM.matcher(path);
        String name = path;
        int index = 0;
        if (item.find()) {
            index = Integer.parseInt(item.group(1) != null ? item.group(1) : item.group(2));
            name = path.substring(0, item.start()) + "[]" + path.substring(item.end());
        }
        for (Key<?> key : keys) {
            if (key.name().equals(name)) {
                return new Known(key, index, key.path(index));
            }
        }
        return unknown(name);
    }

    private Unknown unknown(String name) {
        if (isList(name)) {
            return new Unknown(
                    "is a list, not a value",
                    "name an item, like " + keysOf(name).get(0).path(0));
        }
        if (isSection(name)) {
            return new Unknown("is a section, not a value", "write its keys below it, like " + firstIn(name));
        }
        for (String list : lists) {
            if (name.equals(list + "[]") || name.startsWith(list + "[][")) {
                return new Unknown(
                        "is an item with keys of its own, not a value",
                        "write '- KEY: VALUE', like '- " + keysOf(list).get(0).leaf() + ": VALUE'");
            }
        }
        for (Key<?> key : keys) {
            if (name.startsWith(key.name() + ".") || name.startsWith(key.name() + "[]")) {
                return new Unknown("is no key: " + key.name() + " takes one value", "write " + key.name() + ": VALUE");
            }
        }
        for (String list : lists) {
            if (name.startsWith(list + ".")) {
                return new Unknown(list + " is a list", "begin each item with '- ', or write " + list + "[0].KEY");
            }
        }
        return new Unknown("is no key", cure(nearest(name)));
    }

    private static String cure(@Nullable String nearest) {
        return nearest != null ? "did you mean " + nearest + "?" : "remove it; 'dunlin config show' lists every key";
    }

    private String firstIn(String section) {
        return keys.stream()
                .map(Key::name)
                .filter(name -> name.startsWith(section + "."))
                .findFirst()
                .orElseThrow();
    }

    /** The key a person most likely meant, or null if none is near. */
    @Nullable
    String nearest(String name) {
        String wanted = kebab(name);
        String wantedLeaf = wanted.substring(wanted.lastIndexOf('.') + 1);
        String best = null;
        int bestDistance = Integer.MAX_VALUE;
        int bestWhole = Integer.MAX_VALUE;
        for (Key<?> key : keys) {
            int whole = Nearest.distance(wanted, key.name());
            int leaf = Nearest.distance(wantedLeaf, key.leaf()) + 1;
            int distance = Math.min(whole, leaf);
            int bound = 1 + Math.min(wanted.length(), key.leaf().length()) / 4;
            boolean nearer = distance < bestDistance || distance == bestDistance && whole < bestWhole;
            if (distance <= bound && nearer) {
                bestDistance = distance;
                bestWhole = whole;
                best = key.name();
            }
        }
        return best;
    }

    /** maxQos, max_qos and MAX-QOS are how other products spell max-qos. */
    private static String kebab(String name) {
        return name.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "-").replace('_', '-').toLowerCase(Locale.ROOT);
    }

    /** The path set by an environment variable, or null if it is none of ours. */
    @Nullable
    String pathOfEnvironment(String variable) {
        for (Key<?> key : keys) {
            String path = key.pathOfEnvironment(variable);
            if (path != null) {
                return path;
            }
        }
        return null;
    }

    /** The variable a person most likely meant, or null. */
    @Nullable
    String nearestEnvironment(String variable) {
        List<String> names = new ArrayList<>();
        for (Key<?> key : keys) {
            names.add(key.environmentName(0));
        }
        return Nearest.of(variable, names);
    }
}
