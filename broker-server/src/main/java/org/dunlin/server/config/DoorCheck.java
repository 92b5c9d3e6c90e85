package org.dunlin.server.config;

import java.util.List;
import java.util.Set;
import org.dunlin.server.config.Config.ClientAuth;
import org.dunlin.server.config.Config.ListenerType;

/**
 * Whether the keys of one listener fit its type and each other: encryption that somebody has asked for must never be left
 * out in silence. One thread.
 */
final class DoorCheck {
    private static final List<Key<?>> TLS_KEYS = List.of(
            ListenerKeys.CERT,
            ListenerKeys.KEY,
            ListenerKeys.KEY_PASSWORD,
            ListenerKeys.KEYSTORE,
            ListenerKeys.CA,
            ListenerKeys.TRUSTSTORE,
            ListenerKeys.TRUSTSTORE_PASSWORD,
            ListenerKeys.CRL,
            ListenerKeys.SNI,
            ListenerKeys.CLIENT_AUTH,
            ListenerKeys.PROTOCOLS,
            ListenerKeys.CIPHERS);
    private static final List<Key<?>> WEB_SOCKET_KEYS = List.of(ListenerKeys.PATH, ListenerKeys.ALLOWED_ORIGINS);

    private final Settings settings;
    private final int index;
    private final Set<String> faulty;
    private final List<Fault> faults;
    private final List<String> warnings;

    DoorCheck(Settings settings, int index, Set<String> faulty, List<Fault> faults, List<String> warnings) {
        this.settings = settings;
        this.index = index;
        this.faulty = faulty;
        this.faults = faults;
        this.warnings = warnings;
    }

    void run() {
        if (isFaulty(ListenerKeys.TYPE)) {
            return;
        }
        ListenerType type = settings.get(ListenerKeys.TYPE, index);
        checkProxy();
        if (type == ListenerType.AUTO) {
            checkAuto();
            return;
        }
        refuse(
                List.of(ListenerKeys.ACCEPT),
                "is for listeners of type auto, but the type of this one is " + type.word(),
                "set type: auto");
        if (!type.isTls()) {
            String instead = type.isWebSocket() ? "wss" : "tls";
            refuse(
                    TLS_KEYS,
                    "is for encrypted listeners, but the type of this one is " + type.word(),
                    "set type: " + instead);
        } else {
            checkTls(type);
        }
        if (!type.isWebSocket()) {
            String instead = type.isTls() ? "wss" : "ws";
            refuse(
                    WEB_SOCKET_KEYS,
                    "is for WebSocket, but the type of this listener is " + type.word(),
                    "set type: " + instead);
        }
    }

    private void checkTls(ListenerType type) {
        if (TLS_KEYS.stream().noneMatch(this::isFaulty)) {
            checkCertificate(type);
            checkClients();
        }
    }

    private void checkAuto() {
        if (isFaulty(ListenerKeys.ACCEPT) || isFaulty(ListenerKeys.BIND)) {
            return;
        }
        List<ListenerType> accept = settings.accept(index);
        boolean tlsAsked = TLS_KEYS.stream().anyMatch(this::isSet);
        if (accept.stream().anyMatch(ListenerType::isTls) || (tlsAsked && !isSet(ListenerKeys.ACCEPT))) {
            checkTls(ListenerType.AUTO);
        } else if (accept.isEmpty()) {
            Settings.Setting said = settings.said(ListenerKeys.TYPE.path(index));
            faults.add(new Fault(
                    said == null ? Settings.DEFAULT : said.origin(),
                    ListenerKeys.ACCEPT.path(index),
                    "is missing: without a certificate, and not on loopback, nobody could connect",
                    "name cert and key, or with accept: tcp, ws what may come in the clear"));
        } else if (isSet(ListenerKeys.ACCEPT)) {
            refuse(TLS_KEYS, "is for encrypted clients, but accept names neither tls nor wss", "add tls to accept");
        }
        if (!accept.isEmpty() && accept.stream().noneMatch(ListenerType::isWebSocket)) {
            refuse(WEB_SOCKET_KEYS, "is for WebSocket, but accept names neither ws nor wss", "add wss to accept");
        }
    }

