package org.dunlin.core.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.dunlin.core.limits.MemoryBudget;
import org.dunlin.core.session.ShardsProbe;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.TopicName;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The test's thread only. What a broker does whose memory budget is used up by messages that a receiver does not take. */
class MemoryTest {
    private static final int PATIENCE_MILLIS = 1000;
    private static final String LARGE = "x".repeat(900);
    private static final long EXPIRY = 3600;

    private final ScriptedBroker broker = new ScriptedBroker();
    private final SimLoops loops = broker.loops;
    private int published;

    @BeforeEach
    void smallBudget() {
        broker.memory = new MemoryBudget(30_000, PATIENCE_MILLIS, () -> 0, (exhausted, used, limit) -> {});
    }

    private ScriptedClient client(String id, long expirySeconds) {
        return new ScriptedClient(broker, ProtocolVersion.MQTT_5, id, 1, expirySeconds);
    }

    private ScriptedClient client(ProtocolVersion version, String id) {
        return new ScriptedClient(broker, version, id, 1, 0);
    }

    private static Subscribe subscribe(String filter) {
        return FoundFaultsTest.subscribe(filter, Qos.AT_LEAST_ONCE);
    }

    private ScriptedClient receiver() {
        ScriptedClient receiver = client("receiver", 0);
        receiver.says(subscribe("t"));
        return receiver;
    }

    /** Publishes until the budget is used up. */
    private void fill(ScriptedClient publisher) {
        while (!broker.memory.isExhausted()) {
            publish(publisher);
            assertTrue(published < 100, "the budget has no end");
        }
    }

    private void publish(ScriptedClient publisher) {
        publisher.publish(++published, LARGE, Qos.AT_LEAST_ONCE);
    }

    @Test
    void publisher_whenMemoryIsUsedUp_waitsUntilReceiversHaveTaken() {
        ScriptedClient receiver = receiver();
        ScriptedClient publisher = client("publisher", 0);
        fill(publisher);
        assertTrue(publisher.inputHeld);
        assertEquals(published, publisher.acks(PacketType.PUBACK).size());

        receiver.takeAll();

        assertFalse(publisher.inputHeld);
        assertEquals(published, receiver.payloads().size());
        assertEquals(List.of(), broker.drops);
    }

    private static Publish large(int packetId) {
        byte[] payload = LARGE.getBytes(StandardCharsets.UTF_8);
        TopicName topic = TopicName.of("t");
        return new Publish(
                new Message(packetId, "p", topic, payload, Qos.AT_LEAST_ONCE, false, Message.NEVER, Message.NO_BYTES),
                packetId,
                false);
    }

    /** What was read with it may be much, and go to many. */
    @Test
    void publisher_whenMemoryIsUsedUp_waitsInTheMiddleOfWhatWasRead() {
        ScriptedClient receiver = receiver();
        ScriptedClient publisher = client("publisher", 0);
        loops.runNow(broker.loop, () -> {
            while (!publisher.inputHeld && published < 100) {
                publisher.protocol().received(large(++published));
            }
            publisher.protocol().readComplete();
        });

        assertTrue(broker.memory.isExhausted());
        assertTrue(published < 100, "all was taken");
        receiver.takeAll();
        assertFalse(publisher.inputHeld);
        assertEquals(published, receiver.payloads().size());
    }

    @Test
    void publisher_thatHasWaitedLongEnough_isReadAndRefused() {
        receiver();
        ScriptedClient publisher = client("publisher", 0);
        fill(publisher);

        loops.runFor(PATIENCE_MILLIS);
        assertFalse(publisher.inputHeld);
        publish(publisher);
        publisher.publish(0, "qos 0", Qos.AT_MOST_ONCE);

        Ack refusal = publisher.lastAck(PacketType.PUBACK);
        assertEquals(ReasonCode.QUOTA_EXCEEDED, refusal.reason());
        assertTrue(String.valueOf(refusal.reasonString()).contains("memory.budget"), refusal.toString());
        assertEquals(List.of("publisher t memory-budget", "publisher t memory-budget"), broker.drops);
        assertFalse(publisher.closed);
    }

    @Test
    void refusedPublisher_whenReceiversHaveTaken_isServedAgain() {
        ScriptedClient receiver = receiver();
        ScriptedClient publisher = client("publisher", 0);
        fill(publisher);
        loops.runFor(PATIENCE_MILLIS);
        publish(publisher);
        receiver.takeAll();

        publisher.publish(++published, "again", Qos.AT_LEAST_ONCE);

        assertEquals(ReasonCode.SUCCESS, publisher.lastAck(PacketType.PUBACK).reason());
        receiver.takeAll();
        assertTrue(receiver.payloads().contains("again"));
    }

