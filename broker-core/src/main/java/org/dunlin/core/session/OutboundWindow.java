package org.dunlin.core.session;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.dunlin.core.figures.Tally;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.jspecify.annotations.Nullable;

/**
 * The QoS 1 and 2 flows to one client that are not completed, in the order they began, and their packet identifiers. Shard
 * thread only. After a reconnect all of them wait to be sent again, in that order [MQTT-4.4.0-1] [MQTT-4.6.0-1], within the
 * new Receive Maximum [MQTT-3.3.4-9]; {@link #open()} counts those that have been sent on this connection.
 */
final class OutboundWindow {
    private static final int IDS = 65_535;
    /** Of windows that have not had any; its one place stays free. */
    private static final @Nullable Outgoing[] NONE = new @Nullable Outgoing[1];

    private final MemoryBudget.Account memory;
    /** Of all windows of the shard. */
    private final Tally flows;

    private @Nullable Outgoing first;
    private @Nullable Outgoing last;
    private @Nullable Outgoing[] table = NONE;
    private int size;
    private int open;
    /** The last that was chosen freely. */
    private int lastId;

    /** By place, what packet identifiers an earlier process has chosen freely: they are for no other message. */
    private Map<Long, Integer> numbers = Map.of();
    /** The first that waits to be sent again, null if none does. */
    private @Nullable Outgoing resend;

    OutboundWindow(MemoryBudget.Account memory, Tally flows) {
        this.memory = memory;
        this.flows = flows;
    }

    int size() {
        return size;
    }

    /** Messages that the client has not acknowledged. */
    int unacknowledged() {
        int count = 0;
        for (Outgoing flow = first; flow != null; flow = flow.next) {
            count += flow.state == Outgoing.State.SENT ? 1 : 0;
        }
        return count;
    }

    int open() {
        return open;
    }

    @Nullable
    Outgoing first() {
        return first;
    }

    /** The next that has to be sent again, or null. */
    @Nullable
    Outgoing nextResend() {
        return resend;
    }

    /**
     * Begins a flow: gives it a packet identifier that is not in use [MQTT-2.2.1-4]. Not if {@link #isFull()}.
     *
     * @return whether an earlier process has chosen it and put it on record
     */
    boolean begin(Outgoing flow) {
        assert size < IDS && flow.state == Outgoing.State.QUEUED && resend == null;
        Integer number = numbers.isEmpty() ? null : numbers.remove(flow.seq);
        int id = number != null ? number : flow.seq > 0 ? StoreBatch.packetId(flow.seq) : 0;
        if (id == 0 || isTaken(id)) {
            do {
                lastId = next(lastId);
            } while (isTaken(lastId));
            id = lastId;
        } else if (number == null) {
            lastId = farFrom(id);
        }
        flow.packetId = id;
        flow.state = Outgoing.State.SENT;
        memory.hold(flow.message());
        append(flow);
        open++;
        return number != null && number == id;
    }

    /**
     * Messages are stored, and an earlier process may have sent some that are not read yet: these keep their identifiers.
     *
     * @param firstSeq where the stored messages begin
     * @param chosen the identifiers that do not follow from the place
     */
    void restore(long firstSeq, Map<Long, Integer> chosen) {
        numbers = chosen.isEmpty() ? Map.of() : new HashMap<>(chosen);
        lastId = farFrom(StoreBatch.packetId(firstSeq));
    }

    /** A flow of an earlier process whose PUBREC had come: PUBREL is sent again. In the order of the places. */
    void restore(Outgoing released) {
        released.state = Outgoing.State.RELEASED;
        released.resend = true;
        released.dup = true;
        append(released);
        if (resend == null) {
            resend = released;
        }
    }

    private boolean isTaken(int id) {
        return find(id) != null || !numbers.isEmpty() && numbers.containsValue(id);
    }

    /** Far from what stored messages before and behind that one have asked for or will. */
    private static int farFrom(int id) {
        return (id + IDS / 2) % IDS;
    }

    private static int next(int id) {
        return id == IDS ? 1 : id + 1;
    }

    /** Whether every packet identifier is in use. */
    boolean isFull() {
        return size == IDS;
    }

    /** The flow with that identifier that the client can know of, or null. */
    @Nullable
    Outgoing sent(int packetId) {
        Outgoing flow = find(packetId);
        return flow == null || flow.resend ? null : flow;
    }

