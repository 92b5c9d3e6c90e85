package org.dunlin.it.crash;

import org.jspecify.annotations.Nullable;

/** One thread. What the publisher's side of a history says of a message; moments are positions in the history. */
final class Publication {
    static final int NEVER = Integer.MAX_VALUE;

    final MessageKey key;
    final Event.Sending how;
    final int sentAt;
    final long sentNanos;

    /** The message of the same publisher that had its packet identifier before, if it was completed. */
    final @Nullable Publication identifierBefore;

    int transmissions = 1;
    int acknowledgedAt = NEVER;
    boolean completed;
    boolean mayVanish;

    /** A will whose client has left by DISCONNECT. */
    boolean forbidden;

    boolean isWill;

    Publication(MessageKey key, Event.Sending how, int sentAt, long sentNanos, @Nullable Publication before) {
        this.key = key;
        this.how = how;
        this.sentAt = sentAt;
        this.sentNanos = sentNanos;
        this.identifierBefore = before;
        this.mayVanish = how.mayVanish();
    }

    boolean mustArrive() {
        return acknowledgedAt != NEVER && !mayVanish && !how.empty();
    }

    /** Last moment at which the broker may route it. */
    int routedUntil() {
        return isWill || how.delaySeconds() > 0 ? NEVER : acknowledgedAt;
    }

    String describe() {
        return "QoS " + how.qos().value() + (how.delaySeconds() > 0 ? " delayed" : "")
                + (how.retain() ? " retained" : "") + ", identifier " + how.packetId() + ", sent " + transmissions
                + "x";
    }
}
