package org.dunlin.server.net.tls;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.dunlin.server.net.ListenException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Any thread. The TLS of all listeners of a broker: a thread of its own that looks at their files every few seconds, by
 * content, so that links that change their target count; and a few threads for what is long in a handshake, so that
 * event loops go on meanwhile.
 */
public final class CertificateWatch implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(CertificateWatch.class);
    /** Handshakes that wait for a thread; at 1 to 5 ms each the last is still in time. */
    private static final int HANDSHAKES_WAITING = 2048;

    private static final int HANDSHAKES_OF_A_LISTENER = HANDSHAKES_WAITING / 2;

    private final List<TlsLayer> layers = new CopyOnWriteArrayList<>();
    private final TlsProvider provider;
    private final long intervalMillis;
    private final ThreadPoolExecutor handshakes;
    private final HandshakeQueue.Room room = new HandshakeQueue.Room(HANDSHAKES_WAITING);
    private final ScheduledExecutorService looks =
            Executors.newSingleThreadScheduledExecutor(task -> daemon(task, "dunlin-certificates"));

    /**
     * @param interval between two looks; what has changed is taken at the second look that finds it the same
     * @param provider whose TLS the listeners are to have
     */
    public CertificateWatch(Duration interval, TlsProvider provider) {
        this.provider = provider;
        intervalMillis = interval.toMillis();
        AtomicInteger number = new AtomicInteger();
        int threads = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
        handshakes = new ThreadPoolExecutor(
                threads,
                threads,
                10,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(), // has what the queues of the listeners let in
                task -> daemon(task, "dunlin-tls-" + number.incrementAndGet()));
        handshakes.allowCoreThreadTimeOut(true);
    }

    private static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }

    /**
     * Reads the files of a listener and watches them from now on.
     *
     * @param listener its name, for people
     * @throws ListenException if they do not make a TLS listener
     */
    public synchronized TlsLayer open(String listener, TlsSettings settings) throws ListenException {
        HandshakeQueue queue = new HandshakeQueue(handshakes, room, HANDSHAKES_OF_A_LISTENER);
        TlsLayer layer = TlsLayer.open(listener, settings, provider, queue);
        layer.look(System.currentTimeMillis());
        layers.add(layer);
        if (layers.size() == 1) {
            looks.scheduleWithFixedDelay(this::look, intervalMillis, intervalMillis, TimeUnit.MILLISECONDS);
        }
        return layer;
    }

    /** How the certificates of each TLS listener stand. */
    public List<TlsLayer.Status> status() {
        return layers.stream().map(TlsLayer::status).toList();
    }

    private void look() {
        for (TlsLayer layer : layers) {
            try {
                layer.look(System.currentTimeMillis());
            } catch (RuntimeException e) {
                log.error("Looking at the files of a TLS listener failed", e);
            }
        }
    }

    /**
     * For people, whose TLS the listeners have: "BoringSSL", "Java", perhaps with the reason, or "BoringSSL (a, b), Java
     * (c)"; "" without any.
     */
    public String providers() {
        List<String> boring = new ArrayList<>();
        List<String> java = new ArrayList<>();
        layers.forEach(layer -> (layer.isNative() ? boring : java).add(layer.name()));
        if (layers.isEmpty()) {
            return "";
        }
        if (boring.isEmpty()) {
            return provider == TlsProvider.AUTO && NativeTls.missing() != null ? NativeTls.describe() : "Java";
        }
        if (java.isEmpty()) {
            return "BoringSSL";
        }
        return "BoringSSL (" + String.join(", ", boring) + "), Java (" + String.join(", ", java) + ")";
    }

    /** Looks at no file any more, and makes no more handlers. Waits for a look that is under way. */
    @Override
    public void close() {
        looks.shutdownNow();
        layers.forEach(TlsLayer::close);
        handshakes.shutdown();
    }
}
