package org.dunlin.server.auth.jwt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.security.Key;
import java.security.KeyPair;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import javax.crypto.spec.SecretKeySpec;
import org.dunlin.core.spi.Authenticator.Answer;
import org.dunlin.core.spi.Authenticator.Credentials;
import org.dunlin.core.spi.Authenticator.Exchange;
import org.dunlin.core.spi.Authenticator.Identity;
import org.dunlin.mqtt.ReasonCode;
import org.jose4j.json.JsonUtil;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** At a time that the test sets, with workers that work at once. */
class JwtAuthenticatorTest {
    private static final String SECRET = "a secret of more than thirty-two bytes";
    private static final Key KEY = new SecretKeySpec(SECRET.getBytes(StandardCharsets.UTF_8), "HMAC");
    private static final long NOW = 1_800_000_000L;
    private static final JwtSettings USUAL = new JwtSettings(
            "", "", "sub", "acl", "", "", Duration.ofSeconds(30), false, true, true, Duration.ofSeconds(10));

    private JwtSettings settings = USUAL;
    private final Map<String, Object> claims = new HashMap<>(Map.of("sub", "ann", "exp", NOW + 100));

    private JwtAuthenticator with(VerificationKeys keys) {
        return new JwtAuthenticator(settings, KeySource.of(keys), (login, task) -> task.run(), () -> NOW * 1000);
    }

    private JwtAuthenticator bySecret() throws Exception {
        return with(VerificationKeys.ofSecret(SECRET, List.of()));
    }

    private static JwtSettings settings(String issuer, String audience, String clientIdClaim, String groupsClaim) {
        return new JwtSettings(
                issuer,
                audience,
                "sub",
                "acl",
                groupsClaim,
                clientIdClaim,
                Duration.ofSeconds(30),
                false,
                true,
                true,
                Duration.ofSeconds(10));
    }

    private static Credentials credentials(@Nullable String user, String token) {
        return new Credentials("id", user, token.getBytes(StandardCharsets.UTF_8), "127.0.0.1:5", "tcp", null);
    }

    private static Answer answer(JwtAuthenticator authenticator, @Nullable String user, String token) {
        return authenticator
                .authenticate(credentials(user, token))
                .toCompletableFuture()
                .join();
    }

    private Answer answer() throws Exception {
        return answer(bySecret(), null, Signer.sign("HS256", KEY, claims));
    }

    private static Identity accepted(Answer answer) {
        return assertInstanceOf(Answer.Accepted.class, answer, answer.toString())
                .identity();
    }

    private static String refused(Answer answer) {
        Answer.Refused refused = assertInstanceOf(Answer.Refused.class, answer);
        assertEquals(ReasonCode.NOT_AUTHORIZED, refused.reason());
        return refused.detail();
    }

    private void says(String name, @Nullable Object value) {
        if (value == null) {
            claims.remove(name);
        } else {
            claims.put(name, value);
        }
    }

    @Test
    void signedToken_saysWhoItIsAndForHowLong() throws Exception {
        assertEquals(new Identity("ann", "jwt", null, 130_000), accepted(answer()));
    }

    @ParameterizedTest
    @CsvSource({
        "RSA,RS256",
        "RSA,RS384",
        "RSA,RS512",
        "RSA,PS256",
        "RSA,PS512",
        "P-256,ES256",
        "P-384,ES384",
        "P-521,ES512",
        "Ed25519,EdDSA"
    })
    void everyKindOfPublicKey_isUsed_andNoneForAnother(String kind, String algorithm) throws Exception {
        KeyPair pair = Signer.pair(kind);
        JwtAuthenticator authenticator = with(pem(pair.getPublic()));

        assertEquals(
                "ann",
                accepted(answer(authenticator, "ann", Signer.sign(algorithm, pair.getPrivate(), claims)))
                        .userName());

        String forged = Signer.sign(algorithm, Signer.pair(kind).getPrivate(), claims);
        assertEquals("the token has a signature that is not valid", refused(answer(authenticator, null, forged)));
    }

    private static VerificationKeys pem(Key... keys) throws Exception {
        StringBuilder text = new StringBuilder();
        for (Key key : keys) {
            text.append(Signer.pem(key));
        }
        return KeyFile.pem(text.toString().getBytes(StandardCharsets.US_ASCII), List.of());
    }

