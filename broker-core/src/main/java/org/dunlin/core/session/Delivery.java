package org.dunlin.core.session;

import java.util.List;
import java.util.Map;
import org.dunlin.core.limits.QueueLimits.Overflow;
import org.dunlin.core.routing.Subscription;
import org.dunlin.core.spi.Connection;
import org.dunlin.core.spi.DropReason;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicFilter;

/**
 * What leaves for one client: its queue, its window of open QoS 1 and 2 flows, the retained messages it has asked for, what
 * shared groups lend it, and its acknowledgements. Shard thread only. It sends in the order in which messages have come
 * [MQTT-4.6.0-6], as far as the client's Receive Maximum and the transport have room.
 */
public final class Delivery {
    private final Session session;
    private final Shard shard;
    private final MessageQueue queue;
    private final Intake intake;
    private final OutboundWindow outbound;
    private final RetainedReplays replays;
    private final Acknowledgements acknowledgements;
    private int windowMax;
    /** The highest place of a message that may have been sent. */
    private long sentThrough;
    /** Messages on their way through the store for which there is room in the window: retained and lent ones. */
    private int entering;
    /** A packet identifier is on its way through the store; nothing may pass its message. */
    private boolean numbering;

    /** @param receiveMaximum messages that may be open on the session's connection */
    Delivery(Session session, int receiveMaximum) {
        this.session = session;
        this.windowMax = receiveMaximum;
        this.shard = session.shard();
        this.outbound = new OutboundWindow(shard.memory(), shard.figures().inflight());
        this.replays = new RetainedReplays(session, this);
        if (session.durable()) {
            outbound.restore(1, Map.of());
        }
        this.queue = MessageQueue.on(shard, shard.figures().sessions(), new Waiting());
        this.intake = new Intake(session, queue, this);
        this.acknowledgements = new Acknowledgements(session, this);
        if (session.isOnline()) {
            queue.takeIn();
        }
    }

    Intake intake() {
        return intake;
    }

    MessageQueue queue() {
        return queue;
    }

    OutboundWindow outbound() {
        return outbound;
    }

    long sentThrough() {
        return sentThrough;
    }

    // ---- the connection comes and goes

    /** @param receiveMaximum messages that may be open on the new connection */
    void attach(int receiveMaximum) {
        windowMax = receiveMaximum;
    }

    /** Messages that may be open on the connection. */
    public int receiveMaximum() {
        return windowMax;
    }

    /** Of those, the ones that are. */
    public int inflight() {
        return outbound.unacknowledged();
    }

    /** Those and the ones whose PUBCOMP is awaited. */
    public int openFlows() {
        return outbound.open();
    }

    public long queuedMessages() {
        return queue.size();
    }

    public long queuedBytes() {
        return queue.bytes();
    }

    /** The client can take messages. */
    void open() {
        queue.takeIn();
        shard.groupsOf(session, (group, member) -> group.memberReady(member, windowMax));
        pump();
    }

    /** The client is away; what waits stays for it, or {@link #end} follows. */
    void detach() {
        outbound.connectionLost();
        numbering = false;
        giveBackLoans();
    }

    /** The session has ended. @return how many messages its client will not get */
    long end() {
        replays.clear();
        queue.giveUpAllHeld();
        return queue.size() - queue.lent() + outbound.unacknowledged();
    }

    /** Takes over what the store has kept. @param connected whether the client was there when the broker ended */
    void restore(Restoration.Kept kept, boolean connected, long recordedSentThrough) {
        if (kept.messages() > 0) {
            queue.restore(kept.messages(), kept.bytes(), kept.firstSeq(), kept.lastSeq());
            // more may have been sent than was open: acknowledgements are lost with the batch that they were in
            sentThrough = connected ? kept.lastSeq() : recordedSentThrough;
            queue.doubt(sentThrough);
            outbound.restore(kept.firstSeq(), kept.numbers());
        }
        kept.released().forEach((seq, packetId) -> outbound.restore(new Outgoing(seq, packetId)));
    }

    // ---- retained messages that a subscription has asked for

    /** Begins to send the retained messages of a subscription, at the pace of the client. */
    public void replay(Subscription subscription) {
        if (session.isOnline()) {
            replays.add(subscription);
            pump();
        }
    }

    /** Subscriptions whose retained messages are still to be sent. */
    public int replaying() {
        return replays.size();
    }

    boolean isReplaying() {
        return !replays.isEmpty();
    }

    /** The subscription is gone. */
    void forgetReplay(String filter) {
        replays.remove(filter);
    }

