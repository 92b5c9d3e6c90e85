package org.dunlin.core.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.dunlin.core.client.Admittance;
import org.dunlin.core.client.ClientHandler;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.session.Shards;
import org.dunlin.core.session.ShardsProbe;
import org.dunlin.core.spi.Authenticator;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.core.spi.Connection;
import org.dunlin.core.spi.DropReason;
import org.dunlin.core.spi.Loop;
import org.dunlin.core.spi.MemoryStore;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Unsubscribe;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The test's thread only. Faults that the simulation has found, or led to, each played through step by step on one loop. */
class FoundFaultsTest {
    private static final String GROUP = "$share/g/t";

    private final SimLoops loops = new SimLoops(new Random(1), 1);
    private final Loop loop = loops.any();
    private final HeldStore store = new HeldStore();
    private Shards shards = shards(Limits.DEFAULTS);
    private int maxConnections = Limits.DEFAULTS.maxConnections();
    private @Nullable Admittance admittance;

    private Shards shards(Limits limits) {
        return new Shards(List.of(loop), limits, QueueLimits.DEFAULTS, store, new Silent());
    }

    @Test
    void disconnect_ofTheOnlyMemberWithLoans_keepsThemForItsReturn() {
        Client member = new Client("member", 1, 3600);
        member.says(subscribe(GROUP, Qos.AT_LEAST_ONCE));
        Client publisher = new Client("publisher", 10, 0);
        publisher.publish(1, "a", Qos.AT_LEAST_ONCE);
        publisher.publish(2, "b", Qos.AT_LEAST_ONCE);
        publisher.publish(3, "c", Qos.AT_LEAST_ONCE);
        assertEquals(List.of("a"), member.payloads());

        member.goes();
        Client again = new Client("member", 10, 3600);

        assertEquals(List.of("a", "b", "c"), again.payloads());
    }

    @Test
    void unsubscribe_ofTheOnlyMemberWithWaitingLoans_ends() {
        Client member = new Client("member", 1, 3600);
        member.says(subscribe(GROUP, Qos.AT_LEAST_ONCE));
        Client publisher = new Client("publisher", 10, 0);
        publisher.publish(1, "a", Qos.AT_LEAST_ONCE);
        publisher.publish(2, "b", Qos.AT_LEAST_ONCE);

        member.says(new Unsubscribe(9, List.of(GROUP), List.of()));

        assertTrue(member.got(PacketType.UNSUBACK));
        assertEquals(0, shards.subscriptions().routes());
    }

    @Test
    void pubRel_ofStoredAndLentMessages_keepsTheOrderOfPubRec() {
        Client receiver = new Client("receiver", 10, 3600);
        receiver.says(subscribe("t", Qos.EXACTLY_ONCE));
        receiver.says(subscribe(GROUP, Qos.EXACTLY_ONCE));
        new Client("publisher", 10, 0).publish(1, "a", Qos.EXACTLY_ONCE);
        assertEquals(List.of("a", "a"), receiver.payloads());
        store.holds = true;

        loop.execute(() -> {
            for (int id : receiver.ids()) {
                receiver.protocol().received(new Ack(PacketType.PUBREC, id));
            }
        });
        loops.runFor(1);
        store.release(null);
        loops.runFor(1);

        assertEquals(receiver.ids(), receiver.acks(PacketType.PUBREL));
    }

    @Test
    void repeatedQos2_whoseFirstFailsInTheStore_isRefusedToo() {
        Client receiver = new Client("receiver", 10, 3600);
        receiver.says(subscribe("t", Qos.EXACTLY_ONCE));
        Client publisher = new Client("publisher", 10, 3600);
        store.holds = true;
        publisher.publish(1, "a", Qos.EXACTLY_ONCE);
        publisher.publish(1, "a", Qos.EXACTLY_ONCE);
        store.releaseOne("the disk is full");
        loops.runFor(1);

        assertEquals(List.of(1, 1), publisher.acks(PacketType.PUBREC));
        assertTrue(publisher.lastAck(PacketType.PUBREC).reason().isError());
        assertEquals(List.of(), receiver.payloads());
    }

    @Test
    void pubRel_thatCannotBeStored_isAnsweredOnTheNextConnection() {
        Client publisher = new Client("publisher", 10, 3600);
        publisher.publish(1, "a", Qos.EXACTLY_ONCE);
        store.holds = true;
        publisher.says(new Ack(PacketType.PUBREL, 1));
        store.releaseOne("the disk is full");
        store.holds = false;
        store.release(null);
        loops.runFor(1);
        assertTrue(publisher.closed);
        assertTrue(publisher.acks(PacketType.PUBCOMP).isEmpty());

        Client again = new Client("publisher", 10, 3600);
        again.says(new Ack(PacketType.PUBREL, 1));

        assertEquals(ReasonCode.SUCCESS, again.lastAck(PacketType.PUBCOMP).reason());
    }

