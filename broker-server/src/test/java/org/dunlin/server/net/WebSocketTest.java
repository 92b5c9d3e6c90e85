package org.dunlin.server.net;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.server.net.websocket.WebSocketLayer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** WebSocket over real sockets, by a client that can do everything wrong. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class WebSocketTest {
    private static final long SEED = Long.getLong("dunlin.seed", new Random().nextLong());
    private static final String KEY = "dGhlIHNhbXBsZSBub25jZQ==";
    private static final String REQUEST = "GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
            + "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: " + KEY
            + "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";

    private static final int BINARY = 0x82;
    private static final int MAX_FRAME = 100_000;

    private Rig rig;

    @BeforeEach
    void open() throws Exception {
        rig = rig(Rig.WAIT_MILLIS, List.of("https://good.example"));
    }

    private static Rig rig(long connectTimeoutMillis, List<String> origins) throws Exception {
        return rig(connectTimeoutMillis, origins, MAX_FRAME);
    }

    private static Rig rig(long connectTimeoutMillis, List<String> origins, int maxFrame) throws Exception {
        return new Rig(
                Transport.best(),
                Rig.Layer.PLAIN,
                Rig.Setting.of(ChannelMoveTest.limits(connectTimeoutMillis))
                        .layers(List.of(new WebSocketLayer("/mqtt", origins, () -> maxFrame))),
                Rig::echo);
    }

    @AfterEach
    void close() {
        rig.close();
    }

    private Socket socket() throws IOException {
        Socket socket = new Socket();
        socket.connect(rig.address);
        socket.setTcpNoDelay(true);
        socket.setSoTimeout((int) Rig.WAIT_MILLIS);
        return socket;
    }

    private static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String head(Socket socket) throws IOException {
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int b = socket.getInputStream().read();
            if (b < 0) {
                break;
            }
            head.append((char) b);
        }
        return head.toString();
    }

    private Socket upgraded() throws IOException {
        Socket socket = socket();
        send(socket, REQUEST);
        assertTrue(head(socket).startsWith("HTTP/1.1 101 "));
        return socket;
    }

    /** A frame of a client, masked. */
    private static byte[] frame(int first, byte... payload) {
        return frame(first, 0x5a0ff1c3, payload);
    }

    private static byte[] frame(int first, int mask, byte[] payload) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(first);
        if (payload.length < 126) {
            out.write(0x80 | payload.length);
        } else if (payload.length <= 0xffff) {
            out.write(0x80 | 126);
            out.write(payload.length >> 8);
            out.write(payload.length);
        } else {
            out.write(0x80 | 127);
            out.writeBytes(ByteBuffer.allocate(8).putLong(payload.length).array());
        }
        byte[] key = ByteBuffer.allocate(4).putInt(mask).array();
        out.writeBytes(key);
        for (int i = 0; i < payload.length; i++) {
            out.write(payload[i] ^ key[i & 3]);
        }
        return out.toByteArray();
    }

    private record Frame(int first, byte[] payload) {
        int closeCode() {
            assertEquals(0x88, first);
            return payload.length == 0 ? 1005 : ByteBuffer.wrap(payload).getShort() & 0xffff;
        }
    }

    private static @Nullable Frame read(Socket socket) throws IOException {
        var in = new java.io.DataInputStream(socket.getInputStream());
        int first = in.read();
        if (first < 0) {
            return null;
        }
        int length = in.readUnsignedByte();
        assertTrue(length < 128, "a server does not mask");
        if (length == 126) {
            length = in.readUnsignedShort();
        } else if (length == 127) {
            length = (int) in.readLong();
        }
        return new Frame(first, in.readNBytes(length));
    }

    /** The payloads of binary frames, that many bytes. */
    private static byte[] payload(Socket socket, int bytes) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        while (all.size() < bytes) {
            Frame frame = read(socket);
            assertTrue(frame != null && frame.first() == BINARY, () -> "not a binary frame: " + frame);
            all.writeBytes(frame.payload());
        }
        return all.toByteArray();
    }

    @Test
    void upgrade_isAnsweredAsTheStandardsExampleHasIt() throws Exception {
        try (Socket socket = socket()) {
            send(socket, REQUEST);
            String head = head(socket).toLowerCase(java.util.Locale.ROOT);
            assertTrue(head.startsWith("http/1.1 101 "), head);
            assertTrue(head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), head);
            assertTrue(head.contains("sec-websocket-protocol: mqtt\r\n"), head);
            assertFalse(head.contains("extensions"), head);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'Protocol: mqtt', 'Protocol: chat, mqttv3.1', 101",
        "'Protocol: mqtt', 'Protocol: chat', 400",
        "'Sec-WebSocket-Protocol: mqtt\r\n', '', 400",
        "'GET /mqtt ', 'GET /mqtt?token=x ', 101",
        "'GET /mqtt ', 'GET /other ', 404",
        "'GET ', 'POST ', 400",
        "'HTTP/1.1', 'HTTP/1.0', 400",
        "'GET /mqtt HTTP/1.1', 'hello', 400",
        "'Upgrade: websocket\r\n', '', 426",
        "'Upgrade: websocket', 'Upgrade: h2c', 426",
        "'keep-alive, Upgrade', 'keep-alive', 426",
        "'Version: 13', 'Version: 8', 426",
        "'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'X: y', 400",
        "'dGhlIHNhbXBsZSBub25jZQ==', 'dGhl', 400",
        "'dGhlIHNhbXBsZSBub25jZQ==', '*', 400",
        "'Host: localhost', 'Content-Length: 5', 400",
        "'Host: localhost', 'Transfer-Encoding: chunked', 400",
        "'Host: localhost', 'Origin: https://good.example', 101",
        "'Host: localhost', 'Origin: https://evil.example', 403",
        "'Host: localhost', 'Origin: null', 403",
    })
    void upgrade_isCheckedAndAnswered(String from, String to, int status) throws Exception {
        try (Socket socket = socket()) {
            send(socket, REQUEST.replace(from, to));
            String head = head(socket);
            assertTrue(head.startsWith("HTTP/1.1 " + status + " "), head);
            if (status == 101) {
                socket.getOutputStream().write(frame(BINARY, Rig.join(Rig.connectBytes(), Rig.publishBytes(9, 1))));
                assertArrayEquals(Rig.publishBytes(9, 1), payload(socket, Rig.publishBytes(9, 1).length));
            } else {
                String text = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                assertTrue(text.endsWith(".\n"), text);
                Rig.await("the end", () -> rig.probe().closed == 1);
                assertTrue(
                        String.valueOf(rig.probe().cause).startsWith("no WebSocket: answered " + status),
                        rig.probe().cause);
            }
        }
    }

    @Test
    void upgrade_withHeadersWithoutEnd_isRefused() throws Exception {
        try (Socket socket = socket()) {
            send(socket, REQUEST.replace("Host: localhost", "X: " + "x".repeat(9000)));
            assertTrue(head(socket).startsWith("HTTP/1.1 400 "));
        }
    }

    /** All at once, cut anywhere, in frames and fragments of any length [MQTT-6.0.0-2]. */
    @Test
    void packets_acrossFramesAndFragments_areByteExact() throws Exception {
        System.out.println("WebSocketTest -Ddunlin.seed=" + SEED);
        Random random = new Random(SEED);
        for (int round = 0; round < 20; round++) {
            byte[] stream = Rig.stream(60_000, round);
            byte[] packets = Rig.join(Rig.connectBytes(), stream);
            ByteArrayOutputStream frames = new ByteArrayOutputStream();
            boolean open = false;
            for (int from = 0; from < packets.length; ) {
                int length = Math.min(packets.length - from, random.nextInt(random.nextBoolean() ? 8 : 9000));
                boolean last = random.nextBoolean() || from + length == packets.length;
                byte[] part = java.util.Arrays.copyOfRange(packets, from, from + length);
                frames.writeBytes(frame((last ? 0x80 : 0) | (open ? 0 : 2), random.nextInt(), part));
                open = !last;
                from += length;
                if (random.nextInt(4) == 0) {
                    frames.writeBytes(frame(0x8a, random.nextInt(), new byte[random.nextInt(126)])); // a pong
                }
            }
            try (Socket socket = socket()) {
                byte[] all = Rig.join(REQUEST.getBytes(StandardCharsets.US_ASCII), frames.toByteArray());
                Thread sender = new Thread(() -> {
                    Random cuts = new Random(SEED);
                    try {
                        for (int from = 0; from < all.length; ) {
                            int length = Math.min(all.length - from, 1 + cuts.nextInt(7000));
                            socket.getOutputStream().write(all, from, length);
                            from += length;
                        }
                    } catch (IOException e) {
                        rig.refused.add(e.toString());
                    }
                });
                sender.start();
                assertTrue(head(socket).startsWith("HTTP/1.1 101 "));
                assertArrayEquals(stream, payload(socket, stream.length));
                sender.join();
                assertTrue(rig.refused.isEmpty(), rig.refused::toString);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "'810141414141 41', 1003, a text frame",
        "'820141', 1002, not masked",
        "'c28041414141', 1002, reserved bit",
        "'838041414141', 1002, opcode 3",
        "'8b8041414141', 1002, opcode 11",
        "'808041414141', 1002, mixed up",
        "'028041414141 828041414141', 1002, mixed up",
        "'098041414141', 1002, fragmented",
        "'89fe008041414141', 1002, too long",
        "'82fe000141414141', 1002, not written as",
        "'82ff000000000000ffff41414141', 1002, not written as",
        "'82ffffffffffffffffff41414141', 1002, not written as",
        "'82ff000000008000000041414141', 1009, a frame of 2147483648 bytes",
        "'82ff00000000000186a141414141', 1009, 'a frame of 100001 bytes'",
        "'88814141414141', 1002, without a valid code",
        "'88824141414142ad', 1002, without a valid code",
    })
    void frame_thatBreaksTheRules_closesWithTheCode(String hex, int code, String cause) throws Exception {
        String bytes = hex.startsWith("8101") ? "818141414141" + "41" : hex.replace(" ", "");
        byte[] publish = Rig.publishBytes(10, 1);
        try (Socket socket = upgraded()) {
            socket.getOutputStream()
                    .write(Rig.join(
                            frame(BINARY, Rig.join(Rig.connectBytes(), publish)),
                            java.util.HexFormat.of().parseHex(bytes),
                            frame(BINARY, publish)));
            assertArrayEquals(publish, payload(socket, publish.length), "what came before counts");
            Frame close = read(socket);
            assertTrue(close != null);
            assertEquals(code, close.closeCode());
            assertNull(read(socket));
            Rig.await("the end", () -> rig.probe().closed == 1);
            assertTrue(String.valueOf(rig.probe().cause).contains(cause), rig.probe().cause);
        }
    }

    /** Looked at while all of them are there and wait for the rest of what they announced. */
    @Test
    void announcedLength_costsNothing() throws Exception {
        int announced = 4 << 20;
        int crowd = 50;
        rig.close();
        rig = rig(Rig.WAIT_MILLIS, List.of(), announced);
        List<Socket> sockets = new ArrayList<>();
        try {
            long before = rig.loops.bufferBytes();
            byte[] head = ByteBuffer.allocate(14)
                    .put((byte) BINARY)
                    .put((byte) 0xff)
                    .putLong(announced)
                    .array();
            for (int i = 0; i < crowd; i++) {
                Socket socket = upgraded();
                sockets.add(socket);
                socket.getOutputStream().write(Rig.join(head, Rig.connectBytes()));
            }
            Rig.await(
                    "the heads are read",
                    () -> rig.probes.stream()
                                    .filter(probe -> probe.packets.size() == 1)
                                    .count()
                            == crowd);
            long grown = rig.loops.bufferBytes() - before;
            assertTrue(grown < (long) crowd * announced / 4, () -> grown + " bytes for what was announced");
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }

    @Test
    void ping_isAnsweredWithItsPayload_evenBetweenFragments() throws Exception {
        byte[] publish = Rig.publishBytes(1000, 1);
        byte[] packets = Rig.join(Rig.connectBytes(), publish);
        byte[] first = java.util.Arrays.copyOf(packets, 20);
        byte[] rest = java.util.Arrays.copyOfRange(packets, 20, packets.length);
        byte[] text = "Hello!!".getBytes(StandardCharsets.US_ASCII);
        try (Socket socket = upgraded()) {
            socket.getOutputStream().write(Rig.join(frame(2, first), frame(0x89, text), frame(0x89)));
            for (byte[] expected : List.of(text, new byte[0])) {
                Frame pong = read(socket);
                assertTrue(pong != null && pong.first() == 0x8a);
                assertArrayEquals(expected, pong.payload());
            }
            socket.getOutputStream().write(frame(0x80, rest));
            assertArrayEquals(publish, payload(socket, publish.length));
        }
    }

    /** Nobody takes the pongs: they are not gathered. Memory is that of the whole process, so only its growth counts. */
    @Test
    void pingFlood_ofAClientThatDoesNotRead_isBounded() throws Exception {
        byte[] pings = new byte[0];
        for (int i = 0; i < 500; i++) {
            pings = Rig.join(pings, frame(0x89, new byte[125]));
        }
        int bytes = 64 << 20;
        try (Socket socket = upgraded();
                Socket other = upgraded()) {
            long before = rig.loops.bufferBytes();
            for (int sent = 0; sent < bytes; sent += pings.length) {
                socket.getOutputStream().write(pings);
            }
            long grown = rig.loops.bufferBytes() - before;
            assertTrue(grown < bytes / 4, () -> "grown by " + grown + " bytes");
            other.getOutputStream().write(frame(BINARY, Rig.join(Rig.connectBytes(), Rig.publishBytes(9, 1))));
            assertArrayEquals(Rig.publishBytes(9, 1), payload(other, Rig.publishBytes(9, 1).length));
        }
    }

    @ParameterizedTest
    @CsvSource({"03e8, 1000", "03e9, 1001", "0fa0, 4000", "'', 1005"})
    void close_isAnsweredWithItsCode(String payload, int code) throws Exception {
        try (Socket socket = upgraded()) {
            byte[] publish = Rig.publishBytes(10, 1);
            socket.getOutputStream()
                    .write(Rig.join(
                            frame(BINARY, Rig.join(Rig.connectBytes(), publish)),
                            frame(0x88, java.util.HexFormat.of().parseHex(payload))));
            assertArrayEquals(publish, payload(socket, publish.length));
            Frame close = read(socket);
            assertTrue(close != null);
            assertEquals(code, close.closeCode());
            assertNull(read(socket));
            Rig.await("the end", () -> rig.probe().closed == 1);
            assertEquals("closed by the peer without DISCONNECT", rig.probe().cause);
        }
    }

    @Test
    void close_ofTheBroker_waitsForThatOfThePeer() throws Exception {
        try (Socket socket = upgraded()) {
            socket.getOutputStream().write(frame(BINARY, Rig.connectBytes()));
            Rig.await("CONNECT", () -> rig.probe().packets.size() == 1);
            rig.probe().run(rig.probe().connection::close);
            Frame close = read(socket);
            assertTrue(close != null);
            assertEquals(1000, close.closeCode());
            socket.getOutputStream().write(frame(0x88, (byte) 3, (byte) 0xe8));
            assertNull(read(socket));
        }
    }

    @Test
    void disconnect_thenClose_isNoFailure() throws Exception {
        try (Socket socket = upgraded()) {
            socket.getOutputStream()
                    .write(Rig.join(
                            frame(BINARY, Rig.join(Rig.connectBytes(), Rig.bytes(new Disconnect(ReasonCode.SUCCESS)))),
                            frame(0x88, (byte) 3, (byte) 0xe8)));
            Rig.await("the end", () -> rig.probe().closed == 1);
            assertNull(rig.probe().cause);
        }
    }

    @ParameterizedTest
    @CsvSource({"nothing", "half a request", "no CONNECT", "pings alone"})
    void slowClient_isCutAtTheConnectTimeout(String what) throws Exception {
        rig.close();
        rig = rig(500, List.of());
        try (Socket socket = what.equals("nothing") || what.equals("half a request") ? socket() : upgraded()) {
            if (what.equals("half a request")) {
                send(socket, REQUEST.substring(0, 60));
            }
            Rig.await("the cut", () -> {
                if (what.equals("pings alone")) {
                    try {
                        socket.getOutputStream().write(frame(0x89));
                        TimeUnit.MILLISECONDS.sleep(20);
                    } catch (IOException | InterruptedException cut) {
                        // as it should be
                    }
                }
                return rig.probe().closed == 1;
            });
            assertEquals("timeout: no CONNECT within 500 ms", rig.probe().cause);
        }
    }

    @Test
    void pings_areAnsweredUntilTheyFlood() throws Exception {
        for (byte[] each : List.of(frame(0x89, (byte) 7), frame(0x8a), frame(0x82))) {
            int before = rig.probes.size();
            try (Socket socket = upgraded()) {
                ByteArrayOutputStream flood = new ByteArrayOutputStream();
                for (int i = 0; i < 10_000; i++) {
                    flood.writeBytes(each);
                }
                try {
                    socket.getOutputStream().write(flood.toByteArray());
                } catch (IOException cut) {
                    // as it may be
                }
                Rig.await("the end", () -> rig.probe(before).closed == 1);
                assertEquals("WebSocket: more than 100 pings or empty frames within a second", rig.probe(before).cause);
            }
        }
    }
}
