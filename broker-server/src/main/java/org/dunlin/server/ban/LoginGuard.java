package org.dunlin.server.ban;

import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.dunlin.core.spi.Authenticator;
import org.dunlin.core.spi.BrokerEvents;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.server.share.AddressBlock;
import org.jspecify.annotations.Nullable;

/**
 * Stands before the authenticator: refuses who is banned, and those who guess. Any thread; takes no lock, and waits for nothing.
 *
 * <p>Guessing is judged by user and address together, so that nobody can lock out another one's account; an address that fails with
 * many users is kept out altogether; for a user whom many addresses guess at, an address that has never been right has to wait. The
 * same wrong login again and again, as of a device that is set up wrongly, is no guessing: it is refused without another look.
 */
public final class LoginGuard implements Authenticator, AutoCloseable {
    private static final int WAITING_MOST = 1024;
    /** How long an address that has never been right waits while many others are wrong about the same user. */
    static final long WAIT_MILLIS = 2000;

    private final Authenticator inner;
    private final Bans bans;
    private volatile Policy policy;
    private final Later later;
    private final AtomicInteger waiting = new AtomicInteger();
    private final Guesses guesses;

    /**
     * @param after failures of one user from one address, of which the next is refused unseen; 0 turns all of it off
     * @param addressAfter failures from one address, whatever the user; or of one user, whatever the address
     * @param window in which they are counted
     * @param time of the first ban; each that follows is twice as long
     * @param maxTime of a ban
     * @param exempt addresses whose failures are not counted
     */
    public record Policy(
            int after, int addressAfter, Duration window, Duration time, Duration maxTime, List<AddressBlock> exempt) {
        public Policy {
            exempt = List.copyOf(exempt);
        }
    }

    /** Is told of bans for failed logins. Any thread; must be quick. */
    public interface Told {
        /** @param user null if the address is banned for all; else the user that it may not come as */
        void banned(AddressBlock source, @Nullable String user, Instant until, int failures, String key);
    }

    /** Runs something after a while, on another thread. */
    interface Later {
        void run(Runnable task, long delayMillis);

        void close();
    }

    public LoginGuard(Authenticator inner, Bans bans, Policy policy, Told told) {
        this(inner, bans, policy, told, System::currentTimeMillis, new Clock());
    }

    LoginGuard(Authenticator inner, Bans bans, Policy policy, Told told, LongSupplier wallMillis, Later later) {
        this.inner = inner;
        this.bans = bans;
        this.policy = policy;
        this.later = later;
        this.guesses = new Guesses(bans, policy, told, wallMillis);
    }

    /** Another policy counts from now on; what is counted stays counted, and bans last as long as was said when they began. */
    public void policy(Policy next) {
        policy = next;
        guesses.policy(next);
        bans.times(next.time(), next.maxTime());
    }

    /** @return null if the failures of this address are not counted */
    private @Nullable AddressBlock counted(String peer) {
        Policy now = policy;
        InetAddress address = now.after() == 0 ? null : AddressBlock.ofPeer(peer);
        if (address == null) {
            return null;
        }
        for (AddressBlock block : now.exempt()) {
            if (block.contains(address)) {
                return null;
            }
        }
        return AddressBlock.source(address);
    }

    private Guesses.@Nullable Attempt attempt(Credentials credentials, @Nullable String user, byte @Nullable [] proof) {
        AddressBlock source = counted(credentials.peer());
        return source == null ? null : guesses.attempt(user, source, proof);
    }

    // ---- asked

    @Override
    public CompletionStage<Answer> authenticate(Credentials credentials) {
        String user = credentials.userName();
        byte[] password = credentials.password();
        boolean proves = user != null || password != null;
        Guesses.Attempt attempt = proves ? attempt(credentials, user, password) : null;
        Answer.Refused refused = refused(credentials, user, attempt);
        if (refused == null && attempt != null && guesses.isOneOfMany(attempt)) {
            refused = delayed() ? null : CROWDED;
            if (refused == null) {
                CompletableFuture<Answer> answer = new CompletableFuture<>();
                later(() -> inner.authenticate(credentials), answer, given -> seen(attempt, given));
                return answer;
            }
        }
        if (refused != null) {
            wipe(credentials);
            return CompletableFuture.completedFuture(refused);
        }
        return inner.authenticate(credentials).thenApply(answer -> seen(attempt, answer));
    }

    private static final Answer.Refused CROWDED = new Answer.Refused(
            ReasonCode.SERVER_BUSY, "too many addresses try to log in as this user; connect again in some minutes");

    /** @return false if too many wait */
    private boolean delayed() {
        if (waiting.incrementAndGet() <= WAITING_MOST) {
            return true;
        }
        waiting.decrementAndGet();
        return false;
    }

    private void later(
            Supplier<CompletionStage<Answer>> asked, CompletableFuture<Answer> answer, UnaryOperator<Answer> seen) {
        later.run(
                () -> {
                    waiting.decrementAndGet();
                    asked.get().whenComplete((given, failure) -> {
                        if (given == null) {
                            answer.completeExceptionally(failure);
                        } else {
                            answer.complete(seen.apply(given));
                        }
                    });
                },
                WAIT_MILLIS);
    }

