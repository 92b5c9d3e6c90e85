package org.dunlin.persistence.rocksdb;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreException.Kind;
import org.dunlin.core.spi.StoreSettings;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Watches how full the disk is, so that the store stops growing before it breaks. Any thread. */
final class Space {
    private static final Logger LOG = LoggerFactory.getLogger(Space.class);
    private static final long MB = 1 << 20;
    private static final long LEAST_FREE = 512 * MB;
    private static final long REOPEN_BYTES = 4 * MB;

    private final Path directory;
    private final StoreSettings settings;
    private final Disk disk;
    private volatile @Nullable String shortage;
    private volatile long usedBytes;
    private volatile long freeBytes;
    private volatile long leastFreeBytes;

    /** @param directory of the database */
    Space(Path directory, StoreSettings settings, Disk disk) {
        this.directory = directory;
        this.settings = settings;
        this.disk = disk;
    }

    /** Why nothing that needs room is taken, in words for people; null if there is room. */
    @Nullable
    String shortage() {
        return shortage;
    }

    long usedBytes() {
        return usedBytes;
    }

    long freeBytes() {
        return freeBytes;
    }

    /** That have to stay free. */
    long leastFreeBytes() {
        return leastFreeBytes;
    }

    /** Looks anew. Blocks a little: not for event loops. */
    void look() {
        String now;
        try {
            usedBytes = sizeOf(directory, "");
            now = judge();
        } catch (IOException e) {
            LOG.warn("Cannot see how full {} is: {}", directory, e.toString());
            return;
        }
        String before = shortage;
        shortage = now;
        if (now != null && before == null) {
            LOG.error("Nothing that needs room is stored any more: {}", now);
        } else if (now == null && before != null) {
            LOG.warn("There is room again in {}", directory);
        }
    }

    private @Nullable String judge() throws IOException {
        long free = disk.usableBytes(directory);
        long least = leastFree();
        freeBytes = free;
        leastFreeBytes = least;
        if (free < least) {
            return "only " + free / MB + " MB are free for " + directory + ", storage.min-free is " + least / MB
                    + " MB";
        }
        if (settings.maxBytes() > 0 && usedBytes > settings.maxBytes()) {
            return "the files in " + directory + " take " + usedBytes / MB + " MB, storage.max-size is "
                    + settings.maxBytes() / MB + " MB";
        }
        return null;
    }

    private long leastFree() throws IOException {
        if (settings.minFreeBytes() > 0) {
            return settings.minFreeBytes();
        }
        return Math.max(LEAST_FREE, disk.totalBytes(directory) / 50);
    }

    /** Whether there is room to open the files again: that turns the logs into tables, which takes as much once more. */
    boolean mayReopen() {
        try {
            return disk.usableBytes(directory) >= sizeOf(directory, ".log") + REOPEN_BYTES;
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * A copy must not be what ends storing: what has to stay free stays free. The logs count twice, since they become tables
     * before, and are copied.
     *
     * @param linked whether tables need no room there
     * @throws StoreException if there is too little
     */
    void requireRoomForCopy(Path target, boolean linked) throws IOException, StoreException {
        long logs = 2 * sizeOf(directory, ".log") + REOPEN_BYTES;
        require(directory, logs, leastFree());
        if (!linked) {
            require(target, sizeOf(directory, "") + logs, 0);
        }
    }

    private void require(Path where, long needed, long least) throws IOException, StoreException {
        long free = disk.usableBytes(where);
        if (free - needed < least) {
            throw new StoreException(
                    Kind.NO_SPACE,
                    "there is no room for a copy: it needs " + (needed + MB - 1) / MB + " MB on the file system of "
                            + where
                            + (least > 0 ? " beside the " + least / MB + " MB of storage.min-free" : "") + ", and "
                            + free / MB
                            + " MB are free; free some there, or remove backups that are not needed any more");
        }
    }

    /** Bytes of the files in a directory whose names end so. */
    static long sizeOf(Path directory, String ending) throws IOException {
        long sum = 0;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                try {
                    sum += file.toString().endsWith(ending) ? Files.size(file) : 0;
                } catch (NoSuchFileException e) {
                    continue; // compacted away meanwhile
                }
            }
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        return sum;
    }
}
