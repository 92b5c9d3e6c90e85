package org.dunlin.it.soak;

import org.dunlin.mqtt.Message;

/** Checks the numbers of one publisher as one receiver gets them. One thread. */
final class Order {
    private final Scene scene;
    private final String who;
    private final boolean gaps;
    private long last;

    /** @param gaps whether messages may be missing, as with a receiver that is too slow */
    Order(Scene scene, String who, boolean gaps) {
        this.scene = scene;
        this.who = who;
        this.gaps = gaps;
    }

    /** The number that came last; 0 if none has. */
    long last() {
        return last;
    }

    void take(Message message) {
        long number = Numbered.of(message);
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
