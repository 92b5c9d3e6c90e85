package org.dunlin.core.session;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.dunlin.core.inspect.Explanation;
import org.dunlin.core.inspect.Fate;
import org.dunlin.core.inspect.GroupView;
import org.dunlin.core.limits.QueueLimits.Overflow;
import org.dunlin.core.routing.Gathering;
import org.dunlin.core.routing.Match;
import org.dunlin.core.routing.Receivers;
import org.dunlin.core.routing.Subscription;
import org.dunlin.core.spi.Connection;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.jspecify.annotations.Nullable;

/** What operators may see of one shard; nothing in here changes anything. Shard thread only. */
public final class Inspector {
    /** Members of a group that are asked what they would do with a message. */
    private static final int CANDIDATES = 16;
    /** Members of a group that are told of. */
    private static final int MEMBERS_SHOWN = 100;

    private static final int NEAREST_SHOWN = 5;

    private final Shard shard;
    private final Map<String, SharedGroup> groups;

    Inspector(Shard shard, Map<String, SharedGroup> groups) {
        this.shard = shard;
        this.groups = groups;
    }

    /** The shared groups that live here. */
    public List<GroupView> groupViews() {
        assert shard.inLoop();
        List<GroupView> views = new ArrayList<>();
        for (SharedGroup group : groups.values()) {
            List<GroupView.Member> members = new ArrayList<>();
            for (SharedGroup.Member each : group.members.values()) {
                Session session = each.session();
                members.add(new GroupView.Member(
                        session.clientId(), group.rotation.isConnected(each), each.open, Math.max(0, each.credits)));
            }
            views.add(new GroupView(group.filter().text(), group.queue.size(), group.queue.bytes(), members));
        }
        return views;
    }

    // ---- who would get a message

    /**
     * What the receivers of one shard would do with a message.
     *
     * @param groups for whose members others have to be asked
     * @param more whether there are more receivers
     * @param sharedFilters of the one client asked about, which match; their groups may live elsewhere
     */
    public record Part(
            List<Explanation.Verdict> verdicts,
            List<Group> groups,
            boolean more,
            Set<String> sharedFilters,
            List<String> nearest) {}

    /** A shared group that would take a message, and who of it could get it, in their turn. */
    public record Group(Explanation.Verdict verdict, List<Candidate> candidates, List<Explanation.Member> others) {}

    /**
     * A member of a group, to be asked on its own shard.
     *
     * @param stored whether the store has the group's messages
     */
    public record Candidate(Session session, Subscription options, boolean stored) {
        public Shard shard() {
            return session.shard();
        }

        public String clientId() {
            return session.clientId();
        }
    }

    /** Of one receiver: what {@link Router} would gather of its subscriptions. */
    private static final class Found {
        private final Gathering gathering = new Gathering();
        private final List<String> filters = new ArrayList<>(1);
        private boolean admitted;
        private @Nullable Fate refused;

        void add(Subscription subscription, Message message) {
            filters.add(subscription.filter().text());
            if (subscription.admits(message)) {
                gathering.add(1, subscription);
                admitted = true;
            } else {
                boolean own = subscription.noLocal()
                        && message.publisher().equals(subscription.receiver().clientId());
                refused = own ? Fate.NO_LOCAL : Fate.NO_RIGHT;
            }
        }
    }

    /** The receivers of this shard, at most so many. */
    public Part explain(Message message, Match match, int most) {
        assert shard.inLoop();
        Map<Session, Found> found = new LinkedHashMap<>();
        List<Group> shared = new ArrayList<>();
        boolean more = false;
        for (int r = 0; r < match.size() && !more; r++) {
            Receivers receivers = match.route(r).receivers(shard.index());
            for (int i = 0; receivers != null && i < receivers.size() && !more; i++) {
                Subscription subscription = receivers.get(i);
                if (subscription.receiver() instanceof Session session) {
                    more = found.size() + shared.size() >= most && !found.containsKey(session);
                    if (!more) {
                        found.computeIfAbsent(session, each -> new Found()).add(subscription, message);
                    }
                } else {
                    more = found.size() + shared.size() >= most;
                    SharedGroup group = groups.get(subscription.filter().text());
                    if (!more && group != null) {
                        shared.add(explain(message, group));
                    }
                }
            }
        }
        List<Explanation.Verdict> verdicts = new ArrayList<>();
        found.forEach((session, by) -> verdicts.add(verdict(session, by, message)));
        return new Part(verdicts, shared, more, Set.of(), List.of());
    }

