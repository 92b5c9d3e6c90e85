package org.dunlin.core.sim;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.core.spi.DropReason;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Will;
import org.jspecify.annotations.Nullable;

/**
 * The test's thread only. What has to hold in every run, each invariant a method of its name. A breach is an
 * {@link AssertionError} that begins with that name.
 */
final class Checker implements BrokerEvents {
    private final Simulation sim;
    private final Map<String, Sent> messages = new LinkedHashMap<>();
    private final List<SessionLog> sessions = new ArrayList<>();
    private final Map<String, Integer> drops = new HashMap<>();
    /** Those of them that were too large for the client. */
    private final Map<String, Integer> tooLarge = new HashMap<>();

    /** Messages without a publisher to tell that could not be stored for their receivers, by topic. */
    private final Map<String, Integer> storeFailed = new HashMap<>();

    private final Map<String, List<SharedReception>> shared = new HashMap<>();
    /** Clients that have lost a session in which a shared QoS 2 flow may have been open. */
    private boolean sharedSessionLost;

    // connections
    private final Map<SimConnection, State> states = new HashMap<>();
    private final Map<SimClient, SimConnection> accepted = new HashMap<>();
    /** When the broker's end of a connection was closed, by peer. */
    private final Map<String, Long> endedAt = new HashMap<>();

    // wills by peer
    private final Map<String, Will> wills = new LinkedHashMap<>();
    private final Map<String, Integer> willsSeen = new HashMap<>();
    private final Map<String, Long> connectedAt = new LinkedHashMap<>();
    private final Map<String, Left> left = new HashMap<>();
    /** When each connection was begun, accepted or not. */
    private final Map<String, Long> begunAt = new HashMap<>();

    /** What retained messages a client has been sent at the end. */
    final Map<String, String> replayed = new TreeMap<>();

    /** What a run has come through, so that a test can tell whether the runs reach it at all. */
    enum Trouble {
        TOO_LARGE,
        DELAYED,
        OVERLOAD
    }

    final Set<Trouble> reached = EnumSet.noneOf(Trouble.class);

    /** The broker reads no more from a client for now. */
    void held() {
        if (sim.isOverloaded()) {
            reached.add(Trouble.OVERLOAD);
        }
    }

    private enum State {
        OPEN,
        ACCEPTED,
        DISCONNECTED
    }

    /** @param ends whether the session ends with its connection */
    private record SharedReception(String clientId, String peer, boolean ends, Qos qos, long atMicros) {}

    private record Left(long atMicros, boolean inOrder) {}

    /** Connections that the broker has not seen the end of, or not put on record, when it crashed. */
    private final Set<String> crashedOn = new HashSet<>();

    /** When the broker crashed under a connection that it had accepted, by peer. */
    private final Map<String, Long> diedAt = new HashMap<>();

    private record Crash(long atMicros, long lostSinceMicros) {}

    private final List<Crash> crashes = new ArrayList<>();
    private final List<Long> restartedAt = new ArrayList<>();

    Checker(Simulation sim) {
        this.sim = sim;
    }

    private static AssertionError breach(String invariant, String detail) {
        return new AssertionError(invariant + ": " + detail);
    }

    /** Whether the store fails in this run, so that what is unsafe is refused rather than kept. */
    boolean mayLose() {
        return sim.storeFails();
    }

    // ---- told by the clients and connections

    SessionLog session(SimClient client) {
        SessionLog log = new SessionLog(client, sessions.size());
        sessions.add(log);
        return log;
    }

    void sessionEnded(SessionLog log) {
        log.ended = true;
        sharedSessionLost = true;
    }

    void sent(Sent message) {
        messages.put(message.id, message);
    }

    void acked(Sent message, ReasonCode reason) {
        if (reason.isError()) {
            message.refused = true;
        } else if (message.ackedAtMicros == Sent.NOT_YET) {
            message.ackedAtMicros = sim.loops.nowMicros();
        }
    }

    void connecting(String peer) {
        begunAt.put(peer, sim.loops.nowMicros());
    }

    void restarted() {
        restartedAt.add(sim.loops.nowMicros());
    }

    void willOf(String peer, Will will) {
        wills.put(peer, will);
    }

    void accepted(SimConnection connection) {
        OneConnectionPerClient(connection, accepted.put(connection.client(), connection));
    }

    void closing(SimConnection connection) {
        accepted.remove(connection.client(), connection);
        endedAt.putIfAbsent(connection.peer(), sim.loops.nowMicros());
    }

