package org.dunlin.core.sim;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Unsubscribe;
import org.dunlin.mqtt.Will;
import org.jspecify.annotations.Nullable;

/**
 * The test's thread only. A client that does by the book what a seed tells it: it loses connections, stalls and takes itself
 * over, but resends, acknowledges in order and keeps the broker's Receive Maximum.
 */
final class SimClient {
    static final long FOR_GOOD = 3600;
    private static final String[] TOPICS = {"t/0", "t/1", "t/1/x", "s/0", "s/1"};
    private static final String[] FILTERS = {"t/0", "t/1", "t/+", "t/#", "t/1/#", "t/1/x", "r/#", "+/1/x"};
    static final String[] GROUPS = {"$share/g1/s/#", "$share/g2/s/+", "$share/g3/s/0"};
    private static final int FIRST_PLAIN_ID = 10;
    private static final int IDS = 40;

    private final Simulation sim;
    private final SimLoops loops;
    private final Random random;
    private final Checker checker;
    final String id;
    final ProtocolVersion version;
    /** Only watches: never stalls, cuts or publishes. */
    private final boolean steady;

    private final int ackDelayMicrosMax;
    /** Whether its connections may have a Maximum Packet Size. */
    final boolean limited;

    @Nullable
    SimConnection connection;

    boolean connected;
    private int connections;
    // what the session is
    int epoch;
    final Map<Integer, Flight> flights = new LinkedHashMap<>();
    private final Map<Integer, String> receivedQos2 = new HashMap<>();
    final Map<String, Sub> subs = new TreeMap<>();
    SessionLog log;
    private final Map<String, Integer> seqs = new HashMap<>();
    private int lastMessage;
    private int lastId;
    /** The least expiry that the broker may hold the session to; FOR_GOOD means that it may not be lost. */
    private long expiryFloor;

    /** A CONNECT that may have made a new session was not answered: only a clean start makes sure which one it is. */
    private boolean newSessionOpen;

    /** When the last CONNECT that was given up has come to the broker for sure; until then it may overtake a later one. */
    private long settledAtMicros;

    private boolean racing;
    /** The most expiry that the session may have, and when the broker has seen the end of its connection at the latest. */
    private long expiryCeiling;

    private long endSeenMicros;
    private long lostAtMicros;
    private @Nullable SimConnection crashed;

    // what the connection is
    private boolean asksClean;
    private boolean mustBePresent;
    private boolean mustBeAbsent;
    /** Until when the session lasts at least. */
    private long presentUntilMicros;

    private long asksExpiry;
    private int receiveMaximum;
    private int mayHaveOpen;
    private final ArrayDeque<Integer> pubAcks = new ArrayDeque<>();
    private final ArrayDeque<Integer> pubRecs = new ArrayDeque<>();
    private final ArrayDeque<Integer> pubRels = new ArrayDeque<>();
    private final Map<Integer, Publish> open = new HashMap<>();
    private final Map<Integer, List<Sub>> requests = new HashMap<>();
    private long lastAckAt;

    static final class Flight {
        final Sent sent;
        boolean released;

        Flight(Sent sent) {
            this.sent = sent;
        }
    }

    static final class Sub {
        final String filter;
        /** When SUBACK came. */
        long since = Sent.NOT_YET;

        Qos lowest;
        boolean noLocal;

        Sub(String filter, Qos qos) {
            this.filter = filter;
            this.lowest = qos;
        }
    }

    SimClient(Simulation sim, String id, ProtocolVersion version, boolean steady) {
        this.sim = sim;
        this.loops = sim.loops;
        this.random = sim.random;
        this.checker = sim.checker;
        this.id = id;
        this.version = version;
        this.steady = steady;
        this.ackDelayMicrosMax = steady ? 1 : 1 + random.nextInt(random.nextBoolean() ? 1_000 : 200_000);
        this.limited = !steady && version.isV5() && random.nextInt(3) == 0;
        this.log = checker.session(this);
    }

    private String text(String what) {
        return "client " + id + " on " + connection + ": " + what;
    }

    // ---- what it does

