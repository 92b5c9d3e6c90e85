package org.dunlin.server.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;

/**
 * Changes a file that others read meanwhile: it is replaced by a new one in one step, so that whoever reads it sees the old or the
 * new, also after a power cut; two that change it at once do so one after the other. One thread.
 */
public final class FileReplacement {
    private static final Set<PosixFilePermission> OWNER_ONLY =
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
    private static final Set<PosixFilePermission> OF_OTHERS = EnumSet.of(
            PosixFilePermission.OTHERS_READ, PosixFilePermission.OTHERS_WRITE, PosixFilePermission.OTHERS_EXECUTE);

    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final long BETWEEN_TRIES_NANOS = 10_000_000;

    private final NamedFile file;
    private final Duration patience;

    public FileReplacement(NamedFile file) {
        this(file, PATIENCE);
    }

    /** @param patience how long to wait for another one that changes the file */
    public FileReplacement(NamedFile file, Duration patience) {
        this.file = file;
        this.patience = patience;
    }

    /** Makes the new content of the old; null to leave the file as it is. */
    public interface Change {
        byte @Nullable [] of(byte[] content) throws ConfigException;
    }

    /**
     * Changes the content; the file keeps its owner and group, and loses the rights of others.
     *
     * @param makes whether the file may be missing: then it is empty before
     * @return false if it was left as it is
     * @throws ConfigException if it is missing and may not, cannot be read, or the change says so
     */
    public boolean apply(boolean makes, Change change) throws IOException, ConfigException {
        Path path = file.path();
        boolean missing = Files.notExists(path);
        if (missing && !makes) {
            file.read(); // says that it is missing
        }
        Path target = missing ? path.toAbsolutePath() : path.toRealPath(); // behind all symbolic links, which stay
        Path fresh = target.resolveSibling("." + target.getFileName() + ".new");
        boolean mine = false;
        try (FileChannel channel = create(fresh)) {
            mine = true;
            byte[] next = change.of(Files.exists(target) ? file.at(target).read() : new byte[0]);
            if (next == null) {
                return false;
            }
            takeOver(fresh, target);
            ByteBuffer bytes = ByteBuffer.wrap(next);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            mine = false;
        } catch (FileAlreadyExistsException busy) {
            throw new IOException(
                    "another command has been changing it for " + patience.toSeconds() + " s, or was cut off; if there"
                            + " is none, remove " + fresh,
                    busy);
        } finally {
            if (mine) {
                Files.deleteIfExists(fresh);
            }
        }
        sync(Objects.requireNonNull(target.getParent()));
        return true;
    }

    /** The new file, which is also the lock: as long as it is there nobody else has one. */
    private FileChannel create(Path fresh) throws IOException {
        Set<StandardOpenOption> options = EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        long deadline = System.nanoTime() + patience.toNanos();
        while (true) {
            try {
                return isPosix(fresh)
                        ? FileChannel.open(fresh, options, PosixFilePermissions.asFileAttribute(OWNER_ONLY))
                        : FileChannel.open(fresh, options);
            } catch (FileAlreadyExistsException busy) {
                if (System.nanoTime() - deadline > 0) {
                    throw busy;
                }
                LockSupport.parkNanos(BETWEEN_TRIES_NANOS);
            }
        }
    }

    private static boolean isPosix(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix");
    }

    private static void sync(Path directory) throws IOException {
        if (isPosix(directory)) {
            try (FileChannel entry = FileChannel.open(directory, StandardOpenOption.READ)) {
                entry.force(true);
            }
        }
    }

    /** Owner and rights of the file that is there, but for the rights of others. */
    private static void takeOver(Path fresh, Path target) throws IOException {
        if (!isPosix(fresh) || Files.notExists(target)) {
            return;
        }
        PosixFileAttributeView view = Files.getFileAttributeView(fresh, PosixFileAttributeView.class);
        PosixFileAttributes own = view.readAttributes();
        PosixFileAttributes like = Files.readAttributes(target, PosixFileAttributes.class);
        try {
            if (!own.owner().equals(like.owner())) {
                view.setOwner(like.owner());
            }
            if (!own.group().equals(like.group())) {
                view.setGroup(like.group());
            }
        } catch (IOException refused) {
            throw new IOException(
                    "it belongs to " + like.owner() + ":" + like.group() + ", run the command as that user", refused);
        }
        Set<PosixFilePermission> rights = EnumSet.copyOf(OWNER_ONLY);
        rights.addAll(like.permissions());
        rights.removeAll(OF_OTHERS);
        view.setPermissions(rights);
    }
}
