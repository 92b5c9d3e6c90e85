package org.dunlin.persistence.rocksdb.files;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreException.Kind;
import org.dunlin.core.spi.StoreSettings;
import org.dunlin.persistence.Contents;
import org.dunlin.persistence.FileTree;
import org.dunlin.persistence.StoreFiles;
import org.dunlin.persistence.rocksdb.DataDirectory;
import org.dunlin.persistence.rocksdb.Database;
import org.dunlin.persistence.rocksdb.Disk;
import org.dunlin.persistence.rocksdb.Mark;
import org.dunlin.persistence.rocksdb.NativeLibrary;
import org.dunlin.persistence.rocksdb.Records;
import org.dunlin.persistence.rocksdb.Recovery;
import org.dunlin.persistence.rocksdb.RocksStore;
import org.rocksdb.RocksDBException;

/** The files of a {@link RocksStore} that no broker uses. One thread at a time. */
public final class RocksFiles implements StoreFiles {
    private static final long CACHE_BYTES = 8 << 20;

    private final Path root;

    public RocksFiles(StoreSettings settings) {
        this.root = settings.path();
    }

    @Override
    public Inspection inspect() throws StoreException {
        try (DataDirectory directory = visit(root)) {
            return new Examination(directory).run();
        }
    }

    private static DataDirectory visit(Path root) throws StoreException {
        DataDirectory directory = DataDirectory.visit(root);
        try {
            directory.requireDatabase();
            NativeLibrary.loadUntouching(root);
            return directory;
        } catch (StoreException | RuntimeException e) {
            directory.close();
            throw e;
        }
    }

    @Override
    public Inspection backup(Path target) throws StoreException {
        boolean existed = Files.exists(target);
        try {
            if (existed && (!Files.isDirectory(target) || !FileTree.isEmpty(target))) {
                throw new StoreException(
                        Kind.IO, "the backup needs a directory that is new or empty, which " + target + " is not");
            }
        } catch (IOException e) {
            throw DataDirectory.failure("cannot be read", target, e);
        }
        try (DataDirectory directory = visit(root)) {
            try {
                copy(directory, target);
                Inspection copy = new RocksFiles(target).inspectCopy();
                if (!copy.faults().isEmpty()) {
                    throw directory.damaged(copy.faults().get(0).what() + ", "
                            + copy.faults().get(0).where());
                }
                return copy;
            } catch (IOException | StoreException e) {
                discard(target, existed);
                throw e instanceof StoreException known
                        ? known
                        : DataDirectory.failure("cannot be written to", target, (IOException) e);
            }
        }
    }

    private RocksFiles(Path root) {
        this.root = root;
    }

    private Inspection inspectCopy() throws StoreException {
        try (DataDirectory directory = DataDirectory.visit(root)) {
            return new Examination(directory).run();
        }
    }

    private static void copy(DataDirectory directory, Path target) throws IOException, StoreException {
        DataDirectory.make(target);
        long size = Examination.sizeOf(directory.database());
        if (Files.getFileStore(target).getUsableSpace() < size) {
            throw new StoreException(
                    Kind.NO_SPACE,
                    "there is no room for a copy of " + (size >> 20) + " MB in " + target + "; free some space there");
        }
        DatabaseFiles.copyDatabase(directory.database(), target.resolve("db"), false);
        if (Files.exists(directory.mark())) {
            DatabaseFiles.copy(directory.mark(), target.resolve("seq.mark"));
        }
        directory.copyFormat(target); // last: without it no broker starts from it
    }

    private static void discard(Path target, boolean existed) {
        try {
            FileTree.delete(target.resolve("db"));
            Files.deleteIfExists(target.resolve("seq.mark"));
            Files.deleteIfExists(target.resolve("FORMAT"));
            if (!existed) {
                Files.deleteIfExists(target);
            }
        } catch (IOException e) {
            return; // what stays has no FORMAT or is said to be damaged
        }
    }

    @Override
    public Repair repair() throws StoreException {
        DataDirectory.visit(root).close(); // a directory without a store must not become one
        try (DataDirectory directory = DataDirectory.hold(root)) {
            directory.refuseNewer();
            NativeLibrary.load(root);
            Salvage salvage = new Salvage(directory);
            boolean resumed = salvage.resume();
            Inspection found = new Examination(directory).run();
            boolean sound = found.faults().isEmpty() && directory.hasFormat() && !resumed;
            return sound ? new Repair(found, 0, 0, 0, 0, root) : salvage.run(found, Examination.readMark(directory));
        }
    }

    @Override
    public <X extends Exception> void tell(Contents<X> listener) throws StoreException, X {
        try (DataDirectory directory = visit(root)) {
            Mark.State mark = Examination.readMark(directory);
            Recovery recovery = new Recovery(directory, new Disk(), CACHE_BYTES, System::currentTimeMillis);
            try (Database database = recovery.view(mark)) {
                new Telling<>(database, listener).run(mark);
            } catch (RocksDBException e) {
                throw Recovery.explain(directory, e);
            } catch (Records.Unreadable e) {
                throw directory.damaged(String.valueOf(e.getMessage()));
            }
        }
    }

    @Override
    public Filling fill() throws StoreException {
        return new RocksFilling(root);
    }
}
