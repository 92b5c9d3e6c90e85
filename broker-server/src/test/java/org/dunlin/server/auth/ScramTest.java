package org.dunlin.server.auth;

import static org.dunlin.server.auth.PasswordHashTest.utf8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.dunlin.core.spi.Authenticator.Answer;
import org.dunlin.core.spi.Authenticator.Identity;
import org.dunlin.mqtt.ReasonCode;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The example of RFC 7677, a client of the test's own for what has no example, and everything that is wrong. */
class ScramTest {
    private static final byte[] SALT = Base64.getDecoder().decode("W22ZaJ0SNY7soEsUEjb6gQ==");
    private static final String NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    private static final String CLIENT_NONCE = "rOprNGfwEbeRWgbNEkqO";
    private static final String FIRST = "n,,n=user,r=" + CLIENT_NONCE;
    private static final String CHALLENGE = "r=" + CLIENT_NONCE + NONCE + ",s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
    private static final String FINAL =
            "c=biws,r=" + CLIENT_NONCE + NONCE + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

    private static ScramHash hash(ScramMechanism mechanism, String password) {
        return ScramHash.of(mechanism, 4096, SALT, utf8(password));
    }

    private static ScramExchange exchange(@Nullable String named) {
        Map<String, ScramHash> known =
                Map.of("user", hash(ScramMechanism.SHA_256, "pencil"), "a,b=c", hash(ScramMechanism.SHA_256, "pencil"));
        return new ScramExchange(
                ScramMechanism.SHA_256,
                named,
                user -> known.getOrDefault(user, hash(ScramMechanism.SHA_256, "nobody knows")),
                NONCE);
    }

    private static Answer step(ScramExchange exchange, @Nullable String data) {
        return exchange.step(data == null ? null : utf8(data))
                .toCompletableFuture()
                .join();
    }

    private static String asked(Answer answer) {
        byte[] data = assertInstanceOf(Answer.Continue.class, answer, answer.toString())
                .data();
        return new String(data, StandardCharsets.UTF_8);
    }

    private static String refused(Answer answer) {
        return assertInstanceOf(Answer.Refused.class, answer, answer.toString()).detail();
    }

    /** RFC 7677, 3. */
    @Test
    void exampleOfTheStandard_isPlayedThrough() {
        ScramExchange exchange = exchange(null);

        assertEquals(CHALLENGE, asked(step(exchange, FIRST)));
        Answer.Accepted accepted = assertInstanceOf(Answer.Accepted.class, step(exchange, FINAL));

        assertEquals(Identity.of("user", "password"), accepted.identity());
        assertEquals(
                "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", new String(accepted.data(), StandardCharsets.UTF_8));
    }

