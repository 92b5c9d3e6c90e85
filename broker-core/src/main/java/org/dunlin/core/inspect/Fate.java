package org.dunlin.core.inspect;

/** What would become of a message at one receiver. */
public enum Fate {
    SENT("sent", true),
    /** Waits in its queue, or with a member of its group. */
    QUEUED("queued", true),
    /** Waits in its queue, out of which the oldest is dropped. */
    OLDEST_DROPPED("queued-oldest-dropped", true),
    /** The queue is full, and by its policy what comes last is dropped. */
    NEWEST_DROPPED("dropped", false),
    /** The queue is full, and by its policy the publisher waits for room. */
    HELD_BACK("held-back", true),
    /** The queue is full, and by its policy the publisher is told so. */
    REFUSED("refused", false),
    /** QoS 0 does not wait for who is away. */
    AWAY("away", false),
    /** QoS 0, and the receiver takes less than it is sent. */
    SLOW_CONSUMER("slow-consumer", false),
    TOO_LARGE("too-large", false),
    EXPIRED("expired", false),
    /** It is its own, which its subscription does not want. */
    NO_LOCAL("no-local", false),
    NO_RIGHT("no-right", false),
    /** Another member of the group is next. */
    NOT_ITS_TURN("not-its-turn", false),
    /** It has as many of the group's messages as it may have. */
    NO_CREDIT("no-credit", false);

    private final String label;
    private final boolean reached;

    Fate(String label, boolean reached) {
        this.label = label;
        this.reached = reached;
    }

    /** Whether the receiver has it in the end, unless something else comes between. */
    public boolean isReached() {
        return reached;
    }

    /** As it stands in answers to operators. */
    @Override
    public String toString() {
        return label;
    }
}
