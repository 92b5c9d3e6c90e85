package org.dunlin.core.limits;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Will;
import org.jspecify.annotations.Nullable;

/**
 * How much memory messages, sessions and buffers take together, and how much they may. Any thread; each shard has an {@link
 * Account} of its own, so that counting costs no more than an addition.
 *
 * <p>From {@link #isTight} on stored messages are left to the store, and publishers that make much of it pause between two reads,
 * ever longer ({@link #pauseMillis}). When it is {@link #isExhausted} publishers are not read
 * from, and when that has lasted, or much more has come in spite of it, what they publish is refused ({@link #isRefusing}).
 * Nothing that was accepted is lost by it.
 */
public final class MemoryBudget {
    /** A message waiting somewhere: what stands for it there, beside its bytes. */
    public static final int ENTRY_BYTES = 112;
    /** A session without messages, and its connection. */
    public static final int SESSION_BYTES = 4096;
    /** A shared group without messages. */
    public static final int GROUP_BYTES = 2048;

    private static final int SUBSCRIPTION_BYTES = 700;
    private static final int LEVEL_BYTES = 160;

    /** Messages up to this weight are counted wherever they wait, larger ones once however many hold them. */
    static final int SHARED_FROM_BYTES = 512;

    private static final long LONGEST_PAUSE_MILLIS = 500;

    private static final long MOST_STEP_BYTES = 64 * 1024;

    private volatile long limitBytes;
    private volatile long patienceMillis;
    /** As fine as the first budget asks for; those that a configuration may have ask for much the same. */
    private final long stepBytes;

    private final LongSupplier others;
    private final Watcher watcher;
    private final AtomicLong counted = new AtomicLong();
    private final Queue<Runnable> waiters = new ConcurrentLinkedQueue<>();
    /** What the buffers of connections took when they were looked at last. */
    private volatile long sampled;

    private volatile boolean tight;
    private volatile boolean exhausted;
    private volatile long exhaustedAtMillis;
    private volatile boolean farBeyond;

    /**
     * @param limitBytes what all may take together, positive
     * @param patienceMillis how long publishers wait before what they publish is refused
     * @param others what is not counted by accounts; may be called on any thread, at each {@link #review}
     * @param watcher is told when the budget is exhausted and when it is not any more
     */
    public MemoryBudget(long limitBytes, long patienceMillis, LongSupplier others, Watcher watcher) {
        if (limitBytes <= 0) {
            throw new IllegalArgumentException("a memory budget of " + limitBytes + " bytes");
        }
        this.limitBytes = limitBytes;
        this.patienceMillis = patienceMillis;
        this.stepBytes = Math.min(MOST_STEP_BYTES, Math.max(limitBytes / 256, 1));
        this.others = others;
        this.watcher = watcher;
    }

    /**
     * Others count from now on; how much is taken is held against them at the next {@link #review}.
     *
     * @param nextLimitBytes as for a new one
     * @param nextPatienceMillis as for a new one
     */
    public void bounds(long nextLimitBytes, long nextPatienceMillis) {
        if (nextLimitBytes <= 0) {
            throw new IllegalArgumentException("a memory budget of " + nextLimitBytes + " bytes");
        }
        limitBytes = nextLimitBytes;
        patienceMillis = nextPatienceMillis;
    }

    /** One that is never exhausted. */
    public static MemoryBudget unlimited() {
        return new MemoryBudget(Long.MAX_VALUE / 2, 0, () -> 0, (exhausted, used, limit) -> {});
    }

    /** What a will takes; 0 for none. */
    public static long ofWill(@Nullable Will will) {
        return will == null ? 0 : will.payload().length + will.properties().length + ENTRY_BYTES;
    }

    /** What a subscription takes: it stands in the session and, if nobody else has that filter, in the tree. */
    public static long ofSubscription(String filter) {
        long bytes = SUBSCRIPTION_BYTES + 2L * filter.length();
        for (int slash = filter.indexOf('/'); slash >= 0; slash = filter.indexOf('/', slash + 1)) {
            bytes += LEVEL_BYTES;
        }
        return bytes;
    }

    public long limitBytes() {
        return limitBytes;
    }

