package org.dunlin.persistence.rocksdb.files;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;
import org.dunlin.core.spi.Store.Stored;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.dunlin.persistence.StoreFiles.Census;
import org.dunlin.persistence.rocksdb.Layout;
import org.dunlin.persistence.rocksdb.Layout.Family;
import org.dunlin.persistence.rocksdb.LongCounts;
import org.dunlin.persistence.rocksdb.Records;
import org.dunlin.persistence.rocksdb.Records.Unreadable;

/**
 * Tells rows that are as they should be from those that are not, and counts both. It is given all rows, family by family in
 * the order of {@link #ORDER}, so that what others refer to comes before them. One thread.
 */
final class Sieve {
    static final Family[] ORDER = {
        Family.META,
        Family.SESSION,
        Family.SUBSCRIPTION,
        Family.BODY,
        Family.QUEUE,
        Family.FLOW,
        Family.RETAINED,
        Family.TIMER
    };

    private static final int KEY_SHOWN = 40;
    /** Stands for a message that is kept apart from the queue. */
    static final Message ELSEWHERE = new Message(
            0, "", TopicName.of("elsewhere"), Message.NO_BYTES, Qos.AT_MOST_ONCE, false, 0, Message.NO_BYTES);

    private final Faults faults;
    private final Set<Long> gone = new HashSet<>();
    private final Set<Long> owners = new HashSet<>();
    /** How many queues refer to a body, and one. */
    private final LongCounts bodies = new LongCounts();

    private long nextId = 1;
    private long highestId;
    private long sessions;
    private long groups;
    private long subscriptions;
    private long queued;
    private long queuedBytes;
    private long bodiesReferred;
    private long flows;
    private long retained;
    private long delayed;

    Sieve(Faults faults) {
        this.faults = faults;
    }

    /** What becomes of a row when a store is made anew of those that are good. */
    enum Verdict {
        KEEP,
        /** It is of something that was removed already; nothing is lost. */
        LEFTOVER,
        BAD
    }

    Verdict judge(Family family, byte[] key, byte[] value) {
        try {
            return switch (family) {
                case META -> meta(key, value);
                case SESSION -> owner(key, value);
                case SUBSCRIPTION -> subscription(key, value);
                case BODY -> body(key, value);
                case QUEUE -> queued(key, value);
                case FLOW -> flow(key, value);
                case RETAINED -> retained(key, value);
                case TIMER -> timer(key, value);
            };
        } catch (Unreadable e) {
            return bad(e.getMessage() == null ? "a record is damaged" : e.getMessage(), family, key);
        } catch (RuntimeException e) { // numbers that no enumeration or buffer has: it was not we who wrote that
            return bad("a record is damaged", family, key);
        }
    }

    private Verdict bad(String what, Family family, byte[] key) {
        faults.add(what, place(family, key));
        return Verdict.BAD;
    }

    /** A row's place in words for people. */
    static String place(Family family, byte[] key) {
        String table = new String(family.label, StandardCharsets.US_ASCII);
        boolean ofOwner = family == Family.QUEUE && key.length == 16;
        String where = ofOwner
                ? "owner " + Layout.number(key, 0) + " place " + Layout.number(key, 8)
                : "key " + HexFormat.of().formatHex(Arrays.copyOf(key, Math.min(key.length, KEY_SHOWN)));
        return "in " + table + ", " + where;
    }

    private static void need(boolean condition, String what) throws Unreadable {
        if (!condition) {
            throw new Unreadable(what);
        }
    }

    private Verdict meta(byte[] key, byte[] value) throws Unreadable {
        if (Arrays.equals(key, Layout.IDS)) {
            nextId = Records.number(value, "the identifiers");
            return Verdict.KEEP;
        }
        need(Layout.goneSid(key) >= 0, "a name is unknown");
        gone.add(Layout.goneSid(key));
        return Verdict.KEEP;
    }

    private Verdict owner(byte[] key, byte[] value) throws Unreadable {
        need(key.length == 8, "the key of a session is damaged");
        Records.OwnerRecord owner = Records.owner(value);
        long sid = Layout.number(key, 0);
        owners.add(sid);
        highestId = Math.max(highestId, sid);
        if (owner.session() != null) {
            sessions++;
        } else {
            groups++;
        }
        return Verdict.KEEP;
    }