    void act() {
        if (sim.isOver()) {
            return;
        }
        loops.later(1_000 + random.nextInt(sim.isCalm() ? 50_000 : 30_000), this::act);
        SimConnection now = connection;
        if (now == null) {
            if (sim.isDown()) {
                return;
            }
            if (sim.isCalm() || steady) {
                connect(newSessionOpen && !steady, FOR_GOOD, null);
            } else if (random.nextInt(4) == 0) {
                connectSomehow();
            }
            return;
        }
        if (sim.isCalm() || steady) {
            return;
        }
        int choice = random.nextInt(200);
        if (choice < 3) {
            cut(now);
        } else if (choice < 5) {
            if (sim.isDown()) {
                return;
            }
            now.forsake();
            lost(now);
            endSeenMicros = Long.MAX_VALUE;
            connectSomehow();
        } else if (!connected) {
            return;
        } else if (choice < 8) {
            leave(now);
        } else if (choice < 14) {
            now.stall(true);
            loops.later(random.nextInt(400_000), () -> now.stall(false));
        } else if (choice < 40) {
            subscribeSomehow();
        } else if (choice < 48) {
            unsubscribe(pick(random.nextInt(3) == 0 ? GROUPS : FILTERS));
        } else if (choice < 52) {
            now.write(Ping.REQUEST);
        } else {
            for (int i = random.nextInt(random.nextInt(5) == 0 ? 8 : 3); i >= 0; i--) {
                publishSomehow();
            }
        }
    }

    private String pick(String[] from) {
        return from[random.nextInt(from.length)];
    }

    private void cut(SimConnection now) {
        now.cut();
        lost(now);
    }

    private void lost(SimConnection which) {
        if (connection == which) {
            if (!connected && which != crashed) {
                settledAtMicros = loops.nowMicros() + 150_000;
            }
            lostAtMicros = loops.nowMicros();
            endSeenMicros = which == crashed ? endSeenMicros : loops.nowMicros() + 3_500_000;
            connection = null;
            connected = false;
        }
    }

    /** All connections of the broker have ended, and it takes what it was sent no more. */
    void brokerDied() {
        crashed = connection;
        settledAtMicros = 0;
        endSeenMicros = Math.min(endSeenMicros, loops.nowMicros());
        if (connection != null) {
            endSeenMicros = loops.nowMicros();
        }
    }

    /** The broker has closed it. */
    void closed(SimConnection which) {
        lost(which);
    }

    private void leave(SimConnection now) {
        if (version.isV5()) {
            Long expiry = random.nextInt(4) == 0 && asksExpiry > 0 ? Long.valueOf(random.nextInt(2)) : null;
            if (expiry != null) {
                expiryFloor = Math.min(expiryFloor, expiry);
            }
            ReasonCode reason = random.nextInt(3) == 0 ? ReasonCode.DISCONNECT_WITH_WILL : ReasonCode.SUCCESS;
            now.write(new Disconnect(reason, expiry, null, null, List.of()));
        } else {
            now.write(new Disconnect(ReasonCode.SUCCESS));
        }
        now.clientCloses();
        lost(now);
    }

    private void connectSomehow() {
        boolean clean = newSessionOpen || random.nextInt(5) == 0;
        long expiry = new long[] {0, 1, 5, FOR_GOOD, FOR_GOOD, FOR_GOOD}[random.nextInt(6)];
        Will will = null;
        if (random.nextInt(3) == 0) {
            will = new Will(
                    TopicName.of("will/" + id),
                    ("will/" + id + "/" + (connections + 1)).getBytes(StandardCharsets.UTF_8),
                    Qos.of(1 + random.nextInt(2)),
                    false,
                    Message.NO_BYTES,
                    -1,
                    version.isV5() && random.nextBoolean() ? 1 + random.nextInt(3) : 0);
        }
        connect(clean, expiry, will);
    }

