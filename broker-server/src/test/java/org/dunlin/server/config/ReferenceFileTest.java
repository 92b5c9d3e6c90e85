package org.dunlin.server.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** conf/dunlin.yaml says what the code does. To write it anew: -Ddunlin.write-reference=true. */
class ReferenceFileTest {
    private static final Path REFERENCE = Path.of("..", "conf", "dunlin.yaml");
    private static final Pattern COMMENTED_KEY = Pattern.compile("(?m)^( *)#(?=[a-z-])");

    @TempDir
    Path folder;

    @Test
    void reference_isWhatTheTableOfKeysSays() throws IOException {
        if (Boolean.getBoolean("dunlin.write-reference")) {
            Files.writeString(REFERENCE, ConfigText.reference());
        }
        assertEquals(
                ConfigText.reference(),
                Files.readString(REFERENCE),
                "run this test with -Ddunlin.write-reference=true");
    }

    @Test
    void reference_asShipped_isTheDefaults() throws ConfigException {
        assertEquals(
                Config.DEFAULTS,
                ConfigLoader.load(REFERENCE, Map.of(), List.of()).config());
    }

    @Test
    void reference_withEveryCommentedKeySet_hasTheDefaultsOfTheCode() throws Exception {
        String all = COMMENTED_KEY.matcher(Files.readString(REFERENCE)).replaceAll("$1");
        Path file = folder.resolve("all.yaml");
        Files.writeString(file, all);
        Settings settings = ConfigLoader.load(file, Map.of(), List.of()).settings();
        for (Key<?> key : Keys.TABLE.keys()) {
            String path = key.path(0);
            assertTrue(settings.origin(path).startsWith(file.toString()), path + " is not in the file");
            Settings.Setting said = settings.said(path);
            String written = said == null ? "" : said.text();
            String wanted = key.defaultText();
            assertEquals(wanted == null ? key.example() : wanted, written, path);
        }
        Config config = settings.config();
        assertEquals(Config.DEFAULTS.limits(), config.limits());
        assertEquals(Config.DEFAULTS.listeners(), config.listeners());
        assertEquals(Config.DEFAULTS.server(), config.server());
    }

    @Test
    void reference_explainsEveryKeyInLinesThatFit() throws IOException {
        String text = Files.readString(REFERENCE);
        for (Key<?> key : Keys.TABLE.keys()) {
            assertTrue(text.contains("# " + key.explanation() + "\n"), key.name());
        }
        for (String line : text.split("\n")) {
            assertTrue(line.length() <= 120, line);
        }
    }
}
