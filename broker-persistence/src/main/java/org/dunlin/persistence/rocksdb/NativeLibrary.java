package org.dunlin.persistence.rocksdb;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Properties;
import java.util.stream.Stream;
import org.dunlin.core.spi.StoreException;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDB;
import org.rocksdb.util.Environment;

/**
 * Loads RocksDB's native library: from {@code java.library.path} if it is there, or unpacked by {@code dunlin-archive} into the
 * folder that the system property {@value #UNPACKED} names, else unpacked once into the data directory. RocksDB would unpack it
 * into the temporary directory at each start, where each kill leaves a copy and where nothing may be executable. Any thread.
 */
public final class NativeLibrary {
    private static final String UNPACKED = "dunlin.native";

    private static boolean loaded;

    private NativeLibrary() {}

    /** Of RocksDB. */
    public static String version() {
        try (InputStream in = NativeLibrary.class.getResourceAsStream("engine.properties")) {
            Properties properties = new Properties();
            if (in != null) {
                properties.load(in);
            }
            return properties.getProperty("version", "unknown");
        } catch (IOException e) {
            return "unknown";
        }
    }

    /** Without a change to the data directory: what is not there yet is unpacked elsewhere and removed again. */
    public static synchronized void loadUntouching(Path dataDirectory) throws StoreException {
        Path file = file(folder(dataDirectory));
        if (loaded || Files.isRegularFile(file)) {
            load(dataDirectory);
            return;
        }
        Path elsewhere;
        try {
            elsewhere = Files.createTempDirectory("dunlin-native");
        } catch (IOException e) {
            throw DataDirectory.failure("has no native library yet, and there is no room for one elsewhere", file, e);
        }
        try {
            load(elsewhere);
        } finally {
            try (Stream<Path> files = Files.walk(elsewhere)) {
                for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(each); // what is loaded stays loaded
                }
            } catch (IOException e) {
                elsewhere.toFile().deleteOnExit(); // Windows deletes nothing that is in use
            }
        }
    }

    private static Path folder(Path dataDirectory) {
        return in(dataDirectory.resolve("native"));
    }

    /** Its version is in its name, so that one that was left behind is never taken for another. */
    private static Path in(Path natives) {
        return natives.resolve("rocksdbjni-" + version());
    }

    /** RocksDB puts jni behind the name once more where it looks into a list of folders. */
    private static Path file(Path folder) {
        return folder.resolve(Environment.getJniLibraryFileName("rocksdbjni"));
    }

    /** Where it was unpacked with the program, or null. */
    private static @Nullable Path unpackedBefore() {
        String natives = System.getProperty(UNPACKED);
        Path folder = natives == null ? null : in(Path.of(natives));
        return folder != null && Files.isRegularFile(file(folder)) ? folder : null;
    }

    public static synchronized void load(Path dataDirectory) throws StoreException {
        if (loaded) {
            return;
        }
        try {
            if (isInstalled()) {
                RocksDB.loadLibrary();
            } else {
                Path before = unpackedBefore();
                Path folder = before != null ? before : unpack(folder(dataDirectory));
                RocksDB.loadLibrary(List.of(folder.toAbsolutePath().toString()));
            }
            loaded = true;
        } catch (IOException | RuntimeException | UnsatisfiedLinkError e) {
            String platform = System.getProperty("os.name") + " " + System.getProperty("os.arch");
            throw new StoreException(
                    StoreException.Kind.UNSUPPORTED,
                    "storage.engine rocksdb: its native library does not load on " + platform + " ("
                            + e.getMessage()
                            + "). Without it there is storage.engine: memory, which keeps nothing over a restart",
                    e);
        }
    }

    private static boolean isInstalled() {
        for (String folder : System.getProperty("java.library.path", "").split(File.pathSeparator)) {
            if (Files.isRegularFile(Path.of(folder, Environment.getJniLibraryFileName("rocksdb")))
                    || Files.isRegularFile(Path.of(folder, Environment.getSharedLibraryFileName("rocksdb")))) {
                return true;
            }
        }
        return false;
    }

    private static Path unpack(Path folder) throws IOException {
        Path file = file(folder);
        String resource = Environment.getJniLibraryFileName("rocksdb");
        if (RocksDB.class.getResource("/" + resource) == null) {
            resource = Environment.getFallbackJniLibraryFileName("rocksdb");
        }
        if (resource == null || RocksDB.class.getResource("/" + resource) == null) {
            throw new IOException("this distribution has none for it");
        }
        try (InputStream in = RocksDB.class.getResourceAsStream("/" + resource)) {
            if (in == null) {
                throw new IOException(resource + " cannot be read");
            }
            if (Files.isRegularFile(file)) {
                return folder; // it got its name when it was whole
            }
            Files.createDirectories(folder);
            Path part = folder.resolve(file.getFileName() + ".part"); // of a process that was killed, if it is there
            try {
                Files.copy(in, part, StandardCopyOption.REPLACE_EXISTING);
                try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE)) {
                    channel.force(true);
                }
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(part);
            }
        }
        return folder;
    }
}
