package org.dunlin.core.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.session.ShardsProbe;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Will;
import org.junit.jupiter.api.Test;

/** The test's thread only. What a broker that is started on the store of one that was dropped has to know. */
class RestartTest {
    private static final String GROUP = "$share/g/s";

    private final ScriptedBroker broker = new ScriptedBroker();
    private final SimLoops loops = broker.loops;
    private final HeldStore store = broker.store;

    private ScriptedClient client(String id, int receiveMaximum, long expirySeconds) {
        return new ScriptedClient(broker, ProtocolVersion.MQTT_5, id, receiveMaximum, expirySeconds);
    }

    private static Subscribe subscribe(String filter, Qos qos) {
        return new Subscribe(
                7,
                0,
                List.of(new Subscribe.Entry(filter, qos, false, false, Subscribe.RetainHandling.SEND)),
                List.of());
    }

    @Test
    void messages_whoseAcknowledgementsAreLost_areSentAgainWithDup() {
        ScriptedClient receiver = client("receiver", 2, 3600);
        receiver.says(subscribe("t", Qos.AT_LEAST_ONCE));
        ScriptedClient publisher = client("publisher", 10, 0);
        for (int i = 1; i <= 4; i++) {
            publisher.publish(i, "m" + i, Qos.AT_LEAST_ONCE);
        }
        store.holds = true;
        receiver.takeAll(); // more than the window has room for has been sent when this is lost
        assertEquals(4, receiver.payloads().size());

        broker.crash();
        ScriptedClient again = client("receiver", 10, 3600);

        assertEquals(List.of("m1", "m2", "m3", "m4"), again.payloads());
        assertEquals(List.of(true, true, true, true), again.dups());
    }

    @Test
    void doubt_outlivesASecondCrash() {
        ScriptedClient receiver = client("receiver", 10, 3600);
        receiver.says(subscribe("t", Qos.EXACTLY_ONCE));
        client("publisher", 10, 0).publish(1, "a", Qos.EXACTLY_ONCE);
        assertEquals(List.of(1), receiver.ids());

        broker.crash();
        broker.crash();
        ScriptedClient again = client("receiver", 10, 3600);

        assertEquals(List.of(1), again.ids());
        assertEquals(List.of(true), again.dups());
    }

    @Test
    void lentMessage_doesNotTakeTheIdentifierOfOneThatIsNotReadYet() {
        ScriptedClient receiver = client("receiver", 10, 3600);
        receiver.says(subscribe("t", Qos.EXACTLY_ONCE));
        receiver.says(subscribe(GROUP, Qos.AT_LEAST_ONCE));
        ScriptedClient publisher = client("publisher", 10, 0);
        publisher.publish(1, "a", Qos.EXACTLY_ONCE);
        publisher.publish("s", 2, "b", Qos.AT_LEAST_ONCE);

        broker.crash();
        ScriptedClient again = client("receiver", 10, 3600);

        assertEquals(1, again.ids().get(again.payloads().indexOf("a")));
        assertEquals(2, again.payloads().size());
    }

    @Test
    void lentQos2Message_thatItsGroupHasNotStored_isTheDurableMembers() {
        ScriptedClient busy = client("busy", 1, 0);
        busy.says(subscribe(GROUP, Qos.EXACTLY_ONCE));
        ScriptedClient publisher = client("publisher", 10, 0);
        publisher.publish("s", 1, "a", Qos.EXACTLY_ONCE);
        publisher.publish("s", 2, "b", Qos.EXACTLY_ONCE); // waits in a group that nobody durable is in
        ScriptedClient durable = client("durable", 10, 3600);
        durable.says(subscribe(GROUP, Qos.EXACTLY_ONCE));
        assertEquals(List.of("b"), durable.payloads());

        broker.crash();
        ScriptedClient again = client("durable", 10, 3600);

        assertEquals(List.of("b"), again.payloads());
        assertEquals(durable.ids(), again.ids());
    }

    @Test
    void lentQos2Messages_onTheirWayThroughTheStore_countAgainstTheWindow() {
        ScriptedClient member = client("member", 2, 3600);
        member.says(subscribe(GROUP, Qos.EXACTLY_ONCE));
        ScriptedClient other = client("other", 2, 3600);
        other.says(subscribe(GROUP, Qos.EXACTLY_ONCE));
        ScriptedClient publisher = client("publisher", 10, 0);
        store.holds = true;
        for (int i = 1; i <= 8; i++) {
            publisher.publish("s", i, "m" + i, Qos.EXACTLY_ONCE);
        }
        for (int i = 0; i < 20; i++) {
            store.release(null);
            loops.runFor(1);
        }

        assertEquals(2, member.payloads().size());
        assertEquals(2, other.payloads().size());
        ShardsProbe.sessions(broker.shards()).forEach(one -> assertEquals(one.lent(), one.queued()));
    }

