package org.dunlin.core.sim;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Random;
import org.dunlin.core.spi.MemoryStore;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreBatch;

/**
 * The test's thread only. A store that commits late, in the order in which it was given the batches, and fails when the seed
 * says so. What it has committed is in a {@link MemoryStore}, which outlives a broker that is dropped.
 */
final class SimStore implements Store {
    private final SimLoops loops;
    private final Random random;
    private final int delayMicrosMax;
    private final int failPercent;
    private final MemoryStore committed = new MemoryStore();
    private final ArrayDeque<Write> waiting = new ArrayDeque<>();
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
        waiting.add(write);
        work();
    }

    private void work() {
        if (!working && !waiting.isEmpty()) {
            working = true;
            loops.later(random.nextInt(delayMicrosMax + 1), this::commitSome);
        }
    }

    private void commitSome() {
        for (int count = 1 + random.nextInt(waiting.size()); count > 0; count--) {
            commit(waiting.remove());
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
