package org.dunlin.server.net.tls;

import java.net.Socket;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import org.jspecify.annotations.Nullable;

/**
 * Any thread. Chooses the certificate by the host name that the client asks for (SNI): one that names it, else one with a
 * wildcard that fits, else the listener's main one. Among several for one host the kind of key decides that the client
 * prefers.
 */
final class CertificateChoice extends X509ExtendedKeyManager {
    private final List<Credentials> all = new ArrayList<>();

    private final boolean has13;
    private final Set<String> kindsOf12;

    /**
     * @param has13 whether TLS 1.3 is spoken
     * @param kindsOf12 kinds of keys that the cipher suites of TLS 1.2 go with
     */
    CertificateChoice(Credentials main, List<Credentials> named, boolean has13, Set<String> kindsOf12) {
        all.add(main);
        all.addAll(named);
        this.has13 = has13;
        this.kindsOf12 = kindsOf12;
    }

    /** Java asks for the kinds that a client takes, in its order; BoringSSL for all that the listener has, in its own. */
    private @Nullable String choose(ClientHello hello, String keyType, @Nullable String host) {
        List<Credentials> fitting = fitting(host);
        for (String kind : hello.kinds(has13, kindsOf12)) {
            for (Credentials each : fitting) {
                if (isOf(kind, each)) {
                    return kind.equals(keyType) ? Integer.toString(all.indexOf(each)) : null;
                }
            }
        }
        return choose(keyType, host);
    }

    private static boolean isOf(String kind, Credentials each) {
        return each.chain().get(0).getPublicKey().getAlgorithm().equals(kind);
    }

    private @Nullable String choose(String keyType, @Nullable String host) {
        List<Credentials> fitting = fitting(host);
        for (Credentials each : fitting) {
            if (isOf(keyType, each)) {
                return Integer.toString(all.indexOf(each));
            }
        }
        return null;
    }

    private List<Credentials> fitting(@Nullable String host) {
        if (host != null) {
            int dot = host.indexOf('.');
            List<String> asked = dot > 0 ? List.of(host, "*" + host.substring(dot)) : List.of(host);
            for (String name : asked) {
                List<Credentials> fitting = new ArrayList<>();
                for (Credentials each : all) {
                    if (each.hosts().stream().anyMatch(name::equalsIgnoreCase)) {
                        fitting.add(each);
                    }
                }
                if (!fitting.isEmpty()) {
                    return fitting;
                }
            }
        }
        return all.subList(0, 1);
    }

    private static @Nullable String host(SSLEngine engine) {
        if (engine.getHandshakeSession() instanceof ExtendedSSLSession session) {
            for (SNIServerName name : session.getRequestedServerNames()) {
                if (name instanceof SNIHostName host) {
                    return host.getAsciiName();
                }
            }
        }
        return null;
    }

    @Override
    public @Nullable String chooseEngineServerAlias(String keyType, Principal @Nullable [] issuers, SSLEngine engine) {
        ClientHello hello = ClientHello.CURRENT.get();
        return hello == null ? choose(keyType, host(engine)) : choose(hello, keyType, host(engine));
    }

    @Override
    public @Nullable String chooseServerAlias(String keyType, Principal @Nullable [] issuers, Socket socket) {
        return choose(keyType, null);
    }

    @Override
    public X509Certificate @Nullable [] getCertificateChain(String alias) {
        return all.get(Integer.parseInt(alias)).chainArray();
    }

    @Override
    public @Nullable PrivateKey getPrivateKey(String alias) {
        return all.get(Integer.parseInt(alias)).key();
    }

    @Override
    public String @Nullable [] getServerAliases(String keyType, Principal @Nullable [] issuers) {
        return null;
    }

    @Override
    public String @Nullable [] getClientAliases(String keyType, Principal @Nullable [] issuers) {
        return null;
    }

    @Override
    public @Nullable String chooseClientAlias(
            String[] keyType, Principal @Nullable [] issuers, @Nullable Socket socket) {
        return null;
    }
}
