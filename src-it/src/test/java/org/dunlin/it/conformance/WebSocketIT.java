package org.dunlin.it.conformance;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.dunlin.it.Clause;
import org.dunlin.it.RunningBroker;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** MQTT over WebSocket, frame by frame. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class WebSocketIT {
    /** CONNECT of 3.1.1 with a clean session, and its CONNACK. */
    private static final byte[] CONNECT = HexFormat.of().parseHex("100f00044d515454040200000003777331");

    private static final byte[] CONNACK = {0x20, 2, 0, 0};
    private static final byte[] PINGREQ = {(byte) 0xc0, 0};
    private static final byte[] PINGRESP = {(byte) 0xd0, 0};

    private RunningBroker broker;

    @BeforeAll
    void start() {
        List<String> command = new ArrayList<>(RunningBroker.command(
                List.of("-Xmx256m"), List.of("listeners[0].port=0", "listeners[1].type=ws", "listeners[1].port=0")));
        int port = command.indexOf("-p");
        command.subList(port, port + 2).clear();
        broker = RunningBroker.run(command);
    }

    @AfterAll
    void stop() {
        broker.close();
    }

    private String request(Socket socket, String protocols) throws IOException {
        socket.setSoTimeout(20_000);
        socket.getOutputStream()
                .write(("GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                                + protocols
                                + "\r\n")
                        .getBytes(StandardCharsets.US_ASCII));
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
            int b = socket.getInputStream().read();
            assertTrue(b >= 0, () -> "ended after " + head);
            head.append((char) b);
        }
        return head.toString();
    }

    private Socket open() throws IOException {
        Matcher address = Pattern.compile("ws://127\\.0\\.0\\.1:(\\d+)").matcher(broker.awaitLog(" Ready "));
        assertTrue(address.find());
        return new Socket("127.0.0.1", Integer.parseInt(address.group(1)));
    }

    private static byte[] frame(int first, byte[] payload) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write(first);
        out.write(0x80 | payload.length);
        out.writeBytes(new byte[4]); // a mask of zeros
        out.writeBytes(payload);
        return out.toByteArray();
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    /** The payload of the next frame, which has to begin with that byte. */
    private static byte[] read(Socket socket, int first) throws IOException {
        DataInputStream in = new DataInputStream(socket.getInputStream());
        assertEquals(first, in.readUnsignedByte());
        return in.readNBytes(in.readUnsignedByte());
    }

    @Test
    @Clause(
            v5 = {"MQTT-6.0.0-3", "MQTT-6.0.0-4"},
            v3 = {"MQTT-6.0.0-3", "MQTT-6.0.0-4"},
            edge = {"E177"})
    void subprotocol_isMqtt_andHasToBeOffered() throws Exception {
        try (Socket socket = open()) {
            String head = request(socket, "Sec-WebSocket-Protocol: chat, mqtt\r\n");
            assertTrue(head.startsWith("HTTP/1.1 101 "), head);
            assertTrue(head.toLowerCase(java.util.Locale.ROOT).contains("sec-websocket-protocol: mqtt\r\n"), head);
        }
        try (Socket socket = open()) {
            assertTrue(request(socket, "").startsWith("HTTP/1.1 400 "));
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-6.0.0-2"},
            v3 = {"MQTT-6.0.0-2"},
            edge = {"E176"})
    void packets_needNotAlignWithFrames() throws Exception {
        try (Socket socket = open()) {
            request(socket, "Sec-WebSocket-Protocol: mqtt\r\n");
            byte[] first = java.util.Arrays.copyOf(CONNECT, 5);
            byte[] rest = java.util.Arrays.copyOfRange(CONNECT, 5, CONNECT.length);
            socket.getOutputStream()
                    .write(join(frame(2, first), frame(0x89, new byte[] {7}), frame(0x80, join(rest, PINGREQ))));
            assertArrayEquals(new byte[] {7}, read(socket, 0x8a));
            byte[] answers = read(socket, 0x82);
            while (answers.length < 6) {
                answers = join(answers, read(socket, 0x82));
            }
            assertArrayEquals(join(CONNACK, PINGRESP), answers);
        }
    }

    @Test
    @Clause(
            v5 = {"MQTT-6.0.0-1"},
            v3 = {"MQTT-6.0.0-1"},
            edge = {"E176"})
    void textFrame_endsTheConnection() throws Exception {
        try (Socket socket = open()) {
            request(socket, "Sec-WebSocket-Protocol: mqtt\r\n");
            socket.getOutputStream().write(frame(0x82, CONNECT));
            assertArrayEquals(CONNACK, read(socket, 0x82));
            socket.getOutputStream().write(frame(0x81, PINGREQ));
            assertArrayEquals(new byte[] {3, (byte) 0xeb}, read(socket, 0x88));
            assertEquals(-1, socket.getInputStream().read());
        }
    }
}
