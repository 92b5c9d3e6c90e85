package org.dunlin.core.session;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.dunlin.core.figures.Depth;
import org.dunlin.core.inspect.Fate;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.limits.QueueLimits.Overflow;
import org.dunlin.core.session.Intake.HeldBack;
import org.dunlin.core.spi.DropReason;
import org.dunlin.core.spi.Store;
import org.dunlin.mqtt.Message;
import org.jspecify.annotations.Nullable;

/**
 * Messages of one session or shared group that wait for its window, oldest first; bounded by number and bytes, with the
 * policies for a full queue. Shard thread only. Whatever it loses it reports.
 *
 * <p>Of stored messages only the oldest are in the heap, and while the owner is away none but what is left of a page that was
 * read to drop the oldest: the others are known by their number, their bytes and the places they are at, and come back page
 * by page. What was in the heap and has been taken out is never read again, so a page holds nothing that somebody has.
 */
final class MessageQueue {
    /** While memory is tight no more than this part of a page is read, and only when the heap has nothing. */
    private static final int TIGHT_PART = 16;
    /** Of queues that have not had any. Nothing is put into it. */
    private static final ArrayDeque<Outgoing> NONE = new ArrayDeque<>(0);

    private final Supplier<QueueLimits> limits;
    private final Paging paging;
    private final MemoryBudget.Account memory;
    private final Depth depth;
    private final Predicate<Message> expired;
    private final Owner owner;
    private ArrayDeque<Outgoing> waiting = NONE;
    /** Of those that are not lent. */
    private long bytes;

    private int lent;
    /** Messages on their way through the store. */
    private int reserved;
    /** Those of them that must not be dropped any more, since their publishers have been promised as much. */
    private int promised;

    private long promisedBytes;
    /** Publishers that wait for room, in their order. */
    private @Nullable ArrayDeque<HeldBack> held;

    /** Whether what comes is kept in the heap, as far as there is room. */
    private boolean resident;
    /** Messages that only the store has, with their bytes; they come after all that wait in the heap. */
    private long spilled;

    private long spilledBytes;
    /** No message with a place up to this one is read any more. */
    private long readThrough;

    private long lastSpilled;
    private @Nullable Load loading;
    /** Messages are to be dropped, as soon as they have been read. */
    private boolean dropping;
    /** Places of messages that have gone past others, and that the store still holds. */
    private Set<Long> passed = Set.of();
    /** Those of them that the store holds no more, but a page on its way may. */
    private List<Long> gone = List.of();
    /** Of what is read, messages up to this place may have been sent by an earlier process. */
    private long doubtfulThrough;

    private boolean nearlyFull;

    /**
     * How much of a stored queue is in the heap.
     *
     * @param heapMessages stored messages in the heap from which on others stay with the store
     * @param heapBytes their weight, likewise
     * @param pageMessages read at a time at most
     * @param pageBytes their weight at most, but one is always read
     * @param low messages in the heap below which the next page is asked for, at least 1
     */
    record Paging(int heapMessages, long heapBytes, int pageMessages, long pageBytes, int low) {
        static final Paging DEFAULTS = new Paging(1024, 1 << 20, 128, 256 << 10, 32);
    }

    /**
     * @param limits as they count at the moment
     * @param expired whether a message's time is up now
     */
    MessageQueue(
            Supplier<QueueLimits> limits,
            Paging paging,
            MemoryBudget.Account memory,
            Depth depth,
            Predicate<Message> expired,
            Owner owner) {
        this.limits = limits;
        this.paging = paging;
        this.memory = memory;
        this.depth = depth;
        this.expired = expired;
        this.owner = owner;
    }

    /** A queue of that shard, with the limits of the broker. */
    static MessageQueue on(Shard shard, Depth depth, Owner owner) {
        Shards shards = shard.shards();
        return new MessageQueue(
                shards.queueLimitsNow(), shards.paging(), shard.memory(), depth, shard.expired(), owner);
    }

    /** Messages that wait, in the heap or with the store alone. */
    long size() {
        return waiting.size() + spilled;
    }

    /** Of {@link #size()} those that are in the heap. */
    int inHeap() {
        return waiting.size();
    }

    /** Of all that wait, in the heap and in the store. */
    long bytes() {
        return bytes;
    }

    /** How many of them a shared group has lent; they are bounded by its credits and not by this queue's limits. */
    int lent() {
        return lent;
    }