    void ended(SimConnection connection) {
        closing(connection);
    }

    /** The broker has crashed. @param lostSince when it did the oldest of what is not on record, but for its last turn */
    void crashed(long lostSince) {
        long turn = 200_000;
        crashes.add(new Crash(sim.loops.nowMicros(), lostSince - turn));
        accepted.values().forEach(connection -> diedAt.putIfAbsent(connection.peer(), sim.loops.nowMicros()));
        for (String peer : wills.keySet()) {
            if (!endedAt.containsKey(peer)) {
                crashedOn.add(peer);
            }
        }
    }

    /** Whether the broker may have crashed before it was on record what it did then. */
    private boolean mayBeForgotten(long atMicros) {
        for (Crash crash : crashes) {
            if (crash.lostSinceMicros <= atMicros && atMicros <= crash.atMicros) {
                return true;
            }
        }
        return false;
    }

    /** Whether a broker may have crashed before the store, which has failed, was asked again to forget something. */
    private boolean mayBeBack() {
        return mayLose() && !crashes.isEmpty();
    }

    void sentToClient(SimConnection connection, Packet packet, boolean unseen) {
        State state = states.getOrDefault(connection, State.OPEN);
        NeverAfterDisconnect(connection, state == State.DISCONNECTED, packet);
        ConnAckFirst(connection, state == State.OPEN, packet);
        State next = switch (packet.type()) {
            case CONNACK -> ((ConnAck) packet).reason().isError() ? State.DISCONNECTED : State.ACCEPTED;
            case DISCONNECT -> State.DISCONNECTED;
            default -> state;
        };
        states.put(connection, next);
    }

    void delivering(SimConnection connection, Message message, Qos qos, boolean dup) {
        if (!dup && message.isExpired(sim.loops.nowMillis())) {
            throw breach("ExpiredIsNotSent", message + " to " + connection);
        }
        if (sim.rights.isDenied(connection.client().id, message.topic().text())) {
            throw breach("NothingWithoutTheRight", message + " to " + connection);
        }
    }

    /** The name of a message, without what only fills it. */
    static String id(Message message) {
        return new String(message.payload(), StandardCharsets.UTF_8).split(" ", 2)[0];
    }

    void received(SimClient client, Publish packet) {
        Message message = packet.message();
        String id = id(message);
        String topic = message.topic().text();
        if (message.retain()) {
            if (client == sim.observer) {
                replayed.put(topic, id);
            }
            return;
        }
        if (id.isEmpty()) {
            return;
        }
        if (topic.startsWith("will/")) {
            if (client == sim.observer) {
                String peer = id.substring("will/".length()).replace('/', '#');
                // a repetition, unless it was the first that came
                willsSeen.merge(peer, packet.dup() && message.qos() == Qos.AT_LEAST_ONCE ? 0 : 1, Integer::sum);
            }
            return;
        }
        Sent sent = messages.get(id);
        if (sent == null || !sent.topic.equals(topic)) {
            throw breach("NothingInvented", client.id + " got '" + id + "' on " + topic);
        }
        if (topic.startsWith("s/")) {
            receivedShared(client, packet, sent);
            return;
        }
        if (sent.delayed) {
            reached.add(Trouble.DELAYED);
        }
        SessionLog log = client.log;
        log.received.merge(id, 1, Integer::sum);
        if (message.qos() == Qos.AT_MOST_ONCE) {
            return;
        }
        int times = log.promised.merge(id, 1, Integer::sum);
        if (times > 1) {
            ExactlyOnceQos2(client, packet, sent);
        } else if (!sent.delayed) {
            OrderPerPublisherAndTopic(log, sent);
        }
    }

    private void receivedShared(SimClient client, Publish packet, Sent sent) {
        Qos qos = packet.message().qos();
        if (qos == Qos.AT_MOST_ONCE) {
            return;
        }
        int group = client.version.isV5() ? packet.subscriptionIds().get(0) - 1 : 2;
        List<SharedReception> before =
                shared.computeIfAbsent(SimClient.GROUPS[group] + " " + sent.id, key -> new ArrayList<>());
        SimConnection at = client.connection;
        assert at != null;
        SharedReception now =
                new SharedReception(client.id, at.peer(), client.endsWithConnection(), qos, sim.loops.nowMicros());
        for (SharedReception earlier : before) {
            SharedOnce(SimClient.GROUPS[group], sent, earlier, now, packet.dup());
        }
        before.add(now);
    }

    // ---- told by the broker

