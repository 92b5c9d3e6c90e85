package org.dunlin.core.routing;

import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/**
 * The matches of the topics that a shard has routed lately. Shard thread only.
 *
 * <p>A set of four places per hash, the latest first; the oldest of a set makes room. What is very long or matches very much
 * is not kept: the memory is bounded, and such a walk costs less than what follows it.
 */
public final class MatchCache {
    private static final int WAYS = 4;
    private static final int TOPIC_CHARS_MAX = 1024;
    private static final int ROUTES_MAX = 4096;

    private final SubscriptionTree tree;
    private final @Nullable Match[] places;
    private final int mask;

    /** @param topics how many to keep at most, at least 4; rounded down to a power of two */
    public MatchCache(SubscriptionTree tree, int topics) {
        this.tree = tree;
        this.places = new Match[Integer.highestOneBit(Math.max(topics, WAYS))];
        this.mask = places.length / WAYS - 1;
    }

    /** As {@link SubscriptionTree#match}, with no allocation for a topic that is known. */
    public Match match(TopicName topic) {
        int hash = topic.hashCode();
        int first = ((hash ^ hash >>> 16) & mask) * WAYS;
        Match front = places[first];
        if (front != null && front.topic().equals(topic) && tree.isCurrent(front)) {
            return front;
        }
        return search(topic, first);
    }

    private Match search(TopicName topic, int first) {
        int at = first + WAYS - 1;
        for (int i = first; i < first + WAYS; i++) {
            Match known = places[i];
            if (known != null && known.topic().equals(topic)) {
                if (tree.isCurrent(known)) {
                    return front(known, first, i);
                }
                at = i;
                break;
            }
        }
        Match fresh = tree.match(topic);
        if (topic.text().length() > TOPIC_CHARS_MAX || fresh.size() > ROUTES_MAX) {
            return fresh;
        }
        return front(fresh, first, at);
    }

    private Match front(Match match, int first, int from) {
        System.arraycopy(places, first, places, first + 1, from - first);
        places[first] = match;
        return match;
    }
}
