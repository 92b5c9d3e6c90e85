package org.dunlin.server.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocket;
import org.dunlin.server.net.entry.AutoLayer;
import org.dunlin.server.net.entry.AutoLayer.Kind;
import org.dunlin.server.net.entry.ProxyLayer;
import org.dunlin.server.net.entry.ProxyLayer.Demand;
import org.dunlin.server.net.tls.CertificateWatch;
import org.dunlin.server.net.tls.Pair;
import org.dunlin.server.net.tls.TlsProvider;
import org.dunlin.server.net.websocket.WebSocketLayer;
import org.dunlin.server.share.AddressBlock;
import org.dunlin.server.share.Addresses;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What connections begin with, over real sockets: whom proxies speak for, and several kinds of clients on one port. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
@ParameterizedClass
@EnumSource(
        value = TlsProvider.class,
        names = {"JDK", "AUTO"})
class EntryTest {
    private static final byte[] V1 = ascii("PROXY TCP4 192.0.2.7 192.0.2.1 4711 1883\r\n");
    private static final byte[] V2 =
            HexFormat.of().parseHex("0d0a0d0a000d0a515549540a2111000cc0000207c00002011267075b");
    private static final byte[] LOCAL = HexFormat.of().parseHex("0d0a0d0a000d0a515549540a20000000");

    @TempDir
    Path folder;

    private final CertificateWatch watch;

    EntryTest(TlsProvider provider) {
        watch = new CertificateWatch(Duration.ofHours(1), provider);
    }