    /** The classic: the public key, which everybody has, as the secret of a HMAC. */
    @Test
    void hmacWithThePublicKey_isRefused() throws Exception {
        KeyPair pair = Signer.pair("RSA");
        String pem = Signer.pem(pair.getPublic());
        JwtAuthenticator authenticator = with(pem(pair.getPublic()));
        for (byte[] secret : List.of(
                pem.getBytes(StandardCharsets.UTF_8),
                pem.strip().getBytes(StandardCharsets.UTF_8),
                pair.getPublic().getEncoded())) {
            String token = Signer.sign("HS256", new SecretKeySpec(secret, "HMAC"), claims);

            assertEquals(
                    "the token is signed by an algorithm that does not count here",
                    refused(answer(authenticator, null, token)));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "None", "NONE", "nOnE", "", "HS1", "RS256", "dir", "PBES2-HS256+A128KW"})
    void otherAlgorithms_areRefused(String algorithm) throws Exception {
        String claimed = JsonUtil.toJson(claims);
        String signature = Signer.sign("HS256", KEY, claims).split("\\.")[2];
        for (String end : List.of("", signature, "AAAA")) {
            String token = Signer.parts("{\"alg\":\"" + algorithm + "\"}", claimed, end);

            refused(answer(bySecret(), null, token));
        }
        refused(answer(bySecret(), null, Signer.parts("{}", claimed, "")));
        refused(answer(bySecret(), null, Signer.parts("{\"alg\":null}", claimed, "")));
        refused(answer(bySecret(), null, Signer.parts("{\"alg\":[\"HS256\"]}", claimed, "")));
    }

    @Test
    void algorithms_canBeFewer() throws Exception {
        KeyPair pair = Signer.pair("RSA");
        VerificationKeys keys = KeyFile.pem(
                Signer.pem(pair.getPublic()).getBytes(StandardCharsets.US_ASCII), List.of("RS512", "ES256"));

        accepted(answer(with(keys), null, Signer.sign("RS512", pair.getPrivate(), claims)));
        refused(answer(with(keys), null, Signer.sign("RS256", pair.getPrivate(), claims)));
    }

    @ParameterizedTest
    @CsvSource({
        "exp,-29,true",
        "exp,-30,false",
        "exp,-100000,false",
        "nbf,30,true",
        "nbf,31,false",
        "nbf,-5,true",
        "exp,1,true"
    })
    void times_areKeptWithLeeway(String claim, long seconds, boolean right) throws Exception {
        says(claim, NOW + seconds);

        assertEquals(right, answer() instanceof Answer.Accepted, answer().toString());
    }

    @Test
    void strangeTimes() throws Exception {
        says("exp", null);
        assertTrue(refused(answer()).contains("does not say when it expires"));
        says("exp", "tomorrow");
        assertEquals("the token has no time in exp", refused(answer()));
        says("exp", -1e300);
        assertEquals("the token has expired; get a new one", refused(answer()));
        says("exp", 1e300);
        assertTrue(accepted(answer()).lifeMillis() > 0);
        says("nbf", 1e300);
        assertEquals("the token is not valid yet; compare the clocks", refused(answer()));
        says("nbf", List.of());
        assertEquals("the token has no time in nbf", refused(answer()));
        says("nbf", null);
        says("exp", NOW + 1.5);
        assertEquals(31_000, accepted(answer()).lifeMillis());
    }

    @Test
    void withoutExpiry_onlyIfAllowed() throws Exception {
        says("exp", null);
        settings =
                new JwtSettings("", "", "sub", "", "", "", Duration.ZERO, false, true, false, Duration.ofSeconds(10));

        assertEquals(Identity.WITHOUT_END, accepted(answer()).lifeMillis());
    }

    @Test
    void issuerAndAudience_haveToBeTheRightOnes() throws Exception {
        settings = settings("https://id.example.org", "mqtt", "", "");
        assertTrue(refused(answer()).contains("another issuer"));
        says("iss", "https://id.example.org/");
        assertTrue(refused(answer()).contains("another issuer"));
        says("iss", "https://id.example.org");
        assertTrue(refused(answer()).contains("another audience"));
        says("aud", "mqtt2");
        assertTrue(refused(answer()).contains("another audience"));
        says("aud", "mqtt");
        accepted(answer());
        says("aud", List.of("web", "mqtt"));
        accepted(answer());
        says("aud", List.of("web"));
        refused(answer());
        says("aud", List.of());
        refused(answer());

        settings = USUAL;
        assertTrue(refused(answer()).contains("another audience"), "an audience that nobody here is");
    }

