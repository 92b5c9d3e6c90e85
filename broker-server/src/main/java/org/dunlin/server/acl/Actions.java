package org.dunlin.server.acl;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.dunlin.mqtt.Qos;
import org.dunlin.server.config.Nearest;
import org.dunlin.server.config.Quote;
import org.jspecify.annotations.Nullable;

/**
 * What stands between {@code topic} and a topic: actions and limits, joined by commas. No word with a comma is one of mosquitto's,
 * so a file of mosquitto never means anything else here. Any thread.
 *
 * @param words as written
 */
record Actions(String words, boolean deny, int permits) {
    static final Actions READ_WRITE = new Actions("", false, Permits.ALL);

    private static final String DENY = "deny";
    private static final Map<String, Integer> MEANINGS = Map.of(
            "read", Permits.ALL_SUBSCRIBE | Permits.RECEIVE,
            "write", Permits.ALL_PUBLISH,
            "readwrite", Permits.ALL,
            "publish", Permits.ALL_PUBLISH,
            "subscribe", Permits.ALL_SUBSCRIBE,
            "receive", Permits.RECEIVE);
    private static final List<String> KNOWN =
            List.of("read", "write", "readwrite", "publish", "subscribe", "receive", DENY, "qos=", "retain=");
    private static final Set<String> LIMITS = Set.of("qos=0", "qos=1", "qos=2", "retain=yes", "retain=no");

    /** Words that say nothing, and what to write instead. */
    static final class Unfit extends Exception {
        private static final long serialVersionUID = 1L;

        private final String cure;

        Unfit(String what, String cure) {
            super(what, null, false, false);
            this.cure = cure;
        }

        String what() {
            return String.valueOf(getMessage());
        }

        String cure() {
            return cure;
        }
    }

    static Actions parse(String words) throws Unfit {
        boolean deny = false;
        int permits = 0;
        @Nullable Qos most = null;
        @Nullable Boolean retain = null;
        for (String word : words.split(",", -1)) {
            Integer meaning = MEANINGS.get(word);
            if (meaning != null) {
                permits |= meaning;
            } else if (word.equals(DENY)) {
                deny = true;
            } else if (word.startsWith("qos=") && LIMITS.contains(word)) {
                most = Qos.of(word.charAt(4) - '0');
            } else if (LIMITS.contains(word)) {
                retain = word.equals("retain=yes");
            } else {
                throw unknown(word, words);
            }
        }
        if (deny) {
            if (most != null || retain != null) {
                throw new Unfit("a denial has no limits", "allow with limits instead, or deny without");
            }
            return new Actions(words, true, permits == 0 ? Permits.ALL : permits);
        }
        if (permits == 0) {
            throw new Unfit(Quote.of(words) + " has limits but no action", "write " + Quote.of("readwrite," + words));
        }
        if (retain != null && (permits & Permits.ALL_PUBLISH) == 0) {
            throw new Unfit("retain is a limit for publishing alone", "leave it out");
        }
        if (most != null && (permits & (Permits.ALL_PUBLISH | Permits.ALL_SUBSCRIBE)) == 0) {
            throw new Unfit("qos is a limit for publishing and subscribing alone", "leave it out");
        }
        Qos highest = most == null ? Qos.EXACTLY_ONCE : most;
        return new Actions(words, false, Permits.within(permits, highest, retain == null || retain));
    }

    private static Unfit unknown(String word, String words) {
        if (word.startsWith("qos=")) {
            return new Unfit(Quote.of(word) + " is no QoS", "write qos=0, qos=1 or qos=2");
        }
        if (word.startsWith("retain=")) {
            return new Unfit(Quote.of(word) + " says neither yes nor no", "write retain=yes or retain=no");
        }
        String nearest = Nearest.of(word, KNOWN);
        return new Unfit(
                Quote.of(word) + " is no action",
                nearest != null
                        ? "did you mean " + nearest + "?"
                        : words.contains(",")
                                ? "known are " + String.join(", ", KNOWN)
                                : "known are " + String.join(", ", KNOWN)
                                        + "; a topic with blanks needs an action before it");
    }

    static boolean isWord(String text) {
        return MEANINGS.containsKey(text) || text.equals(DENY);
    }

    /** Whether a topic begins with what is most likely meant for a limit. */
    static boolean looksLikeLimit(String topic) {
        int blank = topic.indexOf(' ');
        return blank > 0 && LIMITS.contains(topic.substring(0, blank));
    }

    /**
     * What is denied by {@code deny ACTION TOPIC}, or by several actions with commas between.
     *
     * @param rest what follows "deny "
     * @return null if it does not begin with an action
     */
    static @Nullable Actions denied(String rest) {
        int blank = rest.indexOf(' ');
        if (blank < 0) {
            return null;
        }
        int permits = 0;
        for (String word : rest.substring(0, blank).split(",", -1)) {
            Integer meaning = MEANINGS.get(word);
            if (meaning == null) {
                return null;
            }
            permits |= meaning;
        }
        return new Actions(DENY + " " + rest.substring(0, blank), true, permits);
    }
}
