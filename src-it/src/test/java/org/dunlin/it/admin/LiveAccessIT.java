package org.dunlin.it.admin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.RSAPublicKey;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;
import org.dunlin.it.Await;
import org.dunlin.it.MqttSocket;
import org.dunlin.mqtt.Ack;
import org.dunlin.mqtt.Auth;
import org.dunlin.mqtt.ConnAck;
import org.dunlin.mqtt.Connect;
import org.dunlin.mqtt.PacketType;
import org.dunlin.mqtt.ProtocolVersion;
import org.dunlin.mqtt.Publish;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.mqtt.Subscribe;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Who may connect and what they may do, changed by a reload: new clients meet the new rules at once, those who are there are asked about
 * again, and whatever is wrong with a file changes nothing at all.
 */
class LiveAccessIT {
    private static final String SECRET = "a secret of no less than thirty-two bytes";
    private static final String USERS = "auth: {password-file: %s}\n";

    @TempDir
    Path folder;

    private ConfiguredBroker broker;
    private Path users;
    private Path others;

    @BeforeEach
    void start() throws Exception {
        users = Files.writeString(folder.resolve("users"), line("ann") + line("ben"));
        others = Files.writeString(folder.resolve("others"), line("ben") + line("cem"));
        broker = ConfiguredBroker.start(folder, "");
    }

    @AfterEach
    void stop() {
        broker.close();
        for (String line : broker.broker().log()) {
            assertFalse(line.contains("sesame") || line.contains(SECRET) || line.contains(" ERROR "), line);
        }
    }

    /** Of few rounds: what is tried is not how long a hash takes. */
    private static String line(String user) throws Exception {
        byte[] salt = new byte[12];
        byte[] hash = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA512")
                .generateSecret(new PBEKeySpec(("sesame-" + user).toCharArray(), salt, 101, 512))
                .getEncoded();
        Base64.Encoder text = Base64.getEncoder();
        return user + ":$7$101$" + text.encodeToString(salt) + "$" + text.encodeToString(hash) + "\n";
    }

    private static Connect connect(String clientId, @Nullable String user, @Nullable String password) {
        return connect(ProtocolVersion.MQTT_5, clientId, user, password);
    }

    private static Connect connect(
            ProtocolVersion version, String clientId, @Nullable String user, @Nullable String password) {
        Connect.Builder connect = Connect.builder(version, clientId);
        if (user != null) {
            connect.userName(user);
        }
        if (password != null) {
            connect.password(password.getBytes(StandardCharsets.UTF_8));
        }
        return connect.build();
    }

    private MqttSocket in(String clientId, @Nullable String user, @Nullable String password) {
        MqttSocket socket = broker.socket();
        assertEquals(
                ReasonCode.SUCCESS,
                socket.connect(connect(clientId, user, password)).reason());
        return socket;
    }

    private MqttSocket in(String user) {
        return in("of-" + user, user, "sesame-" + user);
    }

    private ReasonCode answer(Connect connect) {
        try (MqttSocket socket = broker.socket()) {
            socket.send(connect);
            return socket.receive(ConnAck.class).reason();
        }
    }

    private ReasonCode answer(String user) {
        return answer(connect("tries-" + user, user, "sesame-" + user));
    }

    // ---- users

    @Test
    void passwordFile_comesGoesAndIsAnotherOne() throws Exception {
        try (MqttSocket nobody = in("nobody", null, null);
                MqttSocket claims = in("claims", "ann", null)) {
            broker.now(USERS.formatted(users));
            nobody.expectDisconnect(ReasonCode.ADMINISTRATIVE_ACTION);
            claims.expectDisconnect(ReasonCode.ADMINISTRATIVE_ACTION);
        }
        assertEquals(ReasonCode.NOT_AUTHORIZED, answer(connect("nobody", null, null)));
        assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, answer(connect("x", "ann", "sesame-ben")));
        try (MqttSocket ann = in("ann");
                MqttSocket ben = in("ben")) {
            broker.now(USERS.formatted(others));
            ann.expectDisconnect(ReasonCode.ADMINISTRATIVE_ACTION);
            ben.expectNothing();
            assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, answer("ann"));
            assertEquals(ReasonCode.SUCCESS, answer("cem"));

