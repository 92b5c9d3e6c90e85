package org.dunlin.core.routing;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One pattern that somebody is subscribed to, and per shard who that is. Any thread; changed only through the
 * {@link SubscriptionTree}, and only by the first and the last receiver of a shard.
 */
public final class Route {
    private static final Receivers[] NONE = {};
    /** Up to here only the shards that have receivers take room, beyond it every shard has its place. */
    private static final int SPARSE_MAX = 4;

    private final String pattern;
    private final int shards;
    /** Copied on change. With one place per shard it is indexed by shard, else searched. */
    private volatile @Nullable Receivers[] slots = NONE;

    Route(String pattern, int shards) {
        this.pattern = pattern;
        this.shards = shards;
    }

    /** What topics are compared with: the topic filter without "$share/name/". */
    public String pattern() {
        return pattern;
    }

    /** What the shard has under this pattern, or null. Only {@link Receivers#owed()} is for other shards. */
    public @Nullable Receivers receivers(int shard) {
        @Nullable Receivers[] now = slots;
        if (now.length == shards) {
            return now[shard];
        }
        for (Receivers one : now) {
            if (one != null && one.shard() == shard) {
                return one;
            }
        }
        return null;
    }

    /** Callers exclude each other. */
    Route with(Receivers added) {
        assert receivers(added.shard()) == null : this;
        @Nullable Receivers[] now = slots;
        @Nullable Receivers[] next;
        if (now.length == shards) {
            next = now.clone();
            next[added.shard()] = added;
        } else if (now.length + 1 < shards && now.length < SPARSE_MAX) {
            next = Arrays.copyOf(now, now.length + 1);
            next[now.length] = added;
        } else {
            next = new Receivers[shards];
            for (Receivers one : now) {
                if (one != null) {
                    next[one.shard()] = one;
                }
            }
            next[added.shard()] = added;
        }
        slots = next;
        return this;
    }

    /**
     * Callers exclude each other.
     *
     * @return this, or null if no shard is left
     */
    @Nullable
    Route without(int shard) {
        int left = 0;
        for (Receivers one : slots) {
            left += one != null && one.shard() != shard ? 1 : 0;
        }
        boolean sparse = left < shards && left <= SPARSE_MAX;
        @Nullable Receivers[] next = sparse ? new Receivers[left] : new Receivers[shards];
        int n = 0;
        for (Receivers one : slots) {
            if (one != null && one.shard() != shard) {
                next[sparse ? n++ : one.shard()] = one;
            }
        }
        slots = next;
        return left == 0 ? null : this;
    }

    @Override
    public String toString() {
        return pattern;
    }
}
