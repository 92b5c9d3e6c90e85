package org.dunlin.persistence.rocksdb.files;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.dunlin.persistence.rocksdb.DataDirectory;

/** Copies of files that are on disk when they are made. Any thread. */
public final class DatabaseFiles {
    private DatabaseFiles() {}

    /** Copies a file so that it is on disk. */
    static void copy(Path from, Path to) throws IOException {
        Files.copy(from, to);
        try (FileChannel copy = FileChannel.open(to, StandardOpenOption.WRITE)) {
            copy.force(true);
        }
    }

    /**
     * The files of a database in another directory, which is made: tables, which RocksDB never writes to again, as links if
     * that is wished and possible, the rest as copies. What it writes of itself is left out.
     */
    public static void copyDatabase(Path from, Path to, boolean link) throws IOException {
        Files.createDirectories(to);
        try (DirectoryStream<Path> files = Files.newDirectoryStream(from)) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                if (!Files.isRegularFile(file) || name.startsWith("LOG") || name.equals("LOCK")) {
                    continue;
                }
                boolean isTable = name.endsWith(".sst") || name.endsWith(".blob");
                if (!link || !isTable || !link(file, to.resolve(name))) {
                    copy(file, to.resolve(name));
                }
            }
        }
        DataDirectory.syncDirectory(to);
    }

    private static boolean link(Path file, Path name) {
        try {
            Files.createLink(name, file);
            return true;
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }
}
