package org.dunlin.core.sim;

import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.core.client.ClientHandler;
import org.dunlin.core.spi.Connection;
import org.dunlin.core.spi.Loop;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Will;
import org.jspecify.annotations.Nullable;

/** The test's thread only. A client whose packets come and go at once, and that does nothing by itself. */
final class ScriptedClient implements Connection {
    private final ScriptedBroker broker;
    private final ProtocolVersion version;
    private final String id;
    private final List<Object> got = new ArrayList<>();
    private final List<Integer> ids = new ArrayList<>();
    private final List<Boolean> dups = new ArrayList<>();
    private Connection.@Nullable Inbound inbound;
    boolean closed;
    boolean inputHeld;
    boolean slow;
    int maxPayload;

    /** Connects without clean start; for 3.x an expiry of 0 asks for a clean session. */
    ScriptedClient(ScriptedBroker broker, ProtocolVersion version, String id, int receiveMaximum, long expirySeconds) {
        this(broker, version, id, receiveMaximum, expirySeconds, null);
    }

    ScriptedClient(
            ScriptedBroker broker,
            ProtocolVersion version,
            String id,
            int receiveMaximum,
            long expirySeconds,
            @Nullable Will will) {
        this(broker, connect(version, id, receiveMaximum, expirySeconds, will));
    }

    ScriptedClient(ScriptedBroker broker, Connect connect) {
        this.broker = broker;
        this.version = connect.version();
        this.id = connect.clientId();
        this.maxPayload = broker.maxPayload;
        broker.loop.execute(() -> inbound = new ClientHandler(broker.shards(), broker.admittance(), this));
        says(connect);
    }

    private ScriptedClient(ScriptedBroker broker, String id) {
        this.broker = broker;
        this.version = ProtocolVersion.MQTT_5;
        this.id = id;
        this.maxPayload = broker.maxPayload;
    }

    /** Sends CONNECT, which the broker has not read yet. */
    static ScriptedClient begins(ScriptedBroker broker, String id, long expirySeconds) {
        ScriptedClient client = new ScriptedClient(broker, id);
        Connect connect = connect(ProtocolVersion.MQTT_5, id, 10, expirySeconds, null);
        broker.loop.execute(() -> {
            client.inbound = new ClientHandler(broker.shards(), broker.admittance(), client);
            client.protocol().received(connect);
        });
        return client;
    }

    private static Connect connect(
            ProtocolVersion version, String id, int receiveMaximum, long expirySeconds, @Nullable Will will) {
        Connect.Builder connect = Connect.builder(version, id).will(will);
        if (version.isV5()) {
            connect.cleanStart(false).receiveMaximum(receiveMaximum).sessionExpirySeconds(expirySeconds);
        } else {
            connect.cleanStart(expirySeconds == 0);
        }
        return connect.build();
    }

    Inbound protocol() {
        Inbound known = inbound;
        assert known != null;
        return known;
    }

    void says(Packet packet) {
        broker.loop.execute(() -> {
            protocol().received(packet);
            protocol().readComplete();
        });
        broker.loops.runFor(1);
    }

    /** While no turn of the loop passes. */
    void saysAtOnce(Packet packet) {
        broker.loops.runNow(broker.loop, () -> {
            protocol().received(packet);
            protocol().readComplete();
        });
    }

    void takeAllAtOnce() {
        for (int i = 0; i < ids.size(); i++) {
            saysAtOnce(new Ack(PacketType.PUBACK, ids.get(i)));
        }
    }

    /** Acknowledges at QoS 1 until nothing more comes. */
    void takeAll() {
        for (int i = 0; i < ids.size(); i++) {
            says(new Ack(PacketType.PUBACK, ids.get(i)));
        }
    }

    void publish(int packetId, String text, Qos qos) {
        publish("t", packetId, text, qos);
    }

    void publish(String topic, int packetId, String text, Qos qos) {
        says(new Publish(
                new Message(
                        packetId,
                        id,
                        TopicName.of(topic),
                        text.getBytes(StandardCharsets.UTF_8),
                        qos,
                        false,
                        Message.NEVER,
                        Message.NO_BYTES),
                packetId,
                false));
    }

    void retain(String topic, String text) {
        says(new Publish(
                new Message(
                        1,
                        id,
                        TopicName.of(topic),
                        text.getBytes(StandardCharsets.UTF_8),
                        Qos.AT_LEAST_ONCE,
                        true,
                        Message.NEVER,
                        Message.NO_BYTES),
                1,
                false));
    }

    void goes() {
        broker.loop.execute(() -> protocol().closed("gone"));
        broker.loops.runFor(1);
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

    List<Boolean> dups() {
        return dups;
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

    ConnAck connAck() {
        return (ConnAck)
                got.stream().filter(ConnAck.class::isInstance).findFirst().orElseThrow();
    }

    /** The last one. */
    SubAck subAck() {
        return (SubAck) got.stream()
                .filter(SubAck.class::isInstance)
                .reduce((a, b) -> b)
                .orElseThrow();
    }

    /** The only one. */
    <P extends Packet> P only(Class<P> kind) {
        List<P> all = got.stream().filter(kind::isInstance).map(kind::cast).toList();
        if (all.size() != 1) {
            throw new AssertionError(all.size() + " of " + kind.getSimpleName() + ": " + got);
        }
        return all.get(0);
    }

    boolean got(PacketType type) {
        return got.stream().anyMatch(p -> p instanceof Packet packet && packet.type() == type);
    }

    @Override
    public Loop loop() {
        return broker.loop;
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
    public @Nullable X509Certificate certificate() {
        return null;
    }

    @Override
    public ProtocolVersion version() {
        return version;
    }

    /** Whether it has got anything at all. */
    boolean isAnswered() {
        return !got.isEmpty();
    }

    /** Of the last packet, which has to be a DISCONNECT. */
    ReasonCode disconnectReason() {
        return ((Disconnect) got.get(got.size() - 1)).reason();
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
    public boolean fits(Message message, Qos qos, int[] subscriptionIds) {
        return message.payload().length <= maxPayload;
    }

    @Override
    public boolean deliver(Message message, Qos qos, boolean retain, boolean dup, int packetId, int[] subscriptionIds) {
        if (message.payload().length > maxPayload) {
            return false;
        }
        got.add(message);
        ids.add(packetId);
        dups.add(dup);
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
