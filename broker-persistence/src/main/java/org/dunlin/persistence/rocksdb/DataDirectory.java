package org.dunlin.persistence.rocksdb;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.UUID;
import org.dunlin.core.spi.StoreException;
import org.dunlin.core.spi.StoreException.Kind;
import org.jspecify.annotations.Nullable;

/**
 * The data directory, held by this process alone: its lock, what format it has, and where things are in it. One thread at a
 * time.
 */
public final class DataDirectory implements AutoCloseable {
    /** Far behind the text, so that others may read who holds it where a lock also keeps from reading. */
    private static final long LOCKED_BYTE = 1L << 30;

    private static final String OWNER = "the user that runs the broker must own and may write it";

    private final Path root;
    private final @Nullable FileChannel lockFile;

    private DataDirectory(Path root, @Nullable FileChannel lockFile) {
        this.root = root;
        this.lockFile = lockFile;
    }

    public Path root() {
        return root;
    }

    public Path database() {
        return root.resolve("db");
    }

    public Path mark() {
        return root.resolve("seq.mark");
    }

    /** What an import fills, until it is whole and gets the name of the database. */
    public static Path partIn(Path root) {
        return root.resolve("db.part");
    }

    /** Whether an import has begun there and not come to its end. */
    public static boolean isHalfFilled(Path root) {
        return Files.exists(partIn(root)) && !Files.exists(root.resolve("db"));
    }

    private Path format() {
        return root.resolve("FORMAT");
    }

    public static DataDirectory hold(Path root) throws StoreException {
        try {
            make(root);
        } catch (FileAlreadyExistsException e) {
            throw new StoreException(Kind.IO, "storage.path " + root + " is no directory", e);
        } catch (IOException e) {
            throw failure("cannot be made", root, e);
        }
        Path path = root.resolve("LOCK.broker");
        FileChannel file = null;
        try {
            file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            FileLock lock = tryLock(file, false);
            if (lock == null) {
                String holder = Files.readString(path, StandardCharsets.UTF_8).trim();
                file.close();
                throw new StoreException(
                        Kind.LOCKED,
                        "storage.path " + root + " is in use by another broker"
                                + (holder.isEmpty() ? "" : " (" + holder + ")")
                                + ". Stop that one, or give this one a directory of its own");
            }
            file.truncate(0);
            ByteBuffer text = ByteBuffer.wrap(holder().getBytes(StandardCharsets.UTF_8));
            while (text.hasRemaining()) {
                file.write(text);
            }
            return new DataDirectory(root, file);
        } catch (IOException e) {
            closeQuietly(file);
            throw failure("cannot be written to", root, e);
        }
    }

    /** Makes a directory and those that it is in, where they are missing, so that a power cut does not take their names. */
    public static void make(Path directory) throws IOException {
        List<Path> parents = new ArrayList<>();
        Path child = directory.toAbsolutePath();
        while (child.getParent() != null && (parents.isEmpty() || !Files.exists(child))) {
            child = child.getParent();
            parents.add(child);
        }
        if (!Files.isDirectory(directory)) { // it may be a link to one, which would not be taken for one below
            Files.createDirectories(directory);
        }
        parents.forEach(DataDirectory::syncDirectory); // the nearest always: whoever made it may have come no further
    }

    /**
     * For a look at what is there, beside others who look, without a change to anything.
     *
     * @throws StoreException if a broker uses it, or nothing was ever stored there
     */
    public static DataDirectory visit(Path root) throws StoreException {
        if (!Files.exists(root.resolve("FORMAT")) && !hasFiles(root.resolve("db")) && !isHalfFilled(root)) {
            throw new StoreException(
                    Kind.IO,
                    "storage.path " + root + " holds no store; name the data directory with -d or storage.path");
        }
        Path path = root.resolve("LOCK.broker");
        if (!Files.exists(path)) { // a copy that no broker has used yet
            return new DataDirectory(root, null);
        }
        FileChannel file = null;
        try {
            file = FileChannel.open(path, StandardOpenOption.READ);
            if (tryLock(file, true) == null) {
                String holder = Files.readString(path, StandardCharsets.UTF_8).trim();
                file.close();
                throw new StoreException(
                        Kind.LOCKED,
                        "storage.path " + root + " is in use by a broker"
                                + (holder.isEmpty() ? "" : " (" + holder + ")")
                                + ". Stop it for as long as this command runs");
            }
            return new DataDirectory(root, file);
        } catch (IOException e) {
            closeQuietly(file);
            throw failure("cannot be read", path, e);
        }
    }

