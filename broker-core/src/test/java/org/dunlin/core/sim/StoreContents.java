package org.dunlin.core.sim;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.SessionRecord;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreBatch.SubscriptionRecord;
import org.dunlin.core.spi.StoreException;
import org.dunlin.mqtt.Message;

/** The test's thread only. What a store would tell a broker that is started on it now. */
final class StoreContents implements Store.Boot {
    final Map<Long, Owner> owners = new TreeMap<>();
    private final Set<String> clientIds = new HashSet<>();
    final Map<String, Message> retained = new TreeMap<>();
    final Map<Long, Message> delayed = new TreeMap<>();

    static StoreContents of(Store store) {
        StoreContents contents = new StoreContents();
        try {
            store.open(contents);
        } catch (StoreException e) {
            throw new AssertionError(e);
        }
        return contents;
    }

    static final class Owner {
        final String name;
        long messages;
        final Set<Integer> released = new HashSet<>();
        final Set<Integer> inbound = new HashSet<>();
        final Map<Long, Integer> numbered = new HashMap<>();
        final Set<String> filters = new HashSet<>();

        Owner(String name) {
            this.name = name;
        }

        boolean owesNothing() {
            return messages == 0 && released.isEmpty() && inbound.isEmpty() && numbered.isEmpty();
        }

        @Override
        public String toString() {
            return name + " messages=" + messages + " released=" + released + " inbound=" + inbound + " numbered="
                    + numbered + " filters=" + filters;
        }
    }

    /** Whose sessions there are. */
    Set<String> clientIds() {
        return clientIds;
    }

    private Owner of(long owner) {
        Owner present = owners.get(owner);
        if (present == null) {
            throw new AssertionError("the store tells of " + owner + ", of which it has not told before");
        }
        return present;
    }

    @Override
    public void began(long lastAliveMillis) {}

    @Override
    public void session(SessionKey key, SessionRecord state) {
        owners.put(key.sid(), new Owner(state.clientId()));
        if (state.connected() || state.expirySeconds() > 0) { // else it has ended and is kept for its will
            clientIds.add(state.clientId());
        }
    }

    @Override
    public void group(SessionKey key, String filter) {
        owners.put(key.sid(), new Owner(filter));
    }

    @Override
    public void subscription(long owner, SubscriptionRecord subscription) {
        of(owner).filters.add(subscription.filter());
    }

    @Override
    public void queue(long owner, long messages, long bytes, long firstSeq, long lastSeq) {
        of(owner).messages = messages;
    }

    @Override
    public void released(long owner, long seq, int packetId) {
        of(owner).released.add(packetId);
    }

    @Override
    public void numbered(long owner, long seq, int packetId) {
        of(owner).numbered.put(seq, packetId);
    }

    @Override
    public void inboundId(long owner, int packetId) {
        of(owner).inbound.add(packetId);
    }

    @Override
    public void retained(Message message, long stamp) {
        retained.put(message.topic().text(), message);
    }

    @Override
    public void delayed(long id, long dueAtMillis, Message message) {
        delayed.put(id, message);
    }
}
