package org.dunlin.server.config;

import static org.dunlin.server.config.ValueType.bool;
import static org.dunlin.server.config.ValueType.choice;
import static org.dunlin.server.config.ValueType.duration;
import static org.dunlin.server.config.ValueType.file;
import static org.dunlin.server.config.ValueType.integer;
import static org.dunlin.server.config.ValueType.seconds;
import static org.dunlin.server.config.ValueType.size;
import static org.dunlin.server.config.ValueType.sizeOrZero;
import static org.dunlin.server.config.ValueType.text;
import static org.dunlin.server.config.ValueType.topicFilter;

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
import org.dunlin.server.config.Config.Durability;
import org.dunlin.server.config.Config.Engine;
import org.dunlin.server.config.Config.LogFormat;
import org.dunlin.server.config.Config.LogLevel;
import org.dunlin.server.config.Config.Overflow;
import org.dunlin.server.config.Config.TlsProvider;
import org.dunlin.server.config.Config.Transport;

/**
 * The one table of keys: parsing, checking, showing, {@code conf/dunlin.yaml} and the names of environment variables
 * follow from it. Defaults that the core has are the core's. Any thread.
 */
final class Keys {
    private static final Limits CORE = Limits.DEFAULTS;
    private static final List<Key<?>> ALL = new ArrayList<>();

    static {
        ALL.addAll(ListenerKeys.ALL);
        ALL.addAll(AuthKeys.ALL);
        ALL.addAll(BanKeys.ALL);
        ALL.addAll(ShareKeys.ALL);
    }

    private static final int MANY = 100_000_000;
    private static final long TERABYTE = 1L << 40;
    private static final long UINT32 = 4_294_967_295L;

    static final Key<Long> MAX_PACKET_SIZE = live(Key.of(
            "limits.max-packet-size",
            size(1024, 256L << 20),
            (long) CORE.maxPacketSizeBytes(),
            "Largest packet taken from a client, announced to v5 clients."));
    static final Key<Integer> RECEIVE_MAXIMUM = live(Key.of(
            "limits.receive-maximum",
            integer(1, 65_535),
            CORE.receiveMaximum(),
            "QoS 1 and 2 messages of one publisher that may be unfinished, announced to v5 clients."));
    static final Key<Integer> TOPIC_ALIAS_MAXIMUM = live(Key.of(
            "limits.topic-alias-maximum",
            integer(0, 65_535),
            CORE.topicAliasMaximum(),
            "Topic aliases of one connection in each direction; 0 turns them off."));
    static final Key<Duration> MAX_KEEP_ALIVE = live(Key.of(
            "limits.max-keep-alive",
            seconds(0, 65_535),
            Duration.ofSeconds(CORE.maxKeepAliveSeconds()),
            "Keep alive of v5 clients that ask for more or for none; 0 sets no bound."));
    static final Key<Qos> MAX_QOS = live(Key.of(
            "limits.max-qos",
            choice(qosByNumber(), Set.of()),
            CORE.maxQos(),
            "Highest QoS to publish or subscribe with."));
    static final Key<Boolean> RETAIN_AVAILABLE = live(
            Key.of("limits.retain-available", bool(), CORE.retainAvailable(), "Whether clients may retain messages."));
    static final Key<Boolean> WILDCARD_SUBSCRIPTIONS = live(Key.of(
            "limits.wildcard-subscriptions",
            bool(),
            CORE.wildcardSubscriptions(),
            "Whether clients may subscribe with + and #."));
    static final Key<Boolean> SHARED_SUBSCRIPTIONS = live(Key.of(
            "limits.shared-subscriptions",
            bool(),
            CORE.sharedSubscriptions(),
            "Whether clients may subscribe to $share/GROUP/FILTER."));
    static final Key<Duration> SESSION_EXPIRY_MAX = live(Key.of(
            "limits.session-expiry-max",
            seconds(0, UINT32),
            Duration.ofSeconds(CORE.sessionExpiryMaxSeconds()),
            "How long a session outlives its connection: bound for v5, value for v3 with clean session 0."));
    static final Key<Integer> MAX_CONNECTIONS = live(Key.of(
            "limits.max-connections",
            integer(1, MANY),
            CORE.maxConnections(),
            "Connections to all listeners together."));
    static final Key<Integer> MAX_SESSIONS =
            live(Key.of("limits.max-sessions", integer(1, MANY), CORE.maxSessions(), "Sessions, connected or not."));
    static final Key<Integer> MAX_TOPIC_LEVELS = live(Key.of(
            "limits.max-topic-levels",
            integer(1, 65_535),
            CORE.maxTopicLevels(),
            "Levels of a topic name or topic filter, the parts between slashes."));
    static final Key<Integer> MAX_CLIENT_ID_LENGTH = live(Key.of(
            "limits.max-client-id-length",
            integer(23, 65_535),
            CORE.maxClientIdLength(),
            "Bytes of a client identifier; the standard grants every client 23."));
    static final Key<Duration> CONNECT_TIMEOUT = live(Key.of(
            "limits.connect-timeout",
            duration(Duration.ofMillis(100), Duration.ofHours(1)),
            Duration.ofMillis(CORE.connectTimeoutMillis()),
            "Time for a new connection to get through CONNECT, and for each 1024 bytes of a packet."));
    static final Key<Integer> CONNECT_RATE = live(Key.of(
            "limits.connect-rate",
            integer(0, 1_000_000),
            CORE.connectRatePerSecond(),
            "CONNECTs accepted per second by the whole broker; 0 sets no bound."));
    static final Key<Integer> PUBLISH_RATE = live(Key.of(
            "limits.publish-rate",
            integer(0, MANY),
            CORE.publishRatePerSecond(),
            "Messages per second of one client before it is slowed down; 0 sets no bound."));
    static final Key<Integer> MAX_INFLIGHT = live(Key.of(
            "limits.max-inflight",
            integer(1, 65_535),
            CORE.maxInflight(),
            "QoS 1 and 2 messages to one client that may be unfinished."));
    static final Key<Integer> MAX_SUBSCRIPTIONS = live(Key.of(
            "limits.max-subscriptions-per-client",
            integer(1, 10_000_000),
            CORE.maxSubscriptionsPerClient(),
            "Subscriptions of one session."));
    static final Key<Integer> MAX_RETAINED = live(Key.of(
            "limits.max-retained", integer(0, MANY), CORE.maxRetained(), "Retained messages of the whole broker."));
    static final Key<Long> MAX_RETAINED_BYTES = live(Key.of(
            "limits.max-retained-bytes",
            size(0, TERABYTE),
            CORE.maxRetainedBytes(),
            "Bytes of all retained messages."));
    static final Key<Integer> MAX_DELAYED = live(Key.of(
            "limits.max-delayed",
            integer(0, MANY),
            CORE.maxDelayed(),
            "Messages of the whole broker that wait for their time to be delivered."));
    static final Key<Duration> MAX_DELAY = live(Key.of(
            "limits.max-delay",
            seconds(0, UINT32),
            Duration.ofSeconds(CORE.maxDelaySeconds()),
            "Longest time a message may be delayed by its publisher."));
    static final Key<Integer> MAX_USER_PROPERTIES = live(Key.of(
            "limits.max-user-properties",
            integer(0, 65_535),
            CORE.maxUserProperties(),
            "User properties of one packet."));
    static final Key<Long> OUTBOUND_BUFFER = live(Key.of(
            "limits.outbound-buffer",
            size(16 * 1024, 1L << 30),
            (long) CORE.outboundBufferBytes(),
            "Bytes a slow client may leave untaken before QoS 0 to it is dropped and the rest waits in its queue."));

