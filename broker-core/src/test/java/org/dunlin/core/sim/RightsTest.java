package org.dunlin.core.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.dunlin.core.session.ShardsProbe;
import org.dunlin.core.spi.Authenticator;
import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Auth;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.mqtt.TopicName;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The test's thread only. What a client may not do does not happen, and what it may not get does not reach it. */
class RightsTest {
    private final RightsScene scene = new RightsScene();
    private final ScriptedBroker broker = scene.broker;

    // ---- publish

    @ParameterizedTest
    @EnumSource(Qos.class)
    void publish_withoutTheRight_reachesNobody_andV5IsTold(Qos qos) {
        ScriptedClient reader = scene.reader(0, "#");
        scene.rights.put("writer", DeniedTopics.publishing("t"));
        ScriptedClient writer = scene.client("writer", 0);

        writer.publish("t", 1, "no", qos);
        writer.publish("u", 2, "yes", qos);

        assertEquals(List.of("yes"), reader.payloads());
        assertEquals(List.of("writer t not-authorized"), broker.drops);
        assertEquals(List.of("PUBLISH t " + ReasonCode.NOT_AUTHORIZED), broker.denials);
        if (qos != Qos.AT_MOST_ONCE) {
            PacketType kind = qos == Qos.AT_LEAST_ONCE ? PacketType.PUBACK : PacketType.PUBREC;
            assertEquals(List.of(1, 2), writer.acks(kind));
        }
    }

    @ParameterizedTest
    @EnumSource(Qos.class)
    void publish_withoutTheRight_of3x_isAcknowledged_orEndsTheConnection(Qos qos) {
        scene.rights.put("old", DeniedTopics.publishing("t"));
        ScriptedClient old = new ScriptedClient(broker, ProtocolVersion.MQTT_3_1_1, "old", 10, 0);
        old.publish("t", 1, "no", qos);
        assertFalse(old.closed);

        ScriptedBroker strict = new ScriptedBroker();
        strict.authorizer = broker.authorizer;
        strict.closesOnDeniedPublish = true;
        ScriptedClient other = new ScriptedClient(strict, ProtocolVersion.MQTT_3_1_1, "old", 10, 0);
        other.publish("t", 1, "no", qos);
        assertTrue(other.closed);
        assertEquals(List.of("old t not-authorized"), strict.drops);
    }

    @Test
    void publish_afterTheRightIsGone_isRefused() {
        ScriptedClient reader = scene.reader(0, "#");
        ScriptedClient writer = scene.client("writer", 0);
        writer.publish("t", 1, "before", Qos.AT_LEAST_ONCE);

        scene.may("writer", DeniedTopics.publishing("t"));
        writer.publish("t", 2, "after", Qos.AT_LEAST_ONCE);

        assertEquals(List.of("before"), reader.payloads());
        assertEquals(
                ReasonCode.NOT_AUTHORIZED, writer.lastAck(PacketType.PUBACK).reason());
    }

    // ---- subscribe

