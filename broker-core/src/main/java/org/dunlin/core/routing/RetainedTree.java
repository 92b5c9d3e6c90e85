package org.dunlin.core.routing;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/**
 * The retained message of each topic, bounded by count and bytes. Any thread; no operation waits for another.
 *
 * <p>One ordered map, keyed by the topic's bytes with "/" before any other byte: a topic is followed by what lies below it,
 * so that a branch is a range, a scan can be taken up at any key, and a filter with "+" leaps over branches that it does not
 * include. A change of a topic takes its stamp after having read what it replaces and fails if that is there no more; so the
 * order of stamps is the order of changes. A new topic first gets an empty place for the same reason.
 */
public final class RetainedTree {
    private volatile long maxCount;
    private volatile long maxBytes;
    private final ConcurrentSkipListMap<byte[], Kept> topics = new ConcurrentSkipListMap<>(RetainedTree::compare);
    private final AtomicLong count = new AtomicLong();
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicLong stamps = new AtomicLong();
    private volatile boolean storeMayHaveMore;

    /**
     * @param maxCount topics with a retained message
     * @param maxBytes sum of their {@link Message#weight()}
     */
    public RetainedTree(long maxCount, long maxBytes) {
        this.maxCount = maxCount;
        this.maxBytes = maxBytes;
    }

    /** What a put did. */
    public enum Change {
        /** The topic had none. */
        STORED,
        /** The topic's message was replaced [MQTT-3.3.1-5]. */
        REPLACED,
        /** The payload was empty: the topic's message is gone and none took its place [MQTT-3.3.1-6] [MQTT-3.3.1-7]. */
        REMOVED,
        /** The payload was empty and the topic had none. */
        UNCHANGED,
        /** It would exceed the limit of messages or of bytes; the topic keeps what it had. */
        FULL
    }

    /**
     * @param stamp of the changes of one topic the one with the highest stamp is in force; unique, above 0; 0 if there was no
     *     change (FULL, and UNCHANGED unless the store may have what is not here)
     */
    public record Outcome(Change change, long stamp) {
        private static final Outcome UNCHANGED = new Outcome(Change.UNCHANGED, 0);
        private static final Outcome FULL = new Outcome(Change.FULL, 0);
    }

    /** Makes it the retained message of its topic, or clears that if the payload is empty. */
    public Outcome put(Message m) {
        return m.payload().length == 0 ? clear(m.topic().utf8()) : keep(m);
    }

    /**
     * Takes over what the store has kept; {@link #stampsFrom} has to be told their stamps. Before the first put, in any order, also
     * by several threads; the limits do not apply, as what was acknowledged is kept.
     */
    public void restore(List<Message> messages) {
        long topicsMore = 0;
        long bytesMore = 0;
        for (Message m : messages) {
            Kept old = topics.put(m.topic().utf8(), new Kept(m));
            topicsMore += old == null ? 1 : 0;
            bytesMore += m.weight() - weight(old);
        }
        count.addAndGet(topicsMore);
        bytes.addAndGet(bytesMore);
    }

    /** Makes later stamps higher than this one: of what the store has seen, removals included. Before the first put. */
    public void stampsFrom(long stamp) {
        stamps.accumulateAndGet(stamp, Math::max);
    }

    /**
     * The store has failed to keep a change, so it may have what is not here: from now on every clear is a change that has to be
     * stored.
     */
    public void storeFailed() {
        storeMayHaveMore = true;
    }

    /** Others count from now on; what is there stays. */
    public void bounds(long mostTopics, long mostBytes) {
        maxCount = mostTopics;
        maxBytes = mostBytes;
    }

    public @Nullable Message get(TopicName topic) {
        Kept kept = topics.get(topic.utf8());
        return kept == null ? null : kept.message;
    }

    /**
     * Removes it if it is still its topic's message. For a message that has expired.
     *
     * @return the stamp of the change; 0 if there was none
     */
    public long remove(Message expected) {
        byte[] key = expected.topic().utf8();
        Kept kept = topics.get(key);
        if (kept == null || kept.message != expected) {
            return 0;
        }
        long stamp = stamps.incrementAndGet();
        if (!topics.remove(key, kept)) {
            return 0;
        }
        forget(expected.weight());
        return stamp;
    }

