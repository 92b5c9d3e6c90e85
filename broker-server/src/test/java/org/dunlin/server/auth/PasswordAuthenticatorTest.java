package org.dunlin.server.auth;

import static org.dunlin.server.auth.PasswordHashTest.utf8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.dunlin.core.spi.Authenticator.Answer;
import org.dunlin.core.spi.Authenticator.Credentials;
import org.dunlin.core.spi.Authenticator.Identity;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.server.config.ConfigException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With workers that work when the test says so, a clock that it sets, and hash computations that it counts. */
class PasswordAuthenticatorTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    /** Quick to compute, and different from each other. */
    private static final PasswordHash SECRET = hash("$7$101$ip0VIqrnBZRsnIi9$"
            + "l6beyW53oa0yNrCcH1L/Neq5VoeVsqb/y3AbgwnXkEYgzNrbcUnEI32+eoTg23Yhsm9hVmqPbCwjj4MKqHwErg==");

    private static final PasswordHash A_B_C = hash("$7$101$wvzVqblD3vIKvJTF$"
            + "cVAbjVOQDdPJvIXHBGtcDQKKhByltSJ2asAEjNz8eX0IkDlT0OdEwG7q6HMhPM+nb0ikoEe0bDzfxW3GkcwyNA==");

    @TempDir
    Path folder;

    private Path file;
    private final Workers workers = new Workers();
    private final List<PasswordHash> computed = new ArrayList<>();
    private Runnable meanwhile = () -> {};
    private long nanos;
    private PasswordAuthenticator authenticator;

    private static PasswordHash hash(String text) {
        try {
            return PasswordHash.parse(text);
        } catch (PasswordHash.Unfit unfit) {
            throw new AssertionError(unfit);
        }
    }

    private static final class Workers implements LoginQueue {
        final ArrayDeque<Task> waiting = new ArrayDeque<>();
        int most = 1000;

        @Override
        public void add(Credentials of, Task task) {
            if (waiting.size() >= most) {
                throw new RejectedExecutionException();
            }
            waiting.add(task);
        }

        void work() {
            for (Task task = waiting.poll(); task != null; task = waiting.poll()) {
                task.run();
            }
        }
    }

    @BeforeEach
    void start() throws Exception {
        file = folder.resolve("users");
        write("ann:" + SECRET.encoded() + "\nben:" + A_B_C.encoded() + "\n");
        authenticator = new PasswordAuthenticator(
                file,
                true,
                PATIENCE,
                workers,
                (hash, password) -> {
                    computed.add(hash);
                    boolean right = hash.matches(password);
                    meanwhile.run();
                    return right;
                },
                () -> nanos);
    }

    private void write(String content) throws Exception {
        Path fresh = Files.writeString(folder.resolve("fresh"), content);
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private CompletableFuture<Answer> asks(@Nullable String user, byte @Nullable [] password, String listener) {
        return authenticator
                .authenticate(new Credentials("id", user, password, "127.0.0.1:5", listener, null))
                .toCompletableFuture();
    }

    private CompletableFuture<Answer> asks(String user, String password) {
        return asks(user, utf8(password), "closed");
    }

    private Answer answer(String user, String password) {
        CompletableFuture<Answer> asked = asks(user, password);
        workers.work();
        return asked.join();
    }

    private static ReasonCode refusal(Answer answer) {
        return assertInstanceOf(Answer.Refused.class, answer).reason();
    }

    private static void assertAccepted(String user, Answer answer) {
        assertEquals(new Answer.Accepted(Identity.of(user, "password"), null), answer);
    }

    @Test
    void rightPassword_isAccepted_wrongOneAndUnknownUser_areRefusedAlike() {
        assertAccepted("ann", answer("ann", "secret"));
        assertAccepted("ben", answer("ben", "a b:c"));
        Answer wrong = answer("ann", "a b:c");
        Answer unknown = answer("cem", "secret");

        assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, refusal(wrong));
        assertEquals(wrong, unknown);
        assertEquals(wrong, answer("", ""));
    }

    @Test
    void unknownUser_costsAsManyComputationsOfTheSameCostAsAKnownOne() {
        answer("ann", "wrong");
        answer("cem", "wrong");

        assertEquals(
                List.of(SECRET.work(), SECRET.work()),
                computed.stream().map(PasswordHash::work).toList());
    }

    @Test
    void hashes_areNeverComputedOnTheCallersThread() {
        CompletableFuture<Answer> asked = asks("ann", "secret");

        assertFalse(asked.isDone());
        assertEquals(List.of(), computed);
    }

    @Test
    void userWithoutPassword_isRefusedWithoutWork() {
        assertEquals(
                ReasonCode.BAD_USER_NAME_OR_PASSWORD,
                refusal(asks("ann", null, "open").join()));
        assertEquals(List.of(), computed);
        assertTrue(authenticator.provesUsers());
    }

    /** Or everybody would have to be computed anew whenever somebody is added. */
    @Test
    void newFile_leavesTheLoginsOfOthersRemembered() throws Exception {
        answer("ann", "secret");
        answer("ben", "a b:c");
        write("ann:" + SECRET.encoded() + "\nben:" + SECRET.encoded() + "\ncem:" + A_B_C.encoded());
        authenticator.look();
        computed.clear();

        assertAccepted("ann", answer("ann", "secret"));
        assertEquals(List.of(), computed);
        assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, refusal(answer("ben", "a b:c")));
        assertAccepted("ben", answer("ben", "secret"));
    }

    @Test
    void removedUser_mayNotStay_andWhoAsksIsToldOfTheChange() throws Exception {
        AtomicInteger changes = new AtomicInteger();
        authenticator.tell(changes::incrementAndGet);
        Identity ann = ((Answer.Accepted) answer("ann", "secret")).identity();
        Identity ben = ((Answer.Accepted) answer("ben", "a b:c")).identity();
        assertNull(authenticator.review(ann));

        write("ben:" + A_B_C.encoded());
        authenticator.look();

        assertEquals(1, changes.get());
        assertEquals("the account 'ann' is no longer in auth.password-file", authenticator.review(ann));
        assertNull(authenticator.review(ben));
    }

    @Test
    void provenLogin_isRemembered_aWrongOneIsNot() {
        answer("ann", "secret");
        answer("ann", "wrong");
        assertEquals(2, computed.size());

        assertAccepted("ann", asks("ann", "secret").join());
        answer("ann", "wrong");

        assertEquals(3, computed.size());
    }

    @Test
    void sameLoginOfManyAtOnce_isComputedOnce() {
        List<CompletableFuture<Answer>> asked = new ArrayList<>();
        for (int i = 0; i < 5000; i++) {
            asked.add(asks("ann", "secret"));
        }
        workers.work();

        asked.forEach(answer -> assertAccepted("ann", answer.join()));
        assertEquals(1, computed.size());
    }

    @Test
    void moreThanCanWait_areToldThatTheServerIsBusy() {
        workers.most = 2;
        CompletableFuture<Answer> first = asks("ann", "1");
        CompletableFuture<Answer> second = asks("ann", "2");
        Answer third = asks("ann", "3").join();
        workers.work();

        assertEquals(ReasonCode.SERVER_BUSY, refusal(third));
        assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, refusal(first.join()));
        assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, refusal(second.join()));
        assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, refusal(answer("ann", "3")), "there is room again");
    }

    @Test
    void loginThatIsNotAskedForAnyMore_costsNoComputation_andIsNoGuess() {
        int[] left = {2};
        authenticator.ask(login -> left[0]);
        CompletableFuture<Answer> asked = asks("ann", "secret");
        assertEquals(2, workers.waiting.getFirst().atOnce());
        left[0] = 0;
        workers.work();

        assertEquals(ReasonCode.BANNED, refusal(asked.join()));
        assertFalse(((Answer.Refused) asked.join()).isGuess());
        assertEquals(List.of(), computed);
    }

    @Test
    void sameLoginFromAnotherAddress_waitsInThatOnesTurn_andIsComputedOnceIfRight() {
        CompletableFuture<Answer> here = asks("ann", "secret");
        CompletableFuture<Answer> there = authenticator
                .authenticate(new Credentials("id", "ann", utf8("secret"), "10.0.0.1:5", "closed", null))
                .toCompletableFuture();
        assertEquals(2, workers.waiting.size());
        workers.work();

        assertAccepted("ann", here.join());
        assertAccepted("ann", there.join());
        assertEquals(1, computed.size());
    }

    @Test
    void whoHasWaitedTooLong_costsNoComputation() {
        CompletableFuture<Answer> late = asks("ann", "secret");
        nanos += PATIENCE.toNanos() + 1;
        workers.work();

        assertEquals(ReasonCode.SERVER_BUSY, refusal(late.join()));
        assertEquals(List.of(), computed);
        assertAccepted("ann", answer("ann", "secret"));
    }

    @Test
    void passwords_areWiped() {
        byte[] right = utf8("secret");
        byte[] same = utf8("secret");
        byte[] refused = utf8("secret!");
        byte[] remembered = utf8("secret");
        byte[] needless = utf8("secret");
        asks("ann", right, "closed");
        asks("ann", same, "closed");
        workers.most = 1;
        asks("ann", refused, "closed");
        workers.work();
        asks("ann", remembered, "closed");
        asks(null, needless, "closed");

        for (byte[] password : List.of(right, same, refused, remembered, needless)) {
            assertArrayEquals(new byte[password.length], password);
        }
    }

    @Test
    void failingComputation_isAnswered_andForgotten() {
        meanwhile = () -> {
            throw new IllegalStateException("for the test");
        };
        CompletableFuture<Answer> asked = asks("ann", "secret");
        assertThrows(IllegalStateException.class, workers::work);
        assertEquals(ReasonCode.SERVER_BUSY, refusal(asked.join()));

        meanwhile = () -> {};
        assertAccepted("ann", answer("ann", "secret"));
    }

    // ---- changes of the file

    @Test
    void newFile_countsAtOnce_alsoForLoginsThatAreRemembered() throws Exception {
        assertAccepted("ann", answer("ann", "secret"));
        write("ann:" + A_B_C.encoded() + "\ncem:" + SECRET.encoded());
        authenticator.look();

        assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, refusal(answer("ann", "secret")));
        assertAccepted("ann", answer("ann", "a b:c"));
        assertAccepted("cem", answer("cem", "secret"));
        assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, refusal(answer("ben", "a b:c")));
    }

    @Test
    void sameContent_isNoChange() throws Exception {
        answer("ann", "secret");
        write(Files.readString(file));
        authenticator.look();

        assertAccepted("ann", asks("ann", "secret").join());
    }

    @Test
    void changeWhileAHashIsComputed_isHeeded() {
        meanwhile = () -> {
            meanwhile = () -> {};
            try {
                write("ann:" + A_B_C.encoded());
            } catch (Exception e) {
                throw new AssertionError(e);
            }
            authenticator.look();
        };

        assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, refusal(answer("ann", "secret")));
        assertEquals(List.of(SECRET, A_B_C), computed);
    }

    @Test
    void faultyOrMissingFile_leavesTheUsersAsTheyWere() throws Exception {
        write("ann:open-sesame");
        authenticator.look();
        assertAccepted("ann", answer("ann", "secret"));

        Files.delete(file);
        authenticator.look();
        assertAccepted("ben", answer("ben", "a b:c"));

        write("cem:" + SECRET.encoded());
        authenticator.look();
        assertAccepted("cem", answer("cem", "secret"));
        assertEquals(ReasonCode.BAD_USER_NAME_OR_PASSWORD, refusal(answer("ann", "secret")));
    }

    /** As Kubernetes changes a secret: the file stays a link, what it leads to is another folder. */
    @Test
    void linkThatLeadsElsewhere_isAChange() throws Exception {
        Path one = Files.createDirectory(folder.resolve("..one"));
        Path two = Files.createDirectory(folder.resolve("..two"));
        Files.writeString(one.resolve("u"), "ann:" + SECRET.encoded());
        Files.writeString(two.resolve("u"), "ann:" + A_B_C.encoded());
        Path data = Files.createSymbolicLink(folder.resolve("..data"), one);
        Files.delete(file);
        Files.createSymbolicLink(file, Path.of("..data", "u"));
        authenticator.look();
        assertAccepted("ann", answer("ann", "secret"));

        Path fresh = Files.createSymbolicLink(folder.resolve("..data_tmp"), two);
        Files.move(fresh, data, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        authenticator.look();

        assertAccepted("ann", answer("ann", "a b:c"));
    }

    @Test
    void faultyFile_atTheStart_isRefused() throws Exception {
        write("ann:open-sesame\nben");

        ConfigException thrown =
                assertThrows(ConfigException.class, () -> PasswordAuthenticator.of(file, true, PATIENCE));

        assertEquals(2, thrown.faults().size());
    }
}
