package org.dunlin.core.sim;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.dunlin.core.spi.MemoryStore;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreBatch;
import org.jspecify.annotations.Nullable;

/** The test's thread only. Commits at once, or in order when it is told to. */
final class HeldStore implements Store {
    private final MemoryStore memory = new MemoryStore();
    private final List<Runnable> held = new ArrayList<>();
    private final List<Completion> completions = new ArrayList<>();
    boolean holds;
    /** What every write fails with, if it does. */
    @Nullable
    String failure;

    private final LongSupplier clock;

    HeldStore(LongSupplier clock) {
        this.clock = clock;
    }

    @Override
    public StoreBatch newBatch() {
        return memory.newBatch();
    }

    @Override
    public void write(StoreBatch batch, Completion done) {
        String cause = failure;
        if (cause != null) {
            done.done(cause);
        } else if (holds) {
            held.add(() -> memory.write(batch, done));
            completions.add(done);
        } else {
            memory.write(batch, done);
        }
    }

    int waiting() {
        return held.size();
    }

    void releaseFirst() {
        completions.remove(0);
        held.remove(0).run();
    }

    void releaseOne(String failure) {
        held.remove(0);
        completions.remove(0).done(failure);
    }

    void release(@Nullable String failure) {
        while (!held.isEmpty()) {
            Runnable next = held.remove(0);
            Completion done = completions.remove(0);
            if (failure == null) {
                next.run();
            } else {
                done.done(failure);
            }
        }
    }

    @Override
    public void open(Boot boot) {
        memory.open(new BootAt(boot, clock.getAsLong()));
    }

    /** What it was given and has not committed is gone with the broker. */
    void crash() {
        held.clear();
        completions.clear();
        holds = false;
        failure = null;
    }

    @Override
    public long nowMillis() {
        return clock.getAsLong();
    }

    @Override
    public long nextId() {
        return memory.nextId();
    }

    @Override
    public void readQueue(long owner, long afterSeq, long throughSeq, int maxMessages, long maxBytes, Page page) {
        memory.readQueue(owner, afterSeq, throughSeq, maxMessages, maxBytes, page);
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
        return memory.status();
    }

    @Override
    public void backup(Path directory) {
        throw new UnsupportedOperationException();
    }

    @Override
    public String promise() {
        return "none";
    }

    @Override
    public void close() {}
}
