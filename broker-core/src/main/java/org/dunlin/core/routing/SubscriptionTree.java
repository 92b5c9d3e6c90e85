package org.dunlin.core.routing;

import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/**
 * All subscriptions of the broker: which patterns match a topic, and which receivers each shard has under them. Matching is
 * for any thread and takes no lock; a shard's receivers are changed on that shard's thread only, and only the first and the
 * last receiver of a pattern on a shard touch what the shards share.
 *
 * <p>A pattern without wildcard is found by its text in one hash map. The others form a tree of levels, whose edges are one
 * hash map too, keyed by (parent node, level): a node with a million children is nothing special, and a node without needs no
 * map. A node counts the (pattern, shard) pairs whose path leads through it; a count that has fallen to zero never rises
 * again, the node is dead and is replaced by a fresh one if its place is wanted. Who holds a node holds its parents, so that
 * nodes are taken from the root downwards and let go upwards.
 *
 * <p>Matching walks level by level and sees no node twice, hence never more nodes than the patterns that agree with the
 * topic so far have levels; neither depth nor "+/+/+" cost stack or repetition.
 */
public final class SubscriptionTree {
    private final int shards;
    private final ConcurrentHashMap<String, Route> exact = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<Node, Node> nodes = new ConcurrentHashMap<>();
    private final Node root = new Node(null, "", 0, 0);
    private final AtomicInteger routes = new AtomicInteger();
    private final Generations generations = new Generations();

    /** @param shardCount at least 1; shards are numbered from 0 */
    public SubscriptionTree(int shardCount) {
        if (shardCount < 1) {
            throw new IllegalArgumentException("shardCount is " + shardCount + ", must be at least 1");
        }
        this.shards = shardCount;
        nodes.put(root, root); // so that routes at the root are changed as everywhere else
    }

    /**
     * Adds it. On return every thread that learns of it matches it and finds its older matches not current.
     *
     * @throws IllegalStateException if the receiver has this filter already: {@link #replace} it
     */
    public void add(Subscription s, int shard) {
        TopicFilter filter = s.filter();
        Route route = find(filter);
        Receivers mine = route == null ? null : route.receivers(shard);
        if (mine != null) {
            mine.add(s);
        } else if (hold(filter, new Receivers(shard, s))) {
            routes.getAndIncrement();
            generations.changed(filter);
        }
    }

    /**
     * Puts one subscription in the place of another of the same pattern; there is no moment with neither or both of them
     * [MQTT-3.8.4-3].
     *
     * @throws IllegalStateException if the old one is not there
     */
    public void replace(Subscription old, Subscription now, int shard) {
        if (!old.filter().pattern().equals(now.filter().pattern())) {
            throw new IllegalArgumentException("Cannot replace '" + old.filter() + "' by '" + now.filter() + "'");
        }
        Receivers mine = receivers(old.filter(), shard);
        if (mine == null) {
            throw new IllegalStateException("Receiver is not subscribed to '" + old.filter() + "': add it");
        }
        mine.replace(old, now);
    }

    /** Removes what the receiver has under this filter, whatever its options are by now; does nothing if it has nothing. */
    public void remove(Subscription s, int shard) {
        Receivers mine = receivers(s.filter(), shard);
        if (mine != null && mine.remove(s) && mine.size() == 0 && release(s.filter(), shard)) {
            routes.getAndDecrement();
            generations.changed(s.filter());
        }
    }

    /** All routes whose pattern the topic falls under [MQTT-4.7.2-1] [MQTT-4.7.1-1] [MQTT-4.7.1-2]. Any thread. */
    public Match match(TopicName topic) {
        String text = topic.text();
        Generations.Branch branch = generations.branch(text); // before the tree is read
        Found found = new Found();
        Route plain = exact.get(text);
        if (plain != null) {
            found.add(plain);
        }
        if (root.isInner()) {
            walk(text, found);
        }
        return new Match(topic, found.routes(), branch);
    }

    /** Whether a new match of its topic would give the same routes. Cheap. Any thread. */
    public boolean isCurrent(Match m) {
        return generations.isCurrent(m.branch());
    }

    /** How many different patterns there are. Any thread. */
    public int routes() {
        return routes.get();
    }

    /** Places in use, for tests: nothing may be left behind. */
    long nodes() {
        return exact.mappingCount() + nodes.mappingCount() - 1;
    }

