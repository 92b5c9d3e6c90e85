package org.dunlin.it.soak;

import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;

/** Checks the messages of one publisher as one receiver gets them: their numbers, their topic and their QoS. One thread. */
final class Order {
    private final Scene scene;
    private final String who;
    private final Qos qos;
    private final boolean gaps;
    private long last;

    /**
     * @param qos that messages have to come with
     * @param gaps whether messages may be missing, as with a receiver that is too slow
     */
    Order(Scene scene, String who, Qos qos, boolean gaps) {
        this.scene = scene;
        this.who = who;
        this.qos = qos;
        this.gaps = gaps;
    }

    /** The number that came last; 0 if none has. */
    long last() {
        return last;
    }

    /** @param topic that it has to come on */
    void take(Message message, String topic) {
        long number = Numbered.of(message);
        if (!message.topic().text().equals(topic) || message.qos() != qos) {
            scene.fault(
                    who + " got message " + number + " on " + message.topic().text() + " with QoS "
                            + message.qos().value() + " instead of " + topic + ", " + qos.value());
        }
        if (number <= last) {
            scene.fault(who + " got message " + number + " after " + last + ": doubled or out of order");
            return;
        }
        if (number > last + 1 && !gaps) {
            scene.fault(who + " got message " + number + " after " + last + ": lost or out of order");
        }
        last = number;
    }
}
