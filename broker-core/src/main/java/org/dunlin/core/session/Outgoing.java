package org.dunlin.core.session;

import org.dunlin.core.routing.Subscription;
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
    /** The shared group that waits to hear of it; null if none does. */
    @Nullable
    Loan loan;

    /** Null once PUBREC has come: from then on it must not be sent again [MQTT-4.3.3-6]. */
    @Nullable
    Message message;

    State state = State.QUEUED;
    /** 0 until it is given. */
    int packetId;
    /** Was sent on an earlier connection and waits to be sent again. */
    boolean resend;
    /** The store has failed to keep its packet identifier, or its PUBREC: neither goes out before it has. */
    boolean unrecorded;
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

    /** A flow of an earlier process, of which only PUBREL and PUBCOMP are left. */
    Outgoing(long seq, int packetId) {
        this.message = null;
        this.qos = Qos.EXACTLY_ONCE;
        this.retain = false;
        this.subscriptionIds = Subscription.NO_IDS;
        this.seq = seq;
        this.body = 0;
        this.packetId = packetId;
    }

    /** Whether a shared group keeps it and waits to hear of it; what is only the member's own now is not lent. */
    boolean isLent() {
        return loan != null && seq == 0;
    }

    /** The loan of what a shared group waits to hear of. */
    Loan lender() {
        Loan present = loan;
        assert present != null : "not a message of a shared group";
        return present;
    }

    /** Whether the client may have seen it already, so that no other message may have its identifier. */
    boolean mayBeKnown() {
        return dup && qos == Qos.EXACTLY_ONCE;
    }

    /** The message, which is there until PUBREC. */
    Message message() {
        Message present = message;
        assert present != null : "asked for the message of a released flow";
        return present;
    }
}
