package org.dunlin.persistence.rocksdb;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.dunlin.core.figures.Histogram;
import org.dunlin.core.figures.Tally;
import org.dunlin.core.spi.Store.Completion;
import org.dunlin.core.spi.StoreSettings.Durability;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that writes. It takes what waits, makes one group of it, writes that and completes its batches in order;
 * groups grow by themselves while the disk is busy. After a failed write it never trusts the open files again: it closes and
 * opens them until they can be written to, and fails all batches meanwhile. {@link #write} on any thread.
 */
final class Writer {
    private static final Logger LOG = LoggerFactory.getLogger(Writer.class);
    private static final int GROUP_CHANGES = 4096;
    private static final long GROUP_BYTES = 4 << 20;
    private static final long LOOK_BYTES = 32 << 20;
    /** How long what nobody waits for may wait for company. */
    private static final long UNHURRIED_NANOS = 100_000_000;

    /** How long to wait when there is nothing: whatever comes then ends it. */
    private static final long IDLE_NANOS = 10_000_000_000L;

    private static final long PROBE_NANOS = 1_000_000_000;
    /** How much longer than opening the files in vain the pause behind that is. */
    private static final int PAUSES = 10;

    private final Queue<Waiting> queue = new ConcurrentLinkedQueue<>();
    private final Pressure pressure = new Pressure();
    private final Thread thread = new Thread(this::run, "store-writer");
    private final Durability durability;
    private final Disk disk;
    private final Space space;
    private final Ledger ledger;
    private final Files files;
    private final WriteOptions options;
    /** Batches in the queue that somebody waits for. */
    private final AtomicInteger hurried = new AtomicInteger();

    private volatile boolean idle;
    /** Whether all was written when it became idle, so that it does not look by itself. */
    private volatile boolean emptied;

    private volatile boolean closing;
    private volatile boolean ended;
    private volatile @Nullable String fault;
    private volatile long onDisk;

    // the rest is the writer thread's
    private @Nullable Database database;
    /** When it was seen that there is something that nobody waits for; 0 if there is nothing. */
    private long waitsSince;

    private boolean noSpace;
    private boolean lost;
    private long lastProbe;
    private long pause = PROBE_NANOS;
    private long answered;

    private long sinceLook;
    private final List<Waiting> group = new ArrayList<>();
    private final Histogram commits = Histogram.ofNanos();
    private final Histogram groups = new Histogram(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096);
    private final Tally failures = new Tally();

    Writer(Durability durability, Disk disk, Space space, Ledger ledger, Files files, Database database) {
        this.durability = durability;
        this.disk = disk;
        this.space = space;
        this.ledger = ledger;
        this.files = files;
        this.database = database;
        this.answered = database.rocks.getLatestSequenceNumber();
        this.options = new WriteOptions().setSync(durability == Durability.FSYNC);
        this.onDisk = durability == Durability.NONE ? 0 : database.rocks.getLatestSequenceNumber();
        thread.setDaemon(true);
    }

    /** What the writer does not do itself. Writer thread only. */
    interface Files {
        /**
         * Takes the files away from all who use them, closes them, cuts off what nobody was told to be kept, opens them
         * again, fills the ledger from them and lends them out.
         *
         * @param former null if they are closed already
         * @param answered RocksDB's number of the last change that was answered as committed
         */
        Reopened reopen(@Nullable Database former, long answered)
                throws RocksDBException, Records.Unreadable, IOException;

        /** Owners that a group has removed. */
        void removed(List<Long> owners);
    }

    /**
     * Files that were opened again.
     *
     * @param found RocksDB's number of the last change that was there, before anything was written
     */
    record Reopened(Database database, long found) {}

    /** @param refused why it is not even tried, or null */
    private record Waiting(
            RocksBatch batch,
            Completion done,
            boolean hurried,
            @Nullable String refused) {}

    void start() {
        thread.start();
    }

    void write(RocksBatch batch, Completion done) {
        boolean refused = pressure.isBeyondAll() && batch.adds();
        boolean hurries = durability != Durability.FSYNC || batch.isHurried();
        pressure.add(batch.bytes(), batch.size());
        queue.add(
                refused
                        ? new Waiting(
                                batch,
                                done,
                                hurries,
                                "far too much waits to be written; it should have been asked before")
                        : new Waiting(batch, done, hurries, null));
        if (hurries) {
            hurried.incrementAndGet();
        }
        if (idle && (hurries || emptied || pressure.changes() >= GROUP_CHANGES)) {
            LockSupport.unpark(thread);
        }
        if (ended) {
            failRest();
        }
    }

    /** Nanoseconds that writing groups took. Any thread reads. */
    Histogram commits() {
        return commits;
    }

    /** Batches of each group. Any thread reads. */
    Histogram groups() {
        return groups;
    }

    /** Writes that have failed. Any thread. */
    long failures() {
        return failures.get();
    }

    Pressure pressure() {
        return pressure;
    }

    /** Why nothing can be written at present, or null. Any thread. */
    @Nullable
    String fault() {
        return fault;
    }

    /** RocksDB's number of the last change that is surely on disk; 0 if nobody looks after that. Any thread. */
    long onDisk() {
        return onDisk;
    }

    /** RocksDB's number of the last change that was answered as committed. Writer thread, or any when it has ended. */
    long answered() {
        return answered;
    }

    /** That all up to a number is on disk, found out by another thread. */
    void synced(long sequence) {
        onDisk = sequence;
    }

    /** Another thread could not bring the log to disk: what is open must not be trusted. */
    void distrust(RocksDBException cause) {
        RocksBatch none = new RocksBatch();
        none.add(0, ledger -> {
            throw cause;
        });
        write(none, failure -> {});
    }

    /** Writes what waits and ends the thread. The database stays open; null if a fault has closed it. */
    @Nullable
    Database close() {
        closing = true;
        LockSupport.unpark(thread);
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        ended = true;
        failRest();
        options.close();
        return database;
    }

    private void failRest() {
        for (Waiting rest = queue.poll(); rest != null; rest = queue.poll()) {
            complete(rest, "the store is closed");
        }
    }

    private void run() {
        boolean more = true;
        while (more) {
            try {
                more = turn();
            } catch (RuntimeException | Error e) { // whoever waits must hear of it
                lost = true;
                fault = "the store has failed: " + e + "; stop the broker and start it again";
                LOG.error("{}", fault, e);
                completeGroup(fault);
            }
        }
    }

    /** @return false if nothing is left to be done */
    private boolean turn() {
        if (queue.isEmpty() && closing) {
            return false;
        }
        if (mayWait()) {
            await();
            probe();
            return true;
        }
        Waiting first = take();
        probe();
        if (first == null) {
            return true;
        }
        String reason = fault;
        if (reason == null) {
            commit(first);
        } else {
            complete(first, reason);
        }
        return true;
    }

    /**
     * Whether there is nothing that anybody waits for: what else there is goes to the disk with what comes next, after a
     * while, or when there is much of it. So no record of the log is ever behind one that is not on disk.
     */
    private boolean mayWait() {
        if (queue.isEmpty()) {
            waitsSince = 0;
            return true;
        }
        if (hurried.get() > 0 || closing || fault != null || pressure.changes() >= GROUP_CHANGES) {
            return false;
        }
        long now = System.nanoTime();
        if (waitsSince == 0) {
            waitsSince = now | 1;
        }
        return now - waitsSince < UNHURRIED_NANOS;
    }

    private void await() {
        emptied = waitsSince == 0;
        idle = true;
        if (hurried.get() == 0 && !closing) {
            boolean nothing = emptied && queue.isEmpty(); // asked once it is idle: who comes later sees that
            LockSupport.parkNanos(this, fault != null ? PROBE_NANOS : nothing ? IDLE_NANOS : UNHURRIED_NANOS);
        }
        idle = false;
    }

    private @Nullable Waiting take() {
        Waiting next = queue.poll();
        if (next != null && next.hurried) {
            hurried.decrementAndGet();
        }
        return next;
    }

    private void commit(Waiting first) {
        Database open = database;
        if (open == null) {
            complete(first, "the files are closed");
            return;
        }
        long before = open.rocks.getLatestSequenceNumber();
        int rows = 0;
        try {
            gather(first);
            rows = ledger.rows().count();
            if (rows > 0) {
                long began = System.nanoTime();
                disk.write(open, options, ledger.rows());
                commits.record(System.nanoTime() - began);
                groups.record(group.size());
            }
        } catch (RocksDBException | RuntimeException | Error e) {
            fail(e, before, rows);
            return;
        }
        if (durability == Durability.FSYNC) {
            onDisk = before + rows;
        }
        waitsSince = 0;
        answered = before + rows;
        List<Long> removed = ledger.committed();
        completeGroup(null);
        if (!removed.isEmpty()) {
            files.removed(removed);
        }
        if (sinceLook > LOOK_BYTES) {
            sinceLook = 0;
            space.look();
        }
    }

    private void gather(Waiting first) throws RocksDBException {
        String shortage = space.shortage();
        int changes = 0;
        long bytes = 0;
        Waiting next = first;
        while (next != null) {
            if (next.refused == null && shortage != null && next.batch.adds()) {
                next = new Waiting(next.batch, next.done, next.hurried, shortage);
            }
            group.add(next);
            if (next.refused == null) {
                next.batch.applyTo(ledger);
                changes += next.batch.size();
                bytes += next.batch.bytes();
            }
            next = changes < GROUP_CHANGES && bytes < GROUP_BYTES ? take() : null;
        }
        sinceLook += bytes;
    }

    private void completeGroup(@Nullable String failure) {
        for (int i = 0; i < group.size(); i++) {
            Waiting one = group.get(i);
            complete(one, one.refused == null ? failure : one.refused);
        }
        group.clear();
    }

    private void complete(Waiting one, @Nullable String failure) {
        pressure.takeOff(one.batch.bytes(), one.batch.size());
        try {
            one.done.done(failure);
        } catch (RuntimeException | Error e) {
            LOG.error("A completion has failed", e);
        }
    }

    /**
     * After an error nobody knows how much of the group the log holds, and the same sync must not be tried again: so the
     * group has failed, and what there is of it is cut off before the files are opened again. Else the broker would find
     * messages that it has told to be lost. Should it be in a table already, it has not failed after all.
     */
    private void fail(Throwable cause, long before, int rows) {
        noSpace = Disk.isFull(cause);
        failures.add(1);
        String reason = reason(cause);
        fault = reason;
        lastProbe = System.nanoTime();
        LOG.error("Nothing can be written: {}", reason, cause instanceof RocksDBException ? null : cause);
        Runnable undo = ledger.failed();
        boolean kept = false;
        if (!noSpace || space.mayReopen()) {
            long found = reopen(before);
            kept = rows > 0 && found >= before + rows;
        }
        if (!kept) {
            undo.run();
        }
        completeGroup(kept ? null : reason);
    }

    private String reason(Throwable cause) {
        return noSpace ? "the disk is full: " + cause.getMessage() : "writing has failed: " + cause.getMessage();
    }

    private void probe() {
        if (fault == null || lost || closing || System.nanoTime() - lastProbe < pause) {
            return;
        }
        long began = System.nanoTime();
        if (!noSpace || space.mayReopen()) {
            long before = answered;
            long found = reopen(onDisk);
            if (found > before) {
                LOG.error("{} changes that were answered as failed are in the tables", found - before);
            }
        }
        lastProbe = System.nanoTime();
        // reading much in vain must not keep others from reading
        pause = Math.max(PROBE_NANOS, PAUSES * (lastProbe - began));
    }

    /**
     * @param expected RocksDB's number of the last change that must be there
     * @return the number of the last change that is there; -1 if they cannot be opened or used
     */
    private long reopen(long expected) {
        Database former = database;
        database = null;
        try {
            Reopened opened = files.reopen(former, answered);
            database = opened.database;
            if (opened.found < expected) {
                lost = true;
                fault = "changes that were acknowledged are missing (" + (expected - opened.found)
                        + "); stop the broker and start it again to see what is damaged";
                LOG.error("{}", fault);
                return -1;
            }
            answered = opened.database.rocks.getLatestSequenceNumber();
            if (durability != Durability.NONE) {
                onDisk = answered;
            }
            fault = null;
            noSpace = false;
            LOG.warn("The files were opened again; all is well");
            return opened.found;
        } catch (RocksDBException | Records.Unreadable | IOException | RuntimeException | Error e) {
            noSpace = Disk.isFull(e);
            String reason = reason(e);
            if (!reason.equals(fault)) {
                LOG.error("The files cannot be opened again yet: {}", reason);
            }
            fault = reason;
            return -1;
        }
    }
}
