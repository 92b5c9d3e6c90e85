package org.dunlin.it.soak;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.dunlin.it.MqttSocket;

/** What all who play in one run share: the broker, when it is over, what was counted and what went wrong. Any thread. */
final class Scene {
    private static final int FAULTS_MAX = 200;

    private final int port;
    private final long seed;
    private final CountDownLatch over = new CountDownLatch(1);
    private final Map<String, LongAdder> counts = new ConcurrentSkipListMap<>();
    private final AtomicInteger left = new AtomicInteger();
    private final List<String> faults = new ArrayList<>();

    Scene(int port, long seed) {
        this.port = port;
        this.seed = seed;
    }

    MqttSocket socket() {
        return MqttSocket.open(port);
    }

    /** One for which the system takes little more than so many bytes before the client reads. */
    MqttSocket socket(int receiveBuffer) {
        return MqttSocket.open(port, "127.0.0.1", receiveBuffer);
    }

    /** Chances of somebody, the same in each run with the same seed. */
    Random random(String name) {
        return new Random(seed ^ name.hashCode() * 0x9E37_79B9_7F4A_7C15L);
    }

    boolean goesOn() {
        return over.getCount() > 0;
    }

    void end() {
        over.countDown();
    }

    /** Waits so long, or until it is over. */
    void pause(long millis) throws InterruptedException {
        if (millis > 0) {
            over.await(millis, TimeUnit.MILLISECONDS);
        }
    }

    void count(String what, long more) {
        counts.computeIfAbsent(what, none -> new LongAdder()).add(more);
    }

    Map<String, LongAdder> counts() {
        return counts;
    }

    /** Somebody goes and leaves so many retained messages that nobody will clear. */
    void leaves(int retained) {
        left.addAndGet(retained);
    }

    /** How many retained messages all have left. */
    int left() {
        return left.get();
    }

    /** Something that the broker owed and did not do. */
    void fault(String text) {
        synchronized (faults) {
            if (faults.size() < FAULTS_MAX) {
                faults.add(text);
                System.out.println("FAULT " + text);
            }
        }
    }

    List<String> faults() {
        synchronized (faults) {
            return List.copyOf(faults);
        }
    }
}