    void connect(boolean clean, long expiry, @Nullable Will will) {
        String peer = id + "#" + ++connections;
        checker.connecting(peer);
        SimConnection now = sim.accept(peer, this);
        connection = now;
        connected = false;
        asksClean = clean;
        asksExpiry = version.isV5() ? expiry : clean ? 0 : FOR_GOOD;
        receiveMaximum = steady || !version.isV5() ? 65_535 : 1 + random.nextInt(20);
        racing = loops.nowMicros() < settledAtMicros;
        boolean known = !racing && !clean && !newSessionOpen;
        mustBePresent = known && expiryFloor >= FOR_GOOD;
        // a crash may have been a second after the broker was last known to live, and this client may have seen it late
        presentUntilMicros = known ? lostAtMicros + expiryFloor * 1_000_000 - 2_000_000 : 0;
        mustBeAbsent = known
                && (expiryCeiling == 0
                        || endSeenMicros < Long.MAX_VALUE
                                && endSeenMicros + expiryCeiling * 1_000_000 + 100_000 < loops.nowMicros());
        expiryCeiling = Math.max(expiryCeiling, asksExpiry);
        expiryFloor = Math.min(expiryFloor, asksExpiry);
        newSessionOpen |= !mustBePresent;
        Connect.Builder connect = Connect.builder(version, id)
                .cleanStart(clean)
                .will(will)
                .keepAliveSeconds(sim.isCalm() || random.nextInt(10) > 0 ? 0 : 1);
        if (version.isV5()) {
            connect.sessionExpirySeconds(expiry)
                    .receiveMaximum(receiveMaximum)
                    .topicAliasMaximum(random.nextBoolean() ? 5 : 0);
            if (limited && random.nextInt(4) > 0) {
                int most = 64 + random.nextInt(64);
                connect.maximumPacketSize(most);
                now.maximumPacketSize(most);
            }
        }
        if (will != null) {
            checker.willOf(peer, will);
        }
        pubAcks.clear();
        pubRecs.clear();
        pubRels.clear();
        open.clear();
        requests.clear();
        lastAckAt = 0;
        now.write(connect.build());
    }

    boolean endsWithConnection() {
        return asksExpiry == 0;
    }

    void subscribe(String filter, Qos qos) {
        subscribe(filter, qos, false, Subscribe.RetainHandling.SEND);
    }

    private void subscribeSomehow() {
        boolean shared = random.nextInt(3) == 0;
        String filter = !shared ? pick(FILTERS) : version.isV5() ? pick(GROUPS) : GROUPS[2];
        subscribe(
                filter,
                shared ? Qos.of(1 + random.nextInt(2)) : Qos.of(random.nextInt(3)),
                version.isV5() && !shared && random.nextInt(6) == 0,
                Subscribe.RetainHandling.values()[version.isV5() ? random.nextInt(3) : 0]);
    }

    private void subscribe(String filter, Qos qos, boolean noLocal, Subscribe.RetainHandling handling) {
        SimConnection now = connection;
        if (now == null || requests.size() > 3) {
            return;
        }
        Sub sub = subs.computeIfAbsent(filter, f -> new Sub(f, qos));
        sub.lowest = Qos.min(sub.lowest, qos);
        sub.noLocal |= noLocal;
        int packetId = freeId();
        requests.put(packetId, List.of(sub));
        int subscriptionId = version.isV5() ? subscriptionId(filter) : 0;
        now.write(new Subscribe(
                packetId,
                subscriptionId,
                List.of(new Subscribe.Entry(filter, qos, noLocal, false, handling)),
                List.of()));
    }

    private static int subscriptionId(String filter) {
        for (int i = 0; i < GROUPS.length; i++) {
            if (GROUPS[i].equals(filter)) {
                return i + 1;
            }
        }
        return FIRST_PLAIN_ID;
    }

    private void unsubscribe(String filter) {
        SimConnection now = connection;
        if (now == null || subs.remove(filter) == null) {
            return;
        }
        now.write(new Unsubscribe(freeId(), List.of(filter), List.of()));
    }

    private int freeId() {
        do {
            lastId = lastId % IDS + 1;
        } while (flights.containsKey(lastId) || requests.containsKey(lastId));
        return lastId;
    }

