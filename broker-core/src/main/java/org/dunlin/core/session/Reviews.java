package org.dunlin.core.session;

import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.List;
import org.dunlin.core.routing.Match;
import org.dunlin.core.routing.Receivers;
import org.dunlin.core.routing.Subscription;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicFilter;
import org.jspecify.annotations.Nullable;

/**
 * Settles anew what the clients of one shard may do: when accounts or rights have changed, when a client comes back, and when
 * it has proven itself anew. Shard thread only. What is looked at within a turn is bounded, in subscriptions; the rest follows in
 * later turns.
 *
 * <p>What holds at any moment: a session has its new rights as a whole as soon as they are known, and by them it is asked what
 * it publishes, what it subscribes to, and what leaves for it. What takes time is what its subscriptions remember of them: their
 * guards, and whether they may be there at all. Until the last has been looked at the session has a review: then all that comes
 * for it is asked about ({@link Review#admits}), and no retained message leaves. So what is taken away is gone at once; what is
 * given may come by the end of the review. A session without one has in each subscription a guard that answers as its rights do,
 * or none where they let it receive all that matches; and if its client is there, none that they refuse.
 */
public final class Reviews {
    /** Subscriptions looked at in a turn. */
    static final int AT_ONCE = 512;
    /** Subscriptions of one session that are looked at before others have their turn. */
    private static final int IN_A_ROW = 64;
    /** As how many subscriptions a session counts by itself. */
    private static final int WEIGHT_OF_SESSION = 8;

    private final Shard shard;
    private final int atOnce;
    private final ArrayDeque<Round> rounds = new ArrayDeque<>(1);
    private final ArrayDeque<Review> open = new ArrayDeque<>(1);
    private boolean goesOn;
    /** In this turn. */
    private int looked;

    Reviews(Shard shard, int atOnce) {
        this.shard = shard;
        this.atOnce = atOnce;
    }

    /**
     * Asks anew who of all clients may stay and what each may do.
     *
     * @param seen runs when all have been asked about and their subscriptions are settled
     */
    public void all(Runnable seen) {
        assert shard.inLoop();
        rounds.add(new Round(List.copyOf(shard.sessions().values()).iterator(), seen));
        if (!goesOn) {
            work();
        }
    }

    /** Settles anew what the client of a session may do, of whom something else may be known now. */
    public void reauthorize(Session session, Authorizer.Client client) {
        assert shard.inLoop();
        reauthorize(session, client, null);
    }

    private void reauthorize(Session session, Authorizer.Client client, @Nullable Round round) {
        session.standing().authorize(client, shard.shards().authorizer().rights(client));
        settle(session, round);
    }

    /** Lets the subscriptions of a session have the rights that it has, unless they are those that they had. */
    void settle(Session session) {
        settle(session, null);
    }

    private void settle(Session session, @Nullable Round round) {
        Review former = session.standing().review();
        if (former != null) {
            open.remove(former);
            former.over();
        } else if (session.standing().isSettled()) {
            return;
        }
        Review review = new Review(session, round);
        session.reviewed(review);
        review.step(Math.min(IN_A_ROW, atOnce));
        if (!review.isOver()) {
            open.add(review);
            goOn();
        }
    }

    private void goOn() {
        if (!goesOn) {
            goesOn = true;
            // not at once: a loop would run it before it looks at its sockets again
            shard.loop().inNextTurn(this::work);
        }
    }

    private void work() {
        goesOn = false;
        looked = 0;
        while (looked < atOnce && !(rounds.isEmpty() && open.isEmpty())) {
            Review review = open.poll();
            if (review != null) {
                review.step(Math.min(IN_A_ROW, atOnce));
                if (!review.isOver()) {
                    open.add(review);
                }
            }
            Round round = rounds.peek(); // in turn, so that nobody who comes again and again stops it
            if (round != null) {
                round.step();
            }
        }
        if (!rounds.isEmpty() || !open.isEmpty()) {
            goOn();
        }
    }

    /** All sessions that were there when it was asked for. */
    private final class Round {
        private final Iterator<Session> sessions;
        private final Runnable seen;
        /** Reviews that are not over, and itself. */
        private int pending = 1;

