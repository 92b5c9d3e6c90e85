package org.dunlin.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.dunlin.server.config.ConfigLoader.Flag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

final class StartLineTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "start",
                "start -p 0",
                "start --port 1884 --bind 0.0.0.0 -d data",
                "start -c dunlin.yaml --set limits.max-qos=1 --data-dir /srv/data --set log.level=debug",
                "start --config a/b.yaml --set a=b=c --set a=",
            })
    void plainLine_isUnderstoodAsTheLibraryDoes(String line) {
        StartLine plain = StartLine.plain(line.split(" "));

        assertNotNull(plain);
        assertEquals(parsed(line), plain);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "version",
                "start --help",
                "start -p",
                "start -p1884",
                "start --port=1884",
                "start -p 1 -p 2",
                "start -p 1 --port 2",
                "start -c a.yaml --config b.yaml",
                "start --bind :: --bind ::",
                "start -d a --data-dir a",
                "start --set nothing",
                "start --set =nothing",
                "start -d -p",
                "start --unknown 1",
                "start extra",
                "start extra 1",
                "stop -p 1",
            })
    void anythingElse_isLeftToTheLibrary(String line) {
        assertNull(StartLine.plain(line.split(" ")));
    }

    @Test
    void emptyOrUnreadableValue_isLeftToTheLibrary() {
        assertNull(StartLine.plain());
        assertNull(StartLine.plain("start", "-d", ""));
        assertNull(StartLine.plain("start", "-c", "a\0b"));
    }

    @Test
    void options_winOverSet() {
        StartLine plain = StartLine.plain("start", "-p", "1", "--set", " listeners[0].port =2");

        assertNotNull(plain);
        assertEquals(
                List.of(new Flag("--set", "listeners[0].port", "2"), new Flag("-p", "listeners[0].port", "1")),
                plain.flags());
    }

    private static StartLine parsed(String line) {
        StartCommand command = new StartCommand(new Invocation(Map.of(), List.of()), loaded -> 0);
        CommandLine parser = new CommandLine(command);
        parser.registerConverter(Path.class, Path::of);
        String[] words = line.split(" ");
        parser.parseArgs(List.of(words).subList(1, words.length).toArray(String[]::new));
        return command.line();
    }
}
