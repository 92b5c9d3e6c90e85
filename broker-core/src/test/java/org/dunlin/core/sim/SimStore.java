package org.dunlin.core.sim;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.dunlin.core.spi.MemoryStore;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreBatch;

/**
 * The test's thread only. A store that commits late, in one order that keeps the order of each loop, and fails when the seed
 * says so. What it has committed is in a {@link MemoryStore}, which outlives a broker that is dropped.
 */
final class SimStore implements Store {
    private final SimLoops loops;
    private final Random random;
    private final int delayMicrosMax;
    private final int failPercent;
    private final MemoryStore committed = new MemoryStore();
    private final Map<Integer, ArrayDeque<Write>> waiting = new HashMap<>();
    private int waitingCount;
    private boolean working;
    private boolean calm;
    private int failures;

    private record Write(StoreBatch batch, Completion done) {}

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
    public void open(Boot boot) {
        committed.open(boot);
    }

    @Override
    public long nowMillis() {
        return loops.nowMillis();
    }

    @Override
    public StoreBatch newBatch() {
        return committed.newBatch();
    }

    @Override
    public void write(StoreBatch batch, Completion done) {
        Write write = new Write(batch, done);
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
        committed.write(write.batch, write.done);
    }

    @Override
    public long nextId() {
        return committed.nextId();
    }

    @Override
    public void readQueue(long owner, long afterSeq, long throughSeq, int maxMessages, long maxBytes, Page page) {
        committed.readQueue(owner, afterSeq, throughSeq, maxMessages, maxBytes, page);
    }

    @Override
    public boolean isWritable() {
        return true;
    }

    @Override
    public void whenWritable(Runnable task) {
        task.run();
    }

    @Override
    public Status status() {
        return committed.status();
    }

    @Override
    public void backup(Path directory) {
        throw new UnsupportedOperationException();
    }

    @Override
    public String promise() {
        return "as the seed says";
    }

    @Override
    public void close() {}
}
