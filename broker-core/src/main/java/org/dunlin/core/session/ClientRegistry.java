package org.dunlin.core.session;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Predicate;
import org.dunlin.core.limits.Takeovers;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.core.spi.Connection;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.mqtt.Connect;
import org.jspecify.annotations.Nullable;

/**
 * Which shard owns a client identifier: the only concurrent map of clients. Any thread. An identifier that nobody owns goes to
 * the shard that asks first; from then on every connection with it goes there, until its session ends.
 */
final class ClientRegistry {
    private final ConcurrentMap<String, Owner> owners = new ConcurrentHashMap<>();
    /** Sessions that have ended and are still in the store. */
    private final ConcurrentMap<String, List<SessionKey>> leaving = new ConcurrentHashMap<>();

    /**
     * The owner of a client identifier, who is the given shard if there was none. A shard that finds itself named has to make
     * the session, or {@link #release} the entry, before its thread does anything else.
     */
    Owner claim(String clientId, Shard by) {
        Owner present = owners.get(clientId);
        return present != null ? present : owners.computeIfAbsent(clientId, id -> new Owner(by));
    }

    @Nullable
    Shard owner(String clientId) {
        Owner owner = owners.get(clientId);
        return owner == null ? null : owner.shard;
    }

    /** On the owner's thread: what is known of takeovers there; null if nothing. */
    @Nullable
    Takeovers takeovers(String clientId) {
        Owner owner = owners.get(clientId);
        return owner == null ? null : owner.takeovers();
    }

    /** On the owner's thread, when the session has ended. */
    void release(String clientId, Owner owner) {
        owners.remove(clientId, owner);
    }

    /** A session of the client has ended, and the store does not know yet. */
    void leaving(String clientId, SessionKey session) {
        leaving.merge(clientId, List.of(session), (others, added) -> {
            List<SessionKey> all = new ArrayList<>(others);
            if (!all.contains(session)) {
                all.add(session);
            }
            return all;
        });
    }

    /** The store knows that the session has ended. */
    void left(String clientId, SessionKey session) {
        leaving.computeIfPresent(clientId, (id, sessions) -> {
            List<SessionKey> others = new ArrayList<>(sessions);
            others.remove(session);
            return others.isEmpty() ? null : others;
        });
    }

    /** The client's sessions that have ended and are still in the store. */
    List<SessionKey> leaving(String clientId) {
        return leaving.getOrDefault(clientId, List.of());
    }

    /** The first identifiers behind one, in their order. Looks at all. */
    List<String> identifiers(String after, int max, Predicate<String> wanted) {
        PriorityQueue<String> first = new PriorityQueue<>(Comparator.reverseOrder());
        for (String id : owners.keySet()) {
            if (id.compareTo(after) > 0
                    && (first.size() < max || id.compareTo(first.element()) < 0)
                    && wanted.test(id)) {
                first.add(id);
                if (first.size() > max) {
                    first.remove();
                }
            }
        }
        List<String> sorted = new ArrayList<>(first);
        sorted.sort(null);
        return sorted;
    }

    int size() {
        return owners.size();
    }

    /** An entry; all but its shard is the matter of the owner's thread only. */
    static final class Owner {
        private final Shard shard;
        private long generation;
        /** Null until there is one. */
        private @Nullable Takeovers takeovers;

        private Owner(Shard shard) {
            this.shard = shard;
        }

        Shard shard() {
            return shard;
        }

        /** Goes on from what an earlier process has come to. */
        void restore(long last) {
            generation = last;
        }

        /** Of its sessions' connections by others with the same client identifier; null if there has been none. */
        @Nullable
        Takeovers takeovers() {
            return takeovers;
        }

        /** As {@link #takeovers}, with one more. */
        Takeovers takenOver(long nowMillis) {
            Takeovers known = takeovers == null ? new Takeovers() : takeovers;
            takeovers = known;
            known.add(nowMillis);
            return known;
        }

        /** Another connection takes the place of the one that holds the session; if they do so in a loop, that is told. */
        void takenOver(Session session, Connection former, Connect connect, Connection next) {
            if (takenOver(shard.loop().nowMillis()).areALoop()) {
                shard.shards()
                        .events()
                        .contested(
                                peer(connect.clientId(), session.userName(), former),
                                peer(connect.clientId(), connect.userName(), next));
            }
        }

        private static BrokerEvents.Peer peer(String clientId, @Nullable String userName, Connection connection) {
            return new BrokerEvents.Peer(
                    clientId, userName, connection.peer(), connection.listener(), connection.version());
        }

        /** Rises with each CONNECT. */
        long nextGeneration() {
            return ++generation;
        }
    }
}