    /** What is taken, to within 64 KB for each shard, with buffers as of the last {@link #review}. */
    public long usedBytes() {
        return Math.max(counted.get() + sampled, 0);
    }

    /** What accounts have told; below 0 if one shard has yet to tell what another gave back. */
    public long countedBytes() {
        return counted.get();
    }

    /** Whether so much is taken that what the store has is better left there. */
    public boolean isTight() {
        return tight;
    }

    /** How long a publisher that takes much of it should pause between two reads: 0 unless it is tight, and 500 at most. */
    public long pauseMillis() {
        if (!tight) {
            return 0;
        }
        long limit = limitBytes;
        double beyond = Math.min(1, (usedBytes() - (limit - limit / 4)) / (limit / 4.0));
        return beyond <= 0 ? 0 : (long) Math.ceil(beyond * beyond * LONGEST_PAUSE_MILLIS);
    }

    /** Whether publishers should not be read from. */
    public boolean isExhausted() {
        return exhausted;
    }

    /** Whether what is published has to be refused: waiting has not helped, or there is no room to wait. */
    public boolean isRefusing(long nowMillis) {
        return exhausted && (farBeyond || nowMillis - exhaustedAtMillis >= patienceMillis);
    }

    public long patienceMillis() {
        return patienceMillis;
    }

    /** Runs a short task, on any thread, when the budget is no longer exhausted. */
    public void whenRelieved(Runnable task) {
        waiters.add(task);
        if (!exhausted && waiters.remove(task)) {
            task.run();
        }
    }

    /** Looks at what accounts do not count. To be called a few times a second. */
    public void review(long nowMillis) {
        sampled = others.getAsLong();
        judge(nowMillis);
    }

    private void judge(long nowMillis) {
        long limit = limitBytes;
        long used = counted.get() + sampled;
        tight = used > limit - limit / 4;
        farBeyond = used > limit + limit / 8;
        if (used >= limit) {
            exhaust(nowMillis, used, limit);
        } else if (exhausted && used < limit - limit / 10) {
            relieve(used, limit);
        }
    }

    private void exhaust(long nowMillis, long used, long limit) {
        if (!exhausted) {
            exhaustedAtMillis = nowMillis;
            exhausted = true;
            watcher.changed(true, used, limit);
        }
    }

    private void relieve(long used, long limit) {
        exhausted = false;
        watcher.changed(false, used, limit);
        for (Runnable waiter = waiters.poll(); waiter != null; waiter = waiters.poll()) {
            waiter.run();
        }
    }

    /** @param nowMillis the clock that {@link #isRefusing} is asked with */
    public Account account(LongSupplier nowMillis) {
        return new Account(nowMillis);
    }

    /** Is told of the state of a budget, on any thread; it may be told twice of the same. */
    public interface Watcher {
        void changed(boolean exhausted, long usedBytes, long limitBytes);
    }

    /** One shard's part of what is taken. On that shard's thread only. */
    public final class Account {
        private final LongSupplier nowMillis;
        private long untold;

        private Account(LongSupplier nowMillis) {
            this.nowMillis = nowMillis;
        }

        public MemoryBudget budget() {
            return MemoryBudget.this;
        }

        /** So much is taken, or with a negative number given back. */
        public void add(long bytes) {
            untold += bytes;
            if (untold >= stepBytes || untold <= -stepBytes) {
                tell();
            }
        }

        private void tell() {
            counted.addAndGet(untold);
            untold = 0;
            judge(nowMillis.getAsLong());
        }

        /** Somebody keeps a message; {@link #letGo} has to follow once. */
        public void hold(Message message) {
            int weight = message.weight();
            add(ENTRY_BYTES + (weight <= SHARED_FROM_BYTES || message.hold() ? weight : 0));
        }

        /** Whoever kept a message does not any more. */
        public void letGo(Message message) {
            int weight = message.weight();
            add(-ENTRY_BYTES - (weight <= SHARED_FROM_BYTES || message.letGo() ? weight : 0));
        }

        /** What is not in {@link #usedBytes} yet. */
        public long untoldBytes() {
            return untold;
        }
    }
}
