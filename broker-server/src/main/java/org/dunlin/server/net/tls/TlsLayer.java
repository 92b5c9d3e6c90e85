package org.dunlin.server.net.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandler;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.dunlin.server.net.Layer;
import org.dunlin.server.net.ListenException;
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
    private final Executor handshakes;
    private final Expiry expiry;
    private volatile SslContext context;
    /** The files that {@link #context} is made of, or that were refused last. */
    private byte[] seen;
    /** As the files were at the last look: while they are being written they are not tried. */
    private byte[] latest;

    private TlsLayer(
            String listener,
            TlsSettings settings,
            Executor handshakes,
            Expiry expiry,
            SslContext context,
            byte[] seen) {
        this.listener = listener;
        this.settings = settings;
        this.handshakes = handshakes;
        this.expiry = expiry;
        this.context = context;
        this.seen = seen;
        this.latest = seen;
    }

    /**
     * Reads the files.
     *
     * @param listener its name, for people
     * @param handshakes where what is long in a handshake is computed; may refuse
     * @throws ListenException if they do not make a TLS listener
     */
    public static TlsLayer open(String listener, TlsSettings settings, Executor handshakes) throws ListenException {
        Credentials.Snapshot files = Credentials.Snapshot.of(settings);
        try {
            Credentials credentials = Credentials.read(settings, files);
            SslContext context = context(settings, credentials);
            Expiry expiry = new Expiry(listener, credentials);
            return new TlsLayer(listener, settings, handshakes, expiry, context, files.fingerprint());
        } catch (TlsFault fault) {
            throw new ListenException("listener " + listener + ": " + fault.text(), false, fault);
        }
    }

    private static SslContext context(TlsSettings settings, Credentials credentials) throws TlsFault {
        Set<String> known;
        try {
            known = Set.copyOf(Arrays.asList(
                    SSLContext.getDefault().getSupportedSSLParameters().getCipherSuites()));
        } catch (GeneralSecurityException e) {
            throw new TlsFault("TLS does not work in this Java: " + e.getMessage());
        }
        for (String cipher : settings.ciphers()) {
            if (!known.contains(cipher)) {
                throw new TlsFault("ciphers has " + cipher + ", which this Java does not know; remove it");
            }
        }
        List<String> ciphers = settings.ciphers().isEmpty()
                ? CIPHERS.stream().filter(known::contains).toList()
                : settings.ciphers();
        try {
            return SslContextBuilder.forServer(credentials.key(), credentials.chainArray())
                    .sslProvider(SslProvider.JDK)
                    .protocols(settings.protocols())
                    .ciphers(ciphers)
                    .trustManager(credentials.trustedArray())
                    .clientAuth(
                            switch (settings.clientAuth()) {
                                case NONE -> ClientAuth.NONE;
                                case OPTIONAL -> ClientAuth.OPTIONAL;
                                case REQUIRED -> ClientAuth.REQUIRE;
                            })
                    .build();
        } catch (SSLException | IllegalArgumentException e) {
            throw new TlsFault("the certificate of " + credentials.subject() + " cannot be used: " + e.getMessage());
        }
    }

    @Override
    public List<ChannelHandler> handlers(ByteBufAllocator allocator) {
        SslHandler handler = context.newHandler(allocator, handshakes);
        handler.setHandshakeTimeoutMillis(0); // MQTT waits for CONNECT and has one deadline for all before it
        handler.setCloseNotifyFlushTimeoutMillis(CLOSE_NOTIFY_MILLIS);
        return List.of(handler);
    }

    /**
     * Takes what the files hold if that is new and has not changed since the last look; if it does not fit together, the
     * old goes on and one line is logged. Warns of a certificate that ends.
     */
    void look(long nowMillis) {
        Credentials.Snapshot files = Credentials.Snapshot.of(settings);
        byte[] now = files.fingerprint();
        boolean settled = Arrays.equals(now, latest);
        latest = now;
        if (settled && !Arrays.equals(now, seen)) {
            seen = now;
            try {
                Credentials credentials = Credentials.read(settings, files);
                context = context(settings, credentials);
                expiry.renewed(credentials);
                log.info("Listener {}: new handshakes get the new certificate {}", listener, expiry);
            } catch (TlsFault fault) {
                log.warn("Listener {} goes on with the certificate it has: {}", listener, fault.text());
            }
        }
        expiry.look(nowMillis);
    }
}
