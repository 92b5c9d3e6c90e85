package org.dunlin.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What holds for the files of the dashboard, so that a page cannot be taken over by what clients name. */
class DashboardSourcesTest {
    private static final Path FOLDER =
            SourceTree.ROOT.resolve("broker-server/src/main/resources/org/dunlin/server/admin/dashboard");
    private static final int LINES_OF_A_FILE = 600;
    /** What makes text HTML or a script, and other hosts. */
    private static final Pattern UNSAFE = Pattern.compile(
            "innerHTML|outerHTML|insertAdjacentHTML|document\\.write|\\beval\\b"
                    + "|new Function|srcdoc|DOMParser|createContextualFragment|setHTML|javascript:|style=|https?://(?!www\\.w3\\.org/2000/svg)");

    private static List<Path> files() throws IOException {
        try (Stream<Path> files = Files.walk(FOLDER)) {
            return files.filter(Files::isRegularFile).toList();
        }
    }

    private static String name(Path file) {
        return FOLDER.relativize(file).toString().replace('\\', '/');
    }

    @Test
    void theList_namesEveryFile() throws IOException {
        TreeSet<String> there = new TreeSet<>();
        files().forEach(file -> there.add(name(file)));
        there.remove("files.txt");
        assertEquals(List.copyOf(there), Files.readAllLines(FOLDER.resolve("files.txt")));
    }

    @Test
    void ownFiles_areShortAndSafe() throws IOException {
        List<String> faults = new ArrayList<>();
        int looked = 0;
        for (Path file : files()) {
            if (name(file).startsWith("lib/") || name(file).equals("files.txt")) {
                continue;
            }
            looked++;
            List<String> lines = Files.readAllLines(file);
            if (lines.size() > LINES_OF_A_FILE) {
                faults.add(name(file) + " has " + lines.size() + " lines");
            }
            for (int i = 0; i < lines.size(); i++) {
                Matcher unsafe = UNSAFE.matcher(lines.get(i));
                if (unsafe.find()) {
                    faults.add(name(file) + ":" + (i + 1) + ": " + unsafe.group());
                }
            }
        }
        assertTrue(looked > 20, looked + " files");
        assertEquals(List.of(), faults);
    }
}
