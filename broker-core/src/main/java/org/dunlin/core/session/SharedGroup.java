package org.dunlin.core.session;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.dunlin.core.routing.Answer;
import org.dunlin.core.routing.Gathering;
import org.dunlin.core.routing.Receiver;
import org.dunlin.core.routing.Subscription;
import org.dunlin.core.limits.QueueLimits.Overflow;
import org.dunlin.core.spi.DropReason;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.jspecify.annotations.Nullable;

/**
 * The members of one shared subscription and the messages that are theirs together [MQTT 5, 4.8.2]. On the thread of the shard
 * that its filter's slot falls on. An owner like a session: it has its own queue; a connected member gets as many messages as
 * it has credits, and what it has not acknowledged at QoS 1 comes back when it leaves.
 */
final class SharedGroup implements Place.Owner {
    /** Messages a member may have open for the group. */
    private static final int CREDITS = 64;

    private final Shard shard;
    private final TopicFilter filter;
    private final SessionKey key;
    private final List<Member> members = new ArrayList<>(4);
    private final MessageQueue queue;
    /** Came back from a member, by their old order; they are first. */
    private final TreeMap<Long, Entry> returned = new TreeMap<>();

    private Subscription intake;
    private long lastOrder;
    private int turn;
    private boolean dispatching;
    /** The last member has left; what is still out with former members is theirs to finish. */
    private boolean ended;

    SharedGroup(Shard shard, TopicFilter filter, long sid, boolean durable) {
        this.shard = shard;
        this.filter = filter;
        this.key = new SessionKey(sid, 0);
        this.queue = new MessageQueue(shard.shards().queueLimits(), this::dropped);
        this.intake = intake(durable);
        shard.shards().subscriptions().add(intake, shard.index());
    }

    private Subscription intake(boolean durable) {
        return new Subscription(new Intake(durable), filter, Qos.EXACTLY_ONCE, false, true, Subscription.NO_IDS);
    }

    @Override
    public Shard shard() {
        return shard;
    }

    @Override
    public SessionKey key() {
        return key;
    }

    TopicFilter filter() {
        return filter;
    }

    // ---- members

    /** Adds a member, or changes the options of one that is there already. */
    void join(Session session, Subscription options) {
        Member member = find(session);
        if (member == null) {
            member = new Member(session, options);
            members.add(member);
        }
        member.options = options;
        member.ready = true;
        if (session.durable() && !intake.receiver().durable()) {
            Subscription kept = intake(true);
            shard.shards().subscriptions().replace(intake, kept, shard.index());
            intake = kept;
        }
        dispatch();
    }

    /** Removes a member; with the last one the group ends, and what nobody has got is gone. */
    void leave(Session session) {
        Member member = find(session);
        if (member != null) {
            members.remove(member);
        }
        if (members.isEmpty() && !ended) {
            ended = true;
            queue.giveUpHeld(held -> true);
            shard.shards().subscriptions().remove(intake, shard.index());
            shard.batch().removeSession(key);
            shard.endedGroup(this);
        }
    }

    void memberReady(Session session) {
        Member member = find(session);
        if (member != null) {
            member.ready = true;
            dispatch();
        }
    }

    void memberAway(Session session) {
        Member member = find(session);
        if (member != null) {
            member.ready = false;
        }
    }

    private @Nullable Member find(Session session) {
        for (Member member : members) {
            if (member.session == session) {
                return member;
            }
        }
        return null;
    }

    // ---- messages

    private void take(Message message, @Nullable Answer answer) {
        if (message.qos() == Qos.AT_MOST_ONCE) {
            Member member = next(false);
            if (member != null) {
                lend(member, new Entry(message, 0, ++lastOrder));
            }
            if (answer != null) {
                answer.taken();
            }
            return;
        }
        if (answer == null) {
            // The group may have become durable since the publisher's shard looked: those who were members then are owed it.
            accept(message, 0);
            return;
        }
        Overflow overflow = shard.shards().queueLimits().overflowFor(message.topic());
        if (overflow.answers() && !queue.admits(message.weight()) && next(true) == null) {
            shard.shards().events().dropped(filter.text(), message.topic(), DropReason.QUEUE_FULL);
            answer.refused();
        } else if (intake.receiver().durable()) {
            queue.reserve();
            answer.reserve(new Place(this, message, message.qos(), message.retain(), Subscription.NO_IDS));
        } else {
            accept(message, 0);
            answer.taken();
        }
    }

    @Override
    public void committed(Place place) {
        queue.unreserve();
        if (!members.isEmpty()) {
            accept(place.message, place.seq());
        }
    }

    @Override
    public void failed(Place place) {
        queue.unreserve();
    }

