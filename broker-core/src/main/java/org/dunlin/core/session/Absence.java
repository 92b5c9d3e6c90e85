package org.dunlin.core.session;

import org.dunlin.core.spi.Loop;
import org.dunlin.mqtt.Message;
import org.jspecify.annotations.Nullable;

/**
 * What time brings while a session has no connection: its will, when its delay is over [MQTT-3.1.2-8], and its end. Shard thread
 * only. It ends with {@link #end}, when a client comes or the session ends.
 */
final class Absence {
    private final Session session;
    private final long expiresAtMillis;
    private long willDueAtMillis;
    private Loop.@Nullable Timer willTimer;
    private Loop.@Nullable Timer expiryTimer;
    /** Writes the session once more, since the store has failed to. */
    private Loop.@Nullable Timer recording;

    /** Both by the loop's clock, {@link Message#NEVER} if not at all. {@link #begin} follows. */
    Absence(Session session, long expiresAtMillis, long willDueAtMillis) {
        this.session = session;
        this.expiresAtMillis = expiresAtMillis;
        this.willDueAtMillis = willDueAtMillis;
    }

    long expiresAtMillis() {
        return expiresAtMillis;
    }

    /** {@link Message#NEVER} once it has gone out. */
    long willDueAtMillis() {
        return willDueAtMillis;
    }

    /** Lets its time run. */
    void begin() {
        Loop loop = session.shard().loop();
        long now = loop.nowMillis();
        if (expiresAtMillis != Message.NEVER) {
            expiryTimer = loop.schedule(this::expire, expiresAtMillis - now);
        }
        if (willDueAtMillis != Message.NEVER && willDueAtMillis < expiresAtMillis) {
            willTimer = loop.schedule(this::willIsDue, willDueAtMillis - now);
        }
    }

    private void expire() {
        expiryTimer = null;
        session.expire();
    }

    private void willIsDue() {
        willTimer = null;
        willDueAtMillis = Message.NEVER;
        session.willIsDue();
    }

    /** The store has failed to keep the session: tries again after a while, once. */
    void recordLater(Runnable again) {
        if (recording == null) {
            recording = session.shard().turn().later(again);
        }
    }

    /** It is being written anew. */
    void stopRecording() {
        recording = cancelled(recording);
    }

    void end() {
        stopRecording();
        expiryTimer = cancelled(expiryTimer);
        willTimer = cancelled(willTimer);
    }

    private static Loop.@Nullable Timer cancelled(Loop.@Nullable Timer timer) {
        if (timer != null) {
            timer.cancel();
        }
        return null;
    }
}
