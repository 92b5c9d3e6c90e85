package org.dunlin.server.net.tls;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.UnrecoverableKeyException;
import java.security.cert.Certificate;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Any thread. A private key that fits its certificate, and whose signatures count for clients.
 *
 * @param chain the listener's own certificate first
 * @param trusted empty if clients are not asked for certificates
 */
record Credentials(PrivateKey key, List<X509Certificate> chain, List<X509Certificate> trusted) {
    /** A bundle of all public authorities has less than 1 MB. */
    private static final int FILE_BYTES_MAX = 8 << 20;

    private static final int JKS_MAGIC = 0xfe;

    /** Of subject alternative names. */
    private static final int DNS_NAME = 2;

    /** The contents of all files, read at one time, so that what is checked is what is used. */
    static final class Snapshot {
        private final Map<Path, byte[]> contents = new LinkedHashMap<>();
        private final Map<Path, String> unreadable = new LinkedHashMap<>();

        private Snapshot() {}

        static Snapshot of(TlsSettings settings) {
            Snapshot snapshot = new Snapshot();
            for (Path file : settings.files()) {
                try (InputStream in = Files.newInputStream(file)) {
                    byte[] content = in.readNBytes(FILE_BYTES_MAX + 1);
                    if (content.length > FILE_BYTES_MAX) {
                        snapshot.unreadable.put(
                                file, file + " has more than 8 MB; name a file of certificates or keys");
                    } else {
                        snapshot.contents.put(file, content);
                    }
                } catch (NoSuchFileException e) {
                    snapshot.unreadable.put(file, file + " does not exist; check the path");
                } catch (AccessDeniedException e) {
                    snapshot.unreadable.put(
                            file, file + " may not be read by this user; grant it to the user of the broker");
                } catch (IOException e) {
                    snapshot.unreadable.put(file, file + " cannot be read: " + e.getMessage());
                }
            }
            return snapshot;
        }

        /** The same for the same contents. */
        byte[] fingerprint() {
            try {
                MessageDigest digest = MessageDigest.getInstance("SHA-256");
                contents.forEach((path, content) -> {
                    digest.update(Integer.toString(content.length).getBytes(StandardCharsets.UTF_8));
                    digest.update((byte) ':');
                    digest.update(content);
                });
                unreadable.forEach((path, fault) -> digest.update(fault.getBytes(StandardCharsets.UTF_8)));
                return digest.digest();
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException(e);
            }
        }

        /** Why each file that cannot be read cannot. */
        List<String> unreadable() {
            return List.copyOf(unreadable.values());
        }

        byte[] content(Path file) throws TlsFault {
            byte[] content = contents.get(file);
            if (content == null) {
                throw new TlsFault(String.valueOf(unreadable.get(file)));
            }
            return content;
        }
    }

    static Credentials read(TlsSettings settings, Snapshot files) throws TlsFault {
        List<X509Certificate> trusted = trusted(settings, files);
        Path keystore = settings.keystore();
        if (keystore != null) {
            return ofStore(keystore, files.content(keystore), settings.password(), trusted);
        }
        Path cert = settings.cert();
        Path key = settings.key();
        if (cert == null || key == null) {
            throw new TlsFault("certificate or key is missing; name cert and key, or a keystore");
        }
        return ofFiles(cert, key, settings.password(), files, trusted);
    }

    /** One of several that are chosen by the host name that the client asks for. */
    static Credentials read(TlsSettings.Named named, String password, Snapshot files) throws TlsFault {
        Credentials read = ofFiles(named.cert(), named.key(), password, files, List.of());
        if (read.hosts().isEmpty()) {
            throw new TlsFault(named.cert() + " has a certificate that names no host, so no client could ask for it;"
                    + " add the host to its subject alternative names, or remove it from sni");
        }
        return read;
    }

    private static Credentials ofFiles(
            Path cert, Path key, String password, Snapshot files, List<X509Certificate> trusted) throws TlsFault {
        List<X509Certificate> chain = Pem.certificates(cert, files.content(cert));
        PrivateKey secret = Pem.key(key, files.content(key), password);
        if (!belong(secret, chain.get(0))) {
            throw new TlsFault("the private key in " + key + " does not belong to the certificate in " + cert
                    + "; name the two that were made together, the certificate of this server first in its file");
        }
        return new Credentials(secret, chain, trusted);
    }

    private static List<X509Certificate> trusted(TlsSettings settings, Snapshot files) throws TlsFault {
        Path ca = settings.ca();
        Path truststore = settings.truststore();
        if (settings.clientAuth() == TlsSettings.ClientAuth.NONE) {
            return List.of();
        }
        if (ca != null) {
            return Pem.certificates(ca, files.content(ca));
        }
        if (truststore == null) {
            throw new TlsFault("client-auth asks for certificates, but ca or truststore is missing; name one of them");
        }
        List<X509Certificate> found = new ArrayList<>();
        try {
            KeyStore store =
                    store(truststore, files.content(truststore), settings.trustPassword(), "truststore-password");
            for (String alias : Collections.list(store.aliases())) {
                if (store.getCertificate(alias) instanceof X509Certificate certificate) {
                    found.add(certificate);
                }
            }
        } catch (GeneralSecurityException e) {
            throw new TlsFault(truststore + " cannot be read as a truststore: " + e.getMessage());
        }
        if (found.isEmpty()) {
            throw new TlsFault(truststore + " has no certificate; without the right truststore-password a PKCS12 store"
                    + " looks empty");
        }
        return found;
    }

