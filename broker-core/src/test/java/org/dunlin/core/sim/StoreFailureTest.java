package org.dunlin.core.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.session.ShardsProbe;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Unsubscribe;
import org.dunlin.mqtt.Will;
import org.junit.jupiter.api.Test;

/** The test's thread only. A store that fails for a while, and a broker that is dropped soon after. */
class StoreFailureTest {
    private static final String FULL = "the disk is full";

    private final ScriptedBroker broker = new ScriptedBroker();
    private final SimLoops loops = broker.loops;
    private final HeldStore store = broker.store;

    private ScriptedClient client(String id, long expirySeconds) {
        return new ScriptedClient(broker, ProtocolVersion.MQTT_5, id, 10, expirySeconds);
    }

    private static Subscribe subscribe(String filter, Qos qos) {
        return new Subscribe(7, 0, List.of(new Subscribe.Entry(filter, qos)), List.of());
    }

    private static Will will(String text, long delaySeconds) {
        byte[] payload = text.getBytes(StandardCharsets.UTF_8);
        return new Will(TopicName.of("t"), payload, Qos.AT_LEAST_ONCE, false, Message.NO_BYTES, -1, (int) delaySeconds);
    }

    private Map<String, Message> retained() {
        return StoreContents.of(store).retained;
    }

    @Test
    void retainedClear_repeatedAfterAFailure_isStoredBeforeItIsAcknowledged() {
        ScriptedClient publisher = client("publisher", 0);
        publisher.retain("t", "kept");
        store.failure = FULL;
        publisher.retain("t", "");
        assertTrue(publisher.lastAck(PacketType.PUBACK).reason().isError());
        store.failure = null;

        publisher.retain("t", "");

        assertFalse(publisher.lastAck(PacketType.PUBACK).reason().isError());
        assertEquals(Map.of(), retained());
    }

    @Test
    void retainedClear_repeatedWhileTheStoreStillFails_isNotAcknowledged() {
        ScriptedClient publisher = client("publisher", 0);
        publisher.retain("t", "kept");
        store.failure = FULL;
        publisher.retain("t", "");
        publisher.retain("t", "");
        assertTrue(publisher.lastAck(PacketType.PUBACK).reason().isError());
        store.failure = null;
        publisher.retain("t", "new");
        assertEquals(1, retained().size());
        assertEquals(1, broker.shards().retained().count());
    }

    @Test
    void unsubscribe_repeatedAfterAFailure_isStoredBeforeItIsAcknowledged() {
        ScriptedClient c = client("c", 3600);
        c.says(subscribe("t", Qos.AT_LEAST_ONCE));
        store.failure = FULL;
        c.says(new Unsubscribe(8, List.of("t"), List.of()));
        assertTrue(c.closed && !c.got(PacketType.UNSUBACK));
        c.goes();
        store.failure = null;
        ScriptedClient again = client("c", 3600);

        again.says(new Unsubscribe(8, List.of("t"), List.of()));
        assertTrue(again.got(PacketType.UNSUBACK));
        broker.crash();

        assertEquals(0, broker.shards().subscriptions().routes());
    }

    @Test
    void subscribe_toAGroupOfAnotherShard_isAcknowledgedByTheBatchThatHasIt() {
        ScriptedBroker two = new ScriptedBroker(2);
        String group = "$share/g/t";
        for (int i = 0; ShardsProbe.shardOfGroup(two.shards(), group) == 0; i++) {
            group = "$share/g" + i + "/t";
        }
        ScriptedClient c = new ScriptedClient(two, ProtocolVersion.MQTT_5, "c", 10, 3600);
        two.store.holds = true;
        c.says(subscribe(group, Qos.AT_LEAST_ONCE));
        two.store.releaseOne(FULL);
        two.store.holds = false;
        two.store.release(null);
        two.loops.runFor(1);

        assertTrue(c.closed && !c.got(PacketType.SUBACK), "acknowledged, and not stored");
    }

