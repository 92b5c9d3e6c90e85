package org.dunlin.core.routing;

import java.util.ArrayList;
import java.util.List;
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
    /**
     * The {@link Receivers} if one shard has some, as nearly always; else an array of them, copied on change. With one place
     * per shard it is indexed by shard, else searched.
     */
    private volatile Object slots = NONE;

    Route(String pattern, int shards) {
        this.pattern = pattern;
        this.shards = shards;
    }

    /** What topics are compared with: the topic filter without "$share/name/". */
    public String pattern() {
        return pattern;
    }

    /** What the shard has under this pattern, or null. Only {@link Receivers#owed()} and its size are for other shards. */
    public @Nullable Receivers receivers(int shard) {
        Object now = slots;
        if (now instanceof Receivers one) {
            return one.shard() == shard ? one : null;
        }
        @Nullable Receivers[] several = (Receivers[]) now;
        if (several.length == shards) {
            return several[shard];
        }
        for (Receivers one : several) {
            if (one != null && one.shard() == shard) {
                return one;
            }
        }
        return null;
    }

    private @Nullable Receivers[] all() {
        Object now = slots;
        return now instanceof Receivers one ? new Receivers[] {one} : (Receivers[]) now;
    }

    /** Callers exclude each other. */
    Route with(Receivers added) {
        assert receivers(added.shard()) == null : this;
        if (slots == NONE) {
            slots = added;
            return this;
        }
        @Nullable Receivers[] now = all();
        List<Receivers> next = new ArrayList<>(now.length + 1);
        for (Receivers one : now) {
            if (one != null) {
                next.add(one);
            }
        }
        next.add(added);
        use(next);
        return this;
    }

    /**
     * Callers exclude each other.
     *
     * @return this, or null if no shard is left
     */
    @Nullable
    Route without(int shard) {
        List<Receivers> next = new ArrayList<>();
        for (Receivers one : all()) {
            if (one != null && one.shard() != shard) {
                next.add(one);
            }
        }
        use(next);
        return next.isEmpty() ? null : this;
    }

    private void use(List<Receivers> next) {
        if (next.size() == 1) {
            slots = next.get(0);
            return;
        }
        boolean sparse = next.size() < shards && next.size() <= SPARSE_MAX;
        @Nullable Receivers[] several = new Receivers[sparse ? next.size() : shards];
        for (int i = 0; i < next.size(); i++) {
            Receivers one = next.get(i);
            several[sparse ? i : one.shard()] = one;
        }
        slots = several;
    }

    @Override
    public String toString() {
        return pattern;
    }
}
