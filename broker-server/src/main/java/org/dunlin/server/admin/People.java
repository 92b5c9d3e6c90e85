package org.dunlin.server.admin;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.function.BooleanSupplier;
import org.dunlin.server.auth.PasswordFile;
import org.dunlin.server.auth.PasswordHash;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;

/**
 * Who may log in to the dashboard by name, as their file says at the moment. Any thread that may wait: it asks the file system each
 * time, and reads the file if that is another one than before.
 */
final class People {
    /** A file that was changed so shortly before it was read may have changed again within the same tick of its clock. */
    private static final long TICK_MILLIS = 2000;

    private @Nullable Path path;
    private @Nullable Known known;

    private record Stamp(
            FileTime modified, long bytes, @Nullable Object key) {
        static @Nullable Stamp of(Path path) {
            try {
                BasicFileAttributes now = Files.readAttributes(path, BasicFileAttributes.class);
                return new Stamp(now.lastModifiedTime(), now.size(), now.fileKey());
            } catch (IOException unreadable) {
                return null;
            }
        }
    }

    /** @param stamp null if it may have changed since without another one */
    private record Known(@Nullable Stamp stamp, PasswordFile file) {}

    /** @param path of the file; null for none */
    People(@Nullable Path path) {
        this.path = path;
    }

    /** Another file counts from now on, or none. */
    synchronized void file(@Nullable Path next) {
        if (next == null || !next.equals(path)) {
            known = null;
        }
        path = next;
    }

    /** Whether anybody can log in by name. */
    synchronized boolean isOn() {
        return path != null;
    }

    /**
     * Whether it is the password of a user.
     *
     * @return says, whenever it is asked, whether the user may be there still: the account is the same, with the same password; null
     *     if the user or the password is wrong
     * @throws ConfigException with the faults of the file
     */
    @Nullable
    BooleanSupplier login(String user, String password) throws ConfigException {
        PasswordFile now = file();
        if (now == null || !now.matches(user, password.getBytes(StandardCharsets.UTF_8))) {
            return null;
        }
        PasswordHash hash = now.hash(user);
        return () -> stands(user, hash);
    }

    /** A file that cannot be used changes nothing: what it said before counts. */
    private boolean stands(String user, PasswordHash hash) {
        PasswordFile now;
        try {
            now = file();
        } catch (ConfigException faulty) {
            now = before();
        }
        return now != null && now.contains(user) && now.hash(user).equals(hash);
    }

    private synchronized @Nullable PasswordFile before() {
        return known == null ? null : known.file;
    }

    /** @return null if there is none */
    private synchronized @Nullable PasswordFile file() throws ConfigException {
        Path from = path;
        if (from == null) {
            return null;
        }
        Stamp stamp = Stamp.of(from);
        Known before = known;
        if (before != null && stamp != null && stamp.equals(before.stamp)) {
            return before.file;
        }
        long now = System.currentTimeMillis();
        PasswordFile read = PasswordFile.read(from);
        boolean settled = stamp != null && now - stamp.modified.toMillis() > TICK_MILLIS;
        known = new Known(settled ? stamp : null, read);
        return read;
    }
}
