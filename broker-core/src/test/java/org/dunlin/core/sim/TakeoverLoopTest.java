package org.dunlin.core.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.dunlin.core.limits.Fairness;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.Test;

/** The test's thread only. Two clients with one client identifier, which both come back at once when they are sent away. */
class TakeoverLoopTest {
    private final ScriptedBroker broker = new ScriptedBroker();

    private ScriptedClient comes(long expirySeconds) {
        return new ScriptedClient(broker, ProtocolVersion.MQTT_5, "meter", 10, expirySeconds);
    }

    private void backOff() {
        broker.fairness = new Fairness(0, 1024, true, 0);
    }

    /** Each client takes the place of the one before as soon as that one is in. @return the one that is in after so many */
    private ScriptedClient fight(int takeovers, long expirySeconds) {
        ScriptedClient former = comes(expirySeconds);
        for (int i = 0; i < takeovers; i++) {
            ScriptedClient next = comes(expirySeconds);
            for (int waited = 0; !former.closed; waited += 10) {
                assertFalse(next.isAnswered(), "two clients with one identifier are in");
                assertTrue(waited < 10_000, "the newest has to get its turn");
                broker.loops.runFor(10);
            }
            assertEquals(ReasonCode.SESSION_TAKEN_OVER, former.disconnectReason());
            assertEquals(ReasonCode.SUCCESS, next.connAck().reason());
            former = next;
        }
        return former;
    }

    @Test
    void newest_takesOverAtOnce_andTheLoopIsTold() {
        long before = broker.loops.nowMillis();

        fight(50, 3600);

        assertTrue(broker.loops.nowMillis() - before < 1000);
        assertEquals(46, broker.contested.size());
        assertEquals("meter", broker.contested.get(0));
    }

    @Test
    void backOff_letsTheNewestWait_andTheLoopGoesOnSlowly() {
        backOff();
        fight(10, 0);
        long before = broker.loops.nowMillis();

        fight(10, 0);

        assertTrue(broker.loops.nowMillis() - before >= 40_000);
        assertFalse(broker.contested.isEmpty());
    }

    @Test
    void backOff_leavesAClientAloneThatComesBackNowAndThen() {
        backOff();
        ScriptedClient former = comes(3600);
        for (int i = 0; i < 20; i++) {
            broker.loops.runFor(20_000);
            ScriptedClient next = comes(3600);
            assertTrue(former.closed);
            assertTrue(next.connAck().sessionPresent());
            former = next;
        }
        assertTrue(broker.contested.isEmpty());
    }

    @Test
    void connectionThatGoesWhileItWaits_takesNothing() {
        backOff();
        ScriptedClient there = fight(10, 3600);

        ScriptedClient waits = comes(3600);
        waits.goes();
        broker.loops.runFor(20_000);

        assertFalse(waits.isAnswered());
        assertFalse(there.closed);
    }
}