    private void accept(Message message, long seq) {
        Member member = returned.isEmpty() && queue.isEmpty() ? next(true) : null;
        if (member != null) {
            lend(member, new Entry(message, seq, ++lastOrder));
        } else {
            queue.add(
                    new Outgoing(message, message.qos(), message.retain(), Subscription.NO_IDS, seq, null),
                    shard.shards().queueLimits().overflowFor(message.topic()));
        }
    }

    /** Gives out what waits, to whom has credits. */
    private void dispatch() {
        if (dispatching) {
            return; // a member that settles at once has called back: the loop below goes on
        }
        dispatching = true;
        while (!returned.isEmpty() || !queue.isEmpty()) {
            Member member = next(true);
            if (member == null) {
                break;
            }
            Entry entry;
            if (!returned.isEmpty()) {
                entry = returned.pollFirstEntry().getValue();
                if (entry.message.isExpired(shard.loop().nowMillis())) {
                    shard.shards().events().dropped(filter.text(), entry.message.topic(), DropReason.EXPIRED);
                    forget(entry.seq);
                    continue;
                }
            } else {
                Outgoing waiting = queue.poll(shard.loop().nowMillis());
                if (waiting == null) {
                    break;
                }
                entry = new Entry(waiting.message(), waiting.seq, ++lastOrder);
            }
            lend(member, entry);
        }
        dispatching = false;
    }

    /** The next connected member in turn, with a credit if that is needed. */
    private @Nullable Member next(boolean withCredit) {
        for (int i = 0; i < members.size(); i++) {
            turn = turn + 1 < members.size() ? turn + 1 : 0;
            Member member = members.get(turn);
            if (member.ready && (!withCredit || member.open < CREDITS)) {
                return member;
            }
        }
        return null;
    }

    private void lend(Member member, Entry entry) {
        member.open++;
        Subscription options = member.options;
        Outgoing message = new Outgoing(
                entry.message,
                Qos.min(entry.message.qos(), options.qos()),
                options.retainAsPublished() && entry.message.retain(),
                options.subscriptionIds(),
                0,
                new Loan(this, member, entry));
        member.session.shard().runOrPost(shard, () -> member.session.lend(message));
    }

    void settled(Member member, Entry entry) {
        member.open--;
        forget(entry.seq);
        dispatch();
    }

    /** The member has left: the message goes to the next one as if it had never been sent, with DUP 0. */
    void returned(Member member, Entry entry) {
        member.open--;
        if (members.isEmpty()) {
            return;
        }
        if (entry.message.qos() == Qos.AT_MOST_ONCE) {
            return; // sent once at most; its member was gone before it came
        }
        returned.put(entry.order, entry);
        dispatch();
    }

    void refusedAsTooLarge(Member member, Entry entry) {
        entry.attempts++;
        if (entry.attempts >= members.size()) {
            member.open--;
            shard.shards().events().dropped(filter.text(), entry.message.topic(), DropReason.TOO_LARGE);
            forget(entry.seq);
            dispatch();
        } else {
            returned(member, entry);
        }
    }

    private void dropped(Outgoing message, DropReason reason) {
        shard.shards().events().dropped(filter.text(), message.message().topic(), reason);
        forget(message.seq);
    }

    private void forget(long seq) {
        if (seq > 0 && !ended) {
            shard.batch().ack(key, seq);
        }
    }

    /** One session's part in the group. Group's thread only, but for the session, which never changes. */
    static final class Member {
        private final Session session;
        private Subscription options;
        private boolean ready;
        private int open;

        private Member(Session session, Subscription options) {
            this.session = session;
            this.options = options;
        }

        Session session() {
            return session;
        }
    }

    /** One message of the group. */
    static final class Entry {
        private final Message message;
        private final long seq;
        private final long order;
        /** Members for which it was too large. */
        private int attempts;

        private Entry(Message message, long seq, long order) {
            this.message = message;
            this.seq = seq;
            this.order = order;
        }

        /** At QoS 0 nothing is tried twice. */
        boolean mayTryAnother() {
            return message.qos() != Qos.AT_MOST_ONCE;
        }
    }

    /** What stands in the subscription tree for the group. */
    private final class Intake implements Receiver {
        private final boolean durable;
        private final Gathering gathering = new Gathering();

        private Intake(boolean durable) {
            this.durable = durable;
        }

        @Override
        public boolean durable() {
            return durable;
        }

        @Override
        public String clientId() {
            return "";
        }

        @Override
        public void take(
                Message message, Qos qos, boolean retain, int[] subscriptionIds, @Nullable Answer answer) {
            assert shard.inLoop();
            SharedGroup.this.take(message, answer);
        }

        @Override
        public Gathering gathering() {
            return gathering;
        }
    }
}
