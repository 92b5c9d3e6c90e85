package org.dunlin.core.spi;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/**
 * The store that forgets with the process, and the measure of all others. Any thread. The thread that finds nobody at work
 * does what is waiting, its own errand among it, so nobody ever waits. Opened again, while nobody
 * uses it, it tells what it holds: a broker that is started on the store of one that was dropped finds what a crash would
 * have left.
 */
public final class MemoryStore implements Store {
    private static final int STAMPS = 65_536;
    private static final long STARTED_MILLIS = System.currentTimeMillis();
    private static final long STARTED_NANOS = System.nanoTime();

    private final Queue<Runnable> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger pending = new AtomicInteger();
    private final AtomicLong lastId = new AtomicLong();

    // what follows is touched by the thread at work alone
    private final Map<Long, Owner> owners = new HashMap<>();
    private final Map<TopicName, Retained> retained = new HashMap<>();
    /** The stamps of late, since batches of different threads may pass each other: far more than are ever under way. */
    private final Map<TopicName, Long> stamps = new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<TopicName, Long> eldest) {
            return size() > STAMPS;
        }
    };

    private final Map<Long, Delayed> delayed = new TreeMap<>();
    private long strayPlaces;

    public MemoryStore() {}

    @Override
    public void open(Boot boot) {
        work(() -> {
            boot.began(nowMillis());
            owners.forEach((id, owner) -> tell(id, owner, boot));
            owners.forEach((id, owner) -> tellContent(id, owner, boot));
            stamps.clear(); // a broker that begins anew counts from what it is told here
            retained.forEach((topic, kept) -> {
                stamps.put(topic, kept.stamp);
                boot.retained(kept.message, kept.stamp);
            });
            delayed.forEach((id, later) -> boot.delayed(id, later.dueAtMillis, later.message));
        });
    }

    private static void tell(long id, Owner owner, Boot boot) {
        SessionKey key = new SessionKey(id, owner.generation);
        if (owner.state != null) {
            boot.session(key, owner.state);
        } else if (owner.group != null) {
            boot.group(key, owner.group);
        }
    }

    private static void tellContent(long id, Owner owner, Boot boot) {
        owner.subscriptions.values().forEach(subscription -> boot.subscription(id, subscription));
        if (!owner.queue.isEmpty()) {
            long bytes = 0;
            for (Stored stored : owner.queue.values()) {
                bytes += stored.message().weight();
            }
            boot.queue(id, owner.queue.size(), bytes, owner.queue.firstKey(), owner.queue.lastKey());
        }
        owner.released.forEach((packetId, seq) -> boot.released(id, seq, packetId));
        owner.numbered.forEach((seq, packetId) -> boot.numbered(id, seq, packetId));
        owner.inbound.forEach((packetId, present) -> boot.inboundId(id, packetId));
    }

    @Override
    public long nowMillis() {
        return STARTED_MILLIS + (System.nanoTime() - STARTED_NANOS) / 1_000_000;
    }

    @Override
    public StoreBatch newBatch() {
        return new Batch();
    }

    @Override
    public void write(StoreBatch batch, Completion done) {
        work(() -> {
            ((Batch) batch).changes.forEach(Runnable::run);
            done.done(null);
        });
    }

    private void work(Runnable errand) {
        waiting.add(errand);
        if (pending.getAndIncrement() != 0) {
            return;
        }
        do {
            waiting.remove().run();
        } while (pending.decrementAndGet() != 0);
    }

    @Override
    public long nextId() {
        return lastId.incrementAndGet();
    }

    @Override
    public void readQueue(long owner, long afterSeq, long throughSeq, int maxMessages, long maxBytes, Page page) {
        work(() -> {
            List<Stored> read = new ArrayList<>();
            Owner kept = owners.get(owner);
            boolean more = false;
            if (kept != null && throughSeq > afterSeq) {
                long bytes = 0;
                for (Stored stored :
                        kept.queue.subMap(afterSeq, false, throughSeq, true).values()) {
                    bytes += stored.message().weight();
                    if (read.size() == maxMessages || !read.isEmpty() && bytes > maxBytes) {
                        more = true;
                        break;
                    }
                    read.add(stored);
                }
            }
            page.read(read, more, null);
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
        return new Status(null, 0, 0);
    }

    @Override
    public void backup(Path directory) throws StoreException {
        throw new StoreException(
                StoreException.Kind.UNSUPPORTED,
                "storage.engine is memory, which has no files to copy; only storage.engine: rocksdb can be backed up");
    }

    @Override
    public String promise() {
        return "none: sessions, queues and retained messages live in memory and end with the process";
    }

    @Override
    public void close() {}

    private static final class Owner {
        private long generation;
        private @Nullable SessionRecord state;
        private @Nullable String group;
        private final Map<String, StoreBatch.SubscriptionRecord> subscriptions = new HashMap<>(2);
        private final TreeMap<Long, Stored> queue = new TreeMap<>();
        private long lastSeq;
        /** Packet identifiers and the places that their messages had. */
        private final Map<Integer, Long> released = new TreeMap<>();

        private final Map<Long, Integer> numbered = new TreeMap<>();
        private final Map<Integer, Boolean> inbound = new TreeMap<>();
    }

    private record Retained(Message message, long stamp) {}

    private record Delayed(long dueAtMillis, Message message) {}

    private final class Batch implements StoreBatch {
        private final List<Runnable> changes = new ArrayList<>();

        private void change(SessionKey key, Consumer<Owner> what) {
            changes.add(() -> {
                Owner owner = owners.get(key.sid());
                if (owner != null && owner.generation <= key.generation()) {
                    what.accept(owner);
                }
            });
        }

        @Override
        public void unhurried() {}

        @Override
        public void putSession(SessionKey session, SessionRecord state) {
            changes.add(() -> {
                Owner owner = owners.computeIfAbsent(session.sid(), id -> new Owner());
                if (owner.generation <= session.generation()) {
                    owner.generation = session.generation();
                    owner.state = state;
                }
            });
        }

        @Override
        public void putGroup(SessionKey group, String filter) {
            changes.add(() -> owners.computeIfAbsent(group.sid(), id -> new Owner()).group = filter);
        }

        @Override
        public void removeOwner(SessionKey owner) {
            change(owner, kept -> owners.remove(owner.sid()));
        }

        @Override
        public void putSubscription(SessionKey session, SubscriptionRecord subscription) {
            change(session, owner -> owner.subscriptions.put(subscription.filter(), subscription));
        }

        @Override
        public void removeSubscription(SessionKey session, String filter) {
            change(session, owner -> owner.subscriptions.remove(filter));
        }

        @Override
        public void enqueue(Message message, List<? extends Target> targets) {
            changes.add(() -> {
                for (Target target : targets) {
                    Owner owner = owners.get(target.owner().sid());
                    if (owner == null) {
                        target.placed(++strayPlaces, 0);
                        continue;
                    }
                    long seq = ++owner.lastSeq;
                    target.placed(seq, 0);
                    owner.queue.put(
                            seq, new Stored(seq, 0, message, target.qos(), target.retain(), target.subscriptionIds()));
                }
            });
        }

        @Override
        public void ack(SessionKey owner, long seq, long body) {
            change(owner, kept -> take(kept, seq));
        }

        private static void take(Owner owner, long seq) {
            owner.queue.remove(seq);
            if (!owner.numbered.isEmpty()) {
                owner.numbered.remove(seq);
            }
        }

        @Override
        public void numbered(SessionKey session, long seq, int packetId) {
            change(session, owner -> owner.numbered.put(seq, packetId));
        }

        @Override
        public void released(SessionKey session, long seq, long body, int packetId) {
            change(session, owner -> {
                take(owner, seq);
                owner.released.put(packetId, seq);
            });
        }

        @Override
        public void completed(SessionKey session, int packetId) {
            change(session, owner -> owner.released.remove(packetId));
        }

        @Override
        public void inboundId(SessionKey session, int packetId, boolean present) {
            change(session, owner -> {
                if (present) {
                    owner.inbound.put(packetId, true);
                } else {
                    owner.inbound.remove(packetId);
                }
            });
        }

        @Override
        public void retain(TopicName topic, @Nullable Message message, long stamp) {
            changes.add(() -> {
                Long last = stamps.get(topic);
                if (last != null && last > stamp) {
                    return;
                }
                stamps.put(topic, stamp);
                if (message == null) {
                    retained.remove(topic);
                } else {
                    retained.put(topic, new Retained(message, stamp));
                }
            });
        }

        @Override
        public void putDelayed(long id, long dueAtMillis, Message message) {
            changes.add(() -> delayed.put(id, new Delayed(dueAtMillis, message)));
        }

        @Override
        public void removeDelayed(long id, long dueAtMillis) {
            changes.add(() -> delayed.remove(id));
        }
    }
}