    @Test
    void refusedPublisher_ofV3_isDisconnectedRatherThanDeceived() {
        receiver();
        ScriptedClient publisher = client(ProtocolVersion.MQTT_3_1_1, "publisher");
        fill(publisher);
        loops.runFor(PATIENCE_MILLIS);
        int acknowledged = publisher.acks(PacketType.PUBACK).size();

        publish(publisher);
        loops.runFor(1);

        assertTrue(publisher.closed);
        assertEquals(acknowledged, publisher.acks(PacketType.PUBACK).size());
    }

    @Test
    void publisher_thatOwesAcknowledgements_isNotHeld() {
        ScriptedClient receiver = receiver();
        fill(receiver); // to itself

        assertFalse(receiver.inputHeld);
        receiver.takeAll();
        assertEquals(published, receiver.payloads().size());
    }

    @Test
    void retainedMessage_canBeClearedAllTheSame() {
        receiver();
        ScriptedClient publisher = client("publisher", 0);
        publisher.retain("r", "old");
        fill(publisher);
        loops.runFor(PATIENCE_MILLIS);

        publisher.retain("r", "new");
        assertEquals(
                ReasonCode.QUOTA_EXCEEDED, publisher.lastAck(PacketType.PUBACK).reason());
        publisher.retain("r", "");

        assertFalse(publisher.lastAck(PacketType.PUBACK).reason().isError());
        assertEquals(0, broker.shards().retained().count());
    }

    @Test
    void newSessionsAndSubscriptions_whenRefusing_areRefused_andOldOnesServed() {
        ScriptedClient receiver = receiver();
        ScriptedClient publisher = client("publisher", 0);
        fill(publisher);
        loops.runFor(PATIENCE_MILLIS);

        assertTrue(client("newcomer", 0).closed);
        receiver.says(subscribe("other"));
        assertEquals(List.of(ReasonCode.QUOTA_EXCEEDED), receiver.subAck().reasons());
        receiver.says(subscribe("t"));
        assertEquals(List.of(ReasonCode.GRANTED_QOS_1), receiver.subAck().reasons());
        assertFalse(client("receiver", 0).closed);
    }

    @Test
    void largePacket_whenRefusing_endsItsConnection_andWaitsBefore() {
        receiver();
        ScriptedClient publisher = client("publisher", 0);
        ScriptedClient large = client("large", 0);
        fill(publisher);
        broker.loop.execute(() -> large.protocol().accumulating());
        loops.runFor(1);
        assertTrue(large.inputHeld);
        assertFalse(large.closed);

        loops.runFor(PATIENCE_MILLIS);
        assertFalse(large.inputHeld);
        broker.loop.execute(() -> large.protocol().accumulating());
        loops.runFor(1);

        assertTrue(large.closed);
    }

    @Test
    void storedMessages_ofSlowReceivers_areLeftToTheStoreBeforeMemoryIsUsedUp() {
        ScriptedClient receiver = client("receiver", EXPIRY);
        receiver.says(subscribe("t"));
        ScriptedClient publisher = client("publisher", 0);

        for (int i = 0; i < 200; i++) {
            publish(publisher);
        }

        assertFalse(broker.memory.isExhausted());
        assertTrue(ShardsProbe.sessions(broker.shards()).get(0).inHeap() < 20);
        receiver.takeAll();
        assertEquals(200, receiver.payloads().size());
        assertEquals(List.of(), broker.drops);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, EXPIRY})
    void everybodyGone_givesAllBack(long expirySeconds) {
        ScriptedClient receiver = client("receiver", expirySeconds);
        receiver.says(subscribe("t"));
        receiver.says(subscribe("$share/g/t"));
        ScriptedClient publisher = client("publisher", 0);
        for (int i = 0; i < 10; i++) {
            publish(publisher);
        }
        publisher.publish("$delayed/5/t", ++published, "later", Qos.AT_LEAST_ONCE);
        assertTrue(ShardsProbe.memory(broker.shards()) > 10_000);

        loops.runFor(6000);
        receiver.goes();
        publisher.goes();
        loops.runFor(expirySeconds * 1000 + 1);

        assertEquals(0, ShardsProbe.memory(broker.shards()));
        assertEquals("", ShardsProbe.leftovers(broker.shards()));
    }

    @Test
    void restart_countsWhatIsBroughtBack() {
        ScriptedClient receiver = client("receiver", EXPIRY);
        receiver.says(subscribe("t"));
        client("publisher", 0).publish("$delayed/5/t", 1, "later", Qos.AT_LEAST_ONCE);
        broker.memory = new MemoryBudget(20_000, PATIENCE_MILLIS, () -> 0, (exhausted, used, limit) -> {});

        broker.crash();

        long expected = MemoryBudget.SESSION_BYTES + MemoryBudget.ofSubscription("t") + MemoryBudget.ENTRY_BYTES;
        long counted = ShardsProbe.memory(broker.shards());
        assertTrue(counted >= expected && counted < expected + 100, counted + " bytes");
    }
}
