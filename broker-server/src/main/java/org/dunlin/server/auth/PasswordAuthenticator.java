package org.dunlin.server.auth;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiPredicate;
import java.util.function.LongSupplier;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.Fault;
import org.dunlin.server.config.Quote;
import org.dunlin.server.files.FileWatch;
import org.dunlin.server.files.NamedFile;
import org.dunlin.server.share.AddressBlock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks a password file who a client is, and follows the file as it changes. Any thread; never computes a hash on the caller's: a
 * login that was proven lately is accepted at once, others are computed by workers, the same login once however many ask.
 */
public final class PasswordAuthenticator implements Member {
    static final String SOURCE = "password";

    private static final Logger LOG = LoggerFactory.getLogger("dunlin.auth");
    private static final int LOGINS_REMEMBERED = 200_000;
    private static final int LOGINS_WAITING = 4096;
    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(2);

    /** The same whether there is no such user or the password is another. */
    private static final Answer WRONG =
            new Answer.Refused(ReasonCode.BAD_USER_NAME_OR_PASSWORD, "user name or password is wrong");

    private static final Answer NO_PASSWORD =
            new Answer.Refused(ReasonCode.BAD_USER_NAME_OR_PASSWORD, "user name or password is missing; send both");

    private static final Answer BUSY = new Answer.Refused(
            ReasonCode.SERVER_BUSY, "more logins wait than can be checked; connect again in a few seconds");

    private final Path file;
    private volatile long patienceNanos;
    private final LoginQueue workers;
    private final LongSupplier nanoTime;
    private final BiPredicate<PasswordHash, byte[]> comparison;
    private final VerifiedLogins verified = new VerifiedLogins(LOGINS_REMEMBERED);
    private final Map<UnderWay, CompletableFuture<Answer>> underWay = new ConcurrentHashMap<>();
    private final FileWatch watch;
    private final @Nullable ScramAccounts scram;
    private volatile PasswordFile users;
    private volatile Runnable changed = () -> {};
    private volatile Gate gate = Gate.OPEN;

    /** A login that is being checked, by address: whoever comes from another one does not wait in this one's turn. */
    private record UnderWay(
            VerifiedLogins.Login login, @Nullable AddressBlock source) {}

    /**
     * @param takesScram whether users may log in by SCRAM
     * @param patience after which nobody waits for the answer any more
     * @param comparison of a hash with a password, which takes its time
     * @param nanoTime a clock
     * @throws ConfigException with every fault of the file
     */
    PasswordAuthenticator(
            Path file,
            boolean takesScram,
            Duration patience,
            LoginQueue workers,
            BiPredicate<PasswordHash, byte[]> comparison,
            LongSupplier nanoTime)
            throws ConfigException {
        this.file = file;
        this.patienceNanos = patience.toNanos();
        this.workers = workers;
        this.comparison = comparison;
        this.nanoTime = nanoTime;
        NamedFile named = PasswordFile.named(file);
        byte[] content = named.read();
        this.users = PasswordFile.parse(file.toString(), content);
        this.scram = takesScram ? new ScramAccounts(() -> users) : null;
        this.watch = new FileWatch(named, content, BETWEEN_LOOKS, new Reload());
    }

    /**
     * Reads the file.
     *
     * @param takesScram whether users may log in by SCRAM
     * @param patience after which nobody waits for the answer any more
     * @throws ConfigException with every fault of the file
     */
    public static PasswordAuthenticator of(Path file, boolean takesScram, Duration patience) throws ConfigException {
        HashWorkers workers = new HashWorkers(
                "auth-hash",
                Runtime.getRuntime().availableProcessors(),
                LOGINS_WAITING,
                PasswordHash.USUAL_NANOS,
                patience.toNanos() / 2);
        try {
            return new PasswordAuthenticator(
                    file, takesScram, patience, workers, PasswordHash::matches, System::nanoTime);
        } catch (ConfigException faulty) {
            workers.close();
            throw faulty;
        }
    }

    /** After so long nobody waits for an answer any more, from now on. */
    public void patience(Duration next) {
        patienceNanos = next.toNanos();
        if (workers instanceof HashWorkers own) {
            own.mostWait(next.toNanos() / 2);
        }
    }

    @Override
    public String source() {
        return SOURCE;
    }

    @Override
    public boolean isFor(Credentials credentials) {
        return credentials.userName() != null;
    }

