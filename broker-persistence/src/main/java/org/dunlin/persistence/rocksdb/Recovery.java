package org.dunlin.persistence.rocksdb;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreException.Kind;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the database after it has looked, without writing a byte, what state the files are in. A log whose last record was
 * being written when the process ended is the one damage that is passed over; one behind all that was surely on disk is cut
 * off, after a copy was made; any other stops the start. One thread, once.
 */
public final class Recovery {
    private static final Logger LOG = LoggerFactory.getLogger(Recovery.class);

    private final DataDirectory directory;
    private final Disk disk;
    private final long cacheBytes;
    private final LongSupplier wallMillis;

    public Recovery(DataDirectory directory, Disk disk, long cacheBytes, LongSupplier wallMillis) {
        this.directory = directory;
        this.disk = disk;
        this.cacheBytes = cacheBytes;
        this.wallMillis = wallMillis;
    }

    /**
     * @param used whether there is a database already
     * @param mark what was noted last; null if that is lost
     */
    public Database open(boolean used, Mark.@Nullable State mark) throws StoreException, RocksDBException {
        if (used) {
            cutOffForeignEnd();
        }
        if (mark == null) { // what was not finished making has none either
            if (used) {
                LOG.warn(
                        "{} says nothing: whether the end of the log is complete cannot be told, and the time since the"
                                + " last run is not counted",
                        directory.mark());
            }
            return disk.open(directory.database(), cacheBytes, Database.Mode.USE);
        }
        String fault = manifestFault();
        if (fault != null) {
            throw directory.damaged(fault);
        }
        if (lastChange() < mark.sequence()) { // else the log is whole, and to replay it twice would take its time
            try {
                long sequence = inspect(Database.Mode.INSPECT);
                if (sequence < mark.sequence()) {
                    throw missing(sequence, mark);
                }
            } catch (RocksDBException e) {
                return salvage(e, mark);
            }
        }
        try {
            return disk.open(directory.database(), cacheBytes, Database.Mode.USE);
        } catch (RocksDBException e) {
            throw explain(directory, e);
        }
    }

    private long lastChange() throws StoreException {
        try {
            return LogFile.lastChange(directory.database());
        } catch (IOException e) {
            throw DataDirectory.failure("cannot be read", directory.database(), e);
        }
    }

    /** What lies behind it was never written by us, and if RocksDB were let read it, it would not come to an end. */
    private void cutOffForeignEnd() throws StoreException {
        Path log = foreign();
        if (log == null) {
            return;
        }
        Path copy = copyLogs();
        try {
            long end = LogFile.foreignEnd(log);
            cut(log, end);
            LOG.warn(
                    "What is behind byte {} of {} is no record of the log. It is cut off; a copy is in {}",
                    end,
                    log,
                    copy);
        } catch (IOException e) {
            throw DataDirectory.failure("cannot be mended", log, e);
        }
    }

    /** The log with an end that RocksDB must not read, or null. */
    private @Nullable Path foreign() throws StoreException {
        try (DirectoryStream<Path> logs = Files.newDirectoryStream(directory.database(), "*.log")) {
            for (Path log : logs) {
                if (LogFile.foreignEnd(log) >= 0) {
                    return log;
                }
            }
            return null;
        } catch (IOException e) {
            throw directory.damaged(String.valueOf(e.getMessage()));
        }
    }

    private @Nullable String manifestFault() throws StoreException {
        try {
            return LogFile.faultOfList(directory.database());
        } catch (IOException e) {
            throw DataDirectory.failure("cannot be read", directory.database(), e);
        }
    }

    /** RocksDB's number of the last change that can be read. */
    private long inspect(Database.Mode mode) throws RocksDBException {
        try (Database database = disk.open(directory.database(), cacheBytes, mode)) {
            return database.rocks.getLatestSequenceNumber();
        }
    }

    /** As {@link #open} would find it, but without changing anything. */
    public Database view(Mark.@Nullable State mark) throws StoreException, RocksDBException {
        String fault = manifestFault();
        if (fault != null) {
            throw directory.damaged(fault);
        }
        Database database;
        try {
            database = hasForeignEnd()
                    ? openWithoutForeignEnd()
                    : disk.open(directory.database(), cacheBytes, Database.Mode.INSPECT);
        } catch (RocksDBException e) {
            if (mark == null) {
                throw explain(directory, e);
            }
            changesBeforeDamage(e, mark);
            return disk.open(directory.database(), cacheBytes, Database.Mode.INSPECT_BEFORE_DAMAGE);
        }
        long sequence = database.rocks.getLatestSequenceNumber();
        if (mark != null && sequence < mark.sequence()) {
            database.close();
            throw missing(sequence, mark);
        }
        return database;
    }

    /** Whether a log ends in what RocksDB must not be let read, and a start cuts off. */
    public boolean hasForeignEnd() throws StoreException {
        return foreign() != null;
    }

