package org.dunlin.core.session;

import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.jspecify.annotations.Nullable;

/**
 * A message on its way to one client: in the queue, then in the outbound window. Shard thread of its session only.
 * Transitions: QUEUED → SENT (packet identifier given) → [QoS 2: RELEASED on PUBREC] → gone.
 */
final class Outgoing {
    enum State {
        QUEUED,
        SENT,
        RELEASED
    }

    final Qos qos;
    final boolean retain;
    final int[] subscriptionIds;
    /** Place in the stored queue, 0 if it is not stored. */
    final long seq;
    /** What the store wants to know of it when it is done with. */
    final long body;
    /** The shared group that lent it, with its place there; null for the session's own. */
    final @Nullable Loan loan;

    /** Null once PUBREC has come: from then on it must not be sent again [MQTT-4.3.3-6]. */
    @Nullable
    Message message;

    State state = State.QUEUED;
    int packetId;
    /** Was sent on an earlier connection and waits to be sent again. */
    boolean resend;
    /** Bytes may have reached the client before, so that DUP is 1 [MQTT-3.3.1-1]. */
    boolean dup;

    @Nullable
    Outgoing previous;

    @Nullable
    Outgoing next;

    /** Next in the same bucket of the window's table. */
    @Nullable
    Outgoing chained;

    Outgoing(
            Message message, Qos qos, boolean retain, int[] subscriptionIds, long seq, long body, @Nullable Loan loan) {
        this.message = message;
        this.qos = qos;
        this.retain = retain;
        this.subscriptionIds = subscriptionIds;
        this.seq = seq;
        this.body = body;
        this.loan = loan;
    }

    /** The message, which is there until PUBREC. */
    Message message() {
        Message present = message;
        assert present != null : "asked for the message of a released flow";
        return present;
    }
}
