package org.dunlin.core.session;

import java.util.ArrayDeque;
import org.dunlin.core.routing.RetainedTree;
import org.dunlin.core.routing.Subscription;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;

/**
 * Sends the retained messages of one new subscription as its client takes them, past the queue and its limits. Shard thread
 * only. A message is sent only if it is still the retained one of its topic: a newer one has gone out live, and an older must
 * not follow it.
 */
final class RetainedReplay {
    private static final int PAGE = 64;
    private static final int STEP = 256;

    enum Step {
        /** All have been sent. */
        DONE,
        /** The client has to take what it was sent first. */
        NO_ROOM,
        /** Enough for one turn. */
        PAUSE
    }

    private final Session session;
    private final Subscription subscription;
    private final RetainedTree tree;
    private final RetainedTree.Cursor cursor;
    private final ArrayDeque<Message> page = new ArrayDeque<>();
    private boolean more = true;

    RetainedReplay(Session session, Subscription subscription) {
        this.session = session;
        this.subscription = subscription;
        this.tree = session.shard().shards().retained();
        this.cursor = tree.cursor(subscription.filter());
    }

    String filter() {
        return subscription.filter().text();
    }

    Step step() {
        for (int n = 0; n < STEP; n++) {
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
            if (!session.hasRoomFor(qos)) {
                return Step.NO_ROOM;
            }
            page.removeFirst();
            if (session.shard().isExpired(message)) {
                session.shard().expireRetained(message);
            } else if (tree.get(message.topic()) == message
                    && !(subscription.noLocal() && message.publisher().equals(session.clientId()))) {
                session.sendRetained(message, qos, subscription);
            }
        }
        return Step.PAUSE;
    }
}
