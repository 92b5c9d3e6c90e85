package org.dunlin.server.ban;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.dunlin.core.spi.Authenticator;
import org.dunlin.core.spi.Authenticator.Answer;
import org.dunlin.core.spi.Authenticator.Credentials;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.server.auth.HashWorkers;
import org.dunlin.server.auth.LoginQueue;
import org.dunlin.server.share.AddressBlock;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The right password of everybody is "right"; a client without a user name is let in. */
class LoginGuardTest {
    private static final LoginGuard.Policy POLICY = new LoginGuard.Policy(
            3,
            6,
            Duration.ofMinutes(10),
            Duration.ofMinutes(1),
            Duration.ofHours(1),
            List.of(Objects.requireNonNull(AddressBlock.parse("127.0.0.0/8"))));

    @TempDir
    Path folder;

    private long now = 1_700_000_000_000L;
    private int asked;
    private final List<String> told = new ArrayList<>();
    private final List<Runnable> waiting = new ArrayList<>();
    private Path file;
    private Bans bans;
    private LoginGuard guard;

    @BeforeEach
    void makeOne() throws Exception {
        file = Files.writeString(folder.resolve("bans"), "");
        bans = new Bans(file, POLICY.time(), POLICY.maxTime(), () -> now);
        guard = guard(POLICY);
    }

    private LoginGuard guard(LoginGuard.Policy policy) {
        return new LoginGuard(
                new Passwords(),
                bans,
                policy,
                (source, user, until, failures, key) -> told.add(source + " " + user + " " + key),
                () -> now,
                new LoginGuard.Later() {
                    @Override
                    public void run(Runnable task, long delayMillis) {
                        assertEquals(LoginGuard.WAIT_MILLIS, delayMillis);
                        waiting.add(task);
                    }

                    @Override
                    public void close() {}
                });
    }

    private final class Passwords implements Authenticator {
        @Override
        public CompletionStage<Answer> authenticate(Credentials credentials) {
            asked++;
            byte[] password = credentials.password();
            boolean right = password == null || new String(password, StandardCharsets.UTF_8).equals("right");
            return CompletableFuture.completedFuture(
                    right
                            ? new Answer.Accepted(Identity.of(credentials.userName(), "test"), null)
                            : new Answer.Refused(ReasonCode.BAD_USER_NAME_OR_PASSWORD, "wrong"));
        }

        /** The first step says who it is, the second is right or wrong; with the method TOKEN there is one, which never is. */
        @Override
        public Exchange exchange(String method, Credentials credentials) {
            return new Exchange() {
                private @Nullable String user;

                @Override
                public CompletionStage<Answer> step(byte @Nullable [] data) {
                    asked++;
                    String said = new String(Objects.requireNonNull(data), StandardCharsets.UTF_8);
                    if (user == null && !repeatsItsProof()) {
                        user = said;
                        return CompletableFuture.completedFuture(new Answer.Continue(null));
                    }
                    return CompletableFuture.completedFuture(
                            said.equals("right")
                                    ? new Answer.Accepted(Identity.of(user, "test"), null)
                                    : new Answer.Refused(ReasonCode.NOT_AUTHORIZED, "wrong", !said.equals("expired")));
                }

                @Override
                public @Nullable String userName() {
                    return user;
                }

                @Override
                public boolean repeatsItsProof() {
                    return method.equals("TOKEN");
                }
            };
        }
    }

    private static Credentials credentials(String address, @Nullable String user, @Nullable String password) {
        return new Credentials(
                "meter",
                user,
                password == null ? null : password.getBytes(StandardCharsets.UTF_8),
                (address.indexOf(':') < 0 ? address : "[" + address + "]") + ":50000",
                "tcp",
                null);
    }