    private static Credentials ofStore(Path file, byte[] content, String password, List<X509Certificate> trusted)
            throws TlsFault {
        try {
            KeyStore store = store(file, content, password, "key-password");
            String found = null;
            for (String alias : Collections.list(store.aliases())) {
                if (store.isKeyEntry(alias)) {
                    if (found != null) {
                        throw new TlsFault(file + " has several keys (" + found + ", " + alias + "); leave one in it");
                    }
                    found = alias;
                }
            }
            Key key = found == null ? null : store.getKey(found, password.toCharArray());
            Certificate @Nullable [] chain = found == null ? null : store.getCertificateChain(found);
            if (!(key instanceof PrivateKey secret) || chain == null) {
                throw new TlsFault(file + " has no private key with its certificate; put them in, or set key-password"
                        + " if the keystore has one");
            }
            List<X509Certificate> certificates =
                    Stream.of(chain).map(X509Certificate.class::cast).toList();
            if (!belong(secret, certificates.get(0))) {
                throw new TlsFault(file + " has a private key that does not belong to its certificate; make it anew");
            }
            return new Credentials(secret, certificates, trusted);
        } catch (UnrecoverableKeyException e) {
            throw new TlsFault(file + " has a key that key-password does not open; set the right one");
        } catch (GeneralSecurityException e) {
            throw new TlsFault(file + " cannot be read as a keystore: " + e.getMessage());
        }
    }

    private static KeyStore store(Path file, byte[] content, String password, String passwordKey)
            throws TlsFault, GeneralSecurityException {
        boolean jks = content.length > 0 && (content[0] & 0xff) == JKS_MAGIC;
        KeyStore store = KeyStore.getInstance(jks ? "JKS" : "PKCS12");
        try {
            store.load(new ByteArrayInputStream(content), password.isEmpty() ? null : password.toCharArray());
            return store;
        } catch (IOException e) {
            if (e.getCause() instanceof UnrecoverableKeyException) {
                throw new TlsFault(file + " is not opened by " + passwordKey + "; set the right one");
            }
            throw new TlsFault(
                    file + " is no keystore in the form of PKCS12 or JKS; PEM files belong to cert, key and ca");
        }
    }

    /** Whether what the key signs is what the certificate confirms. */
    private static boolean belong(PrivateKey key, X509Certificate certificate) throws TlsFault {
        String scheme = switch (key.getAlgorithm()) {
            case "RSA" -> "SHA256withRSA";
            case "EC" -> "SHA256withECDSA";
            case "EdDSA", "Ed25519", "Ed448" -> key.getAlgorithm();
            default ->
                throw new TlsFault(
                        "a private key of " + key.getAlgorithm() + " cannot be used; take RSA, EC or Ed25519");
        };
        byte[] sample = UUID.randomUUID().toString().getBytes(StandardCharsets.US_ASCII);
        try {
            Signature signature = Signature.getInstance(scheme);
            signature.initSign(key);
            signature.update(sample);
            byte[] signed = signature.sign();
            signature.initVerify(certificate.getPublicKey());
            signature.update(sample);
            return signature.verify(signed);
        } catch (GeneralSecurityException differentKinds) {
            return false;
        }
    }

    /** When the first certificate of the chain is no longer valid, in milliseconds since 1970. */
    long expiryMillis() {
        return chain.stream()
                .mapToLong(certificate -> certificate.getNotAfter().getTime())
                .min()
                .orElse(Long.MAX_VALUE);
    }

    /** Host names that the certificate is for, perhaps with a wildcard: its alternative names of DNS. */
    List<String> hosts() {
        List<String> hosts = new ArrayList<>();
        try {
            Collection<List<?>> names = chain.get(0).getSubjectAlternativeNames();
            for (List<?> name : names == null ? List.<List<?>>of() : names) {
                if (Integer.valueOf(DNS_NAME).equals(name.get(0))) {
                    hosts.add(String.valueOf(name.get(1)));
                }
            }
        } catch (CertificateParsingException namesNothing) {
            return List.of();
        }
        return hosts;
    }

    X509Certificate[] trustedArray() {
        return trusted.toArray(new X509Certificate[0]);
    }

    X509Certificate[] chainArray() {
        return chain.toArray(new X509Certificate[0]);
    }

    /** Whom it was made for: "CN=broker.example.org". */
    String subject() {
        return chain.get(0).getSubjectX500Principal().getName();
    }

    /** Without the key. */
    @Override
    public String toString() {
        return subject();
    }
}