    /** Whether PUBREC has come for the flow with that identifier, and PUBCOMP has not. */
    boolean isReleased(int packetId) {
        Outgoing flow = find(packetId);
        return flow != null && flow.state == Outgoing.State.RELEASED;
    }

    private @Nullable Outgoing find(int packetId) {
        Outgoing flow = table[packetId & table.length - 1];
        while (flow != null && flow.packetId != packetId) {
            flow = flow.chained;
        }
        return flow;
    }

    /** PUBREC has come: the message is not needed any more [MQTT-4.3.3-6]. */
    void released(Outgoing flow) {
        flow.state = Outgoing.State.RELEASED;
        letGo(flow);
        flow.message = null;
    }

    private void letGo(Outgoing flow) {
        Message message = flow.message;
        if (message != null) {
            memory.letGo(message);
        }
    }

    /** The session has ended, and all flows with it. */
    void clear() {
        for (Outgoing flow = first; flow != null; flow = flow.next) {
            letGo(flow);
        }
        first = null;
        last = null;
        resend = null;
        table = NONE;
        flows.add(-size);
        size = 0;
        open = 0;
    }

    /** Ends a flow; its identifier is free again. */
    void end(Outgoing flow) {
        letGo(flow);
        if (!flow.resend) {
            open--;
        }
        if (resend == flow) {
            resend = following(flow.next);
        }
        unlink(flow);
        size--;
        flows.add(-1);
    }

    /** Ends the QoS 1 flows that a shared group has lent. @return them, in their order */
    List<Outgoing> takeOutLentQos1() {
        List<Outgoing> lent = new ArrayList<>();
        Outgoing flow = first;
        while (flow != null) {
            Outgoing next = flow.next;
            if (flow.loan != null && flow.qos == Qos.AT_LEAST_ONCE) {
                end(flow);
                lent.add(flow);
            }
            flow = next;
        }
        return lent;
    }

    /** Shared groups wait for none of these flows any more. */
    void settleLoans() {
        for (Outgoing flow = first; flow != null; flow = flow.next) {
            if (flow.loan != null) {
                flow.loan.settle();
            }
        }
    }

    /** The connection is gone: what was sent has to be sent again on the next one. */
    void connectionLost() {
        for (Outgoing flow = first; flow != null; flow = flow.next) {
            flow.resend = true;
            flow.dup = true;
        }
        resend = first;
        open = 0;
    }

    /** {@link #nextResend()} has been sent. */
    void resent() {
        Outgoing flow = resend;
        assert flow != null;
        flow.resend = false;
        open++;
        resend = following(flow.next);
    }

    private static @Nullable Outgoing following(@Nullable Outgoing from) {
        Outgoing flow = from;
        while (flow != null && !flow.resend) {
            flow = flow.next;
        }
        return flow;
    }

    private void append(Outgoing flow) {
        if (size >= table.length || table == NONE) {
            grow();
        }
        int bucket = flow.packetId & table.length - 1;
        flow.chained = table[bucket];
        table[bucket] = flow;
        flow.previous = last;
        Outgoing tail = last;
        if (tail == null) {
            first = flow;
        } else {
            tail.next = flow;
        }
        last = flow;
        size++;
        flows.add(1);
    }

    private void unlink(Outgoing flow) {
        int bucket = flow.packetId & table.length - 1;
        Outgoing other = table[bucket];
        if (other == flow) {
            table[bucket] = flow.chained;
        } else {
            while (other != null && other.chained != flow) {
                other = other.chained;
            }
            assert other != null : "flow is not in the window";
            other.chained = flow.chained;
        }
        flow.chained = null;
        if (flow.previous == null) {
            first = flow.next;
        } else {
            flow.previous.next = flow.next;
        }
        if (flow.next == null) {
            last = flow.previous;
        } else {
            flow.next.previous = flow.previous;
        }
        flow.previous = null;
        flow.next = null;
    }

    private void grow() {
        table = new @Nullable Outgoing[Math.max(8, table.length * 2)];
        for (Outgoing flow = first; flow != null; flow = flow.next) {
            int bucket = flow.packetId & table.length - 1;
            flow.chained = table[bucket];
            table[bucket] = flow;
        }
    }
}
