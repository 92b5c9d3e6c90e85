package org.dunlin.core.session;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.SessionRecord;
import org.dunlin.core.spi.StoreBatch.SubscriptionRecord;
import org.jspecify.annotations.Nullable;

/** All that the store has kept of one session or shared group. Filled by the thread that starts the broker, then only read. */
final class Kept {
    private final SessionKey key;
    private final @Nullable SessionRecord record;
    private final @Nullable String group;
    private final List<SubscriptionRecord> subscriptions = new ArrayList<>(1);
    private long messages;
    private long bytes;
    private long firstSeq;
    private long lastSeq;
    // most have none of these
    private SortedMap<Long, Integer> released = Collections.emptySortedMap();
    private Map<Long, Integer> numbers = Map.of();
    private List<Integer> received = List.of();

    private Kept(SessionKey key, @Nullable SessionRecord record, @Nullable String group) {
        this.key = key;
        this.record = record;
        this.group = group;
    }

    static Kept session(SessionKey key, SessionRecord record) {
        return new Kept(key, record, null);
    }

    static Kept group(SessionKey key, String filter) {
        return new Kept(key, null, filter);
    }

    SessionKey key() {
        return key;
    }

    boolean isSession() {
        return record != null;
    }

    /** Whether it is a session that has ended and only owes its will. */
    boolean isEnded() {
        return record != null && !record.connected() && record.expirySeconds() == 0;
    }

    SessionRecord record() {
        SessionRecord present = record;
        assert present != null : "asked a group for a session's record";
        return present;
    }

    String group() {
        String present = group;
        assert present != null : "asked a session for a group's filter";
        return present;
    }

    List<SubscriptionRecord> subscriptions() {
        return subscriptions;
    }

    void queue(long count, long weight, long first, long last) {
        messages = count;
        bytes = weight;
        firstSeq = first;
        lastSeq = last;
    }

    long messages() {
        return messages;
    }

    long bytes() {
        return bytes;
    }

    long firstSeq() {
        return firstSeq;
    }

    long lastSeq() {
        return lastSeq;
    }

    void released(long seq, int packetId) {
        if (released.isEmpty()) {
            released = new TreeMap<>();
        }
        released.put(seq, packetId);
    }

    void numbered(long seq, int packetId) {
        if (numbers.isEmpty()) {
            numbers = new HashMap<>();
        }
        numbers.put(seq, packetId);
    }

    void received(int packetId) {
        if (received.isEmpty()) {
            received = new ArrayList<>();
        }
        received.add(packetId);
    }

    /** Packet identifiers whose PUBCOMP is still to come, by place. */
    SortedMap<Long, Integer> released() {
        return released;
    }

    /** Packet identifiers that do not follow from the place. */
    Map<Long, Integer> numbers() {
        return numbers;
    }

    /** Packet identifiers that the client has published with at QoS 2 and not released. */
    List<Integer> received() {
        return received;
    }
}
