package org.dunlin.core.session;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.dunlin.core.limits.QueueLimits.Overflow;
import org.dunlin.core.routing.Answer;
import org.dunlin.core.routing.Gathering;
import org.dunlin.core.routing.Receiver;
import org.dunlin.core.routing.Subscription;
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
    /** Messages a member may have open for the group at most. */
    private static final int CREDITS = 64;

    private final Shard shard;
    private final TopicFilter filter;
    private final SessionKey key;
    private final Map<Session, Member> members = new HashMap<>(4);
    /** Connected members in turn: whoever has got a message is the last. */
    private final Set<Member> connected = new LinkedHashSet<>(4);
    /** Those of them that may have more open, in turn. */
    private final Set<Member> free = new LinkedHashSet<>(4);

    private final MessageQueue queue;
    /** Came back from a member, by their old order; they are first. */
    private final TreeMap<Long, Entry> returned = new TreeMap<>();

    private Subscription intake;
    private long lastOrder;
    private boolean dispatching;
    /** While dispatching: too large for those who have credits. */
    private final List<Entry> aside = new ArrayList<>();

    SharedGroup(Shard shard, TopicFilter filter, long sid, boolean durable) {
        this.shard = shard;
        this.filter = filter;
        this.key = new SessionKey(sid, 0);
        this.queue = new MessageQueue(shard.shards().queueLimits(), shard::isExpired, this::dropped);
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

    int waiting() {
        return returned.size() + queue.size();
    }

    TopicFilter filter() {
        return filter;
    }

    // ---- members

    /** Adds a member, or changes the options of one that is there already. */
    void join(Session session, Subscription options, int credits) {
        Member member = members.computeIfAbsent(session, Member::new);
        member.options = options;
        if (session.durable() && !intake.receiver().durable()) {
            Subscription kept = intake(true);
            shard.shards().subscriptions().replace(intake, kept, shard.index());
            intake = kept;
        }
        ready(member, credits);
    }

    /** Removes a member; with the last one the group ends, and what nobody has got is gone. */
    void leave(Session session) {
        Member member = members.remove(session);
        if (member != null) {
            connected.remove(member);
            free.remove(member);
        }
        if (!members.isEmpty()) {
            dispatch(); // what only it could take is known to fit nobody now
            return;
        }
        queue.giveUpAllHeld();
        for (Outgoing waiting : queue.takeOut(message -> true)) {
            dropped(waiting, DropReason.SESSION_ENDED);
        }
        for (Entry waiting : returned.values()) {
            dropped(waiting, DropReason.SESSION_ENDED);
        }
        returned.clear();
        shard.shards().subscriptions().remove(intake, shard.index());
        if (intake.receiver().durable()) {
            shard.batch().removeSession(key);
        }
        shard.endedGroup(this);
    }

    void memberReady(Session session, int credits) {
        Member member = members.get(session);
        if (member != null) {
            ready(member, credits);
        }
    }

    private void ready(Member member, int credits) {
        member.credits = Math.min(CREDITS, credits);
        connected.add(member);
        for (Entry waiting : returned.values()) {
            if (!waiting.tooLargeFor.isEmpty()) {
                waiting.tooLargeFor.remove(member); // its Maximum Packet Size may be another one now
            }
        }
        if (member.open < member.credits) {
            free.add(member);
        }
        dispatch();
    }

    void memberAway(Session session) {
        Member member = members.get(session);
        if (member != null) {
            connected.remove(member);
            free.remove(member);
        }
    }

    // ---- messages

    private void take(Message message, @Nullable Answer answer) {
        if (message.qos() == Qos.AT_MOST_ONCE) {
            Member member = next(connected);
            if (member != null) {
                lend(member, new Entry(message, 0, ++lastOrder));
            }
            if (answer != null) {
                answer.taken();
            }
            return;
        }
        if (answer == null) { // if durable, such a member has joined after the publisher's shard had looked
            accept(message, 0);
            return;
        }
        Overflow overflow = overflowFor(message);
        boolean atOnce = queue.isIdle() && returned.isEmpty() && !free.isEmpty();
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
        if (intake.receiver().durable()) {
            queue.reserve(message.weight(), overflow);
            answer.reserve(new Place(this, message, message.qos(), message.retain(), Subscription.NO_IDS));
        } else {
            accept(message, 0);
            answer.taken();
        }
    }

    private void admit(HeldBack held, Answer answer) {
        if (intake.receiver().durable()) {
            queue.reserve(held.weight(), Overflow.HOLD_ACK);
            answer.reserve(new Place(this, held.message, held.qos, held.retain, held.subscriptionIds));
        } else {
            queue.add(
                    new Outgoing(held.message, held.qos, held.retain, held.subscriptionIds, 0, null),
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
            accept(place.message, place.seq());
        } else {
            shard.shards().events().dropped(filter.text(), place.message.topic(), DropReason.SESSION_ENDED);
            forget(place.seq());
        }
        dispatchHeld();
    }

    @Override
    public void failed(Place place) {
        queue.unreserve(place.message.weight(), overflowFor(place.message));
        dispatchHeld();
    }

    private void dispatchHeld() {
        if (queue.hasHeld()) {
            dispatch();
        }
    }

    private void accept(Message message, long seq) {
        Member member = returned.isEmpty() && queue.isEmpty() ? next(free) : null;
        if (member != null) {
            lend(member, new Entry(message, seq, ++lastOrder));
        } else {
            queue.add(
                    new Outgoing(message, message.qos(), message.retain(), Subscription.NO_IDS, seq, null),
                    overflowFor(message));
            if (!free.isEmpty()) {
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
        Entry entry = free.isEmpty() ? null : nextEntry();
        while (entry != null) {
            Member member = nextFor(entry);
            if (member != null) {
                lend(member, entry);
            } else if (entry.message.qos() == Qos.AT_MOST_ONCE
                    || aside.size() >= CREDITS
                    || entry.tooLargeFor.containsAll(members.values())) {
                dropped(entry, DropReason.TOO_LARGE);
            } else {
                aside.add(entry); // whom it fits has no credit now
            }
            entry = free.isEmpty() ? null : nextEntry();
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
        return waiting == null ? null : new Entry(waiting.message(), waiting.seq, ++lastOrder);
    }

    /** The first of them, who becomes the last. */
    private static @Nullable Member next(Set<Member> inTurn) {
        Iterator<Member> members = inTurn.iterator();
        if (!members.hasNext()) {
            return null;
        }
        Member member = members.next();
        members.remove();
        inTurn.add(member);
        return member;
    }

    private @Nullable Member nextFor(Entry entry) {
        for (int tries = free.size(); tries > 0; tries--) {
            Member member = next(free);
            if (member == null || entry.tooLargeFor.isEmpty() || !entry.tooLargeFor.contains(member)) {
                return member;
            }
        }
        return null;
    }

    private void lend(Member member, Entry entry) {
        member.open++;
        if (member.open >= member.credits) {
            free.remove(member);
        }
        Subscription options = member.options();
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
        forget(entry.seq);
        closed(member);
        dispatch();
    }

    private void closed(Member member) {
        member.open--;
        if (connected.contains(member) && member.open < member.credits) {
            free.add(member);
        }
    }

    /** The member has left: the message goes to the next one as if it had never been sent, with DUP 0. */
    void returned(Member member, Entry entry) {
        closed(member);
        if (entry.message.qos() == Qos.AT_MOST_ONCE) {
            return; // sent once at most; its member was gone before it came
        }
        if (members.isEmpty()) {
            dropped(entry, DropReason.SESSION_ENDED);
            return;
        }
        returned.put(entry.order, entry);
        dispatch();
    }

    void refusedAsTooLarge(Member member, Entry entry) {
        if (entry.tooLargeFor.isEmpty()) {
            entry.tooLargeFor = new HashSet<>(4);
        }
        entry.tooLargeFor.add(member);
        closed(member);
        if (members.isEmpty()) {
            dropped(entry, DropReason.SESSION_ENDED);
        } else {
            returned.put(entry.order, entry);
            dispatch();
        }
    }

    private void dropped(Entry entry, DropReason reason) {
        shard.shards().events().dropped(filter.text(), entry.message.topic(), reason);
        forget(entry.seq);
    }

    private void dropped(Outgoing message, DropReason reason) {
        shard.shards().events().dropped(filter.text(), message.message().topic(), reason);
        forget(message.seq);
    }

    private void forget(long seq) {
        if (seq > 0) {
            shard.batch().ack(key, seq);
        }
    }

    /** One session's part in the group. Group's thread only, but for the session, which never changes. */
    static final class Member {
        private final Session session;
        private @Nullable Subscription options;
        private int credits;
        private int open;

        private Member(Session session) {
            this.session = session;
        }

        private Subscription options() {
            Subscription present = options;
            assert present != null : "a member joins with its options";
            return present;
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
        private Set<Member> tooLargeFor = Set.of();

        private Entry(Message message, long seq, long order) {
            this.message = message;
            this.seq = seq;
            this.order = order;
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