    boolean isEmpty() {
        return waiting.isEmpty() && spilled == 0;
    }

    /** Whether nothing waits, nothing is promised and nobody waits for room. */
    boolean isIdle() {
        return isEmpty() && reserved == 0 && !hasHeld();
    }

    /** Whether messages are being read. */
    boolean isLoading() {
        return loading != null;
    }

    boolean hasHeld() {
        return held != null && !held.isEmpty();
    }

    private boolean isFull(int weight) {
        long count = size() - lent + promised;
        return count >= limits.get().maxMessages()
                || count > 0 && bytes + promisedBytes + weight > limits.get().maxBytes();
    }

    /** Whether a message may come in under a policy that refuses at a full queue; those that wait for room are first. */
    boolean admits(int weight) {
        return !hasHeld() && !isFull(weight);
    }

    /** A message goes through the store first; under a policy that answers its place is kept. */
    void reserve(int weight, Overflow overflow) {
        reserved++;
        if (overflow.answers()) {
            promised++;
            promisedBytes += weight;
        }
    }

    void unreserve(int weight, Overflow overflow) {
        reserved--;
        if (overflow.answers()) {
            promised--;
            promisedBytes -= weight;
        }
    }

    /**
     * Adds one; at a full queue drops the oldest or, by {@link Overflow#DROP_NEWEST}, this one. Under a policy that answers
     * it has been admitted before and is never dropped. This one goes, too, if so many of the oldest are already to be dropped
     * that the store does not keep up with reading them, or cannot.
     */
    void add(Outgoing message, Overflow overflow) {
        int weight = message.message().weight();
        if (!overflow.answers() && isFull(weight)) {
            boolean farTooFull = overflow == Overflow.DROP_OLDEST && isFarTooFull();
            if (overflow == Overflow.DROP_OLDEST) {
                dropOldest(weight);
            }
            if (overflow == Overflow.DROP_NEWEST || farTooFull) {
                if (message.seq > 0) {
                    passed(message.seq); // what is told to be lost must not be read again
                }
                owner.dropped(message, DropReason.QUEUE_FULL);
                return;
            }
        }
        bytes += weight;
        boolean stays = message.seq > 0
                && (!resident
                        || spilled > 0
                        || waiting.size() >= paging.heapMessages
                        || (bytes > paging.heapBytes || memory.budget().isTight()) && !waiting.isEmpty());
        if (stays) {
            spilled++;
            spilledBytes += weight;
            lastSpilled = message.seq;
            depth.stored(1, weight);
        } else {
            enter(message);
            if (message.seq > 0) {
                readThrough = message.seq;
            }
        }
        watch();
    }

    /** Says when four fifths of what may wait do, and when they do not any more. */
    void watch() {
        QueueLimits bounds = limits.get();
        boolean now = size() - lent >= bounds.maxMessages() - bounds.maxMessages() / 5
                || bytes >= bounds.maxBytes() - bounds.maxBytes() / 5;
        if (now != nearlyFull) {
            nearlyFull = now;
            depth.nearlyFull(now);
        }
    }

    /** What {@link #add} would come to. */
    Fate foresee(int weight, Overflow overflow) {
        if (overflow.answers() || !isFull(weight)) {
            return Fate.QUEUED;
        }
        return overflow == Overflow.DROP_OLDEST && !isFarTooFull() ? Fate.OLDEST_DROPPED : Fate.NEWEST_DROPPED;
    }

    /** Whether what waits to be read only to be dropped exceeds all that may wait, and a heap full more. */
    private boolean isFarTooFull() {
        return size() - lent >= 2L * limits.get().maxMessages() + paging.heapMessages
                || bytes >= 2 * limits.get().maxBytes() + paging.heapBytes;
    }

    /** Makes room; what only the store has is dropped when it has been read, since it has to be said what it was. */
    private void dropOldest(int weight) {
        for (Iterator<Outgoing> oldest = waiting.iterator(); isFull(weight) && oldest.hasNext(); ) {
            Outgoing message = oldest.next();
            if (!message.isLent()) {
                oldest.remove();
                left(message);
                owner.dropped(message, DropReason.QUEUE_FULL);
            }
        }
        if (spilled > 0 && isFull(weight)) {
            dropping = true;
            load();
        }
        refill();
    }

