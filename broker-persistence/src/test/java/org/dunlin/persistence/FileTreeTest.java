package org.dunlin.persistence;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileTreeTest {
    @TempDir
    private Path directory;

    @Test
    void delete_removesAllThatIsBelow_andLinksWithoutWhatTheyLeadTo() throws IOException {
        Path kept = Files.createDirectories(directory.resolve("kept"));
        Files.writeString(kept.resolve("file"), "text");
        Path tree = directory.resolve("tree");
        Files.createDirectories(tree.resolve("a/b/c"));
        Files.createDirectories(tree.resolve("empty"));
        Files.writeString(tree.resolve("a/b/file"), "text");
        Files.createSymbolicLink(tree.resolve("a/link"), kept);
        Files.createSymbolicLink(tree.resolve("dangling"), directory.resolve("nowhere"));

        FileTree.delete(tree);

        assertFalse(Files.exists(tree, LinkOption.NOFOLLOW_LINKS));
        assertEquals("text", Files.readString(kept.resolve("file")));
    }

    @Test
    void delete_ofALink_leavesWhatItLeadsTo() throws IOException {
        Path kept = Files.createDirectories(directory.resolve("kept"));
        Files.writeString(kept.resolve("file"), "text");
        Path link = Files.createSymbolicLink(directory.resolve("link"), kept);

        FileTree.delete(link);

        assertFalse(Files.exists(link, LinkOption.NOFOLLOW_LINKS));
        assertEquals("text", Files.readString(kept.resolve("file")));
    }

    @Test
    void delete_ofAFile_removesIt_andOfNothingDoesNothing() throws IOException {
        Path file = Files.writeString(directory.resolve("file"), "text");
        FileTree.delete(file);
        assertFalse(Files.exists(file));
        FileTree.delete(file);
        FileTree.delete(directory.resolve("no/where"));
        assertTrue(FileTree.isEmpty(directory));
    }
}
