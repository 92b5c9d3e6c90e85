package org.dunlin.core.spi;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.dunlin.mqtt.Message;

/**
 * The store that forgets with the process. Any thread. Nothing is kept that the sessions and trees do not hold in the heap
 * already; it gives each queue its places and all batches one order, as every store does. The thread that finds nobody at
 * work applies what is waiting, its own batch among it, so nobody ever waits.
 */
public final class MemoryStore implements Store {
    private final Queue<Write> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger pending = new AtomicInteger();
    private final AtomicLong lastSid = new AtomicLong();
    /** Of the thread at work alone. */
    private long lastSeq;

    public MemoryStore() {}

    @Override
    public StoreBatch newBatch() {
        return new Batch();
    }

    @Override
    public void write(StoreBatch batch, Completion done) {
        waiting.add(new Write((Batch) batch, done));
        if (pending.getAndIncrement() != 0) {
            return;
        }
        do {
            Write next = waiting.remove();
            apply(next.batch);
            next.done.done(null);
        } while (pending.decrementAndGet() != 0);
    }

    private void apply(Batch batch) {
        for (int i = 0; i < batch.targets.size(); i++) {
            for (StoreBatch.Target target : batch.targets.get(i)) {
                target.placed(++lastSeq);
            }
        }
    }

    @Override
    public long nextSid() {
        return lastSid.incrementAndGet();
    }

    @Override
    public String promise() {
        return "none: sessions, queues and retained messages live in memory and end with the process";
    }

    @Override
    public void close() {}

    private record Write(Batch batch, Completion done) {}

    /** Remembers only what {@link #apply} needs. */
    private static final class Batch implements StoreBatch {
        private final List<List<? extends Target>> targets = new ArrayList<>();

        @Override
        public void putSession(SessionKey session, SessionRecord state) {}

        @Override
        public void removeSession(SessionKey session) {}

        @Override
        public void putSubscription(SessionKey session, SubscriptionRecord subscription) {}

        @Override
        public void removeSubscription(SessionKey session, String filter) {}

        @Override
        public void enqueue(Message message, List<? extends Target> to) {
            targets.add(to);
        }

        @Override
        public void ack(SessionKey session, long seq) {}

        @Override
        public void released(SessionKey session, long seq, int packetId) {}

        @Override
        public void completed(SessionKey session, int packetId) {}

        @Override
        public void inboundId(SessionKey session, int packetId, boolean present) {}

        @Override
        public void retain(Message message, long stamp) {}

        @Override
        public void putDelayed(long dueAtMillis, Message message) {}

        @Override
        public void removeDelayed(long dueAtMillis, Message message) {}
    }
}
