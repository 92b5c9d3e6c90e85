package org.dunlin.mqtt;

import org.jspecify.annotations.Nullable;

/**
 * A valid topic filter. For a shared subscription "$share/group/a/+" the {@link #shareName()} is "group"
 * and {@link #levels()} are those of "a/+"; equality and {@link #text()} are of the whole [MQTT-3.10.4-1]. Any thread.
 */
public final class TopicFilter {
    public static final String SINGLE = "+";
    public static final String MULTI = "#";
    private static final String SHARE = "$share/";

    private final String text;
    /** Where in the text the pattern begins: there are many filters, and what is made of one is seldom asked for. */
    private final int patternFrom;

    private final boolean wildcard;

    private TopicFilter(String text, int patternFrom) {
        this.text = text;
        this.patternFrom = patternFrom;
        this.wildcard = text.indexOf('+', patternFrom) >= 0 || text.indexOf('#', patternFrom) >= 0;
    }

    /** @throws IllegalArgumentException if {@link #fault(String)} finds one */
    public static TopicFilter of(String text) {
        String fault = fault(text);
        if (fault != null) {
            throw new IllegalArgumentException("Topic filter '" + text + "' " + fault);
        }
        return new TopicFilter(text, text.startsWith(SHARE) ? text.indexOf('/', SHARE.length()) + 1 : 0);
    }

    /**
     * What is wrong with it [MQTT-1.5.4-1] [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.3-1..3] [MQTT-4.8.2-1]
     * [MQTT-4.8.2-2], or null.
     */
    public static @Nullable String fault(String text) {
        if (text.isEmpty()) {
            return "is empty";
        }
        if (text.indexOf(0) >= 0) {
            return "has the character U+0000";
        }
        int from = 0;
        if (text.startsWith(SHARE)) {
            int slash = text.indexOf('/', SHARE.length());
            String name = slash < 0 ? text.substring(SHARE.length()) : text.substring(SHARE.length(), slash);
            if (name.isEmpty()) {
                return "has no share name";
            }
            if (name.indexOf('+') >= 0 || name.indexOf('#') >= 0) {
                return "has a wildcard in its share name";
            }
            if (slash < 0 || slash == text.length() - 1) {
                return "has no filter after the share name";
            }
            from = slash + 1;
        }
        for (int i = from; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '+' && c != '#') {
                continue;
            }
            boolean startsLevel = i == from || text.charAt(i - 1) == '/';
            boolean endsLevel = i == text.length() - 1 || text.charAt(i + 1) == '/';
            if (!startsLevel || !endsLevel) {
                return "has " + c + " beside other characters of a level";
            }
            if (c == '#' && i != text.length() - 1) {
                return "has # before its last level";
            }
        }
        return TopicName.faultAsText(text);
    }

    /** As the client wrote it, "$share/..." included. */
    public String text() {
        return text;
    }

    /** The share name of a shared subscription, or null. Made anew. */
    public @Nullable String shareName() {
        return isShared() ? text.substring(SHARE.length(), patternFrom - 1) : null;
    }

    public boolean isShared() {
        return patternFrom > 0;
    }

    /** What topics are compared with: the text without "$share/name/". That of a shared subscription is made anew. */
    public String pattern() {
        return isShared() ? text.substring(patternFrom) : text;
    }

    /** The levels of {@link #pattern()}, made anew. */
    public String[] levels() {
        return TopicName.split(pattern());
    }

    /** How many {@link #levels()} there are, without splitting it. */
    public int levelCount() {
        int count = 1;
        for (int i = text.indexOf('/', patternFrom); i >= 0; i = text.indexOf('/', i + 1)) {
            count++;
        }
        return count;
    }

    public boolean hasWildcard() {
        return wildcard;
    }

    /** Whether a topic falls under it: the plain definition, which the trees must agree with. Allocates nothing. */
    public boolean matches(TopicName topic) {
        String name = topic.text();
        int level = patternFrom;
        if (topic.startsWithDollar() && isWildcard(level)) {
            return false;
        }
        int from = 0;
        while (true) {
            if (isAt(level, MULTI)) {
                return true;
            }
            int levelEnd = end(text, level);
            int to = end(name, from);
            boolean same = levelEnd - level == to - from && text.regionMatches(level, name, from, to - from);
            if (!same && !isAt(level, SINGLE)) {
                return false;
            }
            boolean lastLevel = levelEnd == text.length();
            if (to == name.length()) {
                return lastLevel || isAt(levelEnd + 1, MULTI); // "a/#" matches its parent "a"
            }
            if (lastLevel) {
                return false;
            }
            level = levelEnd + 1;
            from = to + 1;
        }
    }

    private boolean isWildcard(int at) {
        return isAt(at, SINGLE) || isAt(at, MULTI);
    }

    /** Whether a level is a wildcard, which has no other characters beside it. @param at where it begins */
    private boolean isAt(int at, String wild) {
        return text.startsWith(wild, at);
    }

    /** Where a level ends. */
    private static int end(String text, int from) {
        int slash = text.indexOf('/', from);
        return slash < 0 ? text.length() : slash;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other || other instanceof TopicFilter that && text.equals(that.text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return text;
    }
}