    static final Key<Integer> QUEUE_MAX_MESSAGES = live(Key.of(
            "queue.max-messages",
            integer(1, MANY),
            100_000,
            "Messages waiting in one session, or in one shared group."));
    static final Key<Long> QUEUE_MAX_BYTES = live(Key.of(
            "queue.max-bytes",
            size(1024, TERABYTE),
            64L << 20,
            "Bytes waiting in one session, or in one shared group."));
    static final Key<Overflow> QUEUE_OVERFLOW = live(Key.of(
            "queue.overflow",
            choice(Overflow.class, Set.of()),
            Overflow.DROP_OLDEST,
            "What a full queue does: drops count, reject answers 0x97, hold-ack slows the publisher down first."));
    static final Key<Duration> QUEUE_HOLD_TIMEOUT = live(Key.of(
            "queue.hold-timeout",
            duration(Duration.ofMillis(1), Duration.ofHours(1)),
            Duration.ofSeconds(10),
            "Longest time that hold-ack slows a publisher down; then it is rejected."));
    static final Key<Boolean> QUEUE_QOS0_OFFLINE = live(
            Key.of("queue.qos0-offline", bool(), false, "Whether QoS 0 waits for sessions that are not connected."));
    static final Key<TopicFilter> RULE_FILTER = live(Key.required(
            "queue.rules[].filter",
            topicFilter(),
            "alarms/#",
            "Topics that get another overflow; the first rule that matches decides."));
    static final Key<Overflow> RULE_OVERFLOW = live(Key.required(
            "queue.rules[].overflow",
            choice(Overflow.class, Set.of()),
            "hold-ack",
            "As queue.overflow, for these topics."));

    static final Key<Long> MEMORY_BUDGET = live(Key.of(
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
    static final Key<TlsProvider> TLS_PROVIDER = add(Key.of(
            "server.tls-provider",
            choice(TlsProvider.class, Set.of()),
            TlsProvider.AUTO,
            "Whose TLS listeners have: BoringSSL's (openssl), Java's (jdk), or auto: BoringSSL's where it works."));
    static final Key<Duration> DRAIN_TIMEOUT = live(Key.of(
            "server.drain-timeout",
            duration(Duration.ZERO, Duration.ofHours(1)),
            Duration.ofSeconds(10),
            "Longest time a stop waits for what is under way."));
    static final Key<String> RESPONSE_INFORMATION = live(Key.of(
            "server.response-information",
            text("nothing, or a topic prefix without + and #", Pattern.compile("[^+#\\p{Cntrl}\\p{Cs}]*")),
            "",
            "Prefix of response topics, given to v5 clients that ask for it; none if empty."));

    static {
        ALL.addAll(AdminKeys.ALL);
    }

    static final Key<Duration> SYS_TOPICS_INTERVAL = live(Key.of(
            "sys-topics.interval",
            seconds(0, 86_400),
            Duration.ofSeconds(10),
            "Time between $SYS updates; 0 turns $SYS off."));

    static final Key<LogLevel> LOG_LEVEL = live(
            Key.of("log.level", choice(LogLevel.class, Set.of()), LogLevel.INFO, "Least weight of what is logged."));
    static final Key<LogFormat> LOG_FORMAT = live(Key.of(
            "log.format",
            choice(LogFormat.class, Set.of()),
            LogFormat.TEXT,
            "One line of text or one JSON object for each event."));
    static final Key<String> LOG_AUDIT_FILE = live(Key.of(
            "log.audit-file",
            file(),
            "",
            "File with a line for each change made by the admin port, as in the log; none if empty."));

    static final KeyTable TABLE = new KeyTable(ALL);

    private Keys() {}

    private static <T> Key<T> live(Key<T> key) {
        return add(key.whileRunning());
    }

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
