package org.dunlin.core.session;

import java.util.ArrayList;
import java.util.List;
import org.dunlin.core.routing.Answer;
import org.dunlin.core.routing.Gathering;
import org.dunlin.core.routing.Match;
import org.dunlin.core.routing.MatchCache;
import org.dunlin.core.routing.Receiver;
import org.dunlin.core.routing.Receivers;
import org.dunlin.core.routing.Route;
import org.dunlin.core.routing.Subscription;
import org.dunlin.core.routing.SubscriptionTree;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;

/**
 * Brings the messages that arrive on one shard to their receivers: those of this shard at once, those of each other shard in
 * the outbox for it. Shard thread only.
 */
final class Router {
    /** Topics whose receivers a shard remembers. */
    private static final int MATCHED_TOPICS = 4096;

    private final Shard shard;
    private final MatchCache matches;
    private final List<Receiver> gathered = new ArrayList<>();
    private long stamp;
    private long deliveries;

    /** Of each shard that {@link #count} has found. */
    private final int[] receivers = new int[Shards.MAX];

    Router(Shard shard, SubscriptionTree tree) {
        this.shard = shard;
        this.matches = new MatchCache(tree, MATCHED_TOPICS);
    }

    Match match(TopicName topic) {
        return matches.match(topic);
    }

    /** Whether some receiver is owed the message durably, so that the publisher's acknowledgement has to wait. */
    boolean isOwed(Match match) {
        int shards = shard.shards().count();
        for (int r = 0; r < match.size(); r++) {
            Route route = match.route(r);
            for (int s = 0; s < shards; s++) {
                Receivers found = route.receivers(s);
                if (found != null && found.owed()) {
                    return true;
                }
            }
        }
        return false;
    }

    /** What has been fanned out so far, about, to receivers of all shards. */
    long deliveries() {
        return deliveries;
    }

    /**
     * Counts the receivers of each shard, about: others may change theirs meanwhile.
     *
     * @return the shards that have some, a bit for each
     */
    private long count(Match match) {
        int[] of = receivers;
        long found = 0;
        int all = 0;
        int shards = shard.shards().count();
        for (int r = 0; r < match.size(); r++) {
            Route route = match.route(r);
            for (int s = 0; s < shards; s++) {
                Receivers there = route.receivers(s);
                if (there != null) {
                    int size = there.size();
                    all += size;
                    of[s] = (found >>> s & 1) == 0 ? size : of[s] + size;
                    found |= 1L << s;
                }
            }
        }
        deliveries += all;
        return found;
    }

    /** @param ticket waits for an answer of each shard that has receivers; null if nobody does */
    void fanOut(Message message, Match match, @Nullable Ticket ticket) {
        long found = count(match);
        if (ticket != null) {
            ticket.expectShards(Long.bitCount(found));
        }
        long here = 1L << shard.index();
        for (long rest = found & ~here; rest != 0; rest &= rest - 1) {
            int target = Long.numberOfTrailingZeros(rest);
            shard.turn().fanOut(target, receivers[target], message, match, ticket);
        }
        if ((found & here) != 0) {
            deliver(message, match, ticket, shard);
        }
    }

    /** Delivers to the receivers of this shard, for a publisher of that one. */
    void deliver(Message message, Match match, @Nullable Ticket ticket, Shard publisher) {
        Ticket.Sheet sheet = ticket == null ? null : new Ticket.Sheet(ticket, shard, publisher);
        Receivers only = null;
        int sets = 0;
        for (int r = 0; r < match.size(); r++) {
            Receivers receivers = match.route(r).receivers(shard.index());
            if (receivers != null) {
                only = receivers;
                sets++;
            }
        }
        if (sets == 1 && only != null) {
            for (int i = 0; i < only.size(); i++) {
                deliver(message, only.get(i), sheet);
            }
        } else if (sets > 1) {
            gather(message, match);
            deliverGathered(message, sheet);
        }
        if (sheet != null) {
            sheet.filled();
        }
    }

    private static void deliver(Message message, Subscription to, @Nullable Answer answer) {
        Receiver receiver = to.receiver();
        if (!to.admits(message)) {
            return;
        }
        receiver.take(
                message,
                Qos.min(message.qos(), to.qos()),
                to.retainAsPublished() && message.retain(),
                to.subscriptionIds(),
                answer);
    }

    /** Several filters match: a receiver that has more than one of them gets one copy with all identifiers. */
    private void gather(Message message, Match match) {
        stamp++;
        gathered.clear();
        for (int r = 0; r < match.size(); r++) {
            Receivers receivers = match.route(r).receivers(shard.index());
            if (receivers == null) {
                continue;
            }
            for (int i = 0; i < receivers.size(); i++) {
                Subscription subscription = receivers.get(i);
                Receiver receiver = subscription.receiver();
                if (subscription.admits(message) && receiver.gathering().add(stamp, subscription)) {
                    gathered.add(receiver);
                }
            }
        }
    }

    private void deliverGathered(Message message, @Nullable Answer answer) {
        for (int i = 0; i < gathered.size(); i++) {
            Receiver receiver = gathered.get(i);
            Gathering all = receiver.gathering();
            receiver.take(
                    message,
                    Qos.min(message.qos(), all.qos()),
                    all.retainAsPublished() && message.retain(),
                    all.subscriptionIds(),
                    answer);
        }
        gathered.clear();
    }
}
