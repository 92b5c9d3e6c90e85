package org.dunlin.it.start;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * A client of MQTT 3.1.1 that fills a broker fast: it writes many packets at once and then reads their answers. One thread.
 */
final class PipelinedClient implements AutoCloseable {
    /** QoS 1 messages under way; a broker's Receive Maximum is 1024 by default. */
    private static final int WINDOW = 500;

    private static final int DEADLINE_MILLIS = 60_000;
    private static final int CONNACK = 0x20;
    private static final int PUBACK = 0x40;
    private static final int SUBACK = 0x90;

    private final Socket socket = new Socket();
    private final DataInputStream in;
    private final OutputStream out;
    private ByteBuffer packets = ByteBuffer.allocate(1 << 16);
    private int unacknowledged;

    private PipelinedClient(int port) throws IOException {
        socket.setTcpNoDelay(true);
        socket.setSoTimeout(DEADLINE_MILLIS);
        socket.connect(new InetSocketAddress("127.0.0.1", port), DEADLINE_MILLIS);
        in = new DataInputStream(socket.getInputStream());
        out = socket.getOutputStream();
    }

    /** Makes a session with one subscription at QoS 1 and leaves it by DISCONNECT. */
    static void leaveSession(int port, String clientId, String filter) throws IOException {
        try (PipelinedClient client = new PipelinedClient(port)) {
            client.putConnect(clientId, false);
            client.putSubscribe(filter);
            client.flush();
            client.expect(CONNACK);
            client.expect(SUBACK);
            client.packets.put(new byte[] {(byte) 0xE0, 0});
            client.flush();
            if (client.in.read() >= 0) {
                throw new IOException("the broker answers DISCONNECT");
            }
        }
    }

    /** Connects with a clean session, to publish. */
    static PipelinedClient connect(int port, String clientId) throws IOException {
        PipelinedClient client = new PipelinedClient(port);
        client.putConnect(clientId, true);
        client.flush();
        client.expect(CONNACK);
        return client;
    }

    /** Publishes at QoS 1. What is not yet acknowledged is at {@link #awaitAcknowledgements}. */
    void publish(String topic, byte[] payload, boolean retain) throws IOException {
        byte[] name = topic.getBytes(StandardCharsets.UTF_8);
        unacknowledged++;
        putHeader(retain ? 0x33 : 0x32, 2 + name.length + 2 + payload.length);
        putText(name);
        packets.putShort((short) unacknowledged).put(payload);
        if (unacknowledged == WINDOW) {
            awaitAcknowledgements();
        }
    }

    void awaitAcknowledgements() throws IOException {
        flush();
        while (unacknowledged > 0) {
            expect(PUBACK);
            unacknowledged--;
        }
    }

    private void putConnect(String clientId, boolean clean) {
        byte[] id = clientId.getBytes(StandardCharsets.UTF_8);
        putHeader(0x10, 12 + id.length);
        putText("MQTT".getBytes(StandardCharsets.UTF_8));
        packets.put((byte) 4).put((byte) (clean ? 2 : 0)).putShort((short) 0);
        putText(id);
    }

    private void putSubscribe(String filter) {
        byte[] text = filter.getBytes(StandardCharsets.UTF_8);
        putHeader(0x82, 5 + text.length);
        packets.putShort((short) 1);
        putText(text);
        packets.put((byte) 1);
    }

    private void putHeader(int type, int length) {
        if (packets.remaining() < length + 5) {
            packets = ByteBuffer.allocate((packets.capacity() + length) * 2).put(packets.flip());
        }
        packets.put((byte) type);
        int left = length;
        while (left > 127) {
            packets.put((byte) (left & 0x7F | 0x80));
            left >>= 7;
        }
        packets.put((byte) left);
    }

    private void putText(byte[] utf8) {
        packets.putShort((short) utf8.length).put(utf8);
    }

    private void flush() throws IOException {
        out.write(packets.array(), 0, packets.position());
        packets.clear();
    }

    /** Reads one packet, which has to be of that type and to say that all is well. */
    private void expect(int type) throws IOException {
        int first = in.read();
        if (first < 0) {
            throw new EOFException("the broker closed the connection");
        }
        byte[] body = new byte[in.readUnsignedByte()];
        in.readFully(body);
        boolean isFine = type == PUBACK || body[body.length - 1] >= 0 && (type != CONNACK || body[1] == 0);
        if (first != type || !isFine) {
            throw new IOException("expected a packet of type " + (type >> 4) + " that says yes, got " + (first >> 4));
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
