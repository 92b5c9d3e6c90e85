package org.dunlin.server;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.dunlin.server.admin.Operations;
import org.dunlin.server.config.Config;
import org.dunlin.server.config.Fault;
import org.dunlin.server.config.Settings;
import org.dunlin.server.net.Layer;
import org.dunlin.server.net.ListenException;
import org.dunlin.server.net.Listener;
import org.dunlin.server.net.Listeners;
import org.dunlin.server.net.entry.AutoLayer;
import org.dunlin.server.net.entry.ProxyLayer;
import org.dunlin.server.net.tls.CertificateWatch;
import org.dunlin.server.net.tls.TlsLayer;
import org.dunlin.server.net.tls.TlsProvider;
import org.dunlin.server.net.tls.TlsSettings;
import org.dunlin.server.net.websocket.WebSocketLayer;
import org.jspecify.annotations.Nullable;

/** Main thread; any thread may close it. What is asked for as listeners, as what can be opened. */
final class Doors implements AutoCloseable {
    private static final Duration CERTIFICATE_INTERVAL = Duration.ofSeconds(2);

    private volatile Config config;
    private final CertificateWatch certificates;

    Doors(Config config) {
        this.config = config;
        this.certificates = new CertificateWatch(CERTIFICATE_INTERVAL, provider(config));
    }

    /** A reload has changed who may come in by the same doors. */
    void config(Config next) {
        config = next;
    }

    /** How many connections each listener may have, in the order of the configuration. */
    static List<Integer> connections(Config config) {
        return config.listeners().stream().map(Doors::connections).toList();
    }

    private static int connections(Config.Listener listener) {
        return listener.maxConnections() == 0 ? Integer.MAX_VALUE : listener.maxConnections();
    }

    /**
     * All listeners, in the order of the configuration.
     *
     * @throws ListenException if the files of one do not fit
     */
    List<Listener> listeners() throws ListenException {
        List<Listener> listeners = new ArrayList<>();
        for (Config.Listener each : config.listeners()) {
            listeners.add(new Listener(
                    each.name(),
                    each.address().getAddress().getHostAddress(), // "localhost" as it was judged, not as it resolves
                    each.port(),
                    Listener.DEFAULT_BACKLOG,
                    connections(each),
                    layers(each)));
        }
        return listeners;
    }

    /**
     * What lies between the socket and HTTP of the admin port.
     *
     * @throws ListenException if its files do not fit
     */
    List<Layer> adminLayers() throws ListenException {
        Config.AdminTls tls = config.admin().tls();
        return tls.isOn() ? List.of(certificates.open("admin", settings(tls))) : List.of();
    }

    private static TlsSettings settings(Config.AdminTls tls) {
        return new TlsSettings(
                path(tls.cert()),
                path(tls.key()),
                path(tls.keystore()),
                tls.keyPassword().value(),
                null,
                null,
                "",
                TlsSettings.ClientAuth.NONE,
                List.of("TLSv1.2", "TLSv1.3"),
                List.of(),
                null,
                List.of());
    }

    private List<Layer> layers(Config.Listener listener) throws ListenException {
        List<Layer> layers = new ArrayList<>();
        Config.Proxy proxy = listener.proxy();
        if (proxy != null) {
            layers.add(proxyLayer(proxy));
        }
        Config.Tls ofTls = listener.tls();
        Layer tls = ofTls == null ? null : certificates.open(listener.name(), settings(ofTls));
        Config.WebSocket ofWebSocket = listener.webSocket();
        Layer webSocket = ofWebSocket == null
                ? null
                : new WebSocketLayer(
                        ofWebSocket.path(),
                        ofWebSocket.allowedOrigins(),
                        () -> config.limits().maxPacketSizeBytes());
        if (listener.type() == Config.ListenerType.AUTO) {
            Set<AutoLayer.Kind> kinds = EnumSet.noneOf(AutoLayer.Kind.class);
            listener.accept().forEach(each -> kinds.add(AutoLayer.Kind.valueOf(each.name())));
            layers.add(new AutoLayer(kinds, tls, webSocket));
            return layers;
        }
        if (tls != null) {
            layers.add(tls);
        }
        if (webSocket != null) {
            layers.add(webSocket);
        }
        return layers;
    }

    private static Layer proxyLayer(Config.Proxy proxy) {
        ProxyLayer.Demand demand = switch (proxy.protocol()) {
            case V1 -> ProxyLayer.Demand.V1;
            case V2 -> ProxyLayer.Demand.V2;
            case OFF, AUTO -> ProxyLayer.Demand.AUTO;
        };
        return new ProxyLayer(demand, proxy.trusted());
    }

