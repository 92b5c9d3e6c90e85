package org.dunlin.it.soak;

import java.util.List;

/**
 * Whether a series stays where it is once the first third of a run has passed, in which caches fill and code is compiled. It grows if
 * its highest value of the last third is more than a tenth above that of the second, or if a straight line through both rises by more
 * than 3 % of their mean and by more than three times what the line's own error is. Any thread.
 *
 * @param mean of the last two thirds
 * @param highest of the second and of the last third
 * @param slope of the line, a second
 * @param error one standard error of it
 */
record Flatness(double mean, double highestBefore, double highestLast, double slope, double error, double seconds) {
    private static final double HIGHEST_RATIO = 1.1;
    private static final double RISE_SHARE = 0.03;
    private static final double ERRORS = 3;
    /** Below that, in its own unit, a difference says nothing: a thread, some files, a megabyte. */
    private static final double LITTLE = 2;

    /** @param points in the order of time, at least six */
    static Flatness of(List<Samples.Point> points) {
        double end = points.get(points.size() - 1).seconds();
        double before = highest(points, end / 3, end * 2 / 3);
        double last = highest(points, end * 2 / 3, end);
        List<Samples.Point> judged =
                points.stream().filter(point -> point.seconds() >= end / 3).toList();
        int count = judged.size();
        double time = judged.stream().mapToDouble(Samples.Point::seconds).sum() / count;
        double mean = judged.stream().mapToDouble(Samples.Point::value).sum() / count;
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
        double error = Math.sqrt(rest / Math.max(1, count - 2) / spread);
        return new Flatness(mean, before, last, slope, error, end * 2 / 3);
    }

    private static double highest(List<Samples.Point> points, double from, double to) {
        return points.stream()
                .filter(point -> point.seconds() >= from && point.seconds() <= to)
                .mapToDouble(Samples.Point::value)
                .max()
                .orElse(Double.NaN);
    }

    boolean isFlat() {
        return !isHigher() && !rises();
    }

    /** In the last third than in the second. */
    boolean isHigher() {
        return highestLast > highestBefore * HIGHEST_RATIO && highestLast - highestBefore > LITTLE;
    }

    private boolean rises() {
        double rise = slope * seconds;
        return rise > mean * RISE_SHARE && rise > LITTLE && slope > ERRORS * error;
    }
}
