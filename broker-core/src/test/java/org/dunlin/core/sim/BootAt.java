package org.dunlin.core.sim;

import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.SessionRecord;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreBatch.SubscriptionRecord;
import org.dunlin.mqtt.Message;

/** The test's thread only. Tells the virtual time at which the former broker was last known to live. */
record BootAt(Store.Boot boot, long lastAliveMillis) implements Store.Boot {
    @Override
    public void began(long now) {
        boot.began(lastAliveMillis);
    }

    @Override
    public void session(SessionKey key, SessionRecord state) {
        boot.session(key, state);
    }

    @Override
    public void group(SessionKey key, String filter) {
        boot.group(key, filter);
    }

    @Override
    public void subscription(long owner, SubscriptionRecord subscription) {
        boot.subscription(owner, subscription);
    }

    @Override
    public void queue(long owner, long messages, long bytes, long firstSeq, long lastSeq) {
        boot.queue(owner, messages, bytes, firstSeq, lastSeq);
    }

    @Override
    public void released(long owner, long seq, int packetId) {
        boot.released(owner, seq, packetId);
    }

    @Override
    public void numbered(long owner, long seq, int packetId) {
        boot.numbered(owner, seq, packetId);
    }

    @Override
    public void inboundId(long owner, int packetId) {
        boot.inboundId(owner, packetId);
    }

    @Override
    public void retained(Message message, long stamp) {
        boot.retained(message, stamp);
    }

    @Override
    public void delayed(long id, long dueAtMillis, Message message) {
        boot.delayed(id, dueAtMillis, message);
    }
}
