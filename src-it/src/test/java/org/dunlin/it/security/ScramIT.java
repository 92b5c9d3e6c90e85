package org.dunlin.it.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.hivemq.client.mqtt.mqtt5.Mqtt5BlockingClient;
import com.hivemq.client.mqtt.mqtt5.Mqtt5Client;
import com.hivemq.client.mqtt.mqtt5.exceptions.Mqtt5ConnAckException;
import com.hivemq.client.mqtt.mqtt5.message.connect.connack.Mqtt5ConnAckReasonCode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Auth;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.ReasonCode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Users of SCRAM, made by the packed jar's own command, with a real client. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class ScramIT {
    private Accounts accounts;
    private RunningBroker broker;

    @BeforeAll
    void start(@TempDir Path folder) throws Exception {
        accounts = new Accounts(folder.resolve("users"));
        for (String bits : List.of("256", "512")) {
            Process made = accounts.begin(
                    "sesame-" + bits, "add", "scram-" + bits, "--stdin", "--scram=sha-" + bits, "--iterations=10000");
            assertTrue(made.waitFor(60, TimeUnit.SECONDS) && made.exitValue() == 0);
        }
        accounts.add("plain", "sesame-plain");
        broker = RunningBroker.start(List.of("auth.password-file=" + accounts.file(), "log.level=debug"));
    }

    @AfterAll
    void stop_andNoPasswordWasEverShown() {
        broker.close();
        assertFalse(String.join("\n", broker.log()).contains("sesame"));
    }

    private Mqtt5BlockingClient client(String id, ScramClient scram) {
        return Mqtt5Client.builder()
                .identifier(id)
                .serverHost("127.0.0.1")
                .serverPort(broker.port())
                .enhancedAuth(scram)
                .buildBlocking();
    }

    private Mqtt5ConnAckReasonCode refusal(String bits, String user, String password) {
        Mqtt5BlockingClient client = client("refused", new ScramClient(bits, user, password));
        return assertThrows(Mqtt5ConnAckException.class, client::connect)
                .getMqttMessage()
                .getReasonCode();
    }

    @ParameterizedTest
    @ValueSource(strings = {"256", "512"})
    void realClient_logsIn_andProvesItselfAgain(String bits) {
        Mqtt5BlockingClient client = client("of-" + bits, new ScramClient(bits, "scram-" + bits, "sesame-" + bits));
        client.connect();
        client.toAsync().reauth().orTimeout(20, TimeUnit.SECONDS).join();
        client.publishWith().topic("scram").payload(new byte[1]).send();
        client.disconnect();
    }

    @Test
    void wrongPasswordsUsersAndMechanisms_areRefusedAlike() {
        Mqtt5ConnAckReasonCode wrong = Mqtt5ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD;
        assertEquals(wrong, refusal("256", "scram-256", "sesame"));
        assertEquals(wrong, refusal("512", "scram-256", "sesame-256"), "has a hash for the other digest");
        assertEquals(wrong, refusal("256", "plain", "sesame-plain"), "has no hash for SCRAM");
        assertEquals(wrong, refusal("256", "nobody", "sesame"));
        try (MqttSocket socket = broker.socket()) {
            Connect connect = Connect.builder(ProtocolVersion.MQTT_5, "plus")
                    .authentication("SCRAM-SHA-256-PLUS", bytes("p=tls-exporter,,n=plain,r=abc"))
                    .build();
            socket.expectRefused(connect, ReasonCode.BAD_AUTHENTICATION_METHOD);
        }
    }

    /** @return what the server asks after the first message */
    private String asked(MqttSocket socket, byte[] first) {
        socket.send(Connect.builder(ProtocolVersion.MQTT_5, "by-hand")
                .authentication("SCRAM-SHA-256", first)
                .build());
        Auth challenge = socket.receive(Auth.class);
        assertEquals(ReasonCode.CONTINUE_AUTHENTICATION, challenge.reason());
        return new String(challenge.data(), StandardCharsets.UTF_8);
    }

    private ConnAck answered(MqttSocket socket, String last) {
        socket.send(new Auth(ReasonCode.CONTINUE_AUTHENTICATION, "SCRAM-SHA-256", bytes(last)));
        return socket.receive(ConnAck.class);
    }

    /** Whoever has listened to a login cannot repeat it: neither as a whole nor with the nonce of the new challenge put in. */
    @Test
    void recordedLogin_isOfNoUse() {
        ScramClient client = new ScramClient("256", "scram-256", "sesame-256");
        byte[] first = client.begin();
        String last;
        String nonce;
        try (MqttSocket socket = broker.socket()) {
            String challenge = asked(socket, first);
            nonce = challenge.split(",")[0];
            last = client.last(challenge);
            assertEquals(ReasonCode.SUCCESS, answered(socket, last).reason());
        }
        try (MqttSocket socket = broker.socket()) {
            String challenge = asked(socket, first);
            assertFalse(challenge.startsWith(nonce), "each exchange has a nonce of its own");
            assertRefused(answered(socket, last));
            socket.expectClosed();
        }
        try (MqttSocket socket = broker.socket()) {
            String challenge = asked(socket, first);
            assertRefused(answered(socket, last.replace(nonce, challenge.split(",")[0])));
            socket.expectClosed();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"r=", "r=wrong", "cut", "longer"})
    void wrongNonce_isRefused_evenWithTheRightPassword(String nonce) {
        ScramClient client = new ScramClient("256", "scram-256", "sesame-256");
        try (MqttSocket socket = broker.socket()) {
            String challenge = asked(socket, client.begin());
            String asked = challenge.split(",")[0];
            String wrong = nonce.equals("cut")
                    ? asked.substring(0, asked.length() - 1)
                    : nonce.equals("longer") ? asked + "x" : nonce;
            // the proof is over what the client says, so it is right for this nonce
            String last = client.last(challenge.replace(asked, wrong));
            assertRefused(answered(socket, last));
            socket.expectClosed();
        }
    }

    private static void assertRefused(ConnAck answer) {
        assertTrue(
                answer.reason() == ReasonCode.BAD_USER_NAME_OR_PASSWORD || answer.reason() == ReasonCode.NOT_AUTHORIZED,
                answer::toString);
    }

    @Test
    void sameAccount_servesPlainPasswords_too() {
        for (ProtocolVersion version : ProtocolVersion.values()) {
            try (MqttSocket socket = broker.socket()) {
                Connect connect = Connect.builder(version, "plain-" + version)
                        .userName("scram-256")
                        .password(bytes("sesame-256"))
                        .build();
                assertEquals(ReasonCode.SUCCESS, socket.connect(connect).reason());
            }
        }
    }

    @Test
    void removedUser_isSentAway() throws Exception {
        Process made = accounts.begin("sesame-x", "add", "leaves", "--stdin", "--scram", "--iterations=5000");
        assertTrue(made.waitFor(60, TimeUnit.SECONDS) && made.exitValue() == 0);
        Mqtt5BlockingClient client = client("leaves", new ScramClient("256", "leaves", "sesame-x"));
        Await.until("the account is there", () -> {
            try {
                client.connect();
                return true;
            } catch (Mqtt5ConnAckException notYet) {
                return false;
            }
        });

        accounts.remove("leaves");

        Await.until("the client is away", () -> !client.getState().isConnected());
        broker.awaitLog("the account 'leaves' is no longer in auth.password-file");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
