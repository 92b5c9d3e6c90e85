package org.dunlin.server.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.embedded.EmbeddedChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.server.net.Rig.Client;
import org.dunlin.server.net.Rig.Layer;
import org.dunlin.server.share.Addresses;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@Timeout(value = 1, unit = TimeUnit.MINUTES)
class ListenersTest {
    private static final byte[] PINGRESP = {(byte) 0xd0, 0};

    static Stream<Transport> transports() {
        return Transport.available().stream();
    }

    @Test
    void transports_endWithNio() {
        List<Transport> available = Transport.available();
        assertEquals(Transport.NIO, available.get(available.size() - 1));
        assertEquals(available.get(0), Transport.best());
    }

    @ParameterizedTest
    @MethodSource("transports")
    void open_onPortZero_reportsThePort(Transport transport) throws Exception {
        try (Rig rig = new Rig(transport, Layer.PLAIN, Rig::echo)) {
            assertTrue(rig.address.getPort() > 0);
            assertEquals(List.of(rig.address), rig.listeners.addresses());
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void connectionBeyondTheShareOfItsAddress_isClosedUnheard_untilAnotherOneEnds(Transport transport)
            throws Exception {
        Addresses addresses = new Addresses(new Addresses.Bounds(1, 0, 0, List.of()), address -> null);
        try (Rig rig = new Rig(transport, Layer.PLAIN, Rig.Setting.DEFAULTS.addresses(addresses), Rig::echo)) {
            try (Socket first = new Socket(rig.address.getAddress(), rig.address.getPort())) {
                rig.probe();
                Rig.await("a refusal", () -> {
                    try (Socket beyond = new Socket(rig.address.getAddress(), rig.address.getPort())) {
                        return !rig.refused.isEmpty() && beyond.isConnected();
                    } catch (IOException reset) {
                        return false;
                    }
                });
                assertTrue(rig.refused.element().contains("127.0.0.1; see limits.max-connections-per-address"));
                assertEquals(1, rig.probes.size());
                first.setTcpNoDelay(true);
            }
            Rig.await("room", () -> {
                try (Socket again = new Socket(rig.address.getAddress(), rig.address.getPort())) {
                    return rig.probes.size() > 1 && again.isConnected();
                } catch (IOException reset) {
                    return false;
                }
            });
        }
    }

    /** A peer that is sent away and does not close its side would be waited for. */
    @ParameterizedTest
    @MethodSource("transports")
    void close_withNoTimeToWait_leavesConnectionsToTheLoops(Transport transport) throws Exception {
        try (Rig rig = new Rig(transport, Layer.PLAIN, Rig::echo);
                Socket lingering = new Socket(rig.address.getAddress(), rig.address.getPort())) {
            Rig.await("connected", () -> rig.listeners.connections() == 1);
            rig.listeners.close(0);
            assertEquals(1, rig.listeners.connections());
            rig.listeners.close();
            assertEquals(0, rig.listeners.connections());
            assertEquals(-1, lingering.getInputStream().read());
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void open_onAnAddressInUse_saysAddressPortAndWhatToDo(Transport transport) throws Exception {
        try (Rig rig = new Rig(transport, Layer.PLAIN, Rig::echo);
                ServerSocket taken = new ServerSocket(0, 1, rig.address.getAddress())) {
            ListenException failure = assertThrows(
                    ListenException.class,
                    () -> rig.listeners.open(Listener.tcp("mqtt", "127.0.0.1", taken.getLocalPort())));
            assertTrue(failure.isAddressInUse());
            assertEquals(
                    "listener mqtt: 127.0.0.1 port " + taken.getLocalPort()
                            + " is in use by another process; stop that one, or choose another port (-p)",
                    failure.getMessage());
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void open_onAForeignAddress_saysSo(Transport transport) throws Exception {
        try (Rig rig = new Rig(transport, Layer.PLAIN, Rig::echo)) {
            ListenException failure =
                    assertThrows(ListenException.class, () -> rig.listeners.open(Listener.tcp("mqtt", "192.0.2.1", 0)));
            assertFalse(failure.isAddressInUse());
            assertTrue(failure.getMessage().contains("no address of this machine"), failure.getMessage());
            ListenException unknown = assertThrows(
                    ListenException.class, () -> rig.listeners.open(Listener.tcp("mqtt", "no such host", 0)));
            assertTrue(unknown.getMessage().contains("unknown here"), unknown.getMessage());
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void accept_beyondMaxConnections_closesAndReportsUntilOneHasLeft(Transport transport) throws Exception {
        for (boolean global : new boolean[] {true, false}) {
            Limits limits = ChannelMoveTest.limits(10_000, 1 << 20, global ? 2 : 100);
            int most = global ? 2 + AcceptGuard.handshakes(2) : 2;
            try (Rig rig = new Rig(
                    transport, Layer.PLAIN, Rig.Setting.of(limits).maxConnections(global ? 100 : 2), Rig::echo)) {
                List<Client> clients = new ArrayList<>();
                for (int i = 0; i < most; i++) {
                    clients.add(rig.connect());
                }
                Rig.await("as many as there is room for", () -> rig.listeners.connections() == most);
                try (Client third = rig.connect()) {
                    assertEnds(third);
                }
                Rig.await("the report", () -> rig.refused.size() == 1);
                assertTrue(rig.refused.element().contains("max-connections"), rig.refused.element());
                clients.remove(0).close();
                Rig.await("room", () -> rig.listeners.connections() == most - 1);
                try (Client fourth = rig.connect()) {
                    byte[] stream = Rig.stream(100, 1);
                    fourth.send(Rig.join(Rig.connectBytes(), stream));
                    assertEquals(stream.length, fourth.read(stream.length).length);
                }
                for (Client client : clients) {
                    client.close();
                }
            }
        }
    }

    /** By its end or by a reset. */
    private static void assertEnds(Client client) {
        try {
            assertEquals(0, client.readAll().length);
        } catch (IOException e) {
            assertTrue(String.valueOf(e.getMessage()).contains("reset"), e.toString());
        }
    }

    @ParameterizedTest
    @MethodSource("transports")
    void close_writesOutWhatConnectionsWereSentAndRefusesNewOnes(Transport transport) throws Exception {
        Rig rig = new Rig(transport, Layer.PLAIN, probe -> packet -> {
            probe.connection.send(Ping.RESPONSE);
            probe.run(() -> {});
        });
        InetSocketAddress address = rig.address;
        try (Client client = rig.connect()) {
            client.send(Rig.connectBytes());
            assertEquals(2, client.read(2).length);
            rig.probe().run(() -> rig.probe().connection.send(Ping.RESPONSE));
            Thread closing = new Thread(rig.listeners::close);
            closing.start();
            assertEquals(PINGRESP.length, client.readAll().length);
            client.socket.close();
            closing.join();
        }
        assertThrows(IOException.class, () -> new Client(address, Layer.PLAIN));
        rig.close();
    }

    /** Behind TLS the farewell waits for the peer, too; the time for it is up all the same. */
    @ParameterizedTest
    @MethodSource("pipelines")
    void close_ofAPeerThatReadsNothing_endsItsSocketInTime(Transport transport, Layer layer) throws Exception {
        Limits limits = ChannelMoveTest.limits(10_000, 1 << 20, 10);
        try (Rig rig = new Rig(transport, layer, Rig.Setting.of(limits).maxConnections(10), probe -> packet -> {
            probe.agree(ProtocolVersion.MQTT_3_1_1);
            probe.deliver(Rig.message(20_000_000, 1));
        })) {
            Client client = rig.connect();
            client.send(Rig.connectBytes());
            Rig.await("CONNECT", () -> rig.probe().packets.size() == 1);
            rig.listeners.close();
            assertEquals(0, rig.listeners.connections());
            client.close();
        }
    }

    static Stream<Arguments> pipelines() {
        return ChannelMoveTest.pipelines();
    }

    /** As when the system has no file descriptor left: each accept fails until one is free. */
    @Test
    void accept_thatFails_pausesForABoundedTime() {
        AtomicInteger reads = new AtomicInteger();
        Listening listening = new Listening(
                Listener.tcp("test", "127.0.0.1", 0),
                null,
                () -> Limits.DEFAULTS,
                MemoryBudget.unlimited(),
                Addresses.unlimited(),
                connection -> null);
        EmbeddedChannel server = new EmbeddedChannel(
                new io.netty.channel.ChannelOutboundHandlerAdapter() {
                    @Override
                    public void read(io.netty.channel.ChannelHandlerContext context) {
                        reads.incrementAndGet();
                        context.read();
                    }
                },
                new AcceptGuard(listening, new AtomicInteger(), null));
        int before = reads.get();
        server.freezeTime();
        for (int i = 0; i < 100; i++) {
            server.pipeline().fireExceptionCaught(new IOException("accept(..) failed: Too many open files"));
        }
        assertFalse(server.config().isAutoRead());
        server.advanceTimeBy(AcceptGuard.PAUSE_MILLIS - 1, TimeUnit.MILLISECONDS);
        server.runScheduledPendingTasks();
        assertFalse(server.config().isAutoRead());
        server.advanceTimeBy(1, TimeUnit.MILLISECONDS);
        server.runScheduledPendingTasks();
        assertTrue(server.config().isAutoRead());
        assertEquals(before + 1, reads.get());
        server.close();
    }
}
