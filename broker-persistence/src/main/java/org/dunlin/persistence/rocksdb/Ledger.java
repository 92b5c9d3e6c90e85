package org.dunlin.persistence.rocksdb;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.StoreBatch.Target;
import org.dunlin.mqtt.TopicName;
import org.dunlin.persistence.rocksdb.Layout.Family;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.WriteBatch;

/**
 * Turns changes into rows, by what it knows of the stored ones without reading them: who lives, which place each queue gives
 * next, how many queues a body is in. Writer thread only, but for {@link #isGone}. After a failed write it is ahead of the
 * files and is filled anew from them.
 */
final class Ledger {
    private static final int STAMPS = 65_536;

    private final Map<Long, Owner> owners = new HashMap<>();
    private final LongCounts bodies = new LongCounts();
    /** Places whose message is kept apart, so that one that is acknowledged twice does not take it from another queue. */
    private final LongCounts apart = new LongCounts();

    /** The stamps of late, since batches of different threads may pass each other: far more than are ever under way. */
    private final Map<TopicName, Long> stamps = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<TopicName, Long> eldest) {
            return size() > STAMPS;
        }
    };

    /** Owners that are gone and of which rows may still be there. */
    private final Set<Long> gone = ConcurrentHashMap.newKeySet();

    private final List<Long> goneNow = new ArrayList<>();
    private final List<Long> clearedNow = new ArrayList<>();
    private final List<Stamped> stampedNow = new ArrayList<>();
    private long lastBody;
    private long idLimit;
    private long strayPlaces;
    private Database database;
    private WriteBatch rows;

    Ledger(Database database) {
        this.database = database;
        this.rows = new WriteBatch();
    }

    /** What the writer knows of a session or a group. */
    private static final class Owner {
        private long generation;
        private long lastSeq;
        private @Nullable Set<Long> numbered;
    }

    private record Stamped(TopicName topic, @Nullable Long before) {}

    /** Any thread. Whether that owner was removed and is still being cleared away. */
    boolean isGone(long sid) {
        return gone.contains(sid);
    }

    /** The rows of the group that is being made. */
    WriteBatch rows() {
        return rows;
    }

    /** The group is committed. Returns the owners that it removed. */
    List<Long> committed() {
        rows.clear();
        stampedNow.clear();
        clearedNow.forEach(gone::remove);
        clearedNow.clear();
        List<Long> removed = goneNow.isEmpty() ? List.of() : List.copyOf(goneNow);
        goneNow.clear();
        return removed;
    }

    /**
     * The group could not be written. What it had changed here is undone so far as {@link #begin} and what follows do not.
     *
     * @return undoes the rest, if the group turns out not to be in the files either
     */
    Runnable failed() {
        rows.clear();
        clearedNow.clear();
        goneNow.forEach(gone::remove);
        goneNow.clear();
        List<Stamped> changed = List.copyOf(stampedNow);
        stampedNow.clear();
        return () -> {
            for (int i = changed.size() - 1; i >= 0; i--) {
                Stamped stamped = changed.get(i);
                if (stamped.before == null) {
                    stamps.remove(stamped.topic);
                } else {
                    stamps.put(stamped.topic, stamped.before);
                }
            }
        };
    }

    void close() {
        rows.close();
    }

    // --- filled from the files

    /** Starts anew with other files. Places given before are not given again. */
    Places begin(Database opened) {
        Map<Long, Long> places = new HashMap<>();
        owners.forEach((sid, owner) -> places.put(sid, owner.lastSeq));
        database = opened;
        idLimit = 0;
        owners.clear();
        bodies.clear();
        apart.clear();
        gone.clear();
        return new Places(places);
    }

    /** The places that were given last before files were opened again. */
    record Places(Map<Long, Long> last) {}

    void resume(Places places) {
        places.last.forEach(this::knowPlace);
    }

    void knowOwner(long sid, long generation) {
        Owner owner = new Owner();
        owner.generation = generation;
        owners.put(sid, owner);
    }

    boolean knowsOwner(long sid) {
        return owners.containsKey(sid);
    }

    void knowGone(long sid) {
        gone.add(sid);
    }

    Set<Long> gone() {
        return Set.copyOf(gone);
    }

    void knowBody(long sid, long seq, long body) {
        bodies.add(body, 1);
        apart.add(place(sid, seq), 1);
    }

    /** A number for a place; should two ever have the same, a body may stay until the next start. */
    private static long place(long sid, long seq) {
        long mixed = sid * 0x9E3779B97F4A7C15L + seq;
        mixed = (mixed ^ mixed >>> 32) * 0xD6E8FEB86659FD93L;
        mixed ^= mixed >>> 32;
        return mixed == 0 ? 1 : mixed;
    }

    void knowLastBody(long body) {
        lastBody = Math.max(lastBody, body);
    }

    void knowPlace(long sid, long seq) {
        Owner owner = owners.get(sid);
        if (owner != null) {
            owner.lastSeq = Math.max(owner.lastSeq, seq);
        }
    }

    void knowNumbered(long sid, long seq) {
        Owner owner = owners.get(sid);
        if (owner != null) {
            knowPlace(sid, seq);
            number(owner, seq);
        }
    }

    // --- changes

    private @Nullable Owner owner(SessionKey key) {
        Owner owner = owners.get(key.sid());
        return owner != null && owner.generation <= key.generation() ? owner : null;
    }

    void putSession(SessionKey session, byte[] record) throws RocksDBException {
        long sid = session.sid();
        if (gone.contains(sid)) {
            return;
        }
        Owner owner = owners.computeIfAbsent(sid, id -> new Owner());
        if (owner.generation <= session.generation()) {
            owner.generation = session.generation();
            put(Family.SESSION, Layout.key(sid), record);
        }
    }

    void putGroup(SessionKey group, byte[] record) throws RocksDBException {
        if (!gone.contains(group.sid())) {
            owners.computeIfAbsent(group.sid(), id -> new Owner());
            put(Family.SESSION, Layout.key(group.sid()), record);
        }
    }

    void removeOwner(SessionKey key) throws RocksDBException {
        if (owner(key) != null) {
            owners.remove(key.sid());
            gone.add(key.sid());
            goneNow.add(key.sid());
            delete(Family.SESSION, Layout.key(key.sid()));
            put(Family.META, Layout.gone(key.sid()), Records.number(0));
        }
    }

    void putSubscription(SessionKey session, byte[] filter, byte[] record) throws RocksDBException {
        if (owner(session) != null) {
            put(Family.SUBSCRIPTION, Layout.key(session.sid(), filter), record);
        }
    }

    void removeSubscription(SessionKey session, byte[] filter) throws RocksDBException {
        if (owner(session) != null) {
            delete(Family.SUBSCRIPTION, Layout.key(session.sid(), filter));
        }
    }

    /** @param body the message if it is kept apart from the queues, else no bytes */
    void enqueue(Target[] targets, byte[][] values, byte[] body) throws RocksDBException {
        boolean isApart = body.length > 0;
        long id = isApart ? lastBody + 1 : 0;
        int queues = 0;
        for (int i = 0; i < targets.length; i++) {
            long sid = targets[i].owner().sid();
            Owner owner = owners.get(sid);
            if (owner == null) {
                targets[i].placed(++strayPlaces, 0);
                continue;
            }
            long seq = ++owner.lastSeq;
            targets[i].placed(seq, id);
            if (isApart) {
                Records.setBody(values[i], id);
                apart.add(place(sid, seq), 1);
            }
            put(Family.QUEUE, Layout.key(sid, seq), values[i]);
            queues++;
        }
        if (isApart && queues > 0) {
            lastBody = id;
            put(Family.BODY, Layout.key(id), body);
            bodies.add(id, queues);
        }
    }

    void ack(SessionKey key, long seq, long body) throws RocksDBException {
        Owner owner = owner(key);
        if (owner != null) {
            take(key.sid(), owner, seq, body);
        }
    }

    private void take(long sid, Owner owner, long seq, long body) throws RocksDBException {
        delete(Family.QUEUE, Layout.key(sid, seq));
        release(sid, seq, body);
        if (owner.numbered != null && owner.numbered.remove(seq)) {
            delete(Family.FLOW, Layout.numbered(sid, seq));
        }
    }

    private void release(long sid, long seq, long body) throws RocksDBException {
        if (body != 0 && apart.release(place(sid, seq)) >= 0 && bodies.release(body) == 0) {
            delete(Family.BODY, Layout.key(body));
        }
    }

    void numbered(SessionKey session, long seq, int packetId) throws RocksDBException {
        Owner owner = owner(session);
        if (owner != null) {
            number(owner, seq);
            put(Family.FLOW, Layout.numbered(session.sid(), seq), Records.number(packetId));
        }
    }

    private static void number(Owner owner, long seq) {
        if (owner.numbered == null) {
            owner.numbered = new HashSet<>();
        }
        owner.numbered.add(seq);
    }

    void released(SessionKey session, long seq, long body, int packetId) throws RocksDBException {
        Owner owner = owner(session);
        if (owner != null) {
            take(session.sid(), owner, seq, body);
            put(Family.FLOW, Layout.flow(session.sid(), Layout.RELEASED, packetId), Records.number(seq));
        }
    }

    void completed(SessionKey session, int packetId) throws RocksDBException {
        if (owner(session) != null) {
            delete(Family.FLOW, Layout.flow(session.sid(), Layout.RELEASED, packetId));
        }
    }

    void inboundId(SessionKey session, int packetId, boolean present) throws RocksDBException {
        if (owner(session) == null) {
            return;
        }
        byte[] key = Layout.flow(session.sid(), Layout.INBOUND, packetId);
        if (present) {
            put(Family.FLOW, key, Records.number(0));
        } else {
            delete(Family.FLOW, key);
        }
    }

    /** @param record the message with its stamp, or null if the topic has none any more */
    void retain(TopicName topic, byte @Nullable [] record, long stamp) throws RocksDBException {
        Long last = stamps.get(topic);
        if (last != null && last > stamp) {
            return;
        }
        stampedNow.add(new Stamped(topic, stamps.put(topic, stamp)));
        if (record == null) {
            delete(Family.RETAINED, topic.utf8());
        } else {
            put(Family.RETAINED, topic.utf8(), record);
        }
    }

    void putDelayed(long id, long dueAtMillis, byte[] record) throws RocksDBException {
        put(Family.TIMER, Layout.key(dueAtMillis, id), record);
    }

    void removeDelayed(long id, long dueAtMillis) throws RocksDBException {
        delete(Family.TIMER, Layout.key(dueAtMillis, id));
    }

    /** Rows of owners that are gone. */
    void clear(Clearing.Page page) throws RocksDBException {
        for (Clearing.Rows found : page.rows()) {
            found.deleteFrom(rows, database);
        }
        for (Clearing.Body body : page.bodies()) {
            release(body.sid(), body.seq(), body.id());
        }
        for (long sid : page.done()) {
            delete(Family.META, Layout.gone(sid));
            clearedNow.add(sid);
        }
    }

    void reserveIds(long limit) throws RocksDBException {
        if (limit > idLimit) {
            idLimit = limit;
            put(Family.META, Layout.IDS, Records.number(limit));
        }
    }

    private void put(Family family, byte[] key, byte[] value) throws RocksDBException {
        rows.put(database.family(family), key, value);
    }

    private void delete(Family family, byte[] key) throws RocksDBException {
        rows.delete(database.family(family), key);
    }

    static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
