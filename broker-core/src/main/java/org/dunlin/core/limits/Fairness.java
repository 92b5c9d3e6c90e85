package org.dunlin.core.limits;

/**
 * What keeps one client from taking the share of others. Any thread.
 *
 * @param publishBytesPerSecond of one client, beyond which it is slowed; 0 for no bound
 * @param maxWillBytes payload of a will
 * @param backsOffTakeovers whether connections that take each other's place again and again have to wait before they do
 * @param maxSessionsPerUser sessions of one user, connected or not; 0 for no bound
 */
public record Fairness(
        long publishBytesPerSecond, int maxWillBytes, boolean backsOffTakeovers, int maxSessionsPerUser) {
    public static final Fairness DEFAULTS = new Fairness(1L << 30, 32 * 1024, false, 0);
}
