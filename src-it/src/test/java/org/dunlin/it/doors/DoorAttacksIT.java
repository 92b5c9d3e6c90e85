package org.dunlin.it.doors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLSocket;
import org.dunlin.it.RealClient;
import org.dunlin.it.RunningBroker;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What hostile clients do at the doors: each is sent away in time, and others are served all the while. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class DoorAttacksIT {
    private static final long SEED = Long.getLong("dunlin.seed", new Random().nextLong());
    private static final byte[] CONNECT = {0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 1, 'a'};
    private static final byte[] HELLO = {22, 3, 1, 2, 0, 1, 0, 1, (byte) 0xfc, 3, 3};

    private Identity server;
    private RunningBroker broker;
    private SSLSocket witness;

    @BeforeAll
    void start(@TempDir Path folder) throws Exception {
        server = Identity.make(folder, "server");
        List<String> settings = new ArrayList<>(List.of("limits.connect-timeout=3s"));
        List<List<String>> listeners = List.of(
                List.of("type=auto", "cert=" + server.cert(), "key=" + server.key()),
                List.of("type=ws"),
                List.of("name=front", "type=auto", "proxy-protocol=auto", "proxy-trusted=10.0.0.0/8, ::1"),
                List.of("name=back", "type=tcp", "proxy-protocol=v2", "proxy-trusted=127.0.0.0/8"));
        for (int i = 0; i < listeners.size(); i++) {
            settings.add("listeners[" + i + "].port=0");
            for (String one : listeners.get(i)) {
                settings.add("listeners[" + i + "]." + one);
            }
        }
        List<String> command = new ArrayList<>(RunningBroker.command(List.of("-Xmx512m"), settings));
        int port = command.indexOf("-p");
        command.subList(port, port + 2).clear();
        broker = RunningBroker.launch(command);
        witness = (SSLSocket) server.context().getSocketFactory().createSocket("127.0.0.1", port(0));
        witness.setSoTimeout(20_000);
        byte[] ofWitness = CONNECT.clone();
        ofWitness[ofWitness.length - 1] = 'w';
        witness.getOutputStream().write(ofWitness);
        assertEquals(0x20, witness.getInputStream().readNBytes(4)[0]);
    }

    @AfterAll
    void stop() throws IOException {
        witness.close();
        broker.close();
        assertTrue(
                broker.log().stream().noneMatch(line -> line.contains("\tat ")),
                () -> broker.log().toString());
    }

    /** Whoever was there before is served, and so is whoever comes now. */
    @AfterEach
    void othersAreServed() throws IOException {
        ping();
        RealClient.run("mosquitto_pub", "-h", "127.0.0.1", "-p", "" + port(0), "-q", "1", "-t", "t", "-m", "m")
                .awaitSuccess();
    }

    private void ping() throws IOException {
        witness.getOutputStream().write(new byte[] {(byte) 0xc0, 0});
        assertEquals((byte) 0xd0, witness.getInputStream().readNBytes(2)[0]);
    }

    /** The port of the listener that is the nth in the configuration. */
    private int port(int index) {
        Matcher address =
                Pattern.compile(" (auto|tcp|tls|wss?)://127\\.0\\.0\\.1:(\\d+)").matcher(broker.awaitLog(" Ready "));
        for (int i = 0; address.find(); i++) {
            if (i == index) {
                return Integer.parseInt(address.group(2));
            }
        }
        throw new AssertionError("no listener " + index);
    }

    private Socket open(int listener) throws IOException {
        Socket socket = new Socket("127.0.0.1", port(listener));
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(20_000);
        return socket;
    }

    /** What comes until the broker ends it, which has to be before the read times out. */
    private static byte[] rest(Socket socket) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        try {
            for (int b = socket.getInputStream().read();
                    b >= 0;
                    b = socket.getInputStream().read()) {
                all.write(b);
            }
        } catch (java.net.SocketException reset) {
            // an end, too
        }
        return all.toByteArray();
    }

    private static void send(Socket socket, byte[] bytes) {
        try {
            socket.getOutputStream().write(bytes);
        } catch (IOException ended) {
            // while we wrote
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    // --------------------------------------------------------------------------------------------------------- TLS

    @Test
    void handshake_byteByByte_isCut() throws Exception {
        try (Socket socket = open(0)) {
            Thread dribble = new Thread(() -> {
                try {
                    for (byte one : HELLO) {
                        socket.getOutputStream().write(one);
                        TimeUnit.SECONDS.sleep(1);
                    }
                } catch (IOException | InterruptedException cut) {
                    // as it should be
                }
            });
            dribble.start();
            rest(socket);
            dribble.interrupt();
            dribble.join();
        }
    }

    @Test
    void tlsClient_thatNeverConnects_isCut() throws Exception {
        try (SSLSocket socket = (SSLSocket) server.context().getSocketFactory().createSocket("127.0.0.1", port(0))) {
            socket.setSoTimeout(20_000);
            socket.startHandshake();
            assertEquals(-1, socket.getInputStream().read());
        }
    }

    /** More than can be computed at a time, and none of them ever goes on. */
    @Test
    void thousandStalledHandshakes_leaveOthersServed() throws Exception {
        List<Socket> crowd = new ArrayList<>();
        try {
            for (int i = 0; i < 1000; i++) {
                Socket socket = open(0);
                crowd.add(socket);
                socket.getOutputStream().write(HELLO);
                if (i % 50 == 0) {
                    ping();
                }
            }
            for (int i = 0; i < 50; i++) {
                ping();
            }
            try (SSLSocket fresh =
                    (SSLSocket) server.context().getSocketFactory().createSocket("127.0.0.1", port(0))) {
                fresh.setSoTimeout(20_000);
                fresh.getOutputStream().write(CONNECT);
                assertTrue(fresh.getInputStream().read() >= 0);
            }
            for (Socket socket : crowd) {
                rest(socket);
            }
        } finally {
            for (Socket socket : crowd) {
                socket.close();
            }
        }
    }

    // --------------------------------------------------------------------------------------------------- WebSocket

    private Socket upgraded() throws IOException {
        Socket socket = open(1);
        send(
                socket,
                ascii("GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                        + "Sec-WebSocket-Protocol: mqtt\r\n\r\n"));
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            head.append((char) socket.getInputStream().read());
        }
        assertTrue(head.toString().startsWith("HTTP/1.1 101 "), head::toString);
        return socket;
    }

    private static void assertClosedWith(int code, byte[] rest) {
        assertTrue(rest.length >= 4, "no close frame");
        ByteBuffer close = ByteBuffer.wrap(rest, rest.length - 4, 4);
        assertEquals((short) 0x8802, close.getShort());
        assertEquals(code, close.getShort());
    }

    @Test
    void frame_thatAnnounces2GB_isRefusedAtItsHead() throws Exception {
        try (Socket socket = upgraded()) {
            send(
                    socket,
                    ByteBuffer.allocate(14)
                            .put((byte) 0x82)
                            .put((byte) 0xff)
                            .putLong(2L << 30)
                            .array());
            assertClosedWith(1009, rest(socket));
        }
    }

    @Test
    void floodOfPings_isEnded() throws Exception {
        try (Socket socket = upgraded()) {
            byte[] pings = new byte[6 * 1000];
            for (int i = 0; i < pings.length; i += 6) {
                pings[i] = (byte) 0x89;
                pings[i + 1] = (byte) 0x80;
            }
            send(socket, pings);
            assertClosedWith(1008, rest(socket));
        }
    }

    @Test
    void framesWithoutMask_areRefused() throws Exception {
        try (Socket socket = upgraded()) {
            send(socket, new byte[] {(byte) 0x82, 2, (byte) 0xc0, 0});
            assertClosedWith(1002, rest(socket));
        }
    }

    /** With a mask that was not used the bytes are no MQTT. */
    @Test
    void framesWithAWrongMask_areMalformed() throws Exception {
        try (Socket socket = upgraded()) {
            ByteArrayOutputStream frame = new ByteArrayOutputStream();
            frame.write(0x82);
            frame.write(0x80 | CONNECT.length);
            frame.writeBytes(new byte[] {1, 2, 3, 4});
            frame.writeBytes(CONNECT);
            send(socket, frame.toByteArray());
            assertClosedWith(1000, rest(socket));
        }
    }

    // ------------------------------------------------------------------------------------------------------- PROXY

    @ParameterizedTest
    @ValueSource(
            strings = {"PROXY TCP4 10.0.0.1 10.0.0.2 1 1883\r\n", "PROXY UNKNOWN\r\n", "PROXY ", "\r\n\r\n\0\r\nQUIT\n"
            })
    void proxyHeader_ofALiar_isRefused(String header) throws Exception {
        try (Socket socket = open(2)) {
            send(socket, ascii(header));
            send(socket, CONNECT);
            assertEquals(0, rest(socket).length);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 11, 12, 15, 20})
    void partOfAProxyHeader_isCut(int bytes) throws Exception {
        byte[] header = ByteBuffer.allocate(28)
                .put(ascii("\r\n\r\n\0\r\nQUIT\n"))
                .put(new byte[] {0x21, 0x11, 0, 12})
                .array();
        try (Socket socket = open(3)) {
            send(socket, java.util.Arrays.copyOf(header, bytes));
            assertEquals(0, rest(socket).length);
        }
    }

    @Test
    void missingProxyHeader_isRefused() throws Exception {
        try (Socket socket = open(3)) {
            send(socket, CONNECT);
            assertEquals(0, rest(socket).length);
        }
    }

    // -------------------------------------------------------------------------------------------------------- auto

    @Test
    void anyFirstByte_endsInTimeOrGetsAnAnswer() throws Exception {
        System.out.println("DoorAttacksIT -Ddunlin.seed=" + SEED);
        Random random = new Random(SEED);
        List<Socket> sockets = new ArrayList<>();
        try {
            for (int first = 0; first < 256; first++) {
                Socket socket = open(random.nextBoolean() ? 0 : 2);
                sockets.add(socket);
                byte[] bytes = new byte[1 + random.nextInt(100)];
                random.nextBytes(bytes);
                bytes[0] = (byte) first;
                send(socket, bytes);
            }
            for (Socket socket : sockets) {
                rest(socket);
            }
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }

    @Test
    void inTheClear_whereItIsNotAccepted_isRefused() throws Exception {
        try (Socket socket = open(2)) {
            send(socket, HELLO);
            assertEquals(0, rest(socket).length);
        }
    }
}
