package org.dunlin.it.crash;

import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.dunlin.it.crash.Stage.Phase;
import org.dunlin.mqtt.ProtocolVersion;

/**
 * A client with a will, another one on each connection. It leaves by DISCONNECT, by closing, or with the broker. With a delayed
 * will each connection is of another client, as coming back would end the delay. See {@link Participant} for threads.
 */
final class Testator implements Participant {
    private final Stage stage;
    private final String name;
    private final ProtocolVersion version;
    private final Random random;
    private final int delay;
    private PersistentClient client;
    private int wills;
    private long nextNanos;

    /** @param delay Will Delay Interval in seconds */
    Testator(Stage stage, String name, ProtocolVersion version, Random random, int delay) {
        this.stage = stage;
        this.name = name;
        this.version = version;
        this.random = random;
        this.delay = delay;
        this.client = newClient();
    }

    private PersistentClient newClient() {
        String clientId = delay == 0 ? name : name + "-" + wills;
        return new PersistentClient(clientId, version, stage.history(), stage::port);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void step() {
        if (stage.phase() != Phase.WORK) {
            client.poll(20);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
            return;
        }
        if (!client.isConnected()) {
            connect();
        } else if (System.nanoTime() - nextNanos > 0) {
            if (random.nextBoolean()) {
                client.leave(-1);
            } else {
                client.drop();
            }
        } else {
            client.poll(10);
        }
    }

    private void connect() {
        if (delay > 0) {
            client = newClient();
        }
        MessageKey key = new MessageKey(client.clientId(), "w/" + name, wills + 1);
        client.will(key, delay);
        if (client.connect(false)) {
            wills++;
            nextNanos = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(100 + random.nextInt(2000));
        } else {
            wills++; // the broker may know it
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
    }

    @Override
    public boolean isSettled() {
        return true;
    }

    @Override
    public void end() {
        client.leave(-1);
    }
}
