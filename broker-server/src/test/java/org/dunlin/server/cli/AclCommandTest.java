package org.dunlin.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code dunlin acl explain}, and {@code dunlin config check} of a configuration with an ACL file. */
class AclCommandTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final Map<String, String> environment = new HashMap<>();

    @TempDir
    Path folder;

    private Path file;

    @BeforeEach
    void write() throws Exception {
        file = Files.writeString(
                folder.resolve("acl"), "topic read news\nuser ann\ntopic write,qos=1 a\ngroup g\ntopic read of/g\n");
    }

    private int run(String... arguments) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        return new CommandLineInterface(config -> 0, List::of, environment, List.of())
                .printTo(new PrintWriter(out, true), new PrintWriter(err, true))
                .run(arguments);
    }

    private int explain(String... more) {
        List<String> arguments = new ArrayList<>(List.of("acl", "explain", "--acl-file", file.toString()));
        arguments.addAll(List.of(more));
        return run(arguments.toArray(String[]::new));
    }

    @Test
    void allowed_isExitCode0_andDenied5() {
        assertEquals(0, explain("--user", "ann", "--action", "publish", "--topic", "a", "--qos", "1"), err::toString);
        assertTrue(out.toString().startsWith("allowed: user 'ann'"), out.toString());
        assertTrue(out.toString().contains("decided by " + file + ":3: 'topic write,qos=1 a'"), out.toString());

        assertEquals(5, explain("--user", "ann", "--action", "publish", "--topic", "a", "--qos", "2"));
        assertTrue(out.toString().startsWith("denied: "), out.toString());

        assertEquals(0, explain("--action", "receive", "--topic", "news"));
        assertEquals(
                0, explain("-u", "zoe", "-i", "c1", "-g", "g", "-a", "subscribe", "-t", "$share/x/of/g", "-q", "2"));
        assertEquals(5, explain("-u", "zoe", "-a", "publish", "-t", "of/g", "-r"));
    }

    @Test
    void file_isFoundThroughTheConfiguration() throws Exception {
        Path config = Files.writeString(folder.resolve("c.yaml"), "auth:\n  acl-file: " + file + "\n");
        String[] question = {"acl", "explain", "-c", config.toString(), "--action", "receive", "--topic", "news"};

        assertEquals(0, run(question), err::toString);
        assertEquals(2, run("acl", "explain", "--action", "receive", "--topic", "news"));
        assertTrue(err.toString().contains("no ACL file is named; give one with --acl-file FILE"), err.toString());
    }

    @Test
    void wrongQuestions_areToldInOneLine() {
        for (List<String> question : List.of(
                List.of("--action", "read", "--topic", "a"),
                List.of("--action", "publish", "--topic", "a/#"),
                List.of("--action", "publish", "--topic", ""),
                List.of("--action", "subscribe", "--topic", "#/a"),
                List.of("--action", "subscribe", "--topic", "a", "--qos", "3"),
                List.of("--topic", "a"),
                List.of("--action", "publish"))) {
            assertEquals(2, explain(question.toArray(String[]::new)), question::toString);
            assertEquals(1, err.toString().lines().count(), err.toString());
            assertEquals("", out.toString());
        }
        assertEquals(2, run("acl"));
    }

    @Test
    void faultyFile_isToldByExplainAndByConfigCheck_withAllFaults() throws Exception {
        Files.writeString(file, "topic raed a\nuser\n");
        Path config = Files.writeString(folder.resolve("c.yaml"), "auth:\n  acl-file: " + file + "\n");
        String faults = file + ":1: 'raed' is no action; did you mean read?\n" + file
                + ":2: 'user' has no name; write user NAME\n";

        assertEquals(2, explain("--action", "receive", "--topic", "news"));
        assertEquals(faults, err.toString());
        assertEquals(2, run("config", "check", config.toString()));
        assertEquals(faults, err.toString());
    }

    @Test
    void configCheck_givesTheWarningsOfTheFile() throws Exception {
        Files.writeString(file, "topic read a/%u\n");
        Path config = Files.writeString(folder.resolve("c.yaml"), "auth:\n  acl-file: " + file + "\n");

        assertEquals(0, run("config", "check", config.toString()));
        assertTrue(out.toString().startsWith("warning: " + file + ":1 has %c or %u as plain text"), out.toString());
    }
}
