package org.dunlin.it.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.RunningBroker;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Users, rights and bans of a broker whose files the commands do not see, and what commands say to a newcomer. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RemoteAccessIT {
    private Path data;
    private Path files;
    private RunningBroker broker;
    private AdminPort admin;

    @BeforeAll
    void start(@TempDir Path folder) throws Exception {
        files = folder;
        data = folder.resolve("data");
        broker = RunningBroker.start(List.of(
                "storage.path=" + data,
                "auth.password-file=" + Files.writeString(folder.resolve("users"), ""),
                "auth.acl-file=" + Files.writeString(folder.resolve("acl"), "topic readwrite #\n"),
                "auth.ban-file=" + Files.writeString(folder.resolve("bans"), "")));
        admin = AdminPort.of(broker, data);
    }

    @AfterAll
    void stop() {
        broker.close();
    }

    private String run(int exitCode, String input, String... arguments) throws Exception {
        return run(data.resolve("admin.token"), exitCode, input, arguments);
    }

    private String run(Path token, int exitCode, String input, String... arguments) throws Exception {
        List<String> command =
                new ArrayList<>(List.of(RunningBroker.java(), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        command.addAll(List.of("-jar", RunningBroker.jar().toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("--url", admin.url(), "--token-file", token.toString()));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.startsWith("DUNLIN_"));
        Process process = builder.start();
        try (OutputStream in = process.getOutputStream()) {
            in.write(input.getBytes(StandardCharsets.UTF_8));
        } catch (IOException unread) {
            // it has ended without
        }
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(exitCode, process.waitFor(), said);
        assertFalse(said.contains("sesame"), said);
        return said;
    }

    @Test
    void users_areAddedChangedListedAndRemoved() throws Exception {
        assertEquals("added ann\n", run(0, "open sesame\n", "user", "add", "ann", "--stdin"));
        run(0, "sesame2\n", "user", "add", "ben b", "--stdin", "--scram");
        assertEquals("ann\nben b\n", run(0, "", "user", "list"));
        assertTrue(AdminPort.parsed(run(0, "", "user", "list", "--json"))
                .path("items")
                .path(1)
                .path("scram")
                .asBoolean());
        String before = Files.readString(files.resolve("users"));
        assertEquals("changed the password of ann\n", run(0, "sesame3\n", "user", "passwd", "ann", "--stdin"));
        assertFalse(Files.readString(files.resolve("users")).equals(before));
        String there = run(2, "sesame\n", "user", "add", "ann", "--stdin");
        assertTrue(there.contains("there is a user ann; give it another password, or remove it first"), there);
        assertEquals("removed ann\n", run(0, "", "user", "remove", "ann"));
        String absent = run(2, "", "user", "remove", "ann");
        assertTrue(absent.contains("no user of that name; 'dunlin user list' shows what there is"), absent);
        assertEquals("ben b\n", run(0, "", "user", "list"));
    }

    @Test
    void bans_areAddedListedAndRemoved() throws Exception {
        run(0, "", "ban", "add", "client-id", "a/b c", "--reason", "floods");
        run(0, "", "ban", "add", "address", "10.1.2.0/24", "--until", "2030-01-01T00:00:00Z");
        String listed = run(0, "", "ban", "list");
        assertTrue(listed.contains("client-id \"a/b c\" floods\n"), listed);
        assertTrue(listed.contains("address 10.1.2.0/24 until 20"), listed);
        assertTrue(Files.readString(files.resolve("bans")).contains("client-id \"a/b c\" floods"));
        run(0, "", "ban", "remove", "client-id", "a/b c");
        run(0, "", "ban", "remove", "address", "10.1.2.0/24");
        String absent = run(2, "", "ban", "remove", "client-id", "a/b c");
        assertTrue(absent.contains("there is no such ban; 'dunlin ban list' shows what there is"), absent);
        assertEquals("", run(0, "", "ban", "list"));
    }

    @Test
    void rights_areShownReplacedAndExplained() throws Exception {
        assertEquals("topic readwrite #\n", run(0, "", "acl", "show"));
        run(0, "", "acl", "explain", "-a", "publish", "-t", "news");
        String said = run(0, "topic read news\n", "acl", "set", "-");
        assertTrue(said.startsWith("replaced "), said);
        said = run(5, "", "acl", "explain", "-a", "publish", "-t", "news");
        assertTrue(said.startsWith("denied: "), said);
        said = run(2, "topic raed news\n", "acl", "set", "-");
        assertTrue(said.startsWith("standard input:1: 'raed' is no action"), said);
        run(0, "topic readwrite #\n", "acl", "set", "-");
    }

    @Test
    void newcomers_areToldWhatToDo_inOneLine() throws Exception {
        Path wrong = Files.writeString(files.resolve("wrong"), "nothing\n");
        Path reader = Files.writeString(files.resolve("reader"), run(0, "", "token", "add", "reader"));
        assertTold(run(wrong, 2, "", "status"), "does not know this token; name the file of another with --token-file");
        assertTold(
                run(reader, 2, "", "clients", "kick", "c"),
                "reader may look but not change; use a token with the scope write, and name its file with --token-file");
        assertTold(
                run(2, "", "clients", "show", "nobody"),
                "no client of that identifier is connected; 'dunlin clients list' shows what there is");
        assertTold(run(2, "", "sessions", "end", "nobody"), "; 'dunlin sessions list' shows what there is");
        assertTold(run(2, "", "retained", "show", "no"), "nothing is retained at that topic; 'dunlin retained list'");
        assertTold(run(2, "", "log-level", "loud"), "level is error, warn, info, debug or trace");
        assertTold(run(2, "", "clients", "list", "--limit", "0"), "allowed: 1 to 1000");
    }

    private static void assertTold(String said, String part) {
        assertEquals(1, said.lines().count(), said);
        assertTrue(said.startsWith("dunlin: ") && said.contains(part), said);
    }
}
