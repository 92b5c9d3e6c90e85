package org.dunlin.core.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Function;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.limits.QueueLimits.Overflow;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Unsubscribe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The test's thread only. Every way in which a message is lost, and that it is told once, of whom and why. */
class LossesTest {
    private static final String GROUP = "$share/g/t";

    private final ScriptedBroker broker = new ScriptedBroker();
    private final SimLoops loops = broker.loops;
    private final HeldStore store = broker.store;

    private ScriptedClient client(String id, long expirySeconds) {
        return new ScriptedClient(broker, ProtocolVersion.MQTT_5, id, 10, expirySeconds);
    }

    private ScriptedClient subscriber(long expirySeconds, Qos qos) {
        ScriptedClient receiver = client("receiver", expirySeconds);
        receiver.says(subscribe("t", qos));
        return receiver;
    }

    private static Subscribe subscribe(String filter, Qos qos) {
        return new Subscribe(7, 0, List.of(new Subscribe.Entry(filter, qos)), List.of());
    }

    /** One that lives for a second. */
    private static Publish shortLived(ScriptedBroker broker, String topic, int packetId, Qos qos, boolean retain) {
        byte[] payload = "short".getBytes(StandardCharsets.UTF_8);
        long expiresAt = broker.loop.nowMillis() + 1000;
        Message message =
                new Message(1, "publisher", TopicName.of(topic), payload, qos, retain, expiresAt, Message.NO_BYTES);
        return new Publish(message, packetId, false);
    }

    private void lost(String... drops) {
        assertEquals(List.of(drops), broker.drops);
    }

    // ---- full queues

    private ScriptedClient publishThree(Overflow overflow, long expirySeconds) {
        broker.queueLimits = new QueueLimits(1, 1 << 20, overflow, 1_000, false, List.of());
        broker.maxInflight = 1;
        ScriptedClient receiver = subscriber(expirySeconds, Qos.AT_LEAST_ONCE);
        ScriptedClient publisher = client("publisher", 0);
        publisher.publish(1, "a", Qos.AT_LEAST_ONCE);
        publisher.publish(2, "b", Qos.AT_LEAST_ONCE);
        publisher.publish(3, "c", Qos.AT_LEAST_ONCE);
        return receiver;
    }

    @ParameterizedTest
    @EnumSource(Overflow.class)
    void fullQueue_ofATransientSession_isToldOnce(Overflow overflow) {
        publishThree(overflow, 0);
        loops.runFor(2_000);
        lost("receiver t queue-full");
    }

    @ParameterizedTest
    @EnumSource(Overflow.class)
    void fullQueue_ofADurableSession_isToldOnce(Overflow overflow) {
        publishThree(overflow, 3600);
        loops.runFor(2_000);
        lost("receiver t queue-full");
    }

    @Test
    void heldMessage_whoseReceiverEnds_isNotSaidToHaveMetAFullQueue() {
        publishThree(Overflow.HOLD_ACK, 0).goes();
        lost("receiver t session-ended", "receiver 2 session-ended");
    }

    @ParameterizedTest
    @ValueSource(strings = {"t", GROUP})
    void droppedAsTheNewest_isNotDeliveredAfterAll_thoughTheStoreFailsToForgetIt(String filter) {
        broker.queueLimits = new QueueLimits(10, 4_000, Overflow.DROP_NEWEST, 1_000, false, List.of());
        broker.maxPayload = 10_000;
        ScriptedClient receiver = client("receiver", 3600);
        receiver.says(subscribe(filter, Qos.AT_LEAST_ONCE));
        receiver.goes();
        ScriptedClient publisher = client("publisher", 0);
        publisher.publish(1, "a", Qos.AT_LEAST_ONCE);
        store.holds = true;
        publisher.publish(2, "b".repeat(5_000), Qos.AT_LEAST_ONCE);
        store.releaseFirst();
        loops.runFor(1);
        store.releaseOne("the disk is full");
        store.holds = false;
        loops.runFor(1);
        String of = filter.equals(GROUP) ? GROUP : "receiver";
        publisher.publish(3, "c", Qos.AT_LEAST_ONCE);
        lost(of + " t queue-full");

        ScriptedClient again = client("receiver", 3600);
        again.takeAll();

        assertEquals(List.of("a", "c"), again.payloads());
        lost(of + " t queue-full");
    }

    // ---- time