    /** As {@link #checkFormat}, of a directory that has been used, without a change to anything. */
    public void requireDatabase() throws StoreException {
        refusePart();
        if (!hasFormat()) {
            throw damaged("FORMAT is missing, but there is a database");
        }
        if (!checkFormat()) {
            throw new StoreException(
                    Kind.IO,
                    "storage.path " + root + " holds nothing yet: a broker has only begun to make a store there");
        }
    }

    public boolean hasFormat() {
        return Files.exists(format());
    }

    private void refusePart() throws StoreException {
        if (isHalfFilled(root)) {
            throw new StoreException(
                    Kind.IO,
                    "storage.path " + root + " holds part of an import that was cut short. Run 'dunlin store import'"
                            + " again, which begins anew, or move the directory away to start empty");
        }
    }

    /** Whatever FORMAT says if it is damaged. */
    public void refuseNewer() throws StoreException {
        try {
            refusePart();
            if (hasFormat()) {
                checkFormat();
            }
        } catch (StoreException e) {
            if (e.kind() != Kind.DAMAGED) {
                throw e;
            }
        }
    }

    /** Notes the present layout and keeps nothing of what was noted. */
    public void renewFormat() throws StoreException {
        writeFormat(description(Layout.NUMBER));
    }

    private static @Nullable FileLock tryLock(FileChannel file, boolean shared) throws IOException {
        try {
            return file.tryLock(LOCKED_BYTE, 1, shared);
        } catch (OverlappingFileLockException e) {
            return null; // by this very process
        }
    }

    private static String holder() {
        return "pid " + ProcessHandle.current().pid() + " on " + hostName() + ", since " + Instant.now() + "\n";
    }

    /** As the system has it; to ask the network for it may take longer than all of a start. */
    private static String hostName() {
        for (String name : new String[] {System.getenv("HOSTNAME"), System.getenv("COMPUTERNAME")}) {
            if (name != null && !name.isBlank()) {
                return name.trim();
            }
        }
        try {
            return Files.readString(Path.of("/proc/sys/kernel/hostname"), StandardCharsets.UTF_8)
                    .trim();
        } catch (IOException e) {
            return "this host";
        }
    }

    /** Says in words for people why a file operation on the directory failed. */
    public static StoreException failure(String what, Path path, IOException e) {
        String reason = e instanceof FileSystemException f && f.getReason() != null ? f.getReason() : e.toString();
        if (e instanceof AccessDeniedException denied) {
            reason = "access to " + denied.getFile() + " is denied";
        }
        boolean full = reason.toLowerCase(Locale.ROOT).contains("no space")
                || reason.toLowerCase(Locale.ROOT).contains("quota");
        String advice;
        if (full) {
            advice = "free some space there";
        } else if (reason.contains("Read-only")) {
            advice = "mount a volume there that can be written to, or name another place with -d or storage.path";
        } else {
            advice = e instanceof AccessDeniedException denied ? rights(path, denied) : OWNER;
        }
        return new StoreException(
                full ? Kind.NO_SPACE : Kind.IO, "storage.path " + path + " " + what + ": " + reason + "; " + advice, e);
    }

    /** Who may not do what with which file, and the command that cures it. */
    private static String rights(Path path, AccessDeniedException denied) {
        try {
            Path culprit =
                    denied.getFile() == null ? path : Path.of(denied.getFile()).toAbsolutePath();
            while (!Files.exists(culprit) && culprit.getParent() != null) {
                culprit = culprit.getParent();
            }
            Object me = Files.getAttribute(Path.of("/proc/self"), "unix:uid");
            PosixFileAttributes owner = Files.readAttributes(culprit, PosixFileAttributes.class);
            return culprit + " belongs to user " + Files.getAttribute(culprit, "unix:uid") + ", group "
                    + Files.getAttribute(culprit, "unix:gid") + ", with the rights "
                    + PosixFilePermissions.toString(owner.permissions()) + ", and the broker runs as user " + me
                    + ". To give it to that user: chown -R " + me + " '" + path.toAbsolutePath() + "'";
        } catch (IOException | RuntimeException unknown) { // another system than Linux
            return OWNER;
        }
    }

