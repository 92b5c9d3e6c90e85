package org.dunlin.server;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.dunlin.server.config.Config;
import org.dunlin.server.net.Layer;
import org.dunlin.server.net.ListenException;
import org.dunlin.server.net.Listener;
import org.dunlin.server.net.tls.CertificateWatch;
import org.dunlin.server.net.tls.TlsSettings;
import org.dunlin.server.net.websocket.WebSocketLayer;
import org.jspecify.annotations.Nullable;

/** Main thread; any thread may close it. What is asked for as listeners, as what can be opened. */
final class Doors implements AutoCloseable {
    private static final Duration CERTIFICATE_INTERVAL = Duration.ofSeconds(2);

    private final Config config;
    private final CertificateWatch certificates = new CertificateWatch(CERTIFICATE_INTERVAL);

    Doors(Config config) {
        this.config = config;
    }

    /**
     * All listeners, in the order of the configuration.
     *
     * @throws ListenException if the files of one do not fit
     */
    List<Listener> listeners() throws ListenException {
        List<Listener> listeners = new ArrayList<>();
        for (Config.Listener each : config.listeners()) {
            List<Layer> layers = new ArrayList<>();
            Config.Tls tls = each.tls();
            if (tls != null) {
                layers.add(certificates.open(each.name(), settings(tls)));
            }
            Config.WebSocket webSocket = each.webSocket();
            if (webSocket != null) {
                layers.add(new WebSocketLayer(
                        webSocket.path(),
                        webSocket.allowedOrigins(),
                        config.limits().maxPacketSizeBytes()));
            }
            listeners.add(new Listener(
                    each.name(),
                    each.address().getAddress().getHostAddress(), // "localhost" as it was judged, not as it resolves
                    each.port(),
                    Listener.DEFAULT_BACKLOG,
                    each.maxConnections() == 0 ? Integer.MAX_VALUE : each.maxConnections(),
                    layers));
        }
        return listeners;
    }

    private static TlsSettings settings(Config.Tls tls) {
        return new TlsSettings(
                path(tls.cert()),
                path(tls.key()),
                path(tls.keystore()),
                tls.keyPassword().value(),
                path(tls.ca()),
                path(tls.truststore()),
                tls.truststorePassword().value(),
                switch (tls.clientAuth()) {
                    case NONE -> TlsSettings.ClientAuth.NONE;
                    case OPTIONAL -> TlsSettings.ClientAuth.OPTIONAL;
                    case REQUIRED -> TlsSettings.ClientAuth.REQUIRED;
                },
                tls.protocols(),
                tls.ciphers());
    }

    private static @Nullable Path path(String text) {
        return text.isEmpty() ? null : Path.of(text);
    }

    /** For people: "wss://127.0.0.1:8084/mqtt (anonymous clients allowed, each with a certificate)". */
    String describe(Config.Listener listener, String hostAndPort) {
        Config.WebSocket webSocket = listener.webSocket();
        Config.Tls tls = listener.tls();
        boolean certificate = tls != null && tls.clientAuth() == Config.ClientAuth.REQUIRED;
        return listener.type().word() + "://" + hostAndPort + (webSocket == null ? "" : webSocket.path()) + " ("
                + whoMayConnect(listener) + (certificate ? ", each with a certificate)" : ")");
    }

    private String whoMayConnect(Config.Listener listener) {
        boolean anonymous = config.allowsAnonymous(listener);
        if (!config.auth().knowsUsers()) {
            return anonymous ? "anonymous clients allowed" : "no anonymous clients";
        }
        return "users of " + config.auth().passwordFile() + (anonymous ? " and anonymous clients" : "");
    }

    @Override
    public void close() {
        certificates.close();
    }
}
