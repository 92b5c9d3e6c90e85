package org.dunlin.it.soak;

import java.util.List;

/**
 * Whether a series stays where it is once the first third of a run has passed, in which caches fill and code is compiled.
 *
 * <p>What is judged wavers slowly: a reading says nearly what the one before it said. The textbook's error of a line through such
 * readings takes them for independent and is many times too small, and how many of them are worth one independent reading cannot be
 * told from so few minutes. So a difference counts only if it is large beside all that the series does anyway:
 *
 * <ul>
 *   <li>it <em>rises</em> if a straight line through the last two thirds rises by more than seven times the standard deviation of the
 *       readings from that line, which is to say that the line is four fifths of all their variation;
 *   <li>it <em>has stepped</em> if the middle reading of the last sixth is higher than the highest of the second third by more than all
 *       the range that the second third had;
 * </ul>
 *
 * and in both cases by more than 2 % of the mean. Any thread.
 *
 * @param mean of the last two thirds
 * @param lowest of the second third
 * @param highest of the second third
 * @param end the middle reading of the last sixth
 * @param rise of the line from its one end to the other
 * @param scatter standard deviation of the readings from the line
 */
record Flatness(double mean, double lowest, double highest, double end, double rise, double scatter) {
    /** Points that it takes. */
    static final int LEAST = 12;

    private static final double SHARE = 0.02;
    private static final double SCATTERS = 7;

    /** @param points in the order of time, at least {@link #LEAST}, evenly over the run */
    static Flatness of(List<Samples.Point> points) {
        double seconds = points.get(points.size() - 1).seconds();
        double[] before = values(points, seconds / 3, seconds * 2 / 3);
        double[] end = values(points, seconds * 5 / 6, seconds);
        List<Samples.Point> judged =
                points.stream().filter(point -> point.seconds() >= seconds / 3).toList();
        double time =
                judged.stream().mapToDouble(Samples.Point::seconds).average().orElseThrow();
        double mean =
                judged.stream().mapToDouble(Samples.Point::value).average().orElseThrow();
        double spread = 0;
        double together = 0;
        for (Samples.Point point : judged) {
            spread += (point.seconds() - time) * (point.seconds() - time);
            together += (point.seconds() - time) * (point.value() - mean);
        }
        double slope = together / spread;
        double rest = 0;
        for (Samples.Point point : judged) {
            double off = point.value() - mean - slope * (point.seconds() - time);
            rest += off * off;
        }
        double scatter = Math.sqrt(rest / (judged.size() - 2));
        return new Flatness(
                mean, before[0], before[before.length - 1], end[end.length / 2], slope * seconds * 2 / 3, scatter);
    }

    /** In the order of size. */
    private static double[] values(List<Samples.Point> points, double from, double to) {
        return points.stream()
                .filter(point -> point.seconds() >= from && point.seconds() <= to)
                .mapToDouble(Samples.Point::value)
                .sorted()
                .toArray();
    }

    /** @param little a difference that says nothing in the unit of this series: a thread, some files, half a megabyte */
    boolean isFlat(double little) {
        return !rises(little) && !hasStepped(little);
    }

    private boolean rises(double little) {
        return counts(rise, little) && rise > SCATTERS * scatter;
    }

    boolean hasStepped(double little) {
        return counts(end - highest, little) && end - highest > highest - lowest;
    }

    private boolean counts(double difference, double little) {
        return difference > SHARE * mean && difference > little;
    }
}
