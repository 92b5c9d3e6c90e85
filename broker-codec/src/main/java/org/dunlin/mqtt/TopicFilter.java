package org.dunlin.mqtt;

import org.jspecify.annotations.Nullable;

/**
 * A valid topic filter, split once. For a shared subscription "$share/group/a/+" the {@link #shareName()} is "group"
 * and {@link #levels()} are those of "a/+"; equality and {@link #text()} are of the whole [MQTT-3.10.4-1]. Any thread.
 */
public final class TopicFilter {
    public static final String SINGLE = "+";
    public static final String MULTI = "#";
    private static final String SHARE = "$share/";

    private final String text;
    private final @Nullable String shareName;
    private final String pattern;
    private final String[] levels;
    private final boolean wildcard;

    private TopicFilter(String text, @Nullable String shareName, String pattern) {
        this.text = text;
        this.shareName = shareName;
        this.pattern = pattern;
        this.levels = TopicName.split(pattern);
        this.wildcard = pattern.indexOf('+') >= 0 || pattern.indexOf('#') >= 0;
    }

    /** @throws IllegalArgumentException if {@link #fault(String)} finds one */
    public static TopicFilter of(String text) {
        String fault = fault(text);
        if (fault != null) {
            throw new IllegalArgumentException("Topic filter '" + text + "' " + fault);
        }
        if (text.startsWith(SHARE)) {
            int slash = text.indexOf('/', SHARE.length());
            return new TopicFilter(text, text.substring(SHARE.length(), slash), text.substring(slash + 1));
        }
        return new TopicFilter(text, null, text);
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

    /** The share name of a shared subscription, or null. */
    public @Nullable String shareName() {
        return shareName;
    }

    public boolean isShared() {
        return shareName != null;
    }

    /** What topics are compared with: the text without "$share/name/". */
    public String pattern() {
        return pattern;
    }

    /** The levels of {@link #pattern()}. Shared: do not write to it. */
    public String[] levels() {
        return levels;
    }

    public boolean hasWildcard() {
        return wildcard;
    }

    /** Whether a topic falls under it: the plain definition, which the trees must agree with. */
    public boolean matches(TopicName topic) {
        String first = levels[0];
        if (topic.startsWithDollar() && (first.equals(SINGLE) || first.equals(MULTI))) {
            return false;
        }
        String[] names = topic.levels();
        for (int i = 0; i < levels.length; i++) {
            String level = levels[i];
            if (level.equals(MULTI)) {
                return true;
            }
            if (i >= names.length || !level.equals(SINGLE) && !level.equals(names[i])) {
                return false;
            }
            if (i == names.length - 1 && i == levels.length - 2 && levels[i + 1].equals(MULTI)) {
                return true; // "a/#" matches its parent "a"
            }
        }
        return names.length == levels.length;
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
