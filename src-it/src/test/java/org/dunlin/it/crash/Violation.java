package org.dunlin.it.crash;

/** A promise that was broken. */
record Violation(Kind kind, String text) {

    enum Kind {
        /** An acknowledged message never came. */
        LOST,
        /** QoS 2 came more than once, or QoS 1 more often than the transmissions explain. */
        DUPLICATE,
        /** Messages of one publisher and topic came in another order. */
        REORDERED,
        /** What was never published, or came altered or with another QoS. */
        UNKNOWN,
        /** A subscription was lost after SUBACK, or is back after UNSUBACK. */
        SUBSCRIPTION,
        /** CONNACK said the wrong thing about the session. */
        SESSION_PRESENT,
        /** A retained value is older than the last acknowledged one, or missing, or back. */
        RETAINED,
        /** A will did not come, or came in spite of DISCONNECT. */
        WILL,
        /** A delayed message came before its time. */
        EARLY,
        /** A packet identifier was taken for another message than the one that it stands for. */
        IDENTIFIER,
        /** Anything else that the standard forbids. */
        PROTOCOL
    }

    @Override
    public String toString() {
        return kind + ": " + text;
    }
}
