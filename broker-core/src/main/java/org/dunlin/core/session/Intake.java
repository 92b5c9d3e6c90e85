package org.dunlin.core.session;

import org.dunlin.core.inspect.Fate;
import org.dunlin.core.limits.QueueLimits.Overflow;
import org.dunlin.core.routing.Answer;
import org.dunlin.core.spi.Connection;
import org.dunlin.core.spi.DropReason;
import org.dunlin.core.spi.Loop;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.jspecify.annotations.Nullable;

/**
 * What is published for one session: sent at once (QoS 0), given a place in the store (durable sessions), handed to {@link
 * Delivery}, or refused or held back by the policy for a full queue. Shard thread only.
 */
final class Intake {
    private final Session session;
    private final Shard shard;
    private final MessageQueue queue;
    private final Delivery delivery;

    Intake(Session session, MessageQueue queue, Delivery delivery) {
        this.session = session;
        this.shard = session.shard();
        this.queue = queue;
        this.delivery = delivery;
    }

    void take(Message message, Qos qos, boolean retain, int[] subscriptionIds, @Nullable Answer answer) {
        assert shard.inLoop();
        if (qos == Qos.AT_MOST_ONCE) {
            takeQos0(message, retain, subscriptionIds);
            if (answer != null) {
                answer.taken();
            }
            return;
        }
        Overflow overflow = overflowFor(message);
        if (answer == null) { // if durable, it subscribed after the publisher's shard had looked
            if (overflow.answers() && !mayTake(message)) {
                shard.shards().events().dropped(session.clientId(), message.topic(), DropReason.QUEUE_FULL);
            } else {
                keep(message, qos, retain, subscriptionIds, overflow);
            }
            return;
        }
        if (overflow.answers() && !mayTake(message)) {
            if (overflow == Overflow.HOLD_ACK) {
                new HeldBack(session.clientId(), message, qos, retain, subscriptionIds, this::admit)
                        .waitIn(queue, shard, answer);
            } else {
                shard.shards().events().dropped(session.clientId(), message.topic(), DropReason.QUEUE_FULL);
                answer.refused();
            }
            return;
        }
        takeNow(message, qos, retain, subscriptionIds, overflow, answer);
    }

    private Overflow overflowFor(Message message) {
        return shard.shards().queueLimits().overflowFor(message.topic());
    }

    private boolean mayTake(Message message) {
        return queue.isIdle() && delivery.canSendNow() || queue.admits(message.weight());
    }

    /** Takes a message that no publisher waits for. */
    private void keep(Message message, Qos qos, boolean retain, int[] subscriptionIds, Overflow overflow) {
        if (session.durable()) {
            queue.reserve(message.weight(), overflow);
            shard.turn().store(new Place(session, Place.Origin.NOBODY, message, qos, retain, subscriptionIds));
        } else {
            delivery.accept(new Outgoing(message, qos, retain, subscriptionIds, 0, 0, null), overflow);
        }
    }

    private void takeNow(
            Message message, Qos qos, boolean retain, int[] subscriptionIds, Overflow overflow, Answer answer) {
        if (session.durable()) {
            queue.reserve(message.weight(), overflow);
            answer.reserve(new Place(session, Place.Origin.PUBLISHER, message, qos, retain, subscriptionIds));
        } else {
            delivery.accept(new Outgoing(message, qos, retain, subscriptionIds, 0, 0, null), overflow);
            answer.taken();
        }
    }

    private void admit(HeldBack held, Answer answer) {
        if (session.durable()) {
            takeNow(held.message, held.qos, held.retain, held.subscriptionIds, Overflow.HOLD_ACK, answer);
        } else {
            // behind the one that is just being taken out, which has to be sent first
            queue.add(
                    new Outgoing(held.message, held.qos, held.retain, held.subscriptionIds, 0, 0, null),
                    Overflow.HOLD_ACK);
            answer.taken();
        }
    }

    private void takeQos0(Message message, boolean retain, int[] subscriptionIds) {
        if (session.isOnline()) {
            delivery.sendQos0(message, retain, subscriptionIds);
        } else if (keepsQos0()) {
            keep(message, Qos.AT_MOST_ONCE, retain, subscriptionIds, qos0Overflow(message));
        }
    }

    /** Whether QoS 0 waits for its client, which is away. */
    private boolean keepsQos0() {
        return shard.shards().queueLimits().qos0Offline() && session.expirySeconds() > 0;
    }

    /** Nobody waits for an answer to a QoS 0 message. */
    private Overflow qos0Overflow(Message message) {
        Overflow overflow = overflowFor(message);
        return overflow.answers() ? Overflow.DROP_OLDEST : overflow;
    }

    /** Takes a message that a shared group lends. */
    void lend(Outgoing message) {
        if (!session.isOnline() || session.subscription(message.lender().filter()) == null) {
            message.lender().giveBack();
        } else if (!session.standing()
                .mayBorrow(message.message(), message.lender().filter())) {
            message.lender().tryAnother(DropReason.RIGHT_LOST);
        } else if (message.qos == Qos.AT_MOST_ONCE) {
            if (delivery.fitsQos0(message.message(), message.retain, message.subscriptionIds)) {
                message.lender().settle();
            } else {
                message.lender().tryAnother(DropReason.TOO_LARGE);
            }
        } else {
            // as many as the group has credits
            if (delivery.canSendNow()) {
                delivery.send(message);
            } else {
                queue.addLent(message);
            }
        }
    }

