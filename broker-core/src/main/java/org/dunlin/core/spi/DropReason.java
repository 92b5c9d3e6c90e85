package org.dunlin.core.spi;

/** Why a message did not reach a receiver, or was not taken at all. */
public enum DropReason {
    QUEUE_FULL("queue-full"),
    SLOW_CONSUMER("slow-consumer"),
    EXPIRED("expired"),
    TOO_LARGE("too-large"),
    NOT_AUTHORIZED("not-authorized"),
    RESERVED_TOPIC("reserved-topic"),
    RETAINED_LIMIT("retained-limit"),
    SESSION_ENDED("session-ended"),
    STORE_FAILED("store-failed");

    private final String label;

    DropReason(String label) {
        this.label = label;
    }

    /** As it stands in logs and metrics. */
    @Override
    public String toString() {
        return label;
    }
}