    /** @return SUCCESS, or why not; null if it has to wait */
    private @Nullable ReasonCode login(String address, @Nullable String user, @Nullable String password) {
        CompletableFuture<Answer> answer =
                guard.authenticate(credentials(address, user, password)).toCompletableFuture();
        Answer given = answer.getNow(null);
        return given == null ? null : given instanceof Answer.Refused refused ? refused.reason() : ReasonCode.SUCCESS;
    }

    private static void assertWrong(@Nullable ReasonCode reason) {
        assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, reason);
    }

    private void bansAnnAt(String address) {
        for (int i = 0; i < POLICY.after(); i++) {
            assertWrong(login(address, "ann", "guess-" + now + i));
        }
        assertEquals(ReasonCode.BANNED, login(address, "ann", "right"));
    }

    @Test
    void guesses_banOneUserFromOneAddress_andNobodyElse_forALongerTimeEachTime() {
        bansAnnAt("10.0.0.1");
        assertEquals(List.of("10.0.0.1 ann auth.ban.after"), told);
        assertEquals(ReasonCode.SUCCESS, login("10.0.0.1", "ben", "right"));
        assertEquals(ReasonCode.SUCCESS, login("10.0.0.2", "ann", "right"));
        assertNull(bans.refusal(address("10.0.0.1")));

        now += 60_000;
        assertEquals(ReasonCode.SUCCESS, login("10.0.0.1", "ann", "right"));
        now += 1_200_000;
        bansAnnAt("10.0.0.1");
        now += 60_000;
        assertEquals(ReasonCode.BANNED, login("10.0.0.1", "ann", "right"));
        now += 60_000;
        assertEquals(ReasonCode.SUCCESS, login("10.0.0.1", "ann", "right"));
    }

    private static InetAddress address(String text) {
        return Objects.requireNonNull(AddressBlock.literal(text));
    }

    @Test
    void failuresBetweenSuccesses_andOfLongAgo_banNobody() {
        for (int i = 0; i < 5; i++) {
            assertWrong(login("10.0.0.1", "ann", "typo-" + i));
            assertEquals(ReasonCode.SUCCESS, login("10.0.0.1", "ann", "right"));
        }
        now += 3_600_000;
        for (int i = 0; i < 10; i++) {
            assertWrong(login("10.0.0.1", "ben", "typo-" + i));
            now += 1_300_000;
        }
        assertEquals(List.of(), told);
    }

    @Test
    void manyUsersFromOneAddress_banTheAddress_whichIsTurnedAwayBeforeItSaysAnything() {
        for (int i = 0; i < POLICY.addressAfter(); i++) {
            assertNull(bans.refusal(address("2001:db8::" + (i + 1))));
            assertWrong(login("2001:db8::" + (i + 1), "user-" + i, "guess"));
        }
        assertEquals(List.of("2001:db8::/64 null auth.ban.address-after"), told);
        String refusal = bans.refusal(address("2001:db8::ffff"));
        assertNotNull(refusal);
        assertTrue(refusal.contains("until") && refusal.contains("auth.ban.address-after"), refusal);
        assertNull(bans.refusal(address("2001:db8:0:1::1")));
        assertEquals(1, bans.inForce().size());
        assertTrue(bans.letIn(address("2001:db8::1")));
        assertNull(bans.refusal(address("2001:db8::1")));
    }

    @Test
    void sameWrongLogin_ofADeviceThatIsSetUpWrongly_isRefusedUnseen_andBansNobody() {
        for (int i = 0; i < 1000; i++) {
            assertWrong(login("10.0.0.1", "ann", "stale"));
        }
        assertEquals(3, asked);
        assertEquals(List.of(), told);
        assertEquals(ReasonCode.SUCCESS, login("10.0.0.1", "ann", "right"));

        now += 61_000;
        assertWrong(login("10.0.0.1", "ann", "stale"));
        assertEquals(5, asked);
    }

    @Test
    void userThatManyAddressesGuessAt_isNotLockedOut_newAddressesWait() {
        assertEquals(ReasonCode.SUCCESS, login("10.1.0.1", "ann", "right"));
        for (int i = 0; i < POLICY.addressAfter(); i++) {
            assertWrong(login("10.2.0." + i, "ann", "guess"));
        }
        assertEquals(ReasonCode.SUCCESS, login("10.1.0.1", "ann", "right"));
        assertEquals(ReasonCode.SUCCESS, login("10.3.0.1", "ben", "right"));

        CompletableFuture<Answer> fromElsewhere =
                guard.authenticate(credentials("10.3.0.1", "ann", "right")).toCompletableFuture();
        assertFalse(fromElsewhere.isDone());
        waiting.forEach(Runnable::run);
        waiting.clear();
        assertInstanceOf(Answer.Accepted.class, fromElsewhere.join());
        assertEquals(ReasonCode.SUCCESS, login("10.3.0.1", "ann", "right"));

        int before = asked;
        for (int i = 0; i < 1024; i++) {
            assertNull(login("10.4.0.1", "ann", "guess-" + i));
        }
        assertEquals(ReasonCode.SERVER_BUSY, login("10.4.0.2", "ann", "right"));
        assertEquals(before, asked);
        waiting.forEach(Runnable::run);
        assertNull(login("10.4.0.2", "ann", "right"));
    }

    @Test
    void exemptAddresses_andClientsWithoutAUser_areNotCounted() {
        for (int i = 0; i < 100; i++) {
            assertWrong(login("127.0.0.1", "ann", "guess-" + i));
            assertEquals(ReasonCode.SUCCESS, login("10.0.0.1", null, null));
        }
        assertEquals(List.of(), told);
    }

    @Test
    void withAfterZero_nobodyIsBanned() {
        guard = guard(new LoginGuard.Policy(0, 1, POLICY.window(), POLICY.time(), POLICY.maxTime(), List.of()));
        for (int i = 0; i < 100; i++) {
            assertWrong(login("10.0.0.1", "ann", "guess-" + i));
        }
        assertEquals(List.of(), told);
    }

    /** More threads than guesses are left, and all of them at once. */
    @Test
    void guessesAtTheSameTime_areNoMoreThanThoseOneAfterTheOther_andOthersAreServed() throws Exception {
        int threads = 8;
        AtomicInteger lookedAt = new AtomicInteger();
        AtomicInteger atOnce = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        try (HashWorkers workers =
                new HashWorkers("test", threads, 4096, 1, Duration.ofDays(1).toNanos())) {
            guard = new LoginGuard(
                    new Authenticator() {
                        @Override
                        public CompletionStage<Answer> authenticate(Credentials login) {
                            CompletableFuture<Answer> answer = new CompletableFuture<>();
                            workers.add(login, new LoginQueue.Task() {
                                @Override
                                public int atOnce() {
                                    return guard.left(login);
                                }

                                @Override
                                public void run() {
                                    if (guard.left(login) == 0) {
                                        answer.complete(new Answer.Refused(ReasonCode.BANNED, "later"));
                                        return;
                                    }
                                    if ("ann".equals(login.userName())) {
                                        lookedAt.incrementAndGet();
                                        most.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
                                        Thread.yield();
                                        atOnce.decrementAndGet();
                                    }
                                    new Passwords().authenticate(login).thenAccept(answer::complete);
                                }
                            });
                            return answer;
                        }
                    },
                    bans,
                    POLICY,
                    (source, user, until, failures, key) -> {},
                    () -> now,
                    new Clock());
            List<CompletableFuture<Answer>> answers = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                answers.add(guard.authenticate(credentials("10.0.0.1", "ann", "guess-" + i))
                        .toCompletableFuture());
            }
            CompletableFuture<Answer> elsewhere =
                    guard.authenticate(credentials("10.0.0.2", "ann", "right")).toCompletableFuture();
            assertInstanceOf(Answer.Accepted.class, elsewhere.get(20, TimeUnit.SECONDS));
            int wrong = 0;
            for (CompletableFuture<Answer> answer : answers) {
                ReasonCode reason = ((Answer.Refused) answer.get(20, TimeUnit.SECONDS)).reason();
                assertTrue(reason == ReasonCode.BANNED || reason == ReasonCode.BAD_USER_NAME_OR_PASSWORD, "" + reason);
                wrong += reason == ReasonCode.BANNED ? 0 : 1;
            }
            // who has the answer counts it, and each thread may be a moment late with that
            assertTrue(wrong >= POLICY.after() && wrong <= POLICY.after() + threads, "wrong " + wrong);
            assertEquals(wrong + 1, lookedAt.get());
            assertTrue(most.get() <= POLICY.after() + 1, "at once " + most);
        }
    }

    @Test
    void left_isWhatMayFailBeforeTheBan_ofUserAndOfAddress() {
        Credentials ann = credentials("10.0.0.1", "ann", "x");
        assertEquals(POLICY.after(), guard.left(ann));
        login("10.0.0.1", "ann", "guess");
        assertEquals(POLICY.after() - 1, guard.left(ann));
        assertEquals(POLICY.after(), guard.left(credentials("10.0.0.2", "ann", "x")));
        for (int i = 0; i < 4; i++) {
            login("10.0.0.1", "user-" + i, "guess");
        }
        assertEquals(1, guard.left(ann));
        login("10.0.0.1", "ben", "guess");
        assertEquals(0, guard.left(ann));
        assertEquals(ReasonCode.BANNED, login("10.0.0.1", "eve", "right"), "on a connection that was there before");
        assertEquals(Integer.MAX_VALUE, guard.left(credentials("127.0.0.1", "ann", "x")));
    }

    @Test
    void clientsWithoutAUserName_areCountedByTheirAddressAlone() {
        for (int i = 0; i < POLICY.addressAfter() - 1; i++) {
            assertWrong(login("10.0.0.1", null, "token-" + i));
        }
        assertEquals(List.of(), told);
        assertEquals(ReasonCode.SUCCESS, login("10.0.0.1", null, "right"));
        assertWrong(login("10.0.0.1", null, "token"));
        assertEquals(List.of("10.0.0.1 null auth.ban.address-after"), told);
    }

    @Test
    void sameWrongLogin_ofManyDevices_isOneGuess() {
        for (int i = 0; i < 50; i++) {
            Credentials of = credentials("10.0.0.1", "ann", "stale");
            guard.authenticate(new Credentials("meter-" + i, "ann", of.password(), of.peer(), "tcp", null));
        }
        assertEquals(List.of(), told);
    }

    @Test
    void exchanges_countForTheUserThatTheyName() {
        for (int i = 0; i < POLICY.after(); i++) {
            assertEquals(ReasonCode.NOT_AUTHORIZED, exchange("10.0.0.1", "ann", "wrong"));
        }
        assertEquals(List.of("10.0.0.1 ann auth.ban.after"), told);
        int before = asked;
        assertEquals(ReasonCode.BANNED, exchange("10.0.0.1", "ann", "right"));
        assertEquals(before + 1, asked, "as soon as it has named its user");
        assertEquals(ReasonCode.BANNED, login("10.0.0.1", "ann", "right"));
        assertEquals(ReasonCode.SUCCESS, exchange("10.0.0.1", "ben", "right"));
        assertEquals(ReasonCode.SUCCESS, exchange("10.0.0.2", "ann", "right"));
    }

    @Test
    void exchangeAsAUserThatManyGuessAt_waits_andIsAskedAboutAgainThen() {
        for (int i = 0; i < POLICY.addressAfter(); i++) {
            assertWrong(login("10.2.0." + i, "ann", "guess"));
        }
        List<CompletableFuture<Answer>> answers = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            Authenticator.Exchange exchange =
                    Objects.requireNonNull(guard.exchange("SCRAM", credentials("10.3.0.1", null, null)));
            assertInstanceOf(Answer.Continue.class, step(exchange, "ann").join());
            answers.add(step(exchange, "wrong"));
        }
        int before = asked;
        assertEquals(20, waiting.size());
        waiting.forEach(Runnable::run);
        assertEquals(before + POLICY.after(), asked);
        answers.forEach(answer -> assertInstanceOf(Answer.Refused.class, answer.join()));
    }

    @Test
    void whatIsNoGuess_isNotCounted() {
        for (int i = 0; i < 100; i++) {
            Authenticator.Exchange exchange =
                    Objects.requireNonNull(guard.exchange("TOKEN", credentials("10.0.0.1", "ann", null)));
            Answer answer = step(exchange, "expired").join();
            assertEquals("wrong", ((Answer.Refused) answer).detail());
        }
        assertEquals(List.of(), told);
        assertEquals(100, asked);
    }

    @Test
    void sameWrongTokenByAnExchange_isOneGuess() {
        for (int i = 0; i < 100; i++) {
            Authenticator.Exchange exchange =
                    Objects.requireNonNull(guard.exchange("TOKEN", credentials("10.0.0.1", "ann", null)));
            assertInstanceOf(Answer.Refused.class, step(exchange, "forged").join());
        }
        assertEquals(List.of(), told);
        assertEquals(3, asked);
    }

    private static CompletableFuture<Answer> step(Authenticator.Exchange exchange, String data) {
        return exchange.step(data.getBytes(StandardCharsets.UTF_8)).toCompletableFuture();
    }

    /** Without a user name in CONNECT. */
    private ReasonCode exchange(String address, String user, String proof) {
        Authenticator.Exchange exchange =
                Objects.requireNonNull(guard.exchange("SCRAM", credentials(address, null, null)));
        Answer answer = step(exchange, user).join();
        if (answer instanceof Answer.Continue) {
            answer = step(exchange, proof).join();
        }
        return answer instanceof Answer.Refused refused ? refused.reason() : ReasonCode.SUCCESS;
    }

    @Test
    void file_bansUsersClientsAndAddresses_alsoThoseThatAreConnected() throws Exception {
        BrokerEvents.Peer peer = new BrokerEvents.Peer("meter", "ann", "10.0.0.1:1", "tcp", null);
        Authenticator.Identity ann = Authenticator.Identity.of("ann", "");
        assertNull(guard.review(ann, peer));
        for (String line : List.of("user ann", "client-id meter", "address 10.0.0.0/24")) {
            Files.writeString(file, line + " until 2999-01-01T00:00:00Z for a reason\n");
            bans.look();

            assertEquals(ReasonCode.BANNED, login("10.0.0.1", "ann", "right"), line);
            String gone = guard.review(ann, peer);
            assertNotNull(gone, line);
            assertTrue(gone.contains("until 2999-01-01T00:00:00Z: for a reason; see auth.ban-file"), gone);
        }
        Files.writeString(file, "nonsense");
        bans.look();
        assertEquals(ReasonCode.BANNED, login("10.0.0.1", "ann", "right"));
        Files.writeString(file, "user ann until " + Instant.ofEpochMilli(now));
        bans.look();
        assertEquals(ReasonCode.SUCCESS, login("10.0.0.1", "ann", "right"));
        assertNull(guard.review(ann, peer));
    }

    @Test
    void addressKeptOutForAWhile_keepsItsConnections() {
        bans.keepOut(address("10.0.0.1"), Instant.ofEpochMilli(now + 1000));
        assertNotNull(bans.refusal(address("10.0.0.1")));
        assertNull(guard.review(
                Authenticator.Identity.of("ann", ""), new BrokerEvents.Peer("m", "ann", "10.0.0.1:1", "tcp", null)));
        now += 1000;
        assertNull(bans.refusal(address("10.0.0.1")));
    }
}
