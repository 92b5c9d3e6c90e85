package org.dunlin.server.auth;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.BiPredicate;
import java.util.function.LongSupplier;
import org.dunlin.core.spi.Authenticator;
import org.dunlin.mqtt.ReasonCode;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.Fault;
import org.dunlin.server.files.FileWatch;
import org.dunlin.server.files.NamedFile;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks a password file who a client is, and follows the file as it changes. Any thread; never computes a hash on the caller's: a
 * login that was proven lately is accepted at once, others are computed by workers, the same login once however many ask.
 */
public final class PasswordAuthenticator implements Authenticator, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger("dunlin.auth");
    private static final int LOGINS_REMEMBERED = 200_000;
    private static final int LOGINS_WAITING = 4096;
    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(2);

    /** The same whether there is no such user or the password is another. */
    private static final Answer WRONG =
            new Answer.Refused(ReasonCode.BAD_USER_NAME_OR_PASSWORD, "user name or password is wrong");

    private static final Answer NO_PASSWORD =
            new Answer.Refused(ReasonCode.BAD_USER_NAME_OR_PASSWORD, "there is a user name but no password; send both");

    private static final Answer BUSY = new Answer.Refused(
            ReasonCode.SERVER_BUSY, "more logins wait than can be checked; connect again in a few seconds");

    private final Path file;
    private final Set<String> open;
    private final long patienceNanos;
    private final Executor workers;
    private final LongSupplier nanoTime;
    private final BiPredicate<PasswordHash, byte[]> comparison;
    private final VerifiedLogins verified = new VerifiedLogins(LOGINS_REMEMBERED);
    private final Map<VerifiedLogins.Login, CompletableFuture<Answer>> underWay = new ConcurrentHashMap<>();
    private final FileWatch watch;
    private volatile PasswordFile users;

    /**
     * @param open names of the listeners whose clients may leave out the user name
     * @param patience after which nobody waits for the answer any more
     * @param comparison of a hash with a password, which takes its time
     * @param nanoTime a clock
     * @throws ConfigException with every fault of the file
     */
    PasswordAuthenticator(
            Path file,
            Set<String> open,
            Duration patience,
            Executor workers,
            BiPredicate<PasswordHash, byte[]> comparison,
            LongSupplier nanoTime)
            throws ConfigException {
        this.file = file;
        this.open = Set.copyOf(open);
        this.patienceNanos = patience.toNanos();
        this.workers = workers;
        this.comparison = comparison;
        this.nanoTime = nanoTime;
        NamedFile named = PasswordFile.named(file);
        byte[] content = named.read();
        this.users = PasswordFile.parse(file.toString(), content);
        this.watch = new FileWatch(named, content, BETWEEN_LOOKS, new Reload());
    }

    /**
     * Reads the file and begins to watch it.
     *
     * @param open names of the listeners whose clients may leave out the user name
     * @param patience after which nobody waits for the answer any more
     * @throws ConfigException with every fault of the file
     */
    public static PasswordAuthenticator start(Path file, Set<String> open, Duration patience) throws ConfigException {
        HashWorkers workers = new HashWorkers(Runtime.getRuntime().availableProcessors(), LOGINS_WAITING);
        try {
            PasswordAuthenticator made =
                    new PasswordAuthenticator(file, open, patience, workers, PasswordHash::matches, System::nanoTime);
            made.users.warnings(file).forEach(LOG::warn);
            made.watch.start();
            return made;
        } catch (ConfigException faulty) {
            workers.close();
            throw faulty;
        }
    }

    @Override
    public CompletionStage<Answer> authenticate(Credentials credentials) {
        String user = credentials.userName();
        byte[] password = credentials.password();
        if (user == null || password == null) {
            wipe(password);
            return CompletableFuture.completedFuture(user == null ? anonymous(credentials.listener()) : NO_PASSWORD);
        }
        PasswordHash hash = users.hash(user);
        VerifiedLogins.Login login = verified.login(user, password, hash);
        if (verified.contains(login)) {
            wipe(password);
            return CompletableFuture.completedFuture(Answer.Accepted.as(user));
        }
        CompletableFuture<Answer> answer = new CompletableFuture<>();
        CompletableFuture<Answer> sameLogin = underWay.putIfAbsent(login, answer);
        if (sameLogin != null) {
            wipe(password);
            return sameLogin;
        }
        long since = nanoTime.getAsLong();
        try {
            workers.execute(() -> {
                try {
                    answer.complete(check(user, password, hash, since));
                } finally {
                    underWay.remove(login, answer);
                    wipe(password);
                    answer.complete(BUSY); // if anything was thrown
                }
            });
        } catch (RejectedExecutionException full) {
            underWay.remove(login, answer);
            wipe(password);
            answer.complete(BUSY);
        }
        return answer;
    }

    private Answer anonymous(String listener) {
        return open.contains(listener)
                ? Answer.Accepted.as(null)
                : new Answer.Refused(
                        ReasonCode.NOT_AUTHORIZED,
                        "listener " + listener + " takes no clients without a user name; send user name and password");
    }

    /** By the file as it is when the answer is given: what has changed meanwhile is asked again. */
    private Answer check(String user, byte[] password, PasswordHash first, long since) {
        if (nanoTime.getAsLong() - since > patienceNanos) {
            return BUSY;
        }
        PasswordHash hash = first;
        while (true) {
            boolean right = comparison.test(hash, password);
            PasswordHash now = users.hash(user);
            if (!now.equals(hash)) {
                hash = now;
                continue;
            }
            if (right) {
                verified.add(verified.login(user, password, hash));
            }
            return right ? Answer.Accepted.as(user) : WRONG;
        }
    }

    private static void wipe(byte @Nullable [] password) {
        if (password != null) {
            Arrays.fill(password, (byte) 0);
        }
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
            verified.clear();
            LOG.info(
                    "auth.password-file {} has changed, it names {} user(s) now",
                    file,
                    read.users().size());
            read.warnings(file).forEach(LOG::warn);
        }

        @Override
        public void unreadable(Fault fault) {
            LOG.warn("auth.password-file cannot be read, the users read before stay; {}", fault);
        }
    }

    /** Returns at once; who waits for an answer gets none. */
    @Override
    public void close() {
        watch.close();
        if (workers instanceof HashWorkers own) {
            own.close();
        }
    }
}
