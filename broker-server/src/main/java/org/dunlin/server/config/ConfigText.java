package org.dunlin.server.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The configuration as YAML for people: the reference file and the effective values. Any thread. */
public final class ConfigText {
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9/][A-Za-z0-9._/-]*");
    private static final String INDENT = "  ";

    private final KeyTable table;
    private final @Nullable Settings settings;
    private final StringBuilder out = new StringBuilder();
    private final List<String> open = new ArrayList<>();

    private ConfigText(KeyTable table, @Nullable Settings settings) {
        this.table = table;
        this.settings = settings;
    }

    /** Every key with its explanation, range and default, each commented out: the file {@code conf/dunlin.yaml}. */
    public static String reference() {
        ConfigText text = new ConfigText(Keys.TABLE, null);
        text.out.append("""
                # Configuration of Dunlin: every key, its default and what it is for.
                # A key that is commented out has the default shown. To change one, remove its '#' and keep the indentation.
                # Check the file with 'dunlin config check FILE'; see what is in force with 'dunlin config show -c FILE'.
                #
                # Each key is also an environment variable: limits.max-qos is DUNLIN_LIMITS_MAX_QOS, the port of the first
                # listener is DUNLIN_LISTENERS_0_PORT; with _FILE behind it the variable names a file with the value.
                # Flags (--set limits.max-qos=1) win over the environment, and the environment wins over this file.
                # 'dunlin reload', SIGHUP and a change of the file itself make the broker read it again: all of it, or if it has a fault
                # nothing. What that changes counts at once; what is marked with Restart counts with the next one.
                # Sizes are written like 64KB or 10MB (1024 bytes to the KB), times like 500ms, 10s, 5m, 1h or 7d.
                """);
        text.write();
        return text.out.toString();
    }

    /**
     * Every key with its value and where that came from; secrets are not in it. Can be read as a configuration again.
     */
    public static String effective(Settings settings) {
        ConfigText text = new ConfigText(settings.table(), settings);
        text.out.append("# The effective configuration; behind each value where it came from.\n");
        text.write();
        return text.out.toString();
    }

    private void write() {
        String listDone = "";
        for (Key<?> key : table.keys()) {
            String list = key.list();
            if (list == null) {
                openSections(sections(key.name()));
                explain(key, open.size());
                line(key, 0, INDENT.repeat(open.size()), "");
            } else if (!list.equals(listDone)) {
                writeList(list);
                listDone = list;
            }
        }
    }

    private static List<String> sections(String name) {
        List<String> parts = List.of(name.split("\\."));
        return parts.subList(0, parts.size() - 1);
    }

    private void openSections(List<String> wanted) {
        int same = 0;
        while (same < Math.min(open.size(), wanted.size()) && open.get(same).equals(wanted.get(same))) {
            same++;
        }
        open.subList(same, open.size()).clear();
        for (String section : wanted.subList(same, wanted.size())) {
            if (open.isEmpty()) {
                out.append('\n');
            }
            out.append(INDENT.repeat(open.size())).append(section).append(":\n");
            open.add(section);
        }
    }

    private void writeList(String list) {
        openSections(sections(list));
        Settings values = settings;
        if (values != null && values.count(list) == 0) {
            return;
        }
        if (open.isEmpty()) {
            out.append('\n');
        }
        int depth = open.size();
        String name = list.substring(list.lastIndexOf('.') + 1);
        out.append(INDENT.repeat(depth)).append(name).append(":\n");
        int items = values == null ? 1 : values.count(list);
        for (int i = 0; i < items; i++) {
            String lead = "- ";
            for (Key<?> key : table.keysOf(list)) {
                explain(key, depth + (lead.equals("- ") ? 1 : 2));
                String indent = INDENT.repeat(depth + (lead.equals("- ") ? 1 : 2));
                if (line(key, i, indent, lead)) {
                    lead = "";
                }
            }
        }
    }

    private void explain(Key<?> key, int depth) {
        if (settings == null) {
            String indent = INDENT.repeat(depth) + "# ";
            out.append(indent).append(key.explanation()).append('\n');
            out.append(indent)
                    .append("Allowed: ")
                    .append(key.type().allowed())
                    .append(key.live() ? ". A reload changes it.\n" : ". Restart.\n");
        }
    }

    /** False if there was nothing to show but a comment. */
    private boolean line(Key<?> key, int index, String indent, String lead) {
        Settings values = settings;
        if (values == null) {
            String text = key.defaultText();
            out.append(indent).append('#').append(lead).append(key.leaf()).append(": ");
            out.append(scalar(text == null ? key.example() : text)).append('\n');
            return true;
        }
        Settings.Setting said = values.said(key.path(index));
        String origin = said == null ? Settings.DEFAULT : said.origin();
        if (key.secret()) {
            String state = said == null ? "not set" : "set, not shown (" + origin + ")";
            out.append(indent)
                    .append('#')
                    .append(key.leaf())
                    .append(": # secret, ")
                    .append(state)
                    .append('\n');
            return false;
        }
        String text = said == null ? String.valueOf(key.defaultText()) : said.text();
        out.append(indent).append(lead).append(key.leaf()).append(": ").append(scalar(text));
        out.append("  # ").append(origin).append('\n');
        return true;
    }

    /** In quotes unless it is a plain word; escaped so that it is one line and means the same to every YAML reader. */
    private static String scalar(String text) {
        if (PLAIN.matcher(text).matches() && !text.equals("null")) {
            return text;
        }
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (Character.isSurrogate(c)) {
                quoted.append(c);
            } else if (Quote.hidden(c)) {
                quoted.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
