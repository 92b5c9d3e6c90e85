package org.dunlin.core.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.dunlin.core.session.Session;
import org.dunlin.core.session.ShardsProbe;
import org.dunlin.core.spi.Authenticator;
import org.dunlin.core.spi.Authorizer;
import org.dunlin.core.spi.Rights;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Message;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.TopicName;
import org.dunlin.mqtt.Will;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The test's thread only. What is published later is decided on when it is due: wills, and delayed messages. */
class LaterRightsTest {
    private final RightsScene scene = new RightsScene();
    private final ScriptedBroker broker = scene.broker;

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
        scene.rights.put("mortal", DeniedTopics.publishing("t"));

        ScriptedClient mortal = withWill(0);

        assertEquals(ReasonCode.NOT_AUTHORIZED, mortal.only(ConnAck.class).reason());
        assertTrue(mortal.closed);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 3600})
    void will_isNotPublished_afterTheRightIsGone(long expirySeconds) {
        ScriptedClient reader = scene.reader(0, "t");
        ScriptedClient mortal = withWill(expirySeconds);

        scene.may("mortal", DeniedTopics.publishing("t"));
        mortal.goes();

        assertEquals(List.of(), reader.payloads());
        assertEquals(List.of("mortal t right-lost"), broker.drops);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 3600})
    void will_isNotPublished_afterTheRightIsGone_withTheProcess(long expirySeconds) {
        scene.reader(3600, "t");
        withWill(expirySeconds);
        scene.rights.put("mortal", DeniedTopics.publishing("t"));

        broker.crash();
        broker.loops.runFor(10);

        assertEquals(List.of(), scene.client("reader", 3600).payloads());
        assertEquals(List.of("mortal t right-lost"), broker.drops);
    }

    // ---- wills of clients that have proven themselves with a token

    /** What a token says: topics that its client may publish to. */
    private record Token(String topic) implements Authorizer.Claims {}

    /** Rights as a broker that takes tokens has them: a file that denies topics, and tokens that allow some. */
    private static final class TokensAndDenials implements Authorizer {
        private final Set<String> denied = new HashSet<>();

        @Override
        public Rights rights(Client client) {
            return client.claims() instanceof Token token ? except(token.topic) : DeniedTopics.publishing("*");
        }

        @Override
        public Rights restored(String clientId, @Nullable String userName) {
            return except("t");
        }

        private Rights except(String allowed) {
            return DeniedTopics.publishing(denied.contains(allowed) || !allowed.equals("t") ? "t" : "nothing");
        }
    }

    private final TokensAndDenials tokens = new TokensAndDenials();

    /** Its token lasts a second, and its will is due five seconds after its connection. */
    private ScriptedClient withTokenAndWill(long delaySeconds) {
        broker.authorizer = tokens;
        broker.authenticator = credentials -> {
            boolean mortal = credentials.clientId().equals("mortal");
            return CompletableFuture.completedFuture(new Authenticator.Answer.Accepted(
                    new Authenticator.Identity(
                            null,
                            "tokens",
                            mortal ? new Token("t") : null,
                            mortal ? 1000 : Authenticator.Identity.WITHOUT_END),
                    null));
        };
        scene.reader(3600, "t");
        return new ScriptedClient(
                broker,
                ProtocolVersion.MQTT_5,
                "mortal",
                10,
                3600,
                new Will(
                        TopicName.of("t"),
                        "will".getBytes(StandardCharsets.UTF_8),
                        Qos.AT_LEAST_ONCE,
                        false,
                        Message.NO_BYTES,
                        -1,
                        delaySeconds));
    }

    private List<String> readOf() {
        return scene.client("reader", 3600).payloads();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 5})
    void willOfATokenThatHasEnded_goesOutByWhatTheTokenAllowed(long delaySeconds) {
        ScriptedClient mortal = withTokenAndWill(delaySeconds);

        broker.loops.runFor(1500);
        assertTrue(mortal.closed);
        broker.loops.runFor(5000);

        assertEquals(List.of("will"), readOf());
    }

    @Test
    void willOfATokenThatHasEnded_isKeptBackByADenialOfNow() {
        withTokenAndWill(5);
        broker.loops.runFor(1500);

        tokens.denied.add("t");
        broker.review();
        broker.loops.runFor(5000);

        assertEquals(List.of(), readOf());
        assertEquals(List.of("mortal t right-lost"), broker.drops);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void willOfAToken_afterARestart_isKeptBackByADenialAlone(boolean deniedMeanwhile) {
        withTokenAndWill(5);
        broker.loops.runFor(500);
        broker.crash();
        if (deniedMeanwhile) {
            tokens.denied.add("t");
            broker.review();
        }

        broker.loops.runFor(7000);

        assertEquals(deniedMeanwhile ? List.of() : List.of("will"), readOf());
        assertEquals(deniedMeanwhile ? List.of("mortal t right-lost") : List.of(), broker.drops);
    }

    /** A token that allows less takes the place of the one that announced it. */
    @Test
    void willOfATokenThatWasReplaced_goesOutByWhatTheNewOneAllows() {
        withTokenAndWill(0);
        Session session = ShardsProbe.session(broker.shards(), "mortal");
        broker.loops.runNow(
                broker.loop,
                () -> session.shard()
                        .reviews()
                        .reauthorize(session, new Authorizer.Client("mortal", null, new Token("u"))));

        broker.loops.runFor(1500);

        assertEquals(List.of(), readOf());
        assertEquals(List.of("mortal t right-lost"), broker.drops);
    }

    // ---- delayed messages

    @Test
    void delayedMessage_isRefusedByTheTopicThatItIsFor() {
        scene.rights.put("writer", DeniedTopics.publishing("t"));
        ScriptedClient writer = scene.client("writer", 0);

        writer.publish("$delayed/1/t", 1, "no", Qos.AT_LEAST_ONCE);

        assertEquals(
                ReasonCode.NOT_AUTHORIZED, writer.lastAck(PacketType.PUBACK).reason());
    }

    @ParameterizedTest
    @EnumSource(Qos.class)
    void delayedMessage_isNotPublished_afterTheRightIsGone(Qos qos) {
        ScriptedClient reader = scene.reader(0, "#");
        ScriptedClient writer = scene.client("writer", 0);
        writer.publish("$delayed/5/t", 1, "no", qos);
        writer.publish("$delayed/5/u", 2, "yes", qos);
        writer.goes();

        scene.may("writer", DeniedTopics.publishing("t"));
        broker.loops.runFor(6000);

        assertEquals(List.of("yes"), reader.payloads());
        assertEquals(List.of("writer t right-lost"), broker.drops);
        broker.loops.runFor(2000);
        assertEquals(0, delayedAfterARestart());
    }

    private int delayedAfterARestart() {
        broker.crash();
        return ShardsProbe.delayed(broker.shards());
    }

    @Test
    void delayedMessage_isPublished_whenTheRightIsBackInTime() {
        ScriptedClient reader = scene.reader(0, "#");
        ScriptedClient writer = scene.client("writer", 0);
        writer.publish("$delayed/5/t", 1, "yes", Qos.AT_LEAST_ONCE);

        scene.may("writer", DeniedTopics.publishing("t"));
        scene.may("writer", Rights.ALL);
        broker.loops.runFor(6000);

        assertEquals(List.of("yes"), reader.payloads());
    }

    /** By the rights of whoever has published it, not of whoever has its client identifier now. */
    @Test
    void delayedMessage_isAskedAboutWithThePublisherThatItHad() {
        List<Authorizer.Client> asked = new ArrayList<>();
        broker.authorizer = client -> {
            asked.add(client);
            return Rights.ALL;
        };
        broker.authenticator = credentials ->
                CompletableFuture.completedFuture(Authenticator.Answer.Accepted.as(credentials.userName()));
        ScriptedClient ann = user("ann");
        ann.publish("$delayed/5/t", 1, "yes", Qos.AT_LEAST_ONCE);
        ann.goes();
        user("ben");
        asked.clear();

        broker.loops.runFor(6000);

        assertEquals(
                List.of("ann"), asked.stream().map(Authorizer.Client::userName).toList());
    }

    private ScriptedClient user(String name) {
        return new ScriptedClient(
                broker,
                Connect.builder(ProtocolVersion.MQTT_5, "meter")
                        .userName(name)
                        .cleanStart(true)
                        .build());
    }

    @Test
    void delayedMessage_isNotPublished_afterARestart_ifThePublisherIsKnownAndHasLostTheRight() {
        scene.reader(3600, "#");
        scene.client("writer", 3600).publish("$delayed/5/t", 1, "no", Qos.AT_LEAST_ONCE);
        scene.client("nobody", 0).publish("$delayed/5/t", 1, "unknown", Qos.AT_LEAST_ONCE);
        broker.loops.runFor(200);
        scene.rights.put("writer", DeniedTopics.publishing("t"));
        scene.rights.put("nobody", DeniedTopics.publishing("t"));
        broker.crash();

        broker.loops.runFor(6000);

        assertEquals(List.of("unknown"), scene.client("reader", 3600).payloads());
        assertEquals(List.of("writer t right-lost"), broker.drops);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 3600})
    void delayedMessage_doesNotReachWhoHasLostTheRightMeanwhile(long expirySeconds) {
        ScriptedClient reader = scene.reader(expirySeconds, "#");
        scene.client("writer", 0).publish("$delayed/5/t", 1, "no", Qos.AT_LEAST_ONCE);

        scene.may("reader", DeniedTopics.receiving("t"));
        broker.loops.runFor(6000);

        assertEquals(List.of(), reader.payloads());
    }
}
