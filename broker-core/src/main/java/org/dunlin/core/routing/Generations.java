package org.dunlin.core.routing;

import java.util.concurrent.atomic.AtomicLongArray;
import org.dunlin.mqtt.TopicFilter;

/**
 * Counts the changes of the subscription tree per branch, so that a cached match is thrown away only for a change that may
 * concern it. Any thread.
 *
 * <p>A pattern without wildcard belongs to the stripe of its whole text; else to that of its first two levels, of its first
 * level if the second is a wildcard, or to the one stripe of the patterns that start with a wildcard. A topic looks at four
 * stripes. Counters only rise, hence their sum is unchanged exactly if each of them is. A change is counted after it can be
 * seen and the counters are read before the tree is: a match with an older sum may be stale, one with the present sum is not.
 */
final class Generations {
    private static final int STRIPES = 1 << 13;
    private static final int WILD = 0;

    private final AtomicLongArray counters = new AtomicLongArray(STRIPES + 1);

    /** Where a topic looks, and the sum it saw there. */
    record Branch(int whole, int first, int second, long sum) {}

    Branch branch(String topic) {
        int slash = topic.indexOf('/');
        int second = slash < 0 ? -1 : topic.indexOf('/', slash + 1);
        int whole = whole(topic);
        int one = stripe(topic, slash < 0 ? topic.length() : slash, 1);
        int two = slash < 0 ? one : stripe(topic, second < 0 ? topic.length() : second, 2);
        return new Branch(whole, one, two, sum(whole, one, two));
    }

    boolean isCurrent(Branch branch) {
        return sum(branch.whole, branch.first, branch.second) == branch.sum;
    }

    /** The pattern has come or gone, visibly. */
    void changed(TopicFilter filter) {
        counters.getAndIncrement(stripeOf(filter));
    }

    private static int stripeOf(TopicFilter filter) {
        String pattern = filter.pattern();
        if (!filter.hasWildcard()) {
            return whole(pattern);
        }
        if (isWildcard(pattern.charAt(0))) {
            return WILD;
        }
        int slash = pattern.indexOf('/'); // there is one: the first level is no wildcard
        if (isWildcard(pattern.charAt(Math.min(slash + 1, pattern.length() - 1)))) {
            return stripe(pattern, slash, 1);
        }
        return stripe(pattern, pattern.indexOf('/', slash + 1), 2);
    }

    private static boolean isWildcard(char c) {
        return c == '+' || c == '#';
    }

    private long sum(int whole, int first, int second) {
        return counters.get(WILD) + counters.get(whole) + counters.get(first) + counters.get(second);
    }

    private static int whole(String text) {
        return spread(text.hashCode() * 31 + 3);
    }

    private static int stripe(String text, int to, int kind) {
        int hash = kind;
        for (int i = 0; i < to; i++) {
            hash = 31 * hash + text.charAt(i);
        }
        return spread(hash);
    }

    private static int spread(int hash) {
        return (hash * 0x9E3779B9 >>> 32 - Integer.numberOfTrailingZeros(STRIPES)) + 1;
    }
}
