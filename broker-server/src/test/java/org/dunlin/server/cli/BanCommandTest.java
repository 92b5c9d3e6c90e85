package org.dunlin.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code dunlin ban}. */
class BanCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final Map<String, String> environment = new HashMap<>();

    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void name() {
        file = folder.resolve("bans");
    }

    private int run(String... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        return new CommandLineInterface(config -> 0, List::of, environment, List.of())
                .printTo(new PrintWriter(out, true), new PrintWriter(err, true))
                .run(arguments);
    }

    @Test
    void bans_areAddedListedAndRemoved() throws Exception {
        String name = file.toString();
        assertEquals(
                0, run("ban", "add", "address", "10.1.2.0/24", "-f", name, "--reason", "port scans"), err::toString);
        assertTrue(out.toString().startsWith("banned address 10.1.2.0/24 in " + file + "; a running"), out.toString());
        assertEquals(0, run("ban", "add", "user", "ann b", "-f", name, "--until", "2999-01-01T00:00:00Z"));
        assertEquals(0, run("ban", "add", "client-id", "meter", "-f", name, "--for", "7d"));

        assertEquals(0, run("ban", "list", "-f", name));
        String listed = out.toString();
        assertTrue(
                listed.startsWith("address 10.1.2.0/24 port scans\nuser \"ann b\" until 2999-01-01T00:00:00Z\n"),
                listed);
        assertTrue(listed.matches("(?s).*\nclient-id meter until \\d{4}-[0-9T:-]+Z\n"), listed);

        assertEquals(0, run("ban", "remove", "user", "ann b", "-f", name));
        assertEquals(2, run("ban", "remove", "user", "ann b", "-f", name));
        assertTrue(err.toString().contains("does not ban user ann b"), err.toString());
        assertEquals(2, Files.readAllLines(file).size());
    }

    @Test
    void file_isFoundThroughTheConfiguration_andItsFaultsAreTold() throws Exception {
        Path config = Files.writeString(folder.resolve("c.yaml"), "auth:\n  ban-file: " + file + "\n");
        assertEquals(0, run("ban", "add", "user", "ann", "-c", config.toString()), err::toString);
        Files.writeString(file, "user ann\nnobody\nuser ben until then\n");
        assertEquals(2, run("ban", "list", "-c", config.toString()));
        assertTrue(err.toString().contains("bans:2") && err.toString().contains("bans:3"), err.toString());
    }

    @Test
    void wrongUse_isToldWithWhatToDo() {
        String name = file.toString();
        assertEquals(2, run("ban"));
        assertEquals(2, run("ban", "list"));
        assertTrue(err.toString().contains("give one with -f FILE"), err.toString());
        assertEquals(2, run("ban", "add", "host", "a", "-f", name));
        assertTrue(err.toString().contains("name an address, a user or a client-id"), err.toString());
        assertEquals(2, run("ban", "add", "address", "10.0.0.1/8", "-f", name));
        assertTrue(err.toString().contains("10.1.2.0/24"), err.toString());
        assertEquals(2, run("ban", "add", "user", "a", "-f", name, "--for", "ever"));
        assertTrue(err.toString().contains("90s, 10m, 12h or 7d"), err.toString());
        assertEquals(2, run("ban", "add", "user", "a", "-f", name, "--for", "1h", "--until", "2999-01-01T00:00:00Z"));
        assertEquals(2, run("ban", "add", "user", "a", "-f", name, "--until", "tomorrow"));
        assertTrue(Files.notExists(file));
    }
}