    /** What was stored for it may leave. */
    void committed(Place place) {
        Overflow overflow = arrived(place);
        Outgoing message = new Outgoing(
                place.message,
                place.qos(),
                place.retain(),
                place.subscriptionIds(),
                place.seq(),
                place.body(),
                place.loan);
        if (place.loan != null) {
            delivery.takenOver(message);
        } else if (!session.isEnded()) {
            delivery.accept(message, overflow);
        } else {
            shard.shards().events().dropped(session.clientId(), place.message.topic(), DropReason.SESSION_ENDED);
        }
        if (delivery.isReplaying() || !queue.isEmpty() || queue.hasHeld() || place.qos() == Qos.AT_MOST_ONCE) {
            delivery.pump();
        }
    }

    /** A message has come back from the store. @return what a full queue does with it */
    private Overflow arrived(Place place) {
        Message message = place.message;
        switch (place.origin) {
            case RETAINED, GROUP -> delivery.entered();
            default -> {
                Overflow overflow = place.qos() == Qos.AT_MOST_ONCE ? qos0Overflow(message) : overflowFor(message);
                queue.unreserve(message.weight(), overflow);
                return overflow;
            }
        }
        return Overflow.HOLD_ACK; // bounded before, by a window or by credits
    }

    /** The store could not keep it. */
    void failed(Place place) {
        arrived(place);
        if (place.loan != null) {
            place.loan.giveBack();
        } else if (place.origin != Place.Origin.PUBLISHER) {
            shard.shards().events().dropped(session.clientId(), place.message.topic(), DropReason.STORE_FAILED);
        }
        delivery.pump();
    }

    // ---- what would become of a message

    /** What {@link #take} would come to, without doing it. */
    Fate foresee(Message message, Qos qos, int[] subscriptionIds) {
        if (qos == Qos.AT_MOST_ONCE) {
            if (session.isOnline()) {
                return foreseeQos0(message, subscriptionIds);
            }
            return keepsQos0() ? queue.foresee(message.weight(), qos0Overflow(message)) : Fate.AWAY;
        }
        Overflow overflow = overflowFor(message);
        if (overflow.answers() && !mayTake(message)) {
            return overflow == Overflow.HOLD_ACK ? Fate.HELD_BACK : Fate.REFUSED;
        } else if (!delivery.canSendNow()) {
            return queue.foresee(message.weight(), overflow);
        } else if (session.durable() && !session.standing().mayReceive(message)) {
            return Fate.NO_RIGHT; // asked when it comes back from the store
        }
        return foreseeSending(message, qos, subscriptionIds);
    }

    private Fate foreseeQos0(Message message, int[] subscriptionIds) {
        Connection to = session.connection();
        if (to == null || !to.isWritable()) {
            return to == null ? Fate.AWAY : Fate.SLOW_CONSUMER;
        }
        return foreseeSending(message, Qos.AT_MOST_ONCE, subscriptionIds);
    }

    private Fate foreseeSending(Message message, Qos qos, int[] subscriptionIds) {
        Connection to = session.connection();
        if (shard.isExpired(message)) {
            return Fate.EXPIRED;
        }
        return to == null || to.fits(message, qos, subscriptionIds) ? Fate.SENT : Fate.TOO_LARGE;
    }

    /** What {@link #lend} would come to, for the group of that filter. */
    Fate foreseeLoan(Message message, Qos qos, int[] subscriptionIds, String filter) {
        if (!session.isOnline() || session.subscription(filter) == null) {
            return Fate.AWAY;
        } else if (!session.standing().mayBorrow(message, filter)) {
            return Fate.NO_RIGHT;
        } else if (qos == Qos.AT_MOST_ONCE) {
            return foreseeQos0(message, subscriptionIds);
        }
        return delivery.canSendNow() ? foreseeSending(message, qos, subscriptionIds) : Fate.QUEUED;
    }

    // ---- what waits for room

    /**
     * A message that waits for room in a full queue, and its publisher's acknowledgement with it, for {@code queue.hold-timeout}
     * at most. On the thread of the queue's shard only. It ends once, by {@link #admitted} or {@link #gaveUp}.
     */
    static final class HeldBack {
        final Message message;
        final Qos qos;
        final boolean retain;
        final int[] subscriptionIds;
        private final String receiver;
        private final Admission admission;
        private @Nullable Shard shard;
        private @Nullable Answer answer;
        private Loop.@Nullable Timer timer;

        /** @param receiver whose queue it is, for the event if it is dropped */
        HeldBack(
                String receiver, Message message, Qos qos, boolean retain, int[] subscriptionIds, Admission admission) {
            this.receiver = receiver;
            this.message = message;
            this.qos = qos;
            this.retain = retain;
            this.subscriptionIds = subscriptionIds;
            this.admission = admission;
        }

        void waitIn(MessageQueue queue, Shard of, Answer publisher) {
            shard = of;
            answer = publisher.held(() -> queue.giveUpHeld(this));
            queue.hold(this);
            timer = of.loop()
                    .schedule(
                            () -> queue.giveUpHeld(this),
                            of.shards().queueLimits().holdTimeoutMillis());
        }

        int weight() {
            return message.weight();
        }

        /** There is room. */
        void admitted() {
            admission.admit(this, end());
        }

        /** There was none in time, or the session or group has ended. */
        void gaveUp(DropReason reason) {
            Shard of = shard;
            assert of != null;
            of.shards().events().dropped(receiver, message.topic(), reason);
            end().refused();
        }

        private Answer end() {
            if (timer != null) {
                timer.cancel();
                timer = null;
            }
            Answer waiting = answer;
            assert waiting != null;
            return waiting;
        }

        /** Puts the message into the queue, in which there is room for it, and tells the publisher. */
        interface Admission {
            void admit(HeldBack message, Answer publisher);
        }
    }
}
