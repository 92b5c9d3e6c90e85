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
        if (!type.isTls()) {
            String instead = type.isWebSocket() ? "wss" : "tls";
            refuse(TLS_KEYS, "is for encrypted listeners, but the type of this one is " + type.word(), instead);
        } else if (TLS_KEYS.stream().noneMatch(this::isFaulty)) {
            checkCertificate(type);
            checkClients();
        }
        if (!type.isWebSocket()) {
            String instead = type.isTls() ? "wss" : "ws";
            refuse(WEB_SOCKET_KEYS, "is for WebSocket, but the type of this listener is " + type.word(), instead);
        }
    }

    private void refuse(List<Key<?>> keys, String what, String instead) {
        for (Key<?> key : keys) {
            if (isSet(key)) {
                fault(key, what, "set type: " + instead + ", or remove it");
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
        if (!asked && (ca || truststore)) {
            warnings.add((ca ? ListenerKeys.CA : ListenerKeys.TRUSTSTORE).path(index)
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
