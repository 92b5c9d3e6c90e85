package org.dunlin.core.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import org.dunlin.core.limits.QueueLimits;
import org.dunlin.core.session.ShardsProbe;
import org.dunlin.core.spi.Loop;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Unsubscribe;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The test's thread only. Faults that were found, most by the simulation, each played through step by step on one loop. */
class FoundFaultsTest {
    private static final String GROUP = "$share/g/t";

    private final ScriptedBroker broker = new ScriptedBroker();
    private final SimLoops loops = broker.loops;
    private final Loop loop = broker.loop;
    private final HeldStore store = broker.store;

    private ScriptedClient client(String id, int receiveMaximum, long expirySeconds) {
        return new ScriptedClient(broker, ProtocolVersion.MQTT_5, id, receiveMaximum, expirySeconds);
    }

    @Test
    void disconnect_ofTheOnlyMemberWithLoans_keepsThemForItsReturn() {
        ScriptedClient member = client("member", 1, 3600);
        member.says(subscribe(GROUP, Qos.AT_LEAST_ONCE));
        ScriptedClient publisher = client("publisher", 10, 0);
        publisher.publish(1, "a", Qos.AT_LEAST_ONCE);
        publisher.publish(2, "b", Qos.AT_LEAST_ONCE);
        publisher.publish(3, "c", Qos.AT_LEAST_ONCE);
        assertEquals(List.of("a"), member.payloads());

        member.goes();
        ScriptedClient again = client("member", 10, 3600);
        again.takeAll();

        assertEquals(List.of("a", "b", "c"), again.payloads());
    }

    @Test
    void unsubscribe_ofTheOnlyMemberWithWaitingLoans_ends() {
        ScriptedClient member = client("member", 1, 3600);
        member.says(subscribe(GROUP, Qos.AT_LEAST_ONCE));
        ScriptedClient publisher = client("publisher", 10, 0);
        publisher.publish(1, "a", Qos.AT_LEAST_ONCE);
        publisher.publish(2, "b", Qos.AT_LEAST_ONCE);

        member.says(new Unsubscribe(9, List.of(GROUP), List.of()));

        assertTrue(member.got(PacketType.UNSUBACK));
        assertEquals(0, broker.shards().subscriptions().routes());
    }

    @Test
    void pubRel_ofStoredAndLentMessages_keepsTheOrderOfPubRec() {
        ScriptedClient receiver = client("receiver", 10, 3600);
        receiver.says(subscribe("t", Qos.EXACTLY_ONCE));
        receiver.says(subscribe(GROUP, Qos.EXACTLY_ONCE));
        client("publisher", 10, 0).publish(1, "a", Qos.EXACTLY_ONCE);
        assertEquals(List.of("a", "a"), receiver.payloads());
        store.holds = true;

        loop.execute(() -> {
            for (int id : receiver.ids()) {
                receiver.protocol().received(new Ack(PacketType.PUBREC, id));
            }
        });
        loops.runFor(1);
        store.release(null);
        loops.runFor(1);

        assertEquals(receiver.ids(), receiver.acks(PacketType.PUBREL));
    }

    @Test
    void repeatedQos2_whoseFirstFailsInTheStore_isRefusedToo() {
        ScriptedClient receiver = client("receiver", 10, 3600);
        receiver.says(subscribe("t", Qos.EXACTLY_ONCE));
        ScriptedClient publisher = client("publisher", 10, 3600);
        store.holds = true;
        publisher.publish(1, "a", Qos.EXACTLY_ONCE);
        publisher.publish(1, "a", Qos.EXACTLY_ONCE);
        store.releaseOne("the disk is full");
        loops.runFor(1);

        assertEquals(List.of(1, 1), publisher.acks(PacketType.PUBREC));
        assertTrue(publisher.lastAck(PacketType.PUBREC).reason().isError());
        assertEquals(List.of(), receiver.payloads());
    }