    @Override
    public void connected(Peer peer, boolean sessionPresent, int keepAliveSeconds, long sessionExpirySeconds) {
        connectedAt.put(peer.address(), sim.loops.nowMicros());
    }

    @Override
    public void refused(Peer peer, ReasonCode reason, String detail) {}

    @Override
    public void disconnected(Peer peer, String by, ReasonCode reason, String detail) {
        boolean inOrder = by.equals("client") && reason == ReasonCode.SUCCESS;
        left.put(peer.address(), new Left(sim.loops.nowMicros(), inOrder));
    }

    @Override
    public void dropped(String clientId, TopicName topic, DropReason reason) {
        if (reason == DropReason.STORE_FAILED) {
            storeFailed.merge(topic.text(), 1, Integer::sum);
            return;
        }
        boolean notTaken = reason == DropReason.NOT_STORED || reason == DropReason.PROTOCOL_ERROR;
        if (notTaken || reason == DropReason.SESSION_ENDED && !clientId.startsWith("$share/")) {
            return; // of a publisher, or of a session that owes nothing any more: it excuses no loss
        }
        drops.merge(clientId + " " + topic.text(), 1, Integer::sum);
        if (reason == DropReason.TOO_LARGE) {
            reached.add(Trouble.TOO_LARGE);
            tooLarge.merge(clientId + " " + topic.text(), 1, Integer::sum);
            TooLargeForWhomItIs(clientId, topic.text());
        }
    }

    @Override
    public void discarded(String clientId, long messages, DropReason reason) {}

    @Override
    public void unreadable(String filter, String cause) {
        if (!mayLose()) {
            throw new AssertionError(filter + ": " + cause);
        }
    }

    @Override
    public void denied(Peer peer, String what, ReasonCode reason, String detail) {
        boolean refused = reason == ReasonCode.NOT_AUTHORIZED && sim.rightsChange();
        if (!refused && (reason != ReasonCode.QUOTA_EXCEEDED || !sim.isMemorySmall())) {
            throw breach("NothingDenied", peer + " " + what + " " + reason + " " + detail);
        }
    }

    private int drops(String clientId, String topic) {
        return drops.getOrDefault(clientId + " " + topic, 0);
    }

    // ---- invariants of each step

    /** [MQTT-3.1.2-24]: only a client that has named a Maximum Packet Size, or a group of such, is spared a message. */
    void TooLargeForWhomItIs(String receiver, String topic) {
        for (SimClient client : sim.clients) {
            boolean concerned = client.id.equals(receiver) || receiver.startsWith("$share/");
            if (concerned && client.limited) {
                return;
            }
        }
        throw breach("TooLargeForWhomItIs", receiver + " is not sent a message on " + topic);
    }

    /** [MQTT-3.2.0-1]: CONNACK before anything else, and only once [MQTT-3.2.0-2]. */
    void ConnAckFirst(SimConnection connection, boolean first, Packet packet) {
        if (first != packet instanceof ConnAck) {
            throw breach("ConnAckFirst", connection + " got " + packet);
        }
    }

    /** [MQTT-3.14.4-1], and nothing after a CONNACK that refuses [MQTT-3.2.2-7]. */
    void NeverAfterDisconnect(SimConnection connection, boolean disconnected, Packet packet) {
        if (disconnected) {
            throw breach("NeverAfterDisconnect", connection + " got " + packet);
        }
    }

    /** [MQTT-3.1.4-3]: when a CONNACK leaves, the former connection is closed. */
    void OneConnectionPerClient(SimConnection now, @Nullable SimConnection former) {
        if (former != null && former != now && !former.isClosing()) {
            throw breach("OneConnectionPerClient", now + " is accepted while " + former + " is open");
        }
    }

    /** [MQTT-3.1.2-5]: a session whose expiry has not come is there at a CONNECT without clean start. */
    void SessionKept(String who, boolean mustBePresent, boolean present) {
        if (mustBePresent && !present) {
            throw breach("SessionKept", who + "the session is gone");
        }
    }

    /** A session whose expiry has passed is gone, whatever has happened to the broker meanwhile. */
    void SessionEnded(String who, boolean mustBeAbsent, boolean present) {
        if (mustBeAbsent && present && !mayBeBack()) {
            throw breach("SessionEnded", who + "the session should have ended");
        }
    }

    /** [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-4.6.0-4], each kind by itself; PUBCOMP has no order. */
    void AcksInOrder(String who, @Nullable Integer expected, Ack ack) {
        if (expected == null || expected != ack.packetId()) {
            throw breach("AcksInOrder", who + ack + " when " + expected + " was due");
        }
    }

