package org.dunlin.persistence.rocksdb;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.dunlin.core.figures.Tally;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.Store.Boot;
import org.dunlin.persistence.rocksdb.Layout.Family;
import org.dunlin.persistence.rocksdb.Records.Unreadable;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/**
 * Reads all that is kept, to tell the ledger what the writer must know, and at the start of the broker that one, too. It
 * reads of each queue only what its messages weigh. One thread, once; how far it is any thread may ask.
 */
final class BootScan {
    private static final long READ_AHEAD = 4 << 20;
    /** RocksDB's guess at how many rows there are. */
    private static final String ROWS = "rocksdb.estimate-num-keys";

    private final Database database;
    private final Ledger ledger;
    private final @Nullable Boot boot;
    private final Set<Long> strays = new HashSet<>();
    private long nextId = 1;
    private final Tally owners = new Tally();
    private final Tally subscriptions = new Tally();
    private final Tally queued = new Tally();
    private final Tally retained = new Tally();
    private final Map<Family, Long> expected = new EnumMap<>(Family.class);

    /** @param boot the broker that is to be told; null if it knows all already */
    BootScan(Database database, Ledger ledger, @Nullable Boot boot) throws RocksDBException {
        this.database = database;
        this.ledger = ledger;
        this.boot = boot;
        for (Family family : List.of(Family.SESSION, Family.SUBSCRIPTION, Family.QUEUE, Family.RETAINED)) {
            expected.put(family, database.rocks.getLongProperty(database.family(family), ROWS));
        }
    }

    /** How far it has come. Any thread. */
    Store.Opening progress(Store.Opening.Stage stage, long logBytes) {
        return new Store.Opening(
                stage,
                logBytes,
                part(owners, Family.SESSION),
                part(subscriptions, Family.SUBSCRIPTION),
                part(queued, Family.QUEUE),
                part(retained, Family.RETAINED));
    }

    private Store.Part part(Tally read, Family family) {
        long now = read.get();
        return new Store.Part(now, Math.max(now, expected.getOrDefault(family, 0L)));
    }

    /** The first identifier that was not reserved. */
    long nextId() {
        return nextId;
    }

    /** Owners whose rows are to be cleared away: those noted as gone, and those of which nothing else is known. */
    Set<Long> leftovers() {
        strays.addAll(ledger.gone());
        return strays;
    }

    void run() throws RocksDBException, Unreadable {
        database.scan(Family.META, this::meta);
        database.scan(Family.SESSION, this::owner);
        if (boot != null) {
            database.scan(Family.SUBSCRIPTION, this::subscription);
        }
        queues();
        lastBody();
        database.scan(Family.FLOW, this::flow);
        if (boot != null) {
            database.scan(Family.RETAINED, this::retained);
            database.scan(Family.TIMER, this::timer);
        }
    }

    private void meta(byte[] key, byte[] value) throws Unreadable {
        if (Arrays.equals(key, Layout.IDS)) {
            nextId = Records.number(value, "the identifiers");
        } else if (Layout.goneSid(key) >= 0) {
            ledger.knowGone(Layout.goneSid(key));
        }
    }

    private static void need(boolean condition, String what) throws Unreadable {
        if (!condition) {
            throw new Unreadable("the key or record of " + what + " is damaged");
        }
    }

    private void owner(byte[] key, byte[] value) throws Unreadable {
        need(key.length == 8, "a session");
        Records.OwnerRecord owner = Records.owner(value);
        SessionKey session = new SessionKey(Layout.number(key, 0), owner.generation());
        ledger.knowOwner(session.sid(), session.generation());
        owners.add(1);
        if (boot == null) {
            return;
        }
        if (owner.session() != null) {
            boot.session(session, owner.session());
        } else if (owner.group() != null) {
            boot.group(session, owner.group());
        }
    }

    private boolean isLive(long sid) {
        if (ledger.knowsOwner(sid)) {
            return true;
        }
        strays.add(sid);
        return false;
    }

