package org.dunlin.persistence.testing;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.SessionRecord;
import org.dunlin.core.spi.Store.Boot;
import org.dunlin.core.spi.Store.Stored;
import org.dunlin.core.spi.StoreBatch.SubscriptionRecord;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Will;

/** What a store told at its opening, as text that can be compared and read. */
public final class Told implements Boot {
    public long lastAliveMillis = -1;
    /** A name for each thing, and what was told of it. */
    public final Map<String, String> things = new TreeMap<>();

    private boolean ownersAreOver;

    @Override
    public void began(long lastAlive) {
        if (lastAliveMillis >= 0 || !things.isEmpty()) {
            throw new AssertionError("began was not the first call, or came twice");
        }
        lastAliveMillis = lastAlive;
    }

    private void put(String name, Object content) {
        if (things.put(name, content.toString()) != null) {
            throw new AssertionError(name + " was told twice");
        }
    }

    private void owned(long owner, String name, Object content) {
        ownersAreOver = true;
        if (!things.containsKey("owner " + owner)) {
            throw new AssertionError(name + " is of " + owner + ", which was not told before");
        }
        put(name, content);
    }

    @Override
    public void session(SessionKey key, SessionRecord state) {
        owner(key, "session " + text(state));
    }

    @Override
    public void group(SessionKey key, String filter) {
        owner(key, "group " + filter);
    }

    private void owner(SessionKey key, String text) {
        if (ownersAreOver) {
            throw new AssertionError("an owner was told after what is owned");
        }
        put("owner " + key.sid(), "generation " + key.generation() + ' ' + text);
    }

    @Override
    public void subscription(long owner, SubscriptionRecord subscription) {
        owned(owner, "subscription " + owner + ' ' + subscription.filter(), subscription);
    }

    @Override
    public void queue(long owner, long messages, long bytes, long firstSeq, long lastSeq) {
        owned(owner, "queue " + owner, messages + " messages " + bytes + " bytes " + firstSeq + ".." + lastSeq);
    }

    @Override
    public void released(long owner, long seq, int packetId) {
        owned(owner, "released " + owner + ' ' + packetId, seq);
    }

    @Override
    public void numbered(long owner, long seq, int packetId) {
        owned(owner, "numbered " + owner + ' ' + seq, packetId);
    }

    @Override
    public void inboundId(long owner, int packetId) {
        owned(owner, "inbound " + owner + ' ' + packetId, "");
    }

    @Override
    public void retained(Message message, long stamp) {
        put("retained " + message.topic(), text(message) + " stamp " + stamp);
    }

    @Override
    public void delayed(long id, long dueAtMillis, Message message) {
        put("delayed " + id, dueAtMillis + " " + text(message));
    }

    private static String text(SessionRecord state) {
        Will will = state.will();
        return state.clientId() + " by " + state.userName() + ' ' + state.version() + ' ' + state.connected() + ' '
                + state.expirySeconds() + ' ' + state.expiresAtMillis() + ' ' + state.willDueAtMillis()
                + (will == null
                        ? " no will"
                        : " will " + will.topic() + ' ' + bytes(will.payload()) + ' ' + will.qos() + ' '
                                + will.retain() + ' ' + bytes(will.properties()) + ' ' + will.expirySeconds() + ' '
                                + will.delaySeconds());
    }

    public static String text(Message message) {
        return "message " + message.id() + " by " + message.publisher() + " to " + message.topic() + ' '
                + Arrays.hashCode(message.topic().utf8()) + ' ' + message.qos() + ' ' + message.retain() + ' '
                + message.expiresAtMillis() + ' ' + bytes(message.properties()) + ' ' + bytes(message.payload());
    }

    /** All but the body, which is the store's own business. */
    public static String text(Stored stored) {
        return stored.seq() + " " + text(stored.message()) + " as " + stored.qos() + ' ' + stored.retain() + ' '
                + Arrays.toString(stored.subscriptionIds());
    }

    private static String bytes(byte[] bytes) {
        return bytes.length <= 20
                ? "'" + new String(bytes, StandardCharsets.ISO_8859_1) + "'"
                : bytes.length + " bytes #" + Arrays.hashCode(bytes);
    }
}
