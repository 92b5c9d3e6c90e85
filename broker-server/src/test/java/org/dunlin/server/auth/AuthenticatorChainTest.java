package org.dunlin.server.auth;

import static org.dunlin.server.auth.PasswordHashTest.utf8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.dunlin.core.spi.Authenticator.Answer;
import org.dunlin.core.spi.Authenticator.Credentials;
import org.dunlin.core.spi.Authenticator.Exchange;
import org.dunlin.core.spi.Authenticator.Identity;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.server.acl.Operator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** Members of the test's own, which write down that they were asked. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class AuthenticatorChainTest {
    private final List<String> asked = new ArrayList<>();
    private final Fake tokens = new Fake("token");
    private final Fake passwords = new Fake("password");
    private X509Certificate meter;
    private X509Certificate nameless;

    @BeforeAll
    void make() throws Exception {
        meter = Certificates.make("CN=meter", "-validity", "10");
        nameless = Certificates.make("OU=north");
    }

    /** Is for passwords that begin with its name, or for all that have a user if it is the last; takes "name-right" alone. */
    private final class Fake implements Member {
        private final String name;

        Fake(String name) {
            this.name = name;
        }

        @Override
        public String source() {
            return name;
        }

        @Override
        public boolean isFor(Credentials credentials) {
            byte[] password = credentials.password();
            return name.equals("password")
                    ? credentials.userName() != null
                    : password != null
                            && new String(password, java.nio.charset.StandardCharsets.UTF_8).startsWith(name);
        }

        @Override
        public void ask(Gate gate) {}

        @Override
        public String wants() {
            return "send a " + name;
        }

        @Override
        public CompletionStage<Answer> authenticate(Credentials credentials) {
            asked.add(name);
            byte[] password = credentials.password();
            boolean right = password != null
                    && new String(password, java.nio.charset.StandardCharsets.UTF_8).equals(name + "-right");
            String user = credentials.userName() == null ? "of-" + name : credentials.userName();
            return CompletableFuture.completedFuture(
                    right
                            ? new Answer.Accepted(new Identity(user, name, null, 5000), null)
                            : new Answer.Refused(ReasonCode.BAD_USER_NAME_OR_PASSWORD, "wrong"));
        }

        @Override
        public @Nullable Exchange exchange(String method, Credentials credentials) {
            return method.equals(name.toUpperCase())
                    ? data -> CompletableFuture.completedFuture(new Answer.Accepted(
                            Identity.of(new String(data, java.nio.charset.StandardCharsets.UTF_8), name), null))
                    : null;
        }

        @Override
        public @Nullable String review(Identity identity) {
            return name + " does not know " + identity.userName();
        }

        @Override
        public void watch(Runnable changed) {
            changed.run();
        }

        @Override
        public void close() {
            asked.add("close " + name);
        }
    }

    private ClientIdBinding clientIds = ClientIdBinding.OFF;

    private AuthenticatorChain chain(@Nullable CertificateUser certificates, Fake... members) {
        asked.clear();
        return new AuthenticatorChain(
                new AuthenticatorChain.Parts(Set.of("open"), certificates, List.of(members), clientIds),
                System::currentTimeMillis);
    }

    private static Credentials credentials(
            @Nullable String user, @Nullable String password, String listener, @Nullable X509Certificate certificate) {
        return new Credentials(
                "id", user, password == null ? null : utf8(password), "127.0.0.1:5", listener, certificate);
    }

    private static Answer answer(AuthenticatorChain chain, Credentials credentials) {
        return chain.authenticate(credentials).toCompletableFuture().join();
    }

    private static Answer answer(AuthenticatorChain chain, @Nullable String user, @Nullable String password) {
        return answer(chain, credentials(user, password, "closed", null));
    }

    private static Identity accepted(Answer answer) {
        return assertInstanceOf(Answer.Accepted.class, answer).identity();
    }

    private static String refused(ReasonCode reason, Answer answer) {
        Answer.Refused refused = assertInstanceOf(Answer.Refused.class, answer);
        assertEquals(reason, refused.reason());
        return refused.detail();
    }

    @Test
    void firstThatIsForIt_decidesAlone() {
        AuthenticatorChain chain = chain(null, tokens, passwords);

        assertEquals("token", accepted(answer(chain, "ann", "token-right")).source());
        assertEquals(
                "password", accepted(answer(chain, "ann", "password-right")).source());
        assertEquals("of-token", accepted(answer(chain, null, "token-right")).userName());
        refused(ReasonCode.BAD_USER_NAME_OR_PASSWORD, answer(chain, "ann", "token-wrong"));

        assertEquals(List.of("token", "password", "token", "token"), asked);
    }

    @Test
    void withoutUserName_theListenerDecides() {
        AuthenticatorChain chain = chain(null, tokens, passwords);

        assertEquals(Identity.of(null, "anonymous"), accepted(answer(chain, credentials(null, null, "open", null))));
        assertEquals(
                "listener closed takes no anonymous clients; send a token, or send a password",
                refused(ReasonCode.NOT_AUTHORIZED, answer(chain, null, null)));
        assertEquals(List.of(), asked);
    }

    @Test
    void userName_hasToBeProven_alsoWhereItMayBeLeftOut() {
        AuthenticatorChain chain = chain(null, tokens);

        String said = refused(ReasonCode.NOT_AUTHORIZED, answer(chain, credentials("ann", "x", "open", null)));

        assertEquals("nobody here can tell who gives this user name; send a token", said);
        assertTrue(chain.provesUsers());
    }

    @Test
    void withoutAnybodyToAsk_everyNameIsTakenWhereEverybodyMayCome() {
        AuthenticatorChain chain = chain(null);

        assertFalse(chain.provesUsers());
        assertEquals(
                "ann",
                accepted(answer(chain, credentials("ann", "x", "open", null))).userName());
        assertEquals(
                "listener closed takes no anonymous clients; see auth.allow-anonymous",
                refused(ReasonCode.NOT_AUTHORIZED, answer(chain, "ann", "x")));
    }

    @Test
    void certificate_namesTheUser_untilItExpires() {
        AuthenticatorChain chain = chain(new CertificateUser(CertificateUser.Field.CN, false), passwords);
        Credentials shown = credentials(null, "needless", "closed", meter);

        Identity who = accepted(answer(chain, shown));

        assertEquals("meter", who.userName());
        long days = who.lifeMillis() / 86_400_000;
        assertTrue(days == 9 || days == 10, who.toString());
        assertArrayEquals(new byte[8], shown.password());
        assertEquals(
                "meter",
                accepted(answer(chain, credentials("meter", null, "closed", meter)))
                        .userName());
        assertTrue(refused(
                        ReasonCode.BAD_USER_NAME_OR_PASSWORD,
                        answer(chain, credentials("ann", "password-right", "closed", meter)))
                .contains("'meter'"));
        assertTrue(refused(ReasonCode.NOT_AUTHORIZED, answer(chain, credentials(null, null, "open", nameless)))
                .contains("no common name"));
        assertNull(chain.review(who));
        assertEquals(List.of(), asked);
        assertEquals(
                "password", accepted(answer(chain, "ann", "password-right")).source(), "without a certificate");
    }

    @Test
    void certificateWithPassword_needsBoth_andOneUser() {
        AuthenticatorChain chain = chain(new CertificateUser(CertificateUser.Field.CN, true), passwords);

        Identity who = accepted(answer(chain, credentials(null, "password-right", "closed", meter)));

        assertEquals(new Identity("meter", "password", null, 5000), who);
        refused(ReasonCode.BAD_USER_NAME_OR_PASSWORD, answer(chain, credentials("meter", "x", "closed", meter)));
        refused(ReasonCode.BAD_USER_NAME_OR_PASSWORD, answer(chain, credentials(null, null, "open", meter)));
    }

    @Test
    void expiredCertificate_isRefused() {
        AuthenticatorChain later = new AuthenticatorChain(
                new AuthenticatorChain.Parts(
                        Set.of(), new CertificateUser(CertificateUser.Field.CN, false), List.of(), ClientIdBinding.OFF),
                () -> meter.getNotAfter().getTime());

        assertEquals(
                "the certificate has expired; renew it",
                refused(ReasonCode.NOT_AUTHORIZED, answer(later, credentials(null, null, "open", meter))));
    }

    @Test
    void exchange_isTheMembersWhoKnowsTheMethod_andOfTheUserOfTheCertificate() {
        AuthenticatorChain chain = chain(new CertificateUser(CertificateUser.Field.CN, false), tokens, passwords);
        assertNull(chain.exchange("OTHER", credentials(null, null, "closed", null)));

        Exchange free = chain.exchange("TOKEN", credentials(null, null, "closed", null));
        assertNotNull(free);
        assertEquals("ann", accepted(step(free, "ann")).userName());
        Exchange bound = chain.exchange("PASSWORD", credentials(null, null, "closed", meter));
        assertNotNull(bound);
        assertEquals("meter", accepted(step(bound, "meter")).userName());
        refused(ReasonCode.NOT_AUTHORIZED, step(bound, "ann"));
    }

    private static Answer step(Exchange exchange, String data) {
        return exchange.step(utf8(data)).toCompletableFuture().join();
    }

    @Test
    void review_isOfWhoeverProvedIt() {
        AuthenticatorChain chain = chain(null, tokens, passwords);

        assertEquals("password does not know ann", chain.review(Identity.of("ann", "password")));
        assertEquals("token does not know ann", chain.review(Identity.of("ann", "token")));
        assertNull(chain.review(Identity.of(null, "anonymous")));
    }

    @Test
    void clientIdentifiers_canBeBoundToUsers() {
        assertNull(taken("ann", "anything"));
        clientIds = ClientIdBinding.USER;
        assertNull(taken("ann", "ann"));
        assertRefused(taken("ann", "ben"), "it has to be the user name");
        assertRefused(taken("ann", "ann:1"), "it has to be the user name");
        clientIds = ClientIdBinding.PREFIX;
        assertNull(taken("ann", "ann:1"));
        assertNull(taken("ann:b", "ann:b:1"));
        assertNull(taken("ann", "ann:"));
        for (String other : List.of("ann", "ann1", "ann-1", "ben:1", "ann:b:1", "Ann:1", "dunlin-abc")) {
            assertRefused(taken("ann", other), "it has to be 'ann:...'");
        }
        assertRefused(taken(null, "ann:1"), "without a user name it has to be empty");
        assertNull(taken(null, "dunlin-0123456789abcdef"), "assigned");
        assertNull(taken("ann", "dunlin-0123456789abcdef"), "assigned");
    }

    private @Nullable String taken(@Nullable String user, String clientId) {
        return chain(new CertificateUser(CertificateUser.Field.CN, false))
                .review(
                        Identity.of(user, "certificate"),
                        new BrokerEvents.Peer(clientId, user, "10.0.0.1:1", "tcp", null));
    }

    private static void assertRefused(@Nullable String refusal, String why) {
        assertNotNull(refusal);
        assertTrue(refusal.contains(why) && refusal.contains("auth.bind-client-id"), refusal);
    }

    private static AuthenticatorChain.Parts parts(
            @Nullable CertificateUser certificates, Set<String> open, Fake... members) {
        return new AuthenticatorChain.Parts(open, certificates, List.of(members), ClientIdBinding.OFF);
    }

    private static @Nullable String review(AuthenticatorChain chain, @Nullable String user, String source) {
        return chain.review(Identity.of(user, source), new BrokerEvents.Peer("id", user, "10.0.0.1:1", "open", null));
    }

    @Test
    void othersThanBefore_areAskedAtOnce_andWhoIsThereIsReviewedByThem() {
        AuthenticatorChain chain = chain(new CertificateUser(CertificateUser.Field.CN, false));
        assertNull(review(chain, "meter", "certificate"));
        assertNull(review(chain, null, "anonymous"));
        assertNotNull(review(chain, "claimed", "anonymous"), "certificates prove users");

        chain.use(parts(null, Set.of("open")));
        assertNull(review(chain, "claimed", "anonymous"), "nobody proves anything");
        assertNotNull(review(chain, "meter", "certificate"));

        chain.use(parts(null, Set.of("open"), passwords));
        assertEquals("ann", accepted(answer(chain, "ann", "password-right")).userName());
        assertNull(review(chain, null, "anonymous"));
        assertNotNull(review(chain, "claimed", "anonymous"));
        assertNotNull(review(chain, "ann", "token"), "tokens are not taken any more");
        assertNull(chain.review(Operator.identity(), new BrokerEvents.Peer("id", null, "", Operator.LISTENER, null)));

        chain.use(parts(null, Set.of(), passwords));
        assertNotNull(review(chain, null, "anonymous"));
    }

    @Test
    void memberThatStays_isNotBegunAgain_andTheOneThatLeavesIsHandedOut() {
        AuthenticatorChain chain = chain(null, tokens);
        List<String> changes = new ArrayList<>();
        chain.watch(() -> changes.add("changed"));

        assertEquals(List.of(), chain.use(parts(null, Set.of(), tokens, passwords)));
        assertEquals(2, changes.size(), "each once");
        assertEquals(List.of(tokens), chain.use(parts(null, Set.of(), passwords)));
        assertEquals(List.of(), asked, "whoever changes it closes it");
    }

    @Test
    void watchAndClose_reachAllMembers() {
        AuthenticatorChain chain = chain(null, tokens, passwords);
        List<String> changes = new ArrayList<>();

        chain.watch(() -> changes.add("changed"));
        chain.close();

        assertEquals(2, changes.size());
        assertEquals(List.of("close token", "close password"), asked);
    }
}
