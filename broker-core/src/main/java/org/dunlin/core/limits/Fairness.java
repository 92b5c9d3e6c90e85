package org.dunlin.core.limits;

/**
 * What keeps one client from taking the share of others. Any thread.
 *
 * @param publishBytesPerSecond of one client, beyond which it is slowed; 0 for no bound
 * @param maxWillBytes payload of a will
 * @param backsOffTakeovers whether connections that take each other's place again and again have to wait before they do
 */
public record Fairness(long publishBytesPerSecond, int maxWillBytes, boolean backsOffTakeovers) {
    public static final Fairness DEFAULTS = new Fairness(1L << 30, 32 * 1024, false);
}
