package org.dunlin.it.security;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.dunlin.it.RunningBroker;
import org.dunlin.mqtt.Auth;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.Packet;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A broker that knows the public key of who signs its tokens. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(120)
class TokensIT {
    private Tokens tokens;
    private RunningBroker broker;

    @BeforeAll
    void start(@TempDir Path folder) throws Exception {
        tokens = new Tokens();
        Path key = Files.writeString(folder.resolve("key.pem"), tokens.pem());
        broker = RunningBroker.start(List.of("auth.jwt.public-key=" + key, "auth.jwt.leeway=0", "log.level=debug"));
    }

    @AfterAll
    void stop_andNoTokenWasEverShown() {
        broker.close();
        assertFalse(String.join("\n", broker.log()).contains("eyJ"));
    }

    private static Connect connect(ProtocolVersion version, String id, @Nullable String user, String token) {
        Connect.Builder connect = Connect.builder(version, id).password(token.getBytes(StandardCharsets.UTF_8));
        if (user != null || !version.isV5()) {
            connect.userName(user == null ? "ann" : user);
        }
        return connect.build();
    }

    private String isRefused(String token) {
        try (MqttSocket socket = broker.socket()) {
            ConnAck answer = socket.expectRefused(
                    connect(ProtocolVersion.MQTT_5, "refused", null, token), ReasonCode.NOT_AUTHORIZED);
            return String.valueOf(answer.properties().reasonString());
        }
    }

    @ParameterizedTest
    @EnumSource(ProtocolVersion.class)
    void goodToken_letsItsUserIn_andNobodyElse(ProtocolVersion version) throws Exception {
        String token = tokens.sign(Tokens.claims("ann", 60, ""));
        try (MqttSocket socket = broker.socket()) {
            assertEquals(
                    ReasonCode.SUCCESS,
                    socket.connect(connect(version, "ann" + version, null, token))
                            .reason());
        }
        try (MqttSocket socket = broker.socket()) {
            socket.expectRefused(connect(version, "ben", "ben", token), ReasonCode.NOT_AUTHORIZED);
        }
        assertTrue(broker.awaitLog(" Ready on ").contains("(clients with a token)"));
    }

    @Test
    void forgedOrStaleTokens_areRefusedWithTheReason() throws Exception {
        String claims = Tokens.claims("ann", 60, "");
        assertEquals("the token has expired; get a new one", isRefused(tokens.sign(Tokens.claims("ann", -60, ""))));
        assertEquals(
                "the token is not valid yet; compare the clocks",
                isRefused(tokens.sign(Tokens.claims("ann", 60, ",\"nbf\":9999999999"))));
        assertEquals("the token has a signature that is not valid", isRefused(new Tokens().sign(claims)));
        String algorithm = "the token is signed by an algorithm that does not count here";
        assertEquals(algorithm, isRefused(Tokens.unsigned(claims)));
        assertEquals(algorithm, isRefused(Tokens.hmac(tokens.pem(), claims)), "the public key as a secret");
        assertTrue(isRefused(tokens.sign(Tokens.claims("ann", 60, ",\"aud\":\"web\"")))
                .contains("another audience"));
        assertTrue(isRefused("eyJhbGciOiJFUzI1NiJ9." + "A".repeat(17_000) + ".AAAA")
                .contains("at most 16384"));
        assertTrue(isRefused("no token").contains("send a token (JWT) as password"));
    }

    /** Where an audience and an issuer are named, others and none are refused, and so is what only looks like them. */
    @Test
    void otherAudienceOrIssuer_isRefused(@TempDir Path folder) throws Exception {
        Path key = Files.writeString(folder.resolve("key.pem"), tokens.pem());
        try (RunningBroker strict = RunningBroker.start(List.of(
                "auth.jwt.public-key=" + key, "auth.jwt.audience=mqtt", "auth.jwt.issuer=https://id.example"))) {
            String issuer = ",\"iss\":\"https://id.example\"";
            assertTrue(letsIn(strict, tokens.sign(Tokens.claims("ann", 60, issuer + ",\"aud\":\"mqtt\""))));
            assertTrue(letsIn(strict, tokens.sign(Tokens.claims("ann", 60, issuer + ",\"aud\":[\"web\",\"mqtt\"]"))));
            for (String audience : List.of("", ",\"aud\":\"web\"", ",\"aud\":\"mqtt2\"", ",\"aud\":[]")) {
                assertFalse(letsIn(strict, tokens.sign(Tokens.claims("ann", 60, issuer + audience))), audience);
            }
            for (String other :
                    List.of("", ",\"iss\":\"https://id.example.org\"", ",\"iss\":[\"https://id.example\"]")) {
                assertFalse(letsIn(strict, tokens.sign(Tokens.claims("ann", 60, other + ",\"aud\":\"mqtt\""))), other);
            }
        }
    }

