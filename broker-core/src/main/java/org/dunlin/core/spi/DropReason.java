package org.dunlin.core.spi;

/** Why a message did not reach a receiver, or was not taken at all. */
public enum DropReason {
    /** The receiver's queue has no room, by the overflow policy of the topic. */
    QUEUE_FULL("queue-full"),
    /** QoS 0, and the receiver takes less than it is sent. */
    SLOW_CONSUMER("slow-consumer"),
    /** Its Message Expiry Interval has passed. */
    EXPIRED("expired"),
    /** Above the receiver's Maximum Packet Size. */
    TOO_LARGE("too-large"),
    /** Its publisher has no right to that topic. */
    NOT_AUTHORIZED("not-authorized"),
    /** Its receiver, or the client whose will it is, has no right to it any more when it is due. */
    RIGHT_LOST("right-lost"),
    /** To a topic that is the broker's own. */
    RESERVED_TOPIC("reserved-topic"),
    /** Too many levels, or a delayed message with a delay that cannot be. */
    INVALID_TOPIC("invalid-topic"),
    /** Against what CONNACK has said, or with a packet identifier that is in use. */
    PROTOCOL_ERROR("protocol-error"),
    /** Not retained, since the bound on retained messages is reached. */
    RETAINED_LIMIT("retained-limit"),
    /** Not taken, since the bound on delayed messages is reached. */
    DELAYED_LIMIT("delayed-limit"),
    /** Not taken, since the memory budget is used up. */
    MEMORY_BUDGET("memory-budget"),
    /** The session or shared group that owed it has ended. */
    SESSION_ENDED("session-ended"),
    /** The store failed to take it; its publisher has been told so and may send it again. */
    NOT_STORED("not-stored"),
    /** The store failed to take it, and nobody could be told. */
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