    @Test
    void connect_whoseFormerSessionIsStillInTheStore_isAnsweredWhenItIsGone() {
        ScriptedClient c = client("c", 3600);
        c.says(subscribe("t", Qos.AT_LEAST_ONCE));
        store.failure = FULL;
        ScriptedClient clean = new ScriptedClient(broker, ProtocolVersion.MQTT_3_1_1, "c", 10, 0);
        assertTrue(clean.closed);
        clean.goes();
        store.failure = null;

        ScriptedClient again = new ScriptedClient(broker, ProtocolVersion.MQTT_3_1_1, "c", 10, 0);
        assertTrue(again.got(PacketType.CONNACK) && !again.closed);
        broker.crash();

        assertEquals(0, broker.shards().sessions().get());
    }

    @Test
    void end_ofAConnection_isPutOnRecordAsSoonAsTheStoreCan() {
        ScriptedClient c = new ScriptedClient(broker, ProtocolVersion.MQTT_5, "c", 10, 20, will("will", 5));
        ScriptedClient watcher = client("watcher", 3600);
        watcher.says(subscribe("t", Qos.AT_LEAST_ONCE));
        store.failure = FULL;
        c.says(new Disconnect(ReasonCode.SUCCESS));
        c.goes();
        loops.runFor(5_000);
        store.failure = null;
        loops.runFor(5_000);

        broker.crash();
        loops.runFor(5_000);
        ScriptedClient again = client("watcher", 3600);
        assertEquals(List.of(), again.payloads(), "the will of a client that has said DISCONNECT");
        loops.runFor(6_000);
        assertEquals(1, broker.shards().sessions().get(), "its time has begun when it left");
    }

    @Test
    void endOfASession_isNotUndoneByWhatIsStillToBePutOnRecord() {
        ScriptedClient c = new ScriptedClient(broker, ProtocolVersion.MQTT_5, "c", 10, 3600, will("will", 1));
        store.failure = FULL;
        c.goes();
        loops.runFor(999); // the will is due before the store is asked again
        loops.runFor(500);
        store.failure = null;
        ScriptedClient clean = new ScriptedClient(broker, ProtocolVersion.MQTT_3_1_1, "c", 10, 0);
        loops.runFor(5_000);
        assertTrue(clean.got(PacketType.CONNACK) && !clean.closed);
        assertEquals(Map.of(), StoreContents.of(store).owners);
    }

    @Test
    void end_ofAConnection_thatIsFollowedByAnother_isNotPutOnRecordLate() {
        client("c", 3600).goes();
        store.failure = FULL;
        ScriptedClient refused = client("c", 3600);
        refused.goes();
        store.failure = null;
        client("c", 3600);
        loops.runFor(30_000);
        assertEquals(1, loops.pendingTimers(), "its keep alive");
        broker.crash();
        assertEquals(List.of(), broker.drops);
        assertEquals(1, broker.shards().sessions().get());
    }

    @Test
    void will_thatCouldNotBeStored_comesWhenTheStoreCan() {
        ScriptedClient c = new ScriptedClient(broker, ProtocolVersion.MQTT_5, "c", 10, 0, will("will", 0));
        ScriptedClient watcher = client("watcher", 3600);
        ScriptedClient other = client("other", 0);
        watcher.says(subscribe("t", Qos.AT_LEAST_ONCE));
        other.says(subscribe("t", Qos.AT_LEAST_ONCE));
        store.failure = FULL;
        c.goes();
        loops.runFor(5_000);
        assertEquals(List.of(), watcher.payloads());
        store.failure = null;
        loops.runFor(2_000);

        assertEquals(List.of("will"), watcher.payloads());
        assertEquals(List.of("will"), other.payloads(), "once, and not again with the repetition");
        assertEquals(List.of(), broker.drops);
        watcher.takeAll();
        loops.runFor(30_000);
        assertEquals(1, StoreContents.of(store).owners.size(), "the will has left the store");
        assertEquals(2, loops.pendingTimers(), "keep alives");
    }

