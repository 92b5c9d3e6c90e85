package org.dunlin.server.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.dunlin.core.spi.Loop;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.server.net.Rig.Client;
import org.dunlin.server.net.Rig.Layer;
import org.dunlin.server.net.Rig.Probe;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(value = 2, unit = TimeUnit.MINUTES)
class NettyConnectionTest {
    private static final byte[] PINGREQ = {(byte) 0xc0, 0};
    private static final byte[] PINGRESP = {(byte) 0xd0, 0};

    static Stream<Transport> transports() {
        return Transport.available().stream();
    }

    static Stream<Arguments> pipelines() {
        return ChannelMoveTest.pipelines();
    }

    @ParameterizedTest
    @MethodSource("transports")
    void read_packetsCutAnywhere_areHandedOverWholeAndInOrder(Transport transport) throws Exception {
        long seed = Long.getLong("dunlin.seed", new Random().nextLong());
        System.out.println("read_packetsCutAnywhere -Ddunlin.seed=" + seed);
        Random random = new Random(seed);
        try (Rig rig = new Rig(transport, Layer.PLAIN, Rig::echo);
                Client client = rig.connect()) {
            byte[] stream = Rig.stream(20_000, 1);
            byte[] all = Rig.join(Rig.connectBytes(), stream);
            for (int from = 0; from < all.length; ) {
                int to = Math.min(from + 1 + random.nextInt(40), all.length);
                client.send(Arrays.copyOfRange(all, from, to));
                from = to;
            }
            assertArrayEquals(stream, client.read(stream.length));
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void read_manyPacketsAtOnce_completesTheReadOnceForMany(Transport transport) throws Exception {
        try (Rig rig = new Rig(
                        transport, Rig.Layer.PLAIN, Rig.Setting.DEFAULTS.turnNanos(TurnClock.LONG_NANOS), Rig::echo);
                Client client = rig.connect()) {
            byte[] stream = Rig.stream(60_000, 1);
            client.send(Rig.join(Rig.connectBytes(), stream));
            assertArrayEquals(stream, client.read(stream.length));
            Probe probe = rig.probe();
            assertTrue(probe.reads > 0 && probe.reads < probe.packets.size() / 4, probe.reads + " reads");
        }
    }

    @ParameterizedTest
    @MethodSource("pipelines")
    void read_aPacketLargerThanAnyBuffer_isGatheredAndEchoed(Transport transport, Layer layer) throws Exception {
        try (Rig rig = new Rig(transport, layer, Rig::echo);
                Client client = rig.connect()) {
            byte[] large = Rig.publishBytes(3_000_000, 7);
            byte[] small = Rig.publishBytes(10, 8);
            client.send(Rig.join(Rig.connectBytes(), small, large, small));
            byte[] expected = Rig.join(small, large, small);
            assertArrayEquals(expected, client.read(expected.length));
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void hold_inTheMiddleOfARead_handsOverNothingUntilRelease(Transport transport) throws Exception {
        try (Rig rig = new Rig(transport, Layer.PLAIN, probe -> packet -> {
                    if (packet instanceof Connect connect) {
                        probe.agree(connect.version());
                    } else {
                        probe.connection.holdInput();
                    }
                });
                Client client = rig.connect()) {
            int count = 50;
            client.send(Rig.connectBytes());
            for (int i = 0; i < count; i++) {
                client.send(PINGREQ);
            }
            Probe probe = rig.probe();
            for (int i = 1; i <= count; i++) {
                int expected = i + 1;
                Rig.await("packet " + i, () -> probe.packets.size() == expected);
                // Whatever the loop would still do with the input comes before this.
                AtomicInteger seen = new AtomicInteger();
                probe.run(() -> probe.run(() -> seen.set(probe.packets.size())));
                Rig.await("the loop", () -> seen.get() > 0);
                assertEquals(expected, seen.get());
                probe.run(probe.connection::releaseInput);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("pipelines")
    void close_withUnreadInput_letsThePeerReadTheLastPacket(Transport transport, Layer layer) throws Exception {
        try (Rig rig = new Rig(transport, layer, probe -> packet -> {
            if (packet instanceof Connect) {
                probe.connection.send(Ping.RESPONSE);
                probe.connection.close();
                probe.connection.close();
                probe.connection.send(Ping.RESPONSE);
            } else {
                probe.faults.add("decoded after close");
            }
        })) {
            for (int i = 0; i < 20; i++) {
                try (Client client = rig.connect()) {
                    client.send(Rig.join(Rig.connectBytes(), Rig.stream(500_000, 3)));
                    assertArrayEquals(PINGRESP, client.readAll());
                }
            }
            Rig.await("closed", () -> rig.probes.stream().allMatch(probe -> probe.closed == 1));
            assertTrue(rig.probes.stream().allMatch(probe -> probe.cause == null));
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void close_ofAPeerThatStaysSilent_tellsAtOnceAndEndsInTheEnd(Transport transport) throws Exception {
        try (Rig rig = new Rig(transport, Layer.PLAIN, probe -> packet -> probe.connection.close());
                Client client = rig.connect()) {
            client.send(Rig.connectBytes());
            Probe probe = rig.probe();
            Rig.await("closed", () -> probe.closed == 1);
            assertEquals(1, rig.listeners.connections());
            Rig.await("the socket to close", () -> rig.listeners.connections() == 0);
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void violation_isToldOnceAndAnsweredBeforeTheEnd(Transport transport) throws Exception {
        try (Rig rig = new Rig(transport, Layer.PLAIN, probe -> {
                    probe.whenViolated = () -> {
                        probe.connection.send(new Disconnect(ReasonCode.MALFORMED_PACKET));
                        probe.connection.close();
                    };
                    return packet -> {
                        if (packet instanceof Connect) {
                            probe.agree(ProtocolVersion.MQTT_5);
                        }
                    };
                });
                Client client = rig.connect()) {
            client.send(Rig.join(
                    Rig.bytes(Connect.builder(ProtocolVersion.MQTT_5, "c").build()),
                    PINGREQ,
                    new byte[] {0, 0, 0},
                    PINGREQ));
            byte[] answer = client.readAll();
            assertEquals((byte) 0xe0, answer[0]);
            assertEquals((byte) 0x81, answer[2]);
            Probe probe = rig.probe();
            Rig.await("closed", () -> probe.closed == 1);
            assertEquals(2, probe.packets.size());
            assertNotNull(probe.violation);
            assertNull(probe.cause);
        }
    }

    @ParameterizedTest
    @MethodSource("pipelines")
    void isWritable_ofASlowReader_turnsFalseAndIsToldWhenItHasRead(Transport transport, Layer layer) throws Exception {
        slowReader(transport, layer, 3000, 4000);
        slowReader(transport, layer, 20_000, 600);
    }

    private static void slowReader(Transport transport, Layer layer, int size, int total) throws Exception {
        int limit = 200_000;
        AtomicInteger sent = new AtomicInteger();
        try (Rig rig = new Rig(
                        transport,
                        layer,
                        Rig.Setting.of(ChannelMoveTest.limits(10_000, limit, 10))
                                .maxConnections(10),
                        probe -> {
                            Runnable more = () -> {
                                while (sent.get() < total && probe.connection.isWritable()) {
                                    probe.deliver(Rig.message(size, sent.getAndIncrement()));
                                }
                            };
                            probe.whenWritable = more;
                            return packet -> {
                                probe.agree(ProtocolVersion.MQTT_3_1_1);
                                more.run();
                            };
                        });
                Client client = rig.connect()) {
            client.send(Rig.connectBytes());
            Probe probe = rig.probe();
            for (int i = 0; i < total; i++) {
                byte[] expected = Rig.publishBytes(size, i);
                assertArrayEquals(expected, client.read(expected.length));
            }
            assertEquals(total, sent.get());
            assertTrue(probe.writable > 1, "writable " + probe.writable);
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void send_toAPeerThatNeverReads_isCutWithinABound(Transport transport) throws Exception {
        int limit = 100_000;
        AtomicInteger unwritable = new AtomicInteger();
        try (Rig rig = new Rig(
                        transport,
                        Layer.PLAIN,
                        Rig.Setting.of(ChannelMoveTest.limits(10_000, limit, 10))
                                .maxConnections(10),
                        probe -> packet -> {
                            probe.agree(ProtocolVersion.MQTT_3_1_1);
                            ping(probe, unwritable);
                        });
                Client client = rig.connect()) {
            client.send(Rig.connectBytes());
            Probe probe = rig.probe();
            Rig.await("the end", () -> probe.closed == 1);
            assertTrue(String.valueOf(probe.cause).startsWith("the client does not read"), probe.cause);
            assertTrue(unwritable.get() * 2 <= limit + 2 * 1000, unwritable.get() + " PINGRESP while not writable");
        }
    }

    /** A thousand packets a turn, for ever. */
    private static void ping(Probe probe, AtomicInteger unwritable) {
        for (int i = 0; i < 1000 && probe.closed == 0; i++) {
            if (probe.connection.isWritable()) {
                unwritable.set(0); // its socket has taken some
            } else {
                unwritable.incrementAndGet();
            }
            probe.connection.send(Ping.RESPONSE);
        }
        if (probe.closed == 0) {
            probe.run(() -> ping(probe, unwritable));
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void connectTimeout_cutsAPeerThatSaysNothing(Transport transport) throws Exception {
        try (Rig rig = new Rig(
                        transport,
                        Layer.PLAIN,
                        Rig.Setting.of(ChannelMoveTest.limits(200)).maxConnections(10),
                        Rig::echo);
                Client client = rig.connect()) {
            Probe probe = rig.probe();
            assertEquals(0, client.readAll().length);
            Rig.await("closed", () -> probe.closed == 1);
            assertEquals("timeout: no CONNECT within 200 ms", probe.cause);
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void partialPacket_withoutProgress_isCut_whilstAnIdleConnectionIsNot(Transport transport) throws Exception {
        try (Rig rig = new Rig(
                        transport,
                        Layer.PLAIN,
                        Rig.Setting.of(ChannelMoveTest.limits(200)).maxConnections(10),
                        Rig::echo);
                Client idle = rig.connect()) {
            idle.send(Rig.connectBytes());
            Probe idleProbe = rig.probe();
            Rig.await("the first", () -> idleProbe.packets.size() == 1);
            try (Client client = rig.connect()) {
                byte[] publish = Rig.publishBytes(100, 1);
                client.send(Rig.join(Rig.connectBytes(), publish, Arrays.copyOf(publish, 50)));
                assertArrayEquals(publish, client.readAll());
            }
            Probe cut = rig.probes.stream()
                    .filter(probe -> probe != idleProbe)
                    .findFirst()
                    .orElseThrow();
            Rig.await("closed", () -> cut.closed == 1);
            assertEquals("timeout: fewer than 1024 more bytes of a packet within 200 ms", cut.cause);
            assertEquals(0, idleProbe.closed);
            idle.send(Rig.publishBytes(5, 5));
            assertEquals(Rig.publishBytes(5, 5).length, idle.read(Rig.publishBytes(5, 5).length).length);
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void closed_saysHowThePeerLeft(Transport transport) throws Exception {
        assertEquals("closed by the peer before CONNECT", causeOf(transport, client -> close(client)));
        assertEquals("closed by the peer without DISCONNECT", causeOf(transport, client -> {
            send(client, Rig.connectBytes());
            close(client);
        }));
        assertEquals("closed by the peer in the middle of a packet", causeOf(transport, client -> {
            send(client, Rig.join(Rig.connectBytes(), new byte[] {0x30, 50, 0}));
            close(client);
        }));
        assertNull(causeOf(transport, client -> {
            send(client, Rig.join(Rig.connectBytes(), Rig.bytes(new Disconnect(ReasonCode.SUCCESS))));
            close(client);
        }));
    }

    private static String causeOf(Transport transport, Consumer<Client> way) throws Exception {
        try (Rig rig = new Rig(transport, Layer.PLAIN, Rig::echo);
                Client client = rig.connect()) {
            way.accept(client);
            Probe probe = rig.probe();
            Rig.await("closed", () -> probe.closed == 1);
            return probe.cause;
        }
    }

    private static void send(Client client, byte[] bytes) {
        try {
            client.send(bytes);
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static void close(Client client) {
        try {
            client.close();
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void reset_isToldAsSuch(Transport transport) throws Exception {
        try (Rig rig = new Rig(transport, Layer.PLAIN, Rig::echo)) {
            Client client = rig.connect();
            client.send(Rig.connectBytes());
            Rig.await("CONNECT", () -> rig.probe().packets.size() == 1);
            client.reset();
            Rig.await("closed", () -> rig.probe().closed == 1);
            assertEquals("reset by the peer", rig.probe().cause);
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void received_thatThrows_endsThatConnectionOnly(Transport transport) throws Exception {
        try (Rig rig = new Rig(transport, Layer.PLAIN, probe -> packet -> {
                    if (packet instanceof Publish) {
                        throw new IllegalStateException("a fault of the script, meant by this test");
                    }
                    Rig.echo(probe).accept(packet);
                });
                Client other = rig.connect()) {
            other.send(Rig.connectBytes());
            Rig.await("the other", () -> rig.probe().packets.size() == 1);
            try (Client client = rig.connect()) {
                client.send(Rig.join(Rig.connectBytes(), Rig.stream(5000, 1)));
                Rig.await("the end", () -> rig.probes.stream().anyMatch(probe -> "internal error".equals(probe.cause)));
            }
            assertEquals(0, rig.probe().closed);
            assertFalse(rig.probe().connection.peer().isEmpty());
        }
    }

    /** Many connections of two loops get the same large payload, of which each loop makes one copy a turn. */
    @ParameterizedTest
    @MethodSource("pipelines")
    void deliver_ofALargePayloadToMany_reachesEachWhole(Transport transport, Layer layer) throws Exception {
        int count = 20;
        try (Rig rig = new Rig(transport, layer, Rig::echo)) {
            Client[] clients = new Client[count];
            for (int i = 0; i < count; i++) {
                clients[i] = rig.connect();
                clients[i].send(Rig.connectBytes());
            }
            Rig.await(
                    "all",
                    () -> rig.probes.size() == count
                            && rig.probes.stream().allMatch(probe -> probe.packets.size() == 1));
            var message = Rig.message(100_000, 4);
            for (NettyLoop loop : rig.loops.all()) {
                loop.execute(() -> rig.probes.stream()
                        .filter(probe -> probe.connection.loop() == loop)
                        .forEach(probe -> {
                            probe.deliver(message);
                            probe.connection.send(Ping.RESPONSE);
                            probe.deliver(message);
                        }));
            }
            byte[] one = Rig.publishBytes(100_000, 4);
            byte[] expected = Rig.join(one, PINGRESP, one);
            for (Client client : clients) {
                assertArrayEquals(expected, client.read(expected.length));
                client.close();
            }
        }
    }

    /** What comes after a packet in the same read must not wait for more to come. */
    @ParameterizedTest
    @MethodSource("transports")
    void release_whileTheReadIsBeingCompleted_goesOnWithTheRest(Transport transport) throws Exception {
        try (Rig rig = new Rig(transport, Layer.PLAIN, probe -> {
                    probe.whenRead = probe.connection::releaseInput;
                    return packet -> {
                        Rig.echo(probe).accept(packet);
                        probe.connection.holdInput();
                    };
                });
                Client client = rig.connect()) {
            byte[] stream = Rig.stream(2000, 1);
            client.send(Rig.join(Rig.connectBytes(), stream));
            assertArrayEquals(stream, client.read(stream.length));
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void received_thatThrowsOnceInputIsReleased_endsTheConnection(Transport transport) throws Exception {
        try (Rig rig = new Rig(transport, Layer.PLAIN, probe -> packet -> {
                    if (packet instanceof Publish) {
                        throw new IllegalStateException("a fault of the script, meant by this test");
                    }
                    Rig.echo(probe).accept(packet);
                    probe.connection.holdInput();
                });
                Client client = rig.connect()) {
            client.send(Rig.join(Rig.connectBytes(), Rig.stream(5000, 1)));
            Probe probe = rig.probe();
            Rig.await("CONNECT", () -> probe.packets.size() == 1);
            probe.run(probe.connection::releaseInput);
            Rig.await("the end", () -> probe.closed == 1);
            assertEquals("internal error", probe.cause);
            Rig.await("the socket to close", () -> rig.listeners.connections() == 0);
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void closed_thatThrows_endsTheSocketAllTheSame(Transport transport) throws Exception {
        try (Rig rig = new Rig(transport, Layer.PLAIN, probe -> {
            probe.whenClosed = () -> {
                throw new IllegalStateException("a fault of the script, meant by this test");
            };
            return packet -> {
                if (packet instanceof Connect connect && connect.clientId().equals("cut")) {
                    ((NettyConnection) probe.connection).cut("for this test");
                } else {
                    probe.connection.send(Ping.RESPONSE);
                    probe.connection.close();
                }
            };
        })) {
            try (Client client = rig.connect()) {
                client.send(Rig.connectBytes());
                assertArrayEquals(PINGRESP, client.readAll());
            }
            try (Client client = rig.connect()) {
                client.send(Rig.bytes(
                        Connect.builder(ProtocolVersion.MQTT_3_1_1, "cut").build()));
                assertEquals(0, client.readAll().length);
            }
            try (Client client = rig.connect()) {
                client.socket.shutdownOutput();
                assertEquals(0, client.readAll().length);
            }
            Rig.await("the sockets to close", () -> rig.listeners.connections() == 0);
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void writable_thatThrows_endsTheConnection(Transport transport) throws Exception {
        try (Rig rig = new Rig(
                        transport,
                        Layer.PLAIN,
                        Rig.Setting.of(ChannelMoveTest.limits(10_000, 200_000, 10))
                                .maxConnections(10),
                        probe -> {
                            probe.whenWritable = () -> {
                                throw new IllegalStateException("a fault of the script, meant by this test");
                            };
                            return packet -> {
                                probe.agree(ProtocolVersion.MQTT_3_1_1);
                                for (int i = 0; probe.connection.isWritable(); i++) {
                                    probe.deliver(Rig.message(3000, i));
                                }
                            };
                        });
                Client client = rig.connect()) {
            client.send(Rig.connectBytes());
            client.readAll();
            Probe probe = rig.probe();
            Rig.await("the end", () -> probe.closed == 1);
            assertEquals("internal error", probe.cause);
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void close_ofAPeerThatHalfClosesBeforeItHasReadAll_writesTheRest(Transport transport) throws Exception {
        int size = 20_000_000;
        try (Rig rig = new Rig(
                        transport,
                        Layer.PLAIN,
                        Rig.Setting.of(ChannelMoveTest.limits(10_000, 1 << 20, 10))
                                .maxConnections(10),
                        probe -> packet -> {
                            probe.agree(ProtocolVersion.MQTT_3_1_1);
                            probe.deliver(Rig.message(size, 1));
                            probe.connection.close();
                        });
                Client client = rig.connect()) {
            client.send(Rig.connectBytes());
            Probe probe = rig.probe();
            Rig.await("the goodbye", () -> probe.closed == 1);
            client.socket.shutdownOutput();
            // The end of the peer's output is seen in the first of these turns at the latest.
            for (int i = 0; i < 3; i++) {
                turn(probe.connection.loop());
            }
            assertEquals(Rig.publishBytes(size, 1).length, client.readAll().length);
        }
    }

    /** Waits until the loop has been through a turn. */
    private static void turn(Loop loop) throws InterruptedException {
        CountDownLatch over = new CountDownLatch(1);
        loop.schedule(over::countDown, 10);
        assertTrue(over.await(Rig.WAIT_MILLIS, TimeUnit.MILLISECONDS), "the loop does not turn");
    }

    @ParameterizedTest
    @MethodSource("transports")
    void partialPacket_thatDribbles_isCutBeforeItIsThere(Transport transport) throws Exception {
        try (Rig rig = new Rig(
                        transport,
                        Layer.PLAIN,
                        Rig.Setting.of(ChannelMoveTest.limits(200)).maxConnections(10),
                        Rig::echo);
                Client client = rig.connect()) {
            client.send(Rig.connectBytes());
            Probe probe = rig.probe();
            Rig.await("CONNECT", () -> probe.packets.size() == 1);
            byte[] publish = Rig.publishBytes(1000, 1);
            int sent = 0;
            while (probe.closed == 0 && sent < publish.length) {
                try {
                    client.send(Arrays.copyOfRange(publish, sent, sent + 1));
                } catch (java.io.IOException cut) {
                    break;
                }
                sent++;
                turn(rig.loops.all().get(0));
            }
            Rig.await("the end", () -> probe.closed == 1);
            assertEquals(1, probe.packets.size());
            assertEquals("timeout: fewer than 1024 more bytes of a packet within 200 ms", probe.cause);
        }
    }

    /** Each part is in time, and they take longer together than one may. */
    @ParameterizedTest
    @MethodSource("transports")
    void partialPacket_thatComesSlowlyButSteadily_arrives(Transport transport) throws Exception {
        long timeout = 2000;
        try (Rig rig = new Rig(
                        transport,
                        Layer.PLAIN,
                        Rig.Setting.of(ChannelMoveTest.limits(timeout)).maxConnections(10),
                        Rig::echo);
                Client client = rig.connect()) {
            client.send(Rig.connectBytes());
            byte[] publish = Rig.publishBytes(60_000, 1);
            long began = System.nanoTime();
            int sent = 0;
            while (TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began) < timeout + 500) {
                int bytes = Math.min(1500, publish.length - 1 - sent);
                client.send(Arrays.copyOfRange(publish, sent, sent + bytes));
                sent += bytes;
                for (int i = 0; i < 5; i++) {
                    turn(rig.loops.all().get(0));
                }
            }
            assertTrue(sent < publish.length);
            client.send(Arrays.copyOfRange(publish, sent, publish.length));
            assertArrayEquals(publish, client.read(publish.length));
        }
    }

    /** An assertion that fails on a loop must fail the test at once, or most of those here prove nothing. */
    @ParameterizedTest
    @MethodSource("transports")
    void assertionOnALoop_failsTheTestThatUsesTheRig(Transport transport) throws Exception {
        Rig rig = new Rig(transport, Layer.PLAIN, Rig::echo);
        try (Client client = rig.connect()) {
            rig.loops.all().get(0).execute(() -> {
                throw new AssertionError("meant by this test");
            });
            // Nothing was sent, so it would wait for an answer for a long time.
            assertThrows(java.net.SocketException.class, () -> client.read(1));
        }
        assertTrue(assertThrows(AssertionError.class, rig::close).getMessage().contains("meant by this test"));
    }

    @ParameterizedTest
    @MethodSource("transports")
    void virtualMachineError_inTheServiceOfAClient_endsTheProcess(Transport transport) throws Exception {
        Rig rig = new Rig(transport, Layer.PLAIN, probe -> packet -> {
            throw new OutOfMemoryError("meant by this test");
        });
        try (Client client = rig.connect()) {
            client.send(Rig.connectBytes());
            Rig.await("the end", () -> rig.status == Failures.HALT_STATUS);
        }
        assertThrows(AssertionError.class, rig::close);
    }
}
