package org.dunlin.server.backup;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreException.Kind;
import org.dunlin.persistence.FileTree;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Copies of the store, in one directory, each a directory with a name of its own from which a broker can be started. Any thread; the
 * work is done by a thread of its own, one thing at a time. What is in the making has a name that no copy has, so that a copy is
 * there as a whole or not at all. A directory that a broker has used is nobody's backup any more: it is not listed, and not removed.
 */
public final class Backups implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("dunlin.backup");
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");
    private static final DateTimeFormatter STAMP =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH-mm-ss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);
    private static final String PART = ".part-";
    private static final int SHOWN_MAX = 1000;
    private static final int IDLE_SECONDS = 10;
    private static final int STOP_SECONDS = 5;

    private final Path directory;
    private final @Nullable Source source;
    private final ThreadPoolExecutor worker;
    private final AtomicReference<@Nullable Busy> busy = new AtomicReference<>();
    private volatile @Nullable Failure failure;

    /** Makes one copy; blocks. */
    public interface Source {
        /** @param directory new or empty */
        void copyTo(Path directory) throws StoreException;
    }

    /** @param bytes of its files; tables that the store still has, too, take that room but once */
    public record Backup(String name, Instant time, long bytes) {}

    /** What is being done. @param name of the copy that is made or removed */
    public record Busy(String name, Instant since, boolean removes) {}

    /** The last copy that was not made, if none has been made since. */
    public record Failure(String name, Instant time, String why) {}

    /** What is not done, and why. */
    public static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;

        private final Why why;

        /** What stands against it. */
        public enum Why {
            NAME,
            BUSY,
            EXISTS,
            ABSENT,
            UNSUPPORTED
        }

        Refused(Why why, String message) {
            super(message, null, false, false);
            this.why = why;
        }

        public Why why() {
            return why;
        }
    }

    /**
     * @param directory made when it is needed
     * @param source null if there is nothing that could be copied
     */
    public Backups(Path directory, @Nullable Source source) {
        this.directory = directory.toAbsolutePath().normalize();
        this.source = source;
        this.worker =
                new ThreadPoolExecutor(1, 1, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(1), task -> {
                    Thread thread = new Thread(task, "dunlin-backup");
                    thread.setDaemon(true);
                    return thread;
                });
        worker.allowCoreThreadTimeOut(true);
    }

    public Path directory() {
        return directory;
    }

    /** What is being made or removed at the moment, or null. */
    public @Nullable Busy busy() {
        return busy.get();
    }

    /** Why there is no newer copy, or null. */
    public @Nullable Failure failure() {
        return failure;
    }

    /** The newest 1000, newest first. Blocks a little. */
    public List<Backup> list() throws IOException {
        List<Backup> all = new ArrayList<>();
        for (Path each : children()) {
            try {
                if (isBackup(each)) {
                    all.add(describe(each));
                }
            } catch (NoSuchFileException | UncheckedIOException gone) {
                LOG.debug("Removed meanwhile: {}", each, gone);
            }
        }
        all.sort(Comparator.comparing(Backup::time).reversed().thenComparing(Backup::name));
        return all.subList(0, Math.min(SHOWN_MAX, all.size()));
    }

    private List<Path> children() throws IOException {
        List<Path> children = new ArrayList<>();
        if (!Files.exists(directory)) {
            return children;
        }
        try (DirectoryStream<Path> found = Files.newDirectoryStream(directory)) {
            found.forEach(children::add);
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return children;
    }

    private static boolean isBackup(Path path) {
        return NAME.matcher(path.getFileName().toString()).matches()
                && Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)
                && Files.exists(path.resolve("FORMAT"))
                && !Files.exists(path.resolve("LOCK.broker"));
    }

    private static Backup describe(Path path) throws IOException {
        long bytes = 0;
        try (Stream<Path> files = Files.walk(path)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                bytes += Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) ? Files.size(file) : 0;
            }
        }
        Instant time = Files.getLastModifiedTime(path.resolve("FORMAT")).toInstant();
        return new Backup(path.getFileName().toString(), time, bytes);
    }

    // ---- changes

    /**
     * Makes a copy of all that is acknowledged by now.
     *
     * @param wanted letters, digits, dots, hyphens and underscores; null for the time of day
     * @return completes when it is there, or with a {@link StoreException}; nothing of it is left then
     */
    public Started make(@Nullable String wanted) throws Refused {
        Source from = source;
        if (from == null) {
            throw new Refused(
                    Refused.Why.UNSUPPORTED,
                    "storage.engine is memory, which has no files to copy; only storage.engine: rocksdb can be backed up");
        }
        Instant now = Instant.now();
        String name = wanted == null ? free(STAMP.format(now)) : checked(wanted);
        Path target = directory.resolve(name);
        if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            throw new Refused(Refused.Why.EXISTS, "there is something called " + name + " already; take another name");
        }
        return new Started(name, now, start(new Busy(name, now, false), () -> copy(from, target)));
    }

    /** @param done completes on the thread that works */
    public record Started(String name, Instant since, CompletionStage<Backup> done) {}

    /** Removes a copy. Completes when it is gone, or with a {@link StoreException}. */
    public CompletionStage<Backup> remove(String name) throws Refused {
        Path target = directory.resolve(checked(name));
        if (!isBackup(target)) {
            throw new Refused(
                    Refused.Why.ABSENT,
                    Files.exists(target.resolve("LOCK.broker"))
                            ? name + " has been used by a broker, so it is no backup any more; remove it by hand"
                            : "there is no backup of that name");
        }
        return start(new Busy(name, Instant.now(), true), () -> {
            Path part = directory.resolve(PART + name);
            try {
                Backup former = describe(target);
                FileTree.delete(part);
                Files.move(target, part, StandardCopyOption.ATOMIC_MOVE);
                FileTree.delete(part);
                return former;
            } catch (IOException e) {
                throw failed("the backup cannot be removed", e);
            }
        });
    }

    private String free(String stamp) {
        String name = stamp;
        for (int i = 2; Files.exists(directory.resolve(name), LinkOption.NOFOLLOW_LINKS); i++) {
            name = stamp + "-" + i;
        }
        return name;
    }

    private static String checked(String name) throws Refused {
        if (!NAME.matcher(name).matches()) {
            throw new Refused(
                    Refused.Why.NAME,
                    "a name has 1 to 64 letters, digits, dots, hyphens and underscores, and begins with a letter or digit");
        }
        return name;
    }

    private interface Work {
        Backup run() throws StoreException;
    }

    private CompletionStage<Backup> start(Busy work, Work task) throws Refused {
        Busy other = busy.compareAndExchange(null, work);
        if (other != null) {
            throw new Refused(
                    Refused.Why.BUSY,
                    "the backup " + other.name() + " is being " + (other.removes() ? "removed" : "made") + " since "
                            + STAMP.format(other.since()) + "; ask again when that is done");
        }
        CompletableFuture<Backup> done = new CompletableFuture<>();
        try {
            worker.execute(() -> carryOut(work, task, done));
        } catch (RejectedExecutionException closed) {
            busy.set(null);
            throw new Refused(Refused.Why.BUSY, "the broker is stopping");
        }
        return done;
    }

    private void carryOut(Busy work, Work task, CompletableFuture<Backup> done) {
        try {
            Backup result = alone(task);
            failure = work.removes() ? failure : null;
            busy.set(null); // before anybody is told, who may ask for the next
            done.complete(result);
        } catch (StoreException | RuntimeException | Error e) {
            if (!work.removes()) {
                failure = new Failure(work.name(), Instant.now(), String.valueOf(e.getMessage()));
                LOG.atWarn().addKeyValue("backup", work.name()).log("No backup was made: {}", e.getMessage());
            }
            busy.set(null);
            done.completeExceptionally(e);
        }
    }

    private Backup alone(Work task) throws StoreException {
        try {
            makeDirectory();
            FileChannel held = lock();
            try {
                return task.run();
            } finally {
                held.close();
            }
        } catch (IOException e) {
            throw failed("nothing can be made or removed", e);
        }
    }

    /** So that a power cut does not take its name, nor those of directories that it is in; whoever made them may have come no further. */
    private void makeDirectory() throws IOException {
        List<Path> parents = new ArrayList<>();
        for (Path child = directory; child != null && (parents.isEmpty() || !Files.exists(child)); ) {
            child = child.getParent();
            if (child != null) {
                parents.add(child);
            }
        }
        if (!Files.isDirectory(directory)) { // it may be a link to one
            Files.createDirectories(directory);
        }
        for (Path parent : parents) {
            try {
                sync(parent);
            } catch (IOException notOurs) {
                LOG.debug("{} cannot be synced", parent, notOurs);
            }
        }
    }

    /** On the worker. */
    private Backup copy(Source from, Path target) throws StoreException {
        long began = System.nanoTime();
        Path part = directory.resolve(PART + target.getFileName());
        try {
            clearParts();
            makePrivate(part);
            from.copyTo(part);
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
            sync(directory);
            Backup made = describe(target);
            LOG.atInfo()
                    .addKeyValue("backup", made.name())
                    .addKeyValue("bytes", made.bytes())
                    .addKeyValue("millis", TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began))
                    .log("A backup was made in {}", directory);
            return made;
        } catch (IOException e) {
            throw failed("the backup cannot be made", e);
        } finally {
            discard(part);
        }
    }

    /** What is left of a copy that was not made. */
    private static void discard(Path part) {
        try {
            FileTree.delete(part);
        } catch (IOException e) {
            LOG.warn("{} is half a backup and cannot be removed: {}", part, e.toString());
        }
    }

    private StoreException failed(String what, IOException e) {
        return new StoreException(
                Kind.IO,
                what + " in " + directory + ": " + e
                        + "; look at its rights, or name another directory in admin.backup-path",
                e);
    }

    /** Keeps other processes away for as long as it is open: what is half made there is nobody's then. */
    private FileChannel lock() throws IOException, StoreException {
        FileChannel file = FileChannel.open(
                directory.resolve("LOCK.backups"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock lock = null;
        try {
            lock = file.tryLock();
        } catch (OverlappingFileLockException another) {
            LOG.debug("Another broker in this process", another);
        } finally {
            if (lock == null) {
                file.close();
            }
        }
        if (lock == null) {
            throw new StoreException(
                    Kind.LOCKED,
                    "another broker makes or removes a backup in " + directory
                            + "; ask again, or give each broker an admin.backup-path of its own");
        }
        return file;
    }

    /** What processes have left that ended on the way. */
    private void clearParts() throws IOException {
        for (Path each : children()) {
            if (each.getFileName().toString().startsWith(PART)) {
                FileTree.delete(each);
            }
        }
    }

    /** A copy has all messages: what its files may be read by is of no matter if nobody gets at them. */
    private static void makePrivate(Path path) throws IOException {
        if (path.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            Files.createDirectory(
                    path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } else {
            Files.createDirectory(path);
        }
    }

    private static void sync(Path directory) throws IOException {
        if (directory.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            try (FileChannel names = FileChannel.open(directory, StandardOpenOption.READ)) {
                names.force(true);
            }
        }
    }

    /** A copy that is being made is given up as soon as that can be. */
    @Override
    public void close() {
        worker.shutdownNow();
        try {
            worker.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
