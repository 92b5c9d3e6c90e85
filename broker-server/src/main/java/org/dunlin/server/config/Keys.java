package org.dunlin.server.config;

import static org.dunlin.server.config.ValueType.address;
import static org.dunlin.server.config.ValueType.bool;
import static org.dunlin.server.config.ValueType.choice;
import static org.dunlin.server.config.ValueType.duration;
import static org.dunlin.server.config.ValueType.file;
import static org.dunlin.server.config.ValueType.integer;
import static org.dunlin.server.config.ValueType.seconds;
import static org.dunlin.server.config.ValueType.secret;
import static org.dunlin.server.config.ValueType.size;
import static org.dunlin.server.config.ValueType.sizeOrZero;
import static org.dunlin.server.config.ValueType.text;
import static org.dunlin.server.config.ValueType.topicFilter;
import static org.dunlin.server.config.ValueType.words;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.dunlin.core.limits.Limits;
import org.dunlin.core.session.Shards;
import org.dunlin.mqtt.Qos;
import org.dunlin.mqtt.TopicFilter;
import org.dunlin.server.config.Config.AnonymousAccess;
import org.dunlin.server.config.Config.ClientAuth;
import org.dunlin.server.config.Config.Durability;
import org.dunlin.server.config.Config.Engine;
import org.dunlin.server.config.Config.ListenerType;
import org.dunlin.server.config.Config.LogFormat;
import org.dunlin.server.config.Config.LogLevel;
import org.dunlin.server.config.Config.Overflow;
import org.dunlin.server.config.Config.Secret;
import org.dunlin.server.config.Config.Transport;

/**
 * The one table of keys: parsing, checking, showing, {@code conf/dunlin.yaml} and the names of environment variables
 * follow from it. Defaults that the core has are the core's. Any thread.
 */
final class Keys {
    private static final Limits CORE = Limits.DEFAULTS;
    private static final List<Key<?>> ALL = new ArrayList<>();
    private static final int MANY = 100_000_000;
    private static final long TERABYTE = 1L << 40;
    private static final long UINT32 = 4_294_967_295L;

