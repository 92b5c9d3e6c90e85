package org.dunlin.server.cli.remote;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.dunlin.server.cli.CommandException;
import org.dunlin.server.cli.ExitCode;

/**
 * Trusts the certificates of one file: a broker that shows one of them is the right one, whatever address it is called by; one that
 * they have signed, too. Any thread.
 */
final class Trust extends X509ExtendedTrustManager {
    private final List<X509Certificate> known;

    private Trust(List<X509Certificate> known) {
        this.known = known;
    }

    /** @param file in PEM */
    static SSLContext only(Path file) throws CommandException {
        try (InputStream in = Files.newInputStream(file)) {
            List<X509Certificate> known = new ArrayList<>();
            for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                known.add((X509Certificate) each);
            }
            if (known.isEmpty()) {
                throw new CertificateException("there is none in it");
            }
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, new TrustManager[] {new Trust(known)}, null);
            return context;
        } catch (IOException | GeneralSecurityException unreadable) {
            throw new CommandException(
                    ExitCode.USAGE,
                    "the certificates in " + file + " cannot be read: " + unreadable.getMessage()
                            + "; name a PEM file with --ca",
                    unreadable);
        }
    }

    private void check(X509Certificate[] chain) throws CertificateException {
        chain[0].checkValidity();
        for (int i = 0; i < chain.length; i++) {
            if (known.contains(chain[i])) {
                return;
            }
            for (X509Certificate signer : known) {
                if (isSigned(chain[i], signer)) {
                    return;
                }
            }
            if (i + 1 < chain.length && !isSigned(chain[i], chain[i + 1])) {
                break;
            }
        }
        throw new CertificateException("it is none of those that are trusted");
    }

    private static boolean isSigned(X509Certificate certificate, X509Certificate signer) {
        if (!certificate.getIssuerX500Principal().equals(signer.getSubjectX500Principal())
                || signer.getBasicConstraints() < 0) {
            return false;
        }
        try {
            signer.checkValidity();
            certificate.verify(signer.getPublicKey());
            return true;
        } catch (GeneralSecurityException other) {
            return false;
        }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        check(chain);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        check(chain);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, Socket socket)
            throws CertificateException {
        throw new CertificateException("this is a client");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType, SSLEngine engine)
            throws CertificateException {
        throw new CertificateException("this is a client");
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String authType) throws CertificateException {
        throw new CertificateException("this is a client");
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
    }
}