    @Test
    void expiredWhileTheClientWasAway_isToldOnce() {
        subscriber(3600, Qos.AT_LEAST_ONCE).goes();
        client("publisher", 0).says(shortLived(broker, "t", 1, Qos.AT_LEAST_ONCE, false));
        loops.runFor(2_000);
        lost();
        assertEquals(List.of(), client("receiver", 3600).payloads());
        lost("receiver t expired");
    }

    @Test
    void expiredRetained_isToldOnce_ofItsPublisher() {
        client("publisher", 0).says(shortLived(broker, "t", 1, Qos.AT_LEAST_ONCE, true));
        loops.runFor(2_000);
        subscriber(0, Qos.AT_LEAST_ONCE);
        client("other", 0).says(subscribe("t", Qos.AT_MOST_ONCE));
        lost("publisher t expired");
    }

    @Test
    void expiredRetained_thatNobodyAsksFor_goesByItself_andIsToldOnce() {
        client("publisher", 0).says(shortLived(broker, "t", 1, Qos.AT_LEAST_ONCE, true));
        loops.runFor(70_000);
        assertEquals(0, broker.shards().retained().count());
        client("publisher", 0).says(shortLived(broker, "u", 1, Qos.AT_MOST_ONCE, true));
        loops.runFor(70_000);
        assertEquals(0, broker.shards().retained().count());
        lost("publisher t expired", "publisher u expired");
    }

    @Test
    void expiredRetained_amongManyThatStay_goesByItself() {
        ScriptedClient publisher = client("publisher", 0);
        for (int i = 0; i < 3000; i++) {
            publisher.retain("t" + i, "stays");
        }
        publisher.says(shortLived(broker, "u", 1, Qos.AT_LEAST_ONCE, true));
        loops.runFor(70_000);
        assertEquals(3000, broker.shards().retained().count());
        lost("publisher u expired");
    }

    @Test
    void expiredRetained_afterARestart_goesByItself() {
        client("publisher", 0).says(shortLived(broker, "t", 1, Qos.AT_LEAST_ONCE, true));
        broker.crash();
        assertEquals(1, broker.shards().retained().count());
        loops.runFor(70_000);
        assertEquals(0, broker.shards().retained().count());
        lost("publisher t expired");
    }

    @Test
    void expiredBeforeItsDelayIsOver_isToldOnce_ofItsPublisher() {
        subscriber(0, Qos.AT_LEAST_ONCE);
        client("publisher", 0).says(shortLived(broker, "$delayed/5/t", 1, Qos.AT_LEAST_ONCE, false));
        loops.runFor(6_000);
        lost("publisher t expired");
    }

    // ---- the receiver cannot take it

    @ParameterizedTest
    @EnumSource(Qos.class)
    void tooLarge_isToldOnce_ofItsReceiver(Qos qos) {
        broker.maxPayload = 3;
        subscriber(3600, Qos.EXACTLY_ONCE);
        client("publisher", 0).publish(1, "large", qos);
        lost("receiver t too-large");
    }

    @ParameterizedTest
    @EnumSource(Qos.class)
    void tooLargeForAllOfAGroup_isToldOnce_ofTheGroup(Qos qos) {
        broker.maxPayload = 3;
        client("m1", 3600).says(subscribe(GROUP, Qos.EXACTLY_ONCE));
        client("m2", 3600).says(subscribe(GROUP, Qos.EXACTLY_ONCE));
        client("publisher", 0).publish(1, "large", qos);
        loops.runFor(10);
        assertEquals(1, broker.drops.size(), broker.drops::toString);
        assertTrue(broker.drops.get(0).endsWith(" t too-large"), broker.drops::toString);
    }

    @Test
    void qos0ForAClientThatDoesNotRead_isToldOnce() {
        subscriber(3600, Qos.AT_MOST_ONCE).slow = true;
        client("publisher", 0).publish(0, "a", Qos.AT_MOST_ONCE);
        lost("receiver t slow-consumer");
    }

    @Test
    void qos0_isForWhoIsThere() {
        subscriber(3600, Qos.AT_MOST_ONCE).goes();
        ScriptedClient member = client("member", 3600);
        member.says(subscribe(GROUP, Qos.AT_MOST_ONCE));
        member.goes();
        client("publisher", 0).publish(0, "a", Qos.AT_MOST_ONCE);
        lost();
    }

