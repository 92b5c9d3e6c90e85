package org.dunlin.core.limits;

/**
 * How often connections take each other's place under one client identifier. Thread of its shard only. A client that comes back
 * while its old connection is still there does so now and then; two clients with one identifier send each other away as fast as they
 * can.
 */
public final class Takeovers {
    /** As many within a minute are a loop. */
    static final int LOOP = 5;

    private static final long FORGOTTEN_MILLIS = 60_000 / LOOP;
    private static final int MOST = 50;
    private static final long FIRST_DELAY_MILLIS = 250;
    static final long DELAY_MOST_MILLIS = 5000;

    /** Grows by one for each, and shrinks by one for each twelve seconds. */
    private int count;

    private long sinceMillis;

    /** None yet. */
    public Takeovers() {}

    /** One has taken another one's place. */
    public void add(long nowMillis) {
        forget(nowMillis);
        count = Math.min(count + 1, MOST);
    }

    public boolean areALoop() {
        return count >= LOOP;
    }

    /** How long the next one should wait, so that a loop goes on slowly; 0 if there is none. */
    public long delayMillis(long nowMillis) {
        forget(nowMillis);
        return areALoop() ? Math.min(FIRST_DELAY_MILLIS << Math.min(count - LOOP, 10), DELAY_MOST_MILLIS) : 0;
    }

    private void forget(long nowMillis) {
        long steps = (nowMillis - sinceMillis) / FORGOTTEN_MILLIS;
        if (count == 0 || steps >= count) {
            count = 0;
            sinceMillis = nowMillis;
        } else {
            count -= (int) steps;
            sinceMillis += steps * FORGOTTEN_MILLIS;
        }
    }
}
