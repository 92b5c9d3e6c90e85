package org.dunlin.it.soak;

import java.util.BitSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;

/** A shared subscription one of whose members is slow: each message has to be with one of them, once. */
final class Crew {
    private static final int MEMBERS = 3;
    private static final int MESSAGES_A_SECOND = 30;
    private static final long LAST_MILLIS = 20_000;

    private final CountDownLatch there = new CountDownLatch(MEMBERS);
    private final BitSet taken = new BitSet(); // guarded by itself
    private volatile long sent;
    private volatile boolean complete;

    /** @param pauseMillis that it takes for each message */
    record Member(Crew crew, String name, int receiveMaximum, long pauseMillis) implements Party {
        @Override
        public void play(Scene scene) throws InterruptedException {
            try (MqttSocket socket = scene.socket()) {
                socket.connect(Connect.builder(ProtocolVersion.MQTT_5, name)
                        .receiveMaximum(receiveMaximum)
                        .build());
                socket.subscribe("$share/crew/work/#", Qos.AT_LEAST_ONCE);
                crew.there.countDown();
                while (!crew.complete) {
                    Packet packet = socket.poll(200);
                    if (packet instanceof Publish publish) {
                        Thread.sleep(pauseMillis);
                        crew.take(scene, name, Numbered.of(publish.message()));
                        Exchange.answer(socket, packet);
                    }
                }
            }
        }
    }

    /** Publishes the work, once the members are there, and says at the end whether all of it was done. */
    record Foreman(Crew crew) implements Party {
        @Override
        public String name() {
            return "crew-foreman";
        }

        @Override
        public void play(Scene scene) throws InterruptedException {
            try (MqttSocket socket = scene.socket().connect(ProtocolVersion.MQTT_3_1_1, name())) {
                if (!crew.there.await(LAST_MILLIS, TimeUnit.MILLISECONDS)) {
                    throw new IllegalStateException("not all members of the crew have come");
                }
                while (scene.goesOn()) {
                    socket.publish(Numbered.message("work/" + crew.sent % 7, crew.sent + 1, 100, Qos.AT_LEAST_ONCE));
                    crew.sent++;
                    scene.pause(1000 / MESSAGES_A_SECOND);
                }
                long end = System.currentTimeMillis() + LAST_MILLIS;
                while (crew.done() < crew.sent && System.currentTimeMillis() < end) {
                    Thread.sleep(100);
                }
                if (crew.done() < crew.sent) {
                    scene.fault("of " + crew.sent + " messages to a shared subscription only " + crew.done() + " came");
                }
                scene.count("messages to a shared subscription, checked", crew.done());
            } finally {
                crew.complete = true;
            }
        }
    }

    private void take(Scene scene, String who, long number) {
        synchronized (taken) {
            if (taken.get((int) number)) {
                scene.fault(who + " got message " + number + " that a member of its group already had");
            }
            taken.set((int) number);
        }
    }

    private int done() {
        synchronized (taken) {
            return taken.cardinality();
        }
    }
}
