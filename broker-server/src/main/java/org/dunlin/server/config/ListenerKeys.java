package org.dunlin.server.config;

import static org.dunlin.server.config.ValueType.address;
import static org.dunlin.server.config.ValueType.addressBlocks;
import static org.dunlin.server.config.ValueType.choice;
import static org.dunlin.server.config.ValueType.file;
import static org.dunlin.server.config.ValueType.integer;
import static org.dunlin.server.config.ValueType.secret;
import static org.dunlin.server.config.ValueType.text;
import static org.dunlin.server.config.ValueType.words;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.dunlin.server.config.Config.AnonymousAccess;
import org.dunlin.server.config.Config.ClientAuth;
import org.dunlin.server.config.Config.ListenerType;
import org.dunlin.server.config.Config.ProxyProtocol;
import org.dunlin.server.config.Config.Secret;
import org.dunlin.server.share.AddressBlock;

/** What can be set of each listener. Any thread. */
final class ListenerKeys {
    static final List<Key<?>> ALL = new ArrayList<>();
    private static final int MANY = 100_000_000;

    static final Key<String> NAME = add(Key.of(
            "listeners[].name",
            text(
                    "1 to 64 of a-z A-Z 0-9 _ . -, beginning with a letter or digit",
                    Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")),
            "tcp",
            "Name in logs and metrics; no two listeners share one."));
    static final Key<ListenerType> TYPE = add(Key.of(
            "listeners[].type",
            choice(ListenerType.class, Set.of()),
            ListenerType.TCP,
            "What clients speak: tcp and ws in the clear, tls and wss encrypted; auto takes several, see accept."));
    static final Key<String> BIND = add(Key.of(
            "listeners[].bind",
            address(),
            "127.0.0.1",
            "Address of this machine to listen on; off loopback say who may connect (auth.allow-anonymous)."));
    static final Key<Integer> PORT = add(Key.of(
            "listeners[].port",
            integer(0, 65_535),
            1883,
            "Port, 0 for a free one that is logged; not set, tls takes 8883, ws 8083, wss 8084."));
    static final Key<AnonymousAccess> ALLOW_ANONYMOUS = live(Key.of(
            "listeners[].allow-anonymous",
            choice(AnonymousAccess.class, Set.of()),
            AnonymousAccess.AUTO,
            "Whether clients without a user may connect here; auto follows auth.allow-anonymous."));
    static final Key<Integer> MAX_CONNECTIONS = live(Key.of(
            "listeners[].max-connections",
            integer(0, MANY),
            0,
            "Connections of this listener; 0 leaves it to limits.max-connections."));
    static final Key<List<String>> ACCEPT = add(Key.of(
            "listeners[].accept",
            words("tcp, tls, ws and wss with commas between, or nothing", Pattern.compile("tcp|tls|wss?"), 0),
            List.of(),
            "What type auto takes; nothing: with a certificate tls and wss, on loopback tcp and ws, too."));
    static final Key<ProxyProtocol> PROXY_PROTOCOL = add(Key.of(
            "listeners[].proxy-protocol",
            choice(ProxyProtocol.class, Set.of()),
            ProxyProtocol.OFF,
            "Header by which a proxy says whom it speaks for; auto takes v1, v2 or none."));
    static final Key<List<AddressBlock>> PROXY_TRUSTED = add(Key.of(
            "listeners[].proxy-trusted",
            addressBlocks(),
            List.of(),
            "Addresses of the proxies that such a header may come from; needed with proxy-protocol."));
    static final Key<String> CERT = add(Key.of(
            "listeners[].cert",
            file(),
            "",
            "PEM file with the certificate of a tls or wss listener and those that signed it; watched."));
    static final Key<String> KEY =
            add(Key.of("listeners[].key", file(), "", "PEM file with the private key of that certificate; watched."));
    static final Key<Secret> KEY_PASSWORD = add(Key.secret(
            "listeners[].key-password", secret(), Secret.NONE, "Password of the private key, or of the keystore."));
    static final Key<String> KEYSTORE = add(Key.of(
            "listeners[].keystore",
            file(),
            "",
            "PKCS12 or JKS file with certificate and private key, instead of cert and key; watched."));
    static final Key<String> CA = add(Key.of(
            "listeners[].ca", file(), "", "PEM file with the certificates that sign those of clients; watched."));
    static final Key<String> TRUSTSTORE = add(Key.of(
            "listeners[].truststore",
            file(),
            "",
            "PKCS12 or JKS file with the certificates that sign those of clients, instead of ca; watched."));
    static final Key<Secret> TRUSTSTORE_PASSWORD =
            add(Key.secret("listeners[].truststore-password", secret(), Secret.NONE, "Password of the truststore."));
    static final Key<String> CRL = add(Key.of(
            "listeners[].crl",
            file(),
            "",
            "PEM or DER file with the revocation lists of those who sign for clients; watched."));
    static final Key<List<String>> SNI = add(Key.of(
            "listeners[].sni",
            words(
                    "PEM files like a.pem or a.crt:a.key with commas between, or nothing",
                    Pattern.compile("[^,:\\p{Cntrl}]+(:[^,:\\p{Cntrl}]+)?"),
                    0),
            List.of(),
            "More certificates with their keys, chosen by the hosts that they are for; watched."));
    static final Key<ClientAuth> CLIENT_AUTH = add(Key.of(
            "listeners[].client-auth",
            choice(ClientAuth.class, Set.of()),
            ClientAuth.NONE,
            "Whether clients show a certificate; optional: whoever shows one shows a valid one."));
    static final Key<List<String>> PROTOCOLS = add(Key.of(
            "listeners[].protocols",
            words("TLSv1.2, TLSv1.3 or both, with a comma between", Pattern.compile("TLSv1\\.[23]"), 1),
            List.of("TLSv1.2", "TLSv1.3"),
            "Versions of TLS that clients may speak."));
    static final Key<List<String>> CIPHERS = add(Key.of(
            "listeners[].ciphers",
            words(
                    "cipher suites like TLS_AES_128_GCM_SHA256 with commas between, or nothing",
                    Pattern.compile("TLS_[A-Z0-9_]{1,80}"),
                    0),
            List.of(),
            "Cipher suites by their IANA names, best first; nothing takes those with forward secrecy and AEAD."));
    static final Key<String> PATH = add(Key.of(
            "listeners[].path",
            text("a path that begins with /", Pattern.compile("/[^\\p{Cntrl}\\p{Cs}?# ]*")),
            "/mqtt",
            "Path of the URL that clients of a ws or wss listener connect to."));
    static final Key<List<String>> ALLOWED_ORIGINS = add(Key.of(
            "listeners[].allowed-origins",
            words(
                    "origins like https://example.org with commas between, or nothing",
                    Pattern.compile("[a-z][a-z0-9+.-]*://[^/,\\s\\p{Cntrl}]{1,255}|null"),
                    0),
            List.of(),
            "Web pages that may connect by WebSocket; nothing allows all. What is no browser says no origin."));

    private ListenerKeys() {}

    private static <T> Key<T> live(Key<T> key) {
        return add(key.whileRunning());
    }

    private static <T> Key<T> add(Key<T> key) {
        ALL.add(key);
        return key;
    }
}