    private void subscription(byte[] key, byte[] value) throws Unreadable {
        need(key.length > 8, "a subscription");
        long sid = Layout.number(key, 0);
        if (boot != null && isLive(sid)) {
            subscriptions.add(1);
            boot.subscription(
                    sid, Records.subscription(new String(key, 8, key.length - 8, StandardCharsets.UTF_8), value));
        }
    }

    private void queues() throws RocksDBException, Unreadable {
        ByteBuffer key = ByteBuffer.allocateDirect(16);
        ByteBuffer head = ByteBuffer.allocateDirect(Records.QUEUE_HEAD);
        long sid = 0;
        long messages = 0;
        long bytes = 0;
        long firstSeq = 0;
        long lastSeq = 0;
        try (ReadOptions options = new ReadOptions().setFillCache(false).setReadaheadSize(READ_AHEAD);
                RocksIterator rows = database.rocks.newIterator(database.family(Family.QUEUE), options)) {
            for (rows.seekToFirst(); rows.isValid(); rows.next()) {
                int length = rows.key(key.clear());
                need(rows.value(head.clear()) >= Records.LEAST_QUEUED && length == 16, "a queued message");
                if (key.getLong(0) != sid && messages > 0) {
                    queue(sid, messages, bytes, firstSeq, lastSeq);
                    messages = 0;
                    bytes = 0;
                }
                sid = key.getLong(0);
                lastSeq = key.getLong(8);
                if (messages++ == 0) {
                    firstSeq = lastSeq;
                }
                bytes += Records.weight(head);
                queued.add(1);
                long body = Records.body(head);
                if (body != 0) {
                    ledger.knowBody(sid, lastSeq, body);
                }
            }
            rows.status();
        }
        if (messages > 0) {
            queue(sid, messages, bytes, firstSeq, lastSeq);
        }
    }

    private void queue(long sid, long messages, long bytes, long firstSeq, long lastSeq) {
        if (isLive(sid)) {
            ledger.knowPlace(sid, lastSeq);
            if (boot != null) {
                boot.queue(sid, messages, bytes, firstSeq, lastSeq);
            }
        }
    }

    private void lastBody() throws RocksDBException, Unreadable {
        try (RocksIterator bodies = database.rocks.newIterator(database.family(Family.BODY))) {
            bodies.seekToLast();
            if (bodies.isValid()) {
                need(bodies.key().length == 8, "a shared message");
                ledger.knowLastBody(Layout.number(bodies.key(), 0));
            }
            bodies.status();
        }
    }

    private void flow(byte[] key, byte[] value) throws Unreadable {
        need(key.length == 11 || key.length == 17, "a packet identifier");
        long sid = Layout.number(key, 0);
        if (!isLive(sid)) {
            return;
        }
        byte kind = key[8];
        need(kind == Layout.NUMBERED == (key.length == 17), "a packet identifier");
        int packetId = (key[9] & 0xFF) << 8 | key[10] & 0xFF;
        if (kind == Layout.RELEASED) {
            long seq = Records.number(value, "a released message");
            ledger.knowPlace(sid, seq);
            if (boot != null) {
                boot.released(sid, seq, packetId);
            }
        } else if (kind == Layout.NUMBERED) {
            long seq = Layout.number(key, 9);
            ledger.knowNumbered(sid, seq);
            if (boot != null) {
                boot.numbered(sid, seq, (int) Records.number(value, "a packet identifier"));
            }
        } else if (boot != null) {
            boot.inboundId(sid, packetId);
        }
    }

    private void retained(byte[] key, byte[] value) throws Unreadable {
        if (boot != null) {
            Records.Retained kept = Records.retained(value);
            retained.add(1);
            boot.retained(kept.message(), kept.stamp());
        }
    }

    private void timer(byte[] key, byte[] value) throws Unreadable {
        need(key.length == 16, "a delayed message");
        if (boot != null) {
            boot.delayed(Layout.number(key, 8), Layout.number(key, 0), Records.message(value));
        }
    }
}
