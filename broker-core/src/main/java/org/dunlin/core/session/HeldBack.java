package org.dunlin.core.session;

import org.dunlin.core.routing.Answer;
import org.dunlin.core.spi.DropReason;
import org.dunlin.core.spi.Loop;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.Qos;
import org.jspecify.annotations.Nullable;

/**
 * A message that waits for room in a full queue, and its publisher's acknowledgement with it, for {@code queue.hold-timeout}
 * at most. On the thread of the queue's shard only. It ends once, by {@link #admitted} or {@link #gaveUp}.
 */
final class HeldBack {
    final Message message;
    final Qos qos;
    final boolean retain;
    final int[] subscriptionIds;
    private final String receiver;
    private final Admission admission;
    private @Nullable Shard shard;
    private @Nullable Answer answer;
    private Loop.@Nullable Timer timer;

    /** @param receiver whose queue it is, for the event if it is dropped */
    HeldBack(String receiver, Message message, Qos qos, boolean retain, int[] subscriptionIds, Admission admission) {
        this.receiver = receiver;
        this.message = message;
        this.qos = qos;
        this.retain = retain;
        this.subscriptionIds = subscriptionIds;
        this.admission = admission;
    }

    void waitIn(MessageQueue queue, Shard of, Answer publisher) {
        shard = of;
        answer = publisher.held(() -> queue.giveUpHeld(this));
        queue.hold(this);
        timer = of.loop()
                .schedule(
                        () -> queue.giveUpHeld(this), of.shards().queueLimits().holdTimeoutMillis());
    }

    int weight() {
        return message.weight();
    }

    /** There is room. */
    void admitted() {
        admission.admit(this, end());
    }

    /** There was none in time, or the session or group has ended. */
    void gaveUp(DropReason reason) {
        Shard of = shard;
        assert of != null;
        of.shards().events().dropped(receiver, message.topic(), reason);
        end().refused();
    }

    private Answer end() {
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
        Answer waiting = answer;
        assert waiting != null;
        return waiting;
    }

    /** Puts the message into the queue, in which there is room for it, and tells the publisher. */
    interface Admission {
        void admit(HeldBack message, Answer publisher);
    }
}
