package org.dunlin.server.auth;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
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
 * Changes one user of a password file, and leaves its other lines as they are. The file is replaced by a new one in one step, so
 * that whoever reads it sees the old or the new, also after a power cut; two that change it at once do so one after the other.
 * One thread.
 */
public final class PasswordFileEditor {
    private static final Set<PosixFilePermission> OWNER_ONLY =
            EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
    private static final Set<PosixFilePermission> OF_OTHERS = EnumSet.of(
            PosixFilePermission.OTHERS_READ, PosixFilePermission.OTHERS_WRITE, PosixFilePermission.OTHERS_EXECUTE);

    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final long BETWEEN_TRIES_NANOS = 10_000_000;

    private final Path file;
    private final Duration patience;

    public PasswordFileEditor(Path file) {
        this(file, PATIENCE);
    }

    /** @param patience how long to wait for another one that changes the file */
    PasswordFileEditor(Path file, Duration patience) {
        this.file = file;
        this.patience = patience;
    }

    /**
     * Adds a user; makes the file if there is none.
     *
     * @return false if there is such a user
     * @throws ConfigException if the file has faults
     */
    public boolean add(String user, PasswordHash hash) throws IOException, ConfigException {
        return change(user, false, hash);
    }

    /** @return false if there is no such user */
    public boolean replace(String user, PasswordHash hash) throws IOException, ConfigException {
        return change(user, true, hash);
    }

    /** @return false if there is no such user */
    public boolean remove(String user) throws IOException, ConfigException {
        return change(user, true, null);
    }

    /** @param hash null to take the user out */
    private boolean change(String user, boolean present, @Nullable PasswordHash hash)
            throws IOException, ConfigException {
        boolean makes = !present && Files.notExists(file);
        if (!makes && Files.notExists(file)) {
            PasswordFile.named(file).read(); // says that it is missing
        }
        Path target = makes ? file.toAbsolutePath() : file.toRealPath(); // behind all symbolic links, which stay
        Path fresh = target.resolveSibling("." + target.getFileName() + ".new");
        boolean mine = false;
        try (FileChannel channel = create(fresh)) {
            mine = true;
            byte[] content = Files.exists(target) ? PasswordFile.named(target).read() : new byte[0];
            if (PasswordFile.parse(file.toString(), content).users().contains(user) != present) {
                return false;
            }
            takeOver(fresh, target);
            ByteBuffer bytes = ByteBuffer.wrap(with(content, user, hash));
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

    /** The content with this user's line changed, appended, or left out. */
    private static byte[] with(byte[] content, String user, @Nullable PasswordHash hash) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] line = hash == null ? null : (user + ":" + hash.encoded() + "\n").getBytes(StandardCharsets.UTF_8);
        boolean found = false;
        for (byte[] old : PasswordFile.split(content)) {
            String text = Objects.requireNonNull(PasswordFile.decode(old)).strip();
            int colon = text.indexOf(':');
            boolean theirs = !text.startsWith("#")
                    && colon >= 0
                    && text.substring(0, colon).strip().equals(user);
            if (!theirs) {
                out.writeBytes(old);
                out.write('\n');
            } else if (line != null) {
                out.writeBytes(line);
            }
            found |= theirs;
        }
        if (!found && line != null) {
            out.writeBytes(line);
        }
        return out.toByteArray();
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
