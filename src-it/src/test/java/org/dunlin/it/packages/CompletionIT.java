package org.dunlin.it.packages;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.it.RealClient;
import org.dunlin.it.RunningBroker;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The script of the tar.gz by which a shell completes, in a real bash. */
@DisabledOnOs(OS.WINDOWS)
class CompletionIT {
    @TempDir
    static Path folder;

    private static Path script;

    @BeforeAll
    static void unpack() throws Exception {
        List<String> unpack = List.of(
                RealClient.program("tar").toString(),
                "-xzf",
                Command.only(RunningBroker.jar().getParent(), "dunlin-*.tar.gz").toString(),
                "--wildcards",
                "-C",
                folder.toString(),
                "*/completion/*");
        Command.run(unpack).expectSuccess(unpack);
        script = Command.only(folder, "dunlin-*").resolve("completion/dunlin.bash");
    }

    /** What bash offers when TAB is pressed behind these words. */
    private static List<String> offered(String line) {
        String ask = "source '" + script + "'\n"
                + "compopt() { :; }\n" // which works only while TAB is pressed
                + "f=$(complete -p dunlin | sed 's/.* -F \\([^ ]*\\) .*/\\1/')\n"
                + "IFS='|' read -ra COMP_WORDS <<<'" + String.join("|", line.split(" ", -1)) + "|'\n"
                + "COMP_CWORD=" + (line.split(" ", -1).length - 1) + "\n"
                + "COMP_LINE='" + line + "'\nCOMP_POINT=${#COMP_LINE}\n"
                + "\"$f\" dunlin \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD-1]}\"\n"
                + "printf '%s\\n' \"${COMPREPLY[@]}\"";
        List<String> command = List.of(RealClient.program("bash").toString(), "--norc", "-c", ask);
        List<String> words = new ArrayList<>();
        Command.run(command).expectSuccess(line).lines().map(String::strip).forEach(words::add);
        words.removeIf(String::isEmpty);
        return words;
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '>',
            value = {
                "dunlin cl               > clients client",
                "dunlin comp             > completion",
                "dunlin clients ki       > kick",
                "dunlin acl s            > show set",
                "dunlin clients list --se > --search --set",
                "dunlin user add ann --std > --stdin",
                "dunlin start --bi       > --bind",
            })
    void commandsAndOptions_areCompleted(String line, String words) {
        List<String> expected = List.of(words.strip().split(" "));
        List<String> found = offered(line.strip());
        assertTrue(found.containsAll(expected), () -> found + " for " + line);
        assertEquals(expected.size(), found.size(), () -> found + " for " + line);
    }

    @Test
    void nothing_isOfferedForAWordThatNothingBeginsWith() {
        assertEquals(List.of(), offered("dunlin zz"));
    }

    @Test
    void command_printsTheSameScript_whichNamesNoPlaceOfTheBuild() throws Exception {
        List<String> command =
                List.of(RunningBroker.java(), "-jar", RunningBroker.jar().toString(), "completion");
        String text = Files.readString(script);
        assertEquals(text, Command.run(command).expectSuccess(command));
        assertFalse(text.contains(System.getProperty("user.home")), "the home directory of whoever built it");
    }
}
