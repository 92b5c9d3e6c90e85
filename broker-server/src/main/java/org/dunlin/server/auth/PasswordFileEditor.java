package org.dunlin.server.auth;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
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

    private final Path file;

    public PasswordFileEditor(Path file) {
        this.file = file;
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
        if (!present && Files.notExists(file)) {
            write(file.toAbsolutePath(), with(new byte[0], user, hash), null);
            return true;
        }
        Path real = real();
        while (true) {
            Object before = key(real);
            try (FileChannel channel = FileChannel.open(real, StandardOpenOption.WRITE)) {
                channel.lock();
                if (!Objects.equals(before, key(real))) {
                    continue; // it was replaced while this one waited
                }
                byte[] content = PasswordFile.bytes(real);
                if (PasswordFile.parse(file.toString(), content).users().contains(user) != present) {
                    return false;
                }
                write(real, with(content, user, hash), posix(real));
                return true;
            }
        }
    }

    /** Behind all symbolic links, which stay. */
    private Path real() throws IOException, ConfigException {
        if (Files.notExists(file)) {
            PasswordFile.bytes(file); // says so
        }
        return file.toRealPath();
    }

    private static @Nullable Object key(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
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

    private static @Nullable PosixFileAttributes posix(Path path) throws IOException {
        PosixFileAttributeView view = Files.getFileAttributeView(path, PosixFileAttributeView.class);
        return view == null ? null : view.readAttributes();
    }

    /** @param like whose owner and rights the new file takes over, but for those of others; null for its owner alone */
    private static void write(Path target, byte[] content, @Nullable PosixFileAttributes like) throws IOException {
        Path directory = Objects.requireNonNull(target.getParent());
        Path fresh = Files.createTempFile(directory, "." + target.getFileName(), ".new"); // mode 0600
        try {
            PosixFileAttributeView view = Files.getFileAttributeView(fresh, PosixFileAttributeView.class);
            if (view != null) {
                takeOver(view, like);
            }
            try (FileChannel channel = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
                ByteBuffer bytes = ByteBuffer.wrap(content);
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(fresh, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            if (view != null) {
                try (FileChannel entry = FileChannel.open(directory, StandardOpenOption.READ)) {
                    entry.force(true);
                }
            }
        } finally {
            Files.deleteIfExists(fresh);
        }
    }

    private static void takeOver(PosixFileAttributeView view, @Nullable PosixFileAttributes like) throws IOException {
        if (like == null) {
            view.setPermissions(OWNER_ONLY);
            return;
        }
        PosixFileAttributes own = view.readAttributes();
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
