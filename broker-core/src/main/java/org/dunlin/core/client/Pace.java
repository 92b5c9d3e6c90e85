package org.dunlin.core.client;

/**
 * How much a client may still publish before it has to wait. Thread of its shard only. The clock is looked at only when something
 * is used up, so a bound that is never met costs two subtractions for each message.
 */
final class Pace {
    private static final long SECOND_MILLIS = 1000;
    /** What is left over from longer ago does not count. */
    private static final long SECONDS_MOST = 1000;

    private final long messagesPerSecond;
    private final long bytesPerSecond;
    private long messagesLeft;
    /** Below 0 if the last message was larger than what was left. */
    private long bytesLeft;

    private long sinceMillis = -SECOND_MILLIS;

    /** Each 0 for no bound. */
    Pace(long messagesPerSecond, long bytesPerSecond) {
        this.messagesPerSecond = messagesPerSecond == 0 ? Long.MAX_VALUE : messagesPerSecond;
        this.bytesPerSecond = bytesPerSecond == 0 ? Long.MAX_VALUE : bytesPerSecond;
    }

    /** @return whether {@link #waitMillis} has to be asked */
    boolean spend(long bytes) {
        messagesLeft--;
        bytesLeft -= bytes;
        return messagesLeft <= 0 || bytesLeft <= 0;
    }

    /** How long to wait before anything more is published: 0, or what is left of this second. */
    long waitMillis(long nowMillis) {
        long passed = nowMillis - sinceMillis;
        if (passed >= SECOND_MILLIS) {
            long seconds = Math.min(passed / SECOND_MILLIS, SECONDS_MOST);
            messagesLeft = refilled(messagesLeft, messagesPerSecond, seconds);
            bytesLeft = refilled(bytesLeft, bytesPerSecond, seconds);
            sinceMillis = nowMillis;
        }
        return messagesLeft > 0 && bytesLeft > 0 ? 0 : sinceMillis + SECOND_MILLIS - nowMillis;
    }

    /** Never more than a second's. */
    private static long refilled(long left, long perSecond, long seconds) {
        long missing = perSecond - left;
        return missing / seconds <= perSecond ? perSecond : left + perSecond * seconds;
    }
}