    /** Whether a retained message could leave now. */
    boolean hasRoomFor(Qos qos) {
        Connection to = session.connection();
        return qos == Qos.AT_MOST_ONCE ? to != null && to.isWritable() : outbound.nextResend() == null && hasRoom();
    }

    /** A message that had room in the window has come back from the store, or has not. */
    void entered() {
        entering--;
    }

    // ---- sending

    /** Sends it if the client can take it now; else it is lost, and counted. Only while the session is online. */
    void sendQos0(Message message, boolean retain, int[] subscriptionIds) {
        if (!fitsQos0(message, retain, subscriptionIds)) {
            shard.shards().events().dropped(session.clientId(), message.topic(), DropReason.TOO_LARGE);
        }
    }

    /** @return false if it exceeds the client's Maximum Packet Size; in all other cases it has been dealt with */
    boolean fitsQos0(Message message, boolean retain, int[] subscriptionIds) {
        Connection to = session.connection();
        if (to == null) {
            return true;
        }
        if (!to.isWritable()) {
            shard.shards().events().dropped(session.clientId(), message.topic(), DropReason.SLOW_CONSUMER);
        } else if (shard.isExpired(message)) {
            shard.shards().events().dropped(session.clientId(), message.topic(), DropReason.EXPIRED);
        } else {
            return to.deliver(message, Qos.AT_MOST_ONCE, retain, false, 0, subscriptionIds);
        }
        return true;
    }

    /** Whether a message would leave at once. */
    boolean canSendNow() {
        Connection to = session.connection();
        return session.isOnline()
                && !numbering
                && queue.isEmpty()
                && outbound.nextResend() == null
                && outbound.open() + entering < windowMax
                && !outbound.isFull()
                && to != null
                && to.isWritable();
    }

    /** Takes a message: sends it, or lets it wait. */
    void accept(Outgoing message, Overflow overflow) {
        if (message.qos != Qos.AT_MOST_ONCE && canSendNow()) {
            queue.passed(message.seq);
            if (message.seq == 0 || isAllowed(message)) { // without a place it has come in this very turn
                send(message);
            }
        } else {
            queue.add(message, overflow);
        }
    }

    /**
     * Whether its client may have a message that has waited, in a queue or for the store: its rights may be others since. One
     * that it may not have is done with.
     */
    private boolean isAllowed(Outgoing message) {
        if (session.standing().mayReceive(message.message())) {
            return true;
        }
        if (message.loan != null && message.seq == 0) {
            message.loan.tryAnother(DropReason.RIGHT_LOST);
        } else {
            dropped(message, DropReason.RIGHT_LOST);
        }
        return false;
    }

    /** How many messages a shared group may lend at a time. */
    int credits() {
        return windowMax;
    }

    /** Not unless {@link #canSendNow}. */
    void send(Outgoing message) {
        Connection to = session.connection();
        assert to != null;
        if (shard.isExpired(message.message()) && !message.mayBeKnown()) {
            dropped(message, DropReason.EXPIRED);
            return;
        }
        if (message.isLent()
                && message.qos == Qos.EXACTLY_ONCE
                && (session.durable() || message.lender().isStored())) {
            takeOver(message);
            return;
        }
        boolean onRecord = outbound.begin(message);
        sentThrough = Math.max(sentThrough, message.seq);
        if (message.seq > 0
                && message.qos == Qos.EXACTLY_ONCE
                && !onRecord
                && message.packetId != StoreBatch.packetId(message.seq)) {
            number(message);
        } else {
            deliver(message, to);
        }
    }

    private void deliver(Outgoing message, Connection to) {
        if (!to.deliver(
                message.message(),
                message.qos,
                message.retain,
                message.dup,
                message.packetId,
                message.subscriptionIds)) {
            outbound.end(message);
            if (message.isLent() && message.loan != null) {
                message.loan.tryAnother(DropReason.TOO_LARGE);
            } else {
                dropped(message, DropReason.TOO_LARGE);
            }
        }
    }

    /**
     * A QoS 2 message that has left may go to no other member of its group, not even after a crash [MQTT-4.8.2-5]: before it
     * leaves it is durably this session's own, or nobody's if the session ends with its connection.
     */
    private void takeOver(Outgoing lent) {
        entering++;
        Loan loan = lent.lender();
        loan.takeFromStore(shard.turn().batch());
        if (session.durable()) {
            shard.turn()
                    .store(new Place(
                            session,
                            Place.Origin.GROUP,
                            loan,
                            lent.message(),
                            lent.qos,
                            lent.retain,
                            lent.subscriptionIds));
            return;
        }
        shard.turn().afterCommit(failure -> {
            entering--;
            if (failure == null) {
                loan.handedOver();
                takenOver(lent);
            } else {
                loan.giveBack();
            }
            pump();
        });
    }