    @Test
    void pubRel_thatCannotBeStored_isAnsweredOnTheNextConnection() {
        ScriptedClient publisher = client("publisher", 10, 3600);
        publisher.publish(1, "a", Qos.EXACTLY_ONCE);
        store.holds = true;
        publisher.says(new Ack(PacketType.PUBREL, 1));
        store.releaseOne("the disk is full");
        store.holds = false;
        store.release(null);
        loops.runFor(1);
        assertTrue(publisher.closed);
        assertTrue(publisher.acks(PacketType.PUBCOMP).isEmpty());

        ScriptedClient again = client("publisher", 10, 3600);
        again.says(new Ack(PacketType.PUBREL, 1));

        assertEquals(ReasonCode.SUCCESS, again.lastAck(PacketType.PUBCOMP).reason());
    }

    @ParameterizedTest
    @EnumSource(
            value = ProtocolVersion.class,
            names = {"MQTT_5", "MQTT_3_1_1"})
    void connect_thatWaitsWhenTheBrokerStops_isToldThatItIsUnavailable(ProtocolVersion version) {
        store.holds = true;
        ScriptedClient late = new ScriptedClient(broker, version, "late", 10, 3600);

        loop.execute(() -> broker.shards()
                .shard(0)
                .sessions()
                .get("late")
                .evict(ReasonCode.SERVER_SHUTTING_DOWN, "the broker is stopping"));
        loops.runFor(1);

        assertEquals(ReasonCode.SERVER_UNAVAILABLE, late.connAck().reason());
        assertTrue(late.closed);
    }

    @Test
    void connect_beyondMaxConnections_leavesNothingInTheRegistry() {
        broker.maxConnections = 0;
        ScriptedClient refused = client("refused", 10, 0);

        assertTrue(refused.closed);
        assertEquals("", ShardsProbe.leftovers(broker.shards()));
    }

    @Test
    void subscribe_againAndAgainWithoutTakingRetained_doesNotStopTheReading() {
        ScriptedClient pub = client("publisher", 10, 0);
        pub.retain("t", "a");
        ScriptedClient c = client("c", 10, 0);
        for (int i = 0; i < 300 && !c.inputHeld; i++) {
            c.says(subscribe("t", Qos.AT_LEAST_ONCE));
        }
        loops.runFor(60_000);
        assertTrue(!c.inputHeld, "held for ever, got " + c.payloads().size());
    }

    private ScriptedClient[] blocked() {
        ScriptedClient b = client("b", 10, 3600);
        b.says(subscribe(GROUP, Qos.AT_LEAST_ONCE));
        b.goes();
        ScriptedClient a = client("a", 10, 3600);
        a.maxPayload = 3;
        a.says(subscribe(GROUP, Qos.AT_LEAST_ONCE));
        ScriptedClient p = client("publisher", 10, 0);
        return new ScriptedClient[] {a, b, p};
    }

    @Test
    void share_withAMessageThatFitsOnlyAMemberThatIsAway_goesOnWithTheOthers() {
        ScriptedClient[] c = blocked();
        c[2].publish(1, "large", Qos.AT_LEAST_ONCE);
        c[2].publish(2, "x", Qos.AT_LEAST_ONCE);
        c[2].publish(3, "y", Qos.AT_LEAST_ONCE);
        loops.runFor(60_000);
        assertEquals(List.of("x", "y"), c[0].payloads());
    }

    @Test
    void share_whoseMemberLeavesThatAMessageWaitedFor_goesOn() {
        ScriptedClient a = client("a", 10, 0);
        a.maxPayload = 3;
        a.says(subscribe(GROUP, Qos.AT_LEAST_ONCE));
        ScriptedClient b = client("b", 1, 0);
        b.says(subscribe(GROUP, Qos.AT_LEAST_ONCE));
        ScriptedClient p = client("publisher", 10, 0);
        p.publish(1, "u", Qos.AT_LEAST_ONCE);
        p.publish(2, "v", Qos.AT_LEAST_ONCE);
        for (int id : List.copyOf(a.ids())) {
            a.says(new Ack(PacketType.PUBACK, id));
        }
        p.publish(1, "large", Qos.AT_LEAST_ONCE);
        p.publish(3, "x", Qos.AT_LEAST_ONCE);
        b.says(new Unsubscribe(9, List.of(GROUP), List.of()));
        p.publish(4, "y", Qos.AT_LEAST_ONCE);
        loops.runFor(60_000);
        assertTrue(a.payloads().containsAll(List.of("x", "y")), a.payloads().toString());
    }