    static final Key<String> LISTENER_NAME = add(Key.of(
            "listeners[].name",
            text(
                    "1 to 64 of a-z A-Z 0-9 _ . -, beginning with a letter or digit",
                    Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")),
            "tcp",
            "Name in logs and metrics; no two listeners share one."));
    static final Key<ListenerType> LISTENER_TYPE = add(Key.of(
            "listeners[].type",
            choice(ListenerType.class, Set.of("auto")),
            ListenerType.TCP,
            "What clients speak: tcp and ws in the clear, tls and wss encrypted; ws and wss over WebSocket."));
    static final Key<String> LISTENER_BIND = add(Key.of(
            "listeners[].bind",
            address(),
            "127.0.0.1",
            "Address of this machine to listen on; off loopback say who may connect (auth.allow-anonymous)."));
    static final Key<Integer> LISTENER_PORT = add(Key.of(
            "listeners[].port",
            integer(0, 65_535),
            1883,
            "Port, 0 for a free one that is logged; not set, tls takes 8883, ws 8083, wss 8084."));
    static final Key<AnonymousAccess> LISTENER_ALLOW_ANONYMOUS = add(Key.of(
            "listeners[].allow-anonymous",
            choice(AnonymousAccess.class, Set.of()),
            AnonymousAccess.AUTO,
            "Whether clients without a user may connect here; auto follows auth.allow-anonymous."));
    static final Key<Integer> LISTENER_MAX_CONNECTIONS = add(Key.of(
            "listeners[].max-connections",
            integer(0, MANY),
            0,
            "Connections of this listener; 0 leaves it to limits.max-connections."));
    static final Key<String> LISTENER_CERT = add(Key.of(
            "listeners[].cert",
            file(),
            "",
            "PEM file with the certificate of a tls or wss listener and those that signed it; watched."));
    static final Key<String> LISTENER_KEY =
            add(Key.of("listeners[].key", file(), "", "PEM file with the private key of that certificate; watched."));
    static final Key<Secret> LISTENER_KEY_PASSWORD = add(Key.secret(
            "listeners[].key-password", secret(), Secret.NONE, "Password of the private key, or of the keystore."));
    static final Key<String> LISTENER_KEYSTORE = add(Key.of(
            "listeners[].keystore",
            file(),
            "",
            "PKCS12 or JKS file with certificate and private key, instead of cert and key; watched."));
    static final Key<String> LISTENER_CA = add(Key.of(
            "listeners[].ca", file(), "", "PEM file with the certificates that sign those of clients; watched."));
    static final Key<String> LISTENER_TRUSTSTORE = add(Key.of(
            "listeners[].truststore",
            file(),
            "",
            "PKCS12 or JKS file with the certificates that sign those of clients, instead of ca; watched."));
    static final Key<Secret> LISTENER_TRUSTSTORE_PASSWORD =
            add(Key.secret("listeners[].truststore-password", secret(), Secret.NONE, "Password of the truststore."));
    static final Key<ClientAuth> LISTENER_CLIENT_AUTH = add(Key.of(
            "listeners[].client-auth",
            choice(ClientAuth.class, Set.of()),
            ClientAuth.NONE,
            "Whether clients show a certificate; optional: whoever shows one shows a valid one."));
    static final Key<List<String>> LISTENER_PROTOCOLS = add(Key.of(
            "listeners[].protocols",
            words("TLSv1.2, TLSv1.3 or both, with a comma between", Pattern.compile("TLSv1\\.[23]"), 1),
            List.of("TLSv1.2", "TLSv1.3"),
            "Versions of TLS that clients may speak."));
    static final Key<List<String>> LISTENER_CIPHERS = add(Key.of(
            "listeners[].ciphers",
            words(
                    "cipher suites like TLS_AES_128_GCM_SHA256 with commas between, or nothing",
                    Pattern.compile("TLS_[A-Z0-9_]{1,80}"),
                    0),
            List.of(),
            "Cipher suites by their IANA names, best first; nothing takes those with forward secrecy and AEAD."));
    static final Key<String> LISTENER_PATH = add(Key.of(
            "listeners[].path",
            text("a path that begins with /", Pattern.compile("/[^\\p{Cntrl}\\p{Cs}?# ]*")),
            "/mqtt",
            "Path of the URL that clients of a ws or wss listener connect to."));
    static final Key<List<String>> LISTENER_ALLOWED_ORIGINS = add(Key.of(
            "listeners[].allowed-origins",
            words(
                    "origins like https://example.org with commas between, or nothing",
                    Pattern.compile("[a-z][a-z0-9+.-]*://[^/,\\s\\p{Cntrl}]{1,255}|null"),
                    0),
            List.of(),
            "Web pages that may connect by WebSocket; nothing allows all. What is no browser says no origin."));

    static final Key<AnonymousAccess> ALLOW_ANONYMOUS = add(Key.of(
            "auth.allow-anonymous",
            choice(AnonymousAccess.class, Set.of()),
            AnonymousAccess.AUTO,
            "Whether clients without a user may connect; auto: on loopback listeners, without a password file."));

    static final Key<String> PASSWORD_FILE = add(Key.of(
            "auth.password-file",
            text("nothing, or a path of 1 to 1024 printable characters", Pattern.compile("[^\\p{Cntrl}]*")),
            "",
            "Users: lines USER:HASH, made by 'dunlin user' or mosquitto_passwd; watched; none if empty."));

    static final Key<Long> MAX_PACKET_SIZE = add(Key.of(
            "limits.max-packet-size",
            size(1024, 256L << 20),
            (long) CORE.maxPacketSizeBytes(),
            "Largest packet taken from a client, announced to v5 clients."));
    static final Key<Integer> RECEIVE_MAXIMUM = add(Key.of(
            "limits.receive-maximum",
            integer(1, 65_535),
            CORE.receiveMaximum(),
            "QoS 1 and 2 messages of one publisher that may be unfinished, announced to v5 clients."));
    static final Key<Integer> TOPIC_ALIAS_MAXIMUM = add(Key.of(
            "limits.topic-alias-maximum",
            integer(0, 65_535),
            CORE.topicAliasMaximum(),
            "Topic aliases of one connection in each direction; 0 turns them off."));
    static final Key<Duration> MAX_KEEP_ALIVE = add(Key.of(
            "limits.max-keep-alive",
            seconds(0, 65_535),
            Duration.ofSeconds(CORE.maxKeepAliveSeconds()),
            "Keep alive of v5 clients that ask for more or for none; 0 sets no bound."));
    static final Key<Qos> MAX_QOS = add(Key.of(
            "limits.max-qos",
            choice(qosByNumber(), Set.of()),
            CORE.maxQos(),
            "Highest QoS to publish or subscribe with."));
    static final Key<Boolean> RETAIN_AVAILABLE = add(
            Key.of("limits.retain-available", bool(), CORE.retainAvailable(), "Whether clients may retain messages."));
    static final Key<Boolean> WILDCARD_SUBSCRIPTIONS = add(Key.of(
            "limits.wildcard-subscriptions",
            bool(),
            CORE.wildcardSubscriptions(),
            "Whether clients may subscribe with + and #."));
    static final Key<Boolean> SHARED_SUBSCRIPTIONS = add(Key.of(
            "limits.shared-subscriptions",
            bool(),
            CORE.sharedSubscriptions(),
            "Whether clients may subscribe to $share/GROUP/FILTER."));
    static final Key<Duration> SESSION_EXPIRY_MAX = add(Key.of(
            "limits.session-expiry-max",
            seconds(0, UINT32),
            Duration.ofSeconds(CORE.sessionExpiryMaxSeconds()),
            "How long a session outlives its connection: bound for v5, value for v3 with clean session 0."));
    static final Key<Integer> MAX_CONNECTIONS = add(Key.of(
            "limits.max-connections",
            integer(1, MANY),
            CORE.maxConnections(),
            "Connections to all listeners together."));
    static final Key<Integer> MAX_SESSIONS =
            add(Key.of("limits.max-sessions", integer(1, MANY), CORE.maxSessions(), "Sessions, connected or not."));
    static final Key<Integer> MAX_TOPIC_LEVELS = add(Key.of(
            "limits.max-topic-levels",
            integer(1, 65_535),
            CORE.maxTopicLevels(),
            "Levels of a topic name or topic filter, the parts between slashes."));
    static final Key<Integer> MAX_CLIENT_ID_LENGTH = add(Key.of(
            "limits.max-client-id-length",
            integer(23, 65_535),
            CORE.maxClientIdLength(),
            "Bytes of a client identifier; the standard grants every client 23."));
    static final Key<Duration> CONNECT_TIMEOUT = add(Key.of(
            "limits.connect-timeout",
            duration(Duration.ofMillis(100), Duration.ofHours(1)),
            Duration.ofMillis(CORE.connectTimeoutMillis()),
            "Time for a new connection to get through CONNECT, and for each 1024 bytes of a packet."));
    static final Key<Integer> CONNECT_RATE = add(Key.of(
            "limits.connect-rate",
            integer(0, 1_000_000),
            CORE.connectRatePerSecond(),
            "CONNECTs accepted per second by the whole broker; 0 sets no bound."));
    static final Key<Integer> PUBLISH_RATE = add(Key.of(
            "limits.publish-rate",
            integer(0, MANY),
            CORE.publishRatePerSecond(),
            "Messages per second of one client before it is slowed down; 0 sets no bound."));
    static final Key<Integer> MAX_INFLIGHT = add(Key.of(
            "limits.max-inflight",
            integer(1, 65_535),
            CORE.maxInflight(),
            "QoS 1 and 2 messages to one client that may be unfinished."));
    static final Key<Integer> MAX_SUBSCRIPTIONS = add(Key.of(
            "limits.max-subscriptions-per-client",
            integer(1, 10_000_000),
            CORE.maxSubscriptionsPerClient(),
            "Subscriptions of one session."));
    static final Key<Integer> MAX_RETAINED = add(Key.of(
            "limits.max-retained", integer(0, MANY), CORE.maxRetained(), "Retained messages of the whole broker."));
    static final Key<Long> MAX_RETAINED_BYTES = add(Key.of(
            "limits.max-retained-bytes",
            size(0, TERABYTE),
            CORE.maxRetainedBytes(),
            "Bytes of all retained messages."));
    static final Key<Integer> MAX_DELAYED = add(Key.of(
            "limits.max-delayed",
            integer(0, MANY),
            CORE.maxDelayed(),
            "Messages of the whole broker that wait for their time to be delivered."));
    static final Key<Duration> MAX_DELAY = add(Key.of(
            "limits.max-delay",
            seconds(0, UINT32),
            Duration.ofSeconds(CORE.maxDelaySeconds()),
            "Longest time a message may be delayed by its publisher."));
    static final Key<Integer> MAX_USER_PROPERTIES = add(Key.of(
            "limits.max-user-properties",
            integer(0, 65_535),
            CORE.maxUserProperties(),
            "User properties of one packet."));
    static final Key<Long> OUTBOUND_BUFFER = add(Key.of(
            "limits.outbound-buffer",
            size(16 * 1024, 1L << 30),
            (long) CORE.outboundBufferBytes(),
            "Bytes a slow client may leave untaken before QoS 0 to it is dropped and the rest waits in its queue."));

    static final Key<Integer> QUEUE_MAX_MESSAGES = add(Key.of(
            "queue.max-messages",
            integer(1, MANY),
            100_000,
            "Messages waiting in one session, or in one shared group."));
    static final Key<Long> QUEUE_MAX_BYTES = add(Key.of(
            "queue.max-bytes",
            size(1024, TERABYTE),
            64L << 20,
            "Bytes waiting in one session, or in one shared group."));
    static final Key<Overflow> QUEUE_OVERFLOW = add(Key.of(
            "queue.overflow",
            choice(Overflow.class, Set.of()),
            Overflow.DROP_OLDEST,
            "What a full queue does: drops count, reject answers 0x97, hold-ack slows the publisher down first."));
    static final Key<Duration> QUEUE_HOLD_TIMEOUT = add(Key.of(
            "queue.hold-timeout",
            duration(Duration.ofMillis(1), Duration.ofHours(1)),
            Duration.ofSeconds(10),
            "Longest time that hold-ack slows a publisher down; then it is rejected."));
    static final Key<Boolean> QUEUE_QOS0_OFFLINE = add(
            Key.of("queue.qos0-offline", bool(), false, "Whether QoS 0 waits for sessions that are not connected."));
    static final Key<TopicFilter> RULE_FILTER = add(Key.required(
            "queue.rules[].filter",
            topicFilter(),
            "alarms/#",
            "Topics that get another overflow; the first rule that matches decides."));
    static final Key<Overflow> RULE_OVERFLOW = add(Key.required(
            "queue.rules[].overflow",
            choice(Overflow.class, Set.of()),
            "hold-ack",
            "As queue.overflow, for these topics."));

    static final Key<Long> MEMORY_BUDGET = add(Key.of(
            "memory.budget",
            sizeOrZero(8 << 20, TERABYTE),
            0L,
            "Memory for messages, sessions and buffers; 0 takes 60 % of the heap. Then publishers wait."));

    static final Key<Engine> STORAGE_ENGINE = add(Key.of(
            "storage.engine",
            choice(Engine.class, Set.of()),
            Engine.ROCKSDB,
            "Where sessions, queues and retained messages live; memory ends with the process."));
    static final Key<String> STORAGE_PATH = add(Key.of(
            "storage.path",
            text("a path of 1 to 1024 printable characters", Pattern.compile("[^\\p{Cntrl}]+")),
            "data",
            "Data directory, same as -d; the engine memory leaves it alone."));
    static final Key<Durability> STORAGE_DURABILITY = add(Key.of(
            "storage.durability",
            choice(Durability.class, Set.of()),
            Durability.FSYNC,
            "What acknowledged means: fsync, on disk; async and none, it survives kill -9 only."));
    static final Key<Duration> STORAGE_SYNC_INTERVAL = add(Key.of(
            "storage.sync-interval",
            duration(Duration.ofMillis(1), Duration.ofHours(1)),
            Duration.ofMillis(100),
            "With async, the longest time whose acknowledged messages a power cut may cost."));
    static final Key<Long> STORAGE_CACHE_SIZE = add(Key.of(
            "storage.cache-size",
            size(1 << 20, 1L << 40),
            64L << 20,
            "Memory for what is read from the files; twice that, 16 to 128 MB, for what was written last."));
    static final Key<Long> STORAGE_MIN_FREE = add(Key.of(
            "storage.min-free",
            size(0, 1L << 50),
            0L,
            "Free disk space below which new messages are refused; 0 takes the larger of 512MB and 2 %."));
    static final Key<Long> STORAGE_MAX_SIZE = add(Key.of(
            "storage.max-size",
            size(0, 1L << 50),
            0L,
            "Size of the data directory from which on new messages are refused; 0 for no bound."));

    static final Key<Integer> LOOPS =
            add(Key.of("server.loops", integer(0, Shards.MAX), 0, "Event loops; 0 takes one for each processor."));
    static final Key<Transport> TRANSPORT = add(Key.of(
            "server.transport",
            choice(Transport.class, Set.of()),
            Transport.AUTO,
            "How sockets are served; auto takes the fastest that works here, nio works everywhere."));
    static final Key<Duration> DRAIN_TIMEOUT = add(Key.of(
            "server.drain-timeout",
            duration(Duration.ZERO, Duration.ofHours(1)),
            Duration.ofSeconds(10),
            "Longest time a stop waits for what is under way."));
    static final Key<String> RESPONSE_INFORMATION = add(Key.of(
            "server.response-information",
            text("nothing, or a topic prefix without + and #", Pattern.compile("[^+#\\p{Cntrl}\\p{Cs}]*")),
            "",
            "Prefix of response topics, given to v5 clients that ask for it; none if empty."));

    static final Key<Duration> SYS_TOPICS_INTERVAL = add(Key.of(
            "sys-topics.interval",
            seconds(0, 86_400),
            Duration.ofSeconds(10),
            "Time between $SYS updates; 0 turns $SYS off."));

    static final Key<LogLevel> LOG_LEVEL = add(
            Key.of("log.level", choice(LogLevel.class, Set.of()), LogLevel.INFO, "Least weight of what is logged."));
    static final Key<LogFormat> LOG_FORMAT = add(Key.of(
            "log.format",
            choice(LogFormat.class, Set.of()),
            LogFormat.TEXT,
            "One line of text or one JSON object for each event."));

    static final KeyTable TABLE = new KeyTable(
            ALL,
            Set.of(
                    "admin",
                    "auth.acl-file",
                    "auth.certificate",
                    "auth.jwt",
                    "auth.scram",
                    "listeners[].accept",
                    "listeners[].crl",
                    "listeners[].proxy-protocol",
                    "listeners[].proxy-trusted",
                    "listeners[].sni",
                    "metrics"));

    private Keys() {}

    private static <T> Key<T> add(Key<T> key) {
        ALL.add(key);
        return key;
    }

    private static Map<String, Qos> qosByNumber() {
        Map<String, Qos> values = new LinkedHashMap<>();
        for (Qos qos : Qos.values()) {
            values.put(Integer.toString(qos.value()), qos);
        }
        return values;
    }
}
