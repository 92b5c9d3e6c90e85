package org.dunlin.core.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
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
}