    /** A lent message is the session's own now. */
    void takenOver(Outgoing message) {
        Loan loan = message.lender();
        loan.handedOver();
        if (session.isOnline() && hasRoom() && outbound.nextResend() == null) {
            if (message.seq > 0) {
                queue.passed(message.seq);
            }
            if (isAllowed(message)) {
                send(message); // no order is kept between a group's messages and others
            }
        } else if (message.isLent()) {
            loan.giveBack();
        } else {
            loan.settle(); // it waits for its client like any other
            message.loan = null;
            if (!session.isEnded()) {
                queue.add(message, Overflow.HOLD_ACK);
            } else {
                shard.shards()
                        .events()
                        .dropped(session.clientId(), message.message().topic(), DropReason.SESSION_ENDED);
            }
        }
    }

    /** Its identifier cannot be told from its place: it has to be on record before anybody sees it [MQTT-4.4.0-1]. */
    private void number(Outgoing message) {
        Connection to = session.connection();
        numbering = true;
        shard.turn().batch().numbered(session.key(), message.seq, message.packetId);
        shard.turn().afterCommit(failure -> {
            message.unrecorded = failure != null;
            if (session.connection() != to || to == null) {
                return; // it is sent again on the next connection, behind this batch
            }
            numbering = false;
            if (failure == null) {
                if (!session.standing().mayReceive(message.message())) {
                    withhold(message, to);
                } else if (shard.isExpired(message.message()) && !message.dup) {
                    outbound.end(message);
                    dropped(message, DropReason.EXPIRED);
                } else {
                    deliver(message, to);
                }
                pump();
            } else {
                session.evict(
                        ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR,
                        "a packet identifier could not be stored: " + failure);
            }
        });
    }

    /** The right to it is gone since its identifier went to the store. */
    private void withhold(Outgoing message, Connection to) {
        if (message.dup) { // the client may have it from an earlier connection
            shard.shards()
                    .events()
                    .dropped(session.clientId(), message.message().topic(), DropReason.RIGHT_LOST);
            acknowledgements.release(message, to);
        } else {
            outbound.end(message);
            dropped(message, DropReason.RIGHT_LOST);
        }
    }

    /** The transport has room again, or something else may have set messages free. */
    public void pump() {
        assert shard.inLoop();
        if (!session.isOnline()) {
            return;
        }
        resend();
        boolean sent;
        do {
            sent = outbound.nextResend() == null && hasRoom() && sendQueued();
            sent |= queue.admitHeld();
            // never while something older may still wait or be on its way through the store
            if (!sent && isReplaying() && session.standing().review() == null && replays.mayPass(queue)) {
                sent = sendRetained();
            }
        } while (sent);
    }

    private boolean hasRoom() {
        Connection to = session.connection();
        return to != null
                && to.isWritable()
                && outbound.open() + entering < windowMax
                && !outbound.isFull()
                && !numbering;
    }

    /** Open flows of an earlier connection: PUBREL, or PUBLISH with DUP, in their old order [MQTT-4.4.0-1]. */
    private void resend() {
        Outgoing flow = outbound.nextResend();
        while (flow != null) {
            Connection to = session.connection();
            if (to == null) {
                return;
            }
            if (flow.unrecorded && flow.state == Outgoing.State.RELEASED) {
                outbound.resent();
                acknowledgements.release(flow, to);
            } else if (flow.state == Outgoing.State.RELEASED) {
                to.sendAck(PacketType.PUBREL, flow.packetId, ReasonCode.SUCCESS);
                outbound.resent();
            } else if (!hasRoom()) {
                return;
            } else if (!session.standing().mayReceive(flow.message())) {
                abandon(flow, to, DropReason.RIGHT_LOST);
            } else if (flow.unrecorded) {
                outbound.resent();
                number(flow);
            } else if (to.deliver(
                    flow.message(), flow.qos, flow.retain, flow.dup, flow.packetId, flow.subscriptionIds)) {
                outbound.resent();
            } else {
                abandon(flow, to, DropReason.TOO_LARGE);
            }
            flow = outbound.nextResend();
        }
    }

    /** What the client acknowledges of it. */
    public Acknowledgements acknowledgements() {
        return acknowledgements;
    }

