package org.dunlin.server.net.tls;

/** Any thread. Whose TLS a listener has. */
public enum TlsProvider {
    /** {@link #OPENSSL} where its library loads and does all that the listener asks for, else {@link #JDK}. */
    AUTO,
    JDK,
    /** BoringSSL, which comes with the broker for Linux on x86_64 and aarch64. */
    OPENSSL
}
