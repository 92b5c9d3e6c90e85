package org.dunlin.persistence.rocksdb;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.dunlin.core.figures.Histogram;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreException.Kind;
import org.dunlin.core.spi.StoreSettings;
import org.dunlin.core.spi.StoreSettings.Durability;
import org.dunlin.persistence.FileTree;
import org.dunlin.persistence.rocksdb.files.DatabaseFiles;
import org.jspecify.annotations.Nullable;
import org.rocksdb.Checkpoint;
import org.rocksdb.FlushOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The store that keeps all in files below {@code storage.path}. Any thread, after {@link #open}. */
public final class RocksStore implements Store {
    private static final Logger LOG = LoggerFactory.getLogger(RocksStore.class);
    private static final long CACHE_BYTES = 64L << 20;
    private static final long SYNC_MILLIS = 100;
    private static final long MARK_MILLIS = 1000;
    /** The broker is meant to serve again before this has passed. */
    private static final long MERGE_MILLIS = 5000;

    private final StoreSettings settings;
    private final Disk disk;
    private final LongSupplier wallMillis;
    private final LongSupplier nanos;
    private final Histogram syncs = Histogram.ofNanos();
    private volatile @Nullable Opened opened;
    private volatile Opening.Stage stage = Opening.Stage.NOT_BEGUN;
    private volatile long logBytes;
    private volatile @Nullable BootScan scan;
    private boolean closed;

    public RocksStore(StoreSettings settings) {
        this(settings, new Disk(), System::currentTimeMillis, System::nanoTime);
    }

    /** @param wallMillis the wall clock, and nanos a steady one, for tests to set */
    public RocksStore(StoreSettings settings, Disk disk, LongSupplier wallMillis, LongSupplier nanos) {
        this.settings = settings;
        this.disk = disk;
        this.wallMillis = wallMillis;
        this.nanos = nanos;
    }

    /** All that there is while it is open. */
    private record Opened(
            DataDirectory directory,
            Mark mark,
            BrokerClock clock,
            Space space,
            Lender lender,
            Ledger ledger,
            Readers readers,
            Clearing clearing,
            Writer writer,
            Identifiers identifiers,
            ScheduledExecutorService keeper) {}

    @Override
    public void open(Boot boot) throws StoreException {
        long began = System.nanoTime();
        DataDirectory directory = DataDirectory.hold(settings.path());
        Mark mark = null;
        Database database = null;
        try {
            NativeLibrary.load(settings.path());
            boolean used = directory.checkFormat();
            logBytes = used ? Space.sizeOf(directory.database(), ".log") : 0;
            stage = Opening.Stage.OPENING_FILES;
            mark = Mark.open(directory.mark());
            BrokerClock clock = new BrokerClock(wallMillis, nanos, mark.last());
            database = new Recovery(directory, disk, cacheBytes(), wallMillis).open(used, mark.last());
            new Migration(directory, Migration.STEPS).run(database);
            Ledger ledger = new Ledger(database);
            Mark.State last = mark.last();
            if (last != null && !last.clean()) {
                LOG.warn(
                        "The last run ended without a stop; it was known to live last at {}",
                        Instant.ofEpochMilli(last.wallMillis()));
            }
            boot.began(last == null ? clock.nowMillis() : last.brokerMillis());
            BootScan reading = new BootScan(database, ledger, boot);
            scan = reading;
            stage = Opening.Stage.READING;
            reading.run();
            start(directory, mark, clock, database, ledger, reading);
            stage = Opening.Stage.DONE;
            LOG.debug("Opened {} in {} ms: {}", settings.path(), (System.nanoTime() - began) / 1_000_000, opening());
        } catch (StoreException | RuntimeException | Error e) {
            undo(directory, mark, database);
            throw e;
        } catch (Records.Unreadable e) {
            undo(directory, mark, database);
            throw directory.damaged(String.valueOf(e.getMessage()));
        } catch (RocksDBException e) {
            undo(directory, mark, database);
            throw Recovery.explain(directory, e);
        } catch (IOException e) {
            undo(directory, mark, database);
            throw DataDirectory.failure("cannot be used", settings.path(), e);
        }
    }

    @Override
    public Opening opening() {
        BootScan reading = scan;
        return reading == null
                ? new Opening(stage, logBytes, Part.NONE, Part.NONE, Part.NONE, Part.NONE)
                : reading.progress(stage, logBytes);
    }

    private static void undo(DataDirectory directory, @Nullable Mark mark, @Nullable Database database) {
        if (database != null) {
            database.close();
        }
        closeMark(mark);
        directory.close();
    }

    private static void closeMark(@Nullable Mark mark) {
        try {
            if (mark != null) {
                mark.close();
            }
        } catch (IOException e) {
            LOG.debug("Closing the mark", e);
        }
    }

    private void start(
            DataDirectory directory, Mark mark, BrokerClock clock, Database database, Ledger ledger, BootScan scan)
            throws RocksDBException, IOException {
        Space space = new Space(directory.database(), settings, disk);
        space.look();
        long reserved = scan.nextId() + 2 * Identifiers.BLOCK;
        reserve(database, ledger, reserved);
        Lender lender = new Lender();
        lender.take();
        lender.give(database);
        Readers readers = new Readers(lender, ledger);
        Writer writer = new Writer(settings.durability(), disk, space, ledger, new Filing(), database);
        Identifiers identifiers = new Identifiers(limit -> {
            RocksBatch batch = new RocksBatch();
            batch.add(0, rows -> rows.reserveIds(limit));
            writer.write(batch, failure -> {}); // if it failed, the files are opened again, which reserves anew
        });
        identifiers.start(scan.nextId(), reserved);
        Clearing clearing = new Clearing(lender, readers.threads(), (page, done) -> {
            RocksBatch batch = new RocksBatch();
            batch.add(0, rows -> rows.clear(page));
            writer.write(batch, done);
        });
        DataDirectory.syncDirectory(directory.root()); // before the mark says that there must be a database
        mark.write(clock.mark(writer.onDisk(), false));
        ScheduledExecutorService keeper = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "store-keeper");
            thread.setDaemon(true);
            return thread;
        });
        opened = new Opened(
                directory, mark, clock, space, lender, ledger, readers, clearing, writer, identifiers, keeper);
        writer.start();
        clearing.add(scan.leftovers());
        keeper.scheduleAtFixedRate(this::keep, MARK_MILLIS, MARK_MILLIS, TimeUnit.MILLISECONDS);
        keeper.scheduleWithFixedDelay(this::mergeTables, MERGE_MILLIS, MERGE_MILLIS, TimeUnit.MILLISECONDS);
        if (settings.durability() == Durability.ASYNC) {
            long millis = syncMillis();
            keeper.scheduleWithFixedDelay(this::sync, millis, millis, TimeUnit.MILLISECONDS);
        }
    }

    private void reserve(Database database, Ledger ledger, long limit) throws RocksDBException {
        ledger.reserveIds(limit);
        try (WriteOptions options = new WriteOptions().setSync(true)) {
            disk.write(database, options, ledger.rows());
        }
        ledger.committed();
    }

    /** What the writer wants done to the files when it cannot write to them any more. */
    private final class Filing implements Writer.Files {
        @Override
        public Writer.Reopened reopen(@Nullable Database former, long answered)
                throws RocksDBException, Records.Unreadable, IOException {
            Lender lender = opened().lender;
            Database database = null;
            lender.take(); // a page that is asked for meanwhile waits
            try {
                if (former != null) {
                    former.close();
                }
                long cut = disk.cutOff(opened().directory.database(), answered);
                if (cut > 0) {
                    LOG.warn("{} bytes of the log, which were answered as failed, are cut off", cut);
                }
                Writer.Reopened reopened = openAgain();
                database = reopened.database();
                return reopened;
            } finally {
                lender.give(database);
            }
        }

        private Writer.Reopened openAgain() throws RocksDBException, Records.Unreadable {
            Opened all = opened();
            Database database = disk.open(all.directory.database(), cacheBytes(), Database.Mode.USE);
            try {
                long found = database.rocks.getLatestSequenceNumber();
                Ledger.Places places = all.ledger.begin(database);
                BootScan scan = new BootScan(database, all.ledger, null);
                scan.run();
                all.ledger.resume(places);
                reserve(database, all.ledger, Math.max(scan.nextId(), all.identifiers.limit()));
                all.clearing.add(scan.leftovers());
                return new Writer.Reopened(database, found);
            } catch (RocksDBException | Records.Unreadable | RuntimeException e) {
                all.ledger.failed();
                database.close();
                throw e;
            }
        }

        @Override
        public void removed(List<Long> owners) {
            opened().clearing.add(owners);
        }
    }

    private Opened opened() {
        Opened all = opened;
        if (all == null) {
            throw new IllegalStateException("the store is not open");
        }
        return all;
    }

    private long cacheBytes() {
        return settings.cacheBytes() > 0 ? settings.cacheBytes() : CACHE_BYTES;
    }

    private long syncMillis() {
        return settings.syncIntervalMillis() > 0 ? settings.syncIntervalMillis() : SYNC_MILLIS;
    }

    private void keep() {
        Opened all = opened();
        try {
            all.space.look();
            all.mark.write(all.clock.mark(all.writer.onDisk(), false));
        } catch (IOException | RuntimeException e) {
            LOG.warn("Cannot keep {} up to date: {}", all.directory.mark(), e.toString());
        }
    }

    private void mergeTables() {
        Opened all = opened();
        if (all.writer.fault() != null) {
            return; // the files are closed, or about to be
        }
        try {
            all.lender.use(database -> {
                database.mergeTables();
                return database;
            });
        } catch (RocksDBException | Records.Unreadable | RuntimeException e) {
            LOG.warn("The tables cannot be merged: {}", e.toString());
        }
    }

    private void sync() {
        Opened all = opened();
        if (all.writer.fault() != null) {
            return;
        }
        try {
            all.lender.use(database -> {
                long sequence = database.rocks.getLatestSequenceNumber();
                if (sequence != all.writer.onDisk()) {
                    long began = System.nanoTime();
                    disk.sync(database);
                    syncs.record(System.nanoTime() - began);
                    all.writer.synced(sequence);
                }
                return sequence;
            });
        } catch (RocksDBException e) {
            all.writer.distrust(e);
        } catch (Records.Unreadable | RuntimeException e) {
            LOG.error("The log cannot be brought to disk", e);
        }
    }

    @Override
    public long nowMillis() {
        return opened().clock.nowMillis();
    }

    @Override
    public StoreBatch newBatch() {
        return new RocksBatch();
    }

    @Override
    public void write(StoreBatch batch, Completion done) {
        opened().writer.write((RocksBatch) batch, done);
    }

    @Override
    public long nextId() {
        return opened().identifiers.next();
    }

    @Override
    public void readQueue(long owner, long afterSeq, long throughSeq, int maxMessages, long maxBytes, Page page) {
        opened().readers.read(new Readers.Request(owner, afterSeq, throughSeq, maxMessages, maxBytes), page);
    }

    @Override
    public boolean isWritable() {
        return opened().writer.pressure().isWritable();
    }

    @Override
    public void whenWritable(Runnable task) {
        opened().writer.pressure().whenWritable(task);
    }

    @Override
    public Status status() {
        Opened all = opened();
        String fault = all.writer.fault();
        return new Status(
                fault != null ? fault : all.space.shortage(),
                all.writer.pressure().bytes(),
                all.space.usedBytes());
    }

    @Override
    public Figures figures() {
        Opened all = opened();
        return new Figures(
                all.writer.commits().read(),
                all.writer.groups().read(),
                syncs.read(),
                all.writer.failures(),
                all.writer.pressure().changes(),
                all.space.freeBytes(),
                all.space.leastFreeBytes(),
                settings.maxBytes());
    }

    @Override
    public void backup(Path target) throws StoreException {
        Opened all = opened();
        try {
            if (Files.exists(target) && !FileTree.isEmpty(target)) {
                throw new StoreException(
                        Kind.IO, "the backup needs a directory that is new or empty, which " + target + " is not");
            }
            DataDirectory.make(target);
            boolean here = Files.getFileStore(target).equals(Files.getFileStore(all.directory.database()));
            all.space.requireRoomForCopy(target, here);
            Mark.State state = all.clock.mark(all.writer.onDisk(), false);
            if (here) {
                checkpoint(all, target.resolve("db"));
            } else {
                copyCheckpoint(all, target.resolve("db"));
            }
            try (Mark mark = Mark.open(target.resolve("seq.mark"))) {
                mark.write(state);
            }
            all.directory.copyFormat(target); // last: without it no broker starts from it
        } catch (IOException e) {
            throw DataDirectory.failure("cannot be written to", target, e);
        } catch (RocksDBException | Records.Unreadable e) {
            throw new StoreException(
                    Disk.isFull(e) ? Kind.NO_SPACE : Kind.IO,
                    "storage.path " + settings.path() + " cannot be copied to " + target + ": " + e.getMessage(),
                    e);
        }
    }

    /**
     * What is committed at this moment: tables by links, and of the log what has been written. What a failed write has left
     * there would be in the copy, too, so there is none then.
     */
    private static void checkpoint(Opened all, Path target)
            throws RocksDBException, Records.Unreadable, StoreException {
        all.lender.use(database -> {
            try (Checkpoint checkpoint = Checkpoint.create(database.rocks)) {
                checkpoint.createCheckpoint(target.toString());
            }
            return target;
        });
        String fault = all.writer.fault();
        if (fault != null) {
            throw new StoreException(Kind.IO, "nothing can be copied while nothing can be written: " + fault);
        }
    }

    /** To another file system by way of this one: a copy takes its time, and nobody must wait for the files meanwhile. */
    private static void copyCheckpoint(Opened all, Path target)
            throws RocksDBException, Records.Unreadable, IOException, StoreException {
        Path here = all.directory.root().resolve("backup.part");
        FileTree.delete(here); // of a process that has ended meanwhile
        try {
            checkpoint(all, here);
            DatabaseFiles.copyDatabase(here, target, false);
        } finally {
            FileTree.delete(here);
        }
    }

    @Override
    public String promise() {
        return switch (settings.durability()) {
            case FSYNC -> "fsync: what is acknowledged is on disk and survives a power cut";
            case ASYNC ->
                "async: what is acknowledged survives the end of the process; a power cut may cost the last "
                        + syncMillis() + " ms of it and the time of one sync";
            case NONE ->
                "none: what is acknowledged survives the end of the process; a power cut may cost all that the"
                        + " operating system has not written to disk by itself, usually half a minute";
        };
    }

    @Override
    public void close() {
        Opened all = opened;
        if (all == null || closed) {
            return;
        }
        closed = true;
        Database database = all.writer.close();
        all.keeper.shutdown();
        all.readers.close();
        try {
            all.keeper.awaitTermination(1, TimeUnit.MINUTES);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (database == null) {
            cutOffFailed(all);
        } else {
            boolean clean = all.writer.fault() == null && finish(database);
            all.lender.take();
            all.lender.give(null);
            long sequence = database.rocks.getLatestSequenceNumber();
            database.close();
            if (all.writer.fault() != null) {
                cutOffFailed(all);
            }
            if (clean) {
                try {
                    all.mark.write(all.clock.mark(sequence, true)); // the tables are on disk, whatever is of the log
                } catch (IOException e) {
                    LOG.warn("Cannot write {}: {}", all.directory.mark(), e.toString());
                }
            }
        }
        all.ledger.close();
        closeMark(all.mark);
        all.directory.close();
    }

    /** What was answered as failed must not be there at the next start. */
    private void cutOffFailed(Opened all) {
        try {
            disk.cutOff(all.directory.database(), all.writer.answered());
        } catch (IOException e) {
            LOG.warn("What could not be written may be found at the next start: {}", e.toString());
        }
    }

    /** Brings all to disk; the tables, too, so that the next start has no log to read. */
    private boolean finish(Database database) {
        try {
            if (settings.durability() != Durability.NONE) {
                disk.sync(database);
            }
            try (FlushOptions options = new FlushOptions().setWaitForFlush(true)) {
                database.rocks.flush(options, database.families());
            }
            return true;
        } catch (RocksDBException e) {
            LOG.error("The end could not be brought to disk: {}", e.getMessage());
            return false;
        }
    }
}
