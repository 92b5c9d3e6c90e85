package org.dunlin.it.scenario;

import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;
import org.jspecify.annotations.Nullable;

/**
 * A client that keeps its half of a session over connections that break, as the standard has it: it sends again what is not
 * acknowledged, in the order it was sent first, and hands out a QoS 2 message once. One thread at a time.
 */
final class ResendingClient implements AutoCloseable {
    private final ProtocolVersion version;
    private final String clientId;
    private final int port;
    private final int window;

    /** By packet identifier, in the order of the first PUBLISH; null from PUBREC to PUBCOMP. */
    private final Map<Integer, @Nullable Message> unacknowledged = new LinkedHashMap<>();

    /** QoS 2 identifiers between PUBLISH and PUBREL. */
    private final Set<Integer> received = new HashSet<>();

    /** Broker's messages that are unfinished on this connection. */
    private final Set<Integer> open = new HashSet<>();

    private final Map<String, Integer> nextOf = new HashMap<>();
    private @Nullable MqttSocket socket;
    private boolean hasSession;
    private int lastId;
    private int connections;

    /**
     * @param window most messages that it has unfinished as a publisher; as a receiver its Receive Maximum, which MQTT 5 lets
     *     it say
     */
    ResendingClient(ProtocolVersion version, String clientId, int port, int window) {
        this.version = version;
        this.clientId = clientId;
        this.port = port;
        this.window = window;
    }

    int connections() {
        return connections;
    }

    /** Subscribes over a connection that holds. */
    void subscribe(String filter) {
        MqttSocket to = connect();
        Subscribe subscribe =
                new Subscribe(65_535, 0, List.of(new Subscribe.Entry(filter, Qos.EXACTLY_ONCE)), List.of());
        if (to == null || !write(subscribe)) {
            throw new AssertionError("the connection for SUBSCRIBE broke");
        }
        to.receive(SubAck.class);
    }

    /** Publishes numbers from 0 under each topic, QoS 1 and 2 in turn, and returns when all are acknowledged. */
    void publish(int count, String... topics) {
        int sent = 0;
        while (sent < count * topics.length || !unacknowledged.isEmpty()) {
            MqttSocket to = connected();
            if (to == null) {
                continue;
            }
            boolean alive = true;
            while (alive && unacknowledged.size() < window && sent < count * topics.length) {
                int number = sent / topics.length;
                Qos qos = number % 3 == 0 ? Qos.AT_LEAST_ONCE : Qos.EXACTLY_ONCE;
                Message message =
                        MqttSocket.message(topics[sent % topics.length], qos.value() + ":" + number, qos, false);
                sent++;
                int id = freeId();
                unacknowledged.put(id, message);
                alive = write(new Publish(message, id, false));
            }
            if (alive && !unacknowledged.isEmpty()) {
                Packet packet = to.receiveOrEnd();
                if (packet == null) {
                    lose();
                } else {
                    acknowledged((Ack) packet);
                }
            }
        }
    }

    private int freeId() {
        do {
            lastId = lastId % 65_535 + 1;
        } while (unacknowledged.containsKey(lastId));
        return lastId;
    }

    private void acknowledged(Ack ack) {
        int id = ack.packetId();
        // its PUBCOMP may have been lost after the broker let go of the identifier [MQTT 5, 3.7.2.1]
        boolean isForgotten =
                ack.type() == PacketType.PUBCOMP && ack.reason() == ReasonCode.PACKET_IDENTIFIER_NOT_FOUND;
        if (ack.reason().isError() && !isForgotten) {
            throw new AssertionError(clientId + " was refused: " + ack);
        }
        switch (ack.type()) {
            case PUBACK -> {
                Message message = unacknowledged.remove(id);
                if (message == null || message.qos() != Qos.AT_LEAST_ONCE) {
                    throw new AssertionError("PUBACK for nothing: " + ack);
                }
            }
            case PUBREC -> {
                if (!unacknowledged.containsKey(id)) {
                    throw new AssertionError("PUBREC for nothing: " + ack);
                }
                unacknowledged.put(id, null);
                write(new Ack(PacketType.PUBREL, id));
            }
            case PUBCOMP -> {
                if (unacknowledged.getOrDefault(id, MqttSocket.message("x", "", Qos.AT_MOST_ONCE, false)) != null) {
                    throw new AssertionError("PUBCOMP before PUBREC: " + ack);
                }
                unacknowledged.remove(id);
            }
            default -> throw new AssertionError(ack);
        }
    }