    public long count() {
        return count.get();
    }

    /** Sum of {@link Message#weight()}. */
    public long bytes() {
        return bytes.get();
    }

    /** What falls under the filter, page by page. */
    public Cursor cursor(TopicFilter filter) {
        return new Cursor(filter);
    }

    /** Whether nothing that is kept matches, as far as a short look tells; false if that would take long. */
    public boolean hasNothingFor(TopicFilter filter) {
        boolean[] found = new boolean[1];
        boolean more = cursor(filter).next(1, message -> found[0] = true);
        return !more && !found[0];
    }

    /** What falls under the filter and comes behind a topic, in the order of the tree: level by level by their UTF-8. */
    public Cursor cursor(TopicFilter filter, TopicName after) {
        Cursor cursor = new Cursor(filter);
        cursor.skipTo(after.utf8());
        return cursor;
    }

    /**
     * A level below a topic.
     *
     * @param message retained right there, or null
     * @param isParent whether there is more below it
     */
    public record Branch(String level, @Nullable Message message, boolean isParent) {}

    /**
     * The levels that follow a beginning of topics, in their order; expired messages count.
     *
     * @param parent levels with slashes between, or null for the first levels; "" is the empty one that "/a" begins with
     * @param after the last level of the former page, or null
     * @param max 1 or more; each costs a few searches
     */
    public List<Branch> branches(@Nullable String parent, @Nullable String after, int max) {
        String beginning = parent == null ? "" : parent + "/";
        byte[] start = beginning.getBytes(StandardCharsets.UTF_8);
        byte[] from = after == null ? start : behind((beginning + after).getBytes(StandardCharsets.UTF_8));
        List<Branch> branches = new ArrayList<>();
        Map.Entry<byte[], Kept> entry = topics.ceilingEntry(from);
        while (entry != null && branches.size() < max && startsWith(entry.getKey(), start)) {
            byte[] key = entry.getKey();
            int end = start.length;
            while (end < key.length && key[end] != '/') {
                end++;
            }
            byte[] branch = Arrays.copyOf(key, end);
            boolean whole = end == key.length;
            Message message = whole ? entry.getValue().message : null;
            byte[] first = topics.higherKey(branch);
            boolean isParent = first != null && startsWith(first, branch) && first[end] == '/';
            if (message != null || isParent) {
                branches.add(new Branch(
                        new String(branch, start.length, end - start.length, StandardCharsets.UTF_8),
                        message,
                        isParent));
            }
            entry = topics.ceilingEntry(behind(branch));
        }
        return branches;
    }

    /** The first key behind all that are below this one: "/" ranks 0. */
    private static byte[] behind(byte[] key) {
        byte[] behind = Arrays.copyOf(key, key.length + 1);
        behind[key.length] = 1;
        return behind;
    }

    private static boolean startsWith(byte[] key, byte[] start) {
        return key.length >= start.length && Arrays.equals(key, 0, start.length, start, 0, start.length);
    }

    /** Everything, topics that start with $ included. */
    public Cursor cursor() {
        return new Cursor(null);
    }

    private Outcome keep(Message m) {
        byte[] key = m.topic().utf8();
        while (true) {
            Kept old = topics.get(key);
            if (old == null) {
                if (!reserve(count, 1, maxCount)) {
                    return Outcome.FULL;
                }
                old = new Kept(null);
                if (topics.putIfAbsent(key, old) != null) {
                    count.getAndDecrement();
                    continue;
                }
            }
            int difference = m.weight() - weight(old);
            int more = Math.max(difference, 0); // what a smaller one frees is not free before it is in
            if (!reserve(bytes, more, maxBytes)) {
                if (old.message == null && topics.remove(key, old)) {
                    count.getAndDecrement();
                }
                return Outcome.FULL;
            }
            long stamp = stamps.incrementAndGet();
            if (topics.replace(key, old, new Kept(m))) {
                bytes.getAndAdd(difference - more);
                return new Outcome(old.message == null ? Change.STORED : Change.REPLACED, stamp);
            }
            bytes.getAndAdd(-more);
        }
    }