    @Test
    void connect_beyondMaxConnections_leavesNothingInTheRegistry() {
        maxConnections = 0;
        Client refused = new Client("refused", 10, 0);

        assertTrue(refused.closed);
        assertEquals("", ShardsProbe.leftovers(shards));
    }

    @Test
    void subscribe_againAndAgainWithoutTakingRetained_doesNotStopTheReading() {
        Client pub = new Client("publisher", 10, 0);
        pub.says(new Publish(
                new Message(
                        1,
                        "publisher",
                        TopicName.of("t"),
                        "a".getBytes(StandardCharsets.UTF_8),
                        Qos.AT_LEAST_ONCE,
                        true,
                        Message.NEVER,
                        Message.NO_BYTES),
                1,
                false));
        Client c = new Client("c", 10, 0);
        for (int i = 0; i < 300 && !c.inputHeld; i++) {
            c.says(subscribe("t", Qos.AT_LEAST_ONCE));
        }
        loops.runFor(60_000);
        assertTrue(!c.inputHeld, "held for ever, got " + c.payloads().size());
    }

    private Client[] blocked() {
        Client b = new Client("b", 10, 3600);
        b.says(subscribe(GROUP, Qos.AT_LEAST_ONCE));
        b.goes();
        Client a = new Client("a", 10, 3600);
        a.maxPayload = 3;
        a.says(subscribe(GROUP, Qos.AT_LEAST_ONCE));
        Client p = new Client("publisher", 10, 0);
        return new Client[] {a, b, p};
    }

    @Test
    void share_withAMessageThatFitsOnlyAMemberThatIsAway_goesOnWithTheOthers() {
        Client[] c = blocked();
        c[2].publish(1, "large", Qos.AT_LEAST_ONCE);
        c[2].publish(2, "x", Qos.AT_LEAST_ONCE);
        c[2].publish(3, "y", Qos.AT_LEAST_ONCE);
        loops.runFor(60_000);
        assertEquals(List.of("x", "y"), c[0].payloads());
    }

    @Test
    void share_whoseMemberLeavesThatAMessageWaitedFor_goesOn() {
        Client a = new Client("a", 10, 0);
        a.maxPayload = 3;
        a.says(subscribe(GROUP, Qos.AT_LEAST_ONCE));
        Client b = new Client("b", 1, 0);
        b.says(subscribe(GROUP, Qos.AT_LEAST_ONCE));
        Client p = new Client("publisher", 10, 0);
        p.publish(1, "u", Qos.AT_LEAST_ONCE);
        p.publish(2, "v", Qos.AT_LEAST_ONCE);
        for (int id : List.copyOf(a.ids())) {
            a.says(new Ack(PacketType.PUBACK, id));
        }
        p.publish(1, "large", Qos.AT_LEAST_ONCE);
        p.publish(3, "x", Qos.AT_LEAST_ONCE);
        b.says(new Unsubscribe(9, List.of(GROUP), List.of()));
        p.publish(4, "y", Qos.AT_LEAST_ONCE);
        loops.runFor(60_000);
        assertTrue(a.payloads().containsAll(List.of("x", "y")), a.payloads().toString());
    }

    @Test
    void fullQueue_ofAMember_doesNotDropWhatItsGroupHasLent() {
        shards = new Shards(
                List.of(loop),
                Limits.DEFAULTS,
                new QueueLimits(20, 1 << 20, QueueLimits.Overflow.DROP_OLDEST, 10_000, false, List.of()),
                store,
                new Silent());
        Client a = new Client("a", 30, 0);
        a.says(subscribe(GROUP, Qos.AT_LEAST_ONCE));
        a.slow = true;
        Client p = new Client("publisher", 10, 0);
        for (int i = 0; i < 50; i++) {
            p.publish(1, "m" + i, Qos.AT_LEAST_ONCE);
        }
        a.says(subscribe("t", Qos.AT_LEAST_ONCE));
        p.publish(1, "own", Qos.AT_LEAST_ONCE);
        a.slow = false;
        loop.execute(() -> a.protocol().writable());
        loops.runFor(10);
        for (int i = 0; i < a.ids().size(); i++) {
            a.says(new Ack(PacketType.PUBACK, a.ids().get(i)));
        }
        assertTrue(a.payloads().size() > 20, a.payloads().toString());
    }

