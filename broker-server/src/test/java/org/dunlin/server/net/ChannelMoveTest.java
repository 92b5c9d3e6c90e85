package org.dunlin.server.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.IoHandle;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoRegistration;
import io.netty.channel.SingleThreadIoEventLoop;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.dunlin.core.limits.Limits;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.server.net.Rig.Client;
import org.dunlin.server.net.Rig.Layer;
import org.dunlin.server.net.Rig.Probe;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What the broker rests on: a channel goes from one event loop to another and neither loses nor doubles anything. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ChannelMoveTest {
    private static final byte[] PINGRESP = {(byte) 0xd0, 0};

    private static final long SEED = Long.getLong("dunlin.seed", new Random().nextLong());

    static Stream<Arguments> pipelines() {
        return Transport.available().stream()
                .flatMap(transport -> Stream.of(Layer.values()).map(layer -> Arguments.of(transport, layer)));
    }

    private static Random random(String what) {
        System.out.println("ChannelMoveTest " + what + " -Ddunlin.seed=" + SEED);
        return new Random(SEED);
    }

    /** Moves on CONNECT, then echoes. */
    private static Consumer<Packet> moveOnConnect(Probe probe) {
        return packet -> {
            if (packet instanceof Connect connect) {
                probe.move(() -> {
                    probe.agree(connect.version());
                    probe.connection.releaseInput();
                });
            } else if (packet instanceof Publish publish) {
                probe.echo(publish);
            }
        };
    }

    @ParameterizedTest
    @MethodSource("pipelines")
    void move_with120kBBehindTheFirstPacket_isByteExact(Transport transport, Layer layer) throws Exception {
        int connections = 40;
        try (Rig rig = new Rig(transport, layer, ChannelMoveTest::moveOnConnect)) {
            byte[] stream = Rig.stream(120_000, 5);
            List<Client> clients = new ArrayList<>();
            for (int i = 0; i < connections; i++) {
                Client client = rig.connect();
                clients.add(client);
                client.send(Rig.join(Rig.connectBytes(), stream));
            }
            for (Client client : clients) {
                assertArrayEquals(stream, client.read(stream.length));
                client.close();
            }
            assertEquals(
                    connections,
                    rig.probes.stream().mapToInt(probe -> probe.moves).sum());
        }
    }

    @ParameterizedTest
    @MethodSource("pipelines")
    void move_hundredsOfTimesUnderTraffic_isByteExact(Transport transport, Layer layer) throws Exception {
        Random random = random("move_hundredsOfTimesUnderTraffic");
        long seed = random.nextLong();
        try (Rig rig = new Rig(transport, layer, probe -> wander(probe, new Random(seed)))) {
            byte[] stream = Rig.stream(600_000, random.nextInt(1000));
            List<Thread> writers = new ArrayList<>();
            List<Client> clients = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                Client client = rig.connect();
                clients.add(client);
                Random cuts = new Random(random.nextLong());
                Thread writer = new Thread(() -> sendInPieces(client, Rig.join(Rig.connectBytes(), stream), cuts));
                writer.start();
                writers.add(writer);
            }
            for (Client client : clients) {
                assertArrayEquals(stream, client.read(stream.length));
                client.close();
            }
            for (Thread writer : writers) {
                writer.join();
            }
            for (Probe probe : rig.probes) {
                assertTrue(probe.moves > 50, "only " + probe.moves + " moves");
            }
        }
    }

    private static Consumer<Packet> wander(Probe probe, Random random) {
        return packet -> {
            if (packet instanceof Connect connect) {
                probe.agree(connect.version());
            } else if (packet instanceof Publish publish) {
                probe.echo(publish);
                if (random.nextInt(10) == 0) {
                    probe.move(probe.connection::releaseInput);
                }
            }
        };
    }

    private static void sendInPieces(Client client, byte[] bytes, Random random) {
        try {
            for (int from = 0; from < bytes.length; ) {
                int length = Math.min(1 + random.nextInt(20_000), bytes.length - from);
                client.send(java.util.Arrays.copyOfRange(bytes, from, from + length));
                from += length;
            }
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @MethodSource("pipelines")
    void move_whileThePeerResets_closesOnce(Transport transport, Layer layer) throws Exception {
        Random random = random("move_whileThePeerResets");
        try (Rig rig = new Rig(transport, layer, ChannelMoveTest::moveOnConnect)) {
            int connections = layer.tls() ? 60 : 200;
            for (int i = 0; i < connections; i++) {
                Client client = rig.connect();
                client.send(Rig.join(Rig.connectBytes(), Rig.stream(random.nextInt(60_000), i)));
                spin(random.nextInt(400));
                client.reset();
            }
            Rig.await("all to close", () -> rig.listeners.connections() == 0);
            Rig.await("all to tell", () -> rig.probes.stream().allMatch(probe -> probe.closed == 1));
        }
    }

    private static void spin(long micros) {
        long until = System.nanoTime() + micros * 1000;
        while (System.nanoTime() < until) {
            Thread.onSpinWait();
        }
    }

    @ParameterizedTest
    @MethodSource("pipelines")
    void move_whileThePeerHalfCloses_handlesAllThatWasSent(Transport transport, Layer layer) throws Exception {
        try (Rig rig = new Rig(transport, layer, ChannelMoveTest::moveOnConnect)) {
            byte[] stream = Rig.stream(30_000, 3);
            for (int i = 0; i < 30; i++) {
                try (Client client = rig.connect()) {
                    client.send(Rig.join(Rig.connectBytes(), stream));
                    client.socket.shutdownOutput();
                    assertArrayEquals(stream, client.readAll());
                }
            }
            Rig.await("all to tell", () -> rig.probes.stream().allMatch(probe -> probe.closed == 1));
            assertTrue(rig.probes.stream().allMatch(probe -> probe.moves == 1));
            assertTrue(
                    rig.probes.stream().allMatch(probe -> "closed by the peer without DISCONNECT".equals(probe.cause)));
        }
    }

    @ParameterizedTest
    @MethodSource("pipelines")
    void close_onTheWay_writesWhatWasSentAndNeverArrives(Transport transport, Layer layer) throws Exception {
        try (Rig rig = new Rig(transport, layer, probe -> packet -> {
            if (packet instanceof Connect) {
                // The target owns it as soon as it is on the way: a second connection takes over.
                probe.move(() -> probe.faults.add("arrived although it was closed"));
                probe.run(() -> {
                    probe.connection.send(Ping.RESPONSE);
                    probe.connection.close();
                });
            }
        })) {
            for (int i = 0; i < 30; i++) {
                try (Client client = rig.connect()) {
                    client.send(Rig.join(Rig.connectBytes(), Rig.stream(60_000, 1)));
                    assertArrayEquals(PINGRESP, client.readAll());
                }
            }
            Rig.await("all to tell", () -> rig.probes.stream().allMatch(probe -> probe.closed == 1));
            assertTrue(rig.probes.stream().allMatch(probe -> probe.cause == null));
        }
    }

    @ParameterizedTest
    @MethodSource("pipelines")
    void takeOver_byAConnectionThatMovesToo_closesTheFirstAndServesTheSecond(Transport transport, Layer layer)
            throws Exception {
        AtomicReference<Probe> owner = new AtomicReference<>();
        try (Rig rig = new Rig(transport, layer, probe -> packet -> {
            if (packet instanceof Connect) {
                takeOver(owner, probe);
            } else if (packet instanceof Publish publish) {
                probe.echo(publish);
            }
        })) {
            List<Client> clients = new ArrayList<>();
            byte[] stream = Rig.stream(20_000, 9);
            for (int i = 0; i < 60; i++) {
                Client client = rig.connect();
                clients.add(client);
                client.send(Rig.join(Rig.connectBytes(), stream));
            }
            Rig.await("all to connect", () -> rig.probes.size() == 60);
            Rig.await(
                    "one owner",
                    () -> rig.probes.stream().filter(probe -> probe.closed == 0).count() == 1
                            && owner.get() != null
                            && owner.get().packets.size() > 1);
            Probe last = owner.get();
            assertEquals(0, last.closed);
            assertEquals(rig.loops.all().get(1), last.connection.loop());
            for (Client client : clients) {
                client.close();
            }
        }
    }

    private static void takeOver(AtomicReference<Probe> owner, Probe next) {
        NettyLoop home = next.loops.all().get(1);
        next.connection.moveTo(home, () -> {
            next.agree(ProtocolVersion.MQTT_3_1_1);
            next.connection.releaseInput();
        });
        // Only now: whoever finds it there tells its new loop, not the one that it is about to leave.
        Probe before = owner.getAndSet(next);
        if (before != null) {
            before.run(before.connection::close);
        }
    }

    @ParameterizedTest
    @MethodSource("pipelines")
    void timers_ofTheLoopStay_thoseOfTheConnectionGoWithIt(Transport transport, Layer layer) throws Exception {
        AtomicInteger fired = new AtomicInteger();
        AtomicReference<NettyLoop> left = new AtomicReference<>();
        Limits quick = limits(300);
        try (Rig rig = new Rig(transport, layer, Rig.Setting.of(quick), probe -> packet -> {
            NettyLoop source = (NettyLoop) probe.connection.loop();
            left.set(source);
            source.schedule(
                    () -> {
                        assertTrue(source.inLoop());
                        fired.incrementAndGet();
                    },
                    100);
            probe.move(() -> {});
        })) {
            try (Client client = rig.connect()) {
                client.send(Rig.connectBytes());
                Probe probe = rig.probe();
                Rig.await("the deadline of CONNECT", () -> probe.closed == 1);
                assertEquals("timeout: not admitted within 300 ms", probe.cause);
                assertEquals(1, probe.moves);
                Rig.await("the timer of the loop", () -> fired.get() == 1);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("pipelines")
    void move_withOutputThatThePeerHasNotTaken_writesItAfterwards(Transport transport, Layer layer) throws Exception {
        AtomicInteger delivered = new AtomicInteger();
        int size = 20_000;
        try (Rig rig = new Rig(transport, layer, probe -> packet -> {
            if (packet instanceof Connect connect) {
                probe.agree(connect.version());
                while (probe.connection.isWritable()) {
                    probe.deliver(Rig.message(size, delivered.getAndIncrement()));
                }
                probe.connection.loop().execute(() -> probe.move(probe.connection::releaseInput));
            }
        })) {
            try (Client client = rig.connect()) {
                client.send(Rig.connectBytes());
                Rig.await("the move", () -> rig.probe().moves == 1);
                assertTrue(delivered.get() > 20);
                for (int i = 0; i < delivered.get(); i++) {
                    byte[] expected = Rig.publishBytes(size, i);
                    assertArrayEquals(expected, client.read(expected.length));
                }
                Rig.await("writable", () -> rig.probe().writable == 1);
            }
        }
    }

    /** As when the system has no room for another watched descriptor. */
    @ParameterizedTest
    @MethodSource("pipelines")
    void move_toALoopThatCannotTakeTheSocket_endsItAndKeepsNothing(Transport transport, Layer layer) throws Exception {
        SingleThreadIoEventLoop refusing = new SingleThreadIoEventLoop(
                null,
                new DefaultThreadFactory("refusing"),
                executor -> new RefusingIo(transport.ioHandlers().newHandler(executor)));
        NettyLoop target = new NettyLoop(
                refusing, System::currentTimeMillis, new Failures(failure -> {}, status -> {}), TurnClock.LONG_NANOS);
        try (Rig rig = new Rig(
                transport,
                layer,
                probe -> packet ->
                        probe.connection.moveTo(target, () -> probe.faults.add("arrived although it could not")))) {
            for (int i = 0; i < 10; i++) {
                try (Client client = rig.connect()) {
                    client.send(Rig.join(Rig.connectBytes(), Rig.stream(2000, 1)));
                    Probe last = rig.probe(i);
                    Rig.await("the end", () -> last.closed == 1);
                    Rig.await("the socket to close", () -> rig.listeners.connections() == 0);
                    assertEquals("the event loop that it belongs to did not take it", last.cause);
                }
            }
        }
        refusing.shutdownGracefully(0, 0, TimeUnit.MILLISECONDS).await();
    }

    private record RefusingIo(IoHandler io) implements IoHandler {
        @Override
        public void initialize() {
            io.initialize();
        }

        @Override
        public int run(IoHandlerContext context) {
            return io.run(context);
        }

        @Override
        public void prepareToDestroy() {
            io.prepareToDestroy();
        }

        @Override
        public void destroy() {
            io.destroy();
        }

        @Override
        public IoRegistration register(IoHandle handle) throws IOException {
            throw new IOException("meant by this test");
        }

        @Override
        public void wakeup() {
            io.wakeup();
        }

        @Override
        public boolean isCompatible(Class<? extends IoHandle> type) {
            return io.isCompatible(type);
        }
    }

    static Limits limits(long connectTimeoutMillis) {
        return limits(connectTimeoutMillis, Limits.DEFAULTS.outboundBufferBytes(), Limits.DEFAULTS.maxConnections());
    }

    static Limits limits(long connectTimeoutMillis, int outboundBufferBytes, int maxConnections) {
        Limits d = Limits.DEFAULTS;
        return new Limits(
                d.maxPacketSizeBytes(),
                d.receiveMaximum(),
                d.topicAliasMaximum(),
                d.maxKeepAliveSeconds(),
                d.maxQos(),
                d.retainAvailable(),
                d.wildcardSubscriptions(),
                d.sharedSubscriptions(),
                d.sessionExpiryMaxSeconds(),
                maxConnections,
                d.maxSessions(),
                d.maxTopicLevels(),
                d.maxClientIdLength(),
                connectTimeoutMillis,
                d.connectRatePerSecond(),
                d.publishRatePerSecond(),
                d.maxInflight(),
                d.maxSubscriptionsPerClient(),
                d.maxRetained(),
                d.maxRetainedBytes(),
                d.maxDelayed(),
                d.maxDelaySeconds(),
                d.maxUserProperties(),
                outboundBufferBytes,
                d.fairness());
    }
}
