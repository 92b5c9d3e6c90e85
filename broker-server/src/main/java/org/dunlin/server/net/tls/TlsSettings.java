package org.dunlin.server.net.tls;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a TLS listener is made from: certificate and key or a keystore, and if clients are asked for certificates a ca or a
 * truststore. Any thread.
 *
 * @param cert PEM, the listener's own certificate first
 * @param key PEM
 * @param keystore PKCS12 or JKS
 * @param password of the key or the keystore; "" for none
 * @param ca PEM
 * @param truststore PKCS12 or JKS
 * @param trustPassword of the truststore; "" for none
 * @param ciphers by their IANA names; empty for the broker's own choice
 * @param crl revocation lists of those that sign certificates of clients, PEM or DER
 * @param sni certificates for some host names; their keys have the same password, or none
 */
public record TlsSettings(
        @Nullable Path cert,
        @Nullable Path key,
        @Nullable Path keystore,
        String password,
        @Nullable Path ca,
        @Nullable Path truststore,
        String trustPassword,
        ClientAuth clientAuth,
        List<String> protocols,
        List<String> ciphers,
        @Nullable Path crl,
        List<Named> sni) {

    /** A certificate that is chosen by the host name that a client asks for; both files PEM, perhaps the same. */
    public record Named(Path cert, Path key) {}

    /** Whether clients are asked for a certificate. */
    public enum ClientAuth {
        NONE,
        OPTIONAL,
        REQUIRED
    }

    public TlsSettings {
        protocols = List.copyOf(protocols);
        ciphers = List.copyOf(ciphers);
        sni = List.copyOf(sni);
    }

    /** All that are read. */
    List<Path> files() {
        Stream<@Nullable Path> all = clientAuth == ClientAuth.NONE
                ? Stream.of(cert, key, keystore)
                : Stream.of(cert, key, keystore, ca, truststore, crl);
        Stream<@Nullable Path> named = sni.stream().flatMap(each -> Stream.of(each.cert(), each.key()));
        return Stream.concat(all, named)
                .<Path>mapMulti((path, sink) -> {
                    if (path != null) {
                        sink.accept(path);
                    }
                })
                .distinct()
                .toList();
    }

    /** Without its secrets. */
    @Override
    public String toString() {
        return "TlsSettings" + files();
    }
}
