package org.dunlin.server.metrics;

/** How much of something there was in a minute, as averages over the last 1, 5 and 15 in which the past fades. One thread. */
public final class LoadAverage {
    private static final double[] MINUTES = {1, 5, 15};

    private final double[] perMinute = new double[MINUTES.length];
    private long former;

    /** Nothing so far. */
    public LoadAverage() {}

    /**
     * Looks anew.
     *
     * @param total since the start
     * @param seconds since it was looked at last
     */
    public void update(long total, double seconds) {
        double rate = (total - former) * 60 / seconds;
        former = total;
        for (int i = 0; i < MINUTES.length; i++) {
            double stays = Math.exp(-seconds / (60 * MINUTES[i]));
            perMinute[i] = rate + stays * (perMinute[i] - rate);
        }
    }

    /** @param window 0 for the last minute, 1 for the last 5, 2 for the last 15 */
    public double perMinute(int window) {
        return perMinute[window];
    }
}
