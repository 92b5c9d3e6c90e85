package org.dunlin.core.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The test's thread only. A shared group gives a message to who may have it. */
class GroupRightsTest {
    private final RightsScene scene = new RightsScene();
    private final ScriptedBroker broker = scene.broker;

    @ParameterizedTest
    @EnumSource(Qos.class)
    void groupMessage_goesToAMemberThatMayGetIt(Qos qos) {
        scene.rights.put("blind", DeniedTopics.receiving("a/secret"));
        ScriptedClient blind = scene.client("blind", 0);
        blind.says(RightsScene.subscribe(Qos.EXACTLY_ONCE, "$share/g/a/#"));
        ScriptedClient reader = scene.reader(0, "$share/g/a/#");
        ScriptedClient writer = scene.client("writer", 0);

        for (int i = 1; i <= 4; i++) {
            writer.publish("a/secret", i, "m" + i, qos);
            broker.loops.runFor(1);
        }

        assertEquals(List.of(), blind.payloads());
        if (qos != Qos.AT_MOST_ONCE) {
            assertEquals(List.of("m1", "m2", "m3", "m4"), reader.payloads());
        }
    }

    @Test
    void groupMessage_thatNoMemberMayGet_isLost_andTold() {
        scene.rights.put("reader", DeniedTopics.receiving("a/secret"));
        scene.reader(3600, "$share/g/a/#");
        scene.client("writer", 0).publish("a/secret", 1, "no", Qos.AT_LEAST_ONCE);
        broker.loops.runFor(200);

        assertEquals(List.of("$share/g/a/# a/secret right-lost"), broker.drops);
        assertEquals(0, scene.stillStored());
    }

    @Test
    void groupMessages_thatTheOneWhoIsThereMayNotGet_waitForTheOther() {
        ScriptedClient away = scene.reader(3600, "$share/g/a/#");
        away.goes();
        scene.rights.put("blind", DeniedTopics.receiving("a/secret"));
        ScriptedClient blind = scene.client("blind", 3600);
        blind.says(RightsScene.subscribe(Qos.AT_LEAST_ONCE, "$share/g/a/#"));
        ScriptedClient writer = scene.client("writer", 0);
        for (int i = 1; i <= 200; i++) {
            writer.publish("a/secret", i, "m" + i, Qos.AT_LEAST_ONCE);
        }
        broker.loops.runFor(200);
        assertEquals(List.of(), broker.drops);

        ScriptedClient back = scene.client("reader", 3600);
        back.takeAll();
        broker.loops.runFor(200);

        assertEquals(200, back.payloads().stream().distinct().count());
        assertEquals(List.of(), blind.payloads());
        assertEquals(List.of(), broker.drops);
    }

    @Test
    void groupMessage_lentAndWaiting_goesToAnother_whenTheRightIsGone() {
        broker.maxInflight = 1;
        ScriptedClient other = scene.client("other", 0);
        ScriptedClient reader = scene.reader(0, "a/open", "$share/g/a/secret");
        ScriptedClient writer = scene.client("writer", 0);
        writer.publish("a/open", 1, "fills the window", Qos.AT_LEAST_ONCE);
        writer.publish("a/secret", 2, "waits", Qos.AT_LEAST_ONCE);
        other.says(RightsScene.subscribe(Qos.AT_LEAST_ONCE, "$share/g/a/secret"));

        scene.may("reader", DeniedTopics.receiving("a/secret"));
        reader.takeAll();
        broker.loops.runFor(1);

        assertEquals(List.of("fills the window"), reader.payloads());
        assertEquals(List.of("waits"), other.payloads());
    }

    /** May receive all but one topic, and counts how often that is asked. */
    private static final class AskedFor implements Rights {
        private static int asked;
        private final String topic;

        AskedFor(String topic) {
            this.topic = topic;
        }

        @Override
        public @Nullable String refusesPublish(TopicName name, Qos qos, boolean retain) {
            return null;
        }

        @Override
        public @Nullable String refusesSubscribe(TopicFilter filter, Qos qos) {
            return null;
        }

        @Override
        public boolean receivesAllOf(TopicFilter filter) {
            return false;
        }

        @Override
        public boolean receivesAll() {
            return false;
        }

        @Override
        public boolean mayReceive(TopicName name) {
            asked++;
            return !name.text().equals(topic);
        }
    }

    @Test
    void largeGroup_ofWhichOneMayHaveATopic_asksEachMemberOnce() {
        int members = 1000;
        for (int i = 0; i < members; i++) {
            scene.rights.put("m" + i, new AskedFor("a/secret"));
            scene.client("m" + i, 0).says(RightsScene.subscribe(Qos.AT_LEAST_ONCE, "$share/g/a/#"));
        }
        scene.rights.put("reader", new AskedFor("nothing"));
        ScriptedClient reader = scene.reader(0, "$share/g/a/#");
        ScriptedClient writer = scene.client("writer", 0);
        AskedFor.asked = 0;

        for (int i = 1; i <= 300; i++) {
            writer.publish("a/secret", i, "m" + i, i % 3 == 0 ? Qos.AT_MOST_ONCE : Qos.AT_LEAST_ONCE);
            if (i % 20 == 0) {
                reader.takeAll();
            }
        }
        reader.takeAll();

        assertEquals(300, reader.payloads().stream().distinct().count());
        assertEquals(List.of(), broker.drops);
        // each once, those in turn before that, and the reader for each message before it leaves
        assertTrue(AskedFor.asked < members + 300 * 2 + 20, "asked " + AskedFor.asked + " times");
    }