    private void publishSomehow() {
        SimConnection now = connection;
        if (now == null || flights.size() >= mayHaveOpen) {
            return;
        }
        boolean retain = random.nextInt(6) == 0;
        String topic = retain ? "r/" + id : pick(TOPICS);
        Qos qos = retain ? Qos.of(1 + random.nextInt(2)) : Qos.of(random.nextInt(5) == 0 ? 0 : 1 + random.nextInt(2));
        boolean clears = retain && random.nextInt(4) == 0;
        boolean expires = !retain && version.isV5() && random.nextInt(12) == 0;
        boolean delayed = !retain && random.nextInt(10) == 0;
        String text = id + "/" + epoch + "/" + ++lastMessage;
        Sent sent = new Sent(
                text,
                id,
                epoch,
                topic,
                delayed ? 0 : seqs.merge(epoch + " " + topic, 1, Integer::sum),
                qos,
                retain,
                clears,
                expires,
                loops.nowMicros());
        sent.large = !clears && random.nextInt(10) == 0;
        sent.delayed = delayed;
        checker.sent(sent);
        int packetId = qos == Qos.AT_MOST_ONCE ? 0 : freeId();
        if (packetId != 0) {
            flights.put(packetId, new Flight(sent));
        }
        write(now, sent, packetId, false);
    }

    private void write(SimConnection to, Sent sent, int packetId, boolean dup) {
        if (sent.qos == Qos.AT_LEAST_ONCE) {
            pubAcks.add(packetId);
        } else if (sent.qos == Qos.EXACTLY_ONCE) {
            pubRecs.add(packetId);
        }
        String filling = sent.large ? " " + "x".repeat(150) : "";
        byte[] payload = sent.clears ? Message.NO_BYTES : (sent.id + filling).getBytes(StandardCharsets.UTF_8);
        String topic = sent.delayed ? "$delayed/" + sent.seconds() + "/" + sent.topic : sent.topic;
        to.write(new Publish(
                new Message(
                        0,
                        id,
                        TopicName.of(topic),
                        payload,
                        sent.qos,
                        sent.retain,
                        sent.expires ? loops.nowMillis() + 1000 : Message.NEVER,
                        Message.NO_BYTES),
                packetId,
                dup));
    }

    // ---- what it is told

    void received(SimConnection from, Packet packet) {
        if (from != connection) {
            return;
        }
        switch (packet.type()) {
            case CONNACK -> connAck((ConnAck) packet);
            case PUBLISH -> publish((Publish) packet);
            case PUBACK -> pubAck((Ack) packet);
            case PUBREC -> pubRec((Ack) packet);
            case PUBREL -> pubRel((Ack) packet);
            case PUBCOMP -> pubComp((Ack) packet);
            case SUBACK -> subAck((SubAck) packet);
            case UNSUBACK, PINGRESP, DISCONNECT -> {}
            default -> throw new AssertionError(text("the broker sent " + packet));
        }
    }

    private void connAck(ConnAck ack) {
        if (ack.reason().isError()) {
            return;
        }
        if (asksClean && ack.sessionPresent()) {
            throw new AssertionError(text("session present after clean start"));
        }
        newSessionOpen = racing;
        checker.SessionKept(text(""), mustBePresent || loops.nowMicros() < presentUntilMicros, ack.sessionPresent());
        checker.SessionEnded(text(""), mustBeAbsent, ack.sessionPresent());
        if (!ack.sessionPresent()) {
            epoch++;
            flights.clear();
            receivedQos2.clear();
            subs.clear();
            checker.sessionEnded(log);
            log = checker.session(this);
        }
        expiryFloor = racing ? 0 : asksExpiry;
        expiryCeiling = racing ? FOR_GOOD : asksExpiry;
        connected = true;
        Integer most = ack.properties().receiveMaximum();
        mayHaveOpen = Math.min(IDS / 2, most == null ? 10 : most);
        SimConnection now = connection;
        assert now != null;
        resend(now);
    }

    private void resend(SimConnection to) {
        if (to != connection) {
            return;
        }
        for (Map.Entry<Integer, Flight> entry : flights.entrySet()) {
            Flight flight = entry.getValue();
            if (flight.released) {
                to.write(new Ack(PacketType.PUBREL, entry.getKey()));
            } else {
                flight.sent.times++;
                write(to, flight.sent, entry.getKey(), true);
            }
        }
    }

    private void expect(ArrayDeque<Integer> order, Ack ack) {
        checker.AcksInOrder(text(""), order.poll(), ack);
    }

    private void pubAck(Ack ack) {
        expect(pubAcks, ack);
        Flight flight = flights.remove(ack.packetId());
        if (flight == null) {
            throw new AssertionError(text(ack + " for nothing"));
        }
        checker.acked(flight.sent, ack.reason());
    }

