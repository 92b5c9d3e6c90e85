package org.dunlin.it.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.hivemq.client.mqtt.datatypes.MqttUtf8String;
import com.hivemq.client.mqtt.mqtt3.Mqtt3BlockingClient;
import com.hivemq.client.mqtt.mqtt3.Mqtt3Client;
import com.hivemq.client.mqtt.mqtt3.exceptions.Mqtt3ConnAckException;
import com.hivemq.client.mqtt.mqtt5.Mqtt5BlockingClient;
import com.hivemq.client.mqtt.mqtt5.Mqtt5Client;
import com.hivemq.client.mqtt.mqtt5.Mqtt5ClientConfig;
import com.hivemq.client.mqtt.mqtt5.auth.Mqtt5EnhancedAuthMechanism;
import com.hivemq.client.mqtt.mqtt5.exceptions.Mqtt5ConnAckException;
import com.hivemq.client.mqtt.mqtt5.message.auth.Mqtt5Auth;
import com.hivemq.client.mqtt.mqtt5.message.auth.Mqtt5AuthBuilder;
import com.hivemq.client.mqtt.mqtt5.message.auth.Mqtt5EnhancedAuthBuilder;
import com.hivemq.client.mqtt.mqtt5.message.connect.Mqtt5Connect;
import com.hivemq.client.mqtt.mqtt5.message.connect.connack.Mqtt5ConnAck;
import com.hivemq.client.mqtt.mqtt5.message.disconnect.Mqtt5Disconnect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.dunlin.it.Await;
import org.dunlin.it.RealClient;
import org.dunlin.it.RunningBroker;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.mqttv5.client.MqttConnectionOptions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Passwords and tokens sent by the clients that people use. Every password has "sesame" in it. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class RealLoginsIT {
    private static final String RIGHT = "sesame-ann";
    private static final String WRONG = "sesame-ben";

    private Tokens tokens;
    private RunningBroker broker;

    @BeforeAll
    void start(@TempDir Path folder) throws Exception {
        tokens = new Tokens();
        Path key = Files.writeString(folder.resolve("key.pem"), tokens.pem());
        Accounts accounts = new Accounts(folder.resolve("users"));
        accounts.add("ann", RIGHT);
        broker = RunningBroker.start(List.of(
                "auth.password-file=" + accounts.file(),
                "auth.jwt.public-key=" + key,
                "auth.jwt.leeway=0",
                "log.level=debug"));
    }

    @AfterAll
    void stop_andNoSecretWasEverShown() {
        broker.close();
        String log = String.join("\n", broker.log());
        assertFalse(log.contains("sesame") || log.contains("eyJ"));
    }

    private String token(long seconds) throws Exception {
        return tokens.sign(Tokens.claims("ann", seconds, ""));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(strings = {"mqttv31", "mqttv311", "mqttv5"})
    void mosquitto(String version) throws Exception {
        for (String password : List.of(RIGHT, token(60))) {
            RealClient.mosquittoPub(broker, "-V", version, "-u", "ann", "-P", password, "-q", "1", "-t", "t", "-m", "m")
                    .awaitSuccess();
        }
        for (String password : List.of(WRONG, token(-60))) {
            try (RealClient refused = RealClient.mosquittoPub(
                    broker, "-V", version, "-u", "ann", "-P", password, "-q", "1", "-t", "t", "-m", "m")) {
                assertTrue(refused.awaitExit() != 0, refused::toString);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 5})
    void mqttJs(int version) throws Exception {
        for (String password : List.of(RIGHT, token(60))) {
            assertEquals(List.of("in"), login(version, password));
        }
        assertEquals(List.of(version == 5 ? "134" : "4"), login(version, WRONG));
        assertEquals(List.of(version == 5 ? "135" : "5"), login(version, token(-60)));
    }

    private List<String> login(int version, String password) {
        return RealClient.node("login.mjs", broker, "" + version, "ann", password)
                .awaitSuccess();
    }

    @Test
    void hiveMq() throws Exception {
        for (String password : List.of(RIGHT, token(60))) {
            Mqtt3BlockingClient three = three(password);
            three.connect();
            three.disconnect();
            Mqtt5BlockingClient five = five(password);
            five.connect();
            five.disconnect();
        }
        for (String password : List.of(WRONG, token(-60))) {
            assertThrows(Mqtt3ConnAckException.class, three(password)::connect);
            assertThrows(Mqtt5ConnAckException.class, five(password)::connect);
        }
    }

    private Mqtt3BlockingClient three(String password) {
        return Mqtt3Client.builder()
                .serverHost("127.0.0.1")
                .serverPort(broker.port())
                .simpleAuth()
                .username("ann")
                .password(bytes(password))
                .applySimpleAuth()
                .buildBlocking();
    }

    private Mqtt5BlockingClient five(String password) {
        return Mqtt5Client.builder()
                .serverHost("127.0.0.1")
                .serverPort(broker.port())
                .simpleAuth()
                .username("ann")
                .password(bytes(password))
                .applySimpleAuth()
                .buildBlocking();
    }

    @Test
    void paho() throws Exception {
        String url = "tcp://127.0.0.1:" + broker.port();
        for (String password : List.of(RIGHT, WRONG)) {
            boolean right = password.equals(RIGHT);
            MqttConnectOptions three = new MqttConnectOptions();
            three.setUserName("ann");
            three.setPassword(password.toCharArray());
            try (var client = new org.eclipse.paho.client.mqttv3.MqttClient(url, "paho-3", null)) {
                if (right) {
                    client.connect(three);
                    client.disconnect();
                } else {
                    assertEquals(
                            4,
                            assertThrows(
                                            org.eclipse.paho.client.mqttv3.MqttException.class,
                                            () -> client.connect(three))
                                    .getReasonCode());
                }
            }
            MqttConnectionOptions five = new MqttConnectionOptions();
            five.setUserName("ann");
            five.setPassword(bytes(password));
            var client5 = new org.eclipse.paho.mqttv5.client.MqttClient(url, "paho-5", null);
            try {
                if (right) {
                    client5.connect(five);
                    client5.disconnect();
                } else {
                    assertThrows(org.eclipse.paho.mqttv5.common.MqttException.class, () -> client5.connect(five));
                }
            } finally {
                client5.close();
            }
        }
    }

    /** The connection lives longer than its first token, since the client sends another by AUTH; and ends with the last. */
    @Test
    void hiveMq_byTheMethodJwt_renewsItsToken() throws Exception {
        JwtMethod method = new JwtMethod(token(4));
        Mqtt5BlockingClient client = client("renews", method);
        Mqtt5BlockingClient other = client("other", new JwtMethod(token(4)));
        client.connect();
        other.connect();
        method.token = token(600);
        client.toAsync().reauth().orTimeout(20, TimeUnit.SECONDS).join();

        Await.until("the first token has expired", () -> !other.getState().isConnected());
        assertTrue(client.getState().isConnected());
        client.publishWith().topic("t").payload(new byte[1]).send();

        method.token = tokens.sign(Tokens.claims("ben", 600, ""));
        assertThrows(
                CompletionException.class,
                () -> client.toAsync().reauth().orTimeout(20, TimeUnit.SECONDS).join());
        Await.until(
                "whoever becomes another is sent away", () -> !client.getState().isConnected());

        Mqtt5BlockingClient late = client("late", new JwtMethod(token(-60)));
        assertThrows(Mqtt5ConnAckException.class, late::connect);
    }

    private Mqtt5BlockingClient client(String id, JwtMethod method) {
        return Mqtt5Client.builder()
                .identifier(id)
                .serverHost("127.0.0.1")
                .serverPort(broker.port())
                .enhancedAuth(method)
                .buildBlocking();
    }

    /** One step: the token that is there. */
    private static final class JwtMethod implements Mqtt5EnhancedAuthMechanism {
        private volatile String token;

        JwtMethod(String token) {
            this.token = token;
        }

        @Override
        public MqttUtf8String getMethod() {
            return MqttUtf8String.of("JWT");
        }

        @Override
        public int getTimeout() {
            return 30;
        }

        @Override
        public CompletableFuture<Void> onAuth(
                Mqtt5ClientConfig config, Mqtt5Connect connect, Mqtt5EnhancedAuthBuilder auth) {
            auth.data(bytes(token));
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletableFuture<Void> onReAuth(Mqtt5ClientConfig config, Mqtt5AuthBuilder auth) {
            auth.data(bytes(token));
            return CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletableFuture<Boolean> onContinue(
                Mqtt5ClientConfig config, Mqtt5Auth auth, Mqtt5AuthBuilder answer) {
            return CompletableFuture.completedFuture(false);
        }

        @Override
        public CompletableFuture<Boolean> onAuthSuccess(Mqtt5ClientConfig config, Mqtt5ConnAck connAck) {
            return CompletableFuture.completedFuture(true);
        }

        @Override
        public CompletableFuture<Boolean> onReAuthSuccess(Mqtt5ClientConfig config, Mqtt5Auth auth) {
            return CompletableFuture.completedFuture(true);
        }

        @Override
        public void onAuthRejected(Mqtt5ClientConfig config, Mqtt5ConnAck connAck) {}

        @Override
        public void onReAuthRejected(Mqtt5ClientConfig config, Mqtt5Disconnect disconnect) {}

        @Override
        public void onAuthError(Mqtt5ClientConfig config, Throwable cause) {}

        @Override
        public void onReAuthError(Mqtt5ClientConfig config, Throwable cause) {}
    }
}
