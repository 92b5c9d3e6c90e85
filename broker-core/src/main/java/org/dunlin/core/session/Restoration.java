package org.dunlin.core.session;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.dunlin.core.figures.Tally;
import org.dunlin.core.routing.Slots;
import org.dunlin.core.routing.Subscription;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.SessionRecord;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreBatch.SubscriptionRecord;
import org.dunlin.mqtt.Message;
import org.jspecify.annotations.Nullable;

/**
 * Brings back what the store has kept. Filled by the thread that starts the broker; then each of its {@link #steps} is run on
 * every shard's thread, a step when the former has been run on all, before anybody may connect.
 */
public final class Restoration implements Store.Boot {
    private final Shards shards;
    private final Map<Long, Kept> owners = new HashMap<>();
    private final List<List<Kept>> sessions = new ArrayList<>();
    private final List<List<Kept>> groups = new ArrayList<>();
    /** Sessions that had ended, or been replaced, but for their wills; groups whose end the store has failed to keep. */
    private final List<Kept> outlived = new ArrayList<>();

    private final List<Message> retained = new ArrayList<>();
    private long lastStamp;
    private final List<Delayed> delayed = new ArrayList<>();
    private final List<Queue<Member>> members = new ArrayList<>();
    private final List<List<Session>> restored = new ArrayList<>();
    /** Of each shard, counted by it: sessions that are back. */
    private final List<Tally> back = new ArrayList<>();

    private volatile long toBringBack;
    private long lastAliveMillis;
    private long subscriptions;
    private long messages;

    /** What the store keeps of a session. */
    static SessionRecord recordOf(Session session) {
        return new SessionRecord(
                session.clientId(),
                session.userName(),
                session.version(),
                session.isConnected(),
                session.expirySeconds(),
                session.expiresAtMillis(),
                session.will(),
                session.willDueAtMillis(),
                session.sentThrough());
    }

    static SubscriptionRecord recordOf(Subscription subscription) {
        int[] ids = subscription.subscriptionIds();
        return new SubscriptionRecord(
                subscription.filter().text(),
                subscription.qos(),
                subscription.noLocal(),
                subscription.retainAsPublished(),
                ids.length == 0 ? 0 : ids[0]);
    }

    /** @param who its publisher, as far as a session tells; null if there is none */
    private record Delayed(long id, long dueAtMillis, Message message, Authorizer.@Nullable Client who) {

        Delayed by(@Nullable Kept publisher) {
            return publisher == null
                    ? this
                    : new Delayed(
                            id,
                            dueAtMillis,
                            message,
                            new Authorizer.Client(
                                    message.publisher(), publisher.record().userName(), null));
        }
    }

    private record Member(Session session, Subscription subscription) {}

    public Restoration(Shards shards) {
        this.shards = shards;
        for (int i = 0; i < shards.count(); i++) {
            sessions.add(new ArrayList<>());
            groups.add(new ArrayList<>());
            restored.add(new ArrayList<>());
            back.add(new Tally());
            members.add(new ConcurrentLinkedQueue<>());
        }
    }

    /** Sessions that are to come back; 0 until the store has told all. Any thread. */
    public long toBringBack() {
        return toBringBack;
    }

    /** Sessions of these that shards have by now. Any thread. */
    public long broughtBack() {
        long sum = 0;
        for (Tally each : back) {
            sum += each.get();
        }
        return sum;
    }

    // ---- what the store tells

    @Override
    public void began(long lastAlive) {
        lastAliveMillis = lastAlive;
    }

    @Override
    public void session(SessionKey key, SessionRecord state) {
        owners.put(key.sid(), Kept.session(key, state));
    }

    @Override
    public void group(SessionKey key, String filter) {
        owners.put(key.sid(), Kept.group(key, filter));
    }

    private Kept of(long owner) {
        Kept kept = owners.get(owner);
        if (kept == null) {
            throw new IllegalStateException("the store tells of " + owner + ", of which it has not told before");
        }
        return kept;
    }

    @Override
    public void subscription(long owner, SubscriptionRecord subscription) {
        of(owner).subscriptions().add(subscription);
        subscriptions++;
    }

    @Override
    public void queue(long owner, long count, long bytes, long firstSeq, long lastSeq) {
        of(owner).queue(count, bytes, firstSeq, lastSeq);
        messages += count;
    }

    @Override
    public void released(long owner, long seq, int packetId) {
        of(owner).released(seq, packetId);
    }

    @Override
    public void numbered(long owner, long seq, int packetId) {
        of(owner).numbered(seq, packetId);
    }

    @Override
    public void inboundId(long owner, int packetId) {
        of(owner).received(packetId);
    }

    @Override
    public void retained(Message message, long stamp) {
        retained.add(message);
        lastStamp = Math.max(lastStamp, stamp);
    }

    @Override
    public void delayed(long id, long dueAtMillis, Message message) {
        delayed.add(new Delayed(id, dueAtMillis, message, null));
    }

    /** In words for people: what has come back. */
    public String summary() {
        long kept = owners.values().stream().filter(Kept::isSession).count();
        return kept + " session(s), " + subscriptions + " subscription(s), " + messages + " queued and "
                + shards.retained().count() + " retained message(s), " + delayed.size() + " delayed";
    }

    // ---- bringing it back