    private Outcome clear(byte[] key) {
        while (true) {
            Kept old = topics.get(key);
            if (old == null || old.message == null) {
                long stamp = storeMayHaveMore ? clearUnknown(key, old) : 0;
                if (stamp < 0) {
                    continue;
                }
                return stamp == 0 ? Outcome.UNCHANGED : new Outcome(Change.UNCHANGED, stamp);
            }
            long stamp = stamps.incrementAndGet();
            if (topics.remove(key, old)) {
                forget(old.message.weight());
                return new Outcome(Change.REMOVED, stamp);
            }
        }
    }

    /** @param old an empty place, or null. @return a stamp; below 0 if another change has come between */
    private long clearUnknown(byte[] key, @Nullable Kept old) {
        Kept place = old;
        if (place == null) {
            place = new Kept(null);
            count.getAndIncrement();
            if (topics.putIfAbsent(key, place) != null) {
                count.getAndDecrement();
                return -1;
            }
        }
        long stamp = stamps.incrementAndGet();
        if (!topics.remove(key, place)) {
            return -1;
        }
        count.getAndDecrement();
        return stamp;
    }

    private void forget(int weight) {
        bytes.getAndAdd(-weight);
        count.getAndDecrement();
    }

    private static boolean reserve(AtomicLong sum, int more, long max) {
        while (true) {
            long now = sum.get();
            if (more > 0 && now + more > max) {
                return false;
            }
            if (sum.compareAndSet(now, now + more)) {
                return true;
            }
        }
    }

    private static int weight(@Nullable Kept kept) {
        return kept == null || kept.message == null ? 0 : kept.message.weight();
    }

    static int compare(byte[] a, byte[] b) {
        int i = Arrays.mismatch(a, b);
        if (i < 0) {
            return 0;
        }
        return i == a.length || i == b.length ? a.length - b.length : rank(a[i]) - rank(b[i]);
    }

    /** "/" comes first: no topic has the byte 0. */
    private static int rank(byte b) {
        return b == '/' ? 0 : b & 0xFF;
    }

    /** A message, or an empty place that a put has just made. Compared by identity. */
    private static final class Kept {
        final @Nullable Message message;

        Kept(@Nullable Message message) {
            this.message = message;
        }
    }

    /**
     * A scan that is taken up again and again. What was retained from its first page to its last comes exactly once, what
     * came or went meanwhile at most once. One thread at a time.
     */
    public final class Cursor {
        /** A page costs no more than about 0.2 ms, whatever it finds. */
        private static final int EFFORT_PER_PAGE = 1024;

        private static final int STEP = 1;
        private static final int SEEK = 8;
        /** Steps to try before a leap is a search from the top. */
        private static final int STEPS_BEFORE_SEEK = 4;

        private final @Nullable FilterScan scan;
        private final @Nullable TopicName only;
        /** Where the next page starts. */
        private byte[] position = {};

        private boolean inclusive = true;
        private boolean done;

        private Cursor(@Nullable TopicFilter filter) {
            only = filter == null || filter.hasWildcard() ? null : TopicName.of(filter.pattern());
            scan = filter == null || only != null ? null : new FilterScan(filter);
            if (scan != null) {
                position = scan.start();
            }
        }

        private void skipTo(byte[] key) {
            if (only != null) {
                done = compare(only.utf8(), key) <= 0;
            } else if (compare(key, position) >= 0) {
                position = key;
                inclusive = false;
            }
        }

