package org.dunlin.it.crash;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.dunlin.it.crash.Stage.Phase;
import org.dunlin.mqtt.Qos;

/** A persistent client that publishes what it draws. See {@link Participant} for threads. */
final class Publisher implements Participant {
    /**
     * A message to be.
     *
     * @param topic the one that it is delivered under
     * @param expiry Message Expiry Interval in seconds, 0 for none
     */
    record Draft(String topic, Qos qos, boolean retain, boolean empty, int size, int delay, int expiry) {
        static Draft of(String topic, Qos qos, int size) {
            return new Draft(topic, qos, false, false, size, 0, 0);
        }
    }

    private final Stage stage;
    private final PersistentClient client;
    private final Random random;
    private final Function<Random, Draft> drafts;
    private final int gapMicros;
    private final Map<String, Integer> numbers = new HashMap<>();
    private volatile boolean settled;
    private long nextNanos;

    /** @param gapMicros time between two messages, on the average */
    Publisher(Stage stage, PersistentClient client, Random random, int gapMicros, Function<Random, Draft> drafts) {
        this.stage = stage;
        this.client = client;
        this.random = random;
        this.gapMicros = gapMicros;
        this.drafts = drafts;
    }

    @Override
    public String name() {
        return client.clientId();
    }

    @Override
    public void step() {
        Phase phase = stage.phase();
        if (!client.isConnected() && (phase == Phase.HOLD || !client.connect(false))) {
            settled = phase == Phase.HOLD;
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
            return;
        }
        settled = phase == Phase.HOLD || phase == Phase.DRAIN && !client.hasUnacknowledged();
        while (phase == Phase.WORK && client.mayPublish() && System.nanoTime() - nextNanos > 0) {
            publish(drafts.apply(random));
            nextNanos = System.nanoTime() + TimeUnit.MICROSECONDS.toNanos(random.nextInt(2 * gapMicros));
        }
        while (client.poll(1)) {
            if (phase == Phase.WORK && client.mayPublish() && random.nextBoolean()) {
                publish(drafts.apply(random)); // under the identifier that has just come free
            }
        }
    }

    private void publish(Draft draft) {
        boolean hasExpiry = draft.expiry > 0 && client.isV5();
        MessageKey key = new MessageKey(name(), draft.topic, numbers.merge(draft.topic, 1, Integer::sum));
        String topic = draft.delay > 0 ? "$delayed/" + draft.delay + "/" + draft.topic : draft.topic;
        Event.Sending how =
                new Event.Sending(draft.qos, 0, draft.retain, draft.empty, hasExpiry && draft.expiry < 60, draft.delay);
        byte[] payload = draft.empty ? new byte[0] : key.payload(draft.size);
        client.publish(key, topic, payload, hasExpiry ? draft.expiry : 0, how);
    }

    @Override
    public boolean isSettled() {
        return settled;
    }

    @Override
    public void end() {
        client.leave(-1);
    }
}