    private Verdict ofOwner(long sid, Family family, byte[] key, String what) {
        if (owners.contains(sid)) {
            return Verdict.KEEP;
        }
        return gone.contains(sid)
                ? Verdict.LEFTOVER
                : bad(what + " belongs to a session that is not there", family, key);
    }

    private Verdict subscription(byte[] key, byte[] value) throws Unreadable {
        need(key.length > 8, "the key of a subscription is damaged");
        Records.subscription("", value);
        Verdict verdict = ofOwner(Layout.number(key, 0), Family.SUBSCRIPTION, key, "a subscription");
        subscriptions += verdict == Verdict.KEEP ? 1 : 0;
        return verdict;
    }

    private Verdict body(byte[] key, byte[] value) throws Unreadable {
        need(key.length == 8 && Layout.number(key, 0) > 0, "the key of a shared message is damaged");
        Records.message(value);
        bodies.add(Layout.number(key, 0), 1);
        return Verdict.KEEP;
    }

    private Verdict queued(byte[] key, byte[] value) throws Unreadable {
        need(key.length == 16 && Layout.number(key, 8) > 0, "the key of a queued message is damaged");
        long sid = Layout.number(key, 0);
        need(value.length >= 2, "the record of a queued message is damaged");
        Stored stored = Records.queued(Layout.number(key, 8), value, Records.isReference(value) ? ELSEWHERE : null);
        if (stored.body() != 0 && !refer(stored.body())) {
            return bad("a queued message is missing from the shared messages", Family.QUEUE, key);
        }
        Verdict verdict = ofOwner(sid, Family.QUEUE, key, "a queued message");
        if (verdict == Verdict.KEEP) {
            queued++;
            queuedBytes += Records.weight(ByteBuffer.wrap(value));
        } else if (stored.body() != 0 && verdict == Verdict.BAD) {
            unrefer(stored.body());
        }
        return verdict;
    }

    private boolean refer(long body) {
        int count = bodies.count(body);
        if (body <= 0 || count == 0) {
            return false;
        }
        bodiesReferred += count == 1 ? 1 : 0;
        bodies.add(body, 1);
        return true;
    }

    private void unrefer(long body) {
        bodiesReferred -= bodies.release(body) == 1 ? 1 : 0;
    }

    private Verdict flow(byte[] key, byte[] value) throws Unreadable {
        need(key.length > 8, "the key of a packet identifier is damaged");
        byte kind = key[8];
        boolean known = key.length == 11 && (kind == Layout.RELEASED || kind == Layout.INBOUND)
                || key.length == 17 && kind == Layout.NUMBERED;
        need(known, "the key of a packet identifier is damaged");
        Records.number(value, "a packet identifier");
        Verdict verdict = ofOwner(Layout.number(key, 0), Family.FLOW, key, "a packet identifier");
        flows += verdict == Verdict.KEEP ? 1 : 0;
        return verdict;
    }

    private Verdict retained(byte[] key, byte[] value) throws Unreadable {
        Message message = Records.retained(value).message();
        need(Arrays.equals(key, message.topic().utf8()), "a retained message is under another topic than its own");
        retained++;
        return Verdict.KEEP;
    }

    private Verdict timer(byte[] key, byte[] value) throws Unreadable {
        need(key.length == 16, "the key of a delayed message is damaged");
        Records.message(value);
        highestId = Math.max(highestId, Layout.number(key, 8));
        delayed++;
        return Verdict.KEEP;
    }

    /** After the last row: what only all of them together show. */
    void end() {
        faults.add("shared messages are in no queue", bodies.size() - bodiesReferred, "in msg");
        if (highestId >= nextId) {
            faults.add("an identifier was given that is not reserved", "number " + highestId + " of " + nextId);
        }
    }

    boolean isReferredTo(long body) {
        return bodies.count(body) > 1;
    }

    /** No identifier from here on was ever given, as far as can be seen. */
    long nextId() {
        return Math.max(nextId, highestId + 1);
    }

    Census census(long diskBytes) {
        return new Census(
                sessions,
                groups,
                subscriptions,
                queued,
                queuedBytes,
                bodies.size(),
                flows,
                retained,
                delayed,
                diskBytes);
    }
}
