package org.dunlin.core.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.dunlin.core.session.ShardsProbe;
import org.dunlin.core.spi.Authenticator;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Auth;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Disconnect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Subscribe;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Will;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The test's thread only. What a client may not do does not happen, and what it may not get does not reach it. */
class RightsTest {
    private final ScriptedBroker broker = new ScriptedBroker();
    private final Map<String, Rights> rights = new HashMap<>();
    private int rightsAsked;
    /** What is said of a session that has come back from the store, if it is something else. */
    private @Nullable Rights afterRestart;

    RightsTest() {
        broker.authorizer = new Authorizer() {
            @Override
            public Rights rights(Client client) {
                rightsAsked++;
                return rights.getOrDefault(client.clientId(), Rights.ALL);
            }

            @Override
            public Rights restored(String clientId, @Nullable String userName) {
                Rights said = afterRestart;
                return said != null ? said : rights.getOrDefault(clientId, Rights.ALL);
            }
        };
    }

    private ScriptedClient client(String id, long expirySeconds) {
        return new ScriptedClient(broker, ProtocolVersion.MQTT_5, id, 10, expirySeconds);
    }

    private ScriptedClient reader(long expirySeconds, String... filters) {
        ScriptedClient reader = client("reader", expirySeconds);
        reader.says(subscribe(Qos.EXACTLY_ONCE, filters));
        return reader;
    }

    private static Subscribe subscribe(Qos qos, String... filters) {
        return new Subscribe(
                7,
                0,
                List.of(filters).stream()
                        .map(filter -> new Subscribe.Entry(filter, qos))
                        .toList(),
                List.of());
    }

    private void may(String clientId, Rights now) {
        rights.put(clientId, now);
        broker.review();
    }

    /** Messages that the store would bring back. */
    private long stillStored() {
        broker.loops.runFor(200);
        broker.crash();
        return ShardsProbe.waitingInGroups(broker.shards())
                + ShardsProbe.sessions(broker.shards()).stream()
                        .mapToLong(ShardsProbe.Figures::queued)
                        .sum();
    }

    // ---- publish

    @ParameterizedTest
    @EnumSource(Qos.class)
    void publish_withoutTheRight_reachesNobody_andV5IsTold(Qos qos) {
        ScriptedClient reader = reader(0, "#");
        rights.put("writer", DeniedTopics.publishing("t"));
        ScriptedClient writer = client("writer", 0);

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
        rights.put("old", DeniedTopics.publishing("t"));
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
        ScriptedClient reader = reader(0, "#");
        ScriptedClient writer = client("writer", 0);
        writer.publish("t", 1, "before", Qos.AT_LEAST_ONCE);

        may("writer", DeniedTopics.publishing("t"));
        writer.publish("t", 2, "after", Qos.AT_LEAST_ONCE);

        assertEquals(List.of("before"), reader.payloads());
        assertEquals(
                ReasonCode.NOT_AUTHORIZED, writer.lastAck(PacketType.PUBACK).reason());
    }

    @Test
    void delayedMessage_isRefusedByTheTopicThatItIsFor() {
        rights.put("writer", DeniedTopics.publishing("t"));
        ScriptedClient writer = client("writer", 0);

        writer.publish("$delayed/1/t", 1, "no", Qos.AT_LEAST_ONCE);

        assertEquals(
                ReasonCode.NOT_AUTHORIZED, writer.lastAck(PacketType.PUBACK).reason());
    }

    // ---- subscribe