    @Test
    void expiry_endsTheConnection_unlessItsClientHasProvenItselfAnew() throws Exception {
        String brief = tokens.sign(Tokens.claims("ann", 4, ""));
        try (MqttSocket stays = broker.socket();
                MqttSocket goes = broker.socket()) {
            Connect.Builder byMethod = Connect.builder(ProtocolVersion.MQTT_5, "stays");
            stays.connect(byMethod.authentication("JWT", bytes(brief)).build());
            goes.connect(connect(ProtocolVersion.MQTT_5, "goes", "ann", brief));

            stays.send(new Auth(ReasonCode.RE_AUTHENTICATE, "JWT", bytes(tokens.sign(Tokens.claims("ann", 600, "")))));
            assertEquals(ReasonCode.SUCCESS, stays.receive(Auth.class).reason());
            goes.expectDisconnect(ReasonCode.MAXIMUM_CONNECT_TIME);

            stays.subscribe("token/stays", Qos.AT_LEAST_ONCE);
            stays.publish("token/stays", "still there", Qos.AT_MOST_ONCE);
            stays.expectPublish("token/stays", "still there");
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void anotherUser_cannotTakeOverByReAuthentication() throws Exception {
        try (MqttSocket socket = broker.socket()) {
            Connect.Builder connect = Connect.builder(ProtocolVersion.MQTT_5, "ann-first");
            socket.connect(connect.authentication("JWT", bytes(tokens.sign(Tokens.claims("ann", 600, ""))))
                    .build());

            socket.send(new Auth(ReasonCode.RE_AUTHENTICATE, "JWT", bytes(tokens.sign(Tokens.claims("ben", 600, "")))));

            Packet answer = socket.receive();
            assertFalse(answer instanceof Auth, "accepted another user: " + answer);
        }
    }

    @Test
    void keySetOfAServer_isFetchedAgainForAKeyThatIsNew(@TempDir Path folder) throws Exception {
        Tokens next = new Tokens();
        AtomicReference<String> set = new AtomicReference<>(tokens.jwks("one"));
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/keys", exchange -> {
            byte[] body = bytes(set.get());
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        String url = "http://127.0.0.1:" + server.getAddress().getPort() + "/keys";
        try (RunningBroker other = RunningBroker.start(List.of("auth.jwt.jwks=" + url, "auth.jwt.jwks-refresh=1s"))) {
            other.awaitLog("has 1 key(s)");
            assertTrue(letsIn(other, tokens.sign("one", Tokens.claims("ann", 60, ""))));
            assertFalse(letsIn(other, next.sign("two", Tokens.claims("ann", 60, ""))));
            String second = next.sign("two", Tokens.claims("ann", 60, ""));
            set.set(next.jwks("two"));
            Await.until("the new key is there", () -> letsIn(other, second));
            server.stop(0);
            other.awaitLog("the keys fetched before stay");
            assertTrue(letsIn(other, next.sign("two", Tokens.claims("ann", 60, ""))));
        } finally {
            server.stop(0);
        }
    }

    private static boolean letsIn(RunningBroker broker, String token) {
        try (MqttSocket socket = broker.socket()) {
            socket.send(connect(ProtocolVersion.MQTT_5, "tries", null, token));
            return socket.receive(ConnAck.class).reason() == ReasonCode.SUCCESS;
        }
    }

    @Test
    void secret_isNeverShown() throws Exception {
        String secret = "sesame-".repeat(6);
        try (RunningBroker other = RunningBroker.start(List.of("auth.jwt.secret=" + secret, "log.level=debug"))) {
            assertTrue(letsIn(other, Tokens.hmac(secret, Tokens.claims("ann", 60, ""))));
            assertFalse(letsIn(other, Tokens.hmac(secret + "x", Tokens.claims("ann", 60, ""))));
            assertNotNull(other.awaitLog(" Ready on "));
            assertFalse(String.join("\n", other.log()).contains("sesame"));
        }
    }
}
