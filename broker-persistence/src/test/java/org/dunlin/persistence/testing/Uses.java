package org.dunlin.persistence.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.SessionRecord;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.Store.Stored;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Will;

/** What tests do with a store, each as one call that waits for its end. */
public final class Uses {
    private Uses() {}

    /** A queue that a message is for, and what it was told. */
    public static final class Place implements StoreBatch.Target {
        private final SessionKey owner;
        private final Qos qos;
        private final boolean retain;
        private final int[] ids;
        public volatile long seq;
        public volatile long body;

        public Place(SessionKey owner, Qos qos, boolean retain, int... ids) {
            this.owner = owner;
            this.qos = qos;
            this.retain = retain;
            this.ids = ids;
        }

        @Override
        public SessionKey owner() {
            return owner;
        }

        @Override
        public Qos qos() {
            return qos;
        }

        @Override
        public boolean retain() {
            return retain;
        }

        @Override
        public int[] subscriptionIds() {
            return ids;
        }

        @Override
        public void placed(long place, long itsBody) {
            seq = place;
            body = itsBody;
        }
    }

    /** One answer of {@link Store#readQueue}. */
    public record Read(List<Stored> messages, boolean more, String failure) {
        public List<String> texts() {
            List<String> texts = new ArrayList<>();
            for (Stored stored : messages) {
                texts.add(Told.text(stored));
            }
            return texts;
        }

        public List<Long> places() {
            List<Long> places = new ArrayList<>();
            for (Stored stored : messages) {
                places.add(stored.seq());
            }
            return places;
        }
    }

    public static <T> T await(CompletableFuture<T> future) {
        try {
            return future.get(60, TimeUnit.SECONDS);
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new AssertionError(e);
        }
    }

    /** Writes one batch and returns its failure, or null. */
    public static String write(Store store, Consumer<StoreBatch> changes) {
        return await(writing(store, changes));
    }

    public static CompletableFuture<String> writing(Store store, Consumer<StoreBatch> changes) {
        StoreBatch batch = store.newBatch();
        changes.accept(batch);
        CompletableFuture<String> end = new CompletableFuture<>();
        store.write(batch, failure -> {
            if (!end.complete(failure)) {
                throw new AssertionError("completed twice");
            }
        });
        return end;
    }

    /** Writes one batch, which must succeed. */
    public static void commit(Store store, Consumer<StoreBatch> changes) {
        String failure = write(store, changes);
        if (failure != null) {
            throw new AssertionError(failure);
        }
    }

    /** Enqueues a message at QoS 1. */
    public static Place enqueue(Store store, Message message, SessionKey owner) {
        Place place = new Place(owner, Qos.AT_LEAST_ONCE, false);
        commit(store, batch -> batch.enqueue(message, List.of(place)));
        return place;
    }

    public static Read read(Store store, long owner, long after, long through, int messages, long bytes) {
        CompletableFuture<Read> page = new CompletableFuture<>();
        store.readQueue(
                owner,
                after,
                through,
                messages,
                bytes,
                (read, more, failure) -> page.complete(new Read(List.copyOf(read), more, failure)));
        return await(page);
    }

    public static Read readAll(Store store, long owner) {
        return read(store, owner, 0, Long.MAX_VALUE, Integer.MAX_VALUE, Long.MAX_VALUE);
    }

    public static SessionRecord session(String clientId) {
        return new SessionRecord(
                clientId, null, ProtocolVersion.MQTT_5, true, 60, Long.MAX_VALUE, null, Long.MAX_VALUE, 0);
    }

    public static SessionRecord sessionWithWill(String clientId, byte[] payload) {
        Will will = new Will(
                TopicName.of("will/" + clientId),
                payload,
                Qos.EXACTLY_ONCE,
                true,
                new byte[] {1, 1},
                77,
                4_294_967_295L);
        return new SessionRecord(
                clientId, "üser", ProtocolVersion.MQTT_3_1_1, false, 4_294_967_295L, 12345, will, 999, 1L << 40);
    }

    public static Message message(long id, String topic, int bytes) {
        byte[] payload = new byte[bytes];
        for (int i = 0; i < bytes; i++) {
            payload[i] = (byte) (id * 31 + i);
        }
        return new Message(
                id,
                "püblisher",
                TopicName.of(topic),
                payload,
                Qos.EXACTLY_ONCE,
                id % 2 == 0,
                id % 3 == 0 ? Message.NEVER : id * 1000,
                id % 5 == 0 ? new byte[] {38, 0, 1, 'a', 0, 1, 'b'} : Message.NO_BYTES);
    }
}