    /** Proof of a client that knows the password. */
    private static String proof(
            ScramMechanism mechanism, String password, String header, String first, String challenge) {
        byte[] salt = Base64.getDecoder().decode(challenge.replaceAll(".*,s=([^,]*),.*", "$1"));
        int iterations = Integer.parseInt(challenge.replaceAll(".*,i=", ""));
        byte[] salted = mechanism.saltedPassword(utf8(password), salt, iterations);
        byte[] clientKey = mechanism.hmac(salted, utf8("Client Key"));
        String bare = "c=" + Base64.getEncoder().encodeToString(utf8(header)) + ","
                + challenge.substring(0, challenge.indexOf(",s="));
        byte[] signature = mechanism.hmac(
                mechanism.hash(clientKey), utf8(first.substring(header.length()) + "," + challenge + "," + bare));
        for (int i = 0; i < signature.length; i++) {
            signature[i] ^= clientKey[i];
        }
        return bare + ",p=" + Base64.getEncoder().encodeToString(signature);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "n,, | n=user,r=abcdefgh",
                "y,, | n=user,r=abcdefgh",
                "n,a=user, | n=user,r=abcdefgh",
                "n,, | n=a=2Cb=3Dc,r=abcdefgh",
                "n,, | n=user,r=abcdefgh,x=an extension",
            })
    void otherBeginnings_areUnderstood(String header, String bare) {
        ScramExchange exchange = exchange(null);
        String first = header + bare;

        String challenge = asked(step(exchange, first));

        assertInstanceOf(
                Answer.Accepted.class,
                step(exchange, proof(ScramMechanism.SHA_256, "pencil", header, first, challenge)));
    }

    @Test
    void wrongPasswordAndUnknownUser_areTheSame() {
        for (String user : new String[] {"user", "nobody"}) {
            ScramExchange exchange = exchange(null);
            String first = "n,,n=" + user + ",r=abcdefgh";
            String challenge = asked(step(exchange, first));
            assertTrue(challenge.endsWith(",i=4096"));

            Answer answer = step(exchange, proof(ScramMechanism.SHA_256, "wrong", "n,,", first, challenge));

            assertEquals(ScramExchange.WRONG, answer);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "n,,",
                "n,,n=user",
                "n,,n=,r=abc",
                "n,,n=user,r=",
                "n,,r=abc,n=user",
                "n,,m=x,n=user,r=abc",
                "n,,n=user,r=abc,m=x",
                "n,,n=us=er,r=abc",
                "n,,n=user,r=a\u00e4c",
                "n,,n=user,r=abc,",
                "n,,n=user,r=abc,x",
                "n,,n=user,r=abc,a=,a=,a=,a=,a=,a=,a=,a=,a=",
                "n,n=user,r=abc",
                "x,,n=user,r=abc",
                "p=tls-unique,,n=user,r=abc",
                "p=tls-exporter,,n=user,r=abc",
                "n,a=root,n=user,r=abc",
                "n,,n=other,r=abc"
            })
    void wrongBeginnings_areRefused(String first) {
        Answer answer = step(exchange("user"), first);

        assertEquals(
                ReasonCode.NOT_AUTHORIZED,
                assertInstanceOf(Answer.Refused.class, answer).reason());
    }

    @Test
    void missingHugeOrUndecodable_isRefused() {
        assertEquals("Authentication Data is missing", refused(step(exchange(null), null)));
        assertTrue(
                refused(step(exchange(null), "n,,n=user,r=" + "a".repeat(4096))).contains("more than 4096 bytes"));
        Answer answer = exchange(null)
                .step(new byte[] {'n', ',', ',', (byte) 0xff})
                .toCompletableFuture()
                .join();
        assertTrue(refused(answer).contains("not UTF-8"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "c=biws,r=" + CLIENT_NONCE + NONCE + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVU=", // one bit
                "c=biws,r=" + CLIENT_NONCE + NONCE + ",p=AAAA",
                "c=biws,r=" + CLIENT_NONCE + NONCE + ",p=====",
                "c=biws,r=" + CLIENT_NONCE + NONCE,
                "c=biws,r=" + CLIENT_NONCE + NONCE + ",p=",
                "c=eSws,r=" + CLIENT_NONCE + NONCE + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=", // y,,
                "c=biws,r=" + CLIENT_NONCE + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                "c=biws,r=other,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                "r=" + CLIENT_NONCE + NONCE + ",c=biws,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                "",
                FIRST
            })
    void wrongEnds_areRefused_andThereIsNoSecondTry(String end) {
        ScramExchange exchange = exchange(null);
        asked(step(exchange, FIRST));

        refused(step(exchange, end));

        assertEquals("this SCRAM exchange is over", refused(step(exchange, FINAL)));
    }

    @Test
    void recordedExchange_isOfNoUseAgain() {
        ScramExchange again = new ScramExchange(
                ScramMechanism.SHA_256, null, user -> hash(ScramMechanism.SHA_256, "pencil"), "another-nonce");
        asked(step(again, FIRST));

        assertTrue(refused(step(again, FINAL)).contains("another nonce"));
    }

    @Test
    void passwordThatChangesMeanwhile_isTheOldOne() {
        ScramHash[] now = {hash(ScramMechanism.SHA_256, "pencil")};
        ScramExchange exchange = new ScramExchange(ScramMechanism.SHA_256, null, user -> now[0], NONCE);
        asked(step(exchange, FIRST));
        now[0] = hash(ScramMechanism.SHA_256, "eraser");

        assertEquals(ScramExchange.WRONG, step(exchange, FINAL));
    }

    // ---- accounts

    private static PasswordFile file(String... lines) throws Exception {
        return PasswordFile.parse("users", utf8(String.join("\n", lines)));
    }

    @Test
    void unknownUsers_haveSaltsThatStay_andLookLikeTheOthers() throws Exception {
        PasswordFile users = file(
                "ann:" + hash(ScramMechanism.SHA_256, "x").encoded(),
                "plain:" + DigestHash.decoy(101).encoded());
        ScramAccounts accounts = new ScramAccounts(() -> users);

        Set<String> salts = new HashSet<>();
        for (String user : new String[] {"plain", "nobody", "nobody else"}) {
            ScramHash one = accounts.account(ScramMechanism.SHA_256, user);
            assertEquals(one, accounts.account(ScramMechanism.SHA_256, user));
            assertEquals(4096, one.iterations());
            assertEquals(16, one.salt().length);
            assertTrue(salts.add(Base64.getEncoder().encodeToString(one.salt())));
        }
        assertEquals(
                ScramMechanism.SHA_512.iterations(),
                accounts.account(ScramMechanism.SHA_512, "ann").iterations());
        assertEquals(hash(ScramMechanism.SHA_256, "x"), accounts.account(ScramMechanism.SHA_256, "ann"));
    }

    /** Else whoever has another number than most would be known by it. */
    @Test
    void unknownUsers_haveIterationsAndSaltsAsTheOthersHave_asOftenAsThey() throws Exception {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            byte[] salt = new byte[i < 7 ? 16 : 40];
            lines.add("user-" + i + ":"
                    + ScramHash.of(ScramMechanism.SHA_256, i < 7 ? 4096 : 5000, salt, utf8("x"))
                            .encoded());
        }
        PasswordFile users = file(lines.toArray(new String[0]));
        lines.add("one-more:"
                + ScramHash.of(ScramMechanism.SHA_256, 4096, new byte[16], utf8("x"))
                        .encoded());
        PasswordFile later = file(lines.toArray(new String[0]));
        ScramAccounts accounts = new ScramAccounts(() -> users);
        int unusual = 0;
        for (int i = 0; i < 4000; i++) {
            ScramHash one = accounts.account(ScramMechanism.SHA_256, "nobody-" + i);
            assertEquals(one, accounts.account(ScramMechanism.SHA_256, "nobody-" + i));
            assertEquals(one.iterations() == 4096 ? 16 : 40, one.salt().length);
            unusual += one.iterations() == 5000 ? 1 : 0;
        }
        assertTrue(unusual > 1000 && unusual < 1400, unusual + " of 4000, 3 of 10 are");
        int others = 0;
        for (int i = 0; i < 1000; i++) {
            double chance = i / 1000.0;
            others += users.scramShape(ScramMechanism.SHA_256, chance)
                            .equals(later.scramShape(ScramMechanism.SHA_256, chance))
                    ? 0
                    : 1;
        }
        assertTrue(others < 40, others + " of 1000 change when one account is added");
    }

    @Test
    void eachExchange_hasItsOwnNonce_andOtherMethodsHaveNone() throws Exception {
        PasswordFile users = file();
        ScramAccounts accounts = new ScramAccounts(() -> users);
        ScramExchange one = accounts.exchange("SCRAM-SHA-512", null);
        ScramExchange other = accounts.exchange("SCRAM-SHA-512", null);
        assertNotNull(one);
        assertNotNull(other);

        assertNotEquals(asked(step(one, FIRST)), asked(step(other, FIRST)));
        assertNull(accounts.exchange("SCRAM-SHA-256-PLUS", null));
        assertNull(accounts.exchange("SCRAM-SHA-1", null));
        assertNull(accounts.exchange("scram-sha-256", null));
    }

    // ---- hashes

    @ParameterizedTest
    @EnumSource(ScramMechanism.class)
    void hash_matchesThePlainPassword_too(ScramMechanism mechanism) throws Exception {
        PasswordHash hash = PasswordHash.parse(
                ScramHash.of(mechanism, 4096, utf8("pass\u00adword \u2168")).encoded());

        assertTrue(hash.matches(utf8("pass\u00adword \u2168")));
        assertTrue(hash.matches(utf8("password IX")), "SASLprep makes them the same");
        assertFalse(hash.matches(utf8("password ix")));
        assertFalse(hash.matches(new byte[] {(byte) 0xff}));
        assertFalse(hash.matches(new byte[0]));
        assertFalse(hash.matches(utf8("\u00ad")));
        assertFalse(hash.decoy().matches(utf8("password IX")));
        assertEquals(hash.work(), hash.decoy().work());
        assertEquals(hash, PasswordHash.parse(hash.encoded()));
    }

    /** RFC 4013, 3: what SASLprep refuses. */
    @Test
    void passwordsThatScramCannotHave_areRefused() {
        for (String password : new String[] {"\u0007", "\u0627\u0031", "\u00ad", "a\u0000b"}) {
            assertThrows(PasswordHash.Unfit.class, () -> ScramHash.of(ScramMechanism.SHA_256, 4096, utf8(password)));
        }
        assertThrows(
                PasswordHash.Unfit.class, () -> ScramHash.of(ScramMechanism.SHA_256, 4096, new byte[] {(byte) 0xc3}));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "$scram-sha-1$4096$AAAA$AAAA$AAAA | does not have the form",
                "$scram-sha-256$4096$AAAA$AAAA | does not have the form",
                "$scram-sha-256$4095$AAAA$AAAA$AAAA | 4095 iterations; allowed: 4096 to 10000000",
                "$scram-sha-256$999999999$AAAA$AAAA$AAAA | 999999999 iterations",
                "$scram-sha-256$4096$$AAAA$AAAA | salt of 0 bytes",
                "$scram-sha-256$4096$!$AAAA$AAAA | salt that is not base64",
                "$scram-sha-256$4096$AAAA$AAAA$AAAA | stored key of 3 bytes instead of 32; the line may be cut off",
            })
    void whatIsNoHash_isTold(String text, String told) {
        String message = assertThrows(PasswordHash.Unfit.class, () -> PasswordHash.parse(text))
                .getMessage();

        assertTrue(message.contains(told), message);
    }
}
