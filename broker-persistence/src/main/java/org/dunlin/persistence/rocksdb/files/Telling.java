package org.dunlin.persistence.rocksdb.files;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.Store.Stored;
import org.dunlin.core.spi.StoreBatch.SubscriptionRecord;
import org.dunlin.persistence.Contents;
import org.dunlin.persistence.Contents.Reference;
import org.dunlin.persistence.rocksdb.Database;
import org.dunlin.persistence.rocksdb.Layout;
import org.dunlin.persistence.rocksdb.Layout.Family;
import org.dunlin.persistence.rocksdb.LongCounts;
import org.dunlin.persistence.rocksdb.Mark;
import org.dunlin.persistence.rocksdb.Records;
import org.dunlin.persistence.rocksdb.Records.Unreadable;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/** Tells all that a database holds, but for what is left of owners that are gone. One thread, once. */
final class Telling<X extends Exception> {
    private final Database database;
    private final Contents<X> listener;
    private final Set<Long> owners = new HashSet<>();
    /** Those that a queue refers to. */
    private final LongCounts bodies = new LongCounts();

    private int found;

    Telling(Database database, Contents<X> listener) {
        this.database = database;
        this.listener = listener;
    }

    private interface Row<X extends Exception> {
        void row(byte[] key, byte[] value) throws Unreadable, X;
    }

    /** @param mark what was noted last; null if nothing was */
    void run(Mark.@Nullable State mark) throws RocksDBException, Unreadable, X {
        byte[] ids = database.rocks.get(database.family(Family.META), Layout.IDS);
        long now = System.currentTimeMillis();
        listener.begin(
                mark == null ? now : mark.brokerMillis(),
                mark == null ? now : mark.wallMillis(),
                ids == null ? 1 : Records.number(ids, "the identifiers"));
        // Sessions before groups: two passes over the smallest of families.
        each(Family.SESSION, (key, value) -> session(Layout.number(key, 0), Records.owner(value)));
        each(Family.SESSION, (key, value) -> group(Layout.number(key, 0), Records.owner(value)));
        each(Family.SUBSCRIPTION, this::subscription);
        each(Family.QUEUE, (key, value) -> {
            long body = Records.body(ByteBuffer.wrap(value));
            if (body != 0 && owners.contains(Layout.number(key, 0))) {
                bodies.add(body, 1);
            }
        });
        each(Family.BODY, (key, value) -> {
            if (bodies.count(Layout.number(key, 0)) > 0) {
                found++;
                listener.body(Layout.number(key, 0), Records.message(value));
            }
        });
        if (found < bodies.size()) {
            throw new Unreadable(bodies.size() - found + " messages that queues refer to are missing");
        }
        each(Family.QUEUE, this::queued);
        each(Family.FLOW, this::flow);
        each(Family.RETAINED, (key, value) -> {
            Records.Retained retained = Records.retained(value);
            listener.retained(retained.message(), retained.stamp());
        });
        each(
                Family.TIMER,
                (key, value) -> listener.delayed(Layout.number(key, 8), Layout.number(key, 0), Records.message(value)));
    }

    private void each(Family family, Row<X> row) throws RocksDBException, Unreadable, X {
        try (RocksIterator rows = database.rocks.newIterator(database.family(family))) {
            for (rows.seekToFirst(); rows.isValid(); rows.next()) {
                row.row(rows.key(), rows.value());
            }
            rows.status();
        }
    }

    private void session(long sid, Records.OwnerRecord owner) throws X {
        owners.add(sid);
        if (owner.session() != null) {
            listener.session(new SessionKey(sid, owner.generation()), owner.session());
        }
    }

    private void group(long sid, Records.OwnerRecord owner) throws X {
        if (owner.group() != null) {
            listener.group(new SessionKey(sid, owner.generation()), owner.group());
        }
    }

    private void subscription(byte[] key, byte[] value) throws Unreadable, X {
        if (owners.contains(Layout.number(key, 0))) {
            String filter = new String(key, 8, key.length - 8, StandardCharsets.UTF_8);
            SubscriptionRecord subscription = Records.subscription(filter, value);
            listener.subscription(Layout.number(key, 0), subscription);
        }
    }

    private void queued(byte[] key, byte[] value) throws Unreadable, X {
        long sid = Layout.number(key, 0);
        if (!owners.contains(sid)) {
            return;
        }
        long seq = Layout.number(key, 8);
        if (!Records.isReference(value)) {
            listener.queued(sid, Records.queued(seq, value, null));
            return;
        }
        Stored stored = Records.queued(seq, value, Sieve.ELSEWHERE);
        listener.reference(
                sid,
                new Reference(
                        seq,
                        stored.body(),
                        Records.weight(ByteBuffer.wrap(value)),
                        stored.qos(),
                        stored.retain(),
                        stored.subscriptionIds()));
    }

    private void flow(byte[] key, byte[] value) throws Unreadable, X {
        long sid = Layout.number(key, 0);
        if (!owners.contains(sid)) {
            return;
        }
        int packetId = ByteBuffer.wrap(key).getShort(9) & 0xFFFF;
        long number = Records.number(value, "a packet identifier");
        switch (key[8]) {
            case Layout.RELEASED -> listener.released(sid, number, packetId);
            case Layout.INBOUND -> listener.inboundId(sid, packetId);
            case Layout.NUMBERED -> listener.numbered(sid, Layout.number(key, 9), (int) number);
            default -> throw new Unreadable("a packet identifier of the unknown kind " + key[8]);
        }
    }
}
