package org.dunlin.server.auth;

import static org.dunlin.server.auth.PasswordHashTest.utf8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.dunlin.server.config.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PasswordFileEditorTest {
    private static final PasswordHash HASH = DigestHash.decoy(1);
    private static final PasswordHash OTHER = DigestHash.decoy(1);

    @TempDir
    Path folder;

    private String mode(Path file) throws Exception {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    private List<String> files() throws Exception {
        try (Stream<Path> all = Files.list(folder)) {
            return all.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void firstUser_makesTheFile_forItsOwnerAlone() throws Exception {
        Path file = folder.resolve("users");

        assertTrue(new PasswordFileEditor(file).add("ann", HASH));

        assertEquals("ann:" + HASH.encoded() + "\n", Files.readString(file));
        assertEquals("rw-------", mode(file));
        assertEquals(List.of("users"), files());
    }

    @Test
    void changes_leaveAllOtherLinesAsTheyAre() throws Exception {
        String ben = " ben : " + HASH.encoded() + "\r\n";
        Path file =
                Files.writeString(folder.resolve("users"), "# people\n\nann:" + HASH.encoded() + "\n" + ben + "#end");
        PasswordFileEditor editor = new PasswordFileEditor(file);

        assertTrue(editor.replace("ann", OTHER));
        assertTrue(editor.add("cem", OTHER));
        assertEquals(
                "# people\n\nann:" + OTHER.encoded() + "\n" + ben + "#end\ncem:" + OTHER.encoded() + "\n",
                Files.readString(file));
        assertTrue(editor.remove("ben"));
        assertTrue(editor.remove("ann"));

        assertEquals("# people\n\n#end\ncem:" + OTHER.encoded() + "\n", Files.readString(file));
        assertEquals(List.of("users"), files());
    }

    @Test
    void usersThatAreThereOrNot_areTold_andNothingChanges() throws Exception {
        Path file = Files.writeString(folder.resolve("users"), "ann:" + HASH.encoded());
        PasswordFileEditor editor = new PasswordFileEditor(file);

        assertFalse(editor.add("ann", OTHER));
        assertFalse(editor.replace("ben", OTHER));
        assertFalse(editor.remove("ben"));

        assertEquals("ann:" + HASH.encoded(), Files.readString(file));
    }

    @Test
    void faultyFile_isNotTouched() throws Exception {
        Path file = Files.writeString(folder.resolve("users"), "ann:open-sesame\n");

        assertThrows(ConfigException.class, () -> new PasswordFileEditor(file).add("ben", HASH));
        assertThrows(ConfigException.class, () -> new PasswordFileEditor(folder.resolve("none")).remove("ben"));

        assertEquals("ann:open-sesame\n", Files.readString(file));
        assertEquals(List.of("users"), files());
    }

    @Test
    void rightsOfTheGroup_stay_thoseOfOthersGo() throws Exception {
        Path file = Files.write(folder.resolve("users"), utf8(""));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));

        assertTrue(new PasswordFileEditor(file).add("ann", HASH));

        assertEquals("rw-r-----", mode(file));
    }

    @Test
    void symbolicLink_staysOne() throws Exception {
        Path file = Files.write(folder.resolve("real"), utf8(""));
        Path link = Files.createSymbolicLink(folder.resolve("users"), Path.of("real"));

        assertTrue(new PasswordFileEditor(link).add("ann", HASH));

        assertTrue(Files.isSymbolicLink(link));
        assertTrue(Files.readString(file).startsWith("ann:"));
    }

    @Test
    void relativeNameWithoutFolder_works() throws Exception {
        Path file = Path.of("target-users-" + System.nanoTime());
        try {
            assertTrue(new PasswordFileEditor(file).add("ann", HASH));
            assertTrue(new PasswordFileEditor(file).add("ben", HASH));
        } finally {
            Files.deleteIfExists(file);
        }
    }

    @Test
    void changesAtTheSameTime_areAllThere() throws Exception {
        Path file = folder.resolve("users");
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Callable<Boolean>> tasks = new ArrayList<>();
            for (int i = 0; i < 40; i++) {
                String user = "u" + i;
                tasks.add(() -> new PasswordFileEditor(file).add(user, HASH));
            }
            for (Future<Boolean> added : threads.invokeAll(tasks)) {
                assertTrue(added.get());
            }
        } finally {
            threads.shutdownNow();
        }

        assertEquals(40, PasswordFile.read(file).users().size());
        assertEquals(List.of("users"), files());
    }

    @Test
    void changeThatNeverEnds_isTold_andLeftAlone() throws Exception {
        Path file = Files.writeString(folder.resolve("users"), "ann:" + HASH.encoded() + "\n");
        Path cutOff = Files.writeString(folder.resolve(".users.new"), "half");

        IOException thrown = assertThrows(
                IOException.class, () -> new PasswordFileEditor(file, Duration.ofMillis(20)).add("ben", HASH));

        assertTrue(thrown.getMessage().contains("remove " + cutOff.toRealPath()), thrown.getMessage());
        assertEquals("half", Files.readString(cutOff));
        assertEquals(List.of(".users.new", "users"), files());
    }
}