    /** One client, if it has a session here; its groups are named, and asked where they live. */
    public Part explain(Message message, String clientId) {
        assert shard.inLoop();
        Session session = shard.session(clientId);
        if (session == null) {
            return new Part(List.of(), List.of(), false, Set.of(), List.of());
        }
        Found found = new Found();
        Set<String> shared = new LinkedHashSet<>();
        for (Subscription each : session.subscriptions()) {
            if (!each.filter().matches(message.topic())) {
                continue;
            }
            if (each.filter().isShared()) {
                shared.add(each.filter().text());
            } else {
                found.add(each, message);
            }
        }
        boolean none = found.filters.isEmpty();
        return new Part(
                none ? List.of() : List.of(verdict(session, found, message)),
                List.of(),
                false,
                shared,
                none && shared.isEmpty() ? nearest(session, message.topic().text()) : List.of());
    }

    /** The group of that filter, if it lives here. */
    public @Nullable Group explainGroup(Message message, String filter) {
        assert shard.inLoop();
        SharedGroup group = groups.get(filter);
        return group == null ? null : explain(message, group);
    }

    /** Those that have most of their beginning in common with a topic. */
    private static List<String> nearest(Session session, String topic) {
        return session.subscriptions().stream()
                .map(each -> each.filter().text())
                .sorted(Comparator.comparingInt((String filter) ->
                                -common(TopicFilter.of(filter).pattern(), topic))
                        .thenComparing(Comparator.naturalOrder()))
                .limit(NEAREST_SHOWN)
                .toList();
    }

    private static int common(String a, String b) {
        int length = Math.min(a.length(), b.length());
        for (int i = 0; i < length; i++) {
            if (Character.toLowerCase(a.charAt(i)) != Character.toLowerCase(b.charAt(i))) {
                return i;
            }
        }
        return length;
    }

    private Explanation.Verdict verdict(Session session, Found found, Message message) {
        Qos qos = found.admitted ? Qos.min(message.qos(), found.gathering.qos()) : message.qos();
        Fate refused = found.refused;
        Fate fate;
        if (!found.admitted && refused != null) {
            fate = refused;
        } else if (!session.takes(message)) {
            fate = Fate.NO_RIGHT;
        } else {
            fate = session.delivery().intake().foresee(message, qos, found.gathering.subscriptionIds());
        }
        return new Explanation.Verdict(
                session.clientId(), found.filters, qos, fate, why(session, fate, message, qos), List.of());
    }

    private String why(Session session, Fate fate, Message message, Qos qos) {
        MessageQueue queue = session.delivery().queue();
        return switch (fate) {
            case SENT -> "connected, and there is room in its window";
            case QUEUED -> whyItWaits(session, qos);
            case OLDEST_DROPPED ->
                "its queue is full with " + queue.size()
                        + " messages; the oldest goes for it (queue.overflow drop-oldest)";
            case NEWEST_DROPPED -> "its queue is full with " + queue.size() + " messages (queue.overflow drop-newest)";
            case HELD_BACK ->
                "its queue is full with " + queue.size() + " messages; the publisher waits for room (queue.overflow"
                        + " hold-ack)";
            case REFUSED ->
                "its queue is full with " + queue.size() + " messages; if nobody else takes it the publisher is told so"
                        + " (queue.overflow reject)";
            case AWAY ->
                session.isConnected()
                        ? "QoS 0, and it has not got its CONNACK yet"
                        : "away, and QoS 0 does not wait (queue.qos0-offline is off, or its session ends with its"
                                + " connection)";
            case SLOW_CONSUMER -> "QoS 0, and it takes less than it is sent";
            case TOO_LARGE -> "larger than its Maximum Packet Size";
            case EXPIRED -> "its Message Expiry Interval is over";
            case NO_LOCAL -> "its own message, and its subscription has No Local";
            case NO_RIGHT ->
                session.rights().mayReceive(message.topic())
                        ? "it has no right to the subscription any more"
                        : "it has no right to receive from this topic";
            case NOT_ITS_TURN, NO_CREDIT -> "";
        };
    }

    private static String whyItWaits(Session session, Qos qos) {
        Delivery delivery = session.delivery();
        Connection connection = session.connection();
        if (connection == null) {
            return "away; it waits, behind " + delivery.queue().size() + " messages";
        } else if (!session.isOnline()) {
            return "it has not got its CONNACK yet";
        } else if (!delivery.queue().isEmpty()) {
            return "behind " + delivery.queue().size() + " messages that wait" + windowIs(delivery);
        } else if (!connection.isWritable()) {
            return "it takes less than it is sent";
        } else if (qos == Qos.AT_MOST_ONCE) {
            return "QoS 0 waits here, too";
        }
        return "it has not acknowledged" + windowIs(delivery);
    }

