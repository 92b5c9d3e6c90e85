package org.dunlin.it;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
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
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.UnsubAck;
import org.dunlin.mqtt.Unsubscribe;
import org.dunlin.mqtt.codec.PacketDecoder;
import org.dunlin.mqtt.codec.PacketEncoder;
import org.jspecify.annotations.Nullable;

/**
 * A client for tests that does only what it is told: it sends packets or raw bytes, and reads what comes when it is asked. It
 * acknowledges nothing by itself. Every wait has a deadline.
 */
public final class MqttSocket implements AutoCloseable {
    private static final int DEADLINE_MILLIS = 10_000;

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;
    private final ByteBuf received = Unpooled.buffer();
    private final byte[] chunk = new byte[65_536];
    private final PacketDecoder decoder = new PacketDecoder(PacketDecoder.Role.CLIENT).maximumPacketSize(268_435_460);
    private final PacketEncoder encoder = new PacketEncoder(PacketDecoder.Role.CLIENT);
    private ProtocolVersion version = ProtocolVersion.MQTT_5;
    private int nextId = 1;

    private MqttSocket(Socket socket) throws IOException {
        this.socket = socket;
        this.in = socket.getInputStream();
        this.out = socket.getOutputStream();
        speak(ProtocolVersion.MQTT_5);
    }

    public static MqttSocket open(int port) {
        return open(port, "127.0.0.1");
    }

    /** @param from the loopback address that it comes from, like 127.0.0.2 */
    public static MqttSocket open(int port, String from) {
        return open(port, from, 0);
    }