    /**
     * Checks the format, and notes it in a new directory.
     *
     * @return whether there is a database already
     */
    public boolean checkFormat() throws StoreException {
        boolean hasDatabase = Files.exists(database().resolve("CURRENT"));
        refusePart();
        if (Files.exists(format())) {
            int layout = readLayout();
            if (layout < 1) {
                throw damaged("FORMAT says layout " + layout + ", which there never was");
            }
            if (layout > Layout.NUMBER) {
                throw new StoreException(
                        Kind.NEWER_FORMAT,
                        "storage.path " + root + " has layout " + layout + ", this version knows up to " + Layout.NUMBER
                                + ": start the newer version of Dunlin that wrote it");
            }
            if (!hasDatabase && hasMark()) {
                throw damaged("db/CURRENT is missing");
            }
            return hasDatabase;
        }
        if (hasFiles(database())) {
            throw damaged("FORMAT is missing, but there is a database");
        }
        writeFormat(description(Layout.NUMBER));
        return false;
    }

    /** Whether it was ever marked that something is on disk; the file is made before, and empty. */
    private boolean hasMark() throws StoreException {
        try {
            return Files.exists(mark()) && Files.size(mark()) > 0;
        } catch (IOException e) {
            throw failure("cannot be read", mark(), e);
        }
    }

    public static StoreException damaged(Path root, String what) {
        return new StoreException(
                Kind.DAMAGED,
                "storage.path " + root + " is damaged: " + what
                        + ". Nothing was changed. Restore a backup, or give up what is lost with 'dunlin store repair --accept-loss'"
                        + ", or move the directory away to start empty");
    }

    public StoreException damaged(String what) {
        return damaged(root, what);
    }

    private static boolean hasFiles(Path directory) throws StoreException {
        if (!Files.isDirectory(directory)) {
            return false;
        }
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            return files.iterator().hasNext();
        } catch (IOException e) {
            throw failure("cannot be read", directory, e);
        }
    }

    /** The layout that FORMAT names. */
    public int readLayout() throws StoreException {
        Properties properties = new Properties();
        try (var in = Files.newBufferedReader(format(), StandardCharsets.UTF_8)) {
            properties.load(in);
            return Integer.parseInt(properties.getProperty("layout", "").trim());
        } catch (IOException e) {
            throw failure("cannot be read", format(), e);
        } catch (IllegalArgumentException e) {
            throw damaged("FORMAT does not say which layout it has");
        }
    }

    private static String description(int layout) {
        return "product=dunlin\nlayout=" + layout + "\nengine=rocksdb\nengine.version=" + NativeLibrary.version()
                + "\nnode=" + UUID.randomUUID() + "\ncreated=" + Instant.now() + "\n";
    }

    /** Notes that the files have another layout now. */
    public void raiseLayout(int layout) throws StoreException {
        try {
            String text = Files.readString(format(), StandardCharsets.UTF_8);
            writeFormat(text.replaceFirst("(?m)^layout=.*$", "layout=" + layout));
        } catch (IOException e) {
            throw failure("cannot be read", format(), e);
        }
    }

    /** The same for a backup: it is the same broker that will be started from it. */
    public void copyFormat(Path target) throws IOException {
        Path copy = target.resolve("FORMAT");
        Files.copy(format(), copy);
        try (FileChannel file = FileChannel.open(copy, StandardOpenOption.WRITE)) {
            file.force(true);
        }
        syncDirectory(target);
    }

    /** Writes FORMAT so that it is there whole or not at all. */
    private void writeFormat(String text) throws StoreException {
        Path part = root.resolve("FORMAT.part");
        try {
            try (FileChannel out = FileChannel.open(
                    part, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
                ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
                while (bytes.hasRemaining()) {
                    out.write(bytes);
                }
                out.force(true);
            }
            Files.move(part, format(), StandardCopyOption.ATOMIC_MOVE);
            syncDirectory(root);
        } catch (IOException e) {
            throw failure("cannot be written to", root, e);
        }
    }

    /** Makes names durable, where the system knows how. */
    public static void syncDirectory(Path directory) {
        try (FileChannel names = FileChannel.open(directory, StandardOpenOption.READ)) {
            names.force(true);
        } catch (IOException e) {
            return; // Windows does not open directories, and needs no such thing
        }
    }

    private static void closeQuietly(@Nullable FileChannel file) {
        try {
            if (file != null) {
                file.close();
            }
        } catch (IOException e) {
            return; // nothing was written through it
        }
    }

    @Override
    public void close() {
        closeQuietly(lockFile);
    }
}
