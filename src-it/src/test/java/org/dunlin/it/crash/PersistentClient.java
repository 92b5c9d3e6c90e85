package org.dunlin.it.crash;

import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntSupplier;
import org.dunlin.it.MqttSocket;
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
import org.dunlin.mqtt.Will;
import org.jspecify.annotations.Nullable;

/**
 * A client that keeps its half of a session over connections and over ends of the broker, as the standard has it: it sends again
 * what is not acknowledged, under the same packet identifiers and in the order it was sent first, and hands out a QoS 2 message
 * once. It notes all of it in a {@link History}. One thread at a time.
 */
final class PersistentClient {
    private static final int ANSWER_MILLIS = 10_000;
    private static final int SUBSCRIBE_ID = 60_000;

    private record InFlight(MessageKey key, Message message, boolean released) {}

    private record Operation(String filter, @Nullable Qos qos) {}

    private final String clientId;
    private final ProtocolVersion version;
    private final History history;
    private final IntSupplier port;
    private final Deque<Integer> freeIds = new ArrayDeque<>();
    private int receiveMaximum = Connect.DEFAULT_RECEIVE_MAXIMUM;
    private long expirySeconds = 3600;
    private @Nullable MessageKey will;
    private int willDelay;

    private final Map<Integer, InFlight> inFlight = new LinkedHashMap<>();
    private final Map<Integer, MessageKey> received = new HashMap<>();
    private final Set<Integer> open = new HashSet<>();
    private final Set<String> subscriptions = new HashSet<>();
    private @Nullable Operation pending;
    private int lastOperation = SUBSCRIBE_ID;
    private int connections;
    private @Nullable MqttSocket socket;

    PersistentClient(String clientId, ProtocolVersion version, History history, IntSupplier port) {
        this.clientId = clientId;
        this.version = version;
        this.history = history;
        this.port = port;
    }

    /** How many packet identifiers it publishes with, from 1 on; the one that came free last is used next. */
    PersistentClient packetIds(int count) {
        for (int id = 1; id <= count; id++) {
            freeIds.add(id);
        }
        return this;
    }

    PersistentClient receiveMaximum(int value) {
        receiveMaximum = value;
        return this;
    }

    PersistentClient expirySeconds(long value) {
        expirySeconds = value;
        return this;
    }

    /** The will of the next CONNECT. */
    PersistentClient will(@Nullable MessageKey key, int delaySeconds) {
        will = key;
        willDelay = delaySeconds;
        return this;
    }

    String clientId() {
        return clientId;
    }

    boolean isV5() {
        return version.isV5();
    }

    boolean isConnected() {
        return socket != null;
    }

    // ---- connections

    /** Connects, if the broker is there, and sends again what has to be. @return whether it is connected */
    boolean connect(boolean cleanStart) {
        MqttSocket to;
        try {
            to = MqttSocket.open(port.getAsInt());
        } catch (UncheckedIOException e) {
            return false;
        }
        socket = to;
        connections++;
        open.clear();
        pending = null;
        history.add(new Event.Connecting(clientId, cleanStart, effectiveExpiry(cleanStart), will, willDelay));
        try {
            to.send(Connect.builder(version, clientId)
                    .cleanStart(cleanStart)
                    .sessionExpirySeconds(expirySeconds)
                    .receiveMaximum(receiveMaximum)
                    .will(willMessage())
                    .build());
            if (!(to.poll(ANSWER_MILLIS) instanceof ConnAck connAck)) {
                throw new AssertionError("no CONNACK within " + ANSWER_MILLIS + " ms");
            }
            if (connAck.reason() != ReasonCode.SUCCESS) {
                throw new AssertionError("refused: " + connAck.reason());
            }
            history.add(new Event.Connected(clientId, connAck.sessionPresent()));
            if (!connAck.sessionPresent()) {
                forget();
            }
            sendAgain(to);
            return true;
        } catch (UncheckedIOException e) {
            lose();
        } catch (RuntimeException | AssertionError e) {
            fault(Violation.Kind.PROTOCOL, "at CONNECT: " + e);
            lose();
        }
        return false;
    }

    private long effectiveExpiry(boolean cleanStart) {
        return version.isV5() ? expirySeconds : cleanStart ? 0 : Connect.NO_EXPIRY;
    }

    private @Nullable Will willMessage() {
        MessageKey key = will;
        return key == null
                ? null
                : new Will(
                        TopicName.of(key.topic()),
                        key.payload(0),
                        Qos.AT_LEAST_ONCE,
                        false,
                        Message.NO_BYTES,
                        -1,
                        willDelay);
    }

