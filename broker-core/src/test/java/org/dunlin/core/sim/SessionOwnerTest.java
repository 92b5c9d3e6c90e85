package org.dunlin.core.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.dunlin.core.limits.Fairness;
import org.dunlin.core.spi.Authenticator;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Subscribe;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The test's thread only. A session belongs to the user who made it (E063). */
class SessionOwnerTest {
    private final ScriptedBroker broker = new ScriptedBroker();
    /** Who the next client turns out to be. */
    private @Nullable String user = "anna";

    private boolean proven = true;

    SessionOwnerTest() {
        broker.authenticator = new Authenticator() {
            @Override
            public CompletionStage<Answer> authenticate(Credentials credentials) {
                return CompletableFuture.completedFuture(Answer.Accepted.as(user));
            }

            @Override
            public boolean provesUsers() {
                return proven;
            }
        };
    }

    private ScriptedClient comes(@Nullable String as) {
        return comes(as, ProtocolVersion.MQTT_5, 3600);
    }

    private ScriptedClient comes(@Nullable String as, ProtocolVersion version, long expirySeconds) {
        user = as;
        return new ScriptedClient(broker, version, "meter", 10, expirySeconds);
    }

    private static Subscribe subscribe() {
        return new Subscribe(7, 0, List.of(new Subscribe.Entry("t", Qos.AT_LEAST_ONCE)), List.of());
    }

    private static void assertRefused(ScriptedClient client) {
        ConnAck connAck = client.connAck();
        assertEquals(ReasonCode.CLIENT_IDENTIFIER_NOT_VALID, connAck.reason());
        assertTrue(client.closed);
    }

    @Test
    void connectedSession_ofAnotherUser_isNotTakenOver() {
        ScriptedClient anna = comes("anna");

        assertRefused(comes("berta"));

        assertFalse(anna.closed);
    }

    @Test
    void sessionWithoutConnection_ofAnotherUser_isNotResumed() {
        ScriptedClient anna = comes("anna");
        anna.says(subscribe());
        anna.goes();

        assertRefused(comes("berta"));

        ScriptedClient again = comes("anna");
        assertTrue(again.connAck().sessionPresent());
    }

    @Test
    void cleanSession_ofAnotherUser_doesNotEndIt() {
        comes("anna").goes();

        assertRefused(comes("berta", ProtocolVersion.MQTT_3_1_1, 0));

        assertTrue(comes("anna").connAck().sessionPresent());
    }

    @Test
    void session_ofAUser_isClosedToClientsWithoutOne() {
        comes("anna").goes();

        assertRefused(comes(null));
    }

    @Test
    void session_ofNobody_isOpenToAUser_andHersFromThenOn() {
        comes(null).goes();

        assertTrue(comes("anna").connAck().sessionPresent());

        assertRefused(comes("berta"));
    }

    @Test
    void session_thatHasEnded_leavesItsClientIdentifierFree() {
        comes("anna", ProtocolVersion.MQTT_5, 0).goes();

        assertEquals(ReasonCode.SUCCESS, comes("berta").connAck().reason());
    }

    @Test
    void owner_isKnownAfterARestart() {
        comes("anna");
        broker.crash();

        assertRefused(comes("berta"));

        assertTrue(comes("anna").connAck().sessionPresent());
    }

    @Test
    void namesThatNobodyProves_bindNothing() {
        proven = false;
        ScriptedClient anna = comes("anna");

        ScriptedClient berta = comes("berta");

        assertTrue(anna.closed);
        assertTrue(berta.connAck().sessionPresent());
    }

    // ---- how many

    private ConnAck comes(@Nullable String as, String id, long expirySeconds) {
        user = as;
        return new ScriptedClient(broker, ProtocolVersion.MQTT_5, id, 10, expirySeconds).connAck();
    }

    private void mayHave(int sessions) {
        broker.fairness = new Fairness(0, 1024, false, sessions);
    }

    @Test
    void sessionsOfAUser_areBound_connectedOrNot_andNobodyElses() {
        mayHave(2);
        comes("anna", "a", 3600);
        user = "anna";
        ScriptedClient other = new ScriptedClient(broker, ProtocolVersion.MQTT_5, "b", 10, 3600);
        assertEquals(ReasonCode.QUOTA_EXCEEDED, comes("anna", "c", 0).reason());
        other.goes();
        assertEquals(ReasonCode.QUOTA_EXCEEDED, comes("anna", "c", 0).reason());
        assertEquals(ReasonCode.SUCCESS, comes("berta", "c", 0).reason());
        for (int i = 0; i < 5; i++) {
            assertEquals(ReasonCode.SUCCESS, comes(null, "nobody-" + i, 0).reason());
        }
        assertTrue(comes("anna", "a", 3600).sessionPresent());
        assertTrue(comes("anna", "b", 0).sessionPresent());
    }

    @Test
    void sessionThatEnds_orIsReplaced_isNoneMore() {
        mayHave(2);
        comes("anna", "a", 3600);
        for (int i = 0; i < 5; i++) {
            user = "anna";
            new ScriptedClient(broker, ProtocolVersion.MQTT_5, "b", 10, 0).goes();
            user = "anna"; // takes over, and begins anew
            ScriptedClient third = new ScriptedClient(broker, ProtocolVersion.MQTT_3_1_1, "a", 10, 0);
            assertEquals(ReasonCode.SUCCESS, third.connAck().reason());
            third.goes();
            assertEquals(ReasonCode.SUCCESS, comes("anna", "a", 3600).reason());
        }
        comes("anna", "b", 0);
        assertEquals(ReasonCode.QUOTA_EXCEEDED, comes("anna", "c", 0).reason());
        broker.loops.runFor(1);
        assertEquals(1, broker.shards().users().users());
    }

    @Test
    void sessionThatComesToAUser_countsForThatOne() {
        mayHave(1);
        proven = false;
        comes("anna", "a", 3600);
        comes("berta", "b", 3600);
        assertEquals(ReasonCode.QUOTA_EXCEEDED, comes("anna", "b", 3600).reason());
        assertEquals(ReasonCode.SUCCESS, comes("carla", "b", 3600).reason());
        assertEquals(ReasonCode.SUCCESS, comes("berta", "c", 3600).reason());
        assertEquals(3, broker.shards().users().users());
    }

    @Test
    void boundThatComesLater_countsWhatIsThere_andSendsNobodyAway() {
        mayHave(0);
        comes("anna", "a", 3600);
        comes("anna", "b", 3600);
        broker.shards().users().bound(1);
        assertEquals(ReasonCode.QUOTA_EXCEEDED, comes("anna", "c", 0).reason());
        assertEquals(ReasonCode.SUCCESS, comes("anna", "a", 3600).reason());
        assertEquals(ReasonCode.SUCCESS, comes("berta", "d", 0).reason());
        broker.shards().users().bound(3);
        assertEquals(ReasonCode.SUCCESS, comes("anna", "c", 0).reason());
    }

    @Test
    void afterARestart_keptSessionsCount() {
        mayHave(2);
        comes("anna", "a", 3600);
        comes("anna", "b", 3600);
        broker.crash();
        assertEquals(ReasonCode.QUOTA_EXCEEDED, comes("anna", "c", 0).reason());
        assertTrue(comes("anna", "a", 3600).sessionPresent());
    }
}
