package org.dunlin.server.auth;

import static org.dunlin.server.auth.PasswordHashTest.utf8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;
import org.dunlin.server.config.ConfigException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PasswordFileTest {
    private static String line(String user, int iterations) {
        return user + ":" + DigestHash.decoy(iterations).encoded();
    }

    private static PasswordFile parse(String... lines) throws ConfigException {
        return PasswordFile.parse("users", utf8(String.join("\n", lines)));
    }

    private static List<String> faults(byte[] content) {
        return assertThrows(ConfigException.class, () -> PasswordFile.parse("users", content)).faults().stream()
                .map(Object::toString)
                .toList();
    }

    @Test
    void commentsBlanksAndEndsOfLines_areNoMatter() throws ConfigException {
        PasswordFile file =
                parse("# people", "", "  ann : " + DigestHash.decoy(1).encoded() + "\r", "\t", line("b b", 1));

        assertEquals(Set.of("ann", "b b"), file.users());
    }

    @Test
    void emptyFile_hasNoUsers() throws ConfigException {
        assertEquals(Set.of(), parse("").users());
    }

    @Test
    void allFaults_areToldAtOnceWithTheirLines_andNoSecret() {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        content.writeBytes(utf8(line("ann", 1) + "\nben:open-sesame\nopen-sesame\n:$7$1$AAAA$AAAA\n"));
        content.writeBytes(new byte[] {'c', (byte) 0xff, ':', '\n'});
        content.writeBytes(utf8(line("ann", 1) + "\nd\u0001d:x\ndan:$5$rounds$x$open-sesame"));

        List<String> faults = faults(content.toByteArray());

        assertEquals(7, faults.size(), faults.toString());
        assertTrue(faults.get(0).startsWith("users:2: user 'ben': the hash is none"), faults.get(0));
        assertTrue(faults.get(1).startsWith("users:3: the line has no colon"), faults.get(1));
        assertTrue(faults.get(2).startsWith("users:4: the user name is empty"), faults.get(2));
        assertTrue(faults.get(3).startsWith("users:5: the line is not UTF-8"), faults.get(3));
        assertTrue(faults.get(4).startsWith("users:6: user 'ann' is in line 1, too"), faults.get(4));
        assertTrue(faults.get(5).startsWith("users:7: the user name has a control character"), faults.get(5));
        assertTrue(faults.get(6).startsWith("users:8: user 'dan': the hash is of a kind"), faults.get(6));
        assertFalse(faults.toString().contains("sesame"), faults.toString());
    }

    @Test
    void missingFile_isToldWithItsCure(@TempDir Path folder) {
        ConfigException thrown =
                assertThrows(ConfigException.class, () -> PasswordFile.read(folder.resolve("nowhere")));

        assertTrue(thrown.getMessage().contains("dunlin user add NAME -f"), thrown.getMessage());
    }

    @Test
    void unknownUser_getsADecoyWithTheMostCommonCost() throws ConfigException {
        PasswordFile file = parse(line("a", 5), line("b", 7), line("c", 7), line("d", 0));

        assertEquals(DigestHash.decoy(7).work(), file.hash("nobody").work());
        assertSame(file.hash("nobody"), file.hash("anybody"));
        assertNotEquals(file.hash("b"), file.hash("nobody"));
        assertEquals(Argon2Hash.usualDecoy().work(), parse("").hash("nobody").work());
        assertEquals(
                DigestHash.decoy(0).work(), parse(line("a", 0)).hash("nobody").work());
    }

    @Test
    void warnings_nameWeakHashesAndOpenFiles(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(
                folder.resolve("users"), line("a", 101) + "\n" + line("b", 0) + "\n" + line("c", 10_000));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));

        List<String> warnings = PasswordFile.read(file).warnings(file);

        assertEquals(2, warnings.size(), warnings.toString());
        assertTrue(warnings.get(0).startsWith("2 of 3 passwords"), warnings.toString());
        assertTrue(warnings.get(1).contains("chmod o="), warnings.toString());
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        assertEquals(1, PasswordFile.read(file).warnings(file).size());
    }
}
