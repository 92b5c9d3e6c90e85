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
        List<String> ciphers) {

    /** Whether clients are asked for a certificate. */
    public enum ClientAuth {
        NONE,
        OPTIONAL,
        REQUIRED
    }

    public TlsSettings {
        protocols = List.copyOf(protocols);
        ciphers = List.copyOf(ciphers);
    }

    /** All that are read. */
    List<Path> files() {
        Stream<@Nullable Path> all = clientAuth == ClientAuth.NONE
                ? Stream.of(cert, key, keystore)
                : Stream.of(cert, key, keystore, ca, truststore);
        return all.<Path>mapMulti((path, sink) -> {
                    if (path != null) {
                        sink.accept(path);
                    }
                })
                .toList();
    }

    /** Without its secrets. */
    @Override
    public String toString() {
        return "TlsSettings" + files();
    }
}
