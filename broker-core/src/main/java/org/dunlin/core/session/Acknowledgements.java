package org.dunlin.core.session;

import org.dunlin.core.spi.Connection;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.jspecify.annotations.Nullable;

/** What a client acknowledges of its QoS 1 and 2 messages, and PUBREL, which follows. Shard thread only. */
public final class Acknowledgements {
    private final Session session;
    private final Shard shard;
    private final Delivery delivery;

    Acknowledgements(Session session, Delivery delivery) {
        this.session = session;
        this.shard = session.shard();
        this.delivery = delivery;
    }

    /** PUBACK; an error counts as acknowledged [MQTT-4.4.0-2]. */
    public Verdict pubAck(int packetId) {
        Outgoing flow = delivery.outbound().sent(packetId);
        if (flow == null) {
            return Verdict.UNKNOWN;
        }
        if (flow.qos != Qos.AT_LEAST_ONCE) {
            return Verdict.WRONG_KIND;
        }
        finish(flow);
        return Verdict.DONE;
    }

    /** PUBREC: an error ends the flow, else PUBREL follows once it is on record [MQTT-4.3.3-4]. */
    public Verdict pubRec(int packetId, ReasonCode reason) {
        Outgoing flow = delivery.outbound().sent(packetId);
        if (flow == null) {
            return Verdict.UNKNOWN;
        }
        if (flow.qos != Qos.EXACTLY_ONCE) {
            return Verdict.WRONG_KIND;
        }
        if (reason.isError()) {
            if (flow.state == Outgoing.State.SENT) {
                finish(flow);
            }
            return Verdict.DONE;
        }
        release(flow, session.connection());
        return Verdict.DONE;
    }

    /** Puts on record that the message is not to be sent again, then sends PUBREL if the connection is still there. */
    void release(Outgoing flow, @Nullable Connection to) {
        int packetId = flow.packetId;
        boolean records = flow.state == Outgoing.State.SENT || flow.unrecorded;
        delivery.outbound().released(flow);
        if (records && flow.seq > 0) {
            shard.turn().batch().released(session.key(), flow.seq, flow.body, packetId);
            shard.turn().forgetPassed(delivery.queue(), flow.seq);
        }
        // all of a durable session's, stored or not: PUBRELs keep the order of the PUBRECs [MQTT-4.6.0-4]
        shard.turn().afterCommit(session, failure -> {
            if (records) {
                flow.unrecorded = failure != null;
            }
            if (session.connection() != to || to == null) {
                return; // PUBREL goes out on the next connection
            }
            if (failure == null) {
                to.sendAck(PacketType.PUBREL, packetId, ReasonCode.SUCCESS);
            } else {
                session.evict(ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR, "PUBREC could not be stored: " + failure);
            }
        });
    }

    public Verdict pubComp(int packetId) {
        Outgoing flow = delivery.outbound().sent(packetId);
        if (flow == null) {
            return Verdict.UNKNOWN;
        }
        if (flow.qos != Qos.EXACTLY_ONCE || flow.state != Outgoing.State.RELEASED) {
            return Verdict.WRONG_KIND;
        }
        finish(flow);
        return Verdict.DONE;
    }

    private void finish(Outgoing flow) {
        delivery.outbound().end(flow);
        if (flow.loan != null) {
            flow.loan.settle();
        }
        if (flow.state != Outgoing.State.RELEASED) {
            delivery.doneWith(flow);
        } else if (flow.seq > 0) {
            // else another message that gets the identifier would have to give it up after a restart
            int packetId = flow.packetId;
            shard.turn().untilStored(() -> complete(packetId));
        }
        if (!delivery.queue().isIdle() || delivery.outbound().nextResend() != null || delivery.isReplaying()) {
            delivery.pump();
        }
        if (!delivery.isOwedAcks()) {
            InboundWindow inbound = session.inboundIfAny();
            if (inbound != null) {
                inbound.nothingOwed();
            }
        }
    }

    private void complete(int packetId) {
        if (!delivery.outbound().isReleased(packetId)) { // by another message, while the store was failing
            shard.turn().batch().completed(session.key(), packetId);
        }
    }

    /** What an acknowledgement of the client came to. */
    public enum Verdict {
        DONE,
        UNKNOWN,
        WRONG_KIND
    }
}