    @Test
    void subscribe_withoutTheRight_isRefused_othersOfThePacketAreNot() {
        rights.put("reader", DeniedTopics.subscribing("t"));

        ScriptedClient reader = reader(0, "t", "u", "$share/g/t");
        client("writer", 0).publish("t", 1, "no", Qos.AT_LEAST_ONCE);

        assertEquals(
                List.of(ReasonCode.NOT_AUTHORIZED, ReasonCode.GRANTED_QOS_2, ReasonCode.NOT_AUTHORIZED),
                reader.subAck().reasons());
        assertEquals(List.of(), reader.payloads());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 3600})
    void subscription_ends_whenTheRightIsGone(long expirySeconds) {
        ScriptedClient reader = reader(expirySeconds, "t", "u", "$share/g/t");
        ScriptedClient writer = client("writer", 0);

        may("reader", DeniedTopics.subscribing("t"));
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
        reader(3600, "t", "u");
        may("reader", DeniedTopics.subscribing("t"));

        broker.crash();

        assertEquals(1, broker.shards().subscriptions().routes());
    }

    @Test
    void subscriptionOfOneWhoIsAway_endsWhenItComesBackWithoutTheRight() {
        reader(3600, "t", "u").goes();
        may("reader", DeniedTopics.subscribing("t"));
        ScriptedClient writer = client("writer", 0);
        writer.publish("u", 1, "yes", Qos.AT_LEAST_ONCE);

        ScriptedClient back = client("reader", 3600);
        writer.publish("t", 2, "no", Qos.AT_LEAST_ONCE);

        assertTrue(back.connAck().sessionPresent());
        assertEquals(List.of("yes"), back.payloads());
        assertEquals(1, broker.shards().subscriptions().routes());
    }

    @Test
    void subscriptionOfOneWhoIsAway_staysIfTheRightComesBackBeforeIt() {
        reader(3600, "t").goes();
        may("reader", DeniedTopics.subscribing("t"));
        may("reader", Rights.ALL);
        client("writer", 0).publish("t", 1, "yes", Qos.AT_LEAST_ONCE);

        assertEquals(List.of("yes"), client("reader", 3600).payloads());
    }

    // ---- delivery

    @ParameterizedTest
    @EnumSource(Qos.class)
    void liveMessage_thatItMayNotGet_isNotForIt(Qos qos) {
        rights.put("reader", DeniedTopics.receiving("a/secret"));
        ScriptedClient reader = reader(0, "a/+", "a/#", "a/secret");
        ScriptedClient writer = client("writer", 0);

        writer.publish("a/secret", 1, "no", qos);
        writer.publish("a/open", 2, "yes", qos);

        assertEquals(List.of("yes"), reader.payloads());
        assertEquals(List.of(), broker.drops);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 3600})
    void liveMessage_isNotDelivered_afterTheRightIsGone(long expirySeconds) {
        ScriptedClient reader = reader(expirySeconds, "a/#");
        ScriptedClient writer = client("writer", 0);
        writer.publish("a/secret", 1, "before", Qos.AT_LEAST_ONCE);

        may("reader", DeniedTopics.receiving("a/secret"));
        writer.publish("a/secret", 2, "after", Qos.AT_LEAST_ONCE);
        writer.publish("a/open", 3, "yes", Qos.AT_LEAST_ONCE);
        may("reader", Rights.ALL);
        writer.publish("a/secret", 4, "again", Qos.AT_LEAST_ONCE);

        assertEquals(List.of("before", "yes", "again"), reader.payloads());
    }

    @Test
    void retainedMessage_thatItMayNotGet_isLeftOut() {
        ScriptedClient writer = client("writer", 0);
        writer.retain("a/secret", "no");
        writer.retain("a/open", "yes");
        rights.put("reader", DeniedTopics.receiving("a/secret"));

        assertEquals(List.of("yes"), reader(0, "a/#").payloads());
        assertEquals(List.of("yes"), reader(3600, "a/#").payloads());
    }

    @Test
    void queuedMessage_isNotDelivered_afterTheRightIsGone() {
        ScriptedClient gone = reader(3600, "a/#");
        gone.goes();
        ScriptedClient writer = client("writer", 0);
        writer.publish("a/secret", 1, "no", Qos.AT_LEAST_ONCE);
        writer.publish("a/open", 2, "yes", Qos.AT_LEAST_ONCE);
        writer.publish("a/secret", 3, "no", Qos.EXACTLY_ONCE);

        may("reader", DeniedTopics.receiving("a/secret"));

        ScriptedClient back = client("reader", 3600);
        back.takeAll();

        assertEquals(List.of("yes"), back.payloads());
        assertEquals(List.of("reader a/secret right-lost", "reader a/secret right-lost"), broker.drops);
        assertEquals(0, stillStored());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 3600})
    void queuedMessageOfOneWhoIsThere_isNotDelivered_afterTheRightIsGone(long expirySeconds) {
        broker.maxInflight = 1;
        ScriptedClient reader = reader(expirySeconds, "a/#");
        ScriptedClient writer = client("writer", 0);
        writer.publish("a/open", 1, "first", Qos.AT_LEAST_ONCE);
        writer.publish("a/secret", 2, "no", Qos.AT_LEAST_ONCE);
        writer.publish("a/open", 3, "second", Qos.AT_LEAST_ONCE);

        may("reader", DeniedTopics.receiving("a/secret"));
        reader.takeAll();

        assertEquals(List.of("first", "second"), reader.payloads());
        assertEquals(List.of("reader a/secret right-lost"), broker.drops);
    }

    @Test
    void messageOnItsWayThroughTheStore_isNotDelivered_afterTheRightIsGone() {
        ScriptedClient reader = reader(3600, "a/#");
        ScriptedClient writer = client("writer", 0);
        broker.store.holds = true;
        writer.publish("a/secret", 1, "no", Qos.AT_LEAST_ONCE);

        may("reader", DeniedTopics.receiving("a/secret"));
        broker.store.holds = false;
        broker.store.releaseFirst();
        broker.loops.runFor(10);

        assertEquals(List.of(), reader.payloads());
        assertEquals(List.of(1), writer.acks(PacketType.PUBACK));
        assertEquals(List.of("reader a/secret right-lost"), broker.drops);
    }

    @Test
    void messageThatWasBegun_isNotSentAgain_afterTheRightIsGone() {
        ScriptedClient before = reader(3600, "a/#");
        ScriptedClient writer = client("writer", 0);
        writer.publish("a/secret", 1, "no", Qos.AT_LEAST_ONCE);
        writer.publish("a/secret", 2, "neither", Qos.EXACTLY_ONCE);
        writer.publish("a/open", 3, "yes", Qos.AT_LEAST_ONCE);
        assertEquals(3, before.payloads().size());
        before.goes();

        rights.put("reader", DeniedTopics.receiving("a/secret"));
        ScriptedClient again = client("reader", 3600);
        again.takeAll();

        assertEquals(List.of("yes"), again.payloads());
        assertEquals(1, again.acks(PacketType.PUBREL).size(), "the client lets go of what it may have");
        again.says(new Ack(PacketType.PUBCOMP, again.acks(PacketType.PUBREL).get(0)));
        broker.loops.runFor(200);
        assertEquals(0, stillStored());
    }

    @Test
    void messageThatMayHaveBeenBegunBeforeARestart_isEndedByPubRel() {
        ScriptedClient before = reader(3600, "a/#");
        client("writer", 0).publish("a/secret", 1, "no", Qos.EXACTLY_ONCE);
        assertEquals(1, before.payloads().size());
        rights.put("reader", DeniedTopics.receiving("a/secret"));
        broker.crash();

        ScriptedClient again = client("reader", 3600);

        assertEquals(List.of(), again.payloads());
        assertEquals(before.ids(), again.acks(PacketType.PUBREL));
        again.says(new Ack(PacketType.PUBCOMP, before.ids().get(0)));
        assertEquals(List.of("reader a/secret right-lost"), broker.drops);
        assertEquals(0, stillStored());
    }

    @Test
    void afterARestart_whatIsQueuedIsDecidedOnWhenItsClientComes() {
        reader(3600, "a/#").goes();
        client("writer", 0).publish("a/secret", 1, "no", Qos.AT_LEAST_ONCE);
        rights.put("reader", DeniedTopics.receiving("a/secret"));
        afterRestart = DeniedTopics.receiving(DeniedTopics.ALL);
        broker.crash();
        broker.review();
        client("writer", 0).publish("a/open", 1, "yes", Qos.AT_LEAST_ONCE);

        assertEquals(List.of("yes"), client("reader", 3600).payloads());
    }

    // ---- shared groups

    @ParameterizedTest
    @EnumSource(Qos.class)
    void groupMessage_goesToAMemberThatMayGetIt(Qos qos) {
        rights.put("blind", DeniedTopics.receiving("a/secret"));
        ScriptedClient blind = client("blind", 0);
        blind.says(subscribe(Qos.EXACTLY_ONCE, "$share/g/a/#"));
        ScriptedClient reader = reader(0, "$share/g/a/#");
        ScriptedClient writer = client("writer", 0);

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
        rights.put("reader", DeniedTopics.receiving("a/secret"));
        reader(3600, "$share/g/a/#");
        client("writer", 0).publish("a/secret", 1, "no", Qos.AT_LEAST_ONCE);
        broker.loops.runFor(200);

        assertEquals(List.of("$share/g/a/# a/secret right-lost"), broker.drops);
        assertEquals(0, stillStored());
    }

    @Test
    void groupMessages_thatTheOneWhoIsThereMayNotGet_waitForTheOther() {
        ScriptedClient away = reader(3600, "$share/g/a/#");
        away.goes();
        rights.put("blind", DeniedTopics.receiving("a/secret"));
        ScriptedClient blind = client("blind", 3600);
        blind.says(subscribe(Qos.AT_LEAST_ONCE, "$share/g/a/#"));
        ScriptedClient writer = client("writer", 0);
        for (int i = 1; i <= 200; i++) {
            writer.publish("a/secret", i, "m" + i, Qos.AT_LEAST_ONCE);
        }
        broker.loops.runFor(200);
        assertEquals(List.of(), broker.drops);

        ScriptedClient back = client("reader", 3600);
        back.takeAll();
        broker.loops.runFor(200);

        assertEquals(200, back.payloads().stream().distinct().count());
        assertEquals(List.of(), blind.payloads());
        assertEquals(List.of(), broker.drops);
    }

    @Test
    void groupMessage_lentAndWaiting_goesToAnother_whenTheRightIsGone() {
        broker.maxInflight = 1;
        ScriptedClient other = client("other", 0);
        ScriptedClient reader = reader(0, "a/open", "$share/g/a/secret");
        ScriptedClient writer = client("writer", 0);
        writer.publish("a/open", 1, "fills the window", Qos.AT_LEAST_ONCE);
        writer.publish("a/secret", 2, "waits", Qos.AT_LEAST_ONCE);
        other.says(subscribe(Qos.AT_LEAST_ONCE, "$share/g/a/secret"));

        may("reader", DeniedTopics.receiving("a/secret"));
        reader.takeAll();
        broker.loops.runFor(1);

        assertEquals(List.of("fills the window"), reader.payloads());
        assertEquals(List.of("waits"), other.payloads());
    }

    // ---- wills

    private ScriptedClient withWill(long expirySeconds) {
        Will will = new Will(
                TopicName.of("t"),
                "will".getBytes(StandardCharsets.UTF_8),
                Qos.AT_LEAST_ONCE,
                false,
                Message.NO_BYTES,
                -1,
                0);
        return new ScriptedClient(broker, ProtocolVersion.MQTT_5, "mortal", 10, expirySeconds, will);
    }

    @Test
    void will_withoutTheRight_refusesTheConnection() {
        rights.put("mortal", DeniedTopics.publishing("t"));

        ScriptedClient mortal = withWill(0);

        assertEquals(ReasonCode.NOT_AUTHORIZED, mortal.only(ConnAck.class).reason());
        assertTrue(mortal.closed);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 3600})
    void will_isNotPublished_afterTheRightIsGone(long expirySeconds) {
        ScriptedClient reader = reader(0, "t");
        ScriptedClient mortal = withWill(expirySeconds);

        may("mortal", DeniedTopics.publishing("t"));
        mortal.goes();

        assertEquals(List.of(), reader.payloads());
        assertEquals(List.of("mortal t right-lost"), broker.drops);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 3600})
    void will_isNotPublished_afterTheRightIsGone_withTheProcess(long expirySeconds) {
        reader(3600, "t");
        withWill(expirySeconds);
        rights.put("mortal", DeniedTopics.publishing("t"));

        broker.crash();
        broker.loops.runFor(10);

        assertEquals(List.of(), client("reader", 3600).payloads());
        assertEquals(List.of("mortal t right-lost"), broker.drops);
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
        ScriptedClient ann = client("ann", 0);
        ScriptedClient ben = client("ben", 0);

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

        ScriptedClient ann = client("ann", 0);

        assertEquals(ReasonCode.NOT_AUTHORIZED, ann.only(ConnAck.class).reason());
        assertTrue(ann.closed);
    }

    @Test
    void accountLostWhileItsSessionIsStored_isNotLetIn() {
        Accounts accounts = new Accounts();
        broker.authenticator = accounts;
        broker.store.holds = true;
        ScriptedClient ann = client("ann", 3600);

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
        int asked = rightsAsked;

        late.complete(new Authenticator.Answer.Accepted(Authenticator.Identity.of("token", "accounts"), null));
        broker.loops.runFor(10);

        assertEquals(asked, rightsAsked);
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