    /** @param receiveBuffer bytes that the system may take before this client reads; 0 leaves that to the system */
    public static MqttSocket open(int port, String from, int receiveBuffer) {
        try {
            Socket socket = new Socket();
            if (receiveBuffer > 0) {
                socket.setReceiveBufferSize(receiveBuffer);
            }
            if (!from.equals("127.0.0.1")) {
                socket.bind(new InetSocketAddress(from, 0));
            }
            socket.setTcpNoDelay(true);
            socket.connect(new InetSocketAddress("127.0.0.1", port), DEADLINE_MILLIS);
            return new MqttSocket(socket);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The version that packets are written and read in; {@link #connect(Connect)} sets it, too. */
    public MqttSocket speak(ProtocolVersion spoken) {
        version = spoken;
        encoder.version(spoken);
        decoder.version(spoken);
        return this;
    }

    /** How many topic aliases the broker may use towards this client. */
    public MqttSocket topicAliasMaximum(int aliases) {
        decoder.topicAliasMaximum(aliases);
        return this;
    }

    // ---- sending

    public MqttSocket send(byte[] bytes) {
        try {
            out.write(bytes);
            out.flush();
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Sends bytes written as hexadecimal digits; blanks do not count. */
    public MqttSocket sendHex(String hex) {
        return send(HexFormat.of().parseHex(hex.replaceAll("\\s", "")));
    }

    public MqttSocket send(Packet... packets) {
        for (Packet packet : packets) {
            if (packet instanceof Connect connect) {
                speak(connect.version());
                decoder.topicAliasMaximum(connect.topicAliasMaximum());
            }
        }
        return send(bytes(packets));
    }

    /** What {@link #send(Packet...)} would send. */
    public byte[] bytes(Packet... packets) {
        ByteBuf buffer = Unpooled.buffer();
        for (Packet packet : packets) {
            if (!encoder.encode(packet, buffer)) {
                throw new AssertionError("cannot encode " + packet);
            }
        }
        return ByteBufUtil.getBytes(buffer);
    }

    // ---- receiving

    /** The next packet. */
    public Packet receive() {
        Packet packet = next(DEADLINE_MILLIS);
        if (packet == null) {
            throw new AssertionError("the broker has closed the connection" + rest());
        }
        return packet;
    }

    /** The next packet, which has to be of that kind. */
    public <P extends Packet> P receive(Class<P> kind) {
        Packet packet = receive();
        if (!kind.isInstance(packet)) {
            throw new AssertionError("expected " + kind.getSimpleName() + ", got " + packet);
        }
        return kind.cast(packet);
    }

    /** The next packet, which has to be an acknowledgement of that type. */
    public Ack receiveAck(PacketType type) {
        Ack ack = receive(Ack.class);
        if (ack.type() != type) {
            throw new AssertionError("expected " + type + ", got " + ack);
        }
        return ack;
    }

    /** The next bytes as they are, exactly that many. */
    public byte[] receiveBytes(int count) {
        while (received.readableBytes() < count) {
            if (!read(DEADLINE_MILLIS)) {
                throw new AssertionError("the broker has closed the connection after " + received.readableBytes()
                        + " of " + count + " bytes" + rest());
            }
        }
        byte[] bytes = new byte[count];
        received.readBytes(bytes);
        received.discardReadBytes();
        return bytes;
    }

    /** The next packet, or null if the connection ends before one is complete. */
    public @Nullable Packet receiveOrEnd() {
        return next(DEADLINE_MILLIS);
    }

    /**
     * The next packet, or null if none is complete within so long, at least 1 ms.
     *
     * @throws UncheckedIOException if the connection has ended
     */
    public @Nullable Packet poll(int millis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        try {
            while (true) {
                Packet packet = decoder.decode(received);
                if (packet != null) {
                    received.discardReadBytes();
                    return packet;
                }
                socket.setSoTimeout((int) Math.max(1, TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime())));
                int count = in.read(chunk);
                if (count < 0) {
                    throw new EOFException("the broker has closed the connection");
                }
                received.writeBytes(chunk, 0, count);
            }
        } catch (SocketTimeoutException e) {
            return null;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** @return null if the connection is closed */
    private @Nullable Packet next(int deadlineMillis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(deadlineMillis);
        while (true) {
            Packet packet = decoder.decode(received);
            if (packet != null) {
                received.discardReadBytes();
                return packet;
            }
            long left = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
            if (left <= 0) {
                throw new AssertionError("nothing received within " + deadlineMillis + " ms" + rest());
            }
            if (!read((int) left)) {
                return null;
            }
        }
    }

    private boolean read(int millis) {
        try {
            socket.setSoTimeout(Math.max(1, millis));
            int count = in.read(chunk);
            if (count < 0) {
                return false;
            }
            received.writeBytes(chunk, 0, count);
            return true;
        } catch (SocketTimeoutException e) {
            throw new AssertionError("nothing received within " + millis + " ms" + rest(), e);
        } catch (IOException e) {
            return false; // reset by the broker
        }
    }

    private String rest() {
        return received.isReadable() ? "; undecoded: " + ByteBufUtil.hexDump(received) : "";
    }

    /** The connection is closed, and nothing but that comes. */
    public void expectClosed() {
        Packet packet = next(DEADLINE_MILLIS);
        if (packet != null) {
            throw new AssertionError("expected the end of the connection, got " + packet);
        }
        if (received.isReadable()) {
            throw new AssertionError("expected the end of the connection" + rest());
        }
    }

    /** DISCONNECT with that reason comes, then the end of the connection; for 3.x the end alone. */
    public void expectDisconnect(ReasonCode reason) {
        if (version.isV5()) {
            Disconnect disconnect = receive(Disconnect.class);
            if (disconnect.reason() != reason) {
                throw new AssertionError("expected DISCONNECT " + reason + ", got " + disconnect);
            }
        }
        expectClosed();
    }

    /** Nothing has come and nothing is under way: proved by a PINGREQ, whose answer has to be the next packet. */
    public void expectNothing() {
        send(Ping.REQUEST);
        Packet packet = receive();
        if (packet != Ping.RESPONSE) {
            throw new AssertionError("expected nothing, got " + packet);
        }
    }

    /** Whether the connection stays open and silent for so long. */
    public boolean staysSilent(int millis) {
        try {
            socket.setSoTimeout(millis);
            int count = in.read(chunk);
            if (count > 0) {
                received.writeBytes(chunk, 0, count);
            }
            return false;
        } catch (SocketTimeoutException e) {
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    // ---- whole exchanges

    /** Sends CONNECT and expects it to be accepted. */
    public ConnAck connect(Connect connect) {
        send(connect);
        ConnAck connAck = receive(ConnAck.class);
        if (connAck.reason() != ReasonCode.SUCCESS) {
            throw new AssertionError("refused: " + connAck);
        }
        return connAck;
    }

    /** Connects with a clean session and nothing else. */
    public MqttSocket connect(ProtocolVersion spoken, String clientId) {
        connect(Connect.builder(spoken, clientId).build());
        return this;
    }

    /** Sends CONNECT and expects it to be refused for that reason, with the connection closed. */
    public ConnAck expectRefused(Connect connect, ReasonCode reason) {
        send(connect);
        ConnAck connAck = receive(ConnAck.class);
        boolean same = version.isV5()
                ? connAck.reason() == reason
                : connAck.reason().v3ConnectReturnCode() == reason.v3ConnectReturnCode();
        if (!same || connAck.sessionPresent()) {
            throw new AssertionError("expected CONNACK " + reason + ", got " + connAck);
        }
        expectClosed();
        return connAck;
    }

    /** A packet identifier, 1 to 65,535 and then from 1 again. */
    public int nextId() {
        int id = nextId;
        nextId = id % 65_535 + 1;
        return id;
    }

    public SubAck subscribe(Subscribe.Entry... entries) {
        return subscribe(0, entries);
    }

    public SubAck subscribe(int subscriptionId, Subscribe.Entry... entries) {
        int id = nextId();
        send(new Subscribe(id, subscriptionId, Arrays.asList(entries), List.of()));
        SubAck subAck = receive(SubAck.class);
        if (subAck.packetId() != id || subAck.reasons().size() != entries.length) {
            throw new AssertionError("not the answer to SUBSCRIBE " + id + ": " + subAck);
        }
        return subAck;
    }

    /** Subscribes to one filter and expects that QoS to be granted. */
    public MqttSocket subscribe(String filter, Qos qos) {
        SubAck subAck = subscribe(new Subscribe.Entry(filter, qos));
        if (subAck.reasons().get(0) != ReasonCode.granted(qos)) {
            throw new AssertionError("expected QoS " + qos + " to be granted for " + filter + ", got " + subAck);
        }
        return this;
    }

    public UnsubAck unsubscribe(String... filters) {
        int id = nextId();
        send(new Unsubscribe(id, List.of(filters), List.of()));
        UnsubAck unsubAck = receive(UnsubAck.class);
        if (unsubAck.packetId() != id) {
            throw new AssertionError("not the answer to UNSUBSCRIBE " + id + ": " + unsubAck);
        }
        return unsubAck;
    }

    /** A message with these parts and nothing else. */
    public static Message message(String topic, String payload, Qos qos, boolean retain) {
        return new Message(
                0,
                "",
                TopicName.of(topic),
                payload.getBytes(StandardCharsets.UTF_8),
                qos,
                retain,
                Message.NEVER,
                Message.NO_BYTES);
    }

    public static String text(Publish publish) {
        return new String(publish.message().payload(), StandardCharsets.UTF_8);
    }

    /** Publishes and completes the exchange; nothing else may come meanwhile. */
    public MqttSocket publish(String topic, String payload, Qos qos) {
        return publish(message(topic, payload, qos, false));
    }

    public MqttSocket publish(Message message) {
        if (message.qos() == Qos.AT_MOST_ONCE) {
            return send(new Publish(message, 0, false));
        }
        int id = nextId();
        send(new Publish(message, id, false));
        if (message.qos() == Qos.AT_LEAST_ONCE) {
            expectSuccess(receiveAck(PacketType.PUBACK), id);
        } else {
            expectSuccess(receiveAck(PacketType.PUBREC), id);
            send(new Ack(PacketType.PUBREL, id));
            expectSuccess(receiveAck(PacketType.PUBCOMP), id);
        }
        return this;
    }

    private static void expectSuccess(Ack ack, int id) {
        if (ack.packetId() != id || ack.reason().isError()) {
            throw new AssertionError("expected success for packet identifier " + id + ", got " + ack);
        }
    }

    /** Receives a PUBLISH and completes the exchange. */
    public Publish receivePublish() {
        Publish publish = receive(Publish.class);
        int id = publish.packetId();
        switch (publish.message().qos()) {
            case AT_MOST_ONCE -> {}
            case AT_LEAST_ONCE -> send(new Ack(PacketType.PUBACK, id));
            case EXACTLY_ONCE -> {
                send(new Ack(PacketType.PUBREC, id));
                expectSuccess(receiveAck(PacketType.PUBREL), id);
                send(new Ack(PacketType.PUBCOMP, id));
            }
        }
        return publish;
    }

    /** Receives a PUBLISH with that topic and payload and completes the exchange. */
    public Publish expectPublish(String topic, String payload) {
        Publish publish = receivePublish();
        if (!publish.message().topic().text().equals(topic) || !text(publish).equals(payload)) {
            throw new AssertionError(
                    "expected " + topic + " \"" + payload + "\", got " + publish + " \"" + text(publish) + "\"");
        }
        return publish;
    }

    /** Leaves by DISCONNECT 0x00 and waits until the broker has closed. */
    public void disconnect() {
        send(new Disconnect(ReasonCode.SUCCESS));
        expectClosed();
        close();
    }

    /** Closes without a word; the broker takes it for a failure of the network. */
    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Closes with a TCP reset. */
    public void reset() {
        try {
            socket.setSoLinger(true, 0);
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Closes the sending half alone. */
    public void closeOutput() {
        try {
            socket.shutdownOutput();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