    /** Receives until as many numbers of each of so many topics have come, without a gap and in order. */
    void receive(int topics, int count) {
        int complete = 0;
        while (complete < topics) {
            MqttSocket from = connected();
            if (from == null) {
                continue;
            }
            Packet packet = from.receiveOrEnd();
            if (packet == null) {
                lose();
            } else if (packet instanceof Publish publish) {
                if (take(publish) && nextOf.get(publish.message().topic().text()) == count) {
                    complete++;
                }
            } else if (packet.type() == PacketType.PUBREL) {
                int id = ((Ack) packet).packetId();
                received.remove(id);
                open.remove(id);
                write(new Ack(PacketType.PUBCOMP, id));
            } else {
                throw new AssertionError("unexpected " + packet);
            }
        }
    }

    /** @return whether it is the first delivery of that number */
    private boolean take(Publish publish) {
        int id = publish.packetId();
        Message message = publish.message();
        open.add(id);
        if (version.isV5() && open.size() > window) {
            throw new AssertionError("the broker exceeds the Receive Maximum of " + window);
        }
        boolean isNew = true;
        if (message.qos() == Qos.EXACTLY_ONCE) {
            isNew = received.add(id);
            if (!isNew && !publish.dup()) {
                throw new AssertionError("packet identifier " + id + " is used again without PUBREL");
            }
            write(new Ack(PacketType.PUBREC, id));
        } else {
            open.remove(id);
            write(new Ack(PacketType.PUBACK, id));
        }
        return isNew && count(message);
    }

    private boolean count(Message message) {
        String topic = message.topic().text();
        String[] parts = new String(message.payload(), StandardCharsets.UTF_8).split(":");
        if (Integer.parseInt(parts[0]) != message.qos().value()) {
            throw new AssertionError("published at QoS " + parts[0] + ", got " + message);
        }
        int number = Integer.parseInt(parts[1]);
        int next = nextOf.getOrDefault(topic, 0);
        if (number > next) {
            throw new AssertionError("a gap: expected " + next + " of " + topic + ", got " + number);
        }
        if (number < next) {
            if (message.qos() == Qos.EXACTLY_ONCE) {
                throw new AssertionError("QoS 2 message " + number + " of " + topic + " came twice; expected " + next);
            }
            return false;
        }
        nextOf.put(topic, next + 1);
        return true;
    }

    private @Nullable MqttSocket connected() {
        return socket != null ? socket : connect();
    }

    /** Connects and sends again what has to be. @return null if the connection broke */
    private @Nullable MqttSocket connect() {
        connections++;
        open.clear();
        try {
            MqttSocket to = MqttSocket.open(port);
            socket = to;
            to.send(Connect.builder(version, clientId)
                    .cleanStart(false)
                    .sessionExpirySeconds(3600)
                    .receiveMaximum(window)
                    .build());
            Packet answer = to.receiveOrEnd();
            if (answer == null) {
                lose();
                return null;
            }
            ConnAck connAck = (ConnAck) answer;
            if (connAck.reason() != ReasonCode.SUCCESS || hasSession && !connAck.sessionPresent()) {
                throw new AssertionError("the session is lost: " + connAck);
            }
            hasSession = true;
        } catch (UncheckedIOException e) {
            lose();
            return null;
        }
        for (Map.Entry<Integer, @Nullable Message> entry : unacknowledged.entrySet()) {
            Message message = entry.getValue();
            Packet again = message == null
                    ? new Ack(PacketType.PUBREL, entry.getKey())
                    : new Publish(message, entry.getKey(), true);
            if (!write(again)) {
                return null;
            }
        }
        return socket;
    }

    private boolean write(Packet packet) {
        MqttSocket to = socket;
        if (to == null) {
            return false;
        }
        try {
            to.send(packet);
            return true;
        } catch (UncheckedIOException e) {
            lose();
            return false;
        }
    }

    private void lose() {
        MqttSocket lost = socket;
        socket = null;
        if (lost != null) {
            lost.close();
        }
    }

    @Override
    public void close() {
        lose();
    }
}
