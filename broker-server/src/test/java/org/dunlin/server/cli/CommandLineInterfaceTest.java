package org.dunlin.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.BindException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.dunlin.server.config.Config;
import org.dunlin.server.config.Config.LogFormat;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandLineInterfaceTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final Map<String, String> environment = new HashMap<>();
    private List<Path> defaultConfig = List.of();
    private Launcher launcher = loaded -> {
        started = loaded.config();
        return ExitCode.OK;
    };
    private @Nullable Config started;

    @TempDir
    Path folder;

    private int run(String... arguments) {
        return new CommandLineInterface(
                        config -> launcher.run(config),
                        () -> List.of("Transports epoll, nio", "TLS Java"),
                        environment,
                        defaultConfig)
                .printTo(new PrintWriter(out), new PrintWriter(err))
                .run(arguments);
    }

    private void assertOneLine(String beginning, String part) {
        String text = err.toString();
        assertTrue(text.startsWith(beginning), text);
        assertTrue(text.contains(part), text);
        assertEquals(1, text.lines().count(), text);
        assertEquals("", out.toString());
    }

    @Test
    void start_withNothing_hasTheDefaults() {
        assertEquals(0, run("start"));
        assertEquals(Config.DEFAULTS, started);
        assertEquals("", err.toString());
    }

    @Test
    void start_withFlags_setsTheListener() {
        assertEquals(0, run("start", "-p", "0", "--bind", "::1", "-d", "x", "--set", "limits.max-qos=1"));
        Config.Listener listener = started().listeners().get(0);
        assertEquals(0, listener.port());
        assertEquals("::1", listener.bind());
        assertEquals("x", started().storage().path());
        assertEquals(1, started().limits().maxQos().value());
    }

    private Config started() {
        Config config = started;
        if (config == null) {
            throw new AssertionError("not started: " + err);
        }
        return config;
    }

    @Test
    void start_onAllAddressesWithoutAWord_exitsTwoAndNamesTheKey() {
        assertEquals(2, run("start", "--bind", "0.0.0.0"));
        assertNull(started);
        assertOneLine("--bind: listeners[0].bind: '0.0.0.0' can be reached", "set auth.allow-anonymous: true");
    }

    @Test
    void start_onAllAddressesSaidExplicitly_starts() {
        environment.put("DUNLIN_AUTH_ALLOW_ANONYMOUS", "true");
        assertEquals(0, run("start", "--bind", "0.0.0.0"));
        assertTrue(started().allowsAnonymous(started().listeners().get(0)));
    }

    @Test
    void start_portWithConfiguredListeners_isUsageError() throws Exception {
        Path file = Files.writeString(folder.resolve("c.yaml"), "listeners:\n  - port: 1884\n");
        assertEquals(2, run("start", "-c", file.toString(), "-p", "1"));
        assertOneLine("-p: describes the only listener", "c.yaml:2");
    }

    @Test
    void start_withSeveralFaults_printsOneLineEach() {
        assertEquals(2, run("start", "--set", "limits.max-qos=9", "--set", "log.level=x"));
        assertEquals(2, err.toString().lines().count());
    }

    @Test
    void start_withoutFile_readsTheDefaultOneIfItExists() throws Exception {
        Path file = folder.resolve("dunlin.yaml");
        defaultConfig = List.of(file);
        assertEquals(0, run("start"));
        assertEquals(LogFormat.TEXT, started().log().format());
        Files.writeString(file, "log:\n  format: json\n");
        assertEquals(0, run("start"));
        assertEquals(LogFormat.JSON, started().log().format());
    }

    @Test
    void start_failing_hasTheExitCodeOfItsReason() {
        launcher = config -> {
            throw new CommandException(ExitCode.DATA_DIRECTORY, "data: is locked by\nprocess 7; stop it");
        };
        assertEquals(3, run("start"));
        assertOneLine("dunlin: data: is locked by process 7; stop it", "");
        err.getBuffer().setLength(0);
        launcher = config -> {
            throw new BindException("127.0.0.1:1883: Address already in use");
        };
        assertEquals(4, run("start"));
        assertOneLine("dunlin: cannot listen: 127.0.0.1:1883: Address already in use; ", "-p");
        err.getBuffer().setLength(0);
        launcher = config -> {
            throw new IllegalStateException("oops");
        };
        assertEquals(1, run("start"));
        assertOneLine("dunlin: unexpected: java.lang.IllegalStateException: oops; ", "report");
        err.getBuffer().setLength(0);
        launcher = config -> {
            throw new UnsatisfiedLinkError("no such library");
        };
        assertEquals(1, run("start"));
        assertOneLine("dunlin: unexpected: java.lang.UnsatisfiedLinkError: no such library; ", "report");
    }

    @Test
    void start_failingAtDebugLevel_showsTheStack() {
        launcher = config -> {
            throw new IllegalStateException("oops");
        };
        assertEquals(1, run("start", "--set", "log.level=debug"));
        assertTrue(err.toString().contains("\tat org.dunlin"), err.toString());
        err.getBuffer().setLength(0);
        assertEquals(1, run("start"));
        assertEquals(1, err.toString().lines().count());
    }

    @Test
    void wrongUsage_exitsTwoWithOneLineAndASuggestion() {
        assertEquals(2, run("strat"));
        assertOneLine("dunlin: ", "did you mean start?");
        err.getBuffer().setLength(0);
        assertEquals(2, run("start", "--prot", "1"));
        assertOneLine("dunlin: ", "did you mean --port?");
        err.getBuffer().setLength(0);
        assertEquals(2, run("--version"));
        assertOneLine("dunlin: ", "did you mean version?");
        err.getBuffer().setLength(0);
        assertEquals(2, run("-v"));
        assertFalse(err.toString().contains("did you mean"), err.toString());
        err.getBuffer().setLength(0);
        assertEquals(2, run("config", "chekc"));
        assertOneLine("dunlin: ", "did you mean check?");
        err.getBuffer().setLength(0);
        assertEquals(2, run());
        assertOneLine("dunlin: ", "no command");
        err.getBuffer().setLength(0);
        assertEquals(2, run("config"));
        assertOneLine("dunlin: ", "check or show");
        err.getBuffer().setLength(0);
        assertEquals(2, run("start", "--set", "limits.max-qos"));
        assertOneLine("dunlin: ", "KEY=VALUE");
        err.getBuffer().setLength(0);
        assertEquals(2, run("config", "check"));
        assertOneLine("dunlin: ", "FILE");
    }

    @Test
    void nameOfAFileThatCannotBeRead_saysSoWithoutJavasWords() {
        assertEquals(2, run("config", "check", "a\0b"));
        assertOneLine("dunlin: ", "LC_ALL=C.UTF-8");
        assertFalse(err.toString().contains("java."), err.toString());
    }

    @Test
    void argumentThatBeginsWithAt_isNotReadAsAFile() throws Exception {
        Path file = Files.writeString(folder.resolve("arguments"), "start");
        assertEquals(2, run("@" + file));
        assertNull(started);
    }

    @Test
    void configCheck_ofGoodAndBadFile() throws Exception {
        environment.put("DUNLIN_LOG_LEVEL", "nonsense that check does not look at");
        Path file = Files.writeString(folder.resolve("c.yaml"), "limits:\n  max-qos: 1\n");
        assertEquals(0, run("config", "check", file.toString()));
        assertTrue(out.toString().endsWith("c.yaml: no faults" + System.lineSeparator()));
        Files.writeString(file, "limits:\n  max-qso: 1\nlog:\n  level: x\n");
        assertEquals(2, run("config", "check", file.toString()));
        assertEquals(
                file + ":2: limits.max-qso: is no key; did you mean limits.max-qos?",
                err.toString().lines().findFirst().orElseThrow());
        assertEquals(2, err.toString().lines().count());
    }

    @Test
    void configShow_saysWhereEachValueCameFrom() {
        environment.put("DUNLIN_LOG_LEVEL", "warn");
        assertEquals(0, run("config", "show", "--set", "limits.max-qos=1"));
        assertTrue(out.toString().contains("max-qos: 1  # --set"), out.toString());
        assertTrue(out.toString().contains("level: warn  # DUNLIN_LOG_LEVEL"), out.toString());
        assertTrue(out.toString().contains("format: text  # default"), out.toString());
    }

    @Test
    void configShow_warnings_goToStandardError() {
        environment.put("DUNLIN_WIBBLE", "1");
        assertEquals(0, run("config", "show"));
        assertTrue(err.toString().startsWith("warning: environment variable DUNLIN_WIBBLE"), err.toString());
        assertFalse(out.toString().contains("WIBBLE"));
    }

    @Test
    void version_namesDunlinJavaAndTransports() {
        assertEquals(0, run("version"));
        String text = out.toString();
        assertTrue(text.matches("(?s)Dunlin [0-9]+\\.[0-9]+\\.[0-9]+(-[A-Za-z0-9.-]+)?\\R.*"), text);
        assertTrue(text.contains("Java " + System.getProperty("java.version")), text);
        assertTrue(text.contains("Transports epoll, nio"), text);
        assertTrue(text.contains("TLS Java"), text);
    }

    @Test
    void help_ofEveryCommand_exitsZero() {
        for (String[] arguments : List.of(
                new String[] {"--help"},
                new String[] {"start", "--help"},
                new String[] {"config", "--help"},
                new String[] {"config", "check", "--help"},
                new String[] {"config", "show", "-h"},
                new String[] {"store", "--help"},
                new String[] {"store", "verify", "--help"},
                new String[] {"store", "backup", "--help"},
                new String[] {"store", "repair", "--help"},
                new String[] {"store", "export", "--help"},
                new String[] {"store", "import", "--help"},
                new String[] {"version", "--help"})) {
            out.getBuffer().setLength(0);
            assertEquals(0, run(arguments));
            assertTrue(out.toString().startsWith("Usage: dunlin"), out.toString());
        }
    }

    @Test
    void eachCommandThatHelpNames_isThereUnderThatName_alone() {
        assertEquals(0, run("--help"));
        List<String> names = out.toString()
                .lines()
                .dropWhile(line -> !line.startsWith("Commands:"))
                .skip(1)
                .takeWhile(line -> !line.isEmpty())
                .filter(line -> line.startsWith("  ") && line.charAt(2) != ' ')
                .map(line -> line.strip().split("[ ,]")[0])
                .toList();
        assertTrue(names.size() > 25 && names.containsAll(List.of("start", "clients", "log-level")), names.toString());
        for (String name : names) {
            out.getBuffer().setLength(0);
            assertEquals(0, run(name, "--help"));
            assertTrue(out.toString().startsWith("Usage: dunlin " + name + " "), out.toString());
        }
    }

    @Test
    void completion_isOfAllCommands() {
        assertEquals(0, run("completion"));
        assertTrue(out.toString().contains("log-level") && out.toString().contains("--dry-run"));
    }
}
