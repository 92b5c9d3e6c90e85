package org.dunlin.mqtt;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * A topic name: text, the bytes it came in (they leave unchanged [MQTT-4.7.3-4]) and, once asked for, its levels. A
 * decoder mostly hands out the same object for a topic of up to 256 bytes that repeats on its connection. Ordered by
 * text, so that maps stay fast for names prepared to have one hash. Any thread.
 */
public final class TopicName implements Comparable<TopicName> {
    private static final int LENGTH_MAX = 65_535;

    private final String text;
    private final byte[] utf8;
    private final int levelCount;
    private volatile String @Nullable [] levels;

    private TopicName(String text, byte[] utf8) {
        this.text = text;
        this.utf8 = utf8;
        int slashes = 0;
        for (byte b : utf8) {
            if (b == '/') {
                slashes++;
            }
        }
        this.levelCount = slashes + 1;
    }

    /** @throws IllegalArgumentException if {@link #fault(String)} finds one */
    public static TopicName of(String text) {
        String fault = fault(text);
        if (fault != null) {
            throw new IllegalArgumentException("Topic name '" + text + "' " + fault);
        }
        return new TopicName(text, text.getBytes(StandardCharsets.UTF_8));
    }

    /** For decoders, which have checked the text already; utf8 is kept, not copied. */
    public static TopicName ofChecked(String text, byte[] utf8) {
        return new TopicName(text, utf8);
    }

    /**
     * What is wrong with it as a topic name [MQTT-1.5.4-1] [MQTT-3.3.2-2] [MQTT-4.7.0-1] [MQTT-4.7.3-1..3], or null.
     */
    public static @Nullable String fault(String text) {
        if (text.isEmpty()) {
            return "is empty";
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '+' || c == '#') {
                return "has the wildcard " + c + ", which only a topic filter may have";
            }
            if (c == 0) {
                return "has the character U+0000";
            }
        }
        return faultAsText(text);
    }

    /** What keeps it from being a string on the wire [MQTT-1.5.4-1] [MQTT-4.7.3-3], or null. */
    static @Nullable String faultAsText(String text) {
        if (hasHalfPair(text)) {
            return "has one half of a surrogate pair, which UTF-8 cannot hold";
        }
        return isTooLong(text) ? "is longer than 65,535 bytes" : null;
    }

    private static boolean hasHalfPair(String text) {
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!Character.isSurrogate(c)) {
                continue;
            }
            if (i + 1 == text.length() || !Character.isSurrogatePair(c, text.charAt(++i))) {
                return true;
            }
        }
        return false;
    }

    /** Whether it exceeds what a string on the wire holds [MQTT-4.7.3-3]. */
    private static boolean isTooLong(String text) {
        return text.length() > LENGTH_MAX / 3 && text.getBytes(StandardCharsets.UTF_8).length > LENGTH_MAX;
    }

    public String text() {
        return text;
    }

    public byte[] utf8() {
        return utf8;
    }

    /** How many {@link #levels()} there are, without splitting it. */
    public int levelCount() {
        return levelCount;
    }

    /** The levels between the slashes; "a//b" has three, "/" has two empty ones. Shared: do not write to it. */
    public String[] levels() {
        String[] split = levels;
        if (split == null) {
            split = split(text);
            levels = split; // a race writes an equal array twice; volatile, or another thread might find it empty
        }
        return split;
    }

    /** Topics whose first character is $ are not matched by a filter that starts with a wildcard [MQTT-4.7.2-1]. */
    public boolean startsWithDollar() {
        return !text.isEmpty() && text.charAt(0) == '$';
    }

    static String[] split(String text) {
        int count = 1;
        for (int i = text.indexOf('/'); i >= 0; i = text.indexOf('/', i + 1)) {
            count++;
        }
        String[] levels = new String[count];
        int from = 0;
        for (int n = 0; n < count - 1; n++) {
            int to = text.indexOf('/', from);
            levels[n] = text.substring(from, to);
            from = to + 1;
        }
        levels[count - 1] = text.substring(from);
        return levels;
    }

    @Override
    public int compareTo(TopicName that) {
        return text.compareTo(that.text);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other || other instanceof TopicName that && text.equals(that.text);
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
