package org.dunlin.server.net.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSslCachingX509KeyManagerFactory;
import io.netty.handler.ssl.OpenSslContextOption;
import io.netty.handler.ssl.OpenSslSessionContext;
import io.netty.handler.ssl.OpenSslSessionTicketKey;
import io.netty.handler.ssl.ReferenceCountedOpenSslEngine;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.util.SimpleKeyManagerFactory;
import io.netty.internal.tcnative.SSL;
import io.netty.util.IllegalReferenceCountException;
import io.netty.util.ReferenceCountUtil;
import java.security.KeyStore;
import java.security.SecureRandom;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.net.ssl.KeyManager;
import javax.net.ssl.ManagerFactoryParameters;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Any thread makes engines, one at a time does the rest. What the handshakes of a listener are made with; when files
 * change another takes its place. It resumes the sessions that it began itself, and no others.
 */
final class TlsContext {
    /** A session may be resumed so long: then what a client showed is looked at anew. */
    private static final int SESSION_SECONDS = 3600;

    /** As Java has it; BoringSSL would take 100 KB. */
    private static final int CERTIFICATES_BYTES_MAX = 32_768;

    private static final int TICKET_NAME_BYTES = 16;
    private static final int TICKET_KEY_BYTES = 16;
    private static final SecureRandom RANDOM = new SecureRandom();

    private final SslContext context;
    private final boolean isNative;
    /** Null if tickets are Java's own business, or nobody's. */
    private final @Nullable OpenSslSessionContext tickets;

    private @Nullable OpenSslSessionTicketKey ticketKey;
    private long ticketKeySince;

    private TlsContext(SslContext context, boolean isNative, boolean resumes) {
        this.context = context;
        this.isNative = isNative;
        this.tickets = resumes && context.sessionContext() instanceof OpenSslSessionContext own ? own : null;
    }

    /** @param ciphers by their IANA names */
    static TlsContext of(TlsSettings settings, Material material, List<String> ciphers, boolean isNative)
            throws TlsFault {
        Credentials main = material.main();
        Revocation revocation = material.revocation();
        CertificateChoice choice = new CertificateChoice(
                main, material.named(), settings.protocols().contains("TLSv1.3"), kindsOf12(ciphers));
        try {
            SslContextBuilder builder = isNative
                    ? SslContextBuilder.forServer(new OpenSslCachingX509KeyManagerFactory(new Keys(choice)))
                            .sslProvider(SslProvider.OPENSSL_REFCNT)
                            .option(OpenSslContextOption.USE_TASKS, false) // the whole of a step is one
                            .option(OpenSslContextOption.MAX_CERTIFICATE_LIST_BYTES, CERTIFICATES_BYTES_MAX)
                    : SslContextBuilder.forServer(choice).sslProvider(SslProvider.JDK);
            builder.protocols(settings.protocols())
                    .ciphers(ciphers)
                    .sessionTimeout(SESSION_SECONDS)
                    .clientAuth(
                            switch (settings.clientAuth()) {
                                case NONE -> ClientAuth.NONE;
                                case OPTIONAL -> ClientAuth.OPTIONAL;
                                case REQUIRED -> ClientAuth.REQUIRE;
                            });
            SslContext context = (revocation == null
                            ? builder.trustManager(main.trustedArray())
                            : builder.trustManager(ClientTrust.of(main.trusted(), revocation)))
                    .build();
            return new TlsContext(context, isNative, resumes(settings, isNative)).prepared();
        } catch (SSLException | IllegalArgumentException e) {
            throw new TlsFault(
                    "the certificate of " + main.subject() + " cannot be used: " + e.getMessage() + "; replace it");
        }
    }

    /**
     * A session that BoringSSL renews lives for days, however often its tickets' key changes, without anybody looking at
     * the client's certificate: whoever shows one has whole handshakes there.
     */
    private static boolean resumes(TlsSettings settings, boolean isNative) {
        return isNative && settings.clientAuth() == TlsSettings.ClientAuth.NONE;
    }

    private TlsContext prepared() {
        if (isNative && context.sessionContext() instanceof OpenSslSessionContext sessions) {
            sessions.setSessionCacheEnabled(false); // native memory for each client; tickets need none
        }
        renewTickets(System.nanoTime());
        return this;
    }

    private static Set<String> kindsOf12(List<String> ciphers) {
        Set<String> kinds = new HashSet<>();
        for (String cipher : ciphers) {
            if (cipher.contains("_ECDSA_")) {
                kinds.add(ClientHello.EC);
            } else if (cipher.contains("_RSA_")) {
                kinds.add(ClientHello.RSA);
            }
        }
        return kinds;
    }

    /** @return null once it is retired */
    @Nullable
    SSLEngine engine(ByteBufAllocator allocator) {
        if (!isNative) {
            return MeteredEngine.ofJava(context.newEngine(allocator));
        }
        try {
            ReferenceCountUtil.retain(context);
        } catch (IllegalReferenceCountException retired) {
            return null;
        }
        try {
            SSLEngine engine = context.newEngine(allocator);
            if (tickets == null && engine instanceof ReferenceCountedOpenSslEngine own) {
                // Netty can do so for the whole process only, Java's TLS included.
                SSL.setOptions(own.sslPointer(), SSL.SSL_OP_NO_TICKET);
            }
            return MeteredEngine.ofNative(engine);
        } finally {
            ReferenceCountUtil.release(context);
        }
    }

    boolean isNative() {
        return isNative;
    }

    /**
     * Makes a new key for tickets when half of the time is over that a session may be resumed; those of the key before
     * are taken until the next change.
     */
    void renewTickets(long nowNanos) {
        OpenSslSessionContext sessions = tickets;
        OpenSslSessionTicketKey before = ticketKey;
        if (sessions == null || (before != null && nowNanos - ticketKeySince < SESSION_SECONDS * 500_000_000L)) {
            return;
        }
        OpenSslSessionTicketKey next = new OpenSslSessionTicketKey(
                random(TICKET_NAME_BYTES), random(TICKET_KEY_BYTES), random(TICKET_KEY_BYTES));
        ticketKey = next;
        ticketKeySince = nowNanos;
        if (before == null) {
            sessions.setTicketKeys(next);
        } else {
            sessions.setTicketKeys(next, before);
        }
    }

    private static byte[] random(int bytes) {
        byte[] random = new byte[bytes];
        RANDOM.nextBytes(random);
        return random;
    }

    /** Once. It makes no more engines; its memory goes with the last that it made. */
    void retire() {
        ReferenceCountUtil.release(context);
    }

    /** One key manager in the form that BoringSSL takes them. */
    private static final class Keys extends SimpleKeyManagerFactory {
        private final CertificateChoice choice;

        Keys(CertificateChoice choice) {
            this.choice = choice;
        }

        @Override
        protected void engineInit(KeyStore store, char[] password) {}

        @Override
        protected void engineInit(ManagerFactoryParameters parameters) {}

        @Override
        protected KeyManager[] engineGetKeyManagers() {
            return new KeyManager[] {choice};
        }
    }
}
