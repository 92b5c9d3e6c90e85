package org.dunlin.conformance;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * One numbered statement of a standard, or one edge case. Any thread.
 *
 * @param id such as MQTT-3.3.1-2 or E041
 * @param duty role (server, both, format, client) or strength (must, should, may, choice)
 */
record Statement(Source source, String id, String duty, String text) {

    /** Where statements come from; the key stands in the lists, the title in docs/conformance.md. */
    enum Source {
        V5("5.0", "MQTT 5.0", "mqtt-5.0.tsv"),
        V3("3.1.1", "MQTT 3.1.1", "mqtt-3.1.1.tsv"),
        EDGE("edge", "Edge cases", "edge-cases.tsv");

        final String key;
        final String title;
        private final String file;

        Source(String key, String title, String file) {
            this.key = key;
            this.title = title;
            this.file = file;
        }

        List<Statement> statements(Path folder) throws IOException {
            List<Statement> statements = new ArrayList<>();
            for (List<String> row : rows(folder.resolve(file))) {
                String text = this == EDGE ? row.get(2) + ". " + row.get(3) : row.get(2);
                statements.add(new Statement(this, row.get(0), row.get(1), text));
            }
            return statements;
        }
    }

    /** Names it in the lists: "5.0 MQTT-3.3.1-2". */
    String key() {
        return source.key + " " + id;
    }

    /** Whether a broker has to prove it: all but a client's duties and what a standard leaves open. */
    boolean binds() {
        return switch (duty) {
            case "server", "both", "format", "must", "should" -> true;
            default -> false;
        };
    }

    /** The rows of a table without its comments. */
    static List<List<String>> rows(Path table) throws IOException {
        List<List<String>> rows = new ArrayList<>();
        for (String line : Files.readAllLines(table, StandardCharsets.UTF_8)) {
            if (!line.isBlank() && !line.startsWith("#")) {
                rows.add(List.of(line.split("\t")));
            }
        }
        return rows;
    }
}