    /** A stored message has gone past the queue, and is not to be read; behind an empty one it cannot be. */
    void passed(long seq) {
        if (isEmpty()) {
            readThrough = Math.max(readThrough, seq);
            return;
        }
        if (passed.isEmpty()) {
            passed = new HashSet<>(4);
        }
        passed.add(seq);
    }

    boolean isPassed(long seq) {
        return passed.contains(seq);
    }

    /** The store does not hold it any more. */
    void forgetPassed(long seq) {
        if (loading == null) {
            passed.remove(seq);
        } else {
            gone = gone.isEmpty() ? new ArrayList<>(2) : gone;
            gone.add(seq);
        }
    }

    /** Adds one that its lender has bounded already. */
    void addLent(Outgoing message) {
        enter(message);
        lent++;
    }

    private void enter(Outgoing message) {
        waiting = waiting == NONE ? new ArrayDeque<>(4) : waiting;
        waiting.addLast(message);
        memory.hold(message.message());
        depth.inMemory(1, message.message().weight());
    }

    private void left(Outgoing message) {
        int weight = message.message().weight();
        memory.letGo(message.message());
        depth.inMemory(-1, -weight);
        if (message.isLent()) {
            lent--;
        } else {
            bytes -= weight;
            watch();
        }
    }

    /** The oldest that has not expired [MQTT-3.3.2-5]; null if there is none, or none has been read yet. */
    @Nullable
    Outgoing poll() {
        while (!waiting.isEmpty()) {
            Outgoing message = waiting.removeFirst();
            left(message);
            if (waiting.size() < paging.low) {
                load();
            }
            // an identifier that the client may know must not be given to another message
            if (!expired.test(message.message()) || message.mayBeKnown()) {
                return message;
            }
            owner.dropped(message, DropReason.EXPIRED);
        }
        return null;
    }

    // ---- what only the store has

    /** What the store has told of it when the broker was started. */
    void restore(long messages, long weight, long firstSeq, long lastSeq) {
        assert isEmpty();
        spilled = messages;
        spilledBytes = weight;
        bytes = weight;
        readThrough = firstSeq - 1;
        lastSpilled = lastSeq;
        depth.stored(messages, weight);
        watch();
    }

    /** Messages up to this place may have been sent by an earlier process. */
    void doubt(long throughSeq) {
        doubtfulThrough = throughSeq;
    }

    /** The owner can take messages: what comes is kept at hand, and what the store has is read. */
    void takeIn() {
        resident = true;
        if (waiting.size() < paging.low) {
            load();
        }
    }

    /** The owner is away: stored messages are left to the store. Nothing lent may be in here. */
    void putOut() {
        resident = false;
        endLoad();
        Outgoing first = waiting.peekFirst();
        if (first != null && first.seq > 0) { // else of an owner that is not kept
            putOut(first);
        }
        if (dropping) {
            load();
        }
    }

    private void putOut(Outgoing first) {
        readThrough = first.seq - 1;
        for (Outgoing message : waiting) {
            spilled++;
            spilledBytes += message.message().weight();
            lastSpilled = Math.max(lastSpilled, message.seq);
            if (message.dup) {
                doubtfulThrough = Math.max(doubtfulThrough, message.seq);
            }
            memory.letGo(message.message());
            depth.inMemory(-1, -message.message().weight());
            depth.stored(1, message.message().weight());
        }
        waiting = NONE;
    }

    /** Asks for the next page, whatever has made the heap empty. */
    private void refill() {
        if (resident && waiting.size() < paging.low) {
            load();
        }
    }

    private void load() {
        boolean tight = memory.budget().isTight() && !dropping;
        if (loading == null && spilled > 0 && !(tight && !waiting.isEmpty())) {
            Load load = new Load(lastSpilled, spilled);
            loading = load;
            int part = tight ? TIGHT_PART : 1;
            owner.read(
                    readThrough,
                    load.through,
                    Math.max(paging.pageMessages / part, 1),
                    Math.max(paging.pageBytes / part, 1),
                    load);
        }
    }

    /** No page is on its way any more. */
    private void endLoad() {
        loading = null;
        gone.forEach(passed::remove);
        gone = List.of();
    }

    /** One page on its way from the store; to be told on the shard's thread. */
    final class Load implements Store.Page {
        private final long through;
        private final long expected;

        private Load(long through, long expected) {
            this.through = through;
            this.expected = expected;
        }

