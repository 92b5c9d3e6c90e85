package org.dunlin.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.dunlin.server.auth.PasswordHash;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code dunlin user}. */
class UserCommandsTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final Map<String, String> environment = new HashMap<>();
    private final InputStream in = System.in;

    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void name() {
        file = folder.resolve("users");
    }

    @AfterEach
    void noSecretIsShown() {
        System.setIn(in);
        assertFalse((out + err.toString()).contains("sesame"), out + err.toString());
    }

    private int run(String... arguments) {
        return new CommandLineInterface(config -> 0, List::of, environment, List.of())
                .printTo(new PrintWriter(out, true), new PrintWriter(err, true))
                .run(arguments);
    }

    private int given(String input, String... arguments) {
        System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
        return run(arguments);
    }

    private boolean matches(String user, String password) throws Exception {
        for (String line : Files.readAllLines(file)) {
            if (line.startsWith(user + ":")) {
                return PasswordHash.parse(line.substring(user.length() + 1))
                        .matches(password.getBytes(StandardCharsets.UTF_8));
            }
        }
        return false;
    }

    @Test
    void user_isAddedChangedListedAndRemoved() throws Exception {
        String name = file.toString();

        assertEquals(0, given("open sesame\r\nmore", "user", "add", "ann", "-f", name, "--stdin"), err::toString);
        assertTrue(matches("ann", "open sesame"));
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)));
        assertTrue(out.toString().startsWith("added ann to " + file + "; a running broker follows"), out.toString());

        assertEquals(0, given("sesame2", "user", "add", "ben b", "-f", name, "--stdin"));
        assertEquals(0, given("sesame3", "user", "passwd", "ann", "-f", name, "--stdin"));
        assertTrue(matches("ann", "sesame3"));
        assertTrue(matches("ben b", "sesame2"));

        out.getBuffer().setLength(0);
        assertEquals(0, run("user", "list", "-f", name));
        assertEquals("ann\nben b\n", out.toString());

        assertEquals(0, run("user", "remove", "ann", "-f", name));
        out.getBuffer().setLength(0);
        assertEquals(0, run("user", "list", "-f", name));
        assertEquals("ben b\n", out.toString());
    }

    @Test
    void file_isFoundThroughTheConfiguration() throws Exception {
        Path config = Files.writeString(folder.resolve("c.yaml"), "auth:\n  password-file: " + file + "\n");

        assertEquals(0, given("sesame", "user", "add", "ann", "-c", config.toString(), "--stdin"), err::toString);
        assertEquals(0, run("user", "list", "--set", "auth.password-file=" + file));
        environment.put("DUNLIN_AUTH_PASSWORD_FILE", file.toString());
        assertEquals(0, run("user", "remove", "ann"), err::toString);
    }

    @Test
    void noFile_isToldWithWhatToDo() {
        assertEquals(2, run("user", "list"));
        assertTrue(err.toString().contains("give one with -f FILE"), err.toString());
    }

    @Test
    void missingFile_isToldWithWhatToDo() {
        assertEquals(2, run("user", "list", "-f", file.toString()));
        assertTrue(err.toString().contains("dunlin user add NAME -f " + file), err.toString());
    }

    @Test
    void namesThatAreThereOrNot_areTold() {
        given("sesame", "user", "add", "ann", "-f", file.toString(), "--stdin");

        assertEquals(2, given("sesame", "user", "add", "ann", "-f", file.toString(), "--stdin"));
        assertTrue(err.toString().contains("'dunlin user passwd ann'"), err.toString());
        assertEquals(2, given("sesame", "user", "passwd", "ben", "-f", file.toString(), "--stdin"));
        assertEquals(2, run("user", "remove", "ben", "-f", file.toString()));
        assertTrue(err.toString().contains("has no user ben"), err.toString());
    }

    @Test
    void emptyPassword_isRefused() {
        assertEquals(2, given("\n", "user", "add", "ann", "-f", file.toString(), "--stdin"));
        assertTrue(err.toString().contains("the password is empty"), err.toString());
        assertFalse(Files.exists(file));
    }

    @Test
    void passwordLongerThanMqttCarries_isRefused() {
        assertEquals(0, given("x".repeat(65_535) + "\r\n", "user", "add", "ann", "-f", file.toString(), "--stdin"));
        assertEquals(2, given("x".repeat(65_536), "user", "add", "ben", "-f", file.toString(), "--stdin"));
    }

    @Test
    void passwordAsArgument_isRefusedAndNotRepeated() {
        assertEquals(2, run("user", "add", "ann", "sesame", "-f", file.toString()));
        assertEquals(2, run("user", "add", "ann", "--password", "sesame", "-f", file.toString()));
        assertEquals(2, run("user", "passwd", "ann", "--password=sesame", "-f", file.toString()));
        assertEquals(2, run("user", "ad", "ann", "sesame"));
        String[] lines = err.toString().split("\n");
        assertEquals(4, lines.length, err.toString());
        for (int i = 0; i < 3; i++) {
            assertTrue(lines[i].contains("a password is never an argument"), lines[i]);
        }
        assertTrue(lines[3].contains("did you mean add?"), lines[3]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a:b", "", " a", "#a", "a\nb"})
    void nameThatCannotStandInTheFile_isRefused(String name) {
        assertEquals(2, given("sesame", "user", "add", name, "-f", file.toString(), "--stdin"));
        assertTrue(err.toString().contains("the user name "), err.toString());
        assertFalse(Files.exists(file));
    }

    @Test
    void faultsOfTheFile_areAllShown_andItStaysAsItIs() throws Exception {
        Files.writeString(file, "ann:sesame\nben\n");

        assertEquals(2, given("x", "user", "add", "cem", "-f", file.toString(), "--stdin"));

        assertTrue(err.toString().contains(file + ":1: user 'ann'"), err.toString());
        assertTrue(err.toString().contains(file + ":2: the line has no colon"), err.toString());
        assertEquals("ann:sesame\nben\n", Files.readString(file));
    }

    @Test
    void folderThatIsNotThere_isTold() {
        Path nowhere = folder.resolve("no/users");

        assertEquals(2, given("sesame", "user", "add", "ann", "-f", nowhere.toString(), "--stdin"));

        assertTrue(err.toString().contains("cannot be written"), err.toString());
    }
}
