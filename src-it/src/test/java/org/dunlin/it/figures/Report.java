package org.dunlin.it.figures;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** Tables in Markdown, to the standard output and to a file, as they come. One thread. */
public final class Report {
    private final Path file;

    public Report(Path file) throws IOException {
        this.file = file;
        Files.createDirectories(file.getParent());
        Files.deleteIfExists(file);
    }

    public Path file() {
        return file;
    }

    public void say(String text) throws IOException {
        System.out.println(text);
        System.out.flush();
        Files.writeString(file, text + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    public void head(String title, String... columns) throws IOException {
        say("\n### " + title + "\n");
        row(List.of(columns));
        say("|---".repeat(columns.length) + "|");
    }

    public void row(List<String> cells) throws IOException {
        say("| " + String.join(" | ", cells) + " |");
    }
}
