package org.dunlin.it.soak;

import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.SubAck;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Unsubscribe;
import org.dunlin.mqtt.Will;

/**
 * Clients that come, subscribe, publish, unsubscribe and go in every way there is: by DISCONNECT with and without their will, without
 * a word, by a reset, or by another one with the same client identifier. Some sessions stay and are taken up or expire; every
 * second client is one that nobody has seen before. None of them is refused, and no connection ends but since its client identifier
 * came again.
 *
 * @param pauseMillis between two visits
 */
record Visitors(String name, long pauseMillis) implements Party {
    private static final int KNOWN = 40;
    private static final int LINGERING = 20;
    private static final int SECONDS_KEPT = 30;

    @Override
    public void play(Scene scene) throws InterruptedException {
        Random random = scene.random(name);
        Deque<MqttSocket> lingering = new ArrayDeque<>();
        while (scene.goesOn()) {
            MqttSocket socket = scene.socket();
            boolean known = random.nextBoolean();
            try {
                visit(scene, socket, random, known);
                if (random.nextInt(3) == 0) {
                    lingering.add(socket);
                } else {
                    leave(socket, random);
                }
            } catch (UncheckedIOException closed) {
                socket.close();
                if (!known) {
                    scene.fault(name + ": the broker has closed the connection of a client that came once");
                }
                scene.count("visits that another client with the same identifier ended", 1);
            }
            if (lingering.size() > LINGERING) {
                leave(lingering.remove(), random);
            }
            scene.count("visits", 1);
            scene.pause(pauseMillis);
        }
        lingering.forEach(MqttSocket::close);
    }

    private static void visit(Scene scene, MqttSocket socket, Random random, boolean known) {
        ProtocolVersion version = ProtocolVersion.values()[random.nextInt(3)];
        boolean clean = random.nextBoolean();
        String id = known ? "known-" + random.nextInt(KNOWN) : "new-" + Long.toHexString(random.nextLong());
        Connect.Builder connect = Connect.builder(version, id.substring(0, Math.min(23, id.length())))
                .cleanStart(clean)
                .keepAliveSeconds(30)
                .will(random.nextBoolean() ? will(version, random) : null);
        if (version.isV5()) {
            connect.sessionExpirySeconds(random.nextBoolean() ? 0 : 1 + random.nextInt(SECONDS_KEPT))
                    .topicAliasMaximum(random.nextInt(10))
                    .receiveMaximum(1 + random.nextInt(30));
        }
        socket.send(connect.build());
        settle(scene, socket);
        List<String> filters = new ArrayList<>();
        for (int i = random.nextInt(4); i >= 0; i--) {
            filters.add(filter(random));
        }
        List<Subscribe.Entry> entries = new ArrayList<>();
        filters.forEach(filter -> entries.add(new Subscribe.Entry(filter, Qos.of(random.nextInt(3)))));
        socket.send(new Subscribe(socket.nextId(), version.isV5() ? random.nextInt(3) : 0, entries, List.of()));
        List<Packet> packets = new ArrayList<>();
        for (int i = random.nextInt(6); i > 0; i--) {
            Qos qos = Qos.of(random.nextInt(3));
            String topic = "visit/" + random.nextInt(50) + "/" + Long.toHexString(random.nextLong());
            Message message = Numbered.message(topic, i, Numbered.LEAST + random.nextInt(400), qos);
            packets.add(new Publish(message, qos == Qos.AT_MOST_ONCE ? 0 : socket.nextId(), false));
        }
        socket.send(packets.toArray(new Packet[0]));
        settle(scene, socket);
        if (random.nextBoolean()) {
            socket.send(new Unsubscribe(socket.nextId(), filters, List.of()));
            settle(scene, socket);
        }
    }

    private static String filter(Random random) {
        return switch (random.nextInt(5)) {
            case 0 -> "visit/" + random.nextInt(50) + "/#";
            case 1 -> "visit/+/" + Long.toHexString(random.nextLong());
            case 2 -> "$share/visitors/visit/" + random.nextInt(50) + "/+";
            case 3 -> "will/" + random.nextInt(50) + "/+";
            default -> "visit/new/" + Long.toHexString(random.nextLong()) + "/+";
        };
    }

    private static Will will(ProtocolVersion version, Random random) {
        TopicName topic = TopicName.of("will/" + random.nextInt(50) + "/" + Long.toHexString(random.nextLong()));
        return new Will(
                topic,
                Numbered.payload(1, 50),
                Qos.of(random.nextInt(3)),
                false,
                Message.NO_BYTES,
                -1,
                version.isV5() ? random.nextInt(5) : 0);
    }

    /** Answers what comes, until nothing does. */
    private static void settle(Scene scene, MqttSocket socket) {
        for (Packet packet = socket.poll(5); packet != null; packet = socket.poll(5)) {
            if (packet instanceof ConnAck connAck && connAck.reason() != ReasonCode.SUCCESS
                    || packet instanceof SubAck subAck
                            && subAck.reasons().stream().anyMatch(ReasonCode::isError)
                    || packet instanceof Disconnect disconnect
                            && disconnect.reason() != ReasonCode.SESSION_TAKEN_OVER) {
                scene.fault("a visitor got " + packet);
            }
            Exchange.answer(socket, packet);
        }
    }

    private static void leave(MqttSocket socket, Random random) {
        try {
            switch (random.nextInt(4)) {
                case 0 -> socket.send(new Disconnect(ReasonCode.SUCCESS));
                case 1 -> socket.send(new Disconnect(ReasonCode.DISCONNECT_WITH_WILL));
                case 2 -> socket.reset();
                default -> {}
            }
        } catch (UncheckedIOException takenOver) {
            // gone already
        }
        socket.close();
    }
}