    /** [MQTT-2.2.1-4]: an identifier in use towards a client is of one message only. */
    void NoPacketIdReuse(String who, int packetId, String message, @Nullable String other) {
        if (other != null && !other.equals(message)) {
            throw breach("NoPacketIdReuse", who + packetId + " is of " + other + " and now of " + message);
        }
    }

    /** [MQTT-3.3.4-9]: PUBLISHes of this connection that the client has not acknowledged. */
    void ReceiveMaximumKept(String who, int open, int receiveMaximum) {
        if (open > receiveMaximum) {
            throw breach("ReceiveMaximumKept", who + open + " are open, " + receiveMaximum + " may be");
        }
    }

    /**
     * [MQTT-4.3.3]: what is published and delivered at QoS 2 comes once. At QoS 1 it may come again with DUP, or when its
     * publisher has sent it again.
     */
    void ExactlyOnceQos2(SimClient client, Publish packet, Sent sent) {
        if (wasRefusedUnseen(sent)) {
            return; // a session that is not stored had it before the store refused it
        }
        if (packet.message().qos() == Qos.EXACTLY_ONCE) {
            throw breach("ExactlyOnceQos2", client.id + " got twice " + sent);
        }
        if (!packet.dup() && (sent.times == 1 || sent.qos == Qos.EXACTLY_ONCE)) {
            throw breach("ExactlyOnceQos2", client.id + " got again without DUP " + sent);
        }
    }

    /**
     * [MQTT-4.6.0-5] [MQTT-4.6.0-6], for QoS 1 and 2 together: first deliveries of one session have the order of the
     * publisher's PUBLISHes. A publisher whose session was lost begins anew; replays of retained messages and shared
     * subscriptions are no part of it. What a publisher repeats at QoS 1 is a new message to the broker: it may be the
     * first delivery to one who had not subscribed, or had no room, when it came before.
     */
    void OrderPerPublisherAndTopic(SessionLog log, Sent sent) {
        Sent before = log.latest.put(sent.publisher + " " + sent.epoch + " " + sent.topic, sent);
        if (before != null && before.seq > sent.seq) {
            boolean isNew = sent.times > 1
                    && sent.qos == Qos.AT_LEAST_ONCE
                    && (!isSubscribedThroughout(log.client, sent) || drops(log.client.id, sent.topic) > 0);
            // what was dropped is back after a crash if that was not on record yet
            boolean isBack = !crashes.isEmpty() && drops(log.client.id, sent.topic) > 0;
            if (isNew || isBack || wasRefusedUnseen(sent)) {
                return;
            }
            throw breach("OrderPerPublisherAndTopic", log.client.id + " got " + sent + " after " + before);
        }
    }

    /**
     * [MQTT-4.8.2-3..5]: one member of a group gets a message. At QoS 1 another gets it when the first has left, or when
     * the publisher has sent it again; the same one gets it again with DUP or after having been away.
     */
    private void SharedOnce(String group, Sent sent, SharedReception earlier, SharedReception now, boolean dup) {
        boolean mayBeForgotten =
                (sent.times > 1 || sent.delayed) && (isForgotten(sent, earlier) || isForgotten(sent, now));
        // it may still be on record as delayed for the second after which a failing store is asked again to forget it
        boolean mayComeTwice = sent.delayed && mayBeBack();
        if (sent.qos == Qos.AT_LEAST_ONCE && sent.times > 1
                || wasRefusedUnseen(sent)
                || mayBeForgotten
                || mayComeTwice) {
            return;
        }
        if (!hasGivenBack(earlier) && !hasGivenBack(now)) { // the order in which they come is not that of sending
            throw breach("SharedOnce", group + " got " + sent + ": " + earlier + ", " + now + (dup ? " dup" : ""));
        }
    }

    /** A session that ends with its connection waits for nothing: it may get what a crash undoes before it is taken over. */
    private boolean isForgotten(Sent sent, SharedReception reception) {
        Long died = diedAt.get(reception.peer);
        boolean acked = died != null && sent.ackedAtMicros != Sent.NOT_YET && sent.ackedAtMicros <= died;
        return died != null && reception.ends && (!acked || sent.delayed);
    }

    private boolean hasGivenBack(SharedReception reception) {
        return reception.qos == Qos.AT_LEAST_ONCE && endedAt.containsKey(reception.peer);
    }

    // ---- invariants of the end, when all has been delivered