            Files.writeString(others, line("cem") + line("dee"));
            ben.expectDisconnect(ReasonCode.ADMINISTRATIVE_ACTION); // the new one is followed
            assertEquals(ReasonCode.SUCCESS, answer("dee"));
        }
        broker.now(USERS.formatted("\"\""));
        in("nobody", null, null).close();
    }

    @Test
    void faultyFileOfUsers_changesNothing_andNoOtherKeyEither() throws Exception {
        broker.now(USERS.formatted(users));
        Path bad = Files.writeString(folder.resolve("bad"), "ann:open\nben");
        try (MqttSocket ann = in("ann")) {
            String other = "limits: {max-qos: 1}\n";
            broker.refuses(USERS.formatted(bad) + other, "bad:1: user 'ann'");
            broker.refuses(USERS.formatted(folder.resolve("none")) + other, "there is no such password file");
            broker.refuses("auth: {password-file: " + others + ", acl-file: " + bad + "}\n" + other, "bad:1");
            broker.refuses("auth: {password-file: " + others + ", ban-file: " + bad + "}\n" + other, "bad:1");
            broker.refuses("auth: {password-file: " + others + ", jwt: {public-key: " + bad + "}}\n" + other, "bad");
            broker.refuses(
                    "auth: {password-file: " + others + ", bind-client-id: users}\n" + other, "auth.bind-client-id");
            assertEquals("2", broker.inForce("limits.max-qos"));
            assertEquals(users.toString(), broker.inForce("auth.password-file"));
            ann.expectNothing();
            assertEquals(ReasonCode.SUCCESS, answer("ann"));
            assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, answer("cem"));
        }
    }

    /** A file may have been cut off while it was written. */
    @Test
    void whatKeepsOthersOut_isNotGivenUp_becauseTheFileSaysNothingOfIt() throws Exception {
        Path acl = Files.writeString(folder.resolve("acl"), "topic read open/#\n");
        broker.now("auth: {password-file: " + users + ", acl-file: " + acl + "}\n");
        JsonNode outcome = broker.reload("limits: {max-qos: 1}\n");
        assertEquals(0, outcome.path("faults").size());
        for (JsonNode change : outcome.path("changes")) {
            assertEquals(
                    change.path("key").asText().equals("limits.max-qos"),
                    change.path("live").asBoolean(),
                    outcome.toString());
        }
        assertEquals(users.toString(), broker.inForce("auth.password-file"));
        assertEquals(acl.toString(), broker.inForce("auth.acl-file"));
        assertEquals(ReasonCode.NOT_AUTHORIZED, answer(connect("nobody", null, null)));
    }

    @Test
    void anonymousClients_goAndComeWithTheirListener() throws Exception {
        try (MqttSocket nobody = in("nobody", null, null)) {
            broker.now("listeners: [{allow-anonymous: true}]\nauth: {allow-anonymous: false}");
            nobody.expectNothing();
            broker.now("auth: {allow-anonymous: false}");
            nobody.expectDisconnect(ReasonCode.ADMINISTRATIVE_ACTION);
        }
        assertEquals(ReasonCode.NOT_AUTHORIZED, answer(connect("nobody", null, null)));
        broker.now("listeners: [{allow-anonymous: true}]\nauth: {allow-anonymous: false}");
        in("nobody", null, null).close();
        broker.now("listeners: [{allow-anonymous: false}]");
        assertEquals(ReasonCode.NOT_AUTHORIZED, answer(connect("nobody", null, null)));
    }

    @Test
    void clientIdentifiers_areBoundFromTheReloadOn() throws Exception {
        broker.now(USERS.formatted(users));
        try (MqttSocket free = in("free", "ann", "sesame-ann");
                MqttSocket own = in("ben", "ben", "sesame-ben")) {
            broker.now("auth: {password-file: " + users + ", bind-client-id: user}\n");
            free.expectDisconnect(ReasonCode.ADMINISTRATIVE_ACTION);
            own.expectNothing();
            assertEquals(ReasonCode.NOT_AUTHORIZED, answer("ann"));
        }
        broker.now("auth: {password-file: " + users + ", bind-client-id: off}\n");
        in("free", "ann", "sesame-ann").close();
    }

    @Test
    void scram_isTakenOrNot() throws Exception {
        Files.writeString(
                users,
                "ann:$scram-sha-256$4096$W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
                        + "$wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=\n");
        Connect begins = Connect.builder(ProtocolVersion.MQTT_5, "scram")
                .authentication("SCRAM-SHA-256", "n,,n=ann,r=abc".getBytes(StandardCharsets.UTF_8))
                .build();
        broker.now("auth: {password-file: " + users + ", scram: {enabled: false}}\n");
        assertEquals(ReasonCode.BAD_AUTHENTICATION_METHOD, answer(begins));
        broker.now(USERS.formatted(users));
        try (MqttSocket socket = broker.socket()) {
            socket.send(begins);
            assertEquals(
                    ReasonCode.CONTINUE_AUTHENTICATION,
                    socket.receive(Auth.class).reason());
        }
    }

    // ---- tokens

    private static String token(String secret, String more) throws Exception {
        Base64.Encoder text = Base64.getUrlEncoder().withoutPadding();
        String claims = "{\"sub\":\"ann\",\"exp\":" + (System.currentTimeMillis() / 1000 + 600) + more + "}";
        String signed = text.encodeToString("{\"alg\":\"HS256\"}".getBytes(StandardCharsets.UTF_8)) + "."
                + text.encodeToString(claims.getBytes(StandardCharsets.UTF_8));
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        return signed + "." + text.encodeToString(mac.doFinal(signed.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void tokens_areThoseOfTheSecretIssuerAndAudienceOfTheReload() throws Exception {
        String auth = "auth: {jwt: {secret: \"" + SECRET + "\"%s}}\n";
        broker.now(auth.formatted(""));
        String plain = token(SECRET, "");
        String issued = token(SECRET, ",\"iss\":\"us\"");
        try (MqttSocket there = in("there", "ann", plain)) {
            broker.now(auth.formatted(", issuer: us"));
            assertEquals(ReasonCode.NOT_AUTHORIZED, answer(connect("x", "ann", plain)));
            assertEquals(ReasonCode.SUCCESS, answer(connect("x", "ann", issued)));
            broker.now(auth.formatted(", issuer: us, audience: here"));
            assertEquals(ReasonCode.NOT_AUTHORIZED, answer(connect("x", "ann", issued)));
            broker.now(auth.formatted(", issuer: \"\", audience: \"\", client-id-claim: cid"));
            assertEquals(ReasonCode.NOT_AUTHORIZED, answer(connect("x", "ann", plain)));
            assertEquals(ReasonCode.SUCCESS, answer(connect("x", "ann", token(SECRET, ",\"cid\":\"x\""))));
            broker.now("auth: {jwt: {secret: \"" + SECRET + " indeed\", client-id-claim: \"\"}}\n");
            assertEquals(ReasonCode.NOT_AUTHORIZED, answer(connect("x", "ann", plain)));
            assertEquals(ReasonCode.SUCCESS, answer(connect("x", "ann", token(SECRET + " indeed", ""))));
            assertEquals("***", broker.inForce("auth.jwt.secret"));
            there.expectNothing(); // by a token that was right, and is not over
            broker.now("auth: {jwt: {secret: \"\"}}\n");
            there.expectDisconnect(ReasonCode.ADMINISTRATIVE_ACTION);
        }
    }

    @Test
    void keyOfTokens_mayBeReplacedByAFile() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(256);
        byte[] key = generator.generateKeyPair().getPublic().getEncoded();
        Path pem = Files.writeString(
                folder.resolve("pem"),
                "-----BEGIN PUBLIC KEY-----\n" + Base64.getEncoder().encodeToString(key)
                        + "\n-----END PUBLIC KEY-----\n");
        Path jwks = Files.writeString(
                folder.resolve("jwks"),
                "{\"keys\":[{\"kty\":\"oct\",\"k\":\""
                        + Base64.getUrlEncoder()
                                .withoutPadding()
                                .encodeToString(SECRET.getBytes(StandardCharsets.UTF_8))
                        + "\"}]}");
        String plain = token(SECRET, "");
        broker.now("auth: {jwt: {secret: \"" + SECRET + "\"}}\n");
        assertEquals(ReasonCode.SUCCESS, answer(connect("x", "ann", plain)));
        broker.now("auth: {jwt: {public-key: " + pem + "}}\n");
        assertEquals(ReasonCode.NOT_AUTHORIZED, answer(connect("x", "ann", plain)));
        broker.refuses("auth: {jwt: {jwks: " + jwks + ", public-key: " + pem + "}}\n", "keep one of them");
        broker.refuses("auth: {jwt: {jwks: " + folder.resolve("none") + "}}\n", "there is no such key set");
        assertEquals(pem.toString(), broker.inForce("auth.jwt.public-key"));
    }

    /** A key set that cannot be had does not take the place of one that is there; and one that is there is not asked for again. */
    @Test
    void keySetOfAUrl_isFetchedBeforeItCounts() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        KeyPair pair = generator.generateKeyPair();
        RSAPublicKey key = (RSAPublicKey) pair.getPublic();
        Base64.Encoder text = Base64.getUrlEncoder().withoutPadding();
        byte[] keys = ("{\"keys\":[{\"kty\":\"RSA\",\"n\":\""
                        + text.encodeToString(key.getModulus().toByteArray()) + "\",\"e\":\""
                        + text.encodeToString(key.getPublicExponent().toByteArray()) + "\"}]}")
                .getBytes(StandardCharsets.UTF_8);
        String claims = "{\"sub\":\"ann\",\"iss\":\"us\",\"exp\":" + (System.currentTimeMillis() / 1000 + 600) + "}";
        String signed = text.encodeToString("{\"alg\":\"RS256\"}".getBytes(StandardCharsets.UTF_8)) + "."
                + text.encodeToString(claims.getBytes(StandardCharsets.UTF_8));
        Signature signature = Signature.getInstance("SHA256withRSA");
        signature.initSign(pair.getPrivate());
        signature.update(signed.getBytes(StandardCharsets.UTF_8));
        String token = signed + "." + text.encodeToString(signature.sign());

        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/keys", exchange -> {
            exchange.sendResponseHeaders(200, keys.length);
            exchange.getResponseBody().write(keys);
            exchange.close();
        });
        server.start();
        try {
            String url = "http://127.0.0.1:" + server.getAddress().getPort();
            String auth = "auth: {jwt: {jwks: \"%s\", issuer: %s}}\n";
            broker.now("auth: {jwt: {secret: \"" + SECRET + "\"}}\n");
            broker.refuses(auth.formatted(url + "/none", "us"), "status 404");
            assertEquals(ReasonCode.SUCCESS, answer(connect("x", "ann", token(SECRET, ""))));

            broker.now(auth.formatted(url + "/keys", "us"));
            assertEquals(ReasonCode.SUCCESS, answer(connect("x", "ann", token)), "at once");
            server.stop(0);
            broker.now(auth.formatted(url + "/keys", "them"));
            assertEquals(ReasonCode.NOT_AUTHORIZED, answer(connect("x", "ann", token)));
            broker.now(auth.formatted(url + "/keys", "us"));
            assertEquals(ReasonCode.SUCCESS, answer(connect("x", "ann", token)), "by the keys that are there");
        } finally {
            server.stop(0);
        }
    }

    // ---- rights and bans

    @Test
    void aclFile_comesGoesAndIsAnotherOne_andDeniedPublishIsAnsweredAnew() throws Exception {
        Path none = Files.writeString(folder.resolve("none.acl"), "topic readwrite open/#\n");
        Path more = Files.writeString(folder.resolve("more.acl"), "topic readwrite #\n");
        try (MqttSocket v5 = in("v5", null, null);
                MqttSocket v3 = broker.socket().connect(ProtocolVersion.MQTT_3_1_1, "v3")) {
            v5.subscribe("closed/x", Qos.AT_LEAST_ONCE);
            broker.now("auth: {acl-file: " + none + "}\n");
            Await.until("v5 has its new rights", () -> published(v5) == ReasonCode.NOT_AUTHORIZED);
            assertEquals(
                    ReasonCode.NOT_AUTHORIZED,
                    v5.subscribe(new Subscribe.Entry("closed/#", Qos.AT_LEAST_ONCE))
                            .reasons()
                            .get(0));
            v3.publish("closed/x", "dropped", Qos.AT_LEAST_ONCE);

            broker.now("auth: {acl-file: " + more + "}\n");
            Await.until("v5 has its rights back", () -> published(v5) != ReasonCode.NOT_AUTHORIZED);

            broker.now("auth: {acl-file: " + none + ", denied-publish: close}\n");
            Await.until("v5 has lost them", () -> published(v5) == ReasonCode.NOT_AUTHORIZED);
            v3.send(new Publish(MqttSocket.message("closed/x", "x", Qos.AT_LEAST_ONCE, false), 77, false));
            v3.expectClosed();
            v5.expectNothing();
            broker.now("auth: {acl-file: \"\"}\n");
            Await.until("everything is allowed", () -> published(v5) != ReasonCode.NOT_AUTHORIZED);
        }
    }

    private static ReasonCode published(MqttSocket socket) {
        int id = socket.nextId();
        socket.send(new Publish(MqttSocket.message("closed/y", "x", Qos.AT_LEAST_ONCE, false), id, false));
        Ack ack = socket.receiveAck(PacketType.PUBACK);
        return ack.reason();
    }

    @Test
    void banFile_comesAndGoes() throws Exception {
        Path bans = Files.writeString(folder.resolve("bans"), "client-id bad\n");
        try (MqttSocket bad = in("bad", null, null);
                MqttSocket good = in("good", null, null)) {
            broker.now("auth: {ban-file: " + bans + "}\n");
            bad.expectDisconnect(ReasonCode.ADMINISTRATIVE_ACTION);
            good.expectNothing();
        }
        assertEquals(ReasonCode.BANNED, answer(connect("bad", null, null)));
        broker.now("auth: {ban-file: \"\"}\n");
        in("bad", null, null).close();
    }

    @Test
    void failedLogins_areCountedByThePolicyOfTheReload() throws Exception {
        String auth = "auth: {password-file: " + users + ", ban: {exempt: \"%s\", after: %d, time: 1s}}\n";
        broker.now(auth.formatted("", 3));
        try (MqttSocket ann = in("ann")) {
            assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, guess(1));
            assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, guess(2));
            broker.now(auth.formatted("", 2)); // what was counted stays counted: the next one is the last
            assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, guess(3));
            assertEquals(ReasonCode.BANNED, guess(4));
            broker.now(auth.formatted("127.0.0.1", 2));
            for (int i = 5; i < 15; i++) {
                assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, guess(i));
            }
            broker.now(auth.formatted("", 0));
            for (int i = 15; i < 25; i++) {
                assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, guess(i));
            }
            ann.expectNothing();
        }
    }

    private ReasonCode guess(int number) {
        return answer(connect("guesses", "ann", "guess-" + number));
    }

    // ---- people of the dashboard

    @Test
    void peopleOfTheDashboard_areLoggedOutWithTheirAccountOrPassword_andWithTheKey() throws Exception {
        broker.now("admin: {password-file: " + users + "}\n");
        String ann = login("ann");
        String ben = login("ben");
        assertEquals(200, status(ann));
        assertEquals(200, status(ben));

        Files.writeString(users, line("ben"));
        assertEquals(401, status(ann), "at once");
        assertEquals(200, status(ben));
        Files.writeString(users, line("ann") + line("ben").replace("$7$101$AAAA", "$7$101$AAAB"));
        assertEquals(401, status(ann), "has to log in again");
        assertEquals(401, status(ben), "has another password");

        String again = login("ann");
        assertEquals(200, status(again));
        try (RawHttp trace = RawHttp.open(broker.admin().port());
                RawHttp socket = RawHttp.open(broker.admin().port())) {
            trace.send("GET /api/v1/trace?topic=%23 HTTP/1.1\r\nHost: 127.0.0.1\r\n" + again + "\r\n\r\n");
            assertEquals(200, trace.reply(false).status());
            socket.send("GET /mqtt HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n"
                    + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + again + "\r\n\r\n");
            assertEquals(101, socket.reply(false).status());
            Files.writeString(users, line("ben"));
            assertTrue(trace.endsAfterWhatever(), "what it was shown");
            assertTrue(socket.endsAfterWhatever(), "MQTT from the dashboard");
        }
        Files.writeString(users, line("ann"));
        again = login("ann");
        broker.refuses("admin: {password-file: " + folder.resolve("none") + "}\n", "there is no such password file");
        assertEquals(200, status(again));
        broker.now("admin: {password-file: \"\"}\n");
        assertEquals(401, status(again));
    }

    private String login(String user) {
        try (RawHttp http = RawHttp.open(broker.admin().port())) {
            RawHttp.Reply reply = http.askJson(
                    "POST", "/api/v1/login", "{\"user\":\"" + user + "\",\"password\":\"sesame-" + user + "\"}");
            assertEquals(200, reply.status(), reply.body());
            String cookie = reply.header("set-cookie");
            return "Cookie: " + cookie.substring(0, cookie.indexOf(';'));
        }
    }

    private int status(String cookie) {
        try (RawHttp http = RawHttp.open(broker.admin().port())) {
            return http.ask("GET", "/api/v1/status", cookie).status();
        }
    }
}