    /** A message that was begun on an earlier connection and cannot be sent on this one. */
    private void abandon(Outgoing flow, Connection to, DropReason why) {
        if (flow.qos == Qos.EXACTLY_ONCE) {
            // the client may have it from an earlier connection: until it lets go of it, its identifier is not free
            shard.shards().events().dropped(session.clientId(), flow.message().topic(), why);
            outbound.resent();
            acknowledgements.release(flow, to);
        } else {
            outbound.end(flow);
            dropped(flow, why);
        }
    }

    private boolean sendQueued() {
        Outgoing message = queue.poll();
        if (message == null) {
            return false;
        }
        Connection to = session.connection();
        if (message.qos == Qos.EXACTLY_ONCE
                && message.mayBeKnown()
                && to != null
                && !session.standing().mayReceive(message.message())) {
            outbound.begin(message); // the client may have its identifier: it is not free before PUBCOMP
            sentThrough = Math.max(sentThrough, message.seq);
            shard.shards()
                    .events()
                    .dropped(session.clientId(), message.message().topic(), DropReason.RIGHT_LOST);
            acknowledgements.release(message, to);
            return true;
        }
        if (!isAllowed(message)) {
            return true;
        }
        if (message.qos == Qos.AT_MOST_ONCE) {
            sendQos0(message.message(), message.retain, message.subscriptionIds);
            doneWith(message);
        } else {
            send(message);
        }
        return true;
    }

    void doneWith(Outgoing message) {
        if (message.seq > 0) {
            forget(message.seq, message.body);
        }
    }

    /** The message at that place is done with. */
    void forget(long seq, long body) {
        shard.turn().ack(session, seq, body);
        shard.turn().forgetPassed(queue, seq);
    }

    private boolean sendRetained() {
        Connection to = session.connection();
        if (to == null || !to.isWritable()) {
            return false;
        }
        if (!replays.step()) {
            return false;
        }
        session.acknowledged();
        return true;
    }

    void sendRetained(Message message, Qos qos, Subscription subscription) {
        if (qos == Qos.AT_MOST_ONCE) {
            sendQos0(message, true, subscription.subscriptionIds());
        } else if (session.durable()) { // its identifier must be known after a restart as any other's
            entering++;
            shard.turn()
                    .store(new Place(
                            session, Place.Origin.RETAINED, message, qos, true, subscription.subscriptionIds()));
        } else {
            send(new Outgoing(message, qos, true, subscription.subscriptionIds(), 0, 0, null));
        }
    }

    private void dropped(Outgoing message, DropReason reason) {
        shard.shards().events().dropped(session.clientId(), message.message().topic(), reason);
        if (message.loan != null) {
            message.loan.settle();
        }
        doneWith(message);
    }

    /** Whether the client owes us acknowledgements, so that not reading from it would stop them. */
    public boolean isOwedAcks() {
        return outbound.open() > 0;
    }

    // ---- loans of shared groups

    /** The client is away: QoS 1, and what was not begun, goes back; a QoS 2 flow stays [MQTT-4.8.2-4]. */
    void giveBackLoans() {
        // first of all, so that nothing that goes back is lent here again
        shard.groupsOf(session, SharedGroup::memberAway);
        List<Outgoing> back = outbound.takeOutLentQos1();
        back.addAll(queue.takeOut(Outgoing::isLent));
        back.forEach(lent -> lent.lender().giveBack());
    }

    /** It has left a group: what was not begun goes back. */
    void giveBackWaiting(TopicFilter group) {
        queue.takeOut(waiting -> waiting.isLent() && waiting.lender().isOf(group))
                .forEach(lent -> lent.lender().giveBack());
    }

    /** Lets go of all, after {@link #end}: QoS 2 flows that a group has lent go to no other member [MQTT-4.8.2-5]. */
    void clear() {
        outbound.settleLoans();
        queue.clear();
        outbound.clear();
    }

    /** The session as its queue sees it. */
    private final class Waiting implements MessageQueue.Owner {
        @Override
        public void dropped(Outgoing message, DropReason reason) {
            Delivery.this.dropped(message, reason);
        }

        @Override
        public void read(long afterSeq, long throughSeq, int maxMessages, long maxBytes, Store.Page page) {
            shard.turn().readQueue(session.key().sid(), afterSeq, throughSeq, maxMessages, maxBytes, page);
        }

        @Override
        public void loaded() {
            pump();
        }

        @Override
        public void failed(String cause) {
            session.evict(
                    ReasonCode.IMPLEMENTATION_SPECIFIC_ERROR, "the queue of this session cannot be read: " + cause);
        }
    }
}