        /**
         * Gives the next messages to the sink, expired ones too. The work is bounded also if little or nothing matches: a page
         * may be empty although there are more.
         *
         * @param max messages, at least 1
         * @return whether there may be more; false for ever after the last page
         */
        public boolean next(int max, Consumer<? super Message> sink) {
            if (only != null) {
                Message m = done ? null : get(only);
                done = true;
                if (m != null) {
                    sink.accept(m);
                }
                return false;
            }
            int left = max;
            int effort = EFFORT_PER_PAGE;
            while (!done && left > 0 && effort > 0) {
                Iterator<Map.Entry<byte[], Kept>> entries =
                        topics.tailMap(position, inclusive).entrySet().iterator();
                effort -= SEEK;
                byte @Nullable [] target = null;
                int behind = 0;
                while (left > 0 && effort > 0 && behind <= STEPS_BEFORE_SEEK) {
                    if (!entries.hasNext()) {
                        done = true;
                        break;
                    }
                    Map.Entry<byte[], Kept> entry = entries.next();
                    byte[] key = entry.getKey();
                    effort -= STEP;
                    if (target != null && compare(key, target) < 0) {
                        behind++;
                        continue;
                    }
                    behind = 0;
                    target = null;
                    FilterScan.Verdict verdict = scan == null ? FilterScan.Verdict.MATCH : scan.look(key);
                    if (verdict == FilterScan.Verdict.END) {
                        done = true;
                        break;
                    } else if (verdict == FilterScan.Verdict.LEAP) {
                        target = scan == null ? null : scan.target();
                        continue;
                    }
                    position = key;
                    inclusive = false;
                    Message m = entry.getValue().message;
                    if (verdict == FilterScan.Verdict.MATCH && m != null) {
                        sink.accept(m);
                        left--;
                    }
                }
                if (target != null) {
                    position = target;
                    inclusive = true;
                }
            }
            return !done;
        }
    }

    /** Compares keys with one filter with wildcards, and says where to go on. */
    private static final class FilterScan {
        enum Verdict {
            MATCH,
            /** No match; the next key may be one. */
            STEP,
            /** No match, and none before the target. */
            LEAP,
            /** No match from here on. */
            END
        }

        private final byte[][] levels;
        private final boolean[] single;
        private final boolean multi;
        private byte[] target = {};

        FilterScan(TopicFilter filter) {
            String[] texts = filter.levels();
            multi = texts[texts.length - 1].equals(TopicFilter.MULTI);
            int depth = multi ? texts.length - 1 : texts.length;
            levels = new byte[depth][];
            single = new boolean[depth];
            for (int i = 0; i < depth; i++) {
                levels[i] = texts[i].getBytes(StandardCharsets.UTF_8);
                single[i] = texts[i].equals(TopicFilter.SINGLE);
            }
        }

        /** The first key that can match: the levels before the first wildcard. */
        byte[] start() {
            byte[] key = {};
            for (int i = 0; i < levels.length && !single[i]; i++) {
                key = i == 0 ? levels[0] : joined(key, key.length, levels[i]);
            }
            return key;
        }

        byte[] target() {
            return target;
        }

        Verdict look(byte[] key) {
            if (key[0] == '$' && (levels.length == 0 || single[0])) {
                target = new byte[] {'$' + 1};
                return Verdict.LEAP;
            }
            int from = 0; // of the level in the key
            int afterSingle = -1; // end of the last level that a "+" stands for
            for (int i = 0; i < levels.length; i++) {
                if (from > key.length) {
                    return Verdict.STEP; // the key is a parent of what may match
                }
                int to = from;
                while (to < key.length && key[to] != '/') {
                    to++;
                }
                if (single[i]) {
                    afterSingle = to;
                } else {
                    int order = Arrays.compareUnsigned(key, from, to, levels[i], 0, levels[i].length);
                    if (order < 0) {
                        target = from == 0 ? levels[i] : joined(key, from - 1, levels[i]);
                        return Verdict.LEAP;
                    } else if (order > 0) {
                        return leapBehind(key, afterSingle);
                    }
                }
                from = to + 1;
            }
            if (from > key.length || multi) {
                return Verdict.MATCH;
            }
            return leapBehind(key, from - 1); // too deep, as is all below the last level
        }

        /** To what comes after the branch that is the key up to this end. */
        private Verdict leapBehind(byte[] key, int end) {
            if (end < 0) {
                return Verdict.END;
            }
            target = Arrays.copyOf(key, end + 1);
            target[end] = 1; // "/" ranks 0
            return Verdict.LEAP;
        }

        private static byte[] joined(byte[] head, int length, byte[] level) {
            byte[] key = Arrays.copyOf(head, length + 1 + level.length);
            key[length] = '/';
            System.arraycopy(level, 0, key, length + 1, level.length);
            return key;
        }
    }
}
