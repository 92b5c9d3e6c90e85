package org.dunlin.it.soak;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** What was read, row by row, kept and written to a file of comma-separated values as it comes. One thread. */
final class Samples implements AutoCloseable {
    private final List<String> columns;
    private final List<double[]> rows = new ArrayList<>();
    private final BufferedWriter file;

    /** A point of time and a value. */
    record Point(double seconds, double value) {}

    /** @param columns the first is the time in seconds */
    Samples(List<String> columns, Path path) throws IOException {
        this.columns = List.copyOf(columns);
        file = Files.newBufferedWriter(path);
        file.write(String.join(",", columns) + "\n");
    }

    /** @param values by column; what is not there was not read this time */
    void add(Map<String, Double> values) throws IOException {
        double[] row = new double[columns.size()];
        for (int i = 0; i < row.length; i++) {
            row[i] = values.getOrDefault(columns.get(i), Double.NaN);
        }
        rows.add(row);
        file.write(columns.stream()
                        .map(values::get)
                        .map(value -> value == null ? "" : String.format(Locale.ROOT, "%.3f", value))
                        .collect(Collectors.joining(","))
                + "\n");
        file.flush();
    }

    /** What was read of a column, in the order of time. */
    List<Point> of(String column) {
        int index = columns.indexOf(column);
        List<Point> points = new ArrayList<>();
        for (double[] row : rows) {
            if (!Double.isNaN(row[index])) {
                points.add(new Point(row[0], row[index]));
            }
        }
        return points;
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