    @Override
    public String wants() {
        return "send user name and password";
    }

    @Override
    public @Nullable Exchange exchange(String method, Credentials credentials) {
        return scram == null ? null : scram.exchange(method, credentials.userName());
    }

    @Override
    public void ask(Gate asked) {
        gate = asked;
    }

    @Override
    public CompletionStage<Void> hurry() {
        return watch.hurry();
    }

    @Override
    public void watch(Runnable changed) {
        tell(changed);
        users.warnings(file).forEach(LOG::warn);
        watch.start();
    }

    @Override
    public CompletionStage<Answer> authenticate(Credentials credentials) {
        String user = credentials.userName();
        byte[] password = credentials.password();
        if (user == null || password == null) {
            wipe(password);
            return CompletableFuture.completedFuture(NO_PASSWORD);
        }
        PasswordHash hash = users.hash(user);
        VerifiedLogins.Login login = verified.login(user, password, hash);
        if (verified.contains(login)) {
            wipe(password);
            return CompletableFuture.completedFuture(accepted(user));
        }
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        UnderWay mine = new UnderWay(login, AddressBlock.sourceOf(credentials.peer()));
        CompletableFuture<Answer> sameLogin = underWay.putIfAbsent(mine, answer);
        if (sameLogin != null) {
            wipe(password);
            return sameLogin;
        }
        long since = nanoTime.getAsLong();
        try {
            workers.add(credentials, new LoginQueue.Task() {
                @Override
                public int atOnce() {
                    return gate.left(credentials);
                }

                @Override
                public void run() {
                    try {
                        answer.complete(gate.left(credentials) == 0 ? TOO_LATE : check(user, password, hash, since));
                    } finally {
                        underWay.remove(mine, answer);
                        wipe(password);
                        answer.complete(BUSY); // if anything was thrown
                    }
                }
            });
        } catch (RejectedExecutionException full) {
            underWay.remove(mine, answer);
            wipe(password);
            answer.complete(BUSY);
        }
        return answer;
    }

    private static Answer accepted(String user) {
        return new Answer.Accepted(Identity.of(user, SOURCE), null);
    }

    @Override
    public @Nullable String review(Identity identity) {
        String user = identity.userName();
        return user != null && users.contains(user)
                ? null
                : "the account " + Quote.of(String.valueOf(user)) + " is no longer in auth.password-file";
    }

    /** By the file as it is when the answer is given: what has changed meanwhile is asked again. */
    private Answer check(String user, byte[] password, PasswordHash first, long since) {
        if (nanoTime.getAsLong() - since > patienceNanos) {
            return BUSY;
        }
        PasswordHash hash = first;
        while (true) {
            VerifiedLogins.Login login = verified.login(user, password, hash);
            boolean right = verified.contains(login) || comparison.test(hash, password);
            PasswordHash now = users.hash(user);
            if (!now.equals(hash)) {
                hash = now;
                continue;
            }
            if (right) {
                verified.add(login);
            }
            return right ? accepted(user) : WRONG;
        }
    }

    private static void wipe(byte @Nullable [] password) {
        if (password != null) {
            Arrays.fill(password, (byte) 0);
        }
    }

    /** Whom to tell of changes, without watching for any. */
    void tell(Runnable listener) {
        changed = listener;
    }

    /** Looks at the file now, which otherwise happens by itself every two seconds. */
    void look() {
        watch.look();
    }

    private final class Reload implements FileWatch.Reader {
        @Override
        public void changed(byte[] content) {
            PasswordFile read;
            try {
                read = PasswordFile.parse(file.toString(), content);
            } catch (ConfigException e) {
                LOG.warn(
                        "auth.password-file has {} fault(s) and is not used, the users read before stay; the first is {}",
                        e.faults().size(),
                        e.faults().get(0));
                return;
            }
            users = read;
            LOG.info(
                    "auth.password-file {} has changed, it names {} user(s) now",
                    file,
                    read.users().size());
            read.warnings(file).forEach(LOG::warn);
            changed.run();
        }

        @Override
        public void unreadable(Fault fault) {
            LOG.warn("auth.password-file cannot be read, the users read before stay; {}", fault);
        }
    }

    @Override
    public void close() {
        watch.close();
        if (workers instanceof HashWorkers own) {
            own.close();
        }
    }
}
