package org.dunlin.persistence.rocksdb;

import java.util.ArrayList;
import java.util.List;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.SessionRecord;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * Changes as they were recorded, laid out as bytes already, so that the one writer has little left to do. The thread that
 * made it, then the writer thread.
 */
final class RocksBatch implements StoreBatch {
    /** What a change costs beside its bytes. */
    private static final int CHANGE_BYTES = 48;

    private final List<Change> changes = new ArrayList<>();
    private long bytes;
    private boolean adds;
    private boolean unhurried;
    private boolean onlyDone = true;

    /** One change; writer thread only. */
    interface Change {
        void apply(Ledger ledger) throws RocksDBException;
    }

    /** What it takes in memory and in the log, about. */
    long bytes() {
        return bytes;
    }

    int size() {
        return changes.size();
    }

    /** Whether somebody has to wait until it is on disk. */
    boolean isHurried() {
        return !unhurried || !onlyDone;
    }

    /** Whether it makes the store grow, which a full disk does not take. */
    boolean adds() {
        return adds;
    }

    void applyTo(Ledger ledger) throws RocksDBException {
        for (Change change : changes) {
            change.apply(ledger);
        }
    }

    void add(long size, Change change) {
        onlyDone = false;
        addDone(size, change);
    }

    /** Something is done with: if that is lost, it is done once more. */
    private void addDone(long size, Change change) {
        changes.add(change);
        bytes += CHANGE_BYTES + size;
    }

    @Override
    public void unhurried() {
        unhurried = true;
    }

    @Override
    public void putSession(SessionKey session, SessionRecord state) {
        byte[] record = Records.session(session.generation(), state);
        add(record.length, ledger -> ledger.putSession(session, record));
    }

    @Override
    public void putGroup(SessionKey group, String filter) {
        byte[] record = Records.group(filter);
        adds = true;
        add(record.length, ledger -> ledger.putGroup(group, record));
    }

    @Override
    public void removeOwner(SessionKey owner) {
        add(0, ledger -> ledger.removeOwner(owner));
    }

    @Override
    public void putSubscription(SessionKey session, SubscriptionRecord subscription) {
        byte[] filter = Ledger.utf8(subscription.filter());
        byte[] record = Records.subscription(subscription);
        adds = true;
        add(filter.length + record.length, ledger -> ledger.putSubscription(session, filter, record));
    }

    @Override
    public void removeSubscription(SessionKey session, String filter) {
        byte[] text = Ledger.utf8(filter);
        add(text.length, ledger -> ledger.removeSubscription(session, text));
    }

    @Override
    public void enqueue(Message message, List<? extends Target> targets) {
        boolean apart = Records.isApart(message, targets.size());
        byte[] body = apart ? Records.message(message) : Message.NO_BYTES;
        Target[] queues = targets.toArray(new Target[0]);
        byte[][] values = new byte[queues.length][];
        long size = body.length;
        for (int i = 0; i < queues.length; i++) {
            Target target = queues[i];
            values[i] = Records.queued(message, target.qos(), target.retain(), target.subscriptionIds(), apart);
            size += CHANGE_BYTES + values[i].length;
        }
        adds = true;
        add(size, ledger -> ledger.enqueue(queues, values, body));
    }

    @Override
    public void ack(SessionKey owner, long seq, long body) {
        addDone(0, ledger -> ledger.ack(owner, seq, body));
    }

    @Override
    public void numbered(SessionKey session, long seq, int packetId) {
        add(0, ledger -> ledger.numbered(session, seq, packetId));
    }

    @Override
    public void released(SessionKey session, long seq, long body, int packetId) {
        add(0, ledger -> ledger.released(session, seq, body, packetId));
    }

    @Override
    public void completed(SessionKey session, int packetId) {
        addDone(0, ledger -> ledger.completed(session, packetId));
    }

    @Override
    public void inboundId(SessionKey session, int packetId, boolean present) {
        add(0, ledger -> ledger.inboundId(session, packetId, present));
    }

    @Override
    public void retain(TopicName topic, @Nullable Message message, long stamp) {
        byte[] record = message == null ? null : Records.retained(stamp, message);
        adds |= message != null;
        add(topic.utf8().length + (record == null ? 0 : record.length), ledger -> ledger.retain(topic, record, stamp));
    }

    @Override
    public void putDelayed(long id, long dueAtMillis, Message message) {
        byte[] record = Records.message(message);
        adds = true;
        add(record.length, ledger -> ledger.putDelayed(id, dueAtMillis, record));
    }

    @Override
    public void removeDelayed(long id, long dueAtMillis) {
        add(0, ledger -> ledger.removeDelayed(id, dueAtMillis));
    }
}