    /** What was acknowledged with success has come to every session that was subscribed throughout, or is counted. */
    void AckedIsOwned() {
        for (SessionLog log : sessions) {
            if (log.ended || log.client.log != log) {
                continue;
            }
            Map<String, List<Sent>> missing = new HashMap<>();
            for (Sent sent : messages.values()) {
                if (isOwed(log.client, sent)
                        && !log.received.containsKey(sent.id)
                        && !sim.rights.wasDenied(log.client.id, sent.topic)) {
                    missing.computeIfAbsent(sent.topic, topic -> new ArrayList<>())
                            .add(sent);
                }
            }
            missing.forEach((topic, lost) -> {
                int small = 0;
                for (Sent sent : lost) {
                    small += sent.large ? 0 : 1;
                }
                int dropped = drops(log.client.id, topic) + lostByTheStore(topic, lost);
                int spared = tooLarge.getOrDefault(log.client.id + " " + topic, 0);
                if (lost.size() > dropped || small > dropped - spared) {
                    throw breach("AckedIsOwned", log.client.id + " never got " + lost);
                }
            });
        }
        sharedAckedIsOwned();
    }

    /** Its refusal, by a failing store or full queues, may have been lost with a connection: the repetition is the first. */
    private boolean wasRefusedUnseen(Sent sent) {
        return sent.times > 1 && sim.mayRefuse();
    }

    private static boolean isAckedForAll(Sent sent) {
        return sent.ackedAtMicros != Sent.NOT_YET && !sent.expires && !sent.clears && sent.qos != Qos.AT_MOST_ONCE;
    }

    private boolean isOwed(SimClient client, Sent sent) {
        return isAckedForAll(sent) && isSubscribedThroughout(client, sent);
    }

    private boolean isSubscribedThroughout(SimClient client, Sent sent) {
        for (SimClient.Sub sub : client.subs.values()) {
            TopicFilter filter = TopicFilter.of(sub.filter);
            if (!filter.isShared()
                    && !sim.rights.wasRefused(client.id, filter.pattern())
                    && isThroughout(sub, sent)
                    && !(sub.noLocal && sent.publisher.equals(client.id))
                    && filter.matches(TopicName.of(sent.topic))) {
                return true;
            }
        }
        return false;
    }

    private static boolean isThroughout(SimClient.Sub sub, Sent sent) {
        return sub.since != Sent.NOT_YET && sub.since < sent.sentAtMicros && sub.lowest != Qos.AT_MOST_ONCE;
    }

    /** How many of them the store may have failed to keep when they were due, which their publishers cannot be told. */
    private int lostByTheStore(String topic, List<Sent> lost) {
        int delayed = 0;
        for (Sent sent : lost) {
            delayed += sent.delayed ? 1 : 0;
        }
        return Math.min(delayed, storeFailed.getOrDefault(topic, 0));
    }

    private void sharedAckedIsOwned() {
        for (SimClient member : sim.clients) {
            for (SimClient.Sub sub : member.subs.values()) {
                TopicFilter filter = TopicFilter.of(sub.filter);
                if (!filter.isShared() || sim.rights.wasRefused(member.id, filter.pattern())) {
                    continue;
                }
                Map<String, List<Sent>> missing = new HashMap<>();
                for (Sent sent : messages.values()) {
                    // at QoS 2 a message ends with the session of the member that has begun it [MQTT-4.8.2-5]
                    boolean mayEnd = sent.qos == Qos.EXACTLY_ONCE && sharedSessionLost;
                    if (isAckedForAll(sent)
                            && !mayEnd
                            && !sim.rights.wasDeniedToAnybody(sent.topic)
                            && isThroughout(sub, sent)
                            && filter.matches(TopicName.of(sent.topic))
                            && !shared.containsKey(sub.filter + " " + sent.id)) {
                        missing.computeIfAbsent(sent.topic, topic -> new ArrayList<>())
                                .add(sent);
                    }
                }
                missing.forEach((topic, lost) -> {
                    int counted = drops(sub.filter, topic) + lostByTheStore(topic, lost);
                    for (SimClient other : sim.clients) {
                        counted += drops(other.id, topic);
                    }
                    if (lost.size() > counted) {
                        throw breach("AckedIsOwned", sub.filter + " never got " + lost);
                    }
                });
            }
        }
    }

    /** Every PUBLISH of a client whose session lives has been acknowledged to its end. */
    void NothingStuck() {
        for (SimClient client : sim.clients) {
            if (!client.connected) {
                throw breach("NothingStuck", client.id + " could not connect");
            }
            client.flights.forEach((id, flight) -> {
                throw breach("NothingStuck", client.id + " waits at identifier " + id + " for " + flight.sent);
            });
        }
    }

