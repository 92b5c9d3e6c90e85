package org.dunlin.core.session;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.jspecify.annotations.Nullable;

/**
 * Which shard owns a client identifier: the only concurrent map of clients. Any thread. An identifier that nobody owns goes to
 * the shard that asks first; from then on every connection with it goes there, until its session ends.
 */
final class ClientRegistry {
    private final ConcurrentMap<String, Owner> owners = new ConcurrentHashMap<>();

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

    /** On the owner's thread, when the session has ended. */
    void release(String clientId, Owner owner) {
        owners.remove(clientId, owner);
    }

    int size() {
        return owners.size();
    }

    /** An entry; the generation is read and raised on the owner's thread only. */
    static final class Owner {
        private final Shard shard;
        private long generation;

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

        /** Rises with each CONNECT. */
        long nextGeneration() {
            return ++generation;
        }
    }
}
