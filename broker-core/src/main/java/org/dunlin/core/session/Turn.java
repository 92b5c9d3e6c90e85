package org.dunlin.core.session;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.dunlin.core.routing.Match;
import org.dunlin.core.spi.Loop;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.mqtt.Message;
import org.jspecify.annotations.Nullable;

/**
 * What a shard has for the store and for other shards, which get it at the end of a turn of its loop: one batch, and one {@link
 * Outbox} for each shard. Shard thread only, but for the completions of the store.
 */
public final class Turn {
    /** After which the store is asked again for what it has failed to do. */
    private static final long RETRY_MILLIS = 1000;

    private final Shard shard;
    private final Shards shards;
    private final Loop loop;
    private final @Nullable Outbox[] outboxes = new @Nullable Outbox[Shards.MAX];
    private boolean pending;
    private @Nullable Commit commit;
    /** Deliveries that other shards get to do. */
    private long work;

    Turn(Shard shard) {
        this.shard = shard;
        this.shards = shard.shards();
        this.loop = shard.loop();
    }

    /** For tests: whether nothing waits for the end of a turn. */
    boolean isEmpty() {
        return commit == null;
    }

    private void touch() {
        if (!pending) {
            pending = true;
            loop.atEndOfTurn(this::end);
        }
    }

    private void end() {
        assert shard.inLoop();
        pending = false;
        // first, so that what another shard makes of the outboxes is behind it in the order of commits
        Commit due = commit;
        if (due != null) {
            commit = null;
            if (!due.awaited) {
                due.batch.unhurried();
            }
            shards.store().write(due.batch, due);
        }
        work = 0;
        for (int i = 0; i < shards.count(); i++) {
            Outbox outbox = outboxes[i];
            if (outbox != null) {
                outboxes[i] = null;
                shards.shard(i).post(outbox);
            }
        }
    }

    /** What goes to another shard at the end of the turn. */
    private Outbox outbox(int target) {
        assert shard.inLoop() && target != shard.index();
        Outbox outbox = outboxes[target];
        if (outbox == null) {
            outbox = new Outbox(shard);
            outboxes[target] = outbox;
            touch();
        }
        return outbox;
    }

    /** Gives another shard a message for its receivers, of which there are about so many. */
    void fanOut(int target, int receivers, Message message, Match match, @Nullable Ticket ticket) {
        int made = Math.max(receivers, 1);
        Outbox outbox = outbox(target);
        outbox.add(message, match, ticket);
        outbox.work += made;
        outbox.bytes += message.weight();
        work += made;
    }

    /** Gives another shard a task. */
    void post(int target, Runnable task) {
        Outbox outbox = outbox(target);
        outbox.add(task, null, null);
        outbox.work++;
    }

    /** Whether other shards have so much to do at its end that no more should be made for them in this turn. */
    public boolean isFull() {
        return work > shards.backlogHigh();
    }

    /** The batch of this turn. */
    StoreBatch batch() {
        return current().batch;
    }

    private Commit current() {
        assert shard.inLoop();
        Commit current = commit;
        if (current == null) {
            current = new Commit(shards.store().newBatch());
            commit = current;
            touch();
        }
        return current;
    }

    /** Runs when all that has been given to the store so far is durable, or has failed: then with a text for people. */
    public void afterCommit(Consumer<@Nullable String> then) {
        Commit current = current();
        current.awaited = true;
        current.then.add(then);
    }

    /** Runs as {@link #afterCommit} for a durable session, and at once for any other. */
    public void afterCommit(Session session, Consumer<@Nullable String> then) {
        afterCommit(session.durable(), then);
    }

    /** Runs as {@link #afterCommit}, or at once if nothing has to be durable. */
    public void afterCommit(boolean stored, Consumer<@Nullable String> then) {
        if (stored) {
            afterCommit(then);
        } else {
            then.accept(null);
        }
    }

    /** Removes what has ended from the store, which is asked until it does: else it would be back after a restart. */
    void removeOwner(SessionKey owner) {
        untilStored(() -> batch().removeOwner(owner));
    }

    /** Removes a session that has ended; until it is gone, no other one of its client is told that it has been made. */
    void removeSession(String clientId, SessionKey session) {
        shards.registry().leaving(clientId, session);
        batch().removeOwner(session);
        afterCommit(failure -> {
            if (failure == null) {
                shards.registry().left(clientId, session);
            } else {
                later(() -> removeSession(clientId, session));
            }
        });
    }

    /** Removes what is still in the store of former sessions of a client. @return whether there is anything */
    boolean removeLeaving(String clientId) {
        List<SessionKey> sessions = shards.registry().leaving(clientId);
        sessions.forEach(session -> batch().removeOwner(session));
        return !sessions.isEmpty();
    }

    /** Changes a batch, and another one later as long as the store fails. */
    void untilStored(Runnable change) {
        change.run();
        current().then.add(failure -> {
            if (failure != null) {
                later(() -> untilStored(change));
            }
        });
    }

