package org.dunlin.server.acl;

import java.util.Arrays;
import java.util.List;
import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.dunlin.server.config.Quote;
import org.jspecify.annotations.Nullable;

/** What the rules of some sections allow one client, or all clients of one user. Immutable; any thread. */
final class AclRights implements Rights {
    /** For the text of a refusal, which a client may cause as often as it likes. */
    private static final int PATTERNS_LOOKED_AT = 20;

    /** Null if there are only the rules of a token. */
    private final @Nullable AclFile file;

    private final Section[] sections;
    private final Names names;
    /** What is allowed though no rule says so. */
    private final int granted;

    /** @param denialsOnly whether all is allowed that is not denied */
    AclRights(@Nullable AclFile file, Section[] sections, Names names, boolean denialsOnly) {
        this.file = file;
        this.sections = sections;
        this.names = names;
        this.granted = denialsOnly ? Permits.ALL : 0;
    }

    /** What all sections say together of a topic, or of all that matches a filter. */
    private int found(String[] asked) {
        int found = granted;
        for (Section section : sections) {
            found |= section.tree().permits(asked, names);
        }
        return found;
    }

    @Override
    public @Nullable String refusesPublish(TopicName topic, Qos qos, boolean retain) {
        int permit = Permits.publish(qos, retain);
        return (Permits.effective(found(topic.levels())) & permit) != 0
                ? null
                : refusal(Action.PUBLISH, permit, topic.text(), topic.levels());
    }

    @Override
    public @Nullable String refusesSubscribe(TopicFilter filter, Qos qos) {
        int permit = Permits.subscribe(qos);
        return (Permits.effective(found(filter.levels())) & permit) != 0
                ? null
                : refusal(Action.SUBSCRIBE, permit, filter.pattern(), filter.levels());
    }

    @Override
    public boolean mayReceive(TopicName topic) {
        return (Permits.effective(found(topic.levels())) & Permits.RECEIVE) != 0;
    }

    @Override
    public boolean receivesAllOf(TopicFilter filter) {
        return (Permits.effective(found(filter.levels())) & Permits.RECEIVE) != 0
                && !mayDeny(Permits.RECEIVE, filter.levels());
    }

    private boolean mayDeny(int permits, String[] filter) {
        for (Section section : sections) {
            if (section.tree().mayDeny(permits, filter, names)) {
                return true;
            }
        }
        return false;
    }

    /** Only if nothing is asked at all: no filter of a rule matches all topics, those with $ have to be named. */
    @Override
    public boolean receivesAll() {
        if (granted == 0) {
            return false;
        }
        for (Section section : sections) {
            if (section.tree().denies(Permits.RECEIVE)) {
                return false;
            }
        }
        return true;
    }

    @Nullable
    Rule first(boolean deny, int permits, String[] asked) {
        Rule best = null;
        for (Section section : sections) {
            Rule rule = section.tree().first(deny, permits, asked, names);
            if (rule != null && (best == null || rule.line() < best.line())) {
                best = rule;
            }
        }
        return best;
    }

    private String refusal(Action action, int permit, String text, String[] asked) {
        AclFile read = file;
        String what = verb(action) + (isFilter(asked) ? " all of " : " ") + Quote.of(text);
        if (read == null) {
            return "the token does not allow to " + what;
        }
        Rule denial = first(true, permit, asked);
        if (denial != null) {
            return read.shortName() + ":" + denial.line() + " denies to " + what;
        }
        Rule other = first(false, Permits.of(action), asked);
        if (other != null) {
            String where = other.line() == 0 ? "the token" : read.shortName() + ":" + other.line();
            String retain = action == Action.PUBLISH ? " or without RETAIN" : "";
            return where + " allows to " + what + " with a lower QoS" + retain + " only";
        }
        String userName = names.userName();
        String section = userName == null ? "above the first 'user' line" : "below " + Quote.of("user " + userName);
        String word = action == Action.PUBLISH ? "topic write " : "topic read ";
        return "no rule of " + read.shortName() + " allows " + who() + " to " + what + "; add " + Quote.of(word + text)
                + " " + section + unused(read);
    }

    private static String verb(Action action) {
        return switch (action) {
            case PUBLISH -> "publish to";
            case SUBSCRIBE -> "subscribe to";
            case RECEIVE -> "receive";
        };
    }

    private static boolean isFilter(String[] asked) {
        for (String level : asked) {
            if (Filters.isWildcard(level)) {
                return true;
            }
        }
        return false;
    }

    private String who() {
        String userName = names.userName();
        return userName == null ? "a client without a user name" : "user " + Quote.of(userName);
    }

    /** Why patterns could not help. */
    private String unused(AclFile read) {
        List<Rule> patterns = read.patterns().rules();
        for (Rule rule : patterns.subList(0, Math.min(patterns.size(), PATTERNS_LOOKED_AT))) {
            String reason = rule.deny() ? null : unused(rule, names);
            if (reason != null) {
                return "; the pattern of line " + rule.line() + " is not used, since " + reason;
            }
        }
        return "";
    }

    /** Why a pattern is not filled in, or null if it is. */
    static @Nullable String unused(Rule pattern, Names names) {
        String[] levels = Filters.levels(pattern.filter());
        for (int i = 0; i < levels.length; i++) {
            Template template = Template.of(levels[i], i == 0);
            Template.Use use = template == null ? Template.Use.FILLED : template.use(names);
            if (template != null && use == Template.Use.UNFIT) {
                return template.unfit(names);
            } else if (use == Template.Use.ABSENT) {
                return "it has no user name";
            }
        }
        return !pattern.deny() && names.areWild() ? "its client identifier or user name has + or #" : null;
    }

    /** Whether it is of the same client and the same rules, those of the same reading of the file. */
    @Override
    public boolean equals(@Nullable Object other) {
        return this == other
                || other instanceof AclRights that
                        && file == that.file
                        && granted == that.granted
                        && Arrays.equals(sections, that.sections)
                        && names.equals(that.names);
    }

    @Override
    public int hashCode() {
        return 31 * names.hashCode() + Arrays.hashCode(sections);
    }

    Section[] sections() {
        return sections;
    }

    Names names() {
        return names;
    }
}