    @AfterEach
    void close() {
        watch.close();
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static Layer proxy(Demand demand, String trusted) {
        return new ProxyLayer(demand, List.of(Objects.requireNonNull(AddressBlock.parse(trusted))));
    }

    private Layer auto(Kind... kinds) throws Exception {
        Set<Kind> accepted = EnumSet.noneOf(Kind.class);
        accepted.addAll(List.of(kinds));
        return new AutoLayer(
                accepted,
                watch.open("test", Pair.make("server").settings(folder)),
                new WebSocketLayer("/mqtt", List.of(), () -> 1 << 20));
    }

    private static Rig rig(Rig.Layer client, long connectTimeoutMillis, Layer... layers) throws Exception {
        return new Rig(
                Transport.best(),
                client,
                Rig.Setting.of(ChannelMoveTest.limits(connectTimeoutMillis)).layers(List.of(layers)),
                Rig::echo);
    }

    private static Socket socket(Rig rig) throws Exception {
        Socket socket = new Socket();
        socket.connect(rig.address);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout((int) Rig.WAIT_MILLIS);
        return socket;
    }

    private static void roundTrip(Socket socket) throws Exception {
        byte[] publish = Rig.publishBytes(3000, 1);
        socket.getOutputStream().write(Rig.join(Rig.connectBytes(), publish));
        assertArrayEquals(publish, socket.getInputStream().readNBytes(publish.length));
    }

    private static @Nullable String causeOf(Rig rig, byte[] sent) throws Exception {
        int before = rig.probes.size();
        try (Socket socket = socket(rig)) {
            socket.getOutputStream().write(sent);
            Rig.Probe probe = rig.probe(before);
            Rig.await("the end", () -> probe.closed == 1);
            assertEquals(0, probe.packets.size());
            return probe.cause;
        }
    }

    // -------------------------------------------------------------------------------------------- PROXY protocol

    @ParameterizedTest
    @CsvSource({"V1, 1", "V2, 2", "AUTO, 1", "AUTO, 2"})
    void header_ofATrustedProxy_saysWhoTheClientIs(Demand demand, int version) throws Exception {
        byte[] header = version == 1 ? V1 : V2;
        try (Rig rig = rig(Rig.Layer.PLAIN, Rig.WAIT_MILLIS, proxy(demand, "127.0.0.0/8"))) {
            try (Socket together = socket(rig)) {
                together.getOutputStream().write(header);
                roundTrip(together);
                assertEquals("192.0.2.7:4711", rig.probe().connection.peer());
            }
            try (Socket bytewise = socket(rig)) {
                for (byte one : header) {
                    bytewise.getOutputStream().write(one);
                }
                roundTrip(bytewise);
                assertEquals("192.0.2.7:4711", rig.probe(1).connection.peer());
            }
        }
    }

    @Test
    void clientOfAProxy_countsForItsOwnAddress_andTheProxyForNone() throws Exception {
        Addresses addresses = new Addresses(new Addresses.Bounds(1, 0, 0, List.of()), address -> null);
        byte[] other = ascii("PROXY TCP4 192.0.2.8 192.0.2.1 4711 1883\r\n");
        try (Rig rig = new Rig(
                        Transport.best(),
                        Rig.Layer.PLAIN,
                        Rig.Setting.of(ChannelMoveTest.limits(Rig.WAIT_MILLIS))
                                .layers(List.of(proxy(Demand.V1, "127.0.0.0/8")))
                                .addresses(addresses),
                        Rig::echo);
                Socket first = socket(rig);
                Socket second = socket(rig);
                Socket third = socket(rig)) {
            first.getOutputStream().write(V1);
            roundTrip(first);

            second.getOutputStream().write(V1);
            assertEquals(-1, second.getInputStream().read());

            third.getOutputStream().write(other);
            roundTrip(third);
        }
    }

    @Test
    void header_ofTheProxyItself_leavesTheSocketsAddress() throws Exception {
        try (Rig rig = rig(Rig.Layer.PLAIN, Rig.WAIT_MILLIS, proxy(Demand.V2, "127.0.0.1"));
                Socket socket = socket(rig)) {
            socket.getOutputStream().write(LOCAL);
            roundTrip(socket);
            assertEquals(
                    "127.0.0.1:" + socket.getLocalPort(), rig.probe().connection.peer());
        }
    }

    @Test
    void noHeader_isTakenByAuto_fromAnybody() throws Exception {
        try (Rig rig = rig(Rig.Layer.PLAIN, Rig.WAIT_MILLIS, proxy(Demand.AUTO, "10.0.0.0/8"));
                Socket socket = socket(rig)) {
            roundTrip(socket);
            assertEquals(
                    "127.0.0.1:" + socket.getLocalPort(), rig.probe().connection.peer());
        }
    }

    @Test
    void header_fromAnybodyElse_endsTheConnection_andNamesTheKey() throws Exception {
        for (byte[] header : List.of(V1, V2, LOCAL, java.util.Arrays.copyOf(V1, 6))) {
            try (Rig rig = rig(Rig.Layer.PLAIN, Rig.WAIT_MILLIS, proxy(Demand.AUTO, "10.0.0.0/8"))) {
                assertEquals(
                        "PROXY header: it comes from an address that proxy-trusted does not name",
                        causeOf(rig, Rig.join(header, Rig.connectBytes())));
                assertTrue(rig.probe().connection.peer().startsWith("127.0.0.1:"));
            }
        }
        try (Rig rig = rig(Rig.Layer.PLAIN, Rig.WAIT_MILLIS, proxy(Demand.V1, "10.0.0.0/8"))) {
            String cause = "PROXY header: the connection is from an address that proxy-trusted does not name, and"
                    + " proxy-protocol is v1";
            assertEquals(cause, causeOf(rig, V1));
            assertEquals(cause, causeOf(rig, Rig.connectBytes()));
        }
    }

    @Test
    void missingOrWrongHeader_endsTheConnection_andNamesTheKey() throws Exception {
        try (Rig rig = rig(Rig.Layer.PLAIN, Rig.WAIT_MILLIS, proxy(Demand.V1, "127.0.0.1"))) {
            assertEquals("PROXY header: there is none, but proxy-protocol is v1", causeOf(rig, Rig.connectBytes()));
            assertEquals("PROXY header: it is of version 2, but proxy-protocol is v1", causeOf(rig, V2));
            assertEquals(
                    "PROXY header: it has an address or port that is none",
                    causeOf(rig, ascii("PROXY TCP4 1.2.3.4 1.2.3.400 1 1\r\n")));
        }
        try (Rig rig = rig(Rig.Layer.PLAIN, Rig.WAIT_MILLIS, proxy(Demand.V2, "127.0.0.1"))) {
            assertEquals("PROXY header: it is of version 1, but proxy-protocol is v2", causeOf(rig, V1));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 5, 30})
    void partOfAHeader_isCutAtTheConnectTimeout_orEndsWithTheClient(int bytes) throws Exception {
        byte[] part = java.util.Arrays.copyOf(V1, bytes);
        try (Rig rig = rig(Rig.Layer.PLAIN, 300, proxy(Demand.V1, "127.0.0.1"))) {
            assertEquals("timeout: no CONNECT within 300 ms", causeOf(rig, part));
        }
        try (Rig rig = rig(Rig.Layer.PLAIN, Rig.WAIT_MILLIS, proxy(Demand.V1, "127.0.0.1"))) {
            try (Socket socket = socket(rig)) {
                socket.getOutputStream().write(part);
                socket.shutdownOutput();
                Rig.await("the end", () -> !rig.probes.isEmpty() && rig.probe().closed == 1);
            }
        }
    }

    // ------------------------------------------------------------------------------------------------------- auto

    @ParameterizedTest
    @EnumSource(Rig.Layer.class)
    void auto_recognisesEachKind(Rig.Layer client) throws Exception {
        Layer proxy = proxy(Demand.AUTO, "127.0.0.1");
        try (Rig rig = rig(client, Rig.WAIT_MILLIS, proxy, auto(Kind.values()));
                Rig.Client connected = rig.connect()) {
            byte[] publish = Rig.publishBytes(3000, 1);
            connected.send(Rig.join(Rig.connectBytes(), publish));
            assertArrayEquals(publish, connected.read(publish.length));
            String peer = rig.probe().connection.peer();
            assertEquals(client.recognised(), peer.equals("192.0.2.7:4711"), peer);
        }
    }

    @Test
    void auto_needsNoMoreThanTheFirstByte() throws Exception {
        try (Rig rig = rig(Rig.Layer.PLAIN, Rig.WAIT_MILLIS, auto(Kind.TCP));
                Socket socket = socket(rig)) {
            for (byte one : Rig.connectBytes()) {
                socket.getOutputStream().write(one);
            }
            byte[] publish = Rig.publishBytes(10, 1);
            socket.getOutputStream().write(publish);
            assertArrayEquals(publish, socket.getInputStream().readNBytes(publish.length));
            assertEquals("the client speaks ws, which accept does not name", causeOf(rig, ascii("G")));
            assertEquals("the client speaks tls, which accept does not name", causeOf(rig, new byte[] {0x16}));
        }
    }

    @Test
    void auto_refusesWhatIsNotAccepted_andNamesTheKey() throws Exception {
        try (Rig rig = rig(Rig.Layer.PLAIN, Rig.WAIT_MILLIS, auto(Kind.TLS))) {
            assertEquals("the client speaks tcp, which accept does not name", causeOf(rig, Rig.connectBytes()));
            assertEquals(
                    "the client speaks ws, which accept does not name", causeOf(rig, ascii("GET /mqtt HTTP/1.1\r\n")));
            assertEquals(
                    "the client speaks neither MQTT, TLS nor WebSocket; if it is a PROXY header, see proxy-protocol and"
                            + " proxy-trusted",
                    causeOf(rig, V1));
            for (int first : new int[] {0, 0x20, 0x30, 0x82, 0xc0, 0xff, ' ', '{'}) {
                assertEquals(
                        "the client speaks neither MQTT, TLS nor WebSocket",
                        causeOf(rig, new byte[] {(byte) first, 0, 0}));
            }
            int before = rig.probes.size();
            try (SSLSocket secure =
                    (SSLSocket) Pair.client(null).getSocketFactory().createSocket()) {
                secure.connect(rig.address);
                secure.getOutputStream().write(ascii("GET /mqtt HTTP/1.1\r\n"));
                Rig.await("the end", () -> rig.probe(before).closed == 1);
                assertEquals("the client speaks wss, which accept does not name", rig.probe(before).cause);
            }
            try (SSLSocket secure =
                    (SSLSocket) Pair.client(null).getSocketFactory().createSocket()) {
                secure.connect(rig.address);
                secure.getOutputStream().write(0x16);
                Rig.await("the end", () -> rig.probe(before + 1).closed == 1);
                assertEquals("inside TLS the client speaks neither MQTT nor WebSocket", rig.probe(before + 1).cause);
            }
        }
    }

    @Test
    void auto_withoutAByte_isCutAtTheConnectTimeout() throws Exception {
        try (Rig rig = rig(Rig.Layer.PLAIN, 300, auto(Kind.values()))) {
            assertEquals("timeout: no CONNECT within 300 ms", causeOf(rig, new byte[0]));
            assertEquals("timeout: no CONNECT within 300 ms", causeOf(rig, new byte[] {0x16}));
            assertEquals("timeout: no CONNECT within 300 ms", causeOf(rig, new byte[] {0x10}));
            assertEquals("timeout: no CONNECT within 300 ms", causeOf(rig, ascii("GET ")));
        }
    }
}
