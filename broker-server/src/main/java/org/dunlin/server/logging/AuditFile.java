package org.dunlin.server.logging;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A file that lines are added to. One that somebody has moved away is made anew with the next lines, so that logrotate needs to tell
 * nobody; one that has become large is put aside as FILE.1, and what was that as FILE.2. What cannot be written is told to the log
 * once, until something can be written again, and is not there by half. One thread at a time.
 */
final class AuditFile extends OutputStream {
    /** Above that it is put aside. */
    static final long LARGE = 16 << 20;
    /** Those that were put aside and are kept. */
    static final int KEPT = 9;

    private static final Logger LOG = LoggerFactory.getLogger(AuditFile.class);

    private final Path path;
    private final long large;
    private @Nullable FileChannel channel;
    private @Nullable Object key;
    private long bytes;
    private long putAsideAt;
    private boolean failing;

    AuditFile(Path path, long large) {
        this.path = path;
        this.large = large;
        this.putAsideAt = large;
    }

    /** Opens it, if that can be, so that whoever starts the broker hears of it if not. */
    void prepare() {
        try {
            open();
        } catch (IOException unwritable) {
            tell(unwritable);
        }
    }

    @Override
    public void write(int b) throws IOException {
        write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] lines, int offset, int length) throws IOException {
        if (length == 0) {
            return;
        }
        try {
            FileChannel open = open();
            if (bytes > 0 && bytes + length > putAsideAt) {
                open = putAside(open);
            }
            ByteBuffer rest = ByteBuffer.wrap(lines, offset, length);
            while (rest.hasRemaining()) {
                open.write(rest);
            }
            bytes += length;
        } catch (IOException unwritable) {
            giveUp();
            tell(unwritable);
            throw unwritable;
        }
        if (failing) {
            failing = false;
            LOG.info("log.audit-file {} can be written to again", path);
        }
    }

    private void tell(IOException unwritable) {
        if (!failing) {
            failing = true;
            LOG.error(
                    "log.audit-file {} cannot be written to: {}; changes are told in the log alone until it can",
                    path,
                    unwritable.toString());
        }
    }

    private FileChannel open() throws IOException {
        FileChannel open = channel;
        if (open != null && Files.exists(path) && Objects.equals(key, keyOf(path))) {
            return open;
        }
        close();
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw new IOException("it is no file");
        }
        FileChannel fresh =
                FileChannel.open(path, Set.of(StandardOpenOption.CREATE, StandardOpenOption.APPEND), rightsOfOwner());
        channel = fresh;
        key = keyOf(path);
        bytes = fresh.size();
        putAsideAt = large;
        return fresh;
    }

    private static @Nullable Object keyOf(Path path) throws IOException {
        return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
    }

    private FileAttribute<?>[] rightsOfOwner() {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                }
                : new FileAttribute<?>[0];
    }

    /** Where that cannot be, it goes on as it is. */
    private FileChannel putAside(FileChannel open) throws IOException {
        try {
            Path target = path.toRealPath();
            for (int i = KEPT - 1; i >= 1; i--) {
                if (Files.exists(aside(target, i))) {
                    Files.move(aside(target, i), aside(target, i + 1), StandardCopyOption.REPLACE_EXISTING);
                }
            }
            Files.move(target, aside(target, 1), StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException unmovable) {
            LOG.warn("log.audit-file {} is large and cannot be put aside: {}", path, unmovable.toString());
            putAsideAt = bytes + large;
            return open;
        }
        return open();
    }

    private static Path aside(Path target, int number) {
        return target.resolveSibling(target.getFileName() + "." + number);
    }

    /** Of what was not written as a whole nothing stays. */
    private void giveUp() {
        FileChannel open = channel;
        try {
            if (open != null && open.size() > bytes) {
                open.truncate(bytes);
            }
            close();
        } catch (IOException e) {
            channel = null; // is opened anew
        }
    }

    @Override
    public void close() throws IOException {
        FileChannel open = channel;
        channel = null;
        if (open != null) {
            open.close();
        }
    }
}
