package org.dunlin.server.auth.jwt;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.dunlin.server.config.ConfigException;
import org.dunlin.server.config.Fault;
import org.dunlin.server.config.Quote;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keys from a server, fetched by a thread of its own again and again. When that fails the keys that are there stay. Any thread; only
 * {@link #fetch} waits.
 */
final class FetchedKeys implements KeySource {
    private static final Logger LOG = LoggerFactory.getLogger("dunlin.auth");
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final Duration PAUSE = Duration.ofSeconds(10);

    private final URI url;
    private final Duration interval;
    private final Duration pause;
    private final Duration timeout;
    private final List<String> algorithms;
    private final HttpClient client;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    /** Somebody wants to have the keys before the interval is over. Under the lock, like the next two. */
    private boolean wanted;

    private boolean closed;
    private long attemptNanos;
    private volatile @Nullable VerificationKeys keys;
    /** What was told of a failure last; null if there is none. Only the thread of the fetches. */
    private @Nullable String complaint;

    /** @param interval between two fetches */
    FetchedKeys(URI url, Duration interval, List<String> algorithms) {
        this(url, interval, PAUSE, TIMEOUT, algorithms);
    }

    /**
     * @param pause between two fetches after a failure, and whatever keys tokens name
     * @param timeout for the whole of one fetch
     */
    FetchedKeys(URI url, Duration interval, Duration pause, Duration timeout, List<String> algorithms) {
        this.url = url;
        this.interval = interval;
        this.pause = pause.compareTo(interval) < 0 ? pause : interval;
        this.timeout = timeout;
        this.algorithms = algorithms;
        this.client = HttpClient.newBuilder()
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(timeout)
                .build();
    }

    @Override
    public @Nullable VerificationKeys keys() {
        return keys;
    }

    @Override
    public void watch() {
        Thread thread = new Thread(this::work, "auth-jwks");
        thread.setDaemon(true);
        thread.start();
    }

    private void work() {
        try {
            if (keys == null) {
                fetch();
            }
            while (awaitNext()) {
                fetch();
            }
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    /** @return false if it is closed */
    private boolean awaitNext() throws InterruptedException {
        lock.lock();
        try {
            attemptNanos = System.nanoTime();
            while (!closed) {
                Duration span = wanted || complaint != null ? pause : interval;
                long left = span.toNanos() - (System.nanoTime() - attemptNanos);
                if (left <= 0) {
                    break;
                }
                changed.awaitNanos(left);
            }
            wanted = false;
            return !closed;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public boolean missed() {
        lock.lock();
        try {
            wanted = true;
            changed.signalAll();
            return keys == null || System.nanoTime() - attemptNanos > pause.toNanos();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void load() throws ConfigException {
        String failure;
        try {
            failure = attempt();
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
            failure = "was not waited for";
        }
        if (failure != null) {
            throw new ConfigException(List.of(new Fault(
                    url.toString(), "auth.jwt.jwks", failure, "correct auth.jwt.jwks, or see to what is there")));
        }
    }

    /** Asks the server once; tells of a failure if it is another than before. */
    void fetch() throws InterruptedException {
        String failure = attempt();
        if (failure != null && !failure.equals(complaint)) {
            LOG.warn(
                    "auth.jwt.jwks {} {}; {}",
                    url,
                    failure,
                    keys == null ? "tokens cannot be checked until it can" : "the keys fetched before stay");
        }
        complaint = failure;
    }

    /** @return why it has failed, or null */
    private @Nullable String attempt() throws InterruptedException {
        try {
            VerificationKeys fetched = KeyFile.jwks(body(), algorithms);
            VerificationKeys before = keys;
            if (before == null || complaint != null || before.count() != fetched.count()) {
                LOG.info("auth.jwt.jwks {} has {} key(s)", url, fetched.count());
            }
            keys = fetched;
            return null;
        } catch (KeyFile.Unfit unfit) {
            return String.valueOf(unfit.getMessage());
        } catch (TimeoutException late) {
            return "does not answer within " + timeout.toMillis() + " ms";
        } catch (ExecutionException | IOException failed) {
            Throwable cause =
                    failed instanceof ExecutionException && failed.getCause() != null ? failed.getCause() : failed;
            return "cannot be fetched: " + Quote.of(cause.getClass().getSimpleName() + " " + cause.getMessage());
        }
    }

    private byte[] body() throws InterruptedException, ExecutionException, TimeoutException, IOException {
        HttpRequest request = HttpRequest.newBuilder(url)
                .timeout(timeout)
                .header("Accept", "application/json")
                .build();
        CompletableFuture<HttpResponse<byte[]>> asked =
                client.sendAsync(request, head -> new BoundedBody(head.statusCode() == 200 ? KeyFile.BYTES_MAX : 0));
        try {
            HttpResponse<byte[]> answer = asked.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
            if (answer.statusCode() != 200) {
                throw new IOException("status " + answer.statusCode());
            }
            return answer.body();
        } finally {
            asked.cancel(true);
        }
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
