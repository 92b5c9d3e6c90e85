package org.dunlin.persistence.rocksdb.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.dunlin.core.spi.StoreException;
import org.dunlin.persistence.StoreFiles.Inspection;
import org.dunlin.persistence.rocksdb.DataDirectory;
import org.dunlin.persistence.rocksdb.Database;
import org.dunlin.persistence.rocksdb.Disk;
import org.dunlin.persistence.rocksdb.Layout.Family;
import org.dunlin.persistence.rocksdb.LogFile;
import org.dunlin.persistence.rocksdb.Mark;
import org.dunlin.persistence.rocksdb.Recovery;
import org.jspecify.annotations.Nullable;
import org.rocksdb.LiveFileMetaData;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileReader;

/** Reads every file and every row of a data directory and says what is wrong. Writes nothing. One thread, once. */
final class Examination {
    private static final long CACHE_BYTES = 8 << 20;
    private static final long READ_AHEAD = 2 << 20;

    private final DataDirectory directory;
    private final Faults faults = new Faults();
    private final List<String> notes = new ArrayList<>();
    private final Sieve sieve = new Sieve(faults);

    Examination(DataDirectory directory) {
        this.directory = directory;
    }

    Inspection run() throws StoreException {
        Mark.State mark = readMark(directory);
        try (Database database = open(mark)) {
            if (database != null) {
                tables(database);
                rows(database);
                sieve.end();
            }
        } catch (RocksDBException e) {
            throw Recovery.explain(directory, e);
        }
        return new Inspection(sieve.census(sizeOf(directory.database())), faults.list(), notes);
    }

    static Mark.@Nullable State readMark(DataDirectory directory) throws StoreException {
        try {
            return Mark.read(directory.mark());
        } catch (IOException e) {
            throw DataDirectory.failure("cannot be read", directory.mark(), e);
        }
    }

    private @Nullable Database open(Mark.@Nullable State mark) {
        Path path = directory.database();
        if (mark == null) {
            faults.add("nothing says how much was on disk, so the end of the log may be missing", "seq.mark");
        } else if (!mark.clean()) {
            notes.add("The broker was not stopped but ended; the log was read as its next start would");
        }
        String manifest = manifestFault(path);
        if (manifest != null) {
            faults.add("the list of files is damaged, so that tables may be forgotten", manifest);
        }
        Recovery recovery = new Recovery(directory, new Disk(), CACHE_BYTES, System::currentTimeMillis);
        try {
            if (recovery.hasForeignEnd()) {
                notes.add("Behind the last record of the log is what no broker writes; the next start cuts it off and"
                        + " keeps a copy");
                return recovery.view(mark);
            }
        } catch (RocksDBException | StoreException e) {
            faults.add("a broker cannot be started from the files", String.valueOf(e.getMessage()));
            return null;
        }
        String refusal;
        try {
            Database database = Database.open(path, CACHE_BYTES, Database.Mode.INSPECT);
            long sequence = database.rocks.getLatestSequenceNumber();
            if (mark != null && sequence < mark.sequence()) {
                faults.add(
                        "changes that were on disk are missing from the log",
                        mark.sequence() - sequence,
                        "behind change " + sequence);
            }
            return database;
        } catch (RocksDBException e) {
            refusal = String.valueOf(e.getMessage());
        }
        long whole = mark == null ? -1 : changesBeforeTornEnd(recovery, mark);
        if (whole >= 0) {
            notes.add("The end of the log is torn behind all that was surely on disk; the next start cuts it off");
            return openOr(Database.Mode.INSPECT_BEFORE_DAMAGE);
        }
        faults.add("a broker cannot be started from the files", refusal);
        long before = changes(Database.Mode.INSPECT_BEFORE_DAMAGE);
        long around = changes(Database.Mode.INSPECT_AROUND_DAMAGE);
        if (around > before) {
            notes.add("Before the damage " + (before < 0 ? "nothing" : before + " changes")
                    + " can be read, behind it up to " + "change " + around
                    + (mark == null ? "" : "; " + mark.sequence() + " were on disk"));
        }
        return openOr(Database.Mode.INSPECT_LENIENTLY);
    }

    private static @Nullable String manifestFault(Path path) {
        try {
            return LogFile.faultOfList(path);
        } catch (IOException e) {
            return "db/CURRENT cannot be read";
        }
    }

    private @Nullable Database openOr(Database.Mode mode) {
        try {
            return Database.open(directory.database(), CACHE_BYTES, mode);
        } catch (RocksDBException e) {
            notes.add("The records could not be read: " + e.getMessage());
            return null;
        }
    }

    private long changes(Database.Mode mode) {
        try (Database database = Database.open(directory.database(), CACHE_BYTES, mode)) {
            return database.rocks.getLatestSequenceNumber();
        } catch (RocksDBException e) {
            return -1;
        }
    }

    /** The number of the last change, if a start would pass over the damage; else -1. */
    private static long changesBeforeTornEnd(Recovery recovery, Mark.State mark) {
        try (Database database = recovery.view(mark)) {
            return database.rocks.getLatestSequenceNumber();
        } catch (RocksDBException | StoreException e) {
            return -1;
        }
    }

    private void tables(Database database) {
        for (LiveFileMetaData table : database.rocks.getLiveFilesMetaData()) {
            String failure = failure(directory.database(), table);
            if (failure != null) {
                faults.add("a table is damaged or missing", table.fileName().substring(1) + ": " + failure);
            }
        }
    }

    /** What is wrong with a table as a file, or null. */
    private static @Nullable String failure(Path path, LiveFileMetaData table) {
        try (Options options = new Options();
                SstFileReader reader = new SstFileReader(options)) {
            reader.open(path.resolve(table.fileName().substring(1)).toString());
            reader.verifyChecksum();
            return null;
        } catch (RocksDBException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private void rows(Database database) throws RocksDBException {
        for (Family family : Sieve.ORDER) {
            try (ReadOptions options = new ReadOptions().setFillCache(false).setReadaheadSize(READ_AHEAD);
                    Cursor rows = new Cursor(database.rocks.newIterator(database.family(family), options))) {
                rows.each((key, value) -> sieve.judge(family, key, value));
                faults.add("rows cannot be read", rows.gaps(), String.valueOf(rows.firstGap()));
            }
        }
    }

    /** Of all files below a directory. */
    static long sizeOf(Path path) throws StoreException {
        long sum = 0;
        try (Stream<Path> files = Files.walk(path)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                sum += Files.isRegularFile(file) ? Files.size(file) : 0;
            }
        } catch (IOException e) {
            throw DataDirectory.failure("cannot be read", path, e);
        }
        return sum;
    }
}
