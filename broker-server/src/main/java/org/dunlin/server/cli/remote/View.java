package org.dunlin.server.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;

/** How people read an answer. Any thread. */
@FunctionalInterface
public interface View {
    /** What was done, as the broker says it. */
    View DONE = (answer, out) -> out.println(Table.plain(answer.path("done").asText()));

    /** One thing, a line for each of its fields. */
    View FIELDS = (answer, out) -> {
        Table table = new Table("", "");
        answer.properties().forEach(each -> table.row(each.getKey(), each.getValue()));
        table.print(out);
    };

    /** How many were meant by a selection, and what became of them. */
    static View selected(String noun, String verb) {
        return (answer, out) -> {
            out.println(answer.path("matched") + " " + noun + "(s) meant, " + answer.path(verb) + " " + verb
                    + (answer.path("more").asBoolean() ? "; there may be more: call again" : ""));
            answer.path("examples").forEach(each -> out.println("  " + Table.text(each)));
        };
    }

    /** @param columns of each of the answer's items, and whether there are more: see {@link Table#of} */
    static View list(String... columns) {
        return (answer, out) -> {
            Table.of(answer.path("items"), columns).print(out);
            JsonNode next = answer.path("next");
            if (next.isTextual()) {
                out.println("There is more: --after '" + Table.plain(next.asText()) + "'");
            }
        };
    }

    void print(JsonNode answer, PrintWriter out);
}
