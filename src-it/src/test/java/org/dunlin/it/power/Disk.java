package org.dunlin.it.power;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * All that is below one directory, as a disk without a battery keeps it. Stricter than any one file system: a file's name is on
 * disk when its directory was synced, and its bytes when it was synced itself. Directories forget names from the last one on,
 * files forget changes from the last one on, each by itself; of the first change that is forgotten a part may be there, and
 * zeros or garbage behind it. One thread.
 */
final class Disk {
    private final Path folder;
    private final Node.Directory root;
    private final Map<Integer, Node> open = new HashMap<>();
    private final Map<Long, Sync> syncs = new HashMap<>();
    private final Node.Loss loss = new Node.Loss();

    private record Sync(Node node, long through) {}

    private Disk(Path folder, Node.Directory root) {
        this.folder = folder;
        this.root = root;
    }

    /** Without anything, whatever is in the real folder. */
    static Disk empty(Path folder) {
        return new Disk(folder, new Node.Directory());
    }

    /** A folder with all that is in it, which is on disk. */
    static Disk of(Path folder) {
        return new Disk(folder, directory(folder));
    }

    private static Node.Directory directory(Path folder) {
        Node.Directory directory = new Node.Directory();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
            for (Path entry : entries) {
                String name = entry.getFileName().toString();
                directory.add(
                        name, Files.isDirectory(entry) ? directory(entry) : new Node.File(Files.readAllBytes(entry)));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        directory.synced(directory.changes());
        return directory;
    }

    /** What power cuts have cost so far that had not been synced. */
    Node.Loss loss() {
        return loss;
    }

    /** Takes over what a process has done; it has ended. */
    void replay(Path journal) {
        replay(journal, Long.MAX_VALUE);
    }

    /** The same for the notes that end at or before a place of the journal. */
    void replay(Path journal, long until) {
        Journal.read(journal, until, this::take);
        open.clear();
        syncs.clear();
    }

    private void take(Journal.Note note) {
        switch (note.kind()) {
            case 'C' -> parent(note.path()).add(name(note.path()), new Node.File(new byte[0]));
            case 'M' -> parent(note.path()).add(name(note.path()), new Node.Directory());
            case 'U' -> parent(note.path()).remove(name(note.path()));
            case 'L' -> parent(note.otherPath()).add(name(note.otherPath()), node(note.path()));
            case 'R' -> parent(note.otherPath()).move(parent(note.path()), name(note.path()), name(note.otherPath()));
            case 'O' -> open.put(note.fd(), node(note.path()));
            case 'D' -> open.put((int) note.number(), opened(note));
            case 'W' -> file(note).write(note.number(), note.second());
            case 'T' -> file(note).truncate(note.number());
            case 'G' -> file(note).grow(note.number());
            case 'S' ->
                syncs.put(note.number(), new Sync(opened(note), opened(note).changes()));
            case 'E' -> {
                Sync sync = syncs.remove(note.number());
                sync.node.synced(sync.through);
            }
            default -> throw new AssertionError("powercut.c does not model " + note.path());
        }
    }

    private Node opened(Journal.Note note) {
        Node node = open.get(note.fd());
        if (node == null) {
            throw new AssertionError("nothing was opened as " + note.fd() + ": " + note.kind() + " at " + note.end());
        }
        return node;
    }

    private Node.File file(Journal.Note note) {
        return (Node.File) opened(note);
    }

    private static String name(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    private Node.Directory parent(String path) {
        return (Node.Directory) node(path.substring(0, path.lastIndexOf('/')));
    }

    private Node node(String path) {
        Node node = root;
        for (Path name : folder.relativize(Path.of(path))) {
            Node next = name.toString().isEmpty()
                    ? node
                    : ((Node.Directory) node).now().get(name.toString());
            if (next == null) {
                throw new AssertionError("there is no " + path);
            }
            node = next;
        }
        return node;
    }

    /** The power fails. @param chance what of all that was not synced is left; null if nothing is */
    void cut(@Nullable Random chance) {
        root.cut(chance, loss);
    }

    /** Puts on the real disk what is on this one now, into the same or another folder. */
    void restore(Path to) {
        try {
            if (Files.exists(to)) {
                try (Stream<Path> old = Files.walk(to)) {
                    for (Path each : old.sorted(Comparator.reverseOrder()).toList()) {
                        Files.delete(each);
                    }
                }
            }
            Files.createDirectories(to);
            for (Map.Entry<String, byte[]> file : files().entrySet()) {
                Path path = to.resolve(file.getKey());
                if (file.getKey().endsWith("/")) {
                    Files.createDirectories(path);
                } else {
                    Files.write(path, file.getValue());
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Where the real files differ from what the journal says. */
    List<String> differences() {
        Map<String, byte[]> expected = files();
        Map<String, byte[]> real = Disk.of(folder).files();
        List<String> differences = new ArrayList<>();
        for (Map.Entry<String, byte[]> file : expected.entrySet()) {
            byte[] found = real.remove(file.getKey());
            if (found == null || !Arrays.equals(found, file.getValue())) {
                differences.add(
                        file.getKey() + " should have " + file.getValue().length + " bytes, has " + size(found));
            }
        }
        real.forEach((name, bytes) -> differences.add(name + " should not be there"));
        return differences;
    }

    private static String size(byte @Nullable [] bytes) {
        return bytes == null ? "none" : Integer.toString(bytes.length);
    }

    /** By its path below the folder; that of a directory ends with a slash, and comes before what is in it. */
    Map<String, byte[]> files() {
        Map<String, byte[]> files = new TreeMap<>();
        collect("", root, files);
        return files;
    }

    private static void collect(String prefix, Node.Directory directory, Map<String, byte[]> files) {
        directory.now().forEach((name, node) -> {
            if (node instanceof Node.Directory inner) {
                files.put(prefix + name + "/", new byte[0]);
                collect(prefix + name + "/", inner, files);
            } else if (node instanceof Node.File file) {
                files.put(prefix + name, file.now());
            }
        });
    }
}