    @Test
    void nobodySubscribed_isNoLoss() {
        client("publisher", 0).publish(1, "a", Qos.AT_LEAST_ONCE);
        lost();
    }

    // ---- not taken

    private void refused(Function<ScriptedClient, Runnable> act, String... drops) {
        act.apply(client("publisher", 0)).run();
        loops.runFor(10);
        lost(drops);
    }

    @ParameterizedTest
    @EnumSource(Qos.class)
    void withoutTheRight_isToldOnce_ofItsPublisher(Qos qos) {
        broker.authorizer = client -> DeniedTopics.publishing("t");
        refused(p -> () -> p.publish(1, "a", qos), "publisher t not-authorized");
        assertEquals(1, broker.denials.size());
    }

    @Test
    void toTopicsThatCannotBe_isToldOnce_ofItsPublisher() {
        String deep = "a" + "/a".repeat(Limits.DEFAULTS.maxTopicLevels());
        refused(
                p -> () -> {
                    p.publish("$SYS/x", 1, "a", Qos.AT_LEAST_ONCE);
                    p.publish("$delayed/1/$SYS/x", 2, "a", Qos.AT_LEAST_ONCE);
                    p.publish("$delayed/x/t", 3, "a", Qos.AT_MOST_ONCE);
                    p.publish("$delayed/999999999/t", 4, "a", Qos.EXACTLY_ONCE);
                    p.publish(deep, 5, "a", Qos.AT_LEAST_ONCE);
                },
                "publisher $SYS/x reserved-topic",
                "publisher $delayed/1/$SYS/x reserved-topic",
                "publisher $delayed/x/t invalid-topic",
                "publisher $delayed/999999999/t invalid-topic",
                "publisher " + deep + " invalid-topic");
    }

    @Test
    void aboveTheBoundOfDelayed_isToldOnce_ofItsPublisher() {
        broker.maxDelayed = 1;
        refused(
                p -> () -> {
                    p.publish("$delayed/9/t", 1, "a", Qos.AT_LEAST_ONCE);
                    p.publish("$delayed/9/t", 2, "b", Qos.AT_LEAST_ONCE);
                    p.publish("$delayed/9/t", 0, "c", Qos.AT_MOST_ONCE);
                },
                "publisher t delayed-limit",
                "publisher t delayed-limit");
    }

    @Test
    void aboveTheBoundOfRetained_isToldOnce_ofItsPublisher() {
        broker.maxRetained = 1;
        refused(
                p -> () -> {
                    p.retain("t", "a");
                    p.retain("u", "b");
                },
                "publisher u retained-limit");
    }

    @Test
    void identifierInUse_isToldOnce_ofItsPublisher() {
        refused(
                p -> () -> {
                    p.publish(1, "a", Qos.EXACTLY_ONCE);
                    p.publish(1, "a", Qos.EXACTLY_ONCE);
                    p.publish("u", 1, "b", Qos.AT_LEAST_ONCE);
                },
                "publisher u protocol-error");
    }

    @Test
    void aboveReceiveMaximum_isToldOnce_ofItsPublisher() {
        broker.receiveMaximum = 1;
        refused(
                p -> () -> {
                    p.publish(1, "a", Qos.EXACTLY_ONCE);
                    p.publish("u", 2, "b", Qos.EXACTLY_ONCE);
                },
                "publisher u protocol-error");
    }

    // ---- the store

    @ParameterizedTest
    @EnumSource(
            value = Qos.class,
            names = {"AT_LEAST_ONCE", "EXACTLY_ONCE"})
    void notStored_whenThePublisherCanBeTold_isToldOnce_ofThePublisher(Qos qos) {
        subscriber(3600, Qos.EXACTLY_ONCE);
        client("second", 3600).says(subscribe("t", Qos.AT_LEAST_ONCE));
        ScriptedClient publisher = client("publisher", 0);
        store.holds = true;
        publisher.publish(1, "a", qos);
        store.releaseOne("the disk is full");
        loops.runFor(1);
        PacketType type = qos == Qos.AT_LEAST_ONCE ? PacketType.PUBACK : PacketType.PUBREC;
        assertTrue(publisher.lastAck(type).reason().isError());
        lost("publisher t not-stored");
    }