    /** Runs what the store has failed to do once more, a while after. */
    Loop.Timer later(Runnable again) {
        return loop.schedule(again, RETRY_MILLIS);
    }

    /**
     * Tells the store that a message of a queue is done with. Should that fail, the owner is asked to {@link
     * Place.Owner#forget} it again: a message that was dropped must not be back after a restart, and none is to stay for ever.
     */
    void ack(Place.Owner owner, long seq, long body) {
        Commit current = current();
        current.batch.ack(owner.key(), seq, body);
        current.acked.add(new Acked(owner, seq, body));
    }

    /** A message that may have gone past others in its queue is being removed from the store, by this turn's batch. */
    void forgetPassed(MessageQueue queue, long seq) {
        if (queue.isPassed(seq)) {
            current().then.add(failure -> {
                if (failure == null) {
                    queue.forgetPassed(seq);
                }
            });
        }
    }

    /** Gives the store a message that no publisher waits for. */
    void store(Place place) {
        store(place.message, List.of(place));
    }

    /** Gives the store a message for all its places. */
    void store(Message message, List<? extends StoreBatch.Target> places) {
        Commit current = current();
        for (StoreBatch.Target place : places) {
            ((Place) place).queue.introduce(current.batch);
        }
        current.awaited = true;
        current.batch.enqueue(message, places);
        for (StoreBatch.Target place : places) {
            current.places.add((Place) place);
        }
    }

    /** Reads from a stored queue; the page is told on this shard's thread, never before this returns. */
    void readQueue(long owner, long afterSeq, long throughSeq, int maxMessages, long maxBytes, Store.Page page) {
        shards.store()
                .readQueue(
                        owner,
                        afterSeq,
                        throughSeq,
                        maxMessages,
                        maxBytes,
                        (messages, more, failure) ->
                                loop.execute(() -> shard.guard(() -> page.read(messages, more, failure))));
    }

    private record Acked(Place.Owner owner, long seq, long body) {}

    /** A turn's batch on its way through the store. */
    private final class Commit implements Store.Completion {
        private final StoreBatch batch;
        private final List<Consumer<@Nullable String>> then = new ArrayList<>();
        private final List<Place> places = new ArrayList<>();
        /** Somebody is told, or goes on, when it is durable. */
        private boolean awaited;

        private final List<Acked> acked = new ArrayList<>(0);

        private Commit(StoreBatch batch) {
            this.batch = batch;
        }

        /** On a thread of the store. Places go to their shards from here, so that each gets them in the order of commits. */
        @Override
        public void done(@Nullable String failure) {
            if (!places.isEmpty()) {
                for (int i = 0; i < shards.count(); i++) {
                    Shard owner = shards.shard(i);
                    List<Place> theirs = new ArrayList<>();
                    for (Place place : places) {
                        if (place.queue.shard() == owner) {
                            theirs.add(place);
                        }
                    }
                    if (!theirs.isEmpty()) {
                        owner.loop().execute(() -> settle(theirs, failure));
                    }
                }
            }
            if (!then.isEmpty()) {
                loop.execute(() -> then.forEach(task -> shard.guard(() -> task.accept(failure))));
            }
            if (failure != null && !acked.isEmpty()) {
                loop.execute(() -> later(() -> acked.forEach(done -> done.owner.forget(done.seq, done.body))));
            }
        }

        private void settle(List<Place> places, @Nullable String failure) {
            for (Place place : places) {
                if (failure == null) {
                    shard.guard(() -> place.queue.committed(place));
                } else if (!place.keeps) {
                    shard.guard(() -> place.queue.failed(place));
                }
            }
        }
    }

    /**
     * What one shard has for another, in order: messages to fan out there, and tasks. Filled on the sender's thread, emptied once
     * on the receiver's.
     */
    static final class Outbox {
        private final Shard from;
        /** A {@link Message} or a {@link Runnable}. */
        private @Nullable Object[] items = new @Nullable Object[16];

        private @Nullable Match[] matches = new @Nullable Match[16];
        private @Nullable Ticket[] tickets = new @Nullable Ticket[16];
        private int size;
        private long bytes;
        private long work;

        Outbox(Shard from) {
            this.from = from;
        }

        Shard from() {
            return from;
        }

        int size() {
            return size;
        }

        /** Weight of the messages. */
        long bytes() {
            return bytes;
        }

        /** Deliveries and tasks. */
        long work() {
            return work;
        }

        private void add(Object item, @Nullable Match match, @Nullable Ticket ticket) {
            if (size == items.length) {
                items = Arrays.copyOf(items, size * 2);
                matches = Arrays.copyOf(matches, size * 2);
                tickets = Arrays.copyOf(tickets, size * 2);
            }
            items[size] = item;
            matches[size] = match;
            tickets[size++] = ticket;
        }

        Object item(int i) {
            Object item = items[i];
            assert item != null;
            return item;
        }

        Match match(int i) {
            Match match = matches[i];
            assert match != null;
            return match;
        }

        @Nullable
        Ticket ticket(int i) {
            return tickets[i];
        }
    }
}
