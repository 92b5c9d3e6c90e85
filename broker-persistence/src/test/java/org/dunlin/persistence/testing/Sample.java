package org.dunlin.persistence.testing;

import static org.dunlin.persistence.testing.Uses.commit;
import static org.dunlin.persistence.testing.Uses.message;
import static org.dunlin.persistence.testing.Uses.session;
import static org.dunlin.persistence.testing.Uses.sessionWithWill;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.Store;
import org.dunlin.core.spi.StoreBatch.SubscriptionRecord;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.dunlin.persistence.testing.Uses.Place;

/** A store with some of everything that can be kept, the same each time. */
public final class Sample {
    public static final SessionKey ANN = new SessionKey(1, 3);
    public static final SessionKey BEN = new SessionKey(2, 1);
    public static final SessionKey GROUP = new SessionKey(3, 0);
    public static final SessionKey GONE = new SessionKey(4, 1);
    public static final int RETAINED = 30;

    private Sample() {}

    public static void fill(Store store) {
        for (int i = 0; i < 10; i++) {
            store.nextId();
        }
        commit(store, batch -> {
            batch.putSession(ANN, session("änn \"\\\n"));
            batch.putSession(BEN, sessionWithWill("ben", "bye".getBytes(StandardCharsets.UTF_8)));
            batch.putGroup(GROUP, "$share/g/t/#");
            batch.putSession(GONE, session("gone"));
            batch.putSubscription(ANN, new SubscriptionRecord("a/+/#", Qos.EXACTLY_ONCE, true, true, 268_435_455));
            batch.putSubscription(BEN, new SubscriptionRecord("$share/g/t/#", Qos.AT_LEAST_ONCE, false, false, 0));
            batch.putSubscription(BEN, new SubscriptionRecord("𝄞/ü", Qos.AT_MOST_ONCE, false, true, 7));
        });
        List<Place> anns = new ArrayList<>();
        for (int i = 1; i <= 40; i++) {
            int bytes = i % 10 == 0 ? 6000 : i % 3 == 0 ? 200 : i;
            Place ann = new Place(ANN, Qos.EXACTLY_ONCE, i % 2 == 0, 1, 268_435_455);
            List<Place> places = i % 3 == 0
                    ? List.of(ann, new Place(BEN, Qos.AT_LEAST_ONCE, false), new Place(GROUP, Qos.AT_LEAST_ONCE, false))
                    : List.of(ann);
            long id = i;
            commit(store, batch -> batch.enqueue(message(id, "a/" + id + "/t", bytes), places));
            anns.add(ann);
        }
        commit(store, batch -> {
            batch.ack(ANN, anns.get(0).seq, anns.get(0).body);
            batch.released(ANN, anns.get(1).seq, anns.get(1).body, 2);
            batch.numbered(ANN, anns.get(2).seq, 65_535);
            batch.inboundId(BEN, 40_000, true);
            for (int i = 0; i < RETAINED; i++) {
                TopicName topic = TopicName.of("kept/" + i + "/ü");
                batch.retain(topic, message(100 + i, topic.text(), i == 0 ? 9000 : 10 + i), 1000 + i);
            }
            batch.putDelayed(store.nextId(), 1_800_000_000_000L, message(200, "later", 30));
        });
        commit(store, batch -> batch.removeOwner(GONE));
    }

    /** All that the store holds, as text that can be compared. */
    public static List<String> contents(Store store, Told told) {
        List<String> contents = new ArrayList<>();
        told.things.forEach((name, content) -> contents.add(name + ": " + content));
        for (SessionKey owner : List.of(ANN, BEN, GROUP)) {
            Uses.Read read = Uses.readAll(store, owner.sid());
            if (read.failure() != null) {
                throw new AssertionError(read.failure());
            }
            read.texts().forEach(text -> contents.add("queued " + owner.sid() + ": " + text));
        }
        return contents;
    }
}