    @Test
    void fullQueue_ofAMember_doesNotDropWhatItsGroupHasLent() {
        broker.queueLimits = new QueueLimits(20, 1 << 20, QueueLimits.Overflow.DROP_OLDEST, 10_000, false, List.of());
        ScriptedClient a = client("a", 30, 0);
        a.says(subscribe(GROUP, Qos.AT_LEAST_ONCE));
        a.slow = true;
        ScriptedClient p = client("publisher", 10, 0);
        for (int i = 0; i < 50; i++) {
            p.publish(1, "m" + i, Qos.AT_LEAST_ONCE);
        }
        a.says(subscribe("t", Qos.AT_LEAST_ONCE));
        p.publish(1, "own", Qos.AT_LEAST_ONCE);
        a.slow = false;
        loop.execute(() -> a.protocol().writable());
        loops.runFor(10);
        for (int i = 0; i < a.ids().size(); i++) {
            a.says(new Ack(PacketType.PUBACK, a.ids().get(i)));
        }
        assertTrue(a.payloads().size() > 20, a.payloads().toString());
    }

    @Test
    void retained_underTrafficThatNeverPauses_comesAllTheSame() {
        ScriptedClient p = client("publisher", 10, 0);
        p.says(new Publish(
                new Message(
                        1,
                        "publisher",
                        TopicName.of("r"),
                        "kept".getBytes(StandardCharsets.UTF_8),
                        Qos.AT_MOST_ONCE,
                        true,
                        Message.NEVER,
                        Message.NO_BYTES),
                0,
                false));
        ScriptedClient c = client("c", 100, 3600);
        c.says(subscribe("t", Qos.AT_LEAST_ONCE));
        store.holds = true;
        p.publish(1, "m", Qos.AT_LEAST_ONCE);
        c.says(subscribe("r", Qos.AT_LEAST_ONCE));
        for (int i = 2; i < 500; i++) {
            p.publish(i, "m", Qos.AT_LEAST_ONCE);
            while (store.waiting() > 1) {
                store.releaseFirst();
            }
            loops.runFor(5);
            for (int k = 0; k < c.ids().size(); k++) {
                if (c.ids().get(k) > 0) {
                    c.says(new Ack(PacketType.PUBACK, c.ids().get(k)));
                }
            }
            c.ids().clear();
        }
        assertTrue(c.got(PacketType.SUBACK));
        assertTrue(c.payloads().size() > 400);
        assertTrue(c.payloads().contains("kept"), "starved");
    }

    @Test
    void publish_withAnIdentifierInUseBehindOthers_isBounded() throws Exception {
        ScriptedClient c = client("c", 100, 3600);
        c.says(subscribe("t", Qos.AT_LEAST_ONCE));
        ScriptedClient p = client("publisher", 10, 3600);
        p.publish(1, "m", Qos.EXACTLY_ONCE);
        store.holds = true;
        p.publish(2, "m", Qos.AT_LEAST_ONCE);
        for (int i = 0; i < 5000 && !p.inputHeld && !p.closed; i++) {
            p.publish(1, "m", Qos.AT_LEAST_ONCE);
        }
        assertTrue(p.inputHeld || p.closed);
    }

    @Test
    void share_qos0TooLargeForWhoIsThere_isNotKept() throws Exception {
        ScriptedClient[] c = blocked();
        for (int i = 0; i < 5000; i++) {
            c[2].publish(0, "large", Qos.AT_MOST_ONCE);
        }
        loops.runFor(60_000);
        assertEquals(0, ShardsProbe.waitingInGroups(broker.shards()));
    }