    private static void wipe(Credentials credentials) {
        byte[] password = credentials.password();
        if (password != null) {
            Arrays.fill(password, (byte) 0);
        }
    }

    private Answer.@Nullable Refused refused(
            Credentials credentials, @Nullable String user, Guesses.@Nullable Attempt attempt) {
        String ban = bans.filed(user, credentials.clientId(), credentials.peer());
        if (ban != null) {
            return new Answer.Refused(ReasonCode.BANNED, ban);
        }
        if (attempt == null) {
            return null;
        }
        String refusal = guesses.refusal(attempt);
        if (refusal != null) {
            return new Answer.Refused(ReasonCode.BANNED, "too many failed logins " + refusal);
        }
        return guesses.isKnownToBeWrong(attempt) ? SEEN : null;
    }

    private static final Answer.Refused SEEN = new Answer.Refused(
            ReasonCode.BAD_USER_NAME_OR_PASSWORD,
            "the same login was wrong " + Guesses.LOOKED_AT + " times; it is looked at again in a minute",
            false);

    private Answer seen(Guesses.@Nullable Attempt attempt, Answer answer) {
        if (answer instanceof Answer.Accepted accepted) {
            String user = accepted.identity().userName();
            String ban = bans.filed(user, null, "");
            if (ban != null) {
                return new Answer.Refused(ReasonCode.BANNED, ban);
            }
            if (attempt != null) {
                guesses.succeeded(attempt, user);
            }
        } else if (answer instanceof Answer.Refused refused && refused.isGuess() && attempt != null) {
            guesses.failed(attempt);
        }
        return answer;
    }

    /**
     * How many more logins like this one may fail before the next is refused unseen, 0 if it is itself. So many of its address may
     * be checked at once: who sends all guesses at the same time does not get more of them.
     */
    public int left(Credentials credentials) {
        Guesses.Attempt attempt = attempt(credentials, credentials.userName(), null);
        return attempt == null ? Integer.MAX_VALUE : guesses.left(attempt);
    }

    // ---- in steps

    @Override
    public @Nullable Exchange exchange(String method, Credentials credentials) {
        Exchange exchange = inner.exchange(method, credentials);
        return exchange == null ? null : new Guarded(exchange, credentials);
    }

    /** Loop thread of its connection, or whichever has the answer; never two at once. */
    private final class Guarded implements Exchange {
        private final Exchange exchange;
        private final Credentials credentials;
        private boolean hasWaited;

        Guarded(Exchange exchange, Credentials credentials) {
            this.exchange = exchange;
            this.credentials = credentials;
        }

        @Override
        public @Nullable String userName() {
            String said = exchange.userName();
            return said != null ? said : credentials.userName();
        }

        /** The password of CONNECT is not what is asked about. */
        private Guesses.@Nullable Attempt attempt(byte @Nullable [] data) {
            return LoginGuard.this.attempt(credentials, userName(), exchange.repeatsItsProof() ? data : null);
        }

        @Override
        public CompletionStage<Answer> step(byte @Nullable [] data) {
            Guesses.Attempt attempt = attempt(data);
            Answer.Refused refused = refused(credentials, userName(), attempt);
            if (refused != null) {
                return CompletableFuture.completedFuture(refused);
            }
            if (hasWaited || attempt == null || !guesses.isOneOfMany(attempt)) {
                return exchange.step(data).thenApply(answer -> answered(attempt, answer));
            }
            hasWaited = true;
            if (!delayed()) {
                return CompletableFuture.completedFuture(CROWDED);
            }
            CompletableFuture<Answer> answer = new CompletableFuture<>();
            later(() -> afterWaiting(attempt, data), answer, given -> answered(attempt, given));
            return answer;
        }

        /** Others of the address may have failed meanwhile. */
        private CompletionStage<Answer> afterWaiting(Guesses.Attempt attempt, byte @Nullable [] data) {
            Answer.Refused refused = refused(credentials, userName(), attempt);
            return refused == null ? exchange.step(data) : CompletableFuture.completedFuture(refused);
        }

        /** Who it is that fails may be known by this step only. */
        private Answer answered(Guesses.@Nullable Attempt before, Answer answer) {
            Guesses.Attempt attempt = before == null || before.user() != null ? before : named(before);
            if (answer instanceof Answer.Continue && attempt != before) {
                Answer.Refused refused = refused(credentials, userName(), attempt);
                return refused == null ? answer : refused;
            }
            return seen(attempt, answer);
        }

        private Guesses.Attempt named(Guesses.Attempt before) {
            String user = userName();
            return user == null ? before : guesses.attempt(user, before.source(), null);
        }
    }

    @Override
    public boolean provesUsers() {
        return inner.provesUsers();
    }

    @Override
    public @Nullable String review(Identity identity) {
        return inner.review(identity);
    }

    @Override
    public @Nullable String review(Identity identity, BrokerEvents.Peer peer) {
        String ban = bans.filed(peer);
        if (ban == null) {
            ban = bans.filed(identity.userName(), null, "");
        }
        return ban != null ? ban : inner.review(identity, peer);
    }

    @Override
    public void close() {
        later.close();
    }
}
