package org.dunlin.it.soak;

import java.io.UncheckedIOException;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.Subscribe;

/**
 * Somebody who does not take all of the flood. What it takes has to be in order, each message once; what is missing was dropped.
 *
 * @param receiveMaximum messages that it may have to acknowledge at once; 0 for any number
 * @param pauseMillis between two messages that it reads, or -1 if it never reads
 * @param ackMillis that it waits with an acknowledgement
 * @param secondsHere after which it goes without a word, and comes again
 * @param persistent whether its session, with its queue, stays meanwhile
 */
record SlowReader(
        String name,
        ProtocolVersion version,
        Qos qos,
        int receiveMaximum,
        long pauseMillis,
        long ackMillis,
        int secondsHere,
        boolean persistent)
        implements Party {
    private static final int RECEIVE_BUFFER = 16_384;
    private static final int SECONDS_BETWEEN_PINGS = 20;

    @Override
    public void play(Scene scene) throws InterruptedException {
        Random random = scene.random(name);
        boolean known = false;
        long taken = 0;
        while (scene.goesOn()) {
            try (MqttSocket socket = scene.socket(RECEIVE_BUFFER)) {
                Connect.Builder connect = Connect.builder(version, name)
                        .cleanStart(!persistent)
                        .keepAliveSeconds(4 * SECONDS_BETWEEN_PINGS);
                if (version.isV5()) {
                    connect.sessionExpirySeconds(persistent ? 3600 : 0);
                    connect.receiveMaximum(receiveMaximum > 0 ? receiveMaximum : Connect.DEFAULT_RECEIVE_MAXIMUM);
                }
                if (socket.connect(connect.build()).sessionPresent() != known) {
                    scene.fault(name + " came, and its session " + (known ? "was gone" : "was there already"));
                }
                known = persistent;
                socket.send(new Subscribe(1, 0, List.of(new Subscribe.Entry(Flood.FILTER, qos)), List.of()));
                taken += stay(scene, socket, secondsHere * 1000L / 2 + random.nextInt(secondsHere * 1000));
            } catch (UncheckedIOException closed) {
                scene.count("slow readers that the broker has closed", 1);
            }
            scene.pause(1000);
        }
        if (taken == 0 && pauseMillis >= 0) {
            scene.fault(name + " got nothing at all");
        }
    }

    /** @return how many messages it took */
    private long stay(Scene scene, MqttSocket socket, long millis) throws InterruptedException {
        long taken = 0;
        Order[] orders = {
            new Order(scene, name + ", QoS 0", Qos.AT_MOST_ONCE, true), new Order(scene, name + ", QoS 1", qos, true)
        };
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        long ping = 0;
        while (scene.goesOn() && System.nanoTime() < end) {
            if (System.nanoTime() > ping) {
                socket.send(Ping.REQUEST);
                ping = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS_BETWEEN_PINGS);
            }
            if (pauseMillis < 0) {
                scene.pause(500);
                continue;
            }
            Packet packet = socket.poll(500);
            if (packet instanceof Publish publish) {
                String topic = publish.message().topic().text();
                int of = topic.endsWith("1") ? 1 : 0;
                orders[of].take(publish.message(), Flood.topic(of));
                taken++;
                scene.count("messages to slow readers, checked", 1);
                scene.pause(pauseMillis);
            }
            if (packet != null) {
                scene.pause(packet instanceof Publish ? ackMillis : 0);
                Exchange.answer(socket, packet);
            }
        }
        return taken;
    }
}