    /** Reads copies of the logs, of which what a start cuts off is missing. */
    private Database openWithoutForeignEnd() throws StoreException, RocksDBException {
        Path copies = null;
        try {
            copies = Files.createTempDirectory("dunlin-logs");
            try (DirectoryStream<Path> logs = Files.newDirectoryStream(directory.database(), "*.log")) {
                for (Path log : logs) {
                    Path copy = copies.resolve(log.getFileName());
                    Files.copy(log, copy);
                    long end = LogFile.foreignEnd(log);
                    if (end >= 0) {
                        cut(copy, end);
                    }
                }
            }
            return Database.open(directory.database(), copies, cacheBytes, Database.Mode.INSPECT);
        } catch (IOException e) {
            throw new StoreException(
                    Kind.IO,
                    "the logs of storage.path " + directory.root() + " cannot be copied to "
                            + System.getProperty("java.io.tmpdir") + ", which is needed to read them: " + e,
                    e);
        } finally {
            discard(copies); // they were read when it was opened
        }
    }

    private static void cut(Path log, long end) throws IOException {
        try (FileChannel channel = FileChannel.open(log, StandardOpenOption.WRITE)) {
            channel.truncate(end);
            channel.force(true);
        }
    }

    private static void discard(@Nullable Path directory) {
        if (directory == null) {
            return;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                Files.delete(file);
            }
            Files.delete(directory);
        } catch (IOException e) {
            LOG.warn("{} cannot be removed: {}", directory, e.toString());
        }
    }

    private StoreException missing(long sequence, Mark.State mark) {
        return directory.damaged("the last " + (mark.sequence() - sequence) + " of " + mark.sequence()
                + " changes, which were on disk, are missing from the log");
    }

    private Database salvage(RocksDBException refusal, Mark.State mark) throws StoreException, RocksDBException {
        long before = changesBeforeDamage(refusal, mark);
        Path copy = copyLogs();
        LOG.warn(
                "The end of the log was damaged behind change {}, which is behind all that was surely on disk ({}). It is"
                        + " cut off; a copy is in {}. RocksDB said: {}",
                before,
                mark.sequence(),
                copy,
                refusal.getMessage());
        return disk.open(directory.database(), cacheBytes, Database.Mode.SALVAGE);
    }

    /**
     * The number of the last change before a damage of the log, if that is all of its end and behind all that was surely on
     * disk.
     *
     * @throws StoreException if not
     */
    private long changesBeforeDamage(RocksDBException refusal, Mark.State mark) throws StoreException {
        if (!isDamagedRecord(refusal)) {
            throw explain(directory, refusal);
        }
        long before = inspectOr(-1, Database.Mode.INSPECT_BEFORE_DAMAGE);
        long around = inspectOr(-1, Database.Mode.INSPECT_AROUND_DAMAGE);
        if (before < mark.sequence() || before != around) {
            throw directory.damaged(refusal.getMessage() + ". Before the damage "
                    + (before < 0 ? "nothing can be read" : before + " changes can be read")
                    + (around > before ? ", behind it " + (around - Math.max(before, 0)) + " more" : "")
                    + "; " + mark.sequence() + " were on disk");
        }
        return before;
    }

    private long inspectOr(long other, Database.Mode mode) {
        try {
            return inspect(mode);
        } catch (RocksDBException e) {
            return other;
        }
    }

    /** A record of the log that is there but not what was written, unlike a file that is missing or too short. */
    private static boolean isDamagedRecord(RocksDBException e) {
        String text = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
        return isCorruption(e)
                && !text.contains("missing wal")
                && !text.contains("size mismatch")
                && !text.contains("no such file")
                && !text.contains(".sst");
    }

    private static boolean isCorruption(RocksDBException e) {
        Status status = e.getStatus();
        return status != null && status.getCode() == Status.Code.Corruption;
    }

    private Path copyLogs() throws StoreException {
        String time = Instant.ofEpochMilli(wallMillis.getAsLong()).toString().replace(':', '-');
        Path copy = directory.root().resolve("salvage-" + time);
        try {
            Files.createDirectories(copy);
            try (DirectoryStream<Path> logs = Files.newDirectoryStream(directory.database(), "*.log")) {
                for (Path log : logs) {
                    Files.copy(log, copy.resolve(log.getFileName()), StandardCopyOption.REPLACE_EXISTING);
                }
            }
            return copy;
        } catch (IOException e) {
            discard(copy); // a full disk would be fuller with each start
            throw DataDirectory.failure("cannot take a copy of the log", copy, e);
        }
    }

    /** Says in words for people why the database cannot be opened or read. */
    public static StoreException explain(DataDirectory directory, RocksDBException e) {
        String text = String.valueOf(e.getMessage());
        Status status = e.getStatus();
        if (Disk.isFull(e)) {
            return new StoreException(
                    Kind.NO_SPACE,
                    "storage.path " + directory.root() + " cannot be opened: the disk is full (" + text
                            + "); free some space there",
                    e);
        }
        if (text.contains("While lock file")) {
            return new StoreException(
                    Kind.LOCKED,
                    "storage.path " + directory.root() + " is in use by another program (" + text
                            + "); stop that one, or give this broker a directory of its own",
                    e);
        }
        boolean missing = text.toLowerCase(Locale.ROOT).contains("no such file");
        if (isCorruption(e) || missing || status != null && status.getCode() == Status.Code.InvalidArgument) {
            return directory.damaged(text);
        }
        return new StoreException(Kind.IO, "storage.path " + directory.root() + " cannot be opened: " + text, e);
    }
}
