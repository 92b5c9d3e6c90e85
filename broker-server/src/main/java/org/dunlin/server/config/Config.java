package org.dunlin.server.config;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.dunlin.core.limits.Limits;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.server.share.AddressBlock;
import org.dunlin.server.share.Addresses;
import org.jspecify.annotations.Nullable;

/**
 * What the operator wants, complete and within all bounds: {@link ConfigLoader} makes it, nobody checks it again. Any
 * thread.
 */
public record Config(
        List<Listener> listeners,
        Auth auth,
        Bans bans,
        Limits limits,
        Addresses.Bounds addresses,
        Queue queue,
        Memory memory,
        Storage storage,
        Server server,
        Admin admin,
        SysTopics sysTopics,
        Log log) {

    /** What {@code dunlin start} uses if nothing is set. */
    public static final Config DEFAULTS = Settings.defaults(Keys.TABLE).config();

    public Config {
        listeners = List.copyOf(listeners);
    }

    /** May clients that name no user connect? */
    public enum AnonymousAccess {
        /** As the level above says; at the top: on a loopback address, while no authenticator is configured. */
        AUTO,
        TRUE,
        FALSE
    }

    /** What clients speak. */
    public enum ListenerType {
        TCP(1883, false, false),
        TLS(8883, true, false),
        WS(8083, false, true),
        WSS(8084, true, true),
        /** Several of the others on one port. */
        AUTO(1883, true, true);

        private final int usualPort;
        private final boolean tls;
        private final boolean webSocket;

        ListenerType(int usualPort, boolean tls, boolean webSocket) {
            this.usualPort = usualPort;
            this.tls = tls;
            this.webSocket = webSocket;
        }

        /** The port if none is set. */
        public int usualPort() {
            return usualPort;
        }

        public boolean isTls() {
            return tls;
        }

        public boolean isWebSocket() {
            return webSocket;
        }

        /** As it is written, and the scheme of an address: "wss". */
        public String word() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Whether connections begin with a header of the PROXY protocol, and of which version. */
    public enum ProxyProtocol {
        OFF,
        V1,
        V2,
        AUTO
    }

    /** Whether clients are asked for a certificate. */
    public enum ClientAuth {
        NONE,
        OPTIONAL,
        REQUIRED
    }

    /** What must not be shown. */
    public record Secret(String value) {
        public static final Secret NONE = new Secret("");

        /** Written out, since what Java makes for a record takes 15 ms of each start. */
        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Secret that && value.equals(that.value);
        }

        @Override
        public int hashCode() {
            return value.hashCode();
        }

        @Override
        public String toString() {
            return value.isEmpty() ? "not set" : "***";
        }
    }

    /**
     * Either a certificate with its key or a keystore; the rest as its key says. Each text is "" if it is not set.
     *
     * @param keyPassword of the key, or of the keystore
     * @param ciphers empty for those that the broker takes by itself
     * @param sni each a file with certificate and key, or two with a colon between
     */
    public record Tls(
            String cert,
            String key,
            String keystore,
            Secret keyPassword,
            String ca,
            String truststore,
            Secret truststorePassword,
            ClientAuth clientAuth,
            List<String> protocols,
            List<String> ciphers,
            String crl,
            List<String> sni) {
        public Tls {
            sni = List.copyOf(sni);
            protocols = List.copyOf(protocols);
            ciphers = List.copyOf(ciphers);
        }
    }

    /** @param allowedOrigins of web pages; empty for all */
    public record WebSocket(String path, List<String> allowedOrigins) {
        public WebSocket {
            allowedOrigins = List.copyOf(allowedOrigins);
        }
    }

    /**
     * @param bind an IP address or "localhost"
     * @param port 0 for any free one
     * @param maxConnections 0 for no other bound than {@link Limits#maxConnections()}
     * @param accept what clients may speak, never {@link ListenerType#AUTO}; the type itself unless that is it
     * @param tls null unless something of that has it
     * @param webSocket null unless something of that has it
     * @param proxy null unless a proxy may speak for clients
     */
    public record Listener(
            String name,
            ListenerType type,
            String bind,
            int port,
            AnonymousAccess allowAnonymous,
            int maxConnections,
            List<ListenerType> accept,
            @Nullable Tls tls,
            @Nullable WebSocket webSocket,
            @Nullable Proxy proxy) {
        public Listener {
            accept = List.copyOf(accept);
        }

        /** Where it is bound to; reads no DNS. */
        public InetSocketAddress address() {
            return new InetSocketAddress(addressOf(bind), port);
        }

        /** Whether only this machine reaches it. */
        public boolean onLoopback() {
            return isLoopback(bind);
        }
    }

    /** Whether only this machine reaches what is bound to an address that has been checked. */
    static boolean isLoopback(String bind) {
        return addressOf(bind).isLoopbackAddress();
    }

    private static InetAddress addressOf(String bind) {
        try {
            return ValueType.literal(bind);
        } catch (ValueType.Unfit unfit) {
            throw new IllegalStateException(Quote.of(bind) + " " + unfit.what(), unfit);
        }
    }

    /** @param trusted where headers may come from */
    public record Proxy(ProxyProtocol protocol, List<AddressBlock> trusted) {
        public Proxy {
            trusted = List.copyOf(trusted);
        }
    }

    /** What a 3.x client notices of a PUBLISH that it has no right to. */
    public enum DeniedPublish {
        DROP,
        CLOSE
    }

    /** Which client identifiers a user may have. */
    public enum ClientIds {
        OFF,
        USER,
        PREFIX
    }

    /** Where a client's certificate says which user it is. */
    public enum CertificateField {
        OFF,
        CN,
        SAN_DNS,
        SAN_EMAIL,
        SAN_URI,
        SUBJECT
    }

    /** What the password in a CONNECT is for whoever has shown a certificate. */
    public enum CertificatePassword {
        IGNORED,
        REQUIRED
    }

    public record Certificate(CertificateField user, CertificatePassword password) {
        public boolean isOn() {
            return user != CertificateField.OFF;
        }
    }

    /** The field of CONNECT that has a token. */
    public enum TokenField {
        PASSWORD,
        USER_NAME
    }

    /**
     * At most one of the first three texts is set. Each text is "" if it is not set.
     *
     * @param jwks a file, or a URL: {@link #jwksUrl}
     * @param algorithms empty for all that fit the keys
     */
    public record Jwt(
            Secret secret,
            String publicKey,
            String jwks,
            Duration jwksRefresh,
            List<String> algorithms,
            String issuer,
            String audience,
            String userClaim,
            String aclClaim,
            String groupsClaim,
            String clientIdClaim,
            Duration leeway,
            TokenField from,
            boolean matchUser,
            boolean requireExpiry) {
        public Jwt {
            algorithms = List.copyOf(algorithms);
        }

        public boolean isOn() {
            return !secret.value().isEmpty() || !publicKey.isEmpty() || !jwks.isEmpty();
        }

        /** Whether the key set is fetched rather than read. */
        public boolean isFetched() {
            return isUrl(jwks);
        }

        static boolean isUrl(String jwks) {
            return jwks.regionMatches(true, 0, "http://", 0, 7) || jwks.regionMatches(true, 0, "https://", 0, 8);
        }
    }

    /**
     * @param passwordFile "" for none
     * @param aclFile "" for none
     * @param scram whether users of the password file may log in by SCRAM
     */
    public record Auth(
            AnonymousAccess allowAnonymous,
            String passwordFile,
            String aclFile,
            DeniedPublish deniedPublish,
            ClientIds bindClientId,
            Certificate certificate,
            Jwt jwt,
            boolean scram) {
        /** Whether an authenticator is configured: who names a user has to prove it then. */
        public boolean knowsUsers() {
            return !passwordFile.isEmpty() || jwt.isOn() || certificate.isOn();
        }
    }

    /**
     * Who may not connect.
     *
     * @param file "" for none
     * @param after failed logins of one user from one address; 0 bans nobody
     * @param addressAfter failed logins from one address, or of one user
     */
    public record Bans(
            String file,
            int after,
            int addressAfter,
            Duration window,
            Duration time,
            Duration maxTime,
            List<AddressBlock> exempt) {
        public Bans {
            exempt = List.copyOf(exempt);
        }
    }

    /** What a connection meets that takes the place of another one, if that happens again and again. */
    public enum Takeovers {
        NEWEST,
        BACK_OFF
    }

    /** What a publisher and a subscriber notice when a session queue is full. */
    public enum Overflow {
        DROP_OLDEST,
        DROP_NEWEST,
        REJECT,
        HOLD_ACK
    }

    /**
     * @param maxMessages of one session, or of one shared group
     * @param maxBytes of one session, or of one shared group
     * @param holdTimeout how long {@link Overflow#HOLD_ACK} may slow a publisher down
     * @param qos0Offline whether QoS 0 is queued for sessions without a connection
     * @param rules the first that matches a topic decides; {@code overflow} if none does
     */
    public record Queue(
            int maxMessages,
            long maxBytes,
            Overflow overflow,
            Duration holdTimeout,
            boolean qos0Offline,
            List<Rule> rules) {
        public Queue {
            rules = List.copyOf(rules);
        }
    }

    public record Rule(TopicFilter filter, Overflow overflow) {}

    public enum Engine {
        ROCKSDB,
        MEMORY
    }

    /** When what is acknowledged is on disk. */
    public enum Durability {
        FSYNC,
        ASYNC,
        NONE
    }

    /**
     * @param syncInterval with {@link Durability#ASYNC}
     * @param minFree bytes; 0 for what fits the file system
     * @param maxSize bytes; 0 for no bound
     */
    public record Storage(
            Engine engine,
            String path,
            Durability durability,
            Duration syncInterval,
            long cacheSize,
            long minFree,
            long maxSize) {}

    /** @param budget bytes; 0 for a part of the heap */
    public record Memory(long budget) {
        /** Of the heap, if nothing is said. */
        public static final int USUAL_PERCENT = 60;
        /** Of the heap: the rest is for what is not counted. */
        public static final int MOST_PERCENT = 80;

        /** Bytes that the budget has with a heap of that size. */
        public long bytes(long heapBytes) {
            return budget > 0 ? budget : heapBytes / 100 * USUAL_PERCENT;
        }
    }

    public enum Transport {
        AUTO,
        EPOLL,
        KQUEUE,
        NIO
    }

    public enum TlsProvider {
        AUTO,
        JDK,
        OPENSSL
    }

    /**
     * @param loops event loops; 0 for as many as there are processors
     * @param drainTimeout how long a stop may wait for clients and disk
     * @param responseInformation prefix given to v5 clients that ask for it; "" for none
     */
    public record Server(
            int loops,
            Transport transport,
            TlsProvider tlsProvider,
            Duration drainTimeout,
            String responseInformation) {}

    /**
     * The port for operators.
     *
     * @param bind an IP address or "localhost"
     * @param port 0 for any free one
     * @param insecure whether it may be off loopback in the clear
     * @param tokenFile "" for the usual place in the data directory
     * @param passwordFile "" for none
     * @param allowedHosts names by which browsers may reach it, beside addresses and localhost
     * @param backupPath "" for the usual place in the data directory
     */
    public record Admin(
            boolean enabled,
            String bind,
            int port,
            boolean insecure,
            AdminTls tls,
            String tokenFile,
            String passwordFile,
            List<String> allowedHosts,
            Duration sessionTime,
            String backupPath,
            Metrics metrics) {
        public Admin {
            allowedHosts = List.copyOf(allowedHosts);
        }

        /** Where it is bound to; reads no DNS. */
        public InetSocketAddress address() {
            return new InetSocketAddress(addressOf(bind), port);
        }
    }

    /** Either a certificate with its key or a keystore. Each text is "" if it is not set. */
    public record AdminTls(String cert, String key, String keystore, Secret keyPassword) {
        /** False for HTTP in the clear. */
        public boolean isOn() {
            return !cert.isEmpty() || !keystore.isEmpty();
        }
    }

    /** @param open whether they may be read without a token */
    public record Metrics(boolean enabled, boolean open, Otlp otlp) {}

    /**
     * Where figures are sent to.
     *
     * @param url "" if nowhere
     * @param headers of each request: names and values
     */
    public record Otlp(String url, Duration interval, Secret headers) {
        public boolean isOn() {
            return !url.isEmpty();
        }

        /** By their names. */
        public Map<String, String> headersByName() {
            Map<String, String> byName = new LinkedHashMap<>();
            for (String header :
                    headers.value().isEmpty() ? new String[0] : headers.value().split(",", -1)) {
                int equals = header.indexOf('=');
                byName.put(
                        header.substring(0, equals),
                        header.substring(equals + 1).strip());
            }
            return byName;
        }
    }

    /** @param interval between two publications of $SYS; zero for none at all */
    public record SysTopics(Duration interval) {}

    public enum LogLevel {
        ERROR,
        WARN,
        INFO,
        DEBUG,
        TRACE
    }

    public enum LogFormat {
        TEXT,
        JSON
    }

    /** @param auditFile "" for none */
    public record Log(LogLevel level, LogFormat format, String auditFile) {}

    /** Whether a client of this listener may connect without a user. */
    public boolean allowsAnonymous(Listener listener) {
        AnonymousAccess said =
                listener.allowAnonymous() != AnonymousAccess.AUTO ? listener.allowAnonymous() : auth.allowAnonymous();
        return switch (said) {
            case TRUE -> true;
            case FALSE -> false;
            case AUTO -> !auth.knowsUsers() && listener.onLoopback();
        };
    }
}
