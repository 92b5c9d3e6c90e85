package org.dunlin.server.admin;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Base64;
import java.util.function.BooleanSupplier;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.dunlin.server.config.ConfigException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each user's password is the name. */
class PeopleTest {
    @TempDir
    Path folder;

    private Path file;
    private People people;

    @BeforeEach
    void make() throws Exception {
        file = folder.resolve("people");
        write(line("ann", 1) + line("ben", 1));
        people = new People(file);
    }

    private static String line(String user, int salted) throws Exception {
        byte[] salt = {(byte) salted, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        byte[] hash = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA512")
                .generateSecret(new PBEKeySpec(user.toCharArray(), salt, 101, 512))
                .getEncoded();
        Base64.Encoder text = Base64.getEncoder();
        return user + ":$7$101$" + text.encodeToString(salt) + "$" + text.encodeToString(hash) + "\n";
    }

    /** Like one that has not been touched for an hour. */
    private void write(String lines) throws Exception {
        Files.deleteIfExists(file);
        Files.writeString(file, lines);
        Files.setLastModifiedTime(file, FileTime.fromMillis(System.currentTimeMillis() - 3_600_000));
    }

    private BooleanSupplier in(String user) throws Exception {
        BooleanSupplier stands = people.login(user, user);
        assertNotNull(stands);
        return stands;
    }

    @Test
    void wrongPassword_andUnknownUser_areNobody() throws Exception {
        assertNull(people.login("ann", "ben"));
        assertNull(people.login("cem", "cem"));
        assertTrue(in("ann").getAsBoolean());
    }

    @Test
    void accountThatIsGone_orHasAnotherPassword_doesNotStand() throws Exception {
        BooleanSupplier ann = in("ann");
        BooleanSupplier ben = in("ben");
        write(line("ann", 1));
        assertTrue(ann.getAsBoolean());
        assertFalse(ben.getAsBoolean());
        write(line("ann", 2) + line("ben", 1));
        assertFalse(ann.getAsBoolean(), "the same password, but given again");
    }

    @Test
    void changesWithinOneTick_areSeen() throws Exception {
        BooleanSupplier ann = in("ann");
        FileTime same = FileTime.fromMillis(System.currentTimeMillis());
        for (int i = 0; i < 5; i++) {
            Files.writeString(file, line("ann", 1));
            Files.setLastModifiedTime(file, same);
            assertTrue(ann.getAsBoolean());
            Files.writeString(file, line("ben", 1));
            Files.setLastModifiedTime(file, same);
            assertFalse(ann.getAsBoolean());
        }
    }

    @Test
    void fileThatCannotBeUsed_changesNothing_butLetsNobodyElseIn() throws Exception {
        BooleanSupplier ann = in("ann");
        write("ann:nonsense");
        assertTrue(ann.getAsBoolean());
        assertThrows(ConfigException.class, () -> people.login("ann", "ann"));
        Files.delete(file);
        assertTrue(ann.getAsBoolean());
        write(line("ben", 1));
        assertFalse(ann.getAsBoolean());
    }

    @Test
    void noFile_orAnother_isAnotherAnswer() throws Exception {
        BooleanSupplier ann = in("ann");
        Path other = Files.writeString(folder.resolve("other"), line("ben", 1));
        people.file(other);
        assertFalse(ann.getAsBoolean());
        assertTrue(in("ben").getAsBoolean());
        people.file(file);
        assertTrue(ann.getAsBoolean());
        people.file(null);
        assertFalse(ann.getAsBoolean() || people.isOn());
        assertNull(people.login("ann", "ann"));
    }
}
