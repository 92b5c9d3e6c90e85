package org.dunlin.core.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.dunlin.core.figures.ShardFigures;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.session.Shards;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.Subscribe;
import org.junit.jupiter.api.Test;

/** The test's thread only. */
class QueueBoundsTest {
    /** More than are looked at in a turn. */
    private static final int SESSIONS = 2500;

    private final ScriptedBroker broker = new ScriptedBroker();

    private long nearlyFull() {
        Shards shards = broker.shards();
        ShardFigures.Reading sum = ShardFigures.Reading.NONE;
        for (int i = 0; i < shards.count(); i++) {
            sum = sum.plus(shards.shard(i).figures().read());
        }
        return sum.sessions().nearlyFull();
    }

    private void mayHave(int messages) {
        Shards shards = broker.shards();
        QueueLimits now = shards.queueLimits();
        QueueLimits next = new QueueLimits(
                messages, now.maxBytes(), now.overflow(), now.holdTimeoutMillis(), now.qos0Offline(), now.rules());
        shards.limits(shards.limits(), next);
        broker.loops.runFor(1);
    }

    @Test
    void queuesThatAreNearlyFull_areSoByOtherBounds_thoughNothingComesOrGoes() {
        for (int i = 0; i < SESSIONS; i++) {
            ScriptedClient away = new ScriptedClient(broker, ProtocolVersion.MQTT_5, "away-" + i, 10, 3600);
            away.says(new Subscribe(7, 0, List.of(new Subscribe.Entry("t", Qos.AT_LEAST_ONCE)), List.of()));
            away.goes();
        }
        new ScriptedClient(broker, ProtocolVersion.MQTT_5, "publisher", 10, 0).publish("t", 1, "x", Qos.AT_LEAST_ONCE);
        broker.loops.runFor(1);
        assertEquals(0, nearlyFull());

        mayHave(1);
        assertEquals(SESSIONS, nearlyFull());
        mayHave(10);
        assertEquals(0, nearlyFull());
    }
}