    private void checkProxy() {
        if (isFaulty(ListenerKeys.PROXY_PROTOCOL) || isFaulty(ListenerKeys.PROXY_TRUSTED)) {
            return;
        }
        boolean on = isSet(ListenerKeys.PROXY_PROTOCOL);
        if (on && !isSet(ListenerKeys.PROXY_TRUSTED)) {
            fault(
                    ListenerKeys.PROXY_PROTOCOL,
                    "has no proxies: anybody could say to be anybody",
                    "name their addresses with proxy-trusted, like 10.0.0.0/8");
        }
        if (!on && isSet(ListenerKeys.PROXY_TRUSTED)) {
            fault(
                    ListenerKeys.PROXY_TRUSTED,
                    "is for listeners behind proxies, but proxy-protocol is off",
                    "set proxy-protocol to v1, v2 or auto, or remove it");
        }
    }

    private void refuse(List<Key<?>> keys, String what, String cure) {
        for (Key<?> key : keys) {
            if (isSet(key)) {
                fault(key, what, cure + ", or remove it");
            }
        }
    }

    private void checkCertificate(ListenerType type) {
        boolean cert = isSet(ListenerKeys.CERT);
        boolean key = isSet(ListenerKeys.KEY);
        if (isSet(ListenerKeys.KEYSTORE)) {
            if (cert || key) {
                fault(ListenerKeys.KEYSTORE, "stands beside cert or key", "keep cert and key, or the keystore");
            }
        } else if (!cert && !key) {
            Settings.Setting said = settings.said(ListenerKeys.TYPE.path(index));
            faults.add(new Fault(
                    said == null ? Settings.DEFAULT : said.origin(),
                    ListenerKeys.CERT.path(index),
                    "is missing: a listener of type " + type.word() + " has to show a certificate",
                    "name cert and key (PEM files), or a keystore"));
        } else if (!key) {
            fault(ListenerKeys.CERT, "has no private key", "name its PEM file with key");
        } else if (!cert) {
            fault(ListenerKeys.KEY, "has no certificate", "name its PEM file with cert");
        }
    }

    private void checkClients() {
        boolean asked = settings.get(ListenerKeys.CLIENT_AUTH, index) != ClientAuth.NONE;
        boolean ca = isSet(ListenerKeys.CA);
        boolean truststore = isSet(ListenerKeys.TRUSTSTORE);
        if (ca && truststore) {
            fault(ListenerKeys.TRUSTSTORE, "stands beside ca", "keep one of the two");
        }
        if (isSet(ListenerKeys.TRUSTSTORE_PASSWORD) && !truststore) {
            fault(ListenerKeys.TRUSTSTORE_PASSWORD, "has no truststore", "name it with truststore, or remove this");
        }
        if (asked && !ca && !truststore) {
            fault(
                    ListenerKeys.CLIENT_AUTH,
                    "asks for certificates, but nobody is named whose signature counts",
                    "name ca (PEM file) or truststore");
        }
        boolean crl = isSet(ListenerKeys.CRL);
        if (!asked && (ca || truststore || crl)) {
            warnings.add((ca ? ListenerKeys.CA : crl ? ListenerKeys.CRL : ListenerKeys.TRUSTSTORE).path(index)
                    + " is not used: client-auth is none, clients are not asked for a certificate");
        }
    }

    private boolean isFaulty(Key<?> key) {
        return faulty.contains(key.path(index));
    }

    /** To something else than its default, which is what it would be without a word. */
    private boolean isSet(Key<?> key) {
        return !settings.get(key, index).equals(key.defaultValue());
    }

    private void fault(Key<?> key, String what, String cure) {
        faults.add(new Fault(settings.origin(key.path(index)), key.path(index), what, cure));
    }
}
