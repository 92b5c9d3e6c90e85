package org.dunlin.core.limits;

import java.util.List;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;

/**
 * Bounds of a session's or group's queue and what is done at them. Any thread.
 *
 * @param maxMessages at least 1
 * @param maxBytes weight of what waits; one message is always taken
 * @param holdTimeoutMillis how long a publisher waits under {@link Overflow#HOLD_ACK}, and how long a 3.x connection that ends
 *     since a message was refused waits for its client's acknowledgements
 * @param qos0Offline whether QoS 0 waits for a client that is away
 * @param rules the first whose filter matches the topic decides instead of {@code overflow}
 */
public record QueueLimits(
        int maxMessages,
        long maxBytes,
        Overflow overflow,
        long holdTimeoutMillis,
        boolean qos0Offline,
        List<Rule> rules) {

    public static final QueueLimits DEFAULTS =
            new QueueLimits(100_000, 64L * 1024 * 1024, Overflow.DROP_OLDEST, 10_000, false, List.of());

    /** What is done with a message for a full queue. */
    public Overflow overflowFor(TopicName topic) {
        for (int i = 0; i < rules.size(); i++) {
            if (rules.get(i).filter().matches(topic)) {
                return rules.get(i).overflow();
            }
        }
        return overflow;
    }

    /** What is done with topics under a filter. */
    public record Rule(TopicFilter filter, Overflow overflow) {}

    /** Policies for a full queue; whatever is lost is counted. */
    public enum Overflow {
        DROP_OLDEST,
        DROP_NEWEST,
        /** The publisher is told, if nobody else took the message: 0x97, or for 3.x the connection closes. */
        REJECT,
        /** The acknowledgement waits for room, for a bounded time, then as {@link #REJECT}. */
        HOLD_ACK;

        /** Whether the publisher's acknowledgement depends on what the queue says. */
        public boolean answers() {
            return this == REJECT || this == HOLD_ACK;
        }
    }
}
