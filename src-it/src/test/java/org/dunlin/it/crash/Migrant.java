package org.dunlin.it.crash;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.dunlin.it.crash.Stage.Phase;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;

/**
 * An MQTT 5 client whose session lives now long, now short: by the Session Expiry Interval of CONNECT and of DISCONNECT, and by
 * Clean Start. See {@link Participant} for threads.
 */
final class Migrant implements Participant {
    private static final long[] EXPIRIES = {0, 1, 3600, 3600};

    private final Stage stage;
    private final PersistentClient client;
    private final Random random;
    private final String filter;
    private long expiry;
    private long nextNanos;
    private boolean subscribed;
    private volatile boolean settled;

    Migrant(Stage stage, String clientId, Random random, String filter) {
        this.stage = stage;
        this.client = new PersistentClient(clientId, ProtocolVersion.MQTT_5, stage.history(), stage::port);
        this.random = random;
        this.filter = filter;
    }

    @Override
    public String name() {
        return client.clientId();
    }

    @Override
    public void step() {
        boolean works = stage.phase() == Phase.WORK;
        boolean time = System.nanoTime() - nextNanos > 0;
        if (!client.isConnected()) {
            settled = false;
            if (works && !time) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
                return;
            }
            expiry = works ? EXPIRIES[random.nextInt(EXPIRIES.length)] : 3600;
            client.expirySeconds(expiry);
            if (!client.connect(works && random.nextInt(5) == 0)) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
                return;
            }
            subscribed = false; // whatever the session has: it may be another one
            nextNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(random.nextInt(600));
        } else if (works && time) {
            leave();
        } else if (!subscribed) {
            subscribed = true;
            client.subscribe(filter, Qos.EXACTLY_ONCE);
        }
        client.poll(5);
        settled = client.isConnected() && subscribed && !client.hasPendingOperation();
    }

    private void leave() {
        long away = random.nextInt(400);
        if (expiry == 1 && random.nextInt(3) == 0) {
            away = 4000; // longer than the session lives
        }
        nextNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(away);
        if (random.nextBoolean()) {
            client.drop();
        } else {
            // a session that is to end with its connection cannot be given longer [MQTT-3.14.2-2]
            client.leave(expiry == 0 || random.nextBoolean() ? -1 : EXPIRIES[random.nextInt(EXPIRIES.length)]);
        }
    }

    @Override
    public boolean isSettled() {
        return settled;
    }

    @Override
    public void end() {
        client.leave(0);
    }
}
