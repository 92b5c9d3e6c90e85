package org.dunlin.server.net.tls;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.cert.CRLException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509CRLEntry;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import javax.security.auth.x500.X500Principal;
import org.jspecify.annotations.Nullable;

/**
 * Any thread. Revocation lists of those who sign certificates of clients. A client's own certificate has to be covered by
 * a list of its signer that is in force; those between it and the root are looked for where there is a list. A
 * certificate that is trusted by itself needs none.
 *
 * @param lists at least one
 */
record Revocation(List<X509CRL> lists) {
    private static final int PATH_MAX = 10;
    private static final String DELTA = "2.5.29.27";
    private static final String ISSUING_POINT = "2.5.29.28";

    /** @param trusted who must have signed a list that bears its name */
    static Revocation read(Path file, byte[] content, List<X509Certificate> trusted) throws TlsFault {
        List<X509CRL> lists = new ArrayList<>();
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            List<byte[]> texts = Pem.revocationLists(file, content);
            if (texts.isEmpty()) {
                BufferedInputStream der = new BufferedInputStream(new ByteArrayInputStream(content));
                while (der.available() > 0) {
                    lists.add((X509CRL) factory.generateCRL(der));
                }
            }
            for (byte[] text : texts) {
                lists.add((X509CRL) factory.generateCRL(new ByteArrayInputStream(text)));
            }
        } catch (CRLException | CertificateException | IOException e) {
            throw new TlsFault(file + " has a damaged revocation list (number " + (lists.size() + 1)
                    + "), or is none; name a file of lists in the form of PEM or DER");
        }
        if (lists.isEmpty()) {
            throw new TlsFault(file + " has no revocation list; name a file in the form of PEM or DER");
        }
        for (X509CRL list : lists) {
            check(file, list, trusted);
        }
        return new Revocation(List.copyOf(lists));
    }

    private static void check(Path file, X509CRL list, List<X509Certificate> trusted) throws TlsFault {
        // Java knows what marks a delta and a part, and so does not call them unsupported
        boolean part = list.getExtensionValue(DELTA) != null || list.getExtensionValue(ISSUING_POINT) != null;
        if (part || list.hasUnsupportedCriticalExtension()) {
            throw new TlsFault(file + " has a revocation list of " + name(list)
                    + " that may cover a part of its certificates only (a delta, or one with an issuing distribution"
                    + " point); name complete lists");
        }
        boolean named = false;
        for (X509Certificate signer : trusted) {
            if (signer.getSubjectX500Principal().equals(list.getIssuerX500Principal())) {
                named = true;
                if (isSignedBy(list, signer.getPublicKey())) {
                    return;
                }
            }
        }
        if (named) {
            throw new TlsFault(file + " has a revocation list that " + name(list)
                    + " has not signed; get it anew from there, or name the certificate that has signed it as ca");
        }
    }

    private static String name(X509CRL list) {
        return list.getIssuerX500Principal().getName();
    }

    private static boolean isSignedBy(X509CRL list, PublicKey key) {
        try {
            list.verify(key);
            return true;
        } catch (GeneralSecurityException | RuntimeException no) {
            return false;
        }
    }

    /**
     * @param shown what a client has shown, its own certificate first; already known to lead to one that is trusted
     * @throws CertificateException if it is not to be let in; the message has no secret
     */
    void check(X509Certificate[] shown, List<X509Certificate> trusted, Date now) throws CertificateException {
        List<X509Certificate> signers = new ArrayList<>(trusted);
        signers.addAll(Arrays.asList(shown));
        X509Certificate one = shown[0];
        for (int i = 0; i < PATH_MAX; i++) {
            boolean anchor = trusted.contains(one);
            X509Certificate signer = signerOf(one, signers);
            if (signer != null) {
                check(one, signer, i == 0 && !anchor, now);
            }
            if (anchor || signer == null || signer.equals(one)) {
                return;
            }
            one = signer;
        }
    }

    private static @Nullable X509Certificate signerOf(X509Certificate one, List<X509Certificate> among) {
        X500Principal name = one.getIssuerX500Principal();
        for (X509Certificate each : among) {
            if (each.getSubjectX500Principal().equals(name)) {
                try {
                    one.verify(each.getPublicKey());
                    return each;
                } catch (GeneralSecurityException another) {
                    // that bears the same name
                }
            }
        }
        return null;
    }

    private void check(X509Certificate one, X509Certificate signer, boolean needed, Date now)
            throws CertificateException {
        String name = signer.getSubjectX500Principal().getName();
        boolean any = false;
        boolean inForce = false;
        for (X509CRL list : lists) {
            if (!list.getIssuerX500Principal().equals(signer.getSubjectX500Principal())
                    || !isSignedBy(list, signer.getPublicKey())) {
                continue;
            }
            any = true;
            X509CRLEntry entry = list.getRevokedCertificate(one.getSerialNumber());
            if (entry != null) {
                throw new CertificateException("the certificate of "
                        + one.getSubjectX500Principal().getName() + " was revoked on "
                        + day(entry.getRevocationDate()));
            }
            Date end = list.getNextUpdate();
            inForce |= !now.before(list.getThisUpdate()) && (end == null || now.before(end));
        }
        if (any && !inForce) {
            throw new CertificateException(
                    "the revocation list of " + name + " is not in force any more, or not yet; renew crl");
        }
        if (needed && !any) {
            throw new CertificateException("crl has no revocation list of " + name);
        }
    }

    private static String day(Date date) {
        return date.toInstant().toString().substring(0, 10);
    }

    /** For people: the lists whose time is over, or "". */
    String ended(long nowMillis) {
        StringBuilder ended = new StringBuilder();
        for (X509CRL list : lists) {
            Date end = list.getNextUpdate();
            if (end != null && end.getTime() <= nowMillis) {
                ended.append(ended.length() == 0 ? "" : ", ").append(name(list)).append(" on ");
                ended.append(Instant.ofEpochMilli(end.getTime()));
            }
        }
        return ended.toString();
    }
}
