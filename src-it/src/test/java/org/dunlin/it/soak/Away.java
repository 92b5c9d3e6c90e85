package org.dunlin.it.soak;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;

/** A persistent session that is away for a minute, comes, takes what waits for it and some more, and goes; nothing may be missing. */
record Away(int number, ProtocolVersion version, Qos qos) implements Party {
    private static final int SECONDS_AWAY = 60;
    private static final int SECONDS_HERE = 10;
    private static final int MESSAGES_A_SECOND = 6;

    @Override
    public String name() {
        return "away-" + number;
    }

    @Override
    public void play(Scene scene) throws InterruptedException {
        Random random = scene.random(name());
        Order order = new Order(scene, name(), qos, false);
        try (MqttSocket publisher = scene.socket()) {
            publisher.connect(version, name() + "-out");
            try (MqttSocket first = enter(scene, false)) {
                first.subscribe("away/" + number + "/+", qos);
                first.disconnect();
            }
            scene.pause(random.nextInt(SECONDS_AWAY) * 1000L);
            long sent = 0;
            while (scene.goesOn()) {
                for (int second = 0; second < SECONDS_AWAY && scene.goesOn(); second++) {
                    sent = publish(publisher, random, sent);
                    scene.pause(1000);
                }
                try (MqttSocket here = enter(scene, true)) {
                    receive(here, order, sent);
                    for (int second = 0; second < SECONDS_HERE && scene.goesOn(); second++) {
                        sent = publish(publisher, random, sent);
                        receive(here, order, sent);
                        scene.pause(1000);
                    }
                    here.expectNothing();
                    leave(here, random);
                }
                scene.count("sessions that were away and took their queues", 1);
            }
            scene.count("messages that waited for sessions that were away, checked", order.last());
        }
    }

    private MqttSocket enter(Scene scene, boolean known) {
        MqttSocket socket = scene.socket();
        Connect.Builder connect = Connect.builder(version, name()).cleanStart(false);
        if (version.isV5()) {
            connect.sessionExpirySeconds(3600);
        }
        ConnAck connAck = socket.connect(connect.build());
        if (version != ProtocolVersion.MQTT_3_1 && connAck.sessionPresent() != known) {
            scene.fault(name() + " came, and its session " + (known ? "was gone" : "was there already"));
        }
        return socket;
    }

    private void receive(MqttSocket here, Order order, long sent) {
        Exchange.receive(here, (int) (sent - order.last()), message -> order.take(message, topic()));
    }

    private String topic() {
        return "away/" + number + "/x";
    }

    private static void leave(MqttSocket socket, Random random) {
        if (random.nextBoolean()) {
            socket.disconnect();
        } // else without a word
    }

    private long publish(MqttSocket publisher, Random random, long sent) {
        List<Message> messages = new ArrayList<>();
        for (int i = 1; i <= MESSAGES_A_SECOND; i++) {
            messages.add(Numbered.message(topic(), sent + i, Numbered.LEAST + random.nextInt(500), qos));
        }
        Exchange.publish(publisher, messages, 0);
        return sent + messages.size();
    }
}
