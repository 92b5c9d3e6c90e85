package org.dunlin.server.ban;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
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
    private static final int REMEMBERED = 100_000;
    /** Wrong logins that are the same are looked at so often before they are refused unseen. */
    private static final int LOOKED_AT = 3;

    private static final long REFUSED_UNSEEN_MILLIS = 30_000;
    private static final int WAITING_MOST = 1024;

    private final Authenticator inner;
    private final Bans bans;
    private final Policy policy;
    private final Told told;
    private final LongSupplier wallMillis;
    private final Later later;
    private final AtomicInteger waiting = new AtomicInteger();
    private final Counts<Pair> ofPair;
    private final Counts<AddressBlock> ofAddress;
    private final Counts<Account> ofUser;
    private final Counts<Long> ofLogin;
    private final Penalties<Pair> out;
    /** Who has been right from where. */
    private final Counts<Pair> right;

    private final byte[] salt = new byte[16];

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

    /** A user name by a digest: what stands in a table is small, however long the names are that somebody makes up. */
    private record Account(long high, long low) {}

    private record Pair(Account account, AddressBlock source) {}

    public LoginGuard(Authenticator inner, Bans bans, Policy policy, Told told) {
        this(inner, bans, policy, told, System::currentTimeMillis, new Clock());
    }

    LoginGuard(Authenticator inner, Bans bans, Policy policy, Told told, LongSupplier wallMillis, Later later) {
        this.inner = inner;
        this.bans = bans;
        this.policy = policy;
        this.told = told;
        this.wallMillis = wallMillis;
        this.later = later;
        long now = wallMillis.getAsLong();
        long window = policy.window().toMillis();
        this.ofPair = new Counts<>(REMEMBERED, window, now);
        this.ofAddress = new Counts<>(REMEMBERED, window, now);
        this.ofUser = new Counts<>(REMEMBERED, window, now);
        this.ofLogin = new Counts<>(REMEMBERED, REFUSED_UNSEEN_MILLIS, now);
        this.right = new Counts<>(REMEMBERED, Duration.ofDays(30).toMillis(), now);
        this.out = new Penalties<>(
                REMEMBERED, policy.time().toMillis(), policy.maxTime().toMillis());
        new SecureRandom().nextBytes(salt);
    }

    /** Of one that came to log in, what is asked of the tables. @param source null if its failures are not counted */
    private record Attempt(
            Credentials credentials,
            @Nullable AddressBlock source,
            @Nullable String user,
            Account account,
            long login,
            boolean guesses) {}

    /** @param proof what is wrong if it fails; null if that differs each time */
    private Attempt attempt(Credentials credentials, byte @Nullable [] proof, boolean guesses) {
        AddressBlock source = policy.after() == 0 ? null : counted(credentials.peer());
        String user = credentials.userName();
        long login = source == null || proof == null
                ? 0
                : digest(user + "\0" + credentials.clientId() + "\0" + source + "\0", proof)
                        .getLong();
        return new Attempt(credentials, source, user, account(user), login, guesses);
    }

    private Account account(@Nullable String user) {
        ByteBuffer digest = digest(user == null ? "nobody" : "user " + user, new byte[0]);
        return new Account(digest.getLong(), digest.getLong());
    }

    private @Nullable AddressBlock counted(String peer) {
        InetAddress address = AddressBlock.ofPeer(peer);
        if (address == null) {
            return null;
        }
        for (AddressBlock block : policy.exempt()) {
            if (block.contains(address)) {
                return null;
            }
        }
        return AddressBlock.source(address);
    }

    /** Says nothing about the password to who does not know the salt, and little to who does. */
    private ByteBuffer digest(String what, byte[] proof) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(salt);
            digest.update(what.getBytes(StandardCharsets.UTF_8));
            return ByteBuffer.wrap(digest.digest(proof));
        } catch (NoSuchAlgorithmException missing) {
            throw new IllegalStateException("every Java has SHA-256", missing);
        }
    }

    // ---- asked

    @Override
    public CompletionStage<Answer> authenticate(Credentials credentials) {
        boolean names = credentials.userName() != null || credentials.password() != null;
        Attempt attempt = attempt(credentials, credentials.password(), names);
        Answer.Refused refused = refused(attempt);
        if (refused != null) {
            wipe(credentials);
            return CompletableFuture.completedFuture(refused);
        }
        if (!mustWait(attempt)) {
            return inner.authenticate(credentials).thenApply(answer -> seen(attempt, answer));
        }
        if (waiting.incrementAndGet() > WAITING_MOST) {
            waiting.decrementAndGet();
            wipe(credentials);
            return CompletableFuture.completedFuture(new Answer.Refused(
                    ReasonCode.SERVER_BUSY,
                    "too many addresses try to log in as this user; connect again in some minutes"));
        }
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        later.run(
                () -> {
                    waiting.decrementAndGet();
                    inner.authenticate(credentials).whenComplete((given, failure) -> {
                        if (given == null) {
                            answer.completeExceptionally(failure);
                        } else {
                            answer.complete(seen(attempt, given));
                        }
                    });
                },
                WAIT_MILLIS);
        return answer;
    }

    /** How long an address that has never been right waits while many others are wrong about the same user. */
    static final long WAIT_MILLIS = 2000;

    private static void wipe(Credentials credentials) {
        byte[] password = credentials.password();
        if (password != null) {
            Arrays.fill(password, (byte) 0);
        }
    }

    private Answer.@Nullable Refused refused(Attempt attempt) {
        Credentials credentials = attempt.credentials;
        String ban = bans.filed(credentials.userName(), credentials.clientId(), credentials.peer());
        if (ban != null) {
            return new Answer.Refused(ReasonCode.BANNED, ban);
        }
        AddressBlock source = attempt.source;
        if (source == null || !attempt.guesses) {
            return null;
        }
        long now = wallMillis.getAsLong();
        long until = out.until(new Pair(attempt.account, source), now);
        if (until != 0) {
            return new Answer.Refused(
                    ReasonCode.BANNED,
                    "too many failed logins as this user from " + source + "; banned until "
                            + Instant.ofEpochSecond(until / 1000) + ", see auth.ban.after");
        }
        if (attempt.login != 0 && ofLogin.get(attempt.login, now) >= LOOKED_AT) {
            return new Answer.Refused(
                    ReasonCode.BAD_USER_NAME_OR_PASSWORD,
                    "the same login was wrong " + LOOKED_AT + " times; it is looked at again in a minute");
        }
        return null;
    }

    private boolean mustWait(Attempt attempt) {
        String user = attempt.user;
        AddressBlock source = attempt.source;
        if (user == null || source == null) {
            return false;
        }
        long now = wallMillis.getAsLong();
        return ofUser.get(attempt.account, now) >= policy.addressAfter()
                && right.get(new Pair(attempt.account, source), now) == 0;
    }

    private Answer seen(Attempt attempt, Answer answer) {
        if (answer instanceof Answer.Accepted accepted) {
            String user = accepted.identity().userName();
            String ban = bans.filed(user, null, "");
            if (ban != null) {
                return new Answer.Refused(ReasonCode.BANNED, ban);
            }
            succeeded(attempt, user);
        } else if (answer instanceof Answer.Refused refused && attempt.guesses && isWrong(refused.reason())) {
            failed(attempt);
        }
        return answer;
    }

    private static boolean isWrong(ReasonCode reason) {
        return reason == ReasonCode.BAD_USER_NAME_OR_PASSWORD || reason == ReasonCode.NOT_AUTHORIZED;
    }

    private void succeeded(Attempt attempt, @Nullable String user) {
        AddressBlock source = attempt.source;
        if (source != null && user != null) {
            long now = wallMillis.getAsLong();
            Pair pair = new Pair(account(user), source);
            ofPair.reset(pair, now);
            right.add(pair, now);
        }
    }

    private void failed(Attempt attempt) {
        AddressBlock source = attempt.source;
        if (source == null) {
            return;
        }
        long now = wallMillis.getAsLong();
        if (attempt.login != 0 && ofLogin.add(attempt.login, now) > 1) {
            return; // no other guess than before
        }
        String user = attempt.user;
        Pair pair = new Pair(attempt.account, source);
        int failures = ofPair.add(pair, now);
        if (failures >= policy.after()) {
            ofPair.reset(pair, now);
            long until = out.add(pair, now);
            if (until != 0) {
                told.banned(source, String.valueOf(user), Instant.ofEpochMilli(until), failures, "auth.ban.after");
            }
        }
        if (user != null) {
            ofUser.add(attempt.account, now);
        }
        int all = ofAddress.add(source, now);
        if (all >= policy.addressAfter()) {
            ofAddress.reset(source, now);
            Instant until = bans.punish(source);
            if (until != null) {
                told.banned(source, null, until, all, "auth.ban.address-after");
            }
        }
    }

    @Override
    public boolean provesUsers() {
        return inner.provesUsers();
    }

    @Override
    public @Nullable Exchange exchange(String method, Credentials credentials) {
        Exchange exchange = inner.exchange(method, credentials);
        if (exchange == null) {
            return null;
        }
        // a proof is another one each time, but for a token: the password of CONNECT is not what is asked about
        boolean repeats = method.equals("JWT");
        return data -> {
            Attempt attempt = attempt(credentials, repeats ? data : null, true);
            Answer.Refused refused = refused(attempt);
            return refused != null
                    ? CompletableFuture.completedFuture(refused)
                    : exchange.step(data).thenApply(answer -> seen(attempt, answer));
        };
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