        @Override
        public void read(List<Store.Stored> messages, boolean more, @Nullable String failure) {
            if (loading != this) {
                return; // the owner has left meanwhile
            }
            if (failure != null) {
                endLoad();
                owner.failed(failure);
                return;
            }
            long since = spilled - expected;
            for (Store.Stored stored : messages) {
                readThrough = stored.seq();
                if (isPassed(stored.seq())) {
                    continue;
                }
                Outgoing message = new Outgoing(
                        stored.message(),
                        stored.qos(),
                        stored.retain(),
                        stored.subscriptionIds(),
                        stored.seq(),
                        stored.body(),
                        null);
                message.dup = stored.seq() <= doubtfulThrough;
                enter(message);
                spilled--;
                spilledBytes -= stored.message().weight();
                depth.stored(-1, -stored.message().weight());
            }
            if (!more) {
                readThrough = through;
                settle(since);
            }
            endLoad();
            if (dropping) {
                dropExcess();
            }
            if (resident && waiting.size() < paging.low || dropping) {
                load();
            }
            owner.loaded();
        }

        /** The store has fewer than was thought: a body that is gone counts as acknowledged. */
        private void settle(long since) {
            depth.stored(since - spilled, since == 0 ? -spilledBytes : 0);
            spilled = since;
            if (since == 0) {
                bytes -= spilledBytes;
                spilledBytes = 0;
            }
            watch();
        }
    }

    /** Makes the room that was not there for what came. */
    private void dropExcess() {
        Iterator<Outgoing> oldest = waiting.iterator();
        while (isOverfull() && oldest.hasNext()) {
            Outgoing message = oldest.next();
            if (!message.isLent()) {
                oldest.remove();
                left(message);
                owner.dropped(message, DropReason.QUEUE_FULL);
            }
        }
        dropping = spilled > 0 && isOverfull();
    }

    private boolean isOverfull() {
        long count = size() - lent + promised;
        return count > 1
                && (count > limits.get().maxMessages()
                        || bytes + promisedBytes > limits.get().maxBytes());
    }

    /** Forgets what only the store has, without reading it. @return how many messages that were */
    long forgetSpilled() {
        long forgotten = spilled;
        depth.stored(-spilled, -spilledBytes);
        bytes -= spilledBytes;
        spilled = 0;
        spilledBytes = 0;
        watch();
        dropping = false;
        endLoad();
        return forgotten;
    }

    // ---- publishers that wait for room

    /** Lets a publisher wait for room. */
    void hold(HeldBack publisher) {
        if (held == null) {
            held = new ArrayDeque<>(4);
        }
        held.add(publisher);
    }

    /** Gives publishers that wait the room there is now. @return whether there were any */
    boolean admitHeld() {
        boolean any = false;
        while (held != null && !held.isEmpty() && !isFull(held.getFirst().weight())) {
            held.removeFirst().admitted();
            any = true;
        }
        return any;
    }

    /** Ends the waiting of one publisher, if it still waits. */
    void giveUpHeld(HeldBack publisher) {
        if (held != null && held.remove(publisher)) {
            publisher.gaveUp(DropReason.QUEUE_FULL);
        }
    }

    /** The owner has ended, and so has the waiting of all. */
    void giveUpAllHeld() {
        while (held != null && !held.isEmpty()) {
            held.removeFirst().gaveUp(DropReason.SESSION_ENDED);
        }
    }

    /** The owner has ended; what is in here is nobody's. */
    void clear() {
        forgetSpilled();
        for (Outgoing message : waiting) {
            left(message);
        }
        waiting = NONE;
        watch();
    }

    /** Takes out of the heap all that the test accepts, oldest first. */
    List<Outgoing> takeOut(Predicate<Outgoing> which) {
        List<Outgoing> taken = new ArrayList<>();
        waiting.removeIf(message -> {
            if (!which.test(message)) {
                return false;
            }
            left(message);
            taken.add(message);
            return true;
        });
        watch();
        refill();
        return taken;
    }

    /** Whose queue it is. */
    interface Owner {
        /** A message is lost; must not add to the queue. */
        void dropped(Outgoing message, DropReason reason);

        /** Asks the store; the answer goes to the page on the shard's thread, never before this returns. */
        void read(long afterSeq, long throughSeq, int maxMessages, long maxBytes, Store.Page page);

        /** A page has been read: there is something to poll. */
        void loaded();

        /** The queue cannot be read, in words for people. */
        void failed(String cause);
    }
}
