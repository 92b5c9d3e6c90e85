package org.dunlin.persistence.rocksdb.files;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.dunlin.core.spi.StoreException;
import org.dunlin.persistence.FileTree;
import org.dunlin.persistence.StoreFiles.Inspection;
import org.dunlin.persistence.StoreFiles.Repair;
import org.dunlin.persistence.rocksdb.DataDirectory;
import org.dunlin.persistence.rocksdb.Database;
import org.dunlin.persistence.rocksdb.Disk;
import org.dunlin.persistence.rocksdb.Layout;
import org.dunlin.persistence.rocksdb.Layout.Family;
import org.dunlin.persistence.rocksdb.LogFile;
import org.dunlin.persistence.rocksdb.Mark;
import org.dunlin.persistence.rocksdb.Records;
import org.dunlin.persistence.rocksdb.files.Sieve.Verdict;
import org.jspecify.annotations.Nullable;
import org.rocksdb.LiveFileMetaData;
import org.rocksdb.Options;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileReader;

/**
 * Makes a new database of every row of a damaged one that can be read and used, and puts the damaged one aside as it was. It
 * works on a copy and changes the directory only by renaming, at the end; what was cut short is done again. One thread, once.
 */
final class Salvage {
    private static final long CACHE_BYTES = 8 << 20;

    private final DataDirectory directory;
    private final Path work;
    private final Path rebuilt;
    private long kept;
    private long dropped;
    private long gaps;

    /** @param directory is held by this process alone */
    Salvage(DataDirectory directory) {
        this.directory = directory;
        this.work = directory.root().resolve("db.work");
        this.rebuilt = directory.root().resolve("db.rebuilt");
    }

    /** Ends what an earlier run had begun: the damaged files are aside, the new ones not yet in their place. */
    boolean resume() throws StoreException {
        if (Files.exists(directory.database()) || !Files.exists(rebuilt.resolve("CURRENT"))) {
            return false;
        }
        try {
            Files.move(rebuilt, directory.database(), StandardCopyOption.ATOMIC_MOVE);
            DataDirectory.syncDirectory(directory.root());
            return true;
        } catch (IOException e) {
            throw DataDirectory.failure("cannot be written to", directory.root(), e);
        }
    }

    Repair run(Inspection found, Mark.@Nullable State mark) throws StoreException {
        try {
            FileTree.delete(work);
            FileTree.delete(rebuilt);
            DatabaseFiles.copyDatabase(directory.database(), work, true);
            nameManifest();
            try (DirectoryStream<Path> logs = Files.newDirectoryStream(work, "*.log")) {
                for (Path log : logs) {
                    LogFile.disarm(log);
                }
            }
            String manifestFault = LogFile.faultOfList(work);
            Set<String> tables = manifestFault == null ? Set.of() : tablesInWork();
            long last = rebuild(tables);
            long sequence = -1;
            try (Database database = Database.open(rebuilt, CACHE_BYTES, Database.Mode.INSPECT)) {
                sequence = database.rocks.getLatestSequenceNumber();
            }
            FileTree.delete(work);
            Path aside = exchange();
            try (Mark file = Mark.open(directory.mark())) {
                long now = System.currentTimeMillis();
                file.write(new Mark.State(
                        sequence,
                        mark == null ? now : mark.brokerMillis(),
                        mark == null ? now : mark.wallMillis(),
                        true));
            }
            directory.renewFormat();
            long lost = mark == null ? 0 : Math.max(0, mark.sequence() - last);
            return new Repair(found, kept, dropped, gaps, lost, aside);
        } catch (IOException e) {
            discard();
            throw DataDirectory.failure("cannot be repaired", directory.root(), e);
        } catch (StoreException e) {
            discard();
            throw e;
        } catch (RocksDBException e) {
            discard();
            throw new StoreException(
                    Disk.isFull(e) ? StoreException.Kind.NO_SPACE : StoreException.Kind.DAMAGED,
                    "storage.path " + directory.root() + " cannot be repaired: " + e.getMessage()
                            + ". Nothing was changed. "
                            + (Disk.isFull(e) ? "Free some space there" : "Restore a backup"),
                    e);
        }
    }

    /** After a failure: nothing is left but what was there, unless the damaged files are aside already. */
    private void discard() {
        try {
            FileTree.delete(work);
            if (Files.exists(directory.database())) {
                FileTree.delete(rebuilt);
            }
        } catch (IOException e) {
            return; // the next repair begins with that
        }
    }

