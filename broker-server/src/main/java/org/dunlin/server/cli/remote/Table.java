package org.dunlin.server.cli.remote;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Rows under headings, each column as wide as it has to be. One thread. */
final class Table {
    private final List<String[]> rows = new ArrayList<>();

    Table(String... headings) {
        rows.add(headings);
    }

    /** @param columns heading and field, like "CLIENT=clientId"; "PAYLOAD=text|base64" is the first that is there */
    static Table of(JsonNode items, String... columns) {
        String[][] fields = new String[columns.length][];
        String[] headings = new String[columns.length];
        for (int i = 0; i < columns.length; i++) {
            int equals = columns[i].indexOf('=');
            headings[i] = columns[i].substring(0, equals);
            fields[i] = columns[i].substring(equals + 1).split("\\|");
        }
        Table table = new Table(headings);
        for (JsonNode item : items) {
            Object[] row = new Object[columns.length];
            for (int i = 0; i < row.length; i++) {
                JsonNode cell = item.path(fields[i][0]);
                row[i] = cell.isNull() ? item.path(fields[i][fields[i].length - 1]) : cell;
            }
            table.row(row);
        }
        return table;
    }

    Table row(Object... cells) {
        String[] row = new String[cells.length];
        for (int i = 0; i < cells.length; i++) {
            row[i] = cells[i] instanceof JsonNode node ? text(node) : plain(String.valueOf(cells[i]));
        }
        rows.add(row);
        return this;
    }

    /** "-" for what is not there. */
    static String text(JsonNode node) {
        return node.isNull()
                        || node.isMissingNode()
                        || node.isTextual() && node.asText().isEmpty()
                ? "-"
                : plain(node.isTextual() ? node.asText() : node.toString());
    }

    /** What clients have named does not move the cursor or change colours. */
    static String plain(String text) {
        StringBuilder plain = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            int type = Character.getType(c);
            if (Character.isISOControl(c)
                    || type == Character.FORMAT
                    || type == Character.SURROGATE
                    || type == Character.LINE_SEPARATOR
                    || type == Character.PARAGRAPH_SEPARATOR) {
                plain.append(String.format(Locale.ROOT, "\\u%04x", c));
            } else {
                plain.appendCodePoint(c);
            }
        });
        return plain.toString();
    }

    void print(PrintWriter out) {
        int columns = rows.get(0).length;
        int[] widths = new int[columns];
        for (String[] row : rows) {
            for (int i = 0; i < columns; i++) {
                widths[i] = Math.max(widths[i], row[i].length());
            }
        }
        boolean headed = !String.join("", rows.get(0)).isEmpty();
        for (String[] row : headed ? rows : rows.subList(1, rows.size())) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < columns; i++) {
                line.append(row[i]);
                if (i + 1 < columns) {
                    line.append(" ".repeat(widths[i] - row[i].length() + 2));
                }
            }
            out.println(line);
        }
    }
}