    private void walk(String text, Found found) {
        Node probe = new Node(root, text, 0, 0);
        Node[] here = {root};
        int count = 1;
        boolean rootMayBeWild = text.charAt(0) != '$';
        int from = 0;
        while (count > 0) {
            int slash = text.indexOf('/', from);
            int to = slash < 0 ? text.length() : slash;
            Node[] next = new Node[count * 2];
            int reached = 0;
            for (int i = 0; i < count; i++) {
                Node node = here[i];
                if (node != root || rootMayBeWild) {
                    found.add(node.multi);
                    Node single = node.single;
                    if (single != null) {
                        next[reached++] = single;
                    }
                }
                Node literal = node.literals == 0 ? null : nodes.get(probe.at(node, from, to));
                if (literal != null) {
                    next[reached++] = literal;
                }
            }
            here = next;
            count = reached;
            if (slash < 0) {
                break;
            }
            from = slash + 1;
        }
        for (int i = 0; i < count; i++) {
            found.add(here[i].route);
            found.add(here[i].multi); // "a/#" includes "a"
        }
    }

    private @Nullable Receivers receivers(TopicFilter filter, int shard) {
        Route route = find(filter);
        return route == null ? null : route.receivers(shard);
    }

    private @Nullable Route find(TopicFilter filter) {
        if (!filter.hasWildcard()) {
            return exact.get(filter.pattern());
        }
        Node node = findNode(filter);
        return node == null ? null : endsInMulti(filter) ? node.multi : node.route;
    }

    /** The node of the pattern's last level; "#" is no level of its own but belongs to the node before it. */
    private @Nullable Node findNode(TopicFilter filter) {
        String pattern = filter.pattern();
        Node probe = new Node(root, pattern, 0, 0);
        Node node = root;
        int end = endOfLevels(pattern);
        for (int from = 0; from <= end && node != null; ) {
            int to = endOfLevel(pattern, from);
            node = nodes.get(probe.at(node, from, to));
            from = to + 1;
        }
        return node;
    }

    private static boolean endsInMulti(TopicFilter filter) {
        String pattern = filter.pattern();
        return pattern.charAt(pattern.length() - 1) == '#';
    }

    /** Where the levels end that have a node: before "/#"; -1 if there is none. */
    private static int endOfLevels(String pattern) {
        int last = pattern.length() - 1;
        return pattern.charAt(last) == '#' ? last - 1 : last + 1;
    }

    private static int endOfLevel(String text, int from) {
        int slash = text.indexOf('/', from);
        return slash < 0 ? text.length() : slash;
    }

    /** @return whether the pattern is new */
    private boolean hold(TopicFilter filter, Receivers first) {
        String pattern = filter.pattern();
        Route fresh = new Route(pattern, shards);
        if (!filter.hasWildcard()) {
            Route held = exact.compute(pattern, (key, old) -> (old == null ? fresh : old).with(first));
            return held == fresh;
        }
        boolean multi = endsInMulti(filter);
        int last = endOfLevels(pattern);
        Node node = root;
        for (int from = 0; from <= last; ) {
            int to = endOfLevel(pattern, from);
            node = hold(node, pattern, from, to);
            from = to + 1;
        }
        nodes.computeIfPresent(node, (key, end) -> {
            Route old = multi ? end.multi : end.route;
            end.set(multi, (old == null ? fresh : old).with(first));
            return end;
        });
        return (multi ? node.multi : node.route) == fresh;
    }

    /** @return whether the pattern is gone with it */
    private boolean release(TopicFilter filter, int shard) {
        if (!filter.hasWildcard()) {
            return exact.computeIfPresent(filter.pattern(), (pattern, route) -> route.without(shard)) == null;
        }
        Node end = findNode(filter);
        if (end == null) {
            throw new AssertionError("No node for '" + filter + "', which shard " + shard + " holds");
        }
        boolean multi = endsInMulti(filter);
        boolean[] gone = new boolean[1];
        nodes.computeIfPresent(end, (key, node) -> {
            Route route = multi ? node.multi : node.route;
            Route left = route == null ? null : route.without(shard);
            node.set(multi, left);
            gone[0] = left == null;
            return node;
        });
        for (Node node = end; node != root && node != null; ) {
            Node parent = node.parent;
            release(node);
            node = parent;
        }
        return gone[0];
    }

    private Node hold(Node parent, String pattern, int from, int to) {
        Node found = nodes.get(new Node(parent, pattern, from, to));
        if (found != null && found.hold()) {
            return found;
        }
        Node fresh = Node.toStay(parent, pattern, from, to);
        return nodes.compute(fresh, (key, old) -> {
            if (old != null && old.hold()) {
                return old;
            }
            parent.enter(fresh, old == null);
            return fresh;
        });
    }

    private void release(Node node) {
        if (node.release()) {
            nodes.computeIfPresent(node, (key, now) -> {
                if (now != node) {
                    return now; // somebody has put a fresh one in its place
                }
                if (node.parent != null) {
                    node.parent.leave(node);
                }
                return null;
            });
        }
    }