    /** The session of the broker is new, so this half begins anew, too. */
    private void forget() {
        received.clear();
        subscriptions.clear();
        inFlight.forEach((id, message) -> {
            history.add(new Event.GivenUp(message.key()));
            freeIds.push(id);
        });
        inFlight.clear();
    }

    private void sendAgain(MqttSocket to) {
        inFlight.forEach((id, message) -> { // [MQTT-4.4.0-1] [MQTT-4.6.0-1]
            if (message.released()) {
                to.send(new Ack(PacketType.PUBREL, id));
            } else {
                history.add(new Event.SentAgain(message.key()));
                to.send(new Publish(message.message(), id, true));
            }
        });
    }

    /** Leaves by DISCONNECT. @param newExpirySeconds of MQTT 5; -1 leaves it */
    void leave(long newExpirySeconds) {
        MqttSocket from = socket;
        if (from == null) {
            return;
        }
        history.add(new Event.Leaving(clientId, newExpirySeconds));
        Long expiry = newExpirySeconds < 0 ? null : newExpirySeconds;
        send(new Disconnect(ReasonCode.SUCCESS, expiry, null, null, List.of()));
        if (socket == null) {
            return;
        }
        try {
            Packet packet;
            do {
                packet = from.poll(ANSWER_MILLIS);
            } while (packet != null && !(packet instanceof Disconnect));
            if (packet == null) {
                fault(Violation.Kind.PROTOCOL, "not closed within " + ANSWER_MILLIS + " ms after DISCONNECT");
            }
            lose();
        } catch (UncheckedIOException e) {
            socket = null;
            history.add(new Event.Left(clientId));
            from.close();
        }
    }

    /** Closes without a word. */
    void drop() {
        lose();
    }

    private void lose() {
        MqttSocket lost = socket;
        socket = null;
        if (lost != null) {
            history.add(new Event.Broken(clientId));
            lost.close();
        }
    }

    private void fault(Violation.Kind kind, String text) {
        history.add(new Event.Fault(clientId, kind, text));
    }

    private void send(Packet packet) {
        MqttSocket to = socket;
        if (to != null) {
            try {
                to.send(packet);
            } catch (UncheckedIOException e) {
                lose();
            }
        }
    }

    // ---- acting

    boolean mayPublish() {
        return socket != null && !freeIds.isEmpty();
    }

    boolean hasUnacknowledged() {
        return !inFlight.isEmpty();
    }

    /**
     * Publishes a message.
     *
     * @param topic the one in PUBLISH, which for a delayed one is not that of the key
     * @param expiry Message Expiry Interval in seconds, for MQTT 5; 0 is none
     */
    void publish(MessageKey key, String topic, byte[] payload, int expiry, Event.Sending how) {
        int id = freeIds.pop();
        long expiresAt = expiry == 0 ? Message.NEVER : System.currentTimeMillis() + expiry * 1000L;
        Message message =
                new Message(0, "", TopicName.of(topic), payload, how.qos(), how.retain(), expiresAt, Message.NO_BYTES);
        inFlight.put(id, new InFlight(key, message, false));
        history.add(new Event.Sent(
                key, new Event.Sending(how.qos(), id, how.retain(), how.empty(), how.mayVanish(), how.delaySeconds())));
        send(new Publish(message, id, false));
    }

    boolean isSubscribed(String filter) {
        return subscriptions.contains(filter);
    }

    boolean hasPendingOperation() {
        return pending != null;
    }

    void subscribe(String filter, Qos qos) {
        pending = new Operation(filter, qos);
        history.add(new Event.Subscribing(clientId, filter, qos));
        send(new Subscribe(++lastOperation, 0, List.of(new Subscribe.Entry(filter, qos)), List.of()));
    }

    void unsubscribe(String filter) {
        pending = new Operation(filter, null);
        subscriptions.remove(filter);
        history.add(new Event.Unsubscribing(clientId, filter));
        send(new Unsubscribe(++lastOperation, List.of(filter), List.of()));
    }

    // ---- reading

    /** Reads one packet, if one comes within so long, and answers it. @return whether one came */
    boolean poll(int millis) {
        MqttSocket from = socket;
        if (from == null) {
            return false;
        }
        try {
            Packet packet = from.poll(millis);
            if (packet != null) {
                handle(packet);
            }
            return packet != null;
        } catch (UncheckedIOException e) {
            lose();
        } catch (RuntimeException | AssertionError e) {
            fault(Violation.Kind.PROTOCOL, e.toString());
            lose();
        }
        return false;
    }

