package org.dunlin.server.net.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandler;
import io.netty.handler.ssl.SslHandler;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.dunlin.server.net.Layer;
import org.dunlin.server.net.ListenException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * TLS of one listener. Any thread makes handlers; one thread at a time looks at the files. What is changed there serves
 * the handshakes that begin then; connections go on with what they began with.
 */
public final class TlsLayer implements Layer {
    private static final Logger log = LoggerFactory.getLogger(TlsLayer.class);

    /** With forward secrecy and AEAD; what Java does not have is left out. */
    private static final List<String> CIPHERS = List.of(
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

    /** A peer that does not take our farewell does not keep the socket for long. */
    private static final long CLOSE_NOTIFY_MILLIS = 1000;

    private static final String REJECT_RENEGOTIATION = "jdk.tls.rejectClientInitiatedRenegotiation";

    static {
        // A client could have handshake after handshake for the price of one connection. Read when TLS is first used.
        if (System.getProperty(REJECT_RENEGOTIATION) == null) {
            System.setProperty(REJECT_RENEGOTIATION, "true");
        }
    }

    private final String listener;
    private final TlsSettings settings;
    private final TlsProvider provider;
    private final HandshakeQueue handshakes;
    private Material material;
    private List<Expiry> expiries = List.of();
    private volatile TlsContext context;
    /** When the first of its certificates ends. */
    private volatile long endsAtMillis;
    /** How often new files were refused. */
    private final AtomicInteger refusals = new AtomicInteger();

    /** The files that {@link #context} is made of, or that were refused last. */
    private byte[] seen;
    /** As the files were at the last look: while they are being written they are not tried. */
    private byte[] latest;

    private boolean closed;
    /** The revocation lists that have been said to be out of force. */
    private String ended = "";

    private TlsLayer(
            String listener,
            TlsSettings settings,
            TlsProvider provider,
            HandshakeQueue handshakes,
            Material material,
            TlsContext context,
            byte[] seen) {
        this.listener = listener;
        this.settings = settings;
        this.provider = provider;
        this.handshakes = handshakes;
        this.material = material;
        this.context = context;
        this.seen = seen;
        this.latest = seen;
        renewExpiries(null);
    }

    /**
     * Reads the files.
     *
     * @param listener its name, for people
     * @param provider whose TLS it is to have
     * @param handshakes where what is long in a handshake is computed; may refuse
     * @throws ListenException if they do not make a TLS listener
     */
    static TlsLayer open(String listener, TlsSettings settings, TlsProvider provider, HandshakeQueue handshakes)
            throws ListenException {
        Credentials.Snapshot files = Credentials.Snapshot.of(settings);
        try {
            Material material = Material.read(settings, files);
            TlsContext context = context(settings, material, provider);
            return new TlsLayer(listener, settings, provider, handshakes, material, context, files.fingerprint());
        } catch (TlsFault fault) {
            throw new ListenException("listener " + listener + ": " + fault.text(), false, fault);
        }
    }

    /** Reads the files and opens nothing. @return every fault, each as one line that says what to do */
    public static List<String> faults(TlsSettings settings, TlsProvider provider) {
        Credentials.Snapshot files = Credentials.Snapshot.of(settings);
        List<String> faults = new ArrayList<>(Material.faults(settings, files));
        if (faults.isEmpty()) {
            try {
                context(settings, Material.read(settings, files), provider).retire();
            } catch (TlsFault fault) {
                faults.add(fault.text());
            }
        }
        return faults;
    }

    private static TlsContext context(TlsSettings settings, Material material, TlsProvider provider) throws TlsFault {
        List<String> ciphers = ciphers(settings);
        return TlsContext.of(settings, material, ciphers, isNative(settings, material, provider));
    }

    private static boolean isNative(TlsSettings settings, Material material, TlsProvider provider) throws TlsFault {
        if (provider == TlsProvider.JDK) {
            return false;
        }
        String missing = NativeTls.missing();
        String lack = missing == null ? NativeTls.unfit(settings, material) : null;
        if (provider == TlsProvider.OPENSSL && missing != null) {
            throw new TlsFault("server.tls-provider is openssl, but " + missing + "; set it to auto or jdk");
        }
        if (provider == TlsProvider.OPENSSL && lack != null) {
            throw new TlsFault(lack + ", or set server.tls-provider to auto or jdk");
        }
        return missing == null && lack == null;
    }

    private static List<String> ciphers(TlsSettings settings) throws TlsFault {
        Set<String> known;
        try {
            known = Set.copyOf(Arrays.asList(
                    SSLContext.getDefault().getSupportedSSLParameters().getCipherSuites()));
        } catch (GeneralSecurityException e) {
            throw new TlsFault("TLS does not work in this Java: " + e.getMessage() + "; use another Java");
        }
        for (String cipher : settings.ciphers()) {
            if (!known.contains(cipher)) {
                throw new TlsFault("ciphers has " + cipher + ", which this Java does not know; remove it");
            }
        }
        return settings.ciphers().isEmpty()
                ? CIPHERS.stream().filter(known::contains).toList()
                : settings.ciphers();
    }

    @Override
    public List<ChannelHandler> handlers(ByteBufAllocator allocator) {
        HandshakeQueue.Steps steps = handshakes.steps();
        SslHandler handler = new SslHandler(engine(allocator), steps);
        handler.setHandshakeTimeoutMillis(0); // MQTT waits for CONNECT and has one deadline for all before it
        handler.setCloseNotifyFlushTimeoutMillis(CLOSE_NOTIFY_MILLIS);
        return List.of(steps, handler);
    }

    private SSLEngine engine(ByteBufAllocator allocator) {
        while (true) {
            TlsContext current = context;
            SSLEngine engine = current.engine(allocator);
            if (engine != null) {
                return engine;
            }
            if (current == context) {
                throw new IllegalStateException("listener " + listener + " is closed");
            }
        }
    }

    String name() {
        return listener;
    }

    /** Whether its TLS is BoringSSL's, not Java's. */
    public boolean isNative() {
        return context.isNative();
    }

    /** Makes no handlers any more; those that are there go on. */
    @Override
    public synchronized void close() {
        if (!closed) {
            closed = true;
            context.retire();
        }
    }

    private void replace(TlsContext next) {
        TlsContext before = context;
        context = next;
        before.retire();
    }

    /**
     * Takes what the files hold if that is new and has not changed since the last look; if it does not fit together, the
     * old goes on and one line is logged. Warns of a certificate that ends.
     */
    synchronized void look(long nowMillis) {
        if (closed) {
            return;
        }
        Credentials.Snapshot files = Credentials.Snapshot.of(settings);
        byte[] now = files.fingerprint();
        boolean settled = Arrays.equals(now, latest);
        latest = now;
        if (settled && !Arrays.equals(now, seen)) {
            seen = now;
            reload(files);
        }
        lookAtRevocation(nowMillis);
        expiries.forEach(expiry -> expiry.look(nowMillis));
        context.renewTickets(System.nanoTime());
    }

    /** How its certificates stand. Any thread. */
    Status status() {
        return new Status(listener, endsAtMillis, refusals.get());
    }

    /**
     * How the certificates of one listener stand.
     *
     * @param endsAtMillis time of day at which the first of them ends
     * @param refusals how often new files were refused since the start
     */
    public record Status(String listener, long endsAtMillis, int refusals) {}

    private void reload(Credentials.Snapshot files) {
        Material before = material;
        Material next = before.renewed(settings, files, fault -> {
            refusals.incrementAndGet();
            log.warn("Listener {} goes on with {}", listener, fault);
        });
        if (next.equals(before)) {
            return;
        }
        try {
            replace(context(settings, next, provider));
        } catch (TlsFault fault) {
            refusals.incrementAndGet();
            log.warn("Listener {} goes on with what it has: {}", listener, fault.text());
            return;
        }
        material = next;
        ended = "";
        for (Expiry renewed : renewExpiries(before)) {
            log.info("Listener {}: new handshakes get the new certificate {}", listener, renewed);
        }
        if (!next.main().trusted().equals(before.main().trusted())
                || !Objects.equals(next.revocation(), before.revocation())) {
            log.info("Listener {}: clients of new handshakes are checked by the new ca and crl", listener);
        }
    }

    /** @return those of new certificates */
    private List<Expiry> renewExpiries(@Nullable Material before) {
        List<Expiry> all = new ArrayList<>();
        List<Expiry> renewed = new ArrayList<>();
        List<Credentials> shown = material.shown();
        for (int i = 0; i < shown.size(); i++) {
            if (before != null
                    && before.shown().get(i).chain().equals(shown.get(i).chain())) {
                all.add(expiries.get(i));
            } else {
                Expiry made = new Expiry(listener, shown.get(i));
                all.add(made);
                renewed.add(made);
            }
        }
        expiries = all;
        endsAtMillis = material.shown().stream()
                .mapToLong(Credentials::expiryMillis)
                .min()
                .orElse(Long.MAX_VALUE);
        return renewed;
    }

    /** Once a list is over, whoever was let in by it must not resume a session either: a new context knows none. */
    private void lookAtRevocation(long nowMillis) {
        Revocation revocation = material.revocation();
        String over = revocation == null ? "" : revocation.ended(nowMillis);
        if (over.equals(ended)) {
            return;
        }
        ended = over;
        try {
            replace(context(settings, material, provider));
        } catch (TlsFault fault) {
            log.warn("Listener {} goes on with what it has: {}", listener, fault.text());
        }
        log.warn(
                "Listener {}: revocation lists are out of force: {}; clients whose certificates they are for are refused"
                        + " until crl is renewed",
                listener,
                over);
    }
}