    private void pubRec(Ack ack) {
        expect(pubRecs, ack);
        Flight flight = flights.get(ack.packetId());
        if (flight == null) {
            throw new AssertionError(text(ack + " for nothing"));
        }
        checker.acked(flight.sent, ack.reason());
        if (ack.reason().isError()) {
            flights.remove(ack.packetId());
            return;
        }
        flight.released = true;
        answer(PacketType.PUBREL, ack.packetId(), () -> {});
    }

    private void pubComp(Ack ack) {
        Flight flight = flights.remove(ack.packetId());
        if (flight == null || !flight.released) {
            throw new AssertionError(text(ack + " for nothing")); // in any order, the standard asks for none
        }
    }

    private void subAck(SubAck ack) {
        List<Sub> asked = requests.remove(ack.packetId());
        if (asked == null) {
            throw new AssertionError(text(ack + " for nothing"));
        }
        for (int i = 0; i < asked.size(); i++) {
            Sub sub = asked.get(i);
            ReasonCode noMemory = version.isV5() ? ReasonCode.QUOTA_EXCEEDED : ReasonCode.UNSPECIFIED_ERROR;
            if (ack.reasons().get(i) == noMemory && sim.isMemorySmall()) {
                continue;
            }
            if (ack.reasons().get(i).isError()
                    && sim.rights.wasRefused(id, TopicFilter.of(sub.filter).pattern())) {
                continue;
            }
            if (ack.reasons().get(i).isError()) {
                throw new AssertionError(text("refused: " + sub.filter + " " + ack));
            }
            if (sub.since == Sent.NOT_YET) {
                sub.since = loops.nowMicros();
            }
        }
    }

    private void publish(Publish packet) {
        Message message = packet.message();
        int packetId = packet.packetId();
        if (message.qos() == Qos.AT_MOST_ONCE) {
            checker.received(this, packet);
            return;
        }
        String what = name(packet);
        Publish same = open.put(packetId, packet);
        checker.NoPacketIdReuse(text(""), packetId, what, same == null ? null : name(same));
        checker.NoPacketIdReuse(text(""), packetId, what, receivedQos2.get(packetId));
        checker.ReceiveMaximumKept(text(""), open.size(), receiveMaximum);
        if (message.qos() == Qos.AT_LEAST_ONCE) {
            checker.received(this, packet);
            answer(PacketType.PUBACK, packetId, () -> open.remove(packetId));
            return;
        }
        if (receivedQos2.put(packetId, what) == null) {
            checker.received(this, packet);
        }
        answer(PacketType.PUBREC, packetId, () -> pubRels.add(packetId));
    }

    private static String name(Publish packet) {
        return Checker.id(packet.message()) + " on " + packet.message().topic();
    }

    private void pubRel(Ack ack) {
        if (pubRels.contains(ack.packetId())) {
            Integer first = pubRels.poll();
            while (checker.mayLose() && first != null && first != ack.packetId()) {
                first = pubRels.poll(); // PUBREL waits for the next connection if the store has failed
            }
            checker.AcksInOrder(text(""), first, ack);
        }
        receivedQos2.remove(ack.packetId());
        answer(PacketType.PUBCOMP, ack.packetId(), () -> open.remove(ack.packetId()));
    }

    /** Answers in the order that it was asked, some time later. */
    private void answer(PacketType type, int packetId, Runnable done) {
        SimConnection on = connection;
        long at = Math.max(lastAckAt, loops.nowMicros() + random.nextInt(sim.isCalm() ? 1 : ackDelayMicrosMax));
        lastAckAt = at;
        loops.later(at - loops.nowMicros(), () -> {
            if (on != null && on == connection && !on.isGone()) {
                done.run();
                on.write(new Ack(type, packetId));
            }
        });
    }

    /** Takes up its session for the last time and ends it. */
    void finish() {
        SimConnection now = connection;
        if (now != null) {
            now.stall(false);
            now.forsake();
        }
        connect(true, 0, null);
        loops.later(3_000_000, () -> {
            SimConnection last = connection;
            if (last != null && connected) {
                last.write(new Disconnect(ReasonCode.SUCCESS));
                last.clientCloses();
            }
        });
    }
}