    @Test
    void user_hasToBeAName_andTheOneOfConnect() throws Exception {
        String token = Signer.sign("HS256", KEY, claims);
        accepted(answer(bySecret(), "ann", token));
        assertEquals("the token is of another user than the user name says", refused(answer(bySecret(), "ben", token)));

        for (Object wrong : List.of("", "a\nb", "\u0000", 7, List.of("ann"), "x".repeat(70_000))) {
            says("sub", wrong);
            refused(answer());
        }
        says("sub", null);
        assertEquals("the token names no user: it has no claim 'sub'", refused(answer()));
    }

    @Test
    void tokenForOneClient_isGoodForNoOther() throws Exception {
        settings = settings("", "", "cid", "");
        assertTrue(refused(answer()).contains("another client identifier"));
        says("cid", "other");
        assertTrue(refused(answer()).contains("another client identifier"));
        says("cid", "id");
        accepted(answer());
    }

    @Test
    void rights_areReadInBothForms() throws Exception {
        says("acl", Map.of("publish", List.of("a/#", "b"), "subscribe", "c/+"));
        assertEquals(
                "TokenRights[4 filters, groups []]",
                String.valueOf(accepted(answer()).claims()));
        says("acl", Map.of("publish", List.of("a/#"), "subscribe", List.of("c"), "receive", List.of("d", "e")));
        assertEquals(
                "TokenRights[4 filters, groups []]",
                String.valueOf(accepted(answer()).claims()));
        says("acl", List.of(Map.of("action", "all", "topic", "a"), Map.of("action", "publish", "topic", List.of("b"))));
        assertEquals(
                "TokenRights[4 filters, groups []]",
                String.valueOf(accepted(answer()).claims()));
        says("acl", Map.of());
        assertEquals(
                "TokenRights[0 filters, groups []]",
                String.valueOf(accepted(answer()).claims()));

        settings = settings("", "", "", "roles");
        says("acl", null);
        says("roles", List.of("staff"));
        assertEquals(
                "TokenRights[no topics, groups [staff]]",
                String.valueOf(accepted(answer()).claims()));
        says("roles", List.of(7));
        assertTrue(refused(answer()).contains("something that is no text"));
    }