    @Test
    void will_ofATransientSession_isKeptWhenConnAckLeaves() {
        ScriptedClient observer = client("observer", 10, 3600);
        observer.says(subscribe("will", Qos.AT_LEAST_ONCE));
        Will will = new Will(
                TopicName.of("will"),
                "gone".getBytes(StandardCharsets.UTF_8),
                Qos.AT_LEAST_ONCE,
                false,
                Message.NO_BYTES,
                -1,
                0);
        store.holds = true;
        ScriptedClient mortal = new ScriptedClient(broker, ProtocolVersion.MQTT_5, "mortal", 10, 0, will);
        assertFalse(mortal.got(PacketType.CONNACK));
        store.release(null);
        loops.runFor(1);
        assertTrue(mortal.got(PacketType.CONNACK));

        broker.crash();

        assertEquals(List.of("gone"), client("observer", 10, 3600).payloads());
        assertEquals(1, broker.shards().sessions().get());
    }

    @Test
    void delayedQos2Message_isNotStoredBeforeItsIdentifier() {
        broker.queueLimits = new QueueLimits(1, 1 << 20, QueueLimits.Overflow.HOLD_ACK, 1000, false, List.of());
        ScriptedClient away = client("away", 10, 3600);
        away.says(subscribe("t", Qos.AT_LEAST_ONCE));
        away.goes();
        ScriptedClient publisher = client("publisher", 10, 3600);
        publisher.publish(1, "a", Qos.AT_LEAST_ONCE);
        publisher.publish(2, "b", Qos.AT_LEAST_ONCE); // waits for room
        publisher.publish("$delayed/60/x", 3, "later", Qos.EXACTLY_ONCE);

        StoreContents kept = StoreContents.of(store);
        assertTrue(kept.delayed.isEmpty());

        loops.runFor(2000);
        assertEquals(List.of(3), publisher.acks(PacketType.PUBREC));
        assertEquals(1, StoreContents.of(store).delayed.size());
    }

    @Test
    void session_whoseRemovalFails_isRemovedLater() {
        ScriptedClient first = client("first", 10, 3600);
        first.goes();
        store.holds = true;
        ScriptedClient again = new ScriptedClient(broker, ProtocolVersion.MQTT_3_1_1, "first", 10, 0); // clean
        store.release("the disk is full");
        store.holds = false;
        loops.runFor(1);
        assertTrue(again.closed);

        loops.runFor(2000);

        assertTrue(StoreContents.of(store).owners.isEmpty());
    }

    @Test
    void session_thatCannotBeStored_endsWithItsConnect() {
        store.holds = true;
        ScriptedClient refused = client("refused", 10, 3600);
        store.release("the disk is full");
        store.holds = false;
        loops.runFor(1);
        refused.goes();

        assertEquals(0, broker.shards().sessions().get());
        assertEquals("", ShardsProbe.leftovers(broker.shards()));
    }

    @Test
    void queue_thatIsReadPageByPage_keepsItsOrderAcrossARestart() {
        broker.paging = new ShardsProbe.Paging(2, 1 << 20, 2, 1 << 20, 1);
        ScriptedClient receiver = client("receiver", 1, 3600);
        receiver.says(subscribe("t", Qos.AT_LEAST_ONCE));
        ScriptedClient publisher = client("publisher", 10, 0);
        for (int i = 1; i <= 7; i++) {
            publisher.publish(i, "m" + i, Qos.AT_LEAST_ONCE);
        }
        receiver.says(new Ack(PacketType.PUBACK, receiver.ids().get(0)));
        assertEquals(List.of("m1", "m2"), receiver.payloads());

        broker.crash();
        ScriptedClient again = client("receiver", 1, 3600);
        again.takeAll();

        assertEquals(List.of("m2", "m3", "m4", "m5", "m6", "m7"), again.payloads());
        assertEquals(
                0,
                StoreContents.of(store).owners.values().stream()
                        .mapToLong(owner -> owner.messages)
                        .sum());
    }
}
