package org.dunlin.it.soak;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Lines over time as SVG, panels below each other, readable on light and on dark pages. One thread. */
final class Chart {
    private static final int WIDTH = 790;
    private static final int LEFT = 64;
    private static final int RIGHT = 180;
    private static final int TOP = 30;
    private static final int PANEL = 190;
    private static final int GAP = 46;
    private static final double TICKS = 5;

    private final List<Panel> panels = new ArrayList<>();
    private final double minutes;

    /** @param unit of the vertical axis */
    private record Panel(String title, String unit, List<Line> lines) {}

    /** @param colour that can be told apart on white and on black */
    record Line(String name, String colour, List<Samples.Point> points) {}

    Chart(double minutes) {
        this.minutes = minutes;
    }

    Chart panel(String title, String unit, Line... lines) {
        panels.add(new Panel(title, unit, List.of(lines)));
        return this;
    }

    void write(Path file) throws IOException {
        int height = TOP + panels.size() * (PANEL + GAP);
        StringBuilder svg = new StringBuilder();
        svg.append(
                        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n"
                                .formatted(WIDTH, height))
                .append(
                        "<style>.page{fill:#fff}.text{fill:#1f2328}.grid{stroke:#d0d7de}.line{fill:none;stroke-width:1.5}"
                                + "@media(prefers-color-scheme:dark){.page{fill:#0d1117}.text{fill:#e6edf3}.grid{stroke:#30363d}}"
                                + "</style>\n")
                .append("<rect class=\"page\" width=\"%d\" height=\"%d\"/>\n".formatted(WIDTH, height));
        for (int i = 0; i < panels.size(); i++) {
            draw(svg, panels.get(i), TOP + i * (PANEL + GAP));
        }
        Files.writeString(file, svg.append("</svg>\n"));
    }

    private void draw(StringBuilder svg, Panel panel, int top) {
        double most = panel.lines().stream()
                .flatMap(line -> line.points().stream())
                .mapToDouble(Samples.Point::value)
                .max()
                .orElse(1);
        double step = step(most / TICKS);
        double highest = Math.max(step, Math.ceil(most / step) * step);
        text(svg, LEFT, top - 10, "start", panel.title() + ", " + panel.unit());
        for (double value = 0; value <= highest * 1.001; value += step) {
            double y = top + PANEL - value / highest * PANEL;
            svg.append("<path class=\"grid\" d=\"M%d %sH%d\"/>\n".formatted(LEFT, number(y), WIDTH - RIGHT));
            text(svg, LEFT - 6, y + 4, "end", String.format(Locale.ROOT, step < 1 ? "%.1f" : "%,.0f", value));
        }
        double minuteStep = step(minutes / 8);
        for (double minute = 0; minute <= minutes * 1.001; minute += minuteStep) {
            String label = String.format(Locale.ROOT, minuteStep < 1 ? "%.1f" : "%.0f", minute);
            text(svg, x(minute * 60), top + PANEL + 16, "middle", label);
        }
        text(svg, WIDTH - RIGHT + 24, top + PANEL + 16, "start", "minutes");
        for (int i = 0; i < panel.lines().size(); i++) {
            Line line = panel.lines().get(i);
            svg.append("<path class=\"line\" stroke=\"%s\" d=\"".formatted(line.colour()));
            String command = "M";
            for (Samples.Point point : line.points()) {
                double y = top + PANEL - point.value() / highest * PANEL;
                svg.append(command)
                        .append(number(x(point.seconds())))
                        .append(' ')
                        .append(number(y));
                command = "L";
            }
            svg.append("\"/>\n");
            int y = top + 12 + i * 20;
            svg.append("<path stroke=\"%s\" stroke-width=\"3\" d=\"M%d %dh14\"/>\n"
                    .formatted(line.colour(), WIDTH - RIGHT + 10, y - 4));
            text(svg, WIDTH - RIGHT + 30, y, "start", line.name());
        }
    }

    private double x(double seconds) {
        return LEFT + seconds / 60 / minutes * (WIDTH - LEFT - RIGHT);
    }

    /** The smallest of 1, 2 and 5 times a power of ten that is not less. */
    private static double step(double least) {
        double power = Math.pow(10, Math.floor(Math.log10(Math.max(least, 1e-6))));
        for (double factor : new double[] {1, 2, 5}) {
            if (factor * power >= least) {
                return factor * power;
            }
        }
        return 10 * power;
    }

    private static void text(StringBuilder svg, double x, double y, String anchor, String text) {
        svg.append("<text class=\"text\" x=\"%s\" y=\"%s\" text-anchor=\"%s\">%s</text>\n"
                .formatted(number(x), number(y), anchor, text));
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }
}
