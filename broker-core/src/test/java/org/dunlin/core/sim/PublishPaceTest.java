package org.dunlin.core.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.dunlin.core.limits.Fairness;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.Subscribe;
import org.junit.jupiter.api.Test;

/** The test's thread only. A client that publishes more than its share is read from more slowly, and nothing else. */
class PublishPaceTest {
    private final ScriptedBroker broker = new ScriptedBroker();

    private ScriptedClient client(String id) {
        return new ScriptedClient(broker, ProtocolVersion.MQTT_5, id, 10, 3600);
    }

    @Test
    void messagesBeyondTheRate_waitForTheNextSecond() {
        broker.publishRate = 5;
        ScriptedClient fast = client("fast");
        for (int i = 1; i < 10 && !fast.inputHeld; i++) {
            fast.publish(i, "m", Qos.AT_LEAST_ONCE);
        }
        assertTrue(fast.inputHeld);
        assertFalse(client("other").inputHeld);

        broker.loops.runFor(1000);

        assertFalse(fast.inputHeld);
        assertFalse(fast.closed);
    }

    @Test
    void bytesBeyondTheRate_waitAsLongAsTheyTake() {
        broker.fairness = new Fairness(100, 1024, false, 0);
        ScriptedClient fast = client("fast");
        fast.publish(1, "m", Qos.AT_LEAST_ONCE);
        fast.publish(2, "m".repeat(350), Qos.AT_LEAST_ONCE);
        assertTrue(fast.inputHeld);
        broker.loops.runFor(2000);
        assertTrue(fast.inputHeld);
        broker.loops.runFor(2000);
        assertFalse(fast.inputHeld);
    }

    @Test
    void clientThatOwesAcknowledgements_isReadFromEachSecond() {
        broker.fairness = new Fairness(100, 1024, false, 0);
        ScriptedClient fast = client("fast");
        fast.says(new Subscribe(7, 0, List.of(new Subscribe.Entry("t", Qos.AT_LEAST_ONCE)), List.of()));
        fast.publish("t", 1, "m", Qos.AT_LEAST_ONCE); // which it does not acknowledge
        fast.publish("x", 2, "m".repeat(900), Qos.AT_LEAST_ONCE);
        assertTrue(fast.inputHeld);

        broker.loops.runFor(1000);

        assertFalse(fast.inputHeld);
        fast.publish("x", 3, "m", Qos.AT_LEAST_ONCE);
        assertTrue(fast.inputHeld);
        assertEquals(List.of(), broker.drops);
    }
}