        Round(Iterator<Session> sessions, Runnable seen) {
            this.sessions = sessions;
            this.seen = seen;
        }

        void step() {
            if (!sessions.hasNext()) {
                rounds.remove(this);
                done();
                return;
            }
            looked += WEIGHT_OF_SESSION;
            Session session = sessions.next();
            if (!session.isEnded()) {
                shard.guard(() -> review(session)); // a fault in one must not keep the others their rights
            }
        }

        private void review(Session session) {
            Authorizer authorizer = shard.shards().authorizer();
            Session.Holder holder = session.holder();
            String gone = holder == null ? null : holder.review();
            if (gone != null) {
                session.standing()
                        .authorize(
                                session.standing().client(),
                                authorizer.rights(session.standing().client())); // for its will
                session.evict(ReasonCode.ADMINISTRATIVE_ACTION, gone);
                if (!session.isEnded()) {
                    settle(session, this);
                }
            } else if (session.standing().isRestored()) {
                // what it will be allowed is known when it comes: until then all waits for it
                session.standing()
                        .authorize(
                                session.standing().client(),
                                authorizer.restored(session.clientId(), session.userName()));
            } else {
                reauthorize(session, session.standing().client(), this);
            }
        }

        void done() {
            if (--pending == 0) {
                seen.run();
            }
        }
    }

    /** The subscriptions of one session, while they do not all have its rights. */
    final class Review {
        private final Session session;
        private final @Nullable Round round;
        private final List<Subscription> subscriptions;
        private int next;
        private boolean over;
        /** Some are refused and stay, since their client is away. */
        private boolean incomplete;

        private Review(Session session, @Nullable Round round) {
            this.session = session;
            this.round = round;
            this.subscriptions = List.copyOf(session.subscriptions());
            if (round != null) {
                round.pending++;
            }
        }

        private boolean isOver() {
            return over;
        }

        private void step(int most) {
            int to = session.isEnded() ? next : Math.min(subscriptions.size(), next + most);
            while (next < to) {
                looked++;
                Subscription subscription = subscriptions.get(next++);
                // else it is gone, or was made anew by these rights
                if (session.subscription(subscription.filter().text()) == subscription) {
                    boolean settled = shard.guard(() -> settle(subscription));
                    incomplete |= !settled;
                }
            }
            if (next == subscriptions.size() || session.isEnded()) {
                over();
                if (!session.isEnded()) {
                    session.settled(!incomplete);
                }
            }
        }

        private void over() {
            over = true;
            if (round != null) {
                round.done();
            }
        }

        /**
         * What a connected client may not subscribe to any more ends. That of one that is away waits until it comes back, since
         * the right may have come back by then; it gets no messages meanwhile. The others get the rights that are asked from
         * now on.
         */
        private void settle(Subscription subscription) {
            TopicFilter filter = subscription.filter();
            Rights rights = session.rights();
            String refusal = rights.refusesSubscribe(filter, subscription.qos());
            if (refusal != null && session.isConnected()) {
                shard.unsubscribe(session, filter.text());
                session.lost(filter, refusal);
                return;
            }
            incomplete |= refusal != null;
            Rights guard = refusal == null ? session.guardOf(filter) : rights;
            if (guard != subscription.guard()) {
                shard.replace(session, subscription, subscription.guardedBy(guard));
            }
        }

        /** Whether its client may have a message that has come by its subscriptions. */
        boolean admits(Message message) {
            if (!session.standing().mayReceive(message)) {
                return false;
            }
            if (!session.isConnected()) {
                return true; // what it may not subscribe to any more stays, too
            }
            Match match = shard.match(message.topic());
            for (int r = 0; r < match.size(); r++) {
                Receivers receivers = match.route(r).receivers(shard.index());
                Subscription by = receivers == null ? null : receivers.of(session);
                if (by != null && by.admits(message) && allows(by)) {
                    return true;
                }
            }
            return false;
        }

        /** Whether its client may have what comes by a subscription. */
        boolean allows(String filter) {
            Subscription by = session.subscription(filter);
            return by != null && allows(by);
        }

        private boolean allows(Subscription subscription) {
            return session.rights().refusesSubscribe(subscription.filter(), subscription.qos()) == null;
        }
    }
}
