package org.dunlin.core.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.dunlin.core.session.Restoration;
import org.dunlin.core.session.ShardsProbe;
import org.dunlin.core.spi.SessionKey;
import org.dunlin.core.spi.SessionRecord;
import org.dunlin.core.spi.StoreBatch;
import org.dunlin.core.spi.StoreBatch.SubscriptionRecord;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Will;
import org.junit.jupiter.api.Test;

/** The test's thread only. What becomes of what a store tells, whatever an earlier process has left in it. */
class RestorationTest {
    private static final String GROUP = "$share/g/s";

    private final ScriptedBroker broker = new ScriptedBroker(2);
    private final SimLoops loops = broker.loops;
    private final HeldStore store = broker.store;
    private final StoreBatch batch = store.newBatch();

    private SessionKey session(String clientId, boolean connected, long expirySeconds, String will, int delaySeconds) {
        SessionKey key = new SessionKey(store.nextId(), 3);
        Will kept = will.isEmpty()
                ? null
                : new Will(
                        TopicName.of("will"),
                        bytes(will),
                        Qos.AT_LEAST_ONCE,
                        false,
                        Message.NO_BYTES,
                        -1,
                        delaySeconds);
        boolean waits = !connected && expirySeconds > 0;
        long now = loops.nowMillis();
        batch.putSession(
                key,
                new SessionRecord(
                        clientId,
                        null,
                        ProtocolVersion.MQTT_5,
                        connected,
                        expirySeconds,
                        waits ? now + expirySeconds * 1000 : Message.NEVER,
                        kept,
                        waits && kept != null ? now + delaySeconds * 1000L : Message.NEVER,
                        0));
        return key;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private void subscribe(SessionKey session, String filter) {
        batch.putSubscription(session, new SubscriptionRecord(filter, Qos.EXACTLY_ONCE, false, false, 0));
    }

    private void enqueue(SessionKey owner, String text) {
        Message message = new Message(
                1, "p", TopicName.of("s"), bytes(text), Qos.AT_LEAST_ONCE, false, Message.NEVER, Message.NO_BYTES);
        batch.enqueue(message, List.of(new To(owner)));
    }

    private record To(SessionKey owner) implements StoreBatch.Target {
        @Override
        public Qos qos() {
            return Qos.AT_LEAST_ONCE;
        }

        @Override
        public boolean retain() {
            return false;
        }

        @Override
        public int[] subscriptionIds() {
            return new int[0];
        }

        @Override
        public void placed(long seq, long body) {}
    }

    private void start() {
        store.write(batch, failure -> {});
        broker.crash();
    }

    private ScriptedClient client(String id) {
        return new ScriptedClient(broker, ProtocolVersion.MQTT_5, id, 10, 3600);
    }

    private StoreContents kept() {
        return StoreContents.of(store);
    }

    @Test
    void ofTwoSessionsOfAClient_theLaterIsRestoredAndTheOtherLeavesItsWill() {
        SessionKey watcher = session("watcher", false, 3600, "", 0);
        subscribe(watcher, "will");
        SessionKey former = session("c", true, 3600, "former", 100);
        subscribe(former, "old");
        SessionKey later = session("c", false, 3600, "", 0);
        subscribe(later, "new");

        start();

        assertEquals(2, broker.shards().sessions().get());
        assertEquals(List.of("former"), client("watcher").payloads());
        assertFalse(kept().owners.containsKey(former.sid()));
        assertTrue(kept().owners.containsKey(later.sid()));
        assertEquals(2, broker.shards().subscriptions().routes(), "will and new");
    }

    @Test
    void ofTwoGroupsOfAFilter_theLaterIsRestored() {
        SessionKey member = session("member", false, 3600, "", 0);
        subscribe(member, GROUP);
        SessionKey former = new SessionKey(store.nextId(), 0);
        batch.putGroup(former, GROUP);
        enqueue(former, "former");
        SessionKey later = new SessionKey(store.nextId(), 0);
        batch.putGroup(later, GROUP);
        enqueue(later, "later");

        start();

        assertEquals(List.of("later"), client("member").payloads());
        assertFalse(kept().owners.containsKey(former.sid()));
    }

    @Test
    void groupWithoutMembers_ends() {
        SessionKey group = new SessionKey(store.nextId(), 0);
        batch.putGroup(group, GROUP);
        enqueue(group, "a");

        start();

        assertEquals(Map.of(), kept().owners);
        assertEquals(0, broker.shards().subscriptions().routes());
        assertEquals("", ShardsProbe.leftovers(broker.shards()));
        assertEquals(List.of(GROUP + " 1 session-ended"), broker.drops);
    }

    @Test
    void member_ofAGroupThatTheStoreDoesNotKnow_makesIt() {
        subscribe(session("member", false, 3600, "", 0), GROUP);

        start();

        assertTrue(kept().owners.values().stream().anyMatch(owner -> owner.name.equals(GROUP)));
        ScriptedClient member = client("member");
        client("publisher").publish("s", 1, "a", Qos.AT_LEAST_ONCE);
        assertEquals(List.of("a"), member.payloads());
    }

    @Test
    void endedSession_isNoneButForItsWill() {
        subscribe(session("watcher", false, 3600, "", 0), "will");
        SessionKey ended = session("c", false, 0, "left", 50);

        start();

        assertEquals(1, broker.shards().sessions().get());
        assertEquals(List.of("left"), client("watcher").payloads());
        assertFalse(kept().owners.containsKey(ended.sid()));
    }

    @Test
    void sessionThatWasConnected_isAwayFromThen_andSoAreItsWillAndItsTime() {
        subscribe(session("watcher", false, 3600, "", 0), "will");
        session("c", true, 10, "left", 4);

        start();
        ScriptedClient watcher = client("watcher");
        loops.runFor(3_900);
        assertEquals(List.of(), watcher.payloads());
        loops.runFor(200);
        assertEquals(List.of("left"), watcher.payloads());
        loops.runFor(5_700);
        assertEquals(2, broker.shards().sessions().get());
        loops.runFor(300);
        assertEquals(1, broker.shards().sessions().get());
    }

    @Test
    void willWhoseDelayIsOver_goesOutAtOnce_alsoForTheSecondStart() {
        subscribe(session("watcher", false, 3600, "", 0), "will");
        session("c", false, 3600, "left", 5);
        store.write(batch, failure -> {});
        loops.runFor(7_000);

        broker.crash();
        assertEquals(List.of("left"), client("watcher").payloads());
        broker.crash();
        assertEquals(List.of("left"), client("watcher").payloads(), "sent again since it was not acknowledged");
        client("watcher").takeAll();
        broker.crash();
        assertEquals(List.of(), client("watcher").payloads());
    }

    @Test
    void whatWasSent_isNotDoubtedAgainWhenTheQueueHasBeenEmpty() {
        SessionKey key = new SessionKey(store.nextId(), 1);
        batch.putSession(
                key,
                new SessionRecord(
                        "c", null, ProtocolVersion.MQTT_5, false, 3600, Message.NEVER, null, Message.NEVER, 500));
        subscribe(key, "t");
        start();
        client("publisher").publish("t", 1, "new", Qos.AT_LEAST_ONCE);
        broker.crash();
        assertEquals(List.of(false), client("c").dups(), "places begin anew in an empty queue");
    }

    @Test
    void contentOfAnOwnerThatWasNotTold_isRefused() {
        Restoration restoration = new Restoration(broker.shards());
        assertThrows(IllegalStateException.class, () -> restoration.queue(7, 1, 1, 1, 1));
    }
}