    @ParameterizedTest
    @EnumSource(Qos.class)
    void delayed_thatIsNotStored_isToldOnce(Qos qos) {
        ScriptedClient publisher = client("publisher", 0);
        store.holds = true;
        publisher.publish("$delayed/1/t", 1, "a", qos);
        store.releaseOne("the disk is full");
        loops.runFor(5_000);
        lost("publisher t " + (qos == Qos.AT_MOST_ONCE ? "store-failed" : "not-stored"));
    }

    @Test
    void retainedForASubscriber_thatIsNotStored_isToldOnce_ofTheSubscriber() {
        client("publisher", 0).retain("t", "kept");
        ScriptedClient receiver = client("receiver", 3600);
        store.holds = true;
        receiver.says(subscribe("t", Qos.AT_LEAST_ONCE));
        store.releaseFirst();
        loops.runFor(1);
        store.releaseOne("the disk is full");
        loops.runFor(1);
        assertEquals(List.of(), receiver.payloads());
        lost("receiver t store-failed");
    }

    // ---- ends

    @Test
    void transientSession_thatEnds_tellsAllThatItOwed() {
        ScriptedClient receiver = subscriber(0, Qos.EXACTLY_ONCE);
        broker.loops.runFor(1);
        ScriptedClient publisher = client("publisher", 0);
        for (int i = 1; i <= 12; i++) { // ten are sent, two wait
            publisher.publish(i, "m" + i, Qos.AT_LEAST_ONCE);
        }
        receiver.says(new Ack(PacketType.PUBACK, receiver.ids().get(0)));
        receiver.goes();
        lost("receiver 11 session-ended");
    }

    @Test
    void durableSession_thatExpires_tellsAllThatItOwed() {
        subscriber(5, Qos.AT_LEAST_ONCE).goes();
        ScriptedClient publisher = client("publisher", 0);
        publisher.publish(1, "a", Qos.AT_LEAST_ONCE);
        publisher.publish(2, "b", Qos.AT_LEAST_ONCE);
        loops.runFor(6_000);
        lost("receiver 2 session-ended");
    }

    @Test
    void messageOnItsWayThroughTheStore_whoseSessionEnds_isTold() {
        subscriber(5, Qos.AT_LEAST_ONCE).goes();
        ScriptedClient publisher = client("publisher", 0);
        store.holds = true;
        publisher.publish(1, "a", Qos.AT_LEAST_ONCE);
        loops.runFor(6_000);
        lost();
        store.release(null);
        loops.runFor(1);
        assertEquals(List.of(1), publisher.acks(PacketType.PUBACK));
        lost("receiver t session-ended");
    }

    @Test
    void handedOverByAGroup_whoseMemberEndsMeanwhile_isTold() {
        ScriptedClient member = client("member", 5);
        member.says(subscribe(GROUP, Qos.EXACTLY_ONCE));
        store.holds = true;
        client("publisher", 0).publish(1, "a", Qos.EXACTLY_ONCE);
        store.releaseFirst(); // it is with the group, and lent
        loops.runFor(1);
        assertEquals(1, store.waiting(), "it is being made the member's own");
        member.goes();
        loops.runFor(6_000);
        store.holds = false;
        store.release(null);
        loops.runFor(1);
        lost("member t session-ended");
    }

    @Test
    void group_whoseLastMemberLeaves_tellsAllThatItOwed() {
        ScriptedClient member = client("member", 3600);
        member.says(subscribe(GROUP, Qos.AT_LEAST_ONCE));
        member.goes();
        ScriptedClient publisher = client("publisher", 0);
        publisher.publish(1, "a", Qos.AT_LEAST_ONCE);
        publisher.publish(2, "b", Qos.AT_LEAST_ONCE);
        ScriptedClient again = client("member", 3600);
        lost();
        again.says(new Unsubscribe(9, List.of(GROUP), List.of()));
        again.goes();
        lost(GROUP + " t session-ended", GROUP + " t session-ended");
    }

    @Test
    void group_thatEndsWhileItsMemberIsAway_tellsAllThatItOwed() {
        ScriptedClient member = client("member", 5);
        member.says(subscribe(GROUP, Qos.AT_LEAST_ONCE));
        member.goes();
        ScriptedClient publisher = client("publisher", 0);
        publisher.publish(1, "a", Qos.AT_LEAST_ONCE);
        publisher.publish(2, "b", Qos.AT_LEAST_ONCE);
        loops.runFor(6_000);
        lost(GROUP + " 2 session-ended");
    }
}