    /** CURRENT holds nothing but the name of the manifest, of which there is one as a rule. */
    private void nameManifest() throws IOException, StoreException {
        Path current = work.resolve("CURRENT");
        if (Files.exists(current)
                && Files.size(current) > 0
                && Files.exists(work.resolve(read(current).trim()))) {
            return;
        }
        List<Path> manifests = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(work, "MANIFEST-*")) {
            files.forEach(manifests::add);
        }
        if (manifests.isEmpty()) {
            throw new StoreException(
                    StoreException.Kind.DAMAGED,
                    "storage.path " + directory.root()
                            + " cannot be repaired: MANIFEST is missing, without which nothing can be found. Nothing was"
                            + " changed. Restore a backup");
        }
        Path newest = manifests.stream().max(Comparator.naturalOrder()).orElseThrow();
        Files.writeString(current, newest.getFileName() + "\n");
    }

    private static String read(Path file) throws IOException {
        return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
    }

    private Set<String> tablesInWork() throws IOException {
        Set<String> names = new HashSet<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(work, "*.sst")) {
            files.forEach(file -> names.add("/" + file.getFileName()));
        }
        return names;
    }

    /**
     * Returns RocksDB's number of the last change that could be read.
     *
     * @param listed tables, of which those that RocksDB does not know any more are lost
     */
    private long rebuild(Set<String> listed) throws RocksDBException {
        Sieve sieve = new Sieve(new Faults());
        try (Database old = Database.open(work, CACHE_BYTES, Database.Mode.RESCUE);
                RowWriter rows = new RowWriter(rebuilt)) {
            Set<String> known = old.rocks.getLiveFilesMetaData().stream()
                    .map(LiveFileMetaData::fileName)
                    .collect(Collectors.toSet());
            gaps += listed.stream().filter(name -> !known.contains(name)).count();
            for (Family family : Sieve.ORDER) {
                List<LiveFileMetaData> tables = tables(old, family);
                if (tables.stream().allMatch(this::isWhole)) {
                    try (ReadOptions options = new ReadOptions().setFillCache(false);
                            Cursor cursor = new Cursor(old.rocks.newIterator(old.family(family), options))) {
                        cursor.each((key, value) -> sift(sieve, rows, family, key, value));
                        gaps += cursor.gaps();
                    }
                } else {
                    eachTable(sieve, rows, family, tables);
                }
                rows.write();
            }
            rows.put(Family.META, Layout.IDS, Records.number(sieve.nextId()));
            rows.write();
            dropUnreferred(sieve, rows);
            rows.finish();
            return old.rocks.getLatestSequenceNumber();
        }
    }

    private void sift(Sieve sieve, RowWriter rows, Family family, byte[] key, byte[] value) throws RocksDBException {
        Verdict verdict = sieve.judge(family, key, value);
        if (verdict == Verdict.BAD) {
            dropped++;
        } else {
            rows.put(family, key, value); // leftovers, too: the broker clears them away, with what they refer to
            kept++;
        }
    }

    /** The tables of a family, oldest first. */
    private static List<LiveFileMetaData> tables(Database database, Family family) {
        List<LiveFileMetaData> tables = new ArrayList<>();
        for (LiveFileMetaData table : database.rocks.getLiveFilesMetaData()) {
            if (Arrays.equals(table.columnFamilyName(), family.label)) {
                tables.add(table);
            }
        }
        tables.sort(Comparator.comparingInt(LiveFileMetaData::level)
                .reversed()
                .thenComparingLong(LiveFileMetaData::largestSeqno));
        return tables;
    }

    private boolean isWhole(LiveFileMetaData table) {
        try (Options options = new Options();
                SstFileReader reader = new SstFileReader(options)) {
            reader.open(path(table));
            return true;
        } catch (RocksDBException e) {
            return false;
        }
    }

    private String path(LiveFileMetaData table) {
        return work.resolve(table.fileName().substring(1)).toString();
    }

    /**
     * A table that cannot even be opened makes all of its family unreadable, so the others are read one by one. What was
     * deleted in one of them may come back: a message once more rather than never.
     */
    private void eachTable(Sieve sieve, RowWriter rows, Family family, List<LiveFileMetaData> tables)
            throws RocksDBException {
        for (LiveFileMetaData table : tables) {
            try (Options options = new Options();
                    SstFileReader reader = new SstFileReader(options)) {
                if (!isWhole(table)) {
                    gaps++;
                    continue;
                }
                reader.open(path(table));
                try (ReadOptions reading = new ReadOptions();
                        Cursor cursor = new Cursor(reader.newIterator(reading))) {
                    cursor.each((key, value) -> rows.put(family, key, value));
                    gaps += cursor.gaps();
                }
            }
        }
        rows.write();
        List<byte[]> bad = new ArrayList<>();
        try (Cursor cursor =
                new Cursor(rows.database().rocks.newIterator(rows.database().family(family)))) {
            cursor.each((key, value) -> {
                if (sieve.judge(family, key, value) == Verdict.BAD) {
                    bad.add(key);
                } else {
                    kept++;
                }
            });
        }
        for (byte[] key : bad) {
            rows.delete(family, key);
        }
        dropped += bad.size();
        rows.write();
    }

    /** Messages that no queue refers to any more would stay for ever. */
    private void dropUnreferred(Sieve sieve, RowWriter rows) throws RocksDBException {
        List<byte[]> unreferred = new ArrayList<>();
        try (Cursor cursor =
                new Cursor(rows.database().rocks.newIterator(rows.database().family(Family.BODY)))) {
            cursor.each((key, value) -> {
                if (!sieve.isReferredTo(Layout.number(key, 0))) {
                    unreferred.add(key);
                }
            });
        }
        for (byte[] key : unreferred) {
            rows.delete(Family.BODY, key);
        }
        kept -= unreferred.size();
        dropped += unreferred.size();
        rows.write();
    }

    /** Returns where the damaged files are. */
    private Path exchange() throws IOException {
        String time = Instant.now().toString().replace(':', '-');
        Path aside = Files.createDirectories(directory.root().resolve("salvage-" + time));
        for (String name : new String[] {"FORMAT", "seq.mark"}) {
            if (Files.exists(directory.root().resolve(name))) {
                DatabaseFiles.copy(directory.root().resolve(name), aside.resolve(name));
            }
        }
        Files.move(directory.database(), aside.resolve("db"), StandardCopyOption.ATOMIC_MOVE);
        Files.move(rebuilt, directory.database(), StandardCopyOption.ATOMIC_MOVE);
        DataDirectory.syncDirectory(aside);
        DataDirectory.syncDirectory(directory.root());
        return aside;
    }
}
