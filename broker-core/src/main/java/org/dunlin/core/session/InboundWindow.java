package org.dunlin.core.session;

import java.util.ArrayDeque;
import java.util.List;
import org.dunlin.core.spi.Connection;
import org.dunlin.core.spi.Loop;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.jspecify.annotations.Nullable;

/**
 * What one client has published at QoS 1 and 2 and is not through with: the QoS 2 identifiers that wait for PUBREL, and the
 * tickets whose acknowledgement is still to come. Shard thread only. Both submission to the store and acknowledgement keep
 * the order of the PUBLISHes, whatever the order in which shards and store answer [MQTT-4.6.0-2] [MQTT-4.6.0-3].
 */
public final class InboundWindow {
    /** Of those that have not had any: most clients never publish at QoS 1 or 2. Nothing is put into it. */
    private static final ArrayDeque<Ticket> NONE = new ArrayDeque<>(0);

    private final Session session;
    private ArrayDeque<Ticket> tickets = NONE;
    /** Those of {@link #tickets} that are not with the store yet. */
    private ArrayDeque<Ticket> unsubmitted = NONE;

    private PacketIds received = PacketIds.NONE;
    /** Tickets of QoS 1, which count against the Receive Maximum beside the QoS 2 identifiers. */
    private int openQos1;
    /** A connection that will be closed since it cannot be told of a refusal. */
    private @Nullable Connection ending;

    private ReasonCode refusal = ReasonCode.SUCCESS;
    /** Closes it at the latest; null if nothing more is waited for. */
    private Loop.@Nullable Timer endTimer;

    InboundWindow(Session session) {
        this.session = session;
    }

    Session session() {
        return session;
    }

    /** Acknowledgements that wait. */
    public int waiting() {
        return tickets.size();
    }

    /** PUBLISHes that count against the Receive Maximum [MQTT-3.3.4-7]. */
    public int open() {
        return openQos1 + received.size();
    }

    /** Whether that QoS 2 identifier waits for PUBREL, so that a PUBLISH with it is a repetition [MQTT-4.3.3-10]. */
    public boolean isReceived(int packetId) {
        return received.contains(packetId);
    }

    void receive(int packetId) {
        received = received == PacketIds.NONE ? new PacketIds() : received;
        received.add(packetId);
    }

    /** @return false if that identifier was not waiting for PUBREL */
    boolean release(int packetId) {
        return received.remove(packetId);
    }

    /** Whether nothing stands before an acknowledgement that could leave now. */
    boolean isClear() {
        return tickets.isEmpty();
    }

    void add(Ticket ticket) {
        tickets = tickets == NONE ? new ArrayDeque<>(4) : tickets;
        tickets.add(ticket);
        if (ticket.state == Ticket.State.GATHERING) {
            unsubmitted = unsubmitted == NONE ? new ArrayDeque<>(4) : unsubmitted;
            unsubmitted.add(ticket);
        }
        if (ticket.qos == Qos.AT_LEAST_ONCE) {
            openQos1++;
        }
    }

    /**
     * A QoS 2 PUBLISH has come again: it shares the fate of the one that is still under way.
     *
     * @return false if none is under way, so that PUBREC may be sent again
     */
    public boolean repeats(int packetId) {
        for (Ticket ticket : tickets) {
            if (ticket.qos == Qos.EXACTLY_ONCE && ticket.packetId == packetId && ticket.state != Ticket.State.DONE) {
                if (ticket.origin == session.connection()) {
                    ticket.repetitions++;
                } else {
                    // its PUBREC now stands behind those of what has come before it on this connection
                    ticket.origin = session.connection();
                    tickets.remove(ticket);
                    tickets.add(ticket);
                }
                return true;
            }
        }
        return false;
    }

    /** Whether a QoS 2 PUBLISH with that identifier is still without its PUBREC. */
    public boolean isUnderWay(int packetId) {
        for (Ticket ticket : tickets) {
            if (ticket.qos == Qos.EXACTLY_ONCE && ticket.packetId == packetId && !ticket.answerOnly) {
                return true;
            }
        }
        return false;
    }

    /** What waits will not be acknowledged on this connection, and does not count on the next one. */
    void connectionLost() {
        openQos1 = 0;
        ending = null;
        stopEndTimer();
    }

    /** Ends the waiting for room in full queues: what waits is refused. */
    public void giveUpHeld() {
        for (Ticket ticket : tickets.toArray(new Ticket[0])) {
            ticket.giveUpHeld(session.shard());
        }
    }

    /** Some ticket has got further: submits and acknowledges what has come to the front. */
    void advance() {
        while (!unsubmitted.isEmpty() && unsubmitted.getFirst().state != Ticket.State.GATHERING) {
            session.shard().publishing().submit(unsubmitted.removeFirst());
        }
        boolean any = false;
        while (!tickets.isEmpty() && tickets.getFirst().state == Ticket.State.DONE) {
            Ticket ticket = tickets.removeFirst();
            if (ticket.qos == Qos.AT_LEAST_ONCE && ticket.origin == session.connection()) {
                openQos1--;
            }
            acknowledge(ticket.qos, ticket.packetId, ticket.reason, ticket.detail, ticket.origin);
            for (int i = 0; i < ticket.repetitions; i++) {
                acknowledge(ticket.qos, ticket.packetId, ticket.reason, ticket.detail, ticket.origin);
            }
            any = true;
        }
        if (any) {
            session.acknowledged();
        }
    }