    /**
     * [MQTT-3.3.1-5] [MQTT-3.3.1-6]: the retained message of a topic with one publisher is the last that was acknowledged,
     * or one that was sent later and never was, or one of QoS 1 that was sent again before one of QoS 2.
     */
    void RetainedIsLast() {
        Map<String, Set<String>> possible = new TreeMap<>();
        Set<String> repeated = new HashSet<>();
        for (Sent sent : messages.values()) {
            if (!sent.retain) {
                continue;
            }
            Set<String> of = possible.computeIfAbsent(sent.topic, topic -> new HashSet<>(Set.of("")));
            if (sent.ackedAtMicros != Sent.NOT_YET) {
                if (sent.qos == Qos.EXACTLY_ONCE && sent.times > 1) {
                    of.retainAll(repeated); // its repetition is none to the broker, theirs is a new message
                } else {
                    of.clear();
                }
            }
            if (sent.times > 1 && (sent.qos == Qos.AT_LEAST_ONCE || sim.mayRefuse())) {
                repeated.add(sent.clears ? "" : sent.id);
            }
            of.add(sent.clears ? "" : sent.id);
        }
        possible.forEach((topic, ids) -> {
            String is = replayed.getOrDefault(topic, "");
            if (!ids.contains(is)) {
                throw breach("RetainedIsLast", topic + " has '" + is + "', which is none of " + ids);
            }
        });
    }

    /**
     * [MQTT-3.1.2-8] [MQTT-3.1.2-10]: a will goes out once when its connection ends without DISCONNECT 0x00, and never else.
     * One with a delay is given up if its session is taken up again in time; the delay goes on while the broker is away. What a
     * crash has undone happens again.
     */
    void WillsOnce() {
        wills.forEach((peer, will) -> {
            int seen = willsSeen.getOrDefault(peer, 0);
            boolean never = !willsSeen.containsKey(peer);
            Left end = left.get(peer);
            boolean wasAccepted = connectedAt.containsKey(peer);
            int most = wasAccepted && (end == null ? crashedOn.contains(peer) : !end.inOrder) ? 1 : 0;
            long endedAtMicros = end != null ? end.atMicros : endedAt.getOrDefault(peer, 0L);
            boolean unsure = end == null && crashedOn.contains(peer) || mayBeForgotten(endedAtMicros) || mayBeBack();
            if (seen > most && !unsure && (seen > most + crashes.size() || will.delaySeconds() == 0)) {
                throw breach("WillsOnce", "the will of " + peer + " came " + seen + " times, not " + most);
            }
            boolean mustCome = most == 1
                    && isOverdue(peer, endedAtMicros, will.delaySeconds())
                    && !mayBeUnstored(endedAtMicros + will.delaySeconds() * 1_000_000)
                    && drops(sim.observer.id, will.topic().text()) == 0;
            if (mustCome && never) {
                throw breach("WillsOnce", "the will of " + peer + " never came");
            }
        });
    }

    /** Whether a broker crashed before the store, which has failed, was asked once more to keep what was due then. */
    private boolean mayBeUnstored(long dueMicros) {
        for (Crash crash : crashes) {
            if (mayLose() && dueMicros - 1_000_000 <= crash.atMicros && crash.atMicros <= dueMicros + 3_000_000) {
                return true;
            }
        }
        return false;
    }

    /** Whether a will must have come by now: it had no delay, or its client was away until that was over. */
    private boolean isOverdue(String peer, long endedAtMicros, long delaySeconds) {
        if (delaySeconds == 0) {
            return true;
        }
        long since = endedAtMicros;
        for (Crash crash : crashes) {
            if (endedAtMicros == 0 && diedAt.getOrDefault(peer, 0L) == crash.atMicros) {
                since = crash.atMicros;
            }
        }
        long due = since + delaySeconds * 1_000_000;
        for (int i = 0; i < restartedAt.size(); i++) {
            due = crashes.get(i).atMicros <= due ? Math.max(due, restartedAt.get(i)) : due;
        }
        due += 1_000_000; // a loop may lag behind, and the store
        int number = peer.lastIndexOf('#') + 1;
        String next = peer.substring(0, number) + (Integer.parseInt(peer.substring(number)) + 1);
        return since > 0 && due < begunAt.getOrDefault(next, sim.loops.nowMicros());
    }

    int messages() {
        return messages.size();
    }
}