    /** To be asked for when the store has told all. */
    public List<Consumer<Shard>> steps() {
        shards.retained().stampsFrom(lastStamp);
        Map<String, Kept> latest = new HashMap<>();
        Map<String, Kept> latestGroups = new HashMap<>();
        for (Kept kept : owners.values()) {
            if (kept.isEnded()) {
                outlived.add(kept);
                continue;
            }
            Kept former = kept.isSession()
                    ? former(latest, kept.record().clientId(), kept)
                    : former(latestGroups, kept.group(), kept);
            if (former != null) {
                outlived.add(former);
            }
        }
        delayed.replaceAll(later -> later.by(latest.get(later.message.publisher())));
        for (Map.Entry<String, Kept> entry : latest.entrySet()) {
            sessions.get(Slots.of(entry.getKey()) % shards.count()).add(entry.getValue());
        }
        for (Map.Entry<String, Kept> entry : latestGroups.entrySet()) {
            groups.get(shards.ofGroup(entry.getKey()).index()).add(entry.getValue());
        }
        toBringBack = latest.size();
        return List.of(this::restoreOwners, this::restoreMembers, this::resume);
    }

    /** Keeps the later of two of the same name. @return the other one, or null */
    private static @Nullable Kept former(Map<String, Kept> latest, String name, Kept kept) {
        Kept other = latest.get(name);
        if (other == null || kept.key().sid() > other.key().sid()) {
            latest.put(name, kept);
            return other;
        }
        return kept;
    }

    private void restoreOwners(Shard shard) {
        shards.retained().restore(shareOf(retained, shard));
        for (Kept group : groups.get(shard.index())) {
            shard.restoreGroup(group);
        }
        for (Kept kept : sessions.get(shard.index())) {
            Session session = shard.restore(kept, lastAliveMillis);
            restored.get(shard.index()).add(session);
            back.get(shard.index()).add(1);
            for (Subscription subscription : session.subscriptions()) {
                if (subscription.filter().isShared()) {
                    members.get(shards.ofGroup(subscription.filter().text()).index())
                            .add(new Member(session, subscription));
                }
            }
        }
    }

    /** Each shard's share of what has no owner: it is much, and any thread may bring it back. */
    private List<Message> shareOf(List<Message> messages, Shard shard) {
        long size = messages.size();
        int from = (int) (size * shard.index() / shards.count());
        return messages.subList(from, (int) (size * (shard.index() + 1) / shards.count()));
    }

    private void restoreMembers(Shard shard) {
        for (Member member : members.get(shard.index())) {
            shard.restoreMember(member.session, member.subscription);
        }
        shard.endDesertedGroups();
    }

    /** Time goes on: wills that are due go out, to subscriptions that are all there by now. */
    private void resume(Shard shard) {
        List<Kept> kept = sessions.get(shard.index());
        List<Session> here = restored.get(shard.index());
        for (int i = 0; i < here.size(); i++) {
            here.get(i).resume(kept.get(i).record());
        }
        if (shard.index() == 0) {
            outlived.forEach(shard.publishing()::restoreOutlived);
            delayed.forEach(
                    later -> shard.publishing().restoreDelayed(later.id, later.dueAtMillis, later.message, later.who));
            if (retained.stream().anyMatch(Message::hasExpiry)) {
                shard.publishing().sweepExpired();
            }
        }
    }

    /** All that the store has kept of one session or shared group. Filled by the thread that starts the broker, then only read. */
    static final class Kept {
        private final SessionKey key;
        private final @Nullable SessionRecord record;
        private final @Nullable String group;
        private final List<SubscriptionRecord> subscriptions = new ArrayList<>(1);
        private long messages;
        private long bytes;
        private long firstSeq;
        private long lastSeq;
        // most have none of these
        private SortedMap<Long, Integer> released = Collections.emptySortedMap();
        private Map<Long, Integer> numbers = Map.of();
        private List<Integer> received = List.of();

        private Kept(SessionKey key, @Nullable SessionRecord record, @Nullable String group) {
            this.key = key;
            this.record = record;
            this.group = group;
        }

        static Kept session(SessionKey key, SessionRecord record) {
            return new Kept(key, record, null);
        }

        static Kept group(SessionKey key, String filter) {
            return new Kept(key, null, filter);
        }

        SessionKey key() {
            return key;
        }

        boolean isSession() {
            return record != null;
        }

        /** Whether it is a session that has ended and only owes its will. */
        boolean isEnded() {
            return record != null && !record.connected() && record.expirySeconds() == 0;
        }

        SessionRecord record() {
            SessionRecord present = record;
            assert present != null : "asked a group for a session's record";
            return present;
        }

        String group() {
            String present = group;
            assert present != null : "asked a session for a group's filter";
            return present;
        }

        List<SubscriptionRecord> subscriptions() {
            return subscriptions;
        }

        void queue(long count, long weight, long first, long last) {
            messages = count;
            bytes = weight;
            firstSeq = first;
            lastSeq = last;
        }

        long messages() {
            return messages;
        }

        long bytes() {
            return bytes;
        }

        long firstSeq() {
            return firstSeq;
        }

        long lastSeq() {
            return lastSeq;
        }

        void released(long seq, int packetId) {
            if (released.isEmpty()) {
                released = new TreeMap<>();
            }
            released.put(seq, packetId);
        }

        void numbered(long seq, int packetId) {
            if (numbers.isEmpty()) {
                numbers = new HashMap<>();
            }
            numbers.put(seq, packetId);
        }

        void received(int packetId) {
            if (received.isEmpty()) {
                received = new ArrayList<>();
            }
            received.add(packetId);
        }

        /** Packet identifiers whose PUBCOMP is still to come, by place. */
        SortedMap<Long, Integer> released() {
            return released;
        }

        /** Packet identifiers that do not follow from the place. */
        Map<Long, Integer> numbers() {
            return numbers;
        }

        /** Packet identifiers that the client has published with at QoS 2 and not released. */
        List<Integer> received() {
            return received;
        }
    }
}