    /** What the client, or who runs the broker, can do about a refusal. */
    private static @Nullable String cure(ReasonCode reason) {
        return switch (reason) {
            case QUOTA_EXCEEDED ->
                "a bound of the broker is reached: see queue.*, limits.max-retained, limits.max-delayed and memory.budget";
            case TOPIC_NAME_INVALID -> "this topic is the broker's own, badly formed, or has too many levels";
            case PACKET_IDENTIFIER_IN_USE -> "a QoS 2 message with this packet identifier is not completed";
            case UNSPECIFIED_ERROR -> "the message could not be stored; send it again";
            default -> null;
        };
    }

    /**
     * Whether nothing of this connection is taken or acknowledged any more: what comes behind a message that was refused has
     * to be sent again behind it [MQTT-4.6.0-2].
     */
    public boolean isEnding() {
        return ending != null;
    }

    /**
     * Ends a connection that cannot be told of a refusal. Not before its client has acknowledged what it was sent, since that
     * may be what fills the queue that the refusal comes from: closed at each repetition, it would never get round to it.
     */
    private void refuse(Connection connection, ReasonCode reason) {
        ending = connection;
        refusal = reason;
        Shard shard = session.shard();
        if (session.isOwedAcks()) {
            endTimer = shard.loop()
                    .schedule(
                            () -> end(connection), shard.shards().queueLimits().holdTimeoutMillis());
        } else {
            // later, since the caller may be in the middle of what the end of the connection changes
            shard.loop().execute(() -> end(connection));
        }
    }

    /** The client has acknowledged all that it was sent. */
    void nothingOwed() {
        Connection connection = ending;
        if (connection != null && endTimer != null) {
            stopEndTimer();
            session.shard().loop().execute(() -> end(connection));
        }
    }

    private void stopEndTimer() {
        if (endTimer != null) {
            endTimer.cancel();
            endTimer = null;
        }
    }

    private void end(Connection connection) {
        if (ending == connection && session.connection() == connection) {
            session.evict(refusal, "a message was refused, and MQTT " + session.version() + " has no way to say so");
        }
    }

    /**
     * Sends PUBACK or PUBREC, if the connection that waits for it is still there.
     *
     * @param detail why, if it is refused and the reason code does not say all
     */
    void acknowledge(Qos qos, int packetId, ReasonCode reason, @Nullable String detail, @Nullable Connection origin) {
        if (qos == Qos.EXACTLY_ONCE && reason.isError()) {
            received.remove(packetId); // the identifier is free again [MQTT-4.3.3-9]
        }
        Connection connection = session.connection();
        if (connection == null || connection != origin || connection == ending) {
            return;
        }
        if (reason.isError() && !session.version().isV5()) {
            refuse(connection, reason);
            return;
        }
        PacketType type = qos == Qos.AT_LEAST_ONCE ? PacketType.PUBACK : PacketType.PUBREC;
        if (reason.isError()) {
            connection.send(new Ack(type, packetId, reason, detail == null ? cure(reason) : detail, List.of()));
        } else {
            connection.sendAck(type, packetId, reason);
        }
    }

    /** A small set of packet identifiers, 1 to 65,535, that grows with its content and not with their values. */
    private static final class PacketIds {
        /** Of those that have not had any. Nothing is put into it. */
        private static final PacketIds NONE = new PacketIds();

        /** One of them, which is free, before the first has come. */
        private int[] slots = new int[1];

        private int size;

        int size() {
            return size;
        }

        boolean contains(int id) {
            for (int i = id & slots.length - 1; slots[i] != 0; i = i + 1 & slots.length - 1) {
                if (slots[i] == id) {
                    return true;
                }
            }
            return false;
        }

        /** @return false if it was there already */
        boolean add(int id) {
            assert id > 0 && id <= 0xFFFF;
            if (contains(id)) {
                return false;
            }
            if ((size + 1) * 2 > slots.length) {
                int[] old = slots;
                slots = new int[Math.max(8, old.length * 2)];
                for (int other : old) {
                    if (other != 0) {
                        put(other);
                    }
                }
            }
            put(id);
            size++;
            return true;
        }

        private void put(int id) {
            int i = id & slots.length - 1;
            while (slots[i] != 0) {
                i = i + 1 & slots.length - 1;
            }
            slots[i] = id;
        }

        /** @return false if it was not there */
        boolean remove(int id) {
            int mask = slots.length - 1;
            int hole = id & mask;
            while (slots[hole] != id) {
                if (slots[hole] == 0) {
                    return false;
                }
                hole = hole + 1 & mask;
            }
            // close the gap, so that what was pushed past it is still found
            for (int i = hole + 1 & mask; slots[i] != 0; i = i + 1 & mask) {
                int home = slots[i] & mask;
                if ((i - home & mask) >= (i - hole & mask)) {
                    slots[hole] = slots[i];
                    hole = i;
                }
            }
            slots[hole] = 0;
            size--;
            return true;
        }
    }
}
