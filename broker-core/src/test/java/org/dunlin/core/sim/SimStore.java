package org.dunlin.core.sim;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Random;
import org.dunlin.core.spi.MemoryStore;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreBatch;

/**
 * The test's thread only. A store that commits late, in the order in which it is written to, reads late, and fails when the
 * seed says so. What it has committed is in a {@link MemoryStore}, which outlives a broker that is dropped.
 */
final class SimStore implements Store {
    private final SimLoops loops;
    private final Random random;
    private final int delayMicrosMax;
    private final int readMicrosMax;
    private final int failPercent;
    private final MemoryStore committed = new MemoryStore();
    private final ArrayDeque<Write> waiting = new ArrayDeque<>();
    /** Which broker it serves: what a former one has asked for is not answered. */
    private int process;

    private long openedMillis;
    private long lastAliveMillis;
    private boolean working;
    private boolean calm = true;
    private int failures;

    private record Write(StoreBatch batch, Completion done, long atMicros) {}

    SimStore(SimLoops loops, Random random, int failPercent) {
        this.loops = loops;
        this.random = random;
        this.failPercent = failPercent;
        this.lastAliveMillis = loops.nowMillis();
        this.readMicrosMax = random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(random.nextBoolean() ? 500 : 60_000);
        this.delayMicrosMax = random.nextInt(3) == 0 ? 0 : 1 + random.nextInt(random.nextBoolean() ? 500 : 60_000);
    }

    /** From now on it fails, if it does. */
    void trouble() {
        calm = false;
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
        openedMillis = loops.nowMillis();
        committed.open(new BootAt(boot, lastAliveMillis));
    }

    /**
     * The broker is gone: what it has not heard of is committed in part. @return when the oldest of what is lost was written,
     * or the present time, in microseconds
     */
    long crash() {
        process++;
        working = false;
        for (int kept = random.nextInt(waiting.size() + 1); kept > 0; kept--) {
            committed.write(waiting.remove().batch, failure -> {});
        }
        long lost = waiting.isEmpty() ? loops.nowMicros() : waiting.getFirst().atMicros;
        waiting.clear();
        // never so late that something from before is lost
        if (lost / 1000 > openedMillis) {
            long lived = Math.min(lost / 1000 - 1, loops.nowMillis() - random.nextInt(1000));
            lastAliveMillis = Math.max(openedMillis, lived);
        }
        return lost;
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
        Write write = new Write(batch, done, loops.nowMicros());
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
            later(delayMicrosMax, this::commitSome);
        }
    }

    /** Runs at some time unless its broker is gone by then. */
    private void later(int microsMax, Runnable task) {
        int of = process;
        loops.later(random.nextInt(microsMax + 1), () -> {
            if (of == process) {
                task.run();
            }
        });
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
        later(readMicrosMax, () -> {
            if (!calm && random.nextInt(100) < failPercent) {
                failures++;
                later(readMicrosMax, () -> page.read(List.of(), true, "the disk is broken"));
            } else { // read now, told later
                committed.readQueue(
                        owner,
                        afterSeq,
                        throughSeq,
                        maxMessages,
                        maxBytes,
                        (messages, more, failure) -> later(readMicrosMax, () -> page.read(messages, more, failure)));
            }
        });
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