    @Test
    void retained_underTrafficThatNeverPauses_comesAllTheSame() {
        Client p = new Client("publisher", 10, 0);
        p.says(new Publish(
                new Message(
                        1,
                        "publisher",
                        TopicName.of("r"),
                        "kept".getBytes(StandardCharsets.UTF_8),
                        Qos.AT_MOST_ONCE,
                        true,
                        Message.NEVER,
                        Message.NO_BYTES),
                0,
                false));
        Client c = new Client("c", 100, 3600);
        c.says(subscribe("t", Qos.AT_LEAST_ONCE));
        store.holds = true;
        p.publish(1, "m", Qos.AT_LEAST_ONCE);
        c.says(subscribe("r", Qos.AT_LEAST_ONCE));
        for (int i = 2; i < 500; i++) {
            p.publish(i, "m", Qos.AT_LEAST_ONCE);
            while (store.held.size() > 1) {
                store.releaseFirst();
            }
            loops.runFor(5);
            for (int k = 0; k < c.ids().size(); k++) {
                if (c.ids().get(k) > 0) {
                    c.says(new Ack(PacketType.PUBACK, c.ids().get(k)));
                }
            }
            c.ids().clear();
        }
        assertTrue(c.got(PacketType.SUBACK));
        assertTrue(c.payloads().size() > 400);
        assertTrue(c.payloads().contains("kept"), "starved");
    }

    @Test
    void publish_withAnIdentifierInUseBehindOthers_isBounded() throws Exception {
        Client c = new Client("c", 100, 3600);
        c.says(subscribe("t", Qos.AT_LEAST_ONCE));
        Client p = new Client("publisher", 10, 3600);
        p.publish(1, "m", Qos.EXACTLY_ONCE);
        store.holds = true;
        p.publish(2, "m", Qos.AT_LEAST_ONCE);
        for (int i = 0; i < 5000 && !p.inputHeld && !p.closed; i++) {
            p.publish(1, "m", Qos.AT_LEAST_ONCE);
        }
        assertTrue(p.inputHeld || p.closed);
    }

    @Test
    void share_qos0TooLargeForWhoIsThere_isNotKept() throws Exception {
        Client[] c = blocked();
        for (int i = 0; i < 5000; i++) {
            c[2].publish(0, "large", Qos.AT_MOST_ONCE);
        }
        loops.runFor(60_000);
        assertEquals(0, ShardsProbe.waitingInGroups(shards));
    }

    @Test
    void pubRel_afterARepetitionBehindOthers_isAnswered() {
        Client receiver = new Client("receiver", 10, 3600);
        receiver.says(subscribe("t", Qos.EXACTLY_ONCE));
        Client p = new Client("publisher", 10, 3600);
        p.publish(1, "a", Qos.EXACTLY_ONCE);
        store.holds = true;
        p.publish(2, "b", Qos.EXACTLY_ONCE);
        p.publish(1, "a", Qos.EXACTLY_ONCE);
        p.says(new Ack(PacketType.PUBREL, 1));
        assertTrue(!p.closed);
    }

    private static Subscribe subscribe(String filter, Qos qos) {
        return new Subscribe(7, 0, List.of(new Subscribe.Entry(filter, qos)), List.of());
    }

    private Admittance admittance() {
        Admittance known = admittance;
        if (known == null) {
            Limits d = Limits.DEFAULTS;
            Limits limits = new Limits(
                    d.maxPacketSizeBytes(),
                    d.receiveMaximum(),
                    d.topicAliasMaximum(),
                    d.maxKeepAliveSeconds(),
                    d.maxQos(),
                    true,
                    true,
                    true,
                    d.sessionExpiryMaxSeconds(),
                    maxConnections,
                    d.maxSessions(),
                    d.maxTopicLevels(),
                    d.maxClientIdLength(),
                    d.connectTimeoutMillis(),
                    0,
                    0,
                    d.maxInflight(),
                    d.maxSubscriptionsPerClient(),
                    d.maxRetained(),
                    d.maxRetainedBytes(),
                    d.maxDelayed(),
                    d.maxDelaySeconds(),
                    d.maxUserProperties(),
                    d.outboundBufferBytes());
            Authenticator everybody =
                    credentials -> CompletableFuture.completedFuture(new Authenticator.Answer.Accepted(null, null));
            known = new Admittance(limits, everybody, Authorizer.ALL, null);
            admittance = known;
        }
        return known;
    }

    /** A client of MQTT 5 whose packets come and go at once. */
    private final class Client implements Connection {
        private final String id;
        private final List<Object> got = new ArrayList<>();
        private final List<Integer> ids = new ArrayList<>();
        private Connection.@Nullable Inbound inbound;
        private boolean closed;
        boolean inputHeld;
        boolean slow;
        int maxPayload = 1000;

        Client(String id, int receiveMaximum, long expirySeconds) {
            this.id = id;
            loop.execute(() -> inbound = new ClientHandler(shards, admittance(), this));
            says(Connect.builder(ProtocolVersion.MQTT_5, id)
                    .cleanStart(false)
                    .receiveMaximum(receiveMaximum)
                    .sessionExpirySeconds(expirySeconds)
                    .build());
        }

