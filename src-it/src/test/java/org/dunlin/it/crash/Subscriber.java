package org.dunlin.it.crash;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.dunlin.it.crash.Stage.Phase;
import org.dunlin.mqtt.Qos;

/** A persistent client that receives. See {@link Participant} for threads. */
final class Subscriber implements Participant {
    /** How it behaves while the others work. */
    enum Habit {
        ONLINE,
        /** It reads little at a time. */
        SLOW,
        /** It comes now and then, and leaves by DISCONNECT or by closing. */
        VISITOR,
        /** It subscribes and unsubscribes without end. */
        CHURN
    }

    private final Stage stage;
    private final PersistentClient client;
    private final Random random;
    private final Habit habit;
    private final Map<String, Qos> filters;
    private volatile boolean settled;
    private long nextNanos = System.nanoTime();
    private boolean away;

    Subscriber(Stage stage, PersistentClient client, Random random, Habit habit, Map<String, Qos> filters) {
        this.stage = stage;
        this.client = client;
        this.random = random;
        this.habit = habit;
        this.filters = filters;
    }

    @Override
    public String name() {
        return client.clientId();
    }

    @Override
    public void step() {
        boolean works = stage.phase() == Phase.WORK;
        boolean time = System.nanoTime() - nextNanos > 0;
        if (works && habit == Habit.VISITOR && time && (away || isSubscribed())) {
            comeOrGo();
        }
        if (!client.isConnected() && (works && away || !client.connect(false))) {
            settled = false;
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
            return;
        }
        if (!client.hasPendingOperation() && !isSubscribed() && !(works && habit == Habit.CHURN)) {
            subscribe();
        }
        if (works && habit == Habit.CHURN && time && !client.hasPendingOperation()) {
            churn();
        }
        if (works && habit == Habit.SLOW && random.nextInt(4) == 0) {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(12)));
        }
        client.poll(5);
        settled = client.isConnected() && !client.hasPendingOperation() && isSubscribed();
    }

    private boolean isSubscribed() {
        for (String filter : filters.keySet()) {
            if (!client.isSubscribed(filter)) {
                return false;
            }
        }
        return true;
    }

    private void subscribe() {
        for (Map.Entry<String, Qos> filter : filters.entrySet()) {
            if (!client.isSubscribed(filter.getKey())) {
                client.subscribe(filter.getKey(), filter.getValue());
                return;
            }
        }
    }

    private void comeOrGo() {
        away = !away;
        nextNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(random.nextInt(away ? 1500 : 300));
        if (!away) {
            return;
        }
        if (random.nextBoolean()) {
            client.drop();
        } else {
            client.leave(-1);
        }
    }

    private void churn() {
        nextNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(random.nextInt(60));
        List<String> all = List.copyOf(filters.keySet());
        String filter = all.get(random.nextInt(all.size()));
        if (client.isSubscribed(filter)) {
            client.unsubscribe(filter);
        } else {
            client.subscribe(filter, filters.get(filter));
        }
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