    private static TlsProvider provider(Config config) {
        return switch (config.server().tlsProvider()) {
            case AUTO -> TlsProvider.AUTO;
            case JDK -> TlsProvider.JDK;
            case OPENSSL -> TlsProvider.OPENSSL;
        };
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
                tls.ciphers(),
                path(tls.crl()),
                tls.sni().stream().map(Doors::named).toList());
    }

    /** One file for both, or two. */
    private static TlsSettings.Named named(String pair) {
        int colon = pair.indexOf(':');
        Path cert = Path.of(colon < 0 ? pair : pair.substring(0, colon));
        return new TlsSettings.Named(cert, colon < 0 ? cert : Path.of(pair.substring(colon + 1)));
    }

    /** Reads the files of all listeners and opens nothing. @return every fault with what to do about it */
    static List<Fault> faults(Config config, Settings settings) {
        List<Fault> faults = new ArrayList<>();
        for (int i = 0; i < config.listeners().size(); i++) {
            Config.Tls tls = config.listeners().get(i).tls();
            String listener = "listeners[" + i + "]";
            String where =
                    settings.origin(listener + (tls != null && tls.keystore().isEmpty() ? ".cert" : ".keystore"));
            for (String text : tls == null ? List.<String>of() : TlsLayer.faults(settings(tls), provider(config))) {
                int cure = text.indexOf("; ");
                faults.add(new Fault(where, listener, text.substring(0, cure), text.substring(cure + 2)));
            }
        }
        Config.AdminTls admin = config.admin().tls();
        if (config.admin().enabled() && admin.isOn()) {
            String key = admin.keystore().isEmpty() ? "admin.tls.cert" : "admin.tls.keystore";
            for (String text : TlsLayer.faults(settings(admin), provider(config))) {
                int cure = text.indexOf("; ");
                faults.add(new Fault(
                        settings.origin(key), "admin.tls", text.substring(0, cure), text.substring(cure + 2)));
            }
        }
        return faults;
    }

    private static @Nullable Path path(String text) {
        return text.isEmpty() ? null : Path.of(text);
    }

    /** For people: "wss://127.0.0.1:8084/mqtt (anonymous clients allowed, each with a certificate)". */
    String describe(Config.Listener listener, String hostAndPort) {
        Config.WebSocket webSocket = listener.webSocket();
        Config.Tls tls = listener.tls();
        boolean certificate = tls != null && tls.clientAuth() == Config.ClientAuth.REQUIRED;
        String kinds = listener.type() != Config.ListenerType.AUTO
                ? ""
                : listener.accept().stream().map(Config.ListenerType::word).collect(Collectors.joining(", ")) + "; ";
        return listener.type().word() + "://" + hostAndPort + (webSocket == null ? "" : webSocket.path()) + " (" + kinds
                + whoMayConnect(listener) + (certificate ? ", each with a certificate)" : ")");
    }

    /**
     * The listeners as they are open.
     *
     * @param open in the order of the configuration
     */
    List<Operations.OpenListener> describe(List<Listeners.Status> open) {
        Map<String, TlsLayer.Status> certificates = new HashMap<>();
        certificates().forEach(each -> certificates.put(each.listener(), each));
        List<Operations.OpenListener> described = new ArrayList<>();
        for (int i = 0; i < open.size(); i++) {
            Config.Listener listener = config.listeners().get(i);
            Listeners.Status status = open.get(i);
            TlsLayer.Status certificate = certificates.get(status.name());
            String host = status.address().getAddress().getHostAddress();
            described.add(new Operations.OpenListener(
                    status.name(),
                    listener.type().word(),
                    listener.type().word() + "://" + (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":"
                            + status.address().getPort()
                            + (listener.webSocket() == null
                                    ? ""
                                    : listener.webSocket().path()),
                    whoMayConnect(listener),
                    status.connections(),
                    certificate == null
                            ? null
                            : Instant.ofEpochMilli(certificate.endsAtMillis()).toString(),
                    certificate == null ? 0 : certificate.refusals()));
        }
        return described;
    }

    /**
     * A listener that other machines reach.
     *
     * @param isWide whether it is more open than most people would mean it to be
     */
    record Exposure(String text, boolean isWide) {}

    /** What stands open to the network, a line for each listener that is bound off loopback. */
    List<Exposure> exposures() {
        List<Exposure> exposures = new ArrayList<>();
        String rights = config.auth().aclFile().isEmpty()
                ? "all topics, since there is no auth.acl-file"
                : "topics by " + config.auth().aclFile();
        for (Config.Listener listener : config.listeners()) {
            if (!listener.onLoopback()) {
                boolean clear = listener.accept().stream().anyMatch(each -> !each.isTls());
                exposures.add(new Exposure(
                        "Listener " + listener.name() + " is open to the network: " + whoMayConnect(listener) + "; "
                                + rights
                                + (clear
                                        ? "; in the clear: passwords and messages can be read on the way, see type tls"
                                        : "; encrypted"),
                        clear || config.allowsAnonymous(listener)));
            }
        }
        return exposures;
    }

    /** For people: "BoringSSL", "Java", or both with the listeners that have it; "" without TLS. */
    String tlsProviders() {
        return certificates.providers();
    }

    /** How the certificates of each TLS listener stand. Any thread. */
    List<TlsLayer.Status> certificates() {
        return certificates.status();
    }

    private String whoMayConnect(Config.Listener listener) {
        boolean anonymous = config.allowsAnonymous(listener);
        if (!config.auth().knowsUsers()) {
            return anonymous ? "anonymous clients allowed" : "no anonymous clients";
        }
        List<String> known = new ArrayList<>();
        if (!config.auth().passwordFile().isEmpty()) {
            known.add("users of " + config.auth().passwordFile());
        }
        if (config.auth().jwt().isOn()) {
            known.add("clients with a token");
        }
        if (config.auth().certificate().isOn()) {
            known.add("clients named by their certificate");
        }
        if (anonymous) {
            known.add("anonymous clients");
        }
        return String.join(" and ", known);
    }

    @Override
    public void close() {
        certificates.close();
    }
}