    @Test
    void rightsThatAreNotUnderstood_areRefused() throws Exception {
        for (Object wrong : List.of(
                "a/#",
                7,
                Map.of("write", List.of("a")),
                Map.of("publish", 7),
                Map.of("publish", List.of("a/#/b")),
                List.of("publish a"),
                List.of(Map.of("permission", "deny", "action", "publish", "topic", "a")))) {
            says("acl", wrong);

            refused(answer());
        }
        says("acl", Map.of("publish", List.of("a".repeat(100)), "subscribe", java.util.Collections.nCopies(1001, "a")));
        assertTrue(refused(answer()).contains("at most 1000"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "../../../../dev/null",
                "/etc/passwd",
                "x' UNION SELECT 'AAAA",
                "http://127.0.0.1:1/keys",
                "\u0000",
                "",
                "|touch /tmp/x"
            })
    void keyIdentifier_isComparedAndNothingElse(String kid) throws Exception {
        String set = "{\"keys\":[" + jwk(Signer.pair("P-256"), "one") + "]}";
        JwtAuthenticator authenticator = with(KeyFile.jwks(set.getBytes(StandardCharsets.UTF_8), List.of()));

        String token =
                Signer.sign("ES256", Signer.pair("P-256").getPrivate(), Map.of("kid", kid), JsonUtil.toJson(claims));

        assertTrue(refused(answer(authenticator, null, token)).contains("names no key that is known here"));
    }

    static String jwk(KeyPair pair, String id) throws Exception {
        var key = org.jose4j.jwk.JsonWebKey.Factory.newJwk(pair.getPublic());
        key.setKeyId(id);
        return key.toJson();
    }

    @Test
    void keysInTheTokenItself_areNeverUsed() throws Exception {
        KeyPair mine = Signer.pair("P-256");
        JwtAuthenticator authenticator = with(pem(Signer.pair("P-256").getPublic()));
        Map<String, Object> jwk = JsonUtil.parseJson(jwk(mine, "mine"));
        for (Map<String, Object> header : List.<Map<String, Object>>of(
                Map.of("jwk", jwk), Map.of("jku", "http://127.0.0.1:1/"), Map.of("x5u", "http://127.0.0.1:1/"))) {
            String token = Signer.sign("ES256", mine.getPrivate(), header, JsonUtil.toJson(claims));

            assertEquals("the token has a signature that is not valid", refused(answer(authenticator, null, token)));
        }
    }

    @Test
    void malformedTokens_areRefused() throws Exception {
        String claimed = JsonUtil.toJson(claims);
        String good = Signer.sign("HS256", KEY, claims);
        List<String> wrong = List.of(
                Signer.sign("HS256", KEY, Map.of("crit", List.of("exp"), "exp", 1), claimed),
                Signer.sign("HS256", KEY, Map.of("crit", List.of()), claimed),
                Signer.sign("HS256", KEY, Map.of(), "[]"),
                Signer.sign("HS256", KEY, Map.of(), "no JSON"),
                Signer.sign("HS256", KEY, Map.of(), ""),
                Signer.sign("HS256", KEY, Map.of(), "{\"sub\":\"ann\",\"sub\":\"ben\",\"exp\":" + (NOW + 9) + "}"),
                Signer.sign("HS256", KEY, Map.of(), "[".repeat(5000) + "]".repeat(5000)),
                good.substring(0, good.length() - 2),
                good + "A",
                "e30." + good.split("\\.")[1] + ".",
                "eyJ.eyJ.eyJ",
                Signer.parts("{\"alg\":\"HS256\",\"alg\":\"none\"}", claimed, "AAAA"),
                Signer.parts("[".repeat(3000), claimed, "AAAA"));
        for (String token : wrong) {
            refused(answer(bySecret(), null, token));
        }
        assertEquals("the token has 16385 bytes; at most 16384", refused(answer(bySecret(), null, "e".repeat(16_385))));
    }

    @Test
    void whatIsMeantForAToken() throws Exception {
        JwtAuthenticator authenticator = bySecret();

        assertTrue(authenticator.isFor(credentials(null, Signer.sign("HS256", KEY, claims))));
        assertTrue(authenticator.isFor(credentials("ann", "eyJhbGciOiJub25lIn0.e30.")));
        for (String other : List.of("", "secret", "ey", "eyJ.a", "eyJ.a.b.c", "eyJ.a.b.c.d", "eyJ a.b.c", "a.b.c")) {
            assertFalse(authenticator.isFor(credentials("ann", other)), other);
        }
        assertFalse(authenticator.isFor(new Credentials("id", "ann", null, "", "tcp", null)));
    }

    @Test
    void tokenInTheUserName() throws Exception {
        settings = new JwtSettings("", "", "sub", "", "", "", Duration.ZERO, true, true, true, Duration.ofSeconds(10));
        String token = Signer.sign("HS256", KEY, claims);

        assertTrue(bySecret().isFor(credentials(token, "")));
        assertEquals("ann", accepted(answer(bySecret(), token, "")).userName());
    }

    @Test
    void method_takesOneTokenAtATime() throws Exception {
        Exchange exchange = bySecret().exchange("JWT", new Credentials("id", "ann", null, "", "tcp", null));
        assertNotNull(exchange);
        assertNull(bySecret().exchange("jwt", new Credentials("id", "ann", null, "", "tcp", null)));

        assertTrue(refused(exchange.step(null).toCompletableFuture().join()).contains("is missing"));
        byte[] token = Signer.sign("HS256", KEY, claims).getBytes(StandardCharsets.US_ASCII);
        assertEquals(
                "ann",
                accepted(exchange.step(token).toCompletableFuture().join()).userName());
        says("sub", "ben");
        byte[] other = Signer.sign("HS256", KEY, claims).getBytes(StandardCharsets.US_ASCII);
        assertTrue(refused(exchange.step(other).toCompletableFuture().join()).contains("another user"));
    }

    /** Nobody forges a signature that is right. */
    @Test
    void whoseSignatureIsRight_doesNotGuess_whateverElseIsWrong() throws Exception {
        says("exp", NOW - 1000);
        assertFalse(((Answer.Refused) answer()).isGuess());
        says("exp", NOW + 100);
        says("aud", "others");
        assertFalse(((Answer.Refused) answer()).isGuess());
        claims.remove("aud");
        String token = Signer.sign("HS256", KEY, claims);
        Answer forged = answer(bySecret(), null, token.substring(0, token.length() - 3) + "AAA");
        assertTrue(((Answer.Refused) forged).isGuess());
    }

    @Test
    void tooMuchWork_isToldAtOnce() throws Exception {
        JwtAuthenticator busy = new JwtAuthenticator(
                settings,
                KeySource.of(VerificationKeys.ofSecret(SECRET, List.of())),
                (login, task) -> {
                    throw new RejectedExecutionException();
                },
                () -> NOW * 1000);

        Answer answer = answer(busy, null, Signer.sign("HS256", KEY, claims));

        assertEquals(
                ReasonCode.SERVER_BUSY,
                assertInstanceOf(Answer.Refused.class, answer).reason());
    }
}