    @Test
    void pubRel_afterARepetitionBehindOthers_isAnswered() {
        ScriptedClient receiver = client("receiver", 10, 3600);
        receiver.says(subscribe("t", Qos.EXACTLY_ONCE));
        ScriptedClient p = client("publisher", 10, 3600);
        p.publish(1, "a", Qos.EXACTLY_ONCE);
        store.holds = true;
        p.publish(2, "b", Qos.EXACTLY_ONCE);
        p.publish(1, "a", Qos.EXACTLY_ONCE);
        p.says(new Ack(PacketType.PUBREL, 1));
        assertTrue(!p.closed);
    }

    private void queuesOfOne(QueueLimits.Overflow overflow) {
        broker.queueLimits = new QueueLimits(1, 1 << 20, overflow, 10_000, false, List.of());
        broker.maxInflight = 1;
    }

    /** Publishes three messages, of which one is sent, one waits and one is too many. */
    private ScriptedClient[] fullGroup(long expirySeconds) {
        queuesOfOne(QueueLimits.Overflow.HOLD_ACK);
        ScriptedClient member = client("member", 10, expirySeconds);
        member.says(subscribe(GROUP, Qos.AT_LEAST_ONCE));
        ScriptedClient publisher = client("publisher", 10, 0);
        publisher.publish(1, "a", Qos.AT_LEAST_ONCE);
        publisher.publish(2, "b", Qos.AT_LEAST_ONCE);
        publisher.publish(3, "c", Qos.AT_LEAST_ONCE);
        loops.runFor(9_000);
        assertEquals(List.of(1, 2), publisher.acks(PacketType.PUBACK));
        return new ScriptedClient[] {member, publisher};
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 3600})
    void fullGroup_holdsTheAcknowledgementUntilThereIsRoom(long expirySeconds) {
        ScriptedClient[] c = fullGroup(expirySeconds);
        c[0].takeAll();
        assertEquals(List.of(1, 2, 3), c[1].acks(PacketType.PUBACK));
        assertEquals(ReasonCode.SUCCESS, c[1].lastAck(PacketType.PUBACK).reason());
        assertEquals(List.of("a", "b", "c"), c[0].payloads());
        assertEquals(List.of(), broker.drops);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 3600})
    void fullGroup_withoutRoomInTime_refuses(long expirySeconds) {
        ScriptedClient[] c = fullGroup(expirySeconds);
        loops.runFor(2_000);
        assertEquals(ReasonCode.QUOTA_EXCEEDED, c[1].lastAck(PacketType.PUBACK).reason());
        assertEquals(List.of(GROUP + " t queue-full"), broker.drops);
        c[0].takeAll();
        assertEquals(List.of("a", "b"), c[0].payloads());
    }

    @Test
    void fullGroup_whoseLastMemberLeaves_refusesAtOnce() {
        ScriptedClient[] c = fullGroup(3600);
        c[0].says(new Unsubscribe(9, List.of(GROUP), List.of()));
        assertEquals(List.of(1, 2, 3), c[1].acks(PacketType.PUBACK));
        assertEquals(ReasonCode.QUOTA_EXCEEDED, c[1].lastAck(PacketType.PUBACK).reason());
    }

    @ParameterizedTest
    @EnumSource(
            value = QueueLimits.Overflow.class,
            names = {"REJECT", "HOLD_ACK"})
    void refusedMessage_ofAV3ClientThatFillsItsOwnQueue_getsThroughInTheEnd(QueueLimits.Overflow overflow) {
        queuesOfOne(overflow);
        ScriptedClient self = new ScriptedClient(broker, ProtocolVersion.MQTT_3_1_1, "self", 0, 1);
        self.says(subscribe("t", Qos.AT_LEAST_ONCE));
        self.publish(1, "a", Qos.AT_LEAST_ONCE);
        self.publish(2, "b", Qos.AT_LEAST_ONCE);
        int connects = 0;
        while (!self.acks(PacketType.PUBACK).contains(3)) {
            // as a client does it: what is not acknowledged goes out first, acknowledgements when it has come to
            // reading
            self.publish(3, "c", Qos.AT_LEAST_ONCE);
            self.publish(4, "d", Qos.AT_LEAST_ONCE);
            loops.runFor(5);
            for (int i = 0; i < self.ids().size() && !self.closed; i++) {
                self.says(new Ack(PacketType.PUBACK, self.ids().get(i)));
            }
            loops.runFor(20_000);
            if (self.closed) {
                assertTrue(++connects < 10, "it is closed again and again");
                self = new ScriptedClient(broker, ProtocolVersion.MQTT_3_1_1, "self", 0, 1);
            }
        }
        // and what stood behind the refused one has not overtaken it
        assertTrue(
                self.payloads().indexOf("c") >= 0 && self.payloads().indexOf("d") != 0,
                self.payloads().toString());
    }

    @Test
    void refusedMessage_ofAV3ClientThatAcknowledgesNothing_endsItsConnectionInTime() {
        queuesOfOne(QueueLimits.Overflow.REJECT);
        ScriptedClient self = new ScriptedClient(broker, ProtocolVersion.MQTT_3_1_1, "self", 0, 1);
        self.says(subscribe("t", Qos.AT_LEAST_ONCE));
        for (int id = 1; id <= 5; id++) {
            self.publish(id, "m" + id, Qos.AT_LEAST_ONCE);
        }
        assertTrue(!self.closed);
        loops.runFor(11_000);
        assertTrue(self.closed);
        assertEquals(List.of(1, 2), self.acks(PacketType.PUBACK));
        assertEquals(1, loops.pendingTimers(), "that of its expiry");
    }

    @Test
    void begunQos2_thatIsTooLargeForTheNextConnection_keepsItsIdentifierUntilTheClientLetsGo() {
        ScriptedClient receiver = client("receiver", 10, 3600);
        receiver.says(subscribe(GROUP, Qos.EXACTLY_ONCE));
        client("publisher", 10, 0).publish(1, "large", Qos.EXACTLY_ONCE);
        assertEquals(List.of("large"), receiver.payloads());
        receiver.goes();

        broker.maxPayload = 3;
        ScriptedClient again = client("receiver", 10, 3600);

        assertEquals(List.of(), again.payloads());
        assertEquals(List.of("receiver t too-large"), broker.drops);
        assertEquals(receiver.ids(), again.acks(PacketType.PUBREL));
        again.says(new Ack(PacketType.PUBCOMP, receiver.ids().get(0)));
        assertTrue(ShardsProbe.sessions(broker.shards()).stream().allMatch(session -> session.open() == 0));
    }

    @Test
    void delayed_thatWasRefusedByTheStore_isNotPublishedAllTheSame() {
        ScriptedClient receiver = client("receiver", 10, 0);
        receiver.says(subscribe("t", Qos.EXACTLY_ONCE));
        ScriptedClient publisher = client("publisher", 10, 0);
        store.holds = true;
        publisher.publish("$delayed/1/t", 1, "a", Qos.AT_LEAST_ONCE);
        store.releaseOne("the disk is full");
        loops.runFor(5_000);
        assertTrue(publisher.lastAck(PacketType.PUBACK).reason().isError());
        assertEquals(List.of(), receiver.payloads());
        assertTrue(!ShardsProbe.leftovers(broker.shards()).contains("delayed"));
    }

    @Test
    void delayed_leavesTheStoreTogetherWithWhatItPutsIntoQueues() {
        ScriptedClient receiver = client("receiver", 10, 3600);
        receiver.says(subscribe("t", Qos.EXACTLY_ONCE));
        client("publisher", 10, 0).publish("$delayed/1/t", 1, "a", Qos.AT_LEAST_ONCE);
        store.holds = true;
        loops.runFor(5_000);
        assertEquals(1, store.waiting());
        store.releaseOne("the disk is full");
        loops.runFor(1);
        assertEquals(List.of(), receiver.payloads());
        loops.runFor(2_000);
        store.release(null);
        loops.runFor(1);
        assertEquals(List.of("a"), receiver.payloads());
        assertEquals(List.of(), broker.drops);
    }

    @Test
    void connect_atMaxConnections_takesOverItsOwnConnectionAlone() {
        broker.maxConnections = 2;
        client("away", 10, 3600).goes();
        ScriptedClient first = client("a", 10, 3600);
        client("b", 10, 0);

        ScriptedClient second = client("a", 10, 3600);
        assertTrue(second.got(PacketType.CONNACK) && !second.closed, "the stale connection stood in its way");
        assertTrue(first.closed);
        assertEquals(2, broker.admittance().connections());

        assertTrue(client("c", 10, 0).closed);
        assertTrue(client("away", 10, 3600).closed, "a session alone is no connection to take over");
        first.goes();
        assertEquals(2, broker.admittance().connections());
        second.goes();
        assertTrue(!client("away", 10, 3600).closed);
    }

    private static Subscribe twice(String filter, Subscribe.RetainHandling second) {
        return new Subscribe(
                7,
                0,
                List.of(
                        new Subscribe.Entry(
                                filter, Qos.AT_LEAST_ONCE, false, false, Subscribe.RetainHandling.SEND_IF_NEW),
                        new Subscribe.Entry(filter, Qos.AT_MOST_ONCE, false, false, second)),
                List.of());
    }

    @ParameterizedTest
    @CsvSource({"SEND,2", "SEND_IF_NEW,1", "DO_NOT_SEND,1"})
    void sameFilterTwice_sendsRetainedForEachThatAsksForIt(Subscribe.RetainHandling second, int copies) {
        client("publisher", 10, 0).retain("t", "kept");
        ScriptedClient durable = client("durable", 10, 3600);
        ScriptedClient transientOne = client("transient", 10, 0);

        durable.says(twice("t", second));
        transientOne.says(twice("t", second));

        assertEquals(Collections.nCopies(copies, "kept"), durable.payloads());
        assertEquals(Collections.nCopies(copies, "kept"), transientOne.payloads());
        // one copy by the options of the first entry, which goes through the store, one by those of the second
        List<Integer> ids = durable.ids().stream().sorted().toList();
        assertTrue(ids.get(copies - 1) > 0);
        assertEquals(copies == 2 ? List.of(0) : List.of(), ids.subList(0, copies - 1));
    }

    @Test
    void subscribe_replacedBeforeItWasStored_sendsItsRetainedAllTheSame() {
        client("publisher", 10, 0).retain("t", "kept");
        ScriptedClient c = client("c", 10, 3600);
        store.holds = true;
        c.says(once("t", Subscribe.RetainHandling.SEND_IF_NEW));
        c.says(once("t", Subscribe.RetainHandling.SEND_IF_NEW));
        store.holds = false;
        store.release(null);
        loops.runFor(1);
        assertEquals(List.of("kept"), c.payloads());
    }

    private static Subscribe once(String filter, Subscribe.RetainHandling handling) {
        return new Subscribe(
                7, 0, List.of(new Subscribe.Entry(filter, Qos.AT_LEAST_ONCE, false, false, handling)), List.of());
    }

    @Test
    void subscribe_toTheSameFilterThousandsOfTimesInOnePacket_isSentAwayInTime() {
        client("publisher", 10, 0).retain("t", "kept");
        ScriptedClient c = client("c", 10, 0);
        Subscribe.Entry entry = new Subscribe.Entry("t", Qos.AT_LEAST_ONCE);
        c.says(new Subscribe(7, 0, Collections.nCopies(5000, entry), List.of()));
        assertTrue(c.closed);
    }

    static Subscribe subscribe(String filter, Qos qos) {
        return new Subscribe(7, 0, List.of(new Subscribe.Entry(filter, qos)), List.of());
    }
}
