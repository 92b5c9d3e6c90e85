package org.dunlin.core.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Subscribe;
import org.junit.jupiter.api.Test;

/** The test's thread only. SUBSCRIBE of MQTT 3.1, whose SUBACK has no failure code. */
class Mqtt31Test {
    private final ScriptedBroker broker = new ScriptedBroker();

    private ScriptedClient client() {
        return new ScriptedClient(broker, ProtocolVersion.MQTT_3_1, "old", 0, 0);
    }

    private static Subscribe subscribe(String... filters) {
        return new Subscribe(
                7,
                0,
                List.of(filters).stream()
                        .map(filter -> new Subscribe.Entry(filter, Qos.EXACTLY_ONCE))
                        .toList(),
                List.of());
    }

    @Test
    void subscribe_withoutTheRight_isAcknowledgedAsAnyOther() {
        broker.authorizer = client -> DeniedTopics.subscribing("secret");
        ScriptedClient old = client();

        old.says(subscribe("secret", "t"));

        assertFalse(old.closed);
        assertEquals(
                List.of(ReasonCode.GRANTED_QOS_2, ReasonCode.GRANTED_QOS_2),
                old.subAck().reasons());
        assertEquals(List.of("SUBSCRIBE secret " + ReasonCode.NOT_AUTHORIZED), broker.denials);
        assertEquals(1, broker.shards().subscriptions().routes());
    }

    @Test
    void subscribe_beyondALimit_closesAndTakesNoEffect() {
        broker.maxSubscriptionsPerClient = 2;
        ScriptedClient old = client();
        old.says(subscribe("a", "b", "a"));
        assertFalse(old.closed);
        old.says(subscribe("b"));
        assertFalse(old.closed);

        old.says(subscribe("a", "c"));

        assertTrue(old.closed);
        ScriptedClient other = client();
        other.says(subscribe("a", "b", "c"));
        assertTrue(other.closed);
        assertFalse(other.got(PacketType.SUBACK));
        assertEquals(0, broker.shards().subscriptions().routes());
    }

    @Test
    void subscribe_withAnInvalidFilter_closes() {
        ScriptedClient old = client();
        old.says(subscribe("a/#/b"));
        assertTrue(old.closed);
    }
}
