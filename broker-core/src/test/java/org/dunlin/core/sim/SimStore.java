package org.dunlin.core.sim;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.SessionRecord;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.mqtt.Message;

/**
 * The test's thread only. A store that commits late, in one order that keeps the order of each loop, and fails when the seed
 * says so. It keeps what it is given, so that it can be compared with what the sessions owe.
 */
final class SimStore implements Store {
    private final SimLoops loops;
    private final Random random;
    private final int delayMicrosMax;
    private final int failPercent;
    private final Map<Integer, ArrayDeque<Write>> waiting = new HashMap<>();
    private final Map<Long, Long> lastSeqs = new HashMap<>();
    private final Set<Long> removed = new HashSet<>();
    private int waitingCount;
    private boolean working;
    private boolean calm;
    private long lastSid;
    private int failures;

    /** What is kept: by session or group. */
    final Map<Long, Kept> owners = new TreeMap<>();

    final Map<String, Retained> retained = new TreeMap<>();
    int delayed;

    record Retained(Message message, long stamp) {}

    static final class Kept {
        long generation;
        boolean session;
        final Map<Long, Message> queue = new TreeMap<>();
        final Set<Integer> released = new HashSet<>();
        final Set<Integer> inbound = new HashSet<>();
        final Set<String> filters = new HashSet<>();

        boolean owesNothing() {
            return queue.isEmpty() && released.isEmpty() && inbound.isEmpty();
        }

        @Override
        public String toString() {
            return "queue=" + queue.keySet() + " released=" + released + " inbound=" + inbound;
        }
    }

    private record Write(Batch batch, Completion done) {}

    SimStore(SimLoops loops, Random random, int failPercent) {
        this.loops = loops;
        this.random = random;
        this.failPercent = failPercent;
        this.delayMicrosMax = random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(random.nextBoolean() ? 500 : 60_000);
    }

    /** From now on nothing fails. */
    void calm() {
        calm = true;
    }

    int failures() {
        return failures;
    }

    @Override
    public StoreBatch newBatch() {
        return new Batch();
    }

    @Override
    public void write(StoreBatch batch, Completion done) {
        Write write = new Write((Batch) batch, done);
        if (delayMicrosMax == 0 && !working) {
            commit(write);
            return;
        }
        waiting.computeIfAbsent(loops.caller(), loop -> new ArrayDeque<>()).add(write);
        waitingCount++;
        work();
    }

    private void work() {
        if (!working && waitingCount > 0) {
            working = true;
            loops.later(random.nextInt(delayMicrosMax + 1), this::commitSome);
        }
    }

    private void commitSome() {
        int count = 1 + random.nextInt(waitingCount);
        List<ArrayDeque<Write>> queues = new ArrayList<>(waiting.values());
        while (count > 0) {
            Write next = queues.get(random.nextInt(queues.size())).poll();
            if (next != null) {
                count--;
                waitingCount--;
                commit(next);
            }
        }
        working = false;
        work();
    }

    private void commit(Write write) {
        if (!calm && random.nextInt(100) < failPercent) {
            failures++;
            write.done.done("the disk is full");
            return;
        }
        write.batch.changes.forEach(Runnable::run);
        write.done.done(null);
    }

    private Kept of(SessionKey key) {
        Kept kept = owners.computeIfAbsent(key.sid(), sid -> new Kept());
        if (key.generation() < kept.generation && failures == 0) {
            throw new AssertionError("a write of an old generation: " + key + " after " + kept.generation);
        }
        return kept;
    }

    @Override
    public long nextSid() {
        return ++lastSid;
    }

    @Override
    public String promise() {
        return "as the seed says";
    }

    @Override
    public void close() {}

    /** The changes in their order; those for an owner that was removed are without effect. */
    private final class Batch implements StoreBatch {
        private final List<Runnable> changes = new ArrayList<>();

        private void change(SessionKey key, java.util.function.Consumer<Kept> what) {
            changes.add(() -> {
                if (!removed.contains(key.sid())) {
                    what.accept(of(key));
                }
            });
        }

        @Override
        public void putSession(SessionKey key, SessionRecord state) {
            change(key, kept -> {
                kept.session = true;
                kept.generation = key.generation();
            });
        }

        @Override
        public void removeSession(SessionKey key) {
            changes.add(() -> {
                owners.remove(key.sid());
                removed.add(key.sid());
            });
        }

        @Override
        public void putSubscription(SessionKey key, SubscriptionRecord subscription) {
            change(key, kept -> kept.filters.add(subscription.filter()));
        }

        @Override
        public void removeSubscription(SessionKey key, String filter) {
            change(key, kept -> kept.filters.remove(filter));
        }

        @Override
        public void enqueue(Message message, List<? extends Target> to) {
            changes.add(() -> {
                for (Target target : to) {
                    long sid = target.owner().sid();
                    long seq = lastSeqs.merge(sid, 1L, Long::sum);
                    target.placed(seq);
                    if (!removed.contains(sid)) { // whatever the generation: it may have been gathered before a CONNECT
                        owners.computeIfAbsent(sid, none -> new Kept()).queue.put(seq, message);
                    }
                }
            });
        }

        @Override
        public void ack(SessionKey key, long seq) {
            change(key, kept -> {
                if (kept.queue.remove(seq) == null && failures == 0) {
                    throw new AssertionError("the message at " + seq + " of " + key + " is done with twice");
                }
            });
        }

        @Override
        public void released(SessionKey key, long seq, int packetId) {
            change(key, kept -> {
                if (kept.queue.remove(seq) == null && failures == 0) {
                    throw new AssertionError("the message at " + seq + " of " + key + " is released twice");
                }
                kept.released.add(packetId);
            });
        }

        @Override
        public void completed(SessionKey key, int packetId) {
            change(key, kept -> kept.released.remove(packetId));
        }

        @Override
        public void inboundId(SessionKey key, int packetId, boolean present) {
            change(key, kept -> {
                if (present) {
                    kept.inbound.add(packetId);
                } else {
                    kept.inbound.remove(packetId);
                }
            });
        }

        @Override
        public void retain(Message message, long stamp) {
            changes.add(() -> {
                Retained old = retained.get(message.topic().text());
                if (old == null || old.stamp < stamp) {
                    retained.put(message.topic().text(), new Retained(message, stamp));
                }
            });
        }

        @Override
        public void putDelayed(long dueAtMillis, Message message) {
            changes.add(() -> delayed++);
        }

        @Override
        public void removeDelayed(long dueAtMillis, Message message) {
            changes.add(() -> delayed--);
        }
    }
}