    private static String windowIs(Delivery delivery) {
        return delivery.outbound().open() < delivery.receiveMaximum()
                ? ""
                : "; its Receive Maximum of " + delivery.receiveMaximum() + " is reached";
    }

    // ---- shared groups

    private Group explain(Message message, SharedGroup group) {
        boolean atMostOnce = message.qos() == Qos.AT_MOST_ONCE;
        MessageQueue queue = group.queue;
        boolean nothingBack = group.waiting() == queue.size();
        Overflow overflow = shard.shards().queueLimits().overflowFor(message.topic());
        boolean atOnce = queue.isIdle() && nothingBack && !group.rotation.isNobodyFree();
        Fate fate;
        List<SharedGroup.Member> next = List.of();
        if (!atMostOnce && overflow.answers() && !atOnce && !queue.admits(message.weight())) {
            fate = overflow == Overflow.HOLD_ACK ? Fate.HELD_BACK : Fate.REFUSED;
        } else {
            if (atMostOnce || queue.isEmpty()) {
                next = group.rotation.inTurn(message.topic(), !atMostOnce, CANDIDATES);
            }
            if (!next.isEmpty()) {
                fate = Fate.SENT; // whoever of them takes it
            } else if (atMostOnce) {
                fate = group.rotation.isNobodyConnected() ? Fate.AWAY : Fate.NO_RIGHT;
            } else if (!group.rotation.isNobodyFree()
                    && queue.isEmpty()
                    && group.rotation.suitsNobody(message.topic(), Set.of())) {
                fate = Fate.NO_RIGHT;
            } else {
                fate = queue.foresee(message.weight(), overflow);
            }
        }
        Explanation.Verdict verdict = new Explanation.Verdict(
                group.filter().text(),
                List.of(group.filter().text()),
                message.qos(),
                fate,
                why(group, fate),
                List.of());
        return new Group(verdict, candidates(group, next), others(group, next, message, atMostOnce));
    }

    private static String why(SharedGroup group, Fate fate) {
        return switch (fate) {
            case SENT -> "one member gets it";
            case QUEUED ->
                "no member can take it now; it waits with the group, behind " + group.waiting() + " messages";
            case AWAY -> "QoS 0, and no member is connected";
            case NO_RIGHT -> "no member has the right to receive from this topic";
            default -> "the queue of the group is full with " + group.queue.size() + " messages (queue.overflow)";
        };
    }

    private static List<Candidate> candidates(SharedGroup group, List<SharedGroup.Member> next) {
        List<Candidate> candidates = new ArrayList<>();
        for (SharedGroup.Member member : next) {
            candidates.add(new Candidate(member.session(), member.options(), group.durable()));
        }
        return candidates;
    }

    private static List<Explanation.Member> others(
            SharedGroup group, List<SharedGroup.Member> next, Message message, boolean atMostOnce) {
        List<Explanation.Member> others = new ArrayList<>();
        for (SharedGroup.Member member : group.members.values()) {
            if (next.contains(member)) {
                continue;
            }
            if (others.size() == MEMBERS_SHOWN) {
                break;
            }
            String id = member.session().clientId();
            if (!member.options().admits(message)) { // whether it is there or not, its group knows that
                others.add(new Explanation.Member(id, Fate.NO_RIGHT, "it has no right to receive from this topic"));
            } else if (!group.rotation.isConnected(member)) {
                others.add(new Explanation.Member(id, Fate.AWAY, "away"));
            } else if (!atMostOnce && member.open >= member.credits) {
                others.add(new Explanation.Member(
                        id,
                        Fate.NO_CREDIT,
                        "has " + member.open + " messages of the group that it has not acknowledged"));
            } else {
                others.add(new Explanation.Member(id, Fate.NOT_ITS_TURN, "another member is next"));
            }
        }
        return others;
    }

    /** What a member would do with what its group lends it. On the member's shard. */
    public Lent explainLoan(Message message, Candidate candidate) {
        assert shard.inLoop();
        Subscription options = candidate.options();
        Qos qos = Qos.min(message.qos(), options.qos());
        Session session = candidate.session();
        Fate fate = session.delivery()
                .intake()
                .foreseeLoan(
                        message,
                        qos,
                        options.subscriptionIds(),
                        options.filter().text());
        boolean forGood = qos == Qos.EXACTLY_ONCE && (session.durable() || candidate.stored());
        return new Lent(fate, fate == Fate.NO_RIGHT || fate == Fate.AWAY || fate == Fate.TOO_LARGE && !forGood);
    }

    /** @param comesBack whether another member is asked then */
    public record Lent(Fate fate, boolean comesBack) {}
}
