package org.dunlin.server.net.tls;

import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.Date;
import java.util.List;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/** Any thread. Java's own check of what clients show, and then the revocation lists. */
final class ClientTrust extends X509ExtendedTrustManager {
    private final X509ExtendedTrustManager java;
    private final List<X509Certificate> trusted;
    private final Revocation revocation;

    private ClientTrust(X509ExtendedTrustManager java, List<X509Certificate> trusted, Revocation revocation) {
        this.java = java;
        this.trusted = trusted;
        this.revocation = revocation;
    }

    static ClientTrust of(List<X509Certificate> trusted, Revocation revocation) throws TlsFault {
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(null, null);
            for (int i = 0; i < trusted.size(); i++) {
                store.setCertificateEntry("ca" + i, trusted.get(i));
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            for (TrustManager each : factory.getTrustManagers()) {
                if (each instanceof X509ExtendedTrustManager java) {
                    return new ClientTrust(java, trusted, revocation);
                }
            }
            throw new TlsFault("this Java has no check of certificates that crl could be added to; use another Java");
        } catch (GeneralSecurityException | java.io.IOException e) {
            throw new TlsFault("the certificates of ca cannot be used: " + e.getMessage() + "; replace them");
        }
    }

    private void checkRevocation(X509Certificate[] chain) throws CertificateException {
        revocation.check(chain, trusted, new Date());
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) throws CertificateException {
        java.checkClientTrusted(chain, type, engine);
        checkRevocation(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException {
        java.checkClientTrusted(chain, type, socket);
        checkRevocation(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) throws CertificateException {
        java.checkClientTrusted(chain, type);
        checkRevocation(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) throws CertificateException {
        throw new CertificateException("this is a server");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) throws CertificateException {
        throw new CertificateException("this is a server");
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {
        throw new CertificateException("this is a server");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return java.getAcceptedIssuers();
    }
}