    @Test
    void will_thatCouldNotBeStored_comesAfterACrash() {
        ScriptedClient c = new ScriptedClient(broker, ProtocolVersion.MQTT_5, "c", 10, 0, will("will", 0));
        client("watcher", 3600).says(subscribe("t", Qos.AT_LEAST_ONCE));
        store.failure = FULL;
        c.goes();
        loops.runFor(5_000);
        broker.crash();
        assertEquals(List.of("will"), client("watcher", 3600).payloads());
        loops.runFor(1);
    }

    @Test
    void delayed_thatCouldNotBeStoredWhenItWasDue_comesWhenTheStoreCan() {
        ScriptedClient watcher = client("watcher", 3600);
        watcher.says(subscribe("t", Qos.EXACTLY_ONCE));
        client("publisher", 0).publish("$delayed/1/t", 1, "later", Qos.EXACTLY_ONCE);
        store.failure = FULL;
        loops.runFor(5_000);
        assertEquals(List.of(), watcher.payloads());
        store.failure = null;
        loops.runFor(2_000);

        assertEquals(List.of("later"), watcher.payloads());
        assertEquals(Map.of(), StoreContents.of(store).delayed);
        assertEquals(List.of(), broker.drops);
    }

    @Test
    void delayed_thatNobodyIsOwed_leavesTheStoreAsSoonAsItCan() {
        ScriptedClient watcher = client("watcher", 0);
        watcher.says(subscribe("t", Qos.EXACTLY_ONCE));
        client("publisher", 0).publish("$delayed/1/t", 1, "later", Qos.EXACTLY_ONCE);
        store.failure = FULL;
        loops.runFor(5_000);
        assertEquals(List.of("later"), watcher.payloads());
        store.failure = null;
        loops.runFor(2_000);
        assertEquals(Map.of(), StoreContents.of(store).delayed);
        assertEquals(List.of("later"), watcher.payloads());
    }

    @Test
    void acknowledgement_thatCouldNotBeStored_isAsSoonAsTheStoreCan() {
        ScriptedClient watcher = client("watcher", 3600);
        watcher.says(subscribe("t", Qos.EXACTLY_ONCE));
        ScriptedClient publisher = client("publisher", 0);
        publisher.publish(1, "a", Qos.AT_LEAST_ONCE);
        publisher.publish(2, "b", Qos.EXACTLY_ONCE);
        watcher.says(new Ack(PacketType.PUBREC, watcher.ids().get(1)));
        store.failure = FULL;
        watcher.says(new Ack(PacketType.PUBACK, watcher.ids().get(0)));
        watcher.says(new Ack(PacketType.PUBCOMP, watcher.ids().get(1)));
        watcher.goes();
        client("watcher", 3600); // and another generation, which is refused
        store.failure = null;
        client("watcher", 3600);
        loops.runFor(30_000);

        assertTrue(StoreContents.of(store).owners.values().stream().allMatch(StoreContents.Owner::owesNothing));
        assertEquals(2, loops.pendingTimers(), "keep alives");
    }

    @Test
    void droppedMessage_thatCouldNotBeRemoved_doesNotComeBack() {
        broker.queueLimits = new QueueLimits(1, 1 << 20, QueueLimits.Overflow.DROP_OLDEST, 1000, false, List.of());
        client("watcher", 3600).says(subscribe("t", Qos.AT_LEAST_ONCE));
        client("watcher", 3600).goes();
        ScriptedClient publisher = client("publisher", 0);
        publisher.publish(1, "a", Qos.AT_LEAST_ONCE);
        store.holds = true;
        publisher.publish(2, "b", Qos.AT_LEAST_ONCE);
        store.releaseFirst(); // b is taken, and so a is read and dropped
        loops.runFor(1);
        store.release(FULL);
        store.holds = false;
        loops.runFor(2_000);
        broker.crash();
        assertEquals(List.of("b"), client("watcher", 3600).payloads());
    }
}