    private void handle(Packet packet) {
        if (packet instanceof Publish publish) {
            take(publish);
        } else if (packet instanceof Ack ack) {
            if (ack.type() == PacketType.PUBREL) {
                release(ack.packetId());
            } else {
                acknowledged(ack);
            }
        } else if (packet instanceof SubAck subAck) {
            Operation done = answered(subAck.packetId(), "SUBACK");
            ReasonCode reason = subAck.reasons().get(0);
            if (reason.isError() || done.qos() == null) {
                throw new AssertionError("SUBACK " + reason + " for " + done);
            }
            subscriptions.add(done.filter());
            history.add(new Event.Subscribed(clientId, done.filter(), Qos.of(reason.code())));
        } else if (packet instanceof UnsubAck unsubAck) {
            history.add(new Event.Unsubscribed(
                    clientId, answered(unsubAck.packetId(), "UNSUBACK").filter()));
        } else if (packet instanceof Disconnect) {
            lose();
        } else if (packet != Ping.RESPONSE) {
            throw new AssertionError("unexpected " + packet);
        }
    }

    private Operation answered(int id, String what) {
        Operation done = pending;
        if (done == null || id != lastOperation) {
            throw new AssertionError(what + " " + id + " for nothing");
        }
        pending = null;
        return done;
    }

    private void acknowledged(Ack ack) {
        int id = ack.packetId();
        InFlight of = inFlight.get(id);
        if (of == null) {
            throw new AssertionError("acknowledgement for nothing: " + ack);
        }
        boolean once = of.message().qos() == Qos.EXACTLY_ONCE;
        if (ack.type() == (once ? PacketType.PUBREC : PacketType.PUBACK)
                && ack.reason().isError()) {
            history.add(new Event.GivenUp(of.key()));
            free(id);
        } else if (ack.type() == PacketType.PUBACK && !once) {
            history.add(new Event.Acknowledged(of.key()));
            history.add(new Event.Completed(of.key()));
            free(id);
        } else if (ack.type() == PacketType.PUBREC && once) {
            if (!of.released()) {
                history.add(new Event.Acknowledged(of.key()));
                inFlight.put(id, new InFlight(of.key(), of.message(), true));
            }
            send(new Ack(PacketType.PUBREL, id));
        } else if (ack.type() == PacketType.PUBCOMP && once && of.released()) {
            history.add(new Event.Completed(of.key()));
            free(id);
        } else {
            throw new AssertionError("not the acknowledgement for " + of + ": " + ack);
        }
    }

    private void free(int id) {
        inFlight.remove(id);
        freeIds.push(id);
    }

    private void release(int id) {
        boolean known = received.remove(id) != null;
        open.remove(id);
        send(new Ack(PacketType.PUBCOMP, id, known ? ReasonCode.SUCCESS : ReasonCode.PACKET_IDENTIFIER_NOT_FOUND));
    }

    private void take(Publish publish) {
        Message message = publish.message();
        int id = publish.packetId();
        MessageKey key = null;
        if (message.payload().length > 0) {
            key = MessageKey.read(message.topic().text(), message.payload());
            if (key == null) {
                fault(Violation.Kind.UNKNOWN, "altered: " + message);
            } else {
                key = history.shared(key);
            }
        }
        open.add(id);
        if (version.isV5() && open.size() > receiveMaximum) {
            fault(Violation.Kind.PROTOCOL, open.size() + " messages open, Receive Maximum is " + receiveMaximum);
        }
        boolean isNew = true;
        if (message.qos() == Qos.EXACTLY_ONCE) {
            isNew = isNew(publish, key);
        } else if (received.containsKey(id)) {
            fault(Violation.Kind.IDENTIFIER, id + " stands for " + received.get(id) + ", and came with " + key);
        }
        if (isNew && key != null) {
            history.add(new Event.Delivered(clientId, connections, key, message.qos(), message.retain()));
        }
        if (message.qos() == Qos.EXACTLY_ONCE) {
            send(new Ack(PacketType.PUBREC, id));
        } else {
            open.remove(id);
            send(new Ack(PacketType.PUBACK, id));
        }
    }

    private boolean isNew(Publish publish, @Nullable MessageKey key) {
        int id = publish.packetId();
        MessageKey name =
                key == null ? new MessageKey("", publish.message().topic().text(), 0) : key;
        MessageKey before = received.putIfAbsent(id, name);
        if (before != null && !before.equals(name)) {
            fault(Violation.Kind.IDENTIFIER, id + " stands for " + before + " until PUBREL, and came with " + name);
        } else if (before != null && !publish.dup()) {
            fault(Violation.Kind.PROTOCOL, name + " was sent again without DUP");
        }
        return before == null;
    }
}
