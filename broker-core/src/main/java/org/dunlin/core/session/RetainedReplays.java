package org.dunlin.core.session;

import java.util.ArrayDeque;
import org.dunlin.core.routing.RetainedTree;
import org.dunlin.core.routing.Subscription;
import org.dunlin.core.spi.Loop;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;

/**
 * The retained messages that the subscriptions of one client have asked for, one subscription after the other, past the queue
 * and its limits. Shard thread only. A message is sent only if it is still the retained one of its topic: a newer one has gone
 * out live, and an older must not follow it.
 */
final class RetainedReplays {
    private static final int PAGE = 64;
    private static final int STEP = 256;
    /** Of a step in a turn that has been long already. */
    private static final int LEAST = 16;

    private static final int HELD_BACK_MOST = 64;
    /** Of those that have not had any. Nothing is put into it. */
    private static final ArrayDeque<One> NONE = new ArrayDeque<>(0);

    private enum Step {
        /** Those of one subscription have all been sent. */
        DONE,
        /** The client has to take what it was sent first. */
        NO_ROOM,
        /** Enough for one turn. */
        PAUSE
    }

    private final Session session;
    private final Delivery delivery;
    private ArrayDeque<One> waiting = NONE;
    /** How often they had to wait for live messages on their way through the store. */
    private int heldBack;

    private boolean goesOn;

    RetainedReplays(Session session, Delivery delivery) {
        this.session = session;
        this.delivery = delivery;
    }

    /** Subscriptions whose retained messages are still to be sent. */
    int size() {
        return waiting.size();
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    void add(Subscription subscription) {
        waiting = waiting == NONE ? new ArrayDeque<>(2) : waiting;
        waiting.add(new One(subscription));
    }

    /** The session has ended. */
    void clear() {
        waiting = NONE;
    }

    /** The subscription is gone. */
    void remove(String filter) {
        waiting.removeIf(one -> one.subscription.filter().text().equals(filter));
    }

    /**
     * Whether they may go on: not while something older may still wait. With traffic that never pauses, order between a
     * retained copy and live messages on their way through the store gives way after a while.
     */
    boolean mayPass(MessageQueue queue) {
        if (queue.isIdle()) {
            return true;
        }
        if (queue.isEmpty() && ++heldBack > HELD_BACK_MOST) {
            heldBack = 0;
            return true;
        }
        return false;
    }

    /**
     * Sends what there is room for, of the first subscription only. Not if there is none.
     *
     * @return whether all of that subscription have been sent
     */
    boolean step() {
        One first = waiting.getFirst();
        switch (first.step()) {
            case DONE -> {
                waiting.remove(first);
                return true;
            }
            case PAUSE -> goOnLater();
            case NO_ROOM -> {}
        }
        return false;
    }

    /** Others are served before it goes on. */
    private void goOnLater() {
        if (!goesOn) {
            goesOn = true;
            session.shard().loop().inNextTurn(() -> {
                goesOn = false;
                delivery.pump();
            });
        }
    }

    private final class One {
        private final Subscription subscription;
        private final RetainedTree tree;
        private final RetainedTree.Cursor cursor;
        private final ArrayDeque<Message> page = new ArrayDeque<>();
        private boolean more = true;

        private One(Subscription subscription) {
            this.subscription = subscription;
            this.tree = session.shard().shards().retained();
            this.cursor = tree.cursor(subscription.filter());
        }

        private Step step() {
            Loop loop = session.shard().loop();
            for (int n = 0; n < STEP && (n < LEAST || !loop.isTurnLong()); n++) {
                if (page.isEmpty()) {
                    if (!more) {
                        return Step.DONE;
                    }
                    more = cursor.next(PAGE, page::add);
                    if (page.isEmpty()) {
                        return more ? Step.PAUSE : Step.DONE; // a page looks at many topics, whether they match or not
                    }
                    continue;
                }
                Message message = page.getFirst();
                Qos qos = Qos.min(message.qos(), subscription.qos());
                if (!delivery.hasRoomFor(qos)) {
                    return Step.NO_ROOM;
                }
                page.removeFirst();
                if (session.shard().isExpired(message)) {
                    session.shard().publishing().expireRetained(message);
                } else if (tree.get(message.topic()) == message
                        && session.standing().mayReceive(message)
                        && !(subscription.noLocal() && message.publisher().equals(session.clientId()))) {
                    delivery.sendRetained(message, qos, subscription);
                }
            }
            return Step.PAUSE;
        }
    }
}
