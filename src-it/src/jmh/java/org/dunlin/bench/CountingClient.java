package org.dunlin.bench;

import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.core.Broker;
import org.dunlin.core.spi.Connection;
import org.dunlin.core.spi.Loop;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Subscribe;
import org.jspecify.annotations.Nullable;

/**
 * One thread. A client and its transport in one, without bytes: it counts what it is sent, and what is sent with QoS 1 is
 * acknowledged in the next turn of its loop.
 */
final class CountingClient implements Connection {
    /** What all clients of a benchmark share. */
    static final class Counts {
        private long delivered;
        private long acknowledged;

        long delivered() {
            return delivered;
        }

        /** PUBLISHes that the broker has acknowledged. */
        long acknowledged() {
            return acknowledged;
        }
    }

    private static final int NONE = 0;

    private final Loop loop;
    private final String id;
    private final Counts counts;
    private final Acknowledging acknowledging;
    private @Nullable Inbound broker;
    private int owedId = NONE;

    CountingClient(Loop loop, String id, Counts counts, Acknowledging acknowledging) {
        this.loop = loop;
        this.id = id;
        this.counts = counts;
        this.acknowledging = acknowledging;
    }

    /** Receivers on one loop that owe a PUBACK. */
    static final class Acknowledging implements Runnable {
        private final Loop loop;
        private final List<CountingClient> owing = new ArrayList<>();

        Acknowledging(Loop loop) {
            this.loop = loop;
        }

        void owes(CountingClient client) {
            if (owing.isEmpty()) {
                loop.execute(this);
            }
            owing.add(client);
        }

        @Override
        public void run() {
            for (int i = 0; i < owing.size(); i++) {
                owing.get(i).acknowledge();
            }
            owing.clear();
        }
    }

    /** @param expirySeconds above 0 makes the session one that outlives the connection */
    void connect(Broker to, long expirySeconds) {
        loop.execute(() -> broker = to.connect(this));
        says(Connect.builder(ProtocolVersion.MQTT_5, id)
                .sessionExpirySeconds(expirySeconds)
                .build());
    }

    void subscribe(String filter, Qos qos) {
        says(new Subscribe(1, 0, List.of(new Subscribe.Entry(filter, qos)), List.of()));
    }

    void says(Packet packet) {
        loop.execute(() -> hand(packet));
    }

    private void hand(Packet packet) {
        Inbound to = broker;
        if (to == null) {
            throw new IllegalStateException(id + " is not connected");
        }
        to.received(packet);
        to.readComplete();
    }

    private void acknowledge() {
        int packetId = owedId;
        owedId = NONE;
        hand(new Ack(PacketType.PUBACK, packetId));
    }

    @Override
    public Loop loop() {
        return loop;
    }

    @Override
    public String peer() {
        return id;
    }

    @Override
    public String listener() {
        return "benchmark";
    }

    @Override
    public @Nullable X509Certificate certificate() {
        return null;
    }

    @Override
    public ProtocolVersion version() {
        return ProtocolVersion.MQTT_5;
    }

    @Override
    public void agree(Terms terms) {}

    @Override
    public boolean send(Packet packet) {
        if (packet.type() == PacketType.DISCONNECT) {
            throw new IllegalStateException(id + " is sent " + packet);
        }
        return true;
    }

    @Override
    public void sendAck(PacketType type, int packetId, ReasonCode reason) {
        counts.acknowledged++;
    }

    @Override
    public boolean fits(Message message, Qos qos, int[] subscriptionIds) {
        return true;
    }

    @Override
    public boolean deliver(Message message, Qos qos, boolean retain, boolean dup, int packetId, int[] subscriptionIds) {
        counts.delivered++;
        if (qos == Qos.AT_LEAST_ONCE) {
            if (owedId != NONE) {
                throw new IllegalStateException(id + " gets a second message before it has acknowledged the first");
            }
            owedId = packetId;
            acknowledging.owes(this);
        }
        return true;
    }

    @Override
    public boolean isWritable() {
        return true;
    }

    @Override
    public void holdInput() {}

    @Override
    public void releaseInput() {}

    @Override
    public void moveTo(Loop target, Runnable arrived) {
        throw new IllegalStateException(id + " has a session elsewhere");
    }

    @Override
    public void close() {
        throw new IllegalStateException(id + " is closed by the broker");
    }
}
