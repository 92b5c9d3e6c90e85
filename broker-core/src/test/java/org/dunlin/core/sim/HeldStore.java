package org.dunlin.core.sim;

import java.util.ArrayList;
import java.util.List;
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

    @Override
    public StoreBatch newBatch() {
        return memory.newBatch();
    }

    @Override
    public void write(StoreBatch batch, Completion done) {
        if (holds) {
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
    public long nextSid() {
        return memory.nextSid();
    }

    @Override
    public String promise() {
        return "none";
    }

    @Override
    public void close() {}
}
