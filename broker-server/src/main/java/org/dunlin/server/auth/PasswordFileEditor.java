package org.dunlin.server.auth;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.files.FileReplacement;
import org.jspecify.annotations.Nullable;

/**
 * Changes one user of a password file, and leaves its other lines as they are. The file is replaced by a new one in one step, so
 * that whoever reads it sees the old or the new, also after a power cut; two that change it at once do so one after the other.
 * One thread.
 */
public final class PasswordFileEditor {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

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
        return new FileReplacement(PasswordFile.named(file), patience)
                .apply(
                        !present,
                        content -> PasswordFile.parse(file.toString(), content)
                                                .users()
                                                .contains(user)
                                        == present
                                ? with(content, user, hash)
                                : null);
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
}