    @Test
    void subscribe_withoutTheRight_isRefused_othersOfThePacketAreNot() {
        scene.rights.put("reader", DeniedTopics.subscribing("t"));

        ScriptedClient reader = scene.reader(0, "t", "u", "$share/g/t");
        scene.client("writer", 0).publish("t", 1, "no", Qos.AT_LEAST_ONCE);

        assertEquals(
                List.of(ReasonCode.NOT_AUTHORIZED, ReasonCode.GRANTED_QOS_2, ReasonCode.NOT_AUTHORIZED),
                reader.subAck().reasons());
        assertEquals(List.of(), reader.payloads());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 3600})
    void subscription_ends_whenTheRightIsGone(long expirySeconds) {
        ScriptedClient reader = scene.reader(expirySeconds, "t", "u", "$share/g/t");
        ScriptedClient writer = scene.client("writer", 0);

        scene.may("reader", DeniedTopics.subscribing("t"));
        writer.publish("t", 1, "no", Qos.AT_LEAST_ONCE);
        writer.publish("u", 2, "yes", Qos.AT_LEAST_ONCE);

        assertEquals(List.of("yes"), reader.payloads());
        assertFalse(reader.closed);
        assertEquals(1, broker.shards().subscriptions().routes());
        assertEquals(2, broker.denials.size());
        assertTrue(broker.denials.contains("subscription to t " + ReasonCode.NOT_AUTHORIZED), broker.denials::toString);
    }

    @Test
    void subscription_thatHasEnded_isNotBackAfterARestart() {
        scene.reader(3600, "t", "u");
        scene.may("reader", DeniedTopics.subscribing("t"));

        broker.crash();

        assertEquals(1, broker.shards().subscriptions().routes());
    }

    @Test
    void subscriptionOfOneWhoIsAway_endsWhenItComesBackWithoutTheRight() {
        scene.reader(3600, "t", "u").goes();
        scene.may("reader", DeniedTopics.subscribing("t"));
        ScriptedClient writer = scene.client("writer", 0);
        writer.publish("u", 1, "yes", Qos.AT_LEAST_ONCE);

        ScriptedClient back = scene.client("reader", 3600);
        writer.publish("t", 2, "no", Qos.AT_LEAST_ONCE);

        assertTrue(back.connAck().sessionPresent());
        assertEquals(List.of("yes"), back.payloads());
        assertEquals(1, broker.shards().subscriptions().routes());
    }

    @Test
    void subscriptionOfOneWhoIsAway_staysIfTheRightComesBackBeforeIt() {
        scene.reader(3600, "t").goes();
        scene.may("reader", DeniedTopics.subscribing("t"));
        scene.may("reader", Rights.ALL);
        scene.client("writer", 0).publish("t", 1, "yes", Qos.AT_LEAST_ONCE);

        assertEquals(List.of("yes"), scene.client("reader", 3600).payloads());
    }

    // ---- reviews that take more than a turn

    private static final int MANY = 1000;

    private static String[] many() {
        return IntStream.range(0, MANY).mapToObj(i -> "m/" + i).toArray(String[]::new);
    }

    /** Has a turn for each subscription, and is asked at a moment when only a few have been looked at. */
    private ScriptedClient underReview(long expirySeconds, Rights now, String... others) {
        String[] filters = Stream.concat(Stream.of(others), Stream.of(many())).toArray(String[]::new);
        ScriptedClient reader = scene.reader(expirySeconds, filters);
        scene.rights.put("reader", now);
        broker.startReview();
        broker.loops.runTasks(20);
        assertTrue(ShardsProbe.reviews(broker.shards()) > 0, "the review is over already");
        return reader;
    }

    @ParameterizedTest
    @EnumSource(Qos.class)
    void whileAReviewIsUnderWay_nothingComesThatTheNewRightsDeny(Qos qos) {
        broker.reviewedAtOnce = 1;
        ScriptedClient writer = scene.client("writer", 0);
        ScriptedClient reader = underReview(0, DeniedTopics.receiving("m/500", "m/999", "m/1"));

        for (int i : new int[] {1, 2, 500, 501, 999, 0}) {
            writer.saysAtOnce(new Publish(
                    RightsScene.message("m/" + i, "" + i, qos), qos == Qos.AT_MOST_ONCE ? 0 : i + 1, false));
        }
        assertTrue(ShardsProbe.reviews(broker.shards()) > 0, "the review is over already");
        broker.loops.runFor(10);

        assertEquals(List.of("2", "501", "0"), reader.payloads());
        assertEquals(0, ShardsProbe.reviews(broker.shards()));
    }

    @Test
    void whileAReviewIsUnderWay_nothingComesByASubscriptionThatTheNewRightsRefuse() {
        broker.reviewedAtOnce = 1;
        ScriptedClient writer = scene.client("writer", 0);
        ScriptedClient reader = underReview(
                0, DeniedTopics.subscribing("m/1", "m/500", "m/999", "$share/g/s", "s"), "$share/g/s", "+/500", "+/7");

        for (int i : new int[] {1, 7, 500, 999}) {
            writer.saysAtOnce(new Publish(RightsScene.message("m/" + i, "" + i, Qos.AT_LEAST_ONCE), i, false));
        }
        writer.saysAtOnce(new Publish(RightsScene.message("s", "lent", Qos.AT_LEAST_ONCE), 2000, false));
        assertTrue(ShardsProbe.reviews(broker.shards()) > 0, "the review is over already");
        broker.loops.runFor(10);

        assertEquals(List.of("7", "500"), reader.payloads());
        assertEquals(3, broker.denials.stream().filter(d -> d.contains(" m/")).count());
        assertEquals(MANY - 1, broker.shards().subscriptions().routes());
    }

    @Test
    void whileAReviewIsUnderWay_noRetainedMessageLeaves_andAllThatMayDoAfterIt() {
        broker.reviewedAtOnce = 1;
        broker.maxInflight = 1;
        ScriptedClient writer = scene.client("writer", 0);
        writer.retain("m/500", "no");
        writer.retain("m/501", "yes");
        ScriptedClient reader = scene.reader(0, many());
        reader.says(RightsScene.subscribe(Qos.AT_LEAST_ONCE, "m/#"));
        scene.rights.put("reader", DeniedTopics.subscribing("m/500", "m/#"));
        broker.startReview();
        broker.loops.runTasks(20);
        int before = reader.payloads().size();
        reader.takeAllAtOnce();
        assertEquals(before, reader.payloads().size());
        broker.loops.runFor(10);
        reader.takeAll();

        assertFalse(reader.payloads().subList(before, reader.payloads().size()).contains("no"));
    }

    @Test
    void reviewOfMany_leavesNobodyOut_andEndsWhenAllAreSettled() {
        broker.reviewedAtOnce = 3;
        for (int i = 0; i < 30; i++) {
            ScriptedClient each = scene.client("c" + i, i % 2 * 3600);
            each.says(RightsScene.subscribe(Qos.AT_LEAST_ONCE, "a", "b", "c/" + i, "$share/g/a"));
            scene.rights.put("c" + i, DeniedTopics.subscribing("a", "c/" + i));
        }
        boolean[] seen = {false};
        broker.shards()
                .shard(0)
                .loop()
                .execute(() -> broker.shards()
                        .shard(0)
                        .reviews()
                        .all(() -> seen[0] = ShardsProbe.reviews(broker.shards()) == 0
                                && broker.shards().subscriptions().routes() == 1));
        broker.loops.runFor(10);

        assertTrue(seen[0]);
        assertEquals(90, broker.denials.size());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void manySubscriptions_areLookedAtAFewInATask(boolean comesBack) {
        broker.reviewedAtOnce = 50;
        scene.rights.put("reader", new Counted(1));
        ScriptedClient reader = scene.reader(3600, many());
        scene.rights.put("reader", new Counted(2));
        int began = Counted.asked;
        int most = 0;
        if (comesBack) {
            reader.goes();
            ScriptedClient.begins(broker, "reader", 3600);
        } else {
            broker.startReview();
        }
        do {
            int before = Counted.asked;
            broker.loops.runTasks(1);
            most = Math.max(most, Counted.asked - before);
        } while (Counted.asked < began + 2 * MANY);

        assertTrue(most <= 2 * 2 * 58, "asked " + most + " times in one task");
        broker.loops.runFor(10);
        assertEquals(0, ShardsProbe.reviews(broker.shards()));
    }

    @Test
    void clientThatComesBackWithTheSameRights_isNotLookedAtAgain() {
        scene.rights.put("reader", new Counted(1));
        scene.reader(3600, many()).goes();
        int asked = Counted.asked;
        scene.client("reader", 3600).goes();
        assertEquals(asked, Counted.asked);

        scene.may("reader", DeniedTopics.subscribing("m/1"));
        scene.client("reader", 3600);
        assertEquals(MANY - 1, broker.shards().subscriptions().routes());
    }

    /** Counts what is asked about filters. */
    private record Counted(int version) implements Rights {
        private static int asked;

        @Override
        public @Nullable String refusesPublish(TopicName topic, Qos qos, boolean retain) {
            return null;
        }

        @Override
        public @Nullable String refusesSubscribe(TopicFilter filter, Qos qos) {
            asked++;
            return null;
        }

        @Override
        public boolean receivesAllOf(TopicFilter filter) {
            asked++;
            return true;
        }

        @Override
        public boolean receivesAll() {
            return true;
        }

        @Override
        public boolean mayReceive(TopicName topic) {
            return true;
        }
    }

    // ---- delivery

    @ParameterizedTest
    @EnumSource(Qos.class)
    void liveMessage_thatItMayNotGet_isNotForIt(Qos qos) {
        scene.rights.put("reader", DeniedTopics.receiving("a/secret"));
        ScriptedClient reader = scene.reader(0, "a/+", "a/#", "a/secret");
        ScriptedClient writer = scene.client("writer", 0);

        writer.publish("a/secret", 1, "no", qos);
        writer.publish("a/open", 2, "yes", qos);

        assertEquals(List.of("yes"), reader.payloads());
        assertEquals(List.of(), broker.drops);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 3600})
    void liveMessage_isNotDelivered_afterTheRightIsGone(long expirySeconds) {
        ScriptedClient reader = scene.reader(expirySeconds, "a/#");
        ScriptedClient writer = scene.client("writer", 0);
        writer.publish("a/secret", 1, "before", Qos.AT_LEAST_ONCE);

        scene.may("reader", DeniedTopics.receiving("a/secret"));
        writer.publish("a/secret", 2, "after", Qos.AT_LEAST_ONCE);
        writer.publish("a/open", 3, "yes", Qos.AT_LEAST_ONCE);
        scene.may("reader", Rights.ALL);
        writer.publish("a/secret", 4, "again", Qos.AT_LEAST_ONCE);

        assertEquals(List.of("before", "yes", "again"), reader.payloads());
    }

    @Test
    void retainedMessage_thatItMayNotGet_isLeftOut() {
        ScriptedClient writer = scene.client("writer", 0);
        writer.retain("a/secret", "no");
        writer.retain("a/open", "yes");
        scene.rights.put("reader", DeniedTopics.receiving("a/secret"));

        assertEquals(List.of("yes"), scene.reader(0, "a/#").payloads());
        assertEquals(List.of("yes"), scene.reader(3600, "a/#").payloads());
    }

    @Test
    void queuedMessage_isNotDelivered_afterTheRightIsGone() {
        ScriptedClient gone = scene.reader(3600, "a/#");
        gone.goes();
        ScriptedClient writer = scene.client("writer", 0);
        writer.publish("a/secret", 1, "no", Qos.AT_LEAST_ONCE);
        writer.publish("a/open", 2, "yes", Qos.AT_LEAST_ONCE);
        writer.publish("a/secret", 3, "no", Qos.EXACTLY_ONCE);

        scene.may("reader", DeniedTopics.receiving("a/secret"));

        ScriptedClient back = scene.client("reader", 3600);
        back.takeAll();

        assertEquals(List.of("yes"), back.payloads());
        assertEquals(List.of("reader a/secret right-lost", "reader a/secret right-lost"), broker.drops);
        assertEquals(0, scene.stillStored());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 3600})
    void queuedMessageOfOneWhoIsThere_isNotDelivered_afterTheRightIsGone(long expirySeconds) {
        broker.maxInflight = 1;
        ScriptedClient reader = scene.reader(expirySeconds, "a/#");
        ScriptedClient writer = scene.client("writer", 0);
        writer.publish("a/open", 1, "first", Qos.AT_LEAST_ONCE);
        writer.publish("a/secret", 2, "no", Qos.AT_LEAST_ONCE);
        writer.publish("a/open", 3, "second", Qos.AT_LEAST_ONCE);

        scene.may("reader", DeniedTopics.receiving("a/secret"));
        reader.takeAll();

        assertEquals(List.of("first", "second"), reader.payloads());
        assertEquals(List.of("reader a/secret right-lost"), broker.drops);
    }

    @Test
    void messageOnItsWayThroughTheStore_isNotDelivered_afterTheRightIsGone() {
        ScriptedClient reader = scene.reader(3600, "a/#");
        ScriptedClient writer = scene.client("writer", 0);
        broker.store.holds = true;
        writer.publish("a/secret", 1, "no", Qos.AT_LEAST_ONCE);

        scene.may("reader", DeniedTopics.receiving("a/secret"));
        broker.store.holds = false;
        broker.store.releaseFirst();
        broker.loops.runFor(10);

        assertEquals(List.of(), reader.payloads());
        assertEquals(List.of(1), writer.acks(PacketType.PUBACK));
        assertEquals(List.of("reader a/secret right-lost"), broker.drops);
    }

    @Test
    void messageThatWasBegun_isNotSentAgain_afterTheRightIsGone() {
        ScriptedClient before = scene.reader(3600, "a/#");
        ScriptedClient writer = scene.client("writer", 0);
        writer.publish("a/secret", 1, "no", Qos.AT_LEAST_ONCE);
        writer.publish("a/secret", 2, "neither", Qos.EXACTLY_ONCE);
        writer.publish("a/open", 3, "yes", Qos.AT_LEAST_ONCE);
        assertEquals(3, before.payloads().size());
        before.goes();

        scene.rights.put("reader", DeniedTopics.receiving("a/secret"));
        ScriptedClient again = scene.client("reader", 3600);
        again.takeAll();

        assertEquals(List.of("yes"), again.payloads());
        assertEquals(1, again.acks(PacketType.PUBREL).size(), "the client lets go of what it may have");
        again.says(new Ack(PacketType.PUBCOMP, again.acks(PacketType.PUBREL).get(0)));
        broker.loops.runFor(200);
        assertEquals(0, scene.stillStored());
    }

    @Test
    void messageThatMayHaveBeenBegunBeforeARestart_isEndedByPubRel() {
        ScriptedClient before = scene.reader(3600, "a/#");
        scene.client("writer", 0).publish("a/secret", 1, "no", Qos.EXACTLY_ONCE);
        assertEquals(1, before.payloads().size());
        scene.rights.put("reader", DeniedTopics.receiving("a/secret"));
        broker.crash();

        ScriptedClient again = scene.client("reader", 3600);

        assertEquals(List.of(), again.payloads());
        assertEquals(before.ids(), again.acks(PacketType.PUBREL));
        again.says(new Ack(PacketType.PUBCOMP, before.ids().get(0)));
        assertEquals(List.of("reader a/secret right-lost"), broker.drops);
        assertEquals(0, scene.stillStored());
    }

    @Test
    void afterARestart_whatIsQueuedIsDecidedOnWhenItsClientComes() {
        scene.reader(3600, "a/#").goes();
        scene.client("writer", 0).publish("a/secret", 1, "no", Qos.AT_LEAST_ONCE);
        scene.rights.put("reader", DeniedTopics.receiving("a/secret"));
        scene.afterRestart = DeniedTopics.receiving(DeniedTopics.ALL);
        broker.crash();
        broker.review();
        scene.client("writer", 0).publish("a/open", 1, "yes", Qos.AT_LEAST_ONCE);

        assertEquals(List.of("yes"), scene.client("reader", 3600).payloads());
    }

    // ---- accounts

    /** Accounts by client identifier that may not come or stay; AUTH says who one is and for how long: "ann 1000". */
    private final class Accounts implements Authenticator {
        private @Nullable String gone;

        @Override
        public CompletionStage<Answer> authenticate(Credentials credentials) {
            return CompletableFuture.completedFuture(
                    new Answer.Accepted(Identity.of(credentials.clientId(), "accounts"), null));
        }

        @Override
        public Exchange exchange(String method, Credentials credentials) {
            return data -> {
                String[] words = new String(data == null ? new byte[0] : data, StandardCharsets.UTF_8).split(" ");
                Identity identity = new Identity(words[0], "accounts", null, Long.parseLong(words[1]));
                return CompletableFuture.completedFuture(new Answer.Accepted(identity, null));
            };
        }

        @Override
        public @Nullable String review(Identity identity) {
            return identity.source().equals("accounts")
                            && identity.userName() != null
                            && identity.userName().equals(gone)
                    ? "the account is gone"
                    : null;
        }
    }

    @Test
    void lostAccount_endsTheConnection_andNoOther() {
        Accounts accounts = new Accounts();
        broker.authenticator = accounts;
        ScriptedClient ann = scene.client("ann", 0);
        ScriptedClient ben = scene.client("ben", 0);

        accounts.gone = "ann";
        broker.review();

        assertTrue(ann.closed);
        assertEquals(
                ReasonCode.ADMINISTRATIVE_ACTION, ann.only(Disconnect.class).reason());
        assertEquals("the account is gone", ann.only(Disconnect.class).reasonString());
        assertFalse(ben.closed);
    }

    @Test
    void accountLostWhileItConnects_isNotLetIn() {
        Accounts accounts = new Accounts();
        accounts.gone = "ann"; // after the answer, before the session
        broker.authenticator = accounts;

        ScriptedClient ann = scene.client("ann", 0);

        assertEquals(ReasonCode.NOT_AUTHORIZED, ann.only(ConnAck.class).reason());
        assertTrue(ann.closed);
    }

    @Test
    void accountLostWhileItsSessionIsStored_isNotLetIn() {
        Accounts accounts = new Accounts();
        broker.authenticator = accounts;
        broker.store.holds = true;
        ScriptedClient ann = scene.client("ann", 3600);

        accounts.gone = "ann";
        broker.review();
        broker.store.holds = false;
        broker.store.release(null);
        broker.loops.runFor(10);

        assertEquals(ReasonCode.NOT_AUTHORIZED, ann.only(ConnAck.class).reason());
        assertTrue(ann.closed);
    }

    private ScriptedClient enhanced(String words) {
        ScriptedClient client = new ScriptedClient(
                broker,
                Connect.builder(ProtocolVersion.MQTT_5, "token")
                        .authentication("JWT", words.getBytes(StandardCharsets.UTF_8))
                        .build());
        broker.loops.runFor(1);
        return client;
    }

    private static Auth again(String words) {
        return new Auth(ReasonCode.RE_AUTHENTICATE, "JWT", words.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void credentialsThatEnd_endTheConnection() {
        broker.authenticator = new Accounts();
        ScriptedClient token = enhanced("ann 1000");

        broker.loops.runFor(900);
        assertFalse(token.closed);
        broker.loops.runFor(200);

        assertTrue(token.closed);
        assertEquals(
                ReasonCode.MAXIMUM_CONNECT_TIME, token.only(Disconnect.class).reason());
    }

    @Test
    void credentialsThatAreRenewed_keepTheConnection() {
        broker.authenticator = new Accounts();
        ScriptedClient token = enhanced("ann 1000");

        broker.loops.runFor(900);
        token.says(again("ann 5000"));
        broker.loops.runFor(4000);

        assertFalse(token.closed);
        broker.loops.runFor(1500);
        assertTrue(token.closed);
    }

    @Test
    void renewalThatIsDecidedAfterItsConnection_changesNothing() {
        CompletableFuture<Authenticator.Answer> late = new CompletableFuture<>();
        Accounts accounts = new Accounts();
        broker.authenticator = new Authenticator() {
            @Override
            public CompletionStage<Answer> authenticate(Credentials credentials) {
                return accounts.authenticate(credentials);
            }

            @Override
            public Exchange exchange(String method, Credentials credentials) {
                Exchange now = accounts.exchange(method, credentials);
                return data -> new String(data == null ? new byte[0] : data, StandardCharsets.UTF_8).startsWith("late")
                        ? late
                        : now.step(data);
            }
        };
        ScriptedClient token = enhanced("token 100000");
        token.says(again("late"));
        ScriptedClient next = new ScriptedClient(broker, ProtocolVersion.MQTT_5, "token", 10, 0);
        assertTrue(token.closed);
        int asked = scene.rightsAsked;

        late.complete(new Authenticator.Answer.Accepted(Authenticator.Identity.of("token", "accounts"), null));
        broker.loops.runFor(10);

        assertEquals(asked, scene.rightsAsked);
        assertFalse(next.closed);
    }

    @Test
    void renewalAsAnotherUser_endsTheConnection() {
        broker.authenticator = new Accounts();
        ScriptedClient token = enhanced("ann 1000");

        token.says(again("ben 5000"));

        assertTrue(token.closed);
        assertEquals(ReasonCode.NOT_AUTHORIZED, token.only(Disconnect.class).reason());
    }
}