        Inbound protocol() {
            Inbound known = inbound;
            assert known != null;
            return known;
        }

        void says(Packet packet) {
            loop.execute(() -> {
                protocol().received(packet);
                protocol().readComplete();
            });
            loops.runFor(1);
            if (packet instanceof Connect && !payloads().isEmpty()) {
                takeAll();
            }
        }

        /** Acknowledges at QoS 1 until nothing more comes. */
        private void takeAll() {
            for (int i = 0; i < ids.size(); i++) {
                says(new Ack(PacketType.PUBACK, ids.get(i)));
            }
        }

        void publish(int packetId, String text, Qos qos) {
            says(new Publish(
                    new Message(
                            packetId,
                            id,
                            TopicName.of("t"),
                            text.getBytes(StandardCharsets.UTF_8),
                            qos,
                            false,
                            Message.NEVER,
                            Message.NO_BYTES),
                    packetId,
                    false));
        }

        void goes() {
            loop.execute(() -> protocol().closed("gone"));
            loops.runFor(1);
        }

        List<String> payloads() {
            return got.stream()
                    .filter(Message.class::isInstance)
                    .map(m -> new String(((Message) m).payload(), StandardCharsets.UTF_8))
                    .toList();
        }

        List<Integer> ids() {
            return ids;
        }

        List<Integer> acks(PacketType type) {
            return got.stream()
                    .filter(p -> p instanceof Ack ack && ack.type() == type)
                    .map(p -> ((Ack) p).packetId())
                    .toList();
        }

        Ack lastAck(PacketType type) {
            return (Ack) got.stream()
                    .filter(p -> p instanceof Ack ack && ack.type() == type)
                    .reduce((a, b) -> b)
                    .orElseThrow();
        }

        boolean got(PacketType type) {
            return got.stream().anyMatch(p -> p instanceof Packet packet && packet.type() == type);
        }

        @Override
        public Loop loop() {
            return loop;
        }

        @Override
        public String peer() {
            return id;
        }

        @Override
        public String listener() {
            return "test";
        }

        @Override
        public ProtocolVersion version() {
            return ProtocolVersion.MQTT_5;
        }

        @Override
        public void agree(Terms terms) {}

        @Override
        public boolean send(Packet packet) {
            got.add(packet);
            return true;
        }

        @Override
        public void sendAck(PacketType type, int packetId, ReasonCode reason) {
            got.add(new Ack(type, packetId, reason));
        }

        @Override
        public boolean deliver(
                Message message, Qos qos, boolean retain, boolean dup, int packetId, int[] subscriptionIds) {
            if (message.payload().length > maxPayload) {
                return false;
            }
            got.add(message);
            ids.add(packetId);
            return true;
        }

        @Override
        public boolean isWritable() {
            return !closed && !slow;
        }

        @Override
        public void holdInput() {
            inputHeld = true;
        }

        @Override
        public void releaseInput() {
            inputHeld = false;
        }

        @Override
        public void moveTo(Loop target, Runnable arrived) {
            throw new AssertionError("there is one loop");
        }

        @Override
        public void close() {
            closed = true;
        }
    }

    /** Commits at once, or in order when it is told to. */
    private static final class HeldStore implements Store {
        private final MemoryStore memory = new MemoryStore();
        private final List<Runnable> held = new ArrayList<>();
        private final List<Completion> completions = new ArrayList<>();
        private boolean holds;

        @Override
        public StoreBatch newBatch() {
            return memory.newBatch();
        }

        @Override
        public void write(StoreBatch batch, Completion done) {
            if (holds) {
                held.add(() -> memory.write(batch, done));
                completions.add(done);
            } else {
                memory.write(batch, done);
            }
        }

        void releaseFirst() {
            completions.remove(0);
            held.remove(0).run();
        }

        void releaseOne(String failure) {
            held.remove(0);
            completions.remove(0).done(failure);
        }

        void release(@Nullable String failure) {
            while (!held.isEmpty()) {
                Runnable next = held.remove(0);
                Completion done = completions.remove(0);
                if (failure == null) {
                    next.run();
                } else {
                    done.done(failure);
                }
            }
        }

        @Override
        public long nextSid() {
            return memory.nextSid();
        }

        @Override
        public String promise() {
            return "none";
        }

        @Override
        public void close() {}
    }

    private static final class Silent implements BrokerEvents {
        @Override
        public void connected(Peer peer, boolean sessionPresent, int keepAliveSeconds, long sessionExpirySeconds) {}

        @Override
        public void refused(Peer peer, ReasonCode reason, String detail) {}

        @Override
        public void disconnected(Peer peer, String by, ReasonCode reason, String detail) {}

        @Override
        public void dropped(String clientId, TopicName topic, DropReason reason) {}

        @Override
        public void denied(Peer peer, String what, ReasonCode reason, String detail) {}
    }
}
