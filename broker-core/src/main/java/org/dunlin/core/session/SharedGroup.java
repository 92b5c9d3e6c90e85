package org.dunlin.core.session;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.dunlin.core.limits.QueueLimits.Overflow;
import org.dunlin.core.routing.Answer;
import org.dunlin.core.routing.Gathering;
import org.dunlin.core.routing.Receiver;
import org.dunlin.core.routing.Rotation;
import org.dunlin.core.routing.Subscription;
import org.dunlin.core.session.Intake.HeldBack;
import org.dunlin.core.spi.DropReason;
import org.dunlin.core.spi.Rights;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreBatch;
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
    /** Messages a member may have open for the group at most. */
    private static final int CREDITS = 64;
    /** After which a queue that could not be read is read again. */
    private static final long RETRY_MILLIS = 1000;

    private final Shard shard;
    private final TopicFilter filter;
    private final SessionKey key;
    final Map<Session, Member> members = new HashMap<>(4);
    /** Whose turn it is; who may have more open is free. */
    final Rotation<Member> rotation = new Rotation<>();

    final MessageQueue queue;
    /** Came back from a member, by their old order; they are first. */
    private final TreeMap<Long, Entry> returned = new TreeMap<>();

    /** Whether the store is sure to know it. Written on its shard, read on those of publishers. */
    private volatile boolean recorded;

    private Subscription intake;
    private long lastOrder;
    private boolean dispatching;
    /** While dispatching: unfit for those who have credits. */
    private final List<Entry> aside = new ArrayList<>();

    SharedGroup(Shard shard, TopicFilter filter, long sid, boolean durable) {
        this.shard = shard;
        this.filter = filter;
        this.key = new SessionKey(sid, 0);
        this.queue = MessageQueue.on(shard, shard.figures().groups(), new Waiting());
        this.intake = intake(durable);
        shard.shards().subscriptions().add(intake, shard.index());
    }

    /** Takes over what the store has kept of it; its members follow. */
    void restore(Restoration.Kept kept) {
        recorded = true;
        if (kept.messages() > 0) {
            queue.restore(kept.messages(), kept.bytes(), kept.firstSeq(), kept.lastSeq());
        }
    }

    /** A member with these options; one that the store has kept is not there yet. */
    Member member(Session session, Subscription options) {
        Member member = members.computeIfAbsent(session, Member::new);
        member.options = options;
        rotation.put(member);
        return member;
    }

    boolean durable() {
        return intake.receiver().durable();
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

    /** Messages that wait, in the heap or with the store alone. */
    long waiting() {
        return returned.size() + queue.size();
    }

    TopicFilter filter() {
        return filter;
    }

    /** Tells the store of it. Should that fail, every message for it does so again. */
    void record() {
        shard.turn().batch().putGroup(key, filter.text());
        shard.turn().afterCommit(failure -> {
            if (failure == null) {
                recorded = true;
            }
        });
    }

    @Override
    public void introduce(StoreBatch batch) {
        if (!recorded) {
            batch.putGroup(key, filter.text());
        }
    }

    // ---- members

    /** Adds a member, or changes the options of one that is there already. */
    void join(Session session, Subscription options, int credits) {
        Member member = member(session, options);
        if (session.durable() && !durable()) {
            record();
            Subscription kept = intake(true);
            shard.shards().subscriptions().replace(intake, kept, shard.index());
            intake = kept;
        }
        ready(member, credits);
    }

    /** A member has other rights. */
    void changed(Session session, Subscription options) {
        Member member = members.get(session);
        if (member != null) {
            member(session, options);
            reconsider(member);
            dispatch();
        }
    }

    /** What was unfit for it may fit now: its rights may be others, or its Maximum Packet Size. */
    private void reconsider(Member member) {
        for (Entry waiting : returned.values()) {
            if (!waiting.unfitFor.isEmpty()) {
                waiting.unfitFor.remove(member);
            }
        }
    }

    /** Removes a member; with the last one the group ends, and what nobody has got is gone. */
    void leave(Session session) {
        Member member = members.remove(session);
        if (member != null) {
            rotation.remove(member);
        }
        if (!members.isEmpty()) {
            dispatch(); // what only it could take is known to fit nobody now
            return;
        }
        end();
    }

    /** Nobody is left. */
    void end() {
        queue.giveUpAllHeld();
        long lost = queue.size() + returned.size();
        if (lost > 0) {
            shard.shards().events().discarded(filter.text(), lost, DropReason.SESSION_ENDED);
        }
        queue.takeOut(message -> true);
        queue.forgetSpilled();
        returned.clear();
        shard.shards().subscriptions().remove(intake, shard.index());
        if (durable()) {
            shard.turn().removeOwner(key);
        }
        shard.endedGroup(this);
    }

    boolean isDeserted() {
        return members.isEmpty();
    }

    void memberReady(Session session, int credits) {
        Member member = members.get(session);
        if (member != null) {
            ready(member, credits);
        }
    }

    private void ready(Member member, int credits) {
        member.credits = Math.min(CREDITS, credits);
        rotation.connected(member);
        queue.takeIn();
        reconsider(member);
        if (member.open < member.credits) {
            rotation.free(member);
        }
        dispatch();
    }

    void memberAway(Session session) {
        Member member = members.get(session);
        if (member != null) {
            rotation.away(member);
            if (rotation.isNobodyConnected()) {
                queue.putOut();
            }
        }
    }

    // ---- messages

    private void take(Message message, @Nullable Answer answer) {
        if (message.qos() == Qos.AT_MOST_ONCE) {
            takeQos0(new Entry(message, 0, 0, ++lastOrder));
            if (answer != null) {
                answer.taken();
            }
            return;
        }
        Overflow overflow = overflowFor(message);
        boolean atOnce = queue.isIdle() && returned.isEmpty() && !rotation.isNobodyFree();
        if (answer == null) { // if durable, such a member has joined after the publisher's shard had looked
            if (overflow.answers() && !atOnce && !queue.admits(message.weight())) {
                shard.shards().events().dropped(filter.text(), message.topic(), DropReason.QUEUE_FULL);
            } else {
                keep(message, overflow);
            }
            return;
        }
        if (overflow.answers() && !atOnce && !queue.admits(message.weight())) {
            if (overflow == Overflow.HOLD_ACK) {
                new HeldBack(filter.text(), message, message.qos(), message.retain(), Subscription.NO_IDS, this::admit)
                        .waitIn(queue, shard, answer);
            } else {
                shard.shards().events().dropped(filter.text(), message.topic(), DropReason.QUEUE_FULL);
                answer.refused();
            }
            return;
        }
        if (durable()) {
            queue.reserve(message.weight(), overflow);
            answer.reserve(place(Place.Origin.PUBLISHER, message));
        } else {
            accept(message, 0, 0, overflow);
            answer.taken();
        }
    }

    /** Sent at once to whoever may have it and is there, or to nobody. */
    private void takeQos0(Entry entry) {
        Member member = rotation.nextConnected(entry.message.topic(), entry.unfitFor);
        if (member != null) {
            lend(member, entry);
        } else if (!rotation.isNobodyConnected()) {
            dropped(entry, entry.unfitFor.isEmpty() ? DropReason.RIGHT_LOST : entry.unfit);
        }
    }

    private Place place(Place.Origin origin, Message message) {
        return new Place(this, origin, message, message.qos(), message.retain(), Subscription.NO_IDS);
    }

    /** Takes a message that no publisher waits for. */
    private void keep(Message message, Overflow overflow) {
        if (durable()) {
            queue.reserve(message.weight(), overflow);
            shard.turn().store(place(Place.Origin.NOBODY, message));
        } else {
            accept(message, 0, 0, overflow);
        }
    }

    private void admit(HeldBack held, Answer answer) {
        if (durable()) {
            queue.reserve(held.weight(), Overflow.HOLD_ACK);
            answer.reserve(place(Place.Origin.PUBLISHER, held.message));
        } else {
            queue.add(
                    new Outgoing(held.message, held.qos, held.retain, held.subscriptionIds, 0, 0, null),
                    Overflow.HOLD_ACK);
            answer.taken();
        }
    }

    private Overflow overflowFor(Message message) {
        return shard.shards().queueLimits().overflowFor(message.topic());
    }

    @Override
    public void committed(Place place) {
        queue.unreserve(place.message.weight(), overflowFor(place.message));
        if (!members.isEmpty()) {
            accept(place.message, place.seq(), place.body(), overflowFor(place.message));
        } else {
            shard.shards().events().dropped(filter.text(), place.message.topic(), DropReason.SESSION_ENDED);
            shard.turn().removeOwner(key); // with the message, which may have brought the group back
        }
        dispatchHeld();
    }

    @Override
    public void failed(Place place) {
        queue.unreserve(place.message.weight(), overflowFor(place.message));
        if (place.origin != Place.Origin.PUBLISHER) {
            shard.shards().events().dropped(filter.text(), place.message.topic(), DropReason.STORE_FAILED);
        }
        dispatchHeld();
    }

    private void dispatchHeld() {
        if (queue.hasHeld()) {
            dispatch();
        }
    }

    private void accept(Message message, long seq, long body, Overflow overflow) {
        Member member = returned.isEmpty() && queue.isEmpty() ? rotation.nextFree(message.topic(), Set.of()) : null;
        if (member != null) {
            queue.passed(seq);
            lend(member, new Entry(message, seq, body, ++lastOrder));
        } else {
            queue.add(
                    new Outgoing(message, message.qos(), message.retain(), Subscription.NO_IDS, seq, body, null),
                    overflow);
            if (!rotation.isNobodyFree()) {
                dispatch();
            }
        }
    }

    /** Gives out what waits, to whom has credits, and the room that comes free to publishers that wait for it. */
    private void dispatch() {
        if (dispatching) {
            return; // a member that settles at once has called back: the loop below goes on
        }
        dispatching = true;
        try {
            do {
                giveOut();
            } while (queue.admitHeld());
        } finally {
            aside.forEach(waiting -> returned.put(waiting.order, waiting));
            aside.clear();
            dispatching = false;
        }
    }

    private void giveOut() {
        Entry entry = rotation.isNobodyFree() ? null : nextEntry();
        while (entry != null) {
            Member member = rotation.nextFree(entry.message.topic(), entry.unfitFor);
            if (member != null) {
                lend(member, entry);
            } else if (rotation.suitsNobody(entry.message.topic(), entry.unfitFor)) {
                dropped(entry, entry.unfitFor.isEmpty() ? DropReason.RIGHT_LOST : entry.unfit);
            } else {
                aside.add(entry); // whom it fits has no credit now
            }
            // not all of a long queue is looked through for what others could take: it waits for its members
            entry = rotation.isNobodyFree() || aside.size() >= CREDITS ? null : nextEntry();
        }
    }

    private @Nullable Entry nextEntry() {
        while (!returned.isEmpty()) {
            Entry entry = returned.pollFirstEntry().getValue();
            if (!shard.isExpired(entry.message)) {
                return entry;
            }
            dropped(entry, DropReason.EXPIRED);
        }
        Outgoing waiting = queue.poll();
        return waiting == null ? null : new Entry(waiting.message(), waiting.seq, waiting.body, ++lastOrder);
    }

    private void lend(Member member, Entry entry) {
        member.open++;
        entry.lentBy = member.guard();
        if (member.open >= member.credits) {
            rotation.busy(member);
        }
        Subscription options = member.options();
        Qos qos = Qos.min(entry.message.qos(), options.qos());
        boolean retain = options.retainAsPublished() && entry.message.retain();
        Loan loan = new Loan(this, member, entry);
        Outgoing message = new Outgoing(entry.message, qos, retain, options.subscriptionIds(), 0, 0, loan);
        member.session
                .shard()
                .runOrPost(shard, () -> member.session.delivery().intake().lend(message));
    }

    /** @param handedOver whether the store does not hold it for the group any more */
    void settled(Member member, Entry entry, boolean handedOver) {
        if (!handedOver) {
            forget(entry.seq, entry.body);
        }
        closed(member);
        dispatch();
    }

    private void closed(Member member) {
        member.open--;
        if (rotation.isConnected(member) && member.open < member.credits) {
            rotation.free(member);
        }
    }

    /** The member has left: the message goes to the next one as if it had never been sent, with DUP 0. */
    void returned(Member member, Entry entry, boolean handedOver) {
        closed(member);
        if (entry.message.qos() == Qos.AT_MOST_ONCE) {
            return; // sent once at most; its member was gone before it came
        }
        if (members.isEmpty()) {
            shard.shards().events().dropped(filter.text(), entry.message.topic(), DropReason.SESSION_ENDED);
            if (!handedOver) {
                forget(entry.seq, entry.body);
            }
            return;
        }
        if (handedOver) {
            keep(entry.message, overflowFor(entry.message));
            return;
        }
        returned.put(entry.order, entry);
        dispatch();
    }

    /** A member cannot have a message, be it too large for it, or its rights others than they were when it was lent. */
    void refused(Member member, Entry entry, boolean handedOver, DropReason why) {
        if (handedOver) {
            shard.shards().events().dropped(filter.text(), entry.message.topic(), why);
            closed(member);
            dispatch();
            return;
        }
        // by rights that it does not have any more: its guard says by now what it may have
        boolean outdated = why == DropReason.RIGHT_LOST && entry.lentBy != member.guard();
        if (!outdated || entry.message.qos() == Qos.AT_MOST_ONCE) {
            entry.unfitFor = entry.unfitFor.isEmpty() ? new HashSet<>(4) : entry.unfitFor;
            entry.unfitFor.add(member);
            entry.unfit = why;
        }
        closed(member);
        if (entry.message.qos() == Qos.AT_MOST_ONCE) {
            takeQos0(entry);
            dispatch();
        } else if (members.isEmpty()) {
            dropped(entry, DropReason.SESSION_ENDED);
        } else {
            returned.put(entry.order, entry);
            dispatch();
        }
    }

    private void dropped(Entry entry, DropReason reason) {
        shard.shards().events().dropped(filter.text(), entry.message.topic(), reason);
        forget(entry.seq, entry.body);
    }

    private void dropped(Outgoing message, DropReason reason) {
        shard.shards().events().dropped(filter.text(), message.message().topic(), reason);
        forget(message.seq, message.body);
    }

    @Override
    public void forget(long seq, long body) {
        if (seq > 0) {
            shard.turn().ack(this, seq, body);
            shard.turn().forgetPassed(queue, seq);
        }
    }

    /** The group as its queue sees it. */
    private final class Waiting implements MessageQueue.Owner {
        @Override
        public void dropped(Outgoing message, DropReason reason) {
            SharedGroup.this.dropped(message, reason);
        }

        @Override
        public void read(long afterSeq, long throughSeq, int maxMessages, long maxBytes, Store.Page page) {
            shard.turn().readQueue(key.sid(), afterSeq, throughSeq, maxMessages, maxBytes, page);
        }

        @Override
        public void loaded() {
            dispatch();
        }

        @Override
        public void failed(String cause) {
            shard.shards().events().unreadable(filter.text(), cause);
            Runnable again = () -> {
                if (!rotation.isNobodyConnected()) {
                    queue.takeIn();
                }
            };
            shard.loop().schedule(again, RETRY_MILLIS);
        }
    }

    /** One session's part in the group. Group's thread only, but for the session, which never changes. */
    static final class Member implements Rotation.Seat {
        private final Session session;
        private @Nullable Subscription options;
        int credits;
        int open;

        private Member(Session session) {
            this.session = session;
        }

        Subscription options() {
            Subscription present = options;
            assert present != null : "a member joins with its options";
            return present;
        }

        Session session() {
            return session;
        }

        @Override
        public @Nullable Rights guard() {
            return options().guard();
        }
    }

    /** One message of the group. What the member's shard may ask for never changes. */
    static final class Entry {
        private final Message message;
        private final long seq;
        private final long body;
        private final long order;
        private Set<Member> unfitFor = Set.of();
        /** What the group knew of the rights of the member that has it. */
        private @Nullable Rights lentBy;
        /** Why the last of them cannot have it. */
        private DropReason unfit = DropReason.TOO_LARGE;

        private Entry(Message message, long seq, long body, long order) {
            this.message = message;
            this.seq = seq;
            this.body = body;
            this.order = order;
        }

        long seq() {
            return seq;
        }

        long body() {
            return body;
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
        public void take(Message message, Qos qos, boolean retain, int[] subscriptionIds, @Nullable Answer answer) {
            assert shard.inLoop();
            SharedGroup.this.take(message, answer);
        }

        @Override
        public Gathering gathering() {
            return gathering;
        }
    }
}