    @Test
    void groupMessage_waitsForAMember_andGoesToItWhenAReviewGivesItTheRight() {
        scene.rights.put("reader", DeniedTopics.receiving("a/secret"));
        ScriptedClient reader = scene.reader(0, "$share/g/a/#");
        ScriptedClient away = scene.client("away", 3600);
        away.says(RightsScene.subscribe(Qos.AT_LEAST_ONCE, "$share/g/a/#"));
        away.goes();
        scene.client("writer", 0).publish("a/secret", 1, "waits", Qos.AT_LEAST_ONCE);
        broker.loops.runFor(10);
        assertEquals(List.of(), reader.payloads());

        scene.may("reader", Rights.ALL);

        assertEquals(List.of("waits"), reader.payloads());
        assertEquals(List.of(), broker.drops);
    }

    /** Its member has lost the right while the message was on its way to it, and has it back before the group knows. */
    @Test
    void groupMessage_thatAMemberHasSentBack_comesWhenItHasTheRightAgain() {
        broker.maxInflight = 1;
        ScriptedClient reader = scene.reader(0, "a/open", "$share/g/a/#");
        scene.client("away", 3600).says(RightsScene.subscribe(Qos.AT_LEAST_ONCE, "$share/g/a/#"));
        scene.client("away", 3600).goes();
        ScriptedClient writer = scene.client("writer", 0);
        writer.publish("a/open", 1, "fills the window", Qos.AT_LEAST_ONCE);
        writer.publish("a/secret", 2, "waits", Qos.AT_LEAST_ONCE);

        scene.may("reader", DeniedTopics.receiving("a/secret"));
        reader.takeAll();
        broker.loops.runFor(1);
        assertFalse(reader.payloads().contains("waits"));
        scene.may("reader", Rights.ALL);
        reader.takeAll();
        broker.loops.runFor(1);

        assertTrue(reader.payloads().contains("waits"));
        assertEquals(List.of(), broker.drops);
    }

    @Test
    void groupMessageOfQos0_goesToWhoMayHaveIt_thoughItIsBusyAndNotTheFirst() {
        for (String id : List.of("b1", "b2", "b3")) {
            scene.rights.put(id, DeniedTopics.receiving("a/secret"));
            scene.client(id, 0).says(RightsScene.subscribe(Qos.AT_LEAST_ONCE, "$share/g/a/#"));
        }
        ScriptedClient reader = new ScriptedClient(broker, ProtocolVersion.MQTT_5, "reader", 1, 0);
        reader.says(RightsScene.subscribe(Qos.AT_LEAST_ONCE, "$share/g/a/#"));
        ScriptedClient writer = scene.client("writer", 0);
        writer.publish("a/secret", 1, "fills the window", Qos.AT_LEAST_ONCE);

        for (int i = 1; i <= 20; i++) {
            writer.publish("a/secret", 0, "q" + i, Qos.AT_MOST_ONCE);
        }

        assertEquals(21, reader.payloads().size());
        assertEquals(List.of(), broker.drops);
    }

    /** It is too large for the first in turn. */
    @Test
    void groupMessageOfQos0_thatAMemberCannotTake_goesToABusyOne() {
        broker.maxPayload = 5;
        for (String id : List.of("b1", "b2", "b3")) {
            scene.client(id, 0).says(RightsScene.subscribe(Qos.AT_LEAST_ONCE, "$share/g/a/#"));
        }
        broker.maxPayload = 1000;
        ScriptedClient reader = new ScriptedClient(broker, ProtocolVersion.MQTT_5, "reader", 1, 0);
        reader.says(RightsScene.subscribe(Qos.AT_LEAST_ONCE, "$share/g/a/#"));
        ScriptedClient writer = scene.client("writer", 0);
        writer.publish("a/b", 1, "fills the window", Qos.AT_LEAST_ONCE);

        for (int i = 1; i <= 20; i++) {
            writer.publish("a/b", 0, "large" + i, Qos.AT_MOST_ONCE);
            broker.loops.runFor(1);
        }

        assertEquals(21, reader.payloads().size());
        assertEquals(List.of(), broker.drops);
    }

    @Test
    void groupMessageOfQos0_thatNobodyWhoIsThereMayHave_isCounted() {
        scene.rights.put("reader", DeniedTopics.receiving("a/secret"));
        scene.reader(0, "$share/g/a/#");

        scene.client("writer", 0).publish("a/secret", 0, "no", Qos.AT_MOST_ONCE);

        assertEquals(List.of("$share/g/a/# a/secret right-lost"), broker.drops);
    }
}
