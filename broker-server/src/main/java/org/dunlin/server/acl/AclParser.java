package org.dunlin.server.acl;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.Fault;
import org.dunlin.server.config.Nearest;
import org.dunlin.server.config.Quote;
import org.jspecify.annotations.Nullable;

/**
 * Reads an ACL file line by line as mosquitto reads it, and what it may have beyond that: groups, rules for all, further actions
 * and limits. One thread; for one file.
 */
final class AclParser {
    private static final int FAULTS_MAX = 1000;
    private static final int WARNINGS_MAX = 20;
    private static final int RULES_MAX = 1_000_000;
    /** Each question of each client may have to look at all of them. */
    private static final int PATTERNS_MAX = 10_000;
    /** As mosquitto. */
    private static final int LEVELS_MAX = 200;

    private static final byte[] BOM = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};
    private static final List<String> WORDS = List.of("topic", "pattern", "user", "group", "member", "members", "all");

    private final String path;
    private final List<Fault> faults = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();
    private int warned;
    private int rules;
    private boolean manyPatterns;
    private int number;

    private final List<Rule> anonymous = new ArrayList<>();
    private final List<Rule> all = new ArrayList<>();
    private final List<Rule> patterns = new ArrayList<>();
    private final Map<String, List<Rule>> users = new LinkedHashMap<>();
    private final Map<String, List<Rule>> groups = new LinkedHashMap<>();
    /** The groups of each user. */
    private final Map<String, Set<String>> members = new LinkedHashMap<>();

    private List<Rule> current = anonymous;
    /** Whose lines are being read, if it is a group. */
    private @Nullable String group;

    /** What was read. Each rule has the number of its line. */
    record Read(
            List<Rule> anonymous,
            List<Rule> all,
            List<Rule> patterns,
            Map<String, Section> users,
            Map<String, Section> groups,
            Map<String, Set<String>> members,
            List<String> warnings) {}

    AclParser(String path) {
        this.path = path;
    }

    /** @throws ConfigException with every fault, up to a thousand */
    Read read(byte[] content) throws ConfigException {
        int from = Arrays.equals(content, 0, Math.min(BOM.length, content.length), BOM, 0, BOM.length) ? BOM.length : 0;
        while (from < content.length && faults.size() < FAULTS_MAX) {
            int to = from;
            while (to < content.length && content[to] != '\n') {
                to++;
            }
            number++;
            readLine(content, from, to);
            from = to + 1;
        }
        if (faults.size() >= FAULTS_MAX) {
            fault("there are " + FAULTS_MAX + " faults up to here", "correct these first; what follows was not read");
        }
        if (!faults.isEmpty()) {
            throw new ConfigException(faults);
        }
        if (warned > WARNINGS_MAX) {
            warnings.add(Quote.path(path) + ": " + (warned - WARNINGS_MAX) + " more warnings");
        }
        return new Read(
                anonymous, all, patterns, sections("user", users), sections("group", groups), members, warnings);
    }

    private static Map<String, Section> sections(String kind, Map<String, List<Rule>> rules) {
        Map<String, Section> sections = new HashMap<>();
        rules.forEach((name, theirs) -> sections.put(name, new Section(kind + " " + name, theirs)));
        return sections;
    }

    private void readLine(byte[] content, int from, int end) {
        int to = end;
        while (to > from && isSpace(content[to - 1])) {
            to--;
        }
        if (to == from || content[from] == '#') {
            return;
        }
        String line = decode(content, from, to);
        if (line == null) {
            fault("the line is not UTF-8", "save the file as UTF-8");
        } else if (line.indexOf(0) >= 0) {
            fault("the line has the character U+0000", "remove it");
        } else if (line.indexOf('\t') >= 0) { // which mosquitto takes for a part of the word: a denial would be lost
            fault("the line has a tab where a blank has to be", "separate words with blanks");
        } else {
            int start = skipBlanks(line, 0);
            int blank = line.indexOf(' ', start);
            String word = blank < 0 ? line.substring(start) : line.substring(start, blank);
            readLine(
                    word, blank < 0 ? "" : trim(line.substring(blank + 1)), blank < 0 ? "" : line.substring(blank + 1));
        }
    }

    /** @param rest without the blanks around it */
    private void readLine(String word, String rest, String untrimmed) {
        switch (word) {
            case "topic" -> addRule(Rule.Kind.TOPIC, word, untrimmed);
            case "pattern" -> addRule(Rule.Kind.PATTERN, word, untrimmed);
            case "user" -> {
                if (named(word, rest)) {
                    current = users.computeIfAbsent(rest, none -> new ArrayList<>());
                    group = null;
                }
            }
            case "group" -> {
                if (named(word, rest)) {
                    current = groups.computeIfAbsent(rest, none -> new ArrayList<>());
                    group = rest;
                }
            }
            case "member" -> addMembers(word, rest, List.of(rest));
            case "members" -> addMembers(word, rest, List.of(rest.split(" +")));
            case "all" -> {
                if (rest.isEmpty()) {
                    current = all;
                    group = null;
                } else {
                    fault("'all' stands alone in its line", "write " + Quote.of(rest) + " into the next line");
                }
            }
            default -> unknown(word);
        }
    }

    private void unknown(String word) {
        String nearest = Nearest.of(word, WORDS);
        fault(
                Quote.begin(word) + " is no word for the begin of a line",
                nearest != null ? "did you mean " + nearest + "?" : "known are " + String.join(", ", WORDS));
    }

    private boolean named(String word, String name) {
        if (name.isEmpty()) {
            fault("'" + word + "' has no name", "write " + word + " NAME");
        }
        return !name.isEmpty();
    }

    private void addMembers(String word, String rest, List<String> names) {
        String of = group;
        if (of == null) {
            fault("'" + word + "' stands in no group", "write it below a line 'group NAME'");
        } else if (named(word, rest)) {
            names.forEach(name ->
                    members.computeIfAbsent(name, none -> new LinkedHashSet<>()).add(of));
        }
    }

    /** @param text what follows the first word and the one blank behind it */
    private void addRule(Rule.Kind kind, String word, String text) {
        int start = skipBlanks(text, 0);
        int blank = text.indexOf(' ', start);
        String first = blank < 0 ? text.substring(start) : text.substring(start, blank);
        if (first.isEmpty()) {
            fault("'" + word + "' has no topic", "write " + word + " ACTION TOPIC");
            return;
        }
        Actions actions = Actions.READ_WRITE;
        String topic = first;
        if (blank >= 0) {
            topic = trim(text.substring(blank + 1));
            try {
                actions = Actions.parse(first);
            } catch (Actions.Unfit unfit) {
                fault(unfit.what(), unfit.cure());
                return;
            }
            if (Actions.looksLikeLimit(topic)) {
                String limit = topic.substring(0, topic.indexOf(' '));
                fault(
                        "a limit stands with the action, not before the topic",
                        "write " + Quote.of(word + " " + first + "," + limit + " TOPIC"));
                return;
            }
        }
        if (blank < 0 && Actions.isWord(first)) {
            warn("gives everything on the topic " + Quote.of(first) + ", as with mosquitto; an action needs a topic");
        }
        if (actions.deny() && actions.words().equals("deny")) {
            Actions narrower = Actions.denied(topic);
            if (narrower
                    != null) { // mosquitto takes all of it for a topic; both are denied, so that nothing is allowed
                // more
                addRule(kind, narrower, trim(topic.substring(topic.indexOf(' '))));
                number(kind, actions, topic);
                return;
            }
        }
        addRule(kind, actions, topic);
    }

    private void addRule(Rule.Kind kind, Actions actions, String topic) {
        String unfit = unfit(topic);
        if (unfit != null) {
            fault("the topic " + Quote.of(topic) + " " + unfit, "correct it");
            return;
        }
        boolean names = topic.contains("%c") || topic.contains("%u");
        if (topic.startsWith("$share/")) {
            warn("matches nothing: of a shared subscription the filter behind $share/NAME/ counts");
        } else if (topic.startsWith("$delayed/")) {
            warn("matches nothing: of a delayed message the topic behind $delayed/SECONDS/ counts");
        } else if (names && kind == Rule.Kind.TOPIC) {
            warn("has %c or %u as plain text; only 'pattern' fills them in");
        } else if (!names && kind == Rule.Kind.PATTERN) {
            warn("is a pattern without %c and %u, which counts for all clients");
        }
        number(kind, actions, topic);
    }

    private void number(Rule.Kind kind, Actions actions, String topic) {
        if (++rules > RULES_MAX) {
            if (rules == RULES_MAX + 1) {
                fault("there are more than " + RULES_MAX + " rules", "use patterns, groups or wildcards");
            }
            return;
        }
        if (kind == Rule.Kind.PATTERN && patterns.size() == PATTERNS_MAX) {
            if (!manyPatterns) {
                fault("there are more than " + PATTERNS_MAX + " patterns", "use groups or wildcards");
            }
            manyPatterns = true;
            return;
        }
        (kind == Rule.Kind.PATTERN ? patterns : current)
                .add(new Rule(number, kind, actions.words(), actions.deny(), actions.permits(), topic));
    }

    /** Completing "the topic ...", or null. A shared subscription's form is no reason: it matches nothing. */
    private static @Nullable String unfit(String topic) {
        String unfit = TopicFilter.fault(topic.startsWith("$share/") ? "x" + topic : topic);
        if (unfit == null && topic.chars().filter(c -> c == '/').count() >= LEVELS_MAX) {
            return "has more than " + LEVELS_MAX + " levels";
        }
        return unfit;
    }

    private void fault(String what, String cure) {
        faults.add(new Fault(Quote.path(path) + ":" + number, "", what, cure));
    }

    private void warn(String what) {
        if (warned++ < WARNINGS_MAX) {
            warnings.add(Quote.path(path) + ":" + number + " " + what);
        }
    }

    private static @Nullable String decode(byte[] content, int from, int to) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(content, from, to - from))
                    .toString();
        } catch (CharacterCodingException malformed) {
            return null;
        }
    }

    private static int skipBlanks(String text, int from) {
        int i = from;
        while (i < text.length() && text.charAt(i) == ' ') {
            i++;
        }
        return i;
    }

    /** Without what C calls space at its ends. */
    private static String trim(String text) {
        int from = 0;
        int to = text.length();
        while (from < to && isSpace((byte) Math.min(text.charAt(from), 0x7F))) {
            from++;
        }
        while (to > from && isSpace((byte) Math.min(text.charAt(to - 1), 0x7F))) {
            to--;
        }
        return text.substring(from, to);
    }

    private static boolean isSpace(byte b) {
        return b == ' ' || b >= '\t' && b <= '\r';
    }
}