    /** A list of routes, made when there is a first one. */
    private static final class Found {
        private Route[] routes = Match.NO_ROUTES;
        private int count;

        void add(@Nullable Route route) {
            if (route != null) {
                if (count == routes.length) {
                    routes = Arrays.copyOf(routes, count < 4 ? count + 1 : count * 2);
                }
                routes[count++] = route;
            }
        }

        Route[] routes() {
            return count == routes.length ? routes : Arrays.copyOf(routes, count);
        }
    }

    /**
     * A place in the tree of patterns with wildcards, and at once its key (parent, level) in the map of them. Children hash
     * with a number that their parent drew at random, so that equal hashes cannot be prepared across parents; those of one
     * parent are kept in order by their text. Routes and links to children change under the lock of the bin in which the map
     * computes this node or the child.
     */
    private static final class Node implements Comparable<Node> {
        /** Characters up to which a node keeps the text of the pattern that it was made for, also beyond that pattern's life. */
        private static final int BORROWED_MAX = 96;

        private static final AtomicIntegerFieldUpdater<Node> HELD =
                AtomicIntegerFieldUpdater.newUpdater(Node.class, "held");
        private static final AtomicIntegerFieldUpdater<Node> LITERALS =
                AtomicIntegerFieldUpdater.newUpdater(Node.class, "literals");

        private @Nullable Node parent; // changes only in a probe, as the place of the level does
        /** Has the level from one place to another: as a rule a whole pattern, so that nothing has to be copied of it. */
        private final String text;

        private char from;
        private char to;
        private final int salt;
        private volatile int held = 1;
        /** How many children there are with a literal level. */
        private volatile int literals;
        /** The child for "+". */
        private volatile @Nullable Node single;
        /** Of the pattern that ends here. */
        private volatile @Nullable Route route;
        /** Of the pattern that goes on with "#" only. */
        private volatile @Nullable Route multi;

        Node(@Nullable Node parent, String text, int from, int to) {
            this.parent = parent;
            this.text = text;
            this.from = (char) from; // no text is longer than 65,535 characters [MQTT-1.5.4-1]
            this.to = (char) to;
            this.salt = ThreadLocalRandom.current().nextInt();
        }

        /** A node that is kept, which may keep a text too, unless it needs only a small part of a long one. */
        static Node toStay(Node parent, String text, int from, int to) {
            int length = to - from;
            if (text.length() <= BORROWED_MAX) {
                return new Node(parent, text, from, to);
            }
            return new Node(parent, text.substring(from, to), 0, length);
        }

        Node at(Node parent, int from, int to) {
            this.parent = parent;
            this.from = (char) from;
            this.to = (char) to;
            return this;
        }

        private boolean isSingle() {
            return to - from == 1 && text.charAt(from) == '+';
        }

        /** @return false if it is dead */
        boolean hold() {
            for (int now = held; now > 0; now = held) {
                if (HELD.compareAndSet(this, now, now + 1)) {
                    return true;
                }
            }
            return false;
        }

        /** @return whether it died of it */
        boolean release() {
            return HELD.decrementAndGet(this) == 0;
        }

        /** @param isNew whether it does not take the place of a dead one */
        void enter(Node child, boolean isNew) {
            if (child.isSingle()) {
                single = child;
            } else if (isNew) {
                LITERALS.getAndIncrement(this);
            }
        }

        void leave(Node child) {
            if (child.isSingle()) {
                single = null;
            } else {
                LITERALS.getAndDecrement(this);
            }
        }

        void set(boolean multi, @Nullable Route route) {
            if (multi) {
                this.multi = route;
            } else {
                this.route = route;
            }
        }

        boolean isInner() {
            return literals != 0 || single != null || multi != null;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return this == other
                    || other instanceof Node that
                            && parent == that.parent
                            && to - from == that.to - that.from
                            && text.regionMatches(from, that.text, that.from, to - from);
        }

        @Override
        public int hashCode() {
            Node above = parent;
            if (above == null) {
                return 0;
            }
            int hash = 0;
            for (int i = from; i < to; i++) {
                hash = 31 * hash + text.charAt(i);
            }
            return (above.salt ^ hash) * 0x9E3779B9;
        }

        @Override
        public int compareTo(Node that) {
            int i = from;
            int k = that.from;
            while (i < to && k < that.to && text.charAt(i) == that.text.charAt(k)) {
                i++;
                k++;
            }
            if (i == to || k == that.to) {
                return to - from - (that.to - that.from);
            }
            return text.charAt(i) - that.text.charAt(k);
        }
    }
}
