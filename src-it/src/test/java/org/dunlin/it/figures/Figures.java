package org.dunlin.it.figures;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What was measured: for each row some values a round. One thread. */
public final class Figures {
    private final Map<String, List<double[]>> rows = new LinkedHashMap<>();

    /** Of one round. */
    public void add(String row, double... values) {
        rows.computeIfAbsent(row, none -> new ArrayList<>()).add(values);
    }

    /** @param round from 1 */
    public boolean has(String row, int round) {
        return rows.containsKey(row) && rows.get(row).size() >= round;
    }

    public double value(String row, int round, int column) {
        return of(row).get(round - 1)[column];
    }

    /** Over the rounds. */
    public double median(String row, int column) {
        List<Double> values = new ArrayList<>();
        for (double[] round : of(row)) {
            values.add(round[column]);
        }
        return middle(values);
    }

    /** The median over the rounds of this row's value by that of another row in the same round. */
    public double ratio(String row, String base, int column) {
        List<Double> values = new ArrayList<>();
        List<double[]> bases = of(base);
        List<double[]> own = of(row);
        for (int round = 0; round < own.size(); round++) {
            values.add(own.get(round)[column] / bases.get(round)[column]);
        }
        return middle(values);
    }

    private List<double[]> of(String row) {
        List<double[]> rounds = rows.get(row);
        if (rounds == null) {
            throw new IllegalArgumentException("nothing was measured of " + row);
        }
        return rounds;
    }

    private static double middle(List<Double> values) {
        Collections.sort(values);
        int size = values.size();
        return (values.get((size - 1) / 2) + values.get(size / 2)) / 2;
    }

    /** With three digits or all before the point. */
    public static String show(double value) {
        if (!Double.isFinite(value)) {
            return "-";
        }
        String format = value >= 100 ? "%,.0f" : value >= 10 ? "%.1f" : "%.2f";
        return String.format(Locale.ROOT, format, value);
    }
}
