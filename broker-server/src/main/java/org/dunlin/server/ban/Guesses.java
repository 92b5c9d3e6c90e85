package org.dunlin.server.ban;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.function.LongSupplier;
import org.dunlin.server.share.AddressBlock;
import org.jspecify.annotations.Nullable;

/**
 * What is known of failed logins: who has been wrong or right from where, and who is kept out for it. Any thread; waits for nothing.
 *
 * <p>Who names no user is counted by its address alone: a client identifier is chosen anew at will, and devices without user names
 * behind one address have nothing in common but that.
 */
final class Guesses {
    private static final int REMEMBERED = 100_000;
    /** Wrong logins that are the same are looked at so often before they are refused unseen. */
    static final int LOOKED_AT = 3;

    private static final long REFUSED_UNSEEN_MILLIS = 30_000;

    private final Bans bans;
    private volatile LoginGuard.Policy policy;
    private final LoginGuard.Told told;
    private final LongSupplier wallMillis;
    private final Counts<Pair> ofPair;
    private final Counts<AddressBlock> ofAddress;
    private final Counts<Account> ofUser;
    private final Counts<Long> ofLogin;
    private final Penalties<Pair> out;
    /** Who has been right from where. */
    private final Counts<Pair> right;

    private final byte[] salt = new byte[16];

    /** A user name by a digest: what stands in a table is small, however long the names are that somebody makes up. */
    private record Account(long high, long low) {}

    private record Pair(Account account, AddressBlock source) {}

    /**
     * One that comes to log in, as the tables know it.
     *
     * @param account null if it names no user
     * @param login of what is wrong if it fails; 0 if that differs each time
     */
    record Attempt(@Nullable String user, @Nullable Account account, AddressBlock source, long login) {
        @Nullable
        Pair pair() {
            return account == null ? null : new Pair(account, source);
        }
    }

    Guesses(Bans bans, LoginGuard.Policy policy, LoginGuard.Told told, LongSupplier wallMillis) {
        this.bans = bans;
        this.policy = policy;
        this.told = told;
        this.wallMillis = wallMillis;
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

    /** Another policy counts from now on; what is counted stays counted. */
    void policy(LoginGuard.Policy next) {
        policy = next;
        long window = next.window().toMillis();
        ofPair.window(window);
        ofAddress.window(window);
        ofUser.window(window);
        out.times(next.time().toMillis(), next.maxTime().toMillis());
    }

    /** @param proof null if the same client sends another one each time */
    Attempt attempt(@Nullable String user, AddressBlock source, byte @Nullable [] proof) {
        long login =
                proof == null ? 0 : digest(user + "\0" + source + "\0", proof).getLong();
        return new Attempt(user, user == null ? null : account(user), source, login);
    }

    private Account account(String user) {
        ByteBuffer digest = digest("user " + user, new byte[0]);
        return new Account(digest.getLong(), digest.getLong());
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

    /** Why it is not looked at, completing "too many failed logins ..."; null if it is. */
    @Nullable
    String refusal(Attempt attempt) {
        long now = wallMillis.getAsLong();
        Pair pair = attempt.pair();
        long until = pair == null ? 0 : out.until(pair, now);
        if (until != 0) {
            return "as this user from " + attempt.source + "; banned until " + time(until) + ", see auth.ban.after";
        }
        until = isKnownHere(pair, now) ? 0 : bans.outUntil(attempt.source);
        return until == 0
                ? null
                : "from " + attempt.source + "; banned until " + time(until) + ", see auth.ban.address-after";
    }

    private static Instant time(long millis) {
        return Instant.ofEpochSecond(millis / 1000);
    }

    /** Has the same been wrong so often lately that nobody has to look at it again? */
    boolean isKnownToBeWrong(Attempt attempt) {
        return attempt.login != 0 && ofLogin.get(attempt.login, wallMillis.getAsLong()) >= LOOKED_AT;
    }

    /** How many like this one may fail before the next is refused unseen; 0 if this one is. */
    int left(Attempt attempt) {
        if (refusal(attempt) != null) {
            return 0;
        }
        long now = wallMillis.getAsLong();
        Pair pair = attempt.pair();
        int ofAll =
                isKnownHere(pair, now) ? Integer.MAX_VALUE : policy.addressAfter() - ofAddress.get(attempt.source, now);
        return Math.max(1, pair == null ? ofAll : Math.min(ofAll, policy.after() - ofPair.get(pair, now)));
    }

    /** Whether many addresses guess at this user, and this one has never been right. */
    boolean isOneOfMany(Attempt attempt) {
        Pair pair = attempt.pair();
        long now = wallMillis.getAsLong();
        return pair != null && ofUser.get(pair.account, now) >= policy.addressAfter() && !isKnownHere(pair, now);
    }

    private boolean isKnownHere(@Nullable Pair pair, long now) {
        return pair != null && right.get(pair, now) > 0;
    }

    /** @param user who it turned out to be */
    void succeeded(Attempt attempt, @Nullable String user) {
        if (user != null) {
            long now = wallMillis.getAsLong();
            Pair pair = new Pair(account(user), attempt.source);
            ofPair.reset(pair, now);
            right.add(pair, now);
        }
    }

    void failed(Attempt attempt) {
        long now = wallMillis.getAsLong();
        if (attempt.login != 0 && ofLogin.add(attempt.login, now) > 1) {
            return; // no other guess than before
        }
        AddressBlock source = attempt.source;
        Pair pair = attempt.pair();
        String user = attempt.user;
        if (pair != null && user != null) {
            ofUser.add(pair.account, now);
            int failures = ofPair.add(pair, now);
            if (failures >= policy.after()) {
                ofPair.reset(pair, now);
                long until = out.add(pair, now);
                if (until != 0) {
                    told.banned(source, user, Instant.ofEpochMilli(until), failures, "auth.ban.after");
                }
            }
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
}
