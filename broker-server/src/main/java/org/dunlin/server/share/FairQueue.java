package org.dunlin.server.share;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * Work that waits, in a lane for each source; the lanes take turns. Any thread; waits for nothing. A lane may have as much waiting
 * as there is room left for the others: one alone half of the whole, two a third each. So there is room for a newcomer, and it waits
 * for one piece of each lane, not for all that is in them.
 *
 * @param <T> a piece of work
 */
public final class FairQueue<T> {
    private final ToIntFunction<T> atOnce;
    private final Runnable ready;
    private final Map<Object, Lane<T>> lanes = new ConcurrentHashMap<>();
    /** Lanes that have work which may begin, each once. */
    private final Queue<Lane<T>> turns = new ConcurrentLinkedQueue<>();

    private final AtomicInteger waiting = new AtomicInteger();

    /** What is of one source. Touched only while its entry in {@link #lanes} is being computed. */
    private static final class Lane<T> {
        final Object source;
        final Deque<T> work = new ArrayDeque<>(2);
        int running;
        /** Whether it waits for its turn. */
        boolean queued;

        Lane(Object source) {
            this.source = source;
        }
    }

    /** Work that has been taken; its lane counts it until {@link FairQueue#done}. */
    public record Taken<T>(Object source, T work) {}

    /**
     * @param atOnce how many pieces of a lane may be under way when this one begins, itself included; asked when its turn has come
     * @param ready called once for each time that {@link #take} will be worth a try
     */
    public FairQueue(ToIntFunction<T> atOnce, Runnable ready) {
        this.atOnce = atOnce;
        this.ready = ready;
    }

    /**
     * @param most that may wait in all lanes together
     * @return false if there is no room for more of this source
     */
    public boolean offer(Object source, T work, int most) {
        return offer(source, work, most, Integer.MAX_VALUE);
    }

    /**
     * @param most that may wait in all lanes together
     * @param turns for which it may have to wait: each lane that has work has one before it for each piece in its own
     * @return false if there is no room for more of this source, or it would have to wait longer
     */
    public boolean offer(Object source, T work, int most, int turns) {
        int others = waiting.getAndIncrement();
        int active = lanes.size() + (lanes.containsKey(source) ? 0 : 1);
        boolean[] taken = new boolean[1];
        if (others < most) {
            lanes.compute(source, (same, there) -> {
                Lane<T> lane = there == null ? new Lane<>(source) : there;
                int before = lane.work.size();
                taken[0] = before < most - others && before < turns / Math.max(1, active);
                if (taken[0]) {
                    lane.work.add(work);
                }
                return settled(lane);
            });
        }
        if (!taken[0]) {
            waiting.decrementAndGet();
        }
        return taken[0];
    }

    /** The next piece of work, of which the lane has had to wait longest; null if none may begin. */
    public @Nullable Taken<T> take() {
        Lane<T> next = turns.poll();
        if (next == null) {
            return null;
        }
        AtomicReference<@Nullable Taken<T>> taken = new AtomicReference<>();
        lanes.compute(next.source, (source, same) -> {
            next.queued = false;
            T work = next.work.peek();
            if (work == null || next.running > 0 && next.running >= atOnce.applyAsInt(work)) {
                return next.running == 0 ? null : next; // goes on when one of those under way is done
            }
            next.work.remove();
            next.running++;
            taken.set(new Taken<>(source, work));
            return settled(next);
        });
        Taken<T> work = taken.get();
        if (work != null) {
            waiting.decrementAndGet();
        }
        return work;
    }

    /** What was taken is over. */
    public void done(Taken<T> taken) {
        lanes.computeIfPresent(taken.source, (source, lane) -> {
            lane.running--;
            return settled(lane);
        });
    }

    private @Nullable Lane<T> settled(Lane<T> lane) {
        if (!lane.work.isEmpty() && !lane.queued) {
            lane.queued = true;
            turns.add(lane);
            ready.run();
        }
        return lane.work.isEmpty() && lane.running == 0 ? null : lane;
    }

    /** How many pieces nobody has taken yet. */
    public int waiting() {
        return waiting.get();
    }

    /** Lanes that have work, waiting or under way. */
    int lanes() {
        return lanes.size();
    }

    /** Forgets what waits. */
    public void clear() {
        turns.clear();
        lanes.clear();
    }
}
