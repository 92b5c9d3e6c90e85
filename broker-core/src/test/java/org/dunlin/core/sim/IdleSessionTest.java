package org.dunlin.core.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.dunlin.core.session.ShardsProbe;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.Ping;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Subscribe;
import org.junit.jupiter.api.Test;

/** The test's thread only. A session has what it needs when it needs it, as if it had been there from the start. */
class IdleSessionTest {
    private static final String GROUP = "$share/g/t";

    private final ScriptedBroker broker = new ScriptedBroker();

    private ScriptedClient client(String id, int receiveMaximum, long expirySeconds) {
        return new ScriptedClient(broker, ProtocolVersion.MQTT_5, id, receiveMaximum, expirySeconds);
    }

    private static Subscribe subscribe(String filter, Qos qos) {
        return new Subscribe(7, 0, List.of(new Subscribe.Entry(filter, qos)), List.of());
    }

    private List<Boolean> made(String id) {
        List<Boolean> made = new ArrayList<>();
        broker.loops.runNow(broker.loop, () -> made.addAll(ShardsProbe.made(broker.shards(), id)));
        return made;
    }

    @Test
    void clientThatOnlySubscribesAndPublishesQos0_hasNeither() {
        ScriptedClient idle = client("idle", 10, 3600);
        idle.says(subscribe("never", Qos.EXACTLY_ONCE));
        idle.says(Ping.REQUEST);
        idle.publish(0, "a", Qos.AT_MOST_ONCE);
        idle.publish(0, "b", Qos.AT_MOST_ONCE);
        ShardsProbe.sessions(broker.shards());
        assertEquals(List.of(false, false), made("idle"));

        idle.goes();
        assertEquals(List.of(false, false), made("idle"));
        client("idle", 10, 0).goes();
        assertEquals(List.of(), made("idle"));
        assertEquals("", ShardsProbe.leftovers(broker.shards()));
    }

    @Test
    void firstMessage_countsAgainstTheReceiveMaximumOfTheConnection() {
        ScriptedClient receiver = client("receiver", 2, 0);
        receiver.says(subscribe("t", Qos.AT_LEAST_ONCE));
        ScriptedClient publisher = client("publisher", 10, 0);
        for (int i = 1; i <= 5; i++) {
            publisher.publish(i, "m" + i, Qos.AT_LEAST_ONCE);
        }
        assertEquals(List.of("m1", "m2"), receiver.payloads());
        assertEquals(List.of(1, 2, 3, 4, 5), publisher.acks(PacketType.PUBACK));

        receiver.takeAll();

        assertEquals(List.of("m1", "m2", "m3", "m4", "m5"), receiver.payloads());
    }

    @Test
    void firstMessageForAClientThatIsAway_waitsForItAndItsReceiveMaximum() {
        for (long expiry : new long[] {100, 3600}) {
            String id = "receiver " + expiry;
            ScriptedClient receiver = client(id, 10, expiry);
            receiver.says(subscribe("t", Qos.AT_LEAST_ONCE));
            receiver.goes();
            ScriptedClient publisher = client("publisher", 10, 0);
            publisher.publish(1, "a", Qos.AT_LEAST_ONCE);
            publisher.publish(2, "b", Qos.AT_LEAST_ONCE);
            publisher.publish(3, "c", Qos.AT_LEAST_ONCE);

            ScriptedClient again = client(id, 2, expiry);

            assertEquals(List.of("a", "b"), again.payloads());
            again.takeAll();
            assertEquals(List.of("a", "b", "c"), again.payloads());
            assertTrue(client(id, 2, 0).payloads().isEmpty());
        }
    }

    @Test
    void memberThatHasHadNothing_isLentMessagesWhenItComesBack() {
        client("member", 10, 3600).says(subscribe(GROUP, Qos.AT_LEAST_ONCE));
        broker.crash();
        ScriptedClient member = client("member", 10, 3600);
        ScriptedClient publisher = client("publisher", 10, 0);
        publisher.publish(1, "a", Qos.AT_LEAST_ONCE);
        member.goes();
        publisher.publish(2, "b", Qos.AT_LEAST_ONCE);

        ScriptedClient again = client("member", 10, 3600);

        assertEquals(List.of("a"), member.payloads());
        assertEquals(List.of("a", "b"), again.payloads().stream().sorted().toList());
    }

    @Test
    void acknowledgementOfNothing_isAnsweredAsEver() {
        ScriptedClient idle = client("idle", 10, 0);
        idle.says(new Ack(PacketType.PUBACK, 1));
        idle.says(new Ack(PacketType.PUBREC, 2));
        idle.says(new Ack(PacketType.PUBCOMP, 3));
        idle.says(new Ack(PacketType.PUBREL, 4));

        assertEquals(
                ReasonCode.PACKET_IDENTIFIER_NOT_FOUND,
                idle.lastAck(PacketType.PUBREL).reason());
        assertEquals(
                ReasonCode.PACKET_IDENTIFIER_NOT_FOUND,
                idle.lastAck(PacketType.PUBCOMP).reason());
        assertFalse(idle.closed);
    }

    @Test
    void identifierReceivedBeforeARestart_isStillReceived() {
        ScriptedClient publisher = client("publisher", 10, 3600);
        ScriptedClient receiver = client("receiver", 10, 3600);
        receiver.says(subscribe("t", Qos.AT_MOST_ONCE));
        publisher.publish(1, "once", Qos.EXACTLY_ONCE);
        assertEquals(List.of(false, true), made("publisher"));

        broker.crash();
        ScriptedClient watcher = client("receiver", 10, 3600);
        client("publisher", 10, 3600).publish(1, "once", Qos.EXACTLY_ONCE);

        assertEquals(List.of("once"), receiver.payloads());
        assertEquals(List.of(), watcher.payloads());
        assertEquals(List.of(false, true), made("publisher"));
    }
}
